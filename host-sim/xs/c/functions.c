/* The functions of the global object `host`: all that a program in the engine can ask of the outside. */

#include "host.h"

#include <errno.h>

/* More of a file is not read: rv32 has 96 MB in all. */
#define FILE_BYTES (64u << 20)

char *readWholeFile(const char *path, size_t *size, const char **problem)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		*problem = strerror(errno);
		return NULL;
	}
	size_t room = 65536, length = 0;
	char *bytes = malloc(room + 1);
	*problem = NULL;
	while (bytes != NULL) {
		size_t count = fread(bytes + length, 1, room - length, file);
		if (count == 0)
			break;
		length += count;
		if (length < room)
			continue;
		room *= 2;
		char *longer = length >= FILE_BYTES ? NULL : realloc(bytes, room + 1);
		if (longer == NULL)
			free(bytes);
		bytes = longer;
	}
	if (bytes == NULL)
		*problem = "it is too long";
	else if (ferror(file)) {
		*problem = strerror(errno);
		free(bytes);
		bytes = NULL;
	}
	fclose(file);
	if (bytes != NULL)
		bytes[length] = 0;
	*size = length;
	return bytes;
}

static char *arguments = NULL;
static size_t argumentsSize = 0;

void loadArguments(const char *path)
{
	const char *problem;
	arguments = readWholeFile(path, &argumentsSize, &problem);
	if (arguments == NULL)
		failRun("the program's words cannot be read: %s", problem);
}

/* print(text): a line of the program. */
static void print(txMachine *the)
{
	printJsonLine(">", fxToString(the, mxArgv(0)));
}

char *argumentAt(txInteger index)
{
	for (char *at = arguments; index >= 0 && at != NULL && at < arguments + argumentsSize; at += strlen(at) + 1)
		if (index-- == 0)
			return at;
	return NULL;
}

/* argument(index): one of the program's words, or undefined. */
static void argument(txMachine *the)
{
	char *word = argumentAt(fxToInteger(the, mxArgv(0)));
	if (word != NULL)
		fxString(the, mxResult, word);
}

/* A file is read once and stays outside the machine's memory. */
#define FILES 32
static struct {
	char *path;
	char *bytes;
	size_t size;
} files[FILES];

/* The place of a file. Where it cannot be read, that is the program's exception. */
static int fileAt(txMachine *the, const char *path)
{
	for (int i = 0; i < FILES; i++) {
		if (files[i].path == NULL) {
			const char *problem;
			files[i].bytes = readWholeFile(path, &files[i].size, &problem);
			if (files[i].bytes == NULL)
				mxUnknownError("%s cannot be read: %s", path, problem);
			files[i].path = strdup(path);
			return i;
		}
		if (strcmp(files[i].path, path) == 0)
			return i;
	}
	mxUnknownError("more than %d files are read", FILES);
	return 0;
}

/* fileSize(path): its length in bytes. */
static void fileSize(txMachine *the)
{
	size_t size = files[fileAt(the, fxToString(the, mxArgv(0)))].size;
	fxInteger(the, mxResult, (txInteger)size);
}

/* readFile(path, offset, length): an ArrayBuffer with that part of a file. */
static void readFile(txMachine *the)
{
	int file = fileAt(the, fxToString(the, mxArgv(0)));
	txInteger offset = mxArgc > 1 ? fxToInteger(the, mxArgv(1)) : 0;
	txInteger length = mxArgc > 2 ? fxToInteger(the, mxArgv(2)) : (txInteger)files[file].size - offset;
	if (offset < 0 || length < 0 || (size_t)offset + (size_t)length > files[file].size)
		mxRangeError("%s has no %d bytes at %d", files[file].path, (int)length, (int)offset);
	fxArrayBuffer(the, mxResult, files[file].bytes + offset, length, length);
}

/* readText(path, offset, length): a string of the UTF-8 bytes there, which must be well-formed. */
static void readText(txMachine *the)
{
	int file = fileAt(the, fxToString(the, mxArgv(0)));
	txInteger offset = fxToInteger(the, mxArgv(1));
	txInteger length = fxToInteger(the, mxArgv(2));
	if (offset < 0 || length < 0 || (size_t)offset + (size_t)length > files[file].size)
		mxRangeError("%s has no %d bytes at %d", files[file].path, (int)length, (int)offset);
	fxStringBuffer(the, mxResult, files[file].bytes + offset, length);
}

extern txInteger _xsmcGetBuffer(txMachine *the, txSlot *slot, void **data, txUnsigned *count, txBoolean writable);

/* readInto(path, offset, target): fills a typed array with the bytes from there on. */
static void readInto(txMachine *the)
{
	int file = fileAt(the, fxToString(the, mxArgv(0)));
	txInteger offset = fxToInteger(the, mxArgv(1));
	void *target;
	txUnsigned length;
	_xsmcGetBuffer(the, mxArgv(2), &target, &length, 1);
	if (offset < 0 || (size_t)offset + length > files[file].size)
		mxRangeError("%s has no %d bytes at %d", files[file].path, (int)length, (int)offset);
	memcpy(target, files[file].bytes + offset, length);
}

/* writeInto(path, offset, bytes): puts bytes into what was read of a file. The file itself stays as it is. */
static void writeInto(txMachine *the)
{
	int file = fileAt(the, fxToString(the, mxArgv(0)));
	txInteger offset = fxToInteger(the, mxArgv(1));
	void *bytes;
	txUnsigned length;
	_xsmcGetBuffer(the, mxArgv(2), &bytes, &length, 0);
	if (offset < 0 || (size_t)offset + length > files[file].size)
		mxRangeError("%s has no %d bytes at %d", files[file].path, (int)length, (int)offset);
	memcpy(files[file].bytes + offset, bytes, length);
}

/* eraseIn(path, offset, length): the same with bytes of 0xFF, as erased flash has them. */
static void eraseIn(txMachine *the)
{
	int file = fileAt(the, fxToString(the, mxArgv(0)));
	txInteger offset = fxToInteger(the, mxArgv(1));
	txInteger length = fxToInteger(the, mxArgv(2));
	if (offset < 0 || length < 0 || (size_t)offset + (size_t)length > files[file].size)
		mxRangeError("%s has no %d bytes at %d", files[file].path, (int)length, (int)offset);
	memset(files[file].bytes + offset, 0xFF, (size_t)length);
}

/* collect(): a full collection. */
static void collect(txMachine *the)
{
	fxCollect(the, XS_COMPACT_FLAG);
}

/* measure(): figures count from here. */
static void measure(txMachine *the)
{
	beginFigures(the);
}

/* figures(label): a line with what was counted since `measure`. */
static void figures(txMachine *the)
{
	printFigures(the, fxToString(the, mxArgv(0)));
}

/* counter(): instructions since power-up on rv32, nanoseconds elsewhere. */
static void counter(txMachine *the)
{
	fxNumber(the, mxResult, (txNumber)counterNow());
}

void addFunction(txMachine *the, txCallback callback, txInteger length, txString name)
{
	txSlot *object = the->stack;
	txID id = fxNewNameC(the, name);
	fxNewHostFunction(the, callback, length, id, XS_NO_ID);
	mxPushReference(object->value.reference);
	fxSetID(the, id);
	mxPop();
}

void installHostFunctions(txMachine *the)
{
	mxPush(mxObjectPrototype);
	fxNewObjectInstance(the);
	addFunction(the, print, 1, "print");
	addFunction(the, argument, 1, "argument");
	addFunction(the, fileSize, 1, "fileSize");
	addFunction(the, readFile, 3, "readFile");
	addFunction(the, readText, 3, "readText");
	addFunction(the, readInto, 3, "readInto");
	addFunction(the, writeInto, 3, "writeInto");
	addFunction(the, eraseIn, 3, "eraseIn");
	addFunction(the, collect, 0, "collect");
	addFunction(the, measure, 0, "measure");
	addFunction(the, figures, 1, "figures");
	addFunction(the, counter, 0, "counter");
	addNativeCrypto(the);
#if !defined(__riscv)
	if (setting("asked"))
		addAskedFunctions(the);
#endif
	mxPush(mxGlobal);
	fxSetID(the, fxNewNameC(the, "host"));
	mxPop();
}
