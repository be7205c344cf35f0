/* One run: loads an archive of modules in a root machine, makes it read-only as in flash, clones the device's machine with
   its arena, and calls the entry module's default export there. Settings come as name=value, words for the program after --. */

#include "host.h"

typedef struct {
	const char *name;
	long value;
} Setting;

/* Of the device's machine. Bytes, slots and keys; what is 0 must be given. */
static Setting settings[] = {
	{"arena", 0}, {"chunks", 0}, {"chunksMore", 0}, {"slots", 0}, {"slotsMore", 0}, {"stack", 0}, {"keys", 0}, {"keysMore", 0},
};

static long setting(const char *name)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(Setting); i++)
		if (strcmp(settings[i].name, name) == 0)
			return settings[i].value;
	return 0;
}

static bool takeSetting(const char *word)
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
	.stackCount = 4096,
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
	case XS_UNHANDLED_EXCEPTION_EXIT: return "unhandled exception";
	case XS_NO_MORE_KEYS_EXIT: return "no more keys";
	case XS_TOO_MUCH_COMPUTATION_EXIT: return "too much computation";
	case XS_UNHANDLED_REJECTION_EXIT: return "unhandled rejection";
	default: return "unknown";
	}
}

/* The machine cannot go on; on a device this is a restart. */
void fxAbort(txMachine *the, int status)
{
	printf("@abort \"%s\"\n", exitReason(status));
	printFigures(the, "abort");
	fflush(stdout);
	exit(3);
}

void fxQueuePromiseJobs(txMachine *the)
{
	the->promiseJobs = 1;
}

static void runPromiseJobs(txMachine *the)
{
	while (the->promiseJobs) {
		the->promiseJobs = 0;
		fxRunPromiseJobs(the);
	}
}

static void printException(txMachine *the)
{
	printf("@exception ");
	printJsonString(fxToString(the, &mxException));
	printf("\n");
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
	volatile bool ok = true;
	fxBeginHost(the);
	mxTry(the) {
		installHostFunctions(the);
		freezeBuiltIns(the);
		fxCollectGarbage(the);
		printImageFigures(the, "built-ins");
		importEntry(the);
		mxPop();
	}
	mxCatch(the) {
		printException(the);
		ok = false;
	}
	fxEndHost(the);
	runPromiseJobs(the);
	if (!ok)
		return NULL;
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

static bool runEntry(txMachine *the)
{
	volatile bool ok = true;
	fxBeginHost(the);
	mxTry(the) {
		/* As a call wants them: this, function. */
		mxPushUndefined();
		importEntry(the);
		mxCall();
		mxRunCount(0);
		mxPop();
	}
	mxCatch(the) {
		printException(the);
		ok = false;
	}
	fxEndHost(the);
	runPromiseJobs(the);
	return ok;
}

int main(int argc, char **argv)
{
	static MachineArena arena;
	const char *archive = NULL;
	setvbuf(stdout, NULL, _IOFBF, 4096);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			programArgumentCount = argc - i - 1;
			programArguments = argv + i + 1;
			break;
		}
		if (!takeSetting(argv[i]))
			archive = argv[i];
	}
	if (archive == NULL) {
		printf("@failed \"no archive of modules is given\"\n");
		return 2;
	}
	loadArchive(archive);
	txMachine *root = makeRoot();
	txMachine *device = root == NULL ? NULL : makeDevice(root, &arena);
	if (device == NULL) {
		printf("@failed \"no machine\"\n");
		fflush(stdout);
		return 2;
	}
	beginFigures(device);
	printFigures(device, "start");
	bool ok = runEntry(device);
	printf("@end {\"ok\":%s}\n", ok ? "true" : "false");
	fflush(stdout);
	return ok ? 0 : 1;
}
