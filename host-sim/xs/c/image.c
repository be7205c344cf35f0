/* What an image of the root machine takes in flash, counted as the SDK's linker writes it: slots that live after all modules
   have run, functions' byte code, texts (each once), constants, and the tables of names. */

#include "host.h"

/* A free slot, while slots are counted; the engine clears flags of a slot that it takes. */
#define FREE_FLAG XS_LEVEL_FLAG

typedef struct {
	unsigned long functions;
	unsigned long closures;
	unsigned long arrays;
	unsigned long names;
	unsigned long all;
} SlotCounts;

typedef struct {
	unsigned long code;
	unsigned long texts;
	unsigned long constants;
} ByteCounts;

/* Texts that are the same stand once: in C they are literals of one file. */
typedef struct {
	const char **items;
	size_t count;
	size_t room;
} Texts;

static void markFree(txMachine *the)
{
	for (txSlot *slot = the->freeHeap; slot != NULL; slot = slot->next)
		slot->flag |= FREE_FLAG;
}

static bool isFree(const txSlot *slot)
{
	return slot->kind == XS_UNDEFINED_KIND && (slot->flag & FREE_FLAG);
}

static unsigned long chainLength(const txSlot *slot)
{
	unsigned long length = 0;
	for (; slot != NULL; slot = slot->next)
		length++;
	return length;
}

/* Of a function, without the home that it shares with the one before (see readonly.c). */
static unsigned long functionLength(const txSlot *instance, const txSlot **home)
{
	const txSlot *own = instance->next->next;
	unsigned long length = 1 + chainLength(instance->next);
	if (own == *home)
		length--;
	*home = own;
	return length;
}

static void countSlots(txMachine *the, SlotCounts *counts)
{
	const txSlot *home = NULL;
	for (txSlot *heap = the->firstHeap; heap != NULL; heap = heap->next) {
		for (txSlot *slot = heap + 1; slot < heap->value.reference; slot++) {
			if (isFree(slot))
				continue;
			counts->all++;
			const txSlot *first = slot->kind == XS_INSTANCE_KIND ? slot->next : NULL;
			if (slot->kind == XS_KEY_KIND)
				counts->names++;
			else if (slot->kind == XS_ARRAY_KIND && slot->value.array.address != NULL)
				/* The items lie behind a slot with their size. */
				counts->arrays += 1 + (unsigned long)fxGetIndexSize(the, slot);
			else if (first != NULL && (first->flag & XS_INTERNAL_FLAG)) {
				if (first->ID == XS_ENVIRONMENT_BEHAVIOR)
					counts->closures += 1 + chainLength(first);
				else if (first->kind == XS_CODE_KIND)
					counts->functions += functionLength(slot, &home);
			}
		}
	}
	counts->all += counts->arrays;
}

static void addText(Texts *texts, const char *text)
{
	if (texts->count == texts->room) {
		texts->room = texts->room == 0 ? 4096 : 2 * texts->room;
		texts->items = realloc(texts->items, texts->room * sizeof(char *));
	}
	texts->items[texts->count++] = text;
}

static int compareTexts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static unsigned long textBytes(Texts *texts)
{
	unsigned long bytes = 0;
	qsort(texts->items, texts->count, sizeof(char *), compareTexts);
	for (size_t i = 0; i < texts->count; i++)
		if (i == 0 || strcmp(texts->items[i - 1], texts->items[i]) != 0)
			bytes += strlen(texts->items[i]) + 1;
	return bytes;
}

static unsigned long chunkBytes(const void *address)
{
	return (unsigned long)((const txChunk *)((const txByte *)address - sizeof(txChunk)))->size - sizeof(txChunk);
}

static void countSlotBytes(const txSlot *slot, ByteCounts *counts, Texts *texts)
{
	switch (slot->kind) {
	/* A literal in C has a byte behind it. */
	case XS_CODE_KIND: counts->code += chunkBytes(slot->value.code.address) + 1; break;
	case XS_STRING_KIND:
	case XS_STRING_X_KIND: addText(texts, slot->value.string); break;
	case XS_KEY_KIND:
		if (slot->value.key.string != NULL)
			addText(texts, slot->value.key.string);
		break;
	case XS_BIGINT_KIND: counts->constants += slot->value.bigint.size * sizeof(txU4); break;
	case XS_ARRAY_BUFFER_KIND: counts->constants += (unsigned long)slot->next->value.bufferInfo.length + 1; break;
	case XS_REGEXP_KIND: counts->constants += chunkBytes(slot->value.regexp.code); break;
	case XS_MAP_KIND:
	case XS_SET_KIND: counts->constants += slot->value.table.length * sizeof(txSlot *); break;
	default: break;
	}
}

static void countBytes(txMachine *the, ByteCounts *counts)
{
	Texts texts = {NULL, 0, 0};
	for (txSlot *heap = the->firstHeap; heap != NULL; heap = heap->next) {
		for (txSlot *slot = heap + 1; slot < heap->value.reference; slot++) {
			if (isFree(slot))
				continue;
			countSlotBytes(slot, counts, &texts);
			if (slot->kind == XS_ARRAY_KIND && slot->value.array.address != NULL)
				for (txIndex i = 0; i < fxGetIndexSize(the, slot); i++)
					countSlotBytes(&slot->value.array.address[i], counts, &texts);
		}
	}
	counts->texts = textBytes(&texts);
	free(texts.items);
}

static void printSlots(const char *name, unsigned long count)
{
	printf(",\"%s\":%lu", name, count * (unsigned long)sizeof(txSlot));
}

void printImageFigures(txMachine *root, const char *label)
{
	SlotCounts slots = {0};
	ByteCounts bytes = {0};
	markFree(root);
	countSlots(root, &slots);
	countBytes(root, &bytes);
	beginLine("@image");
	printf("{\"label\":");
	printJsonString(label);
	printf(",\"code\":%lu", bytes.code);
	printSlots("functions", slots.functions);
	printSlots("closures", slots.closures);
	printSlots("arrays", slots.arrays);
	printSlots("names", slots.names);
	printSlots("slots", slots.all);
	printf(",\"texts\":%lu,\"constants\":%lu", bytes.texts, bytes.constants);
	/* Of each name: where its slot is, and its place among properties. */
	printf(",\"tables\":%lu", (unsigned long)root->keyIndex * (sizeof(txSlot *) + sizeof(txID)));
	printf(",\"keys\":%lu,\"aliases\":%lu}\n", (unsigned long)root->keyIndex, (unsigned long)root->aliasCount);
}
