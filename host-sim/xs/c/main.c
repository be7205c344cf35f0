/* One run: loads an archive of modules in a root machine, makes it read-only as in flash, clones the device's machine with
   its arena, and calls the entry module's default export there. Settings come as name=value, then two files: the archive, and
   the words for the program. */

#include "host.h"

typedef struct {
	const char *name;
	long value;
} Setting;

/* Of the device's machine: bytes, slots and keys, which must be given. And whether it is a firmware that runs (events.c), or a
   program that is asked (asked.c), and how long it may take for each command, in seconds. */
static Setting settings[] = {
	{"arena", 0}, {"chunks", 0}, {"chunksMore", 0}, {"slots", 0}, {"slotsMore", 0}, {"stack", 0}, {"keys", 0}, {"keysMore", 0},
	{"firmware", 0}, {"asked", 0}, {"seconds", 0},
};

long setting(const char *name)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(Setting); i++)
		if (strcmp(settings[i].name, name) == 0)
			return settings[i].value;
	return 0;
}

bool takeSetting(const char *word)
{
	const char *equals = strchr(word, '=');
	for (size_t i = 0; equals != NULL && i < sizeof(settings) / sizeof(Setting); i++) {
		size_t length = strlen(settings[i].name);
		if ((size_t)(equals - word) == length && strncmp(word, settings[i].name, length) == 0) {
			settings[i].value = atol(equals + 1);
			return true;
		}
	}
	return false;
}

/* Sizes that both machines must share: the device's copies the root's tables. */
#define NAME_MODULO 127
#define SYMBOL_MODULO 127

static txCreation rootCreation = {
	.initialChunkSize = 1 << 20,
	.incrementalChunkSize = 1 << 18,
	.initialHeapCount = 65536,
	.incrementalHeapCount = 8192,
	.stackCount = 16384,
	.initialKeyCount = 8192,
	.incrementalKeyCount = 1024,
	.nameModulo = NAME_MODULO,
	.symbolModulo = SYMBOL_MODULO,
	.parserBufferSize = 64 * 1024,
	.parserTableModulo = 1993,
};

static const char *exitReason(int status)
{
	switch (status) {
	case XS_DEBUGGER_EXIT: return "debugger";
	case XS_NOT_ENOUGH_MEMORY_EXIT: return "memory full";
	case XS_STACK_OVERFLOW_EXIT: return "stack overflow";
	case XS_FATAL_CHECK_EXIT: return "fatal check";
	case XS_DEAD_STRIP_EXIT: return "dead strip";
	case XS_NO_MORE_KEYS_EXIT: return "no more keys";
	case XS_TOO_MUCH_COMPUTATION_EXIT: return "too much computation";
	default: return "unknown";
	}
}

static void tellException(const char *text)
{
	printJsonLine("@exception", text);
#if !defined(__riscv)
	tellStopped(text);
#endif
}

/* What was thrown, and nobody caught. Making it text may run code of the program, which may throw again. */
static void printException(txMachine *the)
{
	mxTry(the) {
		tellException(fxToString(the, &mxException));
	}
	mxCatch(the) {
		tellException("what was thrown cannot be made text");
	}
}

static XS_FUNCTION_NORETURN void end(bool ok)
{
	beginLine("@end");
	printf("{\"ok\":%s}\n", ok ? "true" : "false");
	fflush(stdout);
	exit(ok ? 0 : 1);
}

void endByException(txMachine *the)
{
	printException(the);
	end(false);
}

/* The machine cannot go on; on a device this is a restart. A promise that is rejected, and nobody waits for, ends the run too. */
void fxAbort(txMachine *the, int status)
{
	if (status == XS_UNHANDLED_EXCEPTION_EXIT || status == XS_UNHANDLED_REJECTION_EXIT)
		endByException(the);
	bool isRoot = the->arena == NULL;
	beginLine("@abort");
	printf("\"%s%s\"\n", exitReason(status), isRoot ? " while the modules' bodies ran" : "");
	if (!isRoot)
		printFigures(the, "abort");
	fflush(stdout);
#if !defined(__riscv)
	char reason[600];
	const char *said = engineSaid();
	snprintf(reason, sizeof(reason), *said == 0 ? "%s" : "%s (%s)", exitReason(status), said);
	tellStopped(reason);
#endif
	exit(3);
}

void fxQueuePromiseJobs(txMachine *the)
{
	the->promiseJobs = 1;
}

void runPromiseJobs(txMachine *the)
{
	while (the->promiseJobs) {
		the->promiseJobs = 0;
		fxRunPromiseJobs(the);
	}
	fxCheckUnhandledRejections(the, 1);
}

#if defined(__riscv)
char *realpath(const char *path, char *resolved)
{
	(void)path;
	(void)resolved;
	return NULL;
}

int gettimeofday(struct timeval *time, void *zone)
{
	(void)zone;
	uint64_t now = counterNow();
	time->tv_sec = (time_t)(now / 1000000000u);
	time->tv_usec = (suseconds_t)(now / 1000u % 1000000u);
	return 0;
}
#endif

#ifdef mxMetering
static txBoolean keepMetering(txMachine *the, txU4 index)
{
	(void)the;
	(void)index;
	return 1;
}
#endif

/* Leaves the entry module's default export on the stack. */
static void importEntry(txMachine *the)
{
	mxPushStringX((txString)entryModule());
	fxAwaitImport(the, XS_IMPORT_DEFAULT);
}

/* Runs every module body, as the linker of an image does. */
static txMachine *makeRoot(void)
{
	txMachine *the = fxCreateMachine(&rootCreation, "root", NULL, XS_NO_ID);
	volatile bool isFunction = false;
	fxBeginHost(the);
	mxTry(the) {
		installHostFunctions(the);
#if !defined(__riscv)
		if (setting("firmware"))
			installDevice(the);
#endif
		freezeBuiltIns(the);
		fxCollectGarbage(the);
		printImageFigures(the, "built-ins");
		importEntry(the);
		isFunction = fxIsCallable(the, the->stack);
		mxPop();
	}
	mxCatch(the) {
		endByException(the);
	}
	fxEndHost(the);
	if (!isFunction)
		failRun("the default export of %s is no function", entryModule());
	runPromiseJobs(the);
	fxCollectGarbage(the);
	shareHomes(the);
	freezeAsLinked(the);
	fxShareMachine(the);
	printImageFigures(the, "with modules");
	makeReadOnly(the);
	return the;
}

static txMachine *makeDevice(txMachine *root, MachineArena *arena)
{
	txCreation creation = {
		.initialChunkSize = (txSize)setting("chunks"),
		.incrementalChunkSize = (txSize)setting("chunksMore"),
		.initialHeapCount = (txSize)setting("slots"),
		.incrementalHeapCount = (txSize)setting("slotsMore"),
		.stackCount = (txSize)setting("stack"),
		.initialKeyCount = (txSize)setting("keys"),
		.incrementalKeyCount = (txSize)setting("keysMore"),
		.nameModulo = NAME_MODULO,
		.symbolModulo = SYMBOL_MODULO,
		.parserBufferSize = 1024,
		.parserTableModulo = NAME_MODULO,
	};
	makeArena(arena, (size_t)setting("arena"));
	takeTablesFrom(arena);
	txMachine *the = fxCloneMachine(&creation, root, "device", arena);
	takeTablesFrom(NULL);
	if (the == NULL)
		return NULL;
	watchDevice(the);
#ifdef mxMetering
	fxBeginMetering(the, keepMetering, 1u << 30);
#endif
	return the;
}

/* What the entry returned. */
static txSlot outcome;

static bool isPending(txMachine *the)
{
	txSlot *promise = outcome.kind == XS_REFERENCE_KIND ? outcome.value.reference : NULL;
	return mxIsPromise(promise) && mxPromiseStatus(promise)->value.integer == mxPendingStatus;
}

static void runEntry(txMachine *the)
{
	fxBeginHost(the);
	mxTry(the) {
		/* As a call wants them: this, function. */
		mxPushUndefined();
		importEntry(the);
		mxCall();
		mxRunCount(0);
		outcome.kind = the->stack->kind;
		outcome.value = the->stack->value;
		fxRemember(the, &outcome);
		mxPop();
	}
	mxCatch(the) {
		endByException(the);
	}
	fxEndHost(the);
	runPromiseJobs(the);
	if (isPending(the)) {
		printJsonLine("@exception", "the promise that the program returned is never settled: nothing is left to run");
		end(false);
	}
}

/* On rv32 words come as one line with blanks between: targets.ts writes others as a percent sign and two digits. */
static char *decoded(char *word)
{
#if defined(__riscv)
	char *to = word;
	for (const char *at = word; *at != 0; at++) {
		unsigned byte;
		bool isEscape = at[0] == '%' && sscanf(at + 1, "%2x", &byte) == 1;
		*to++ = isEscape ? (char)byte : *at;
		if (isEscape)
			at += 2;
	}
	*to = 0;
#endif
	return word;
}

int main(int argc, char **argv)
{
	static MachineArena arena;
	const char *files[] = {NULL, NULL};
#if defined(__riscv)
	setvbuf(stdout, NULL, _IOFBF, 4096);
#else
	/* What a program printed before the machine crashes is told. */
	setvbuf(stdout, NULL, _IOLBF, 4096);
#endif
	/* The last two count: the name of the program may stand first, or not. */
	for (int i = 1; i < argc; i++) {
		if (takeSetting(argv[i]))
			continue;
		files[0] = files[1];
		files[1] = decoded(argv[i]);
	}
	if (files[0] == NULL)
		failRun("an archive of modules and a file of words must be given");
	loadArguments(files[1]);
	loadArchive(files[0]);
	txMachine *root = makeRoot();
#if !defined(__riscv)
	if (setting("firmware"))
		awaitStart();
	if (setting("asked"))
		awaitAsker();
#endif
	txMachine *device = makeDevice(root, &arena);
	if (device == NULL)
		failRun("there is no room for a machine in an arena of %ld bytes", setting("arena"));
	beginFigures(device);
	printFigures(device, "start");
	runEntry(device);
#if !defined(__riscv)
	if (setting("firmware"))
		serveDevice(device);
#endif
	end(true);
}
