/* What the linker of an image does before it writes the root machine to flash. It freezes the built-ins, all functions and
   classes with their prototypes and scopes, buffers, maps and sets: writing to one throws from here on. Whatever else may
   change (plain objects, arrays, `let`) takes a word of a device's memory each, its alias. And what points into chunks
   becomes of a kind that no collector touches. */

#include "host.h"

/* Everything that can be reached from the global object, by property, accessor or prototype; the global object stays open. */
static char FREEZE[] =
	"(function () {"
	"const seen = new Set([globalThis]); const waiting = [];"
	"const add = (value) => { if ((typeof value === 'object' || typeof value === 'function') && value !== null"
	"  && !seen.has(value)) { seen.add(value); waiting.push(value); } };"
	"const walk = (object) => { add(Object.getPrototypeOf(object));"
	"  for (const key of Reflect.ownKeys(object)) { const property = Object.getOwnPropertyDescriptor(object, key);"
	"    add(property.value); add(property.get); add(property.set); } };"
	"walk(globalThis);"
	"for (const value of [(function () {}), (function* () {}), (async function () {}), (async function* () {}), [][Symbol.iterator](),"
	"  new Map().entries(), new Set().values(), ''[Symbol.iterator](), ''.matchAll(/x/g), (function* () {})()]) walk(value);"
	"while (waiting.length > 0) { const object = waiting.pop(); walk(object); Object.freeze(object); }"
	"})()";

void freezeBuiltIns(txMachine *the)
{
	txStringCStream stream;
	stream.buffer = FREEZE;
	stream.offset = 0;
	stream.size = (txSize)sizeof(FREEZE) - 1;
	txSlot *realm = mxModuleInstanceInternal(mxProgram.value.reference)->value.module.realm;
	txScript *script = fxParseScript(the, &stream, fxStringCGetter, mxProgramFlag);
	fxRunScript(the, script, mxRealmGlobal(realm), C_NULL, mxRealmClosures(realm)->value.reference, C_NULL, mxProgram.value.reference);
	mxPop();
}

static void freezeInstance(txSlot *instance)
{
	instance->flag |= XS_DONT_PATCH_FLAG;
	for (txSlot *property = instance->next; property != NULL; property = property->next) {
		property->flag |= XS_DONT_DELETE_FLAG;
		if (property->kind != XS_ACCESSOR_KIND)
			property->flag |= XS_DONT_SET_FLAG;
	}
}

/* What `new` makes of a function or class inherits from its `prototype`. */
static void freezePrototypeOf(txMachine *the, txSlot *function)
{
	for (txSlot *property = function->next; property != NULL; property = property->next)
		if (property->ID == mxID(_prototype) && property->kind == XS_REFERENCE_KIND)
			freezeInstance(property->value.reference);
}

static bool isFunction(const txSlot *instance)
{
	return instance->kind == XS_INSTANCE_KIND && mxIsFunction(instance);
}

/* Whether an instance is one that the linker freezes whatever the module says: nothing is set aside for changing it. */
static bool isFixed(const txSlot *instance)
{
	const txSlot *first = instance->next;
	if (first == NULL || !(first->flag & XS_INTERNAL_FLAG))
		return false;
	if (first->ID == XS_ENVIRONMENT_BEHAVIOR)
		return true;
	switch (first->kind) {
	case XS_ARRAY_BUFFER_KIND:
	case XS_DATA_VIEW_KIND:
	case XS_MAP_KIND:
	case XS_PROXY_KIND:
	case XS_REGEXP_KIND:
	case XS_SET_KIND:
	case XS_TYPED_ARRAY_KIND:
	case XS_WEAK_MAP_KIND:
	case XS_WEAK_REF_KIND:
	case XS_WEAK_SET_KIND: return true;
	default: return false;
	}
}

static bool isSameHome(const txSlot *home, const txSlot *other)
{
	return home->flag == other->flag && home->value.home.object == other->value.home.object &&
		home->value.home.module == other->value.home.module;
}

/* A function's last slot says which object and module it belongs to. Functions that are made one after the other and have the
   same share one. */
void shareHomes(txMachine *root)
{
	txSlot *shared = NULL;
	for (txSlot *heap = root->firstHeap; heap != NULL; heap = heap->next) {
		for (txSlot *slot = heap + 1; slot < heap->value.reference; slot++) {
			txSlot *home = slot->next;
			if (home == NULL || home->kind != XS_HOME_KIND || home->next != NULL || home->ID != XS_NO_ID)
				continue;
			if (shared != NULL && isSameHome(shared, home))
				slot->next = shared;
			else
				shared = home;
		}
	}
}

void freezeAsLinked(txMachine *root)
{
	txMachine *the = root;
	for (txSlot *heap = root->firstHeap; heap != NULL; heap = heap->next) {
		for (txSlot *slot = heap + 1; slot < heap->value.reference; slot++) {
			if (slot->kind == XS_INSTANCE_KIND && isFunction(slot)) {
				freezeInstance(slot);
				if (slot->flag & XS_CAN_CONSTRUCT_FLAG)
					freezePrototypeOf(the, slot);
			}
			else if (slot->kind == XS_INSTANCE_KIND && isFixed(slot))
				freezeInstance(slot);
			/* A variable that holds a function is a constant from here on. */
			else if (slot->kind == XS_CLOSURE_KIND) {
				txSlot *variable = slot->value.closure;
				if (variable->kind == XS_REFERENCE_KIND && isFunction(variable->value.reference))
					variable->flag |= XS_DONT_SET_FLAG;
			}
		}
	}
}

static void makeSlotReadOnly(txSlot *slot)
{
	switch (slot->kind) {
	case XS_STRING_KIND: slot->kind = XS_STRING_X_KIND; break;
	case XS_BIGINT_KIND: slot->kind = XS_BIGINT_X_KIND; break;
	case XS_CODE_KIND: slot->kind = XS_CODE_X_KIND; break;
	case XS_KEY_KIND: slot->kind = XS_KEY_X_KIND; break;
	case XS_CALLBACK_KIND: slot->kind = XS_CALLBACK_X_KIND; break;
	case XS_ARRAY_BUFFER_KIND:
	case XS_MAP_KIND:
	case XS_SET_KIND:
	case XS_WEAK_MAP_KIND:
	case XS_WEAK_SET_KIND: slot->flag |= XS_DONT_SET_FLAG; break;
	default: break;
	}
}

void makeReadOnly(txMachine *root)
{
	txMachine *the = root;
	for (txSlot *heap = root->firstHeap; heap != NULL; heap = heap->next) {
		for (txSlot *slot = heap + 1; slot < heap->value.reference; slot++) {
			makeSlotReadOnly(slot);
			if (slot->kind == XS_ARRAY_KIND && slot->value.array.address != NULL) {
				txIndex length = fxGetIndexSize(the, slot);
				for (txIndex i = 0; i < length; i++) {
					slot->value.array.address[i].flag |= XS_MARK_FLAG;
					makeSlotReadOnly(&slot->value.array.address[i]);
				}
			}
		}
	}
	for (txSlot *slot = root->stack; slot < root->stackTop; slot++)
		makeSlotReadOnly(slot);
}
