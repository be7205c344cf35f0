/* What the parts of the host know of each other. A run has two machines: the root, which runs every module body as the
   linker of an image does and is then read-only, and the device's, cloned from it with an arena of fixed size. */

#ifndef MPCP_XS_HOST_H
#define MPCP_XS_HOST_H

#include "xsAll.h"
#include "xsScript.h"

/* main.c */

/* Takes a word such as `slots=2560`. @returns false where there is no such setting */
extern bool takeSetting(const char *word);
/* A setting's number; 0 where it was not given. */
extern long setting(const char *name);
extern void runPromiseJobs(txMachine *the);
/* Ends the run: what was thrown, nobody has caught. */
extern XS_FUNCTION_NORETURN void endByException(txMachine *the);

/* events.c: where a firmware runs, and not on rv32. */

extern void installDevice(txMachine *the);
extern void awaitStart(void);
extern void serveDevice(txMachine *the);

/* asked.c: where a program is asked, and not on rv32. */

extern void addAskedFunctions(txMachine *the);
extern void awaitAsker(void);
/* Says why the machine stops, to whoever asks. @returns false where nobody does */
extern bool tellStopped(const char *reason);

/* output.c */

/* Begins a line; ends what XS has begun. */
extern void beginLine(const char *mark);
/* A line with text as a JSON string. */
extern void printJsonLine(const char *mark, const char *text);
/* Text as a JSON string. XS's U+0000 and halves of surrogate pairs are escaped, since its bytes for them are no UTF-8. */
extern void printJsonString(const char *text);
/* What XS has said last. */
extern const char *engineSaid(void);
/* Ends the run: the host cannot do what it is there for. One sentence. */
extern XS_FUNCTION_NORETURN void failRun(const char *format, ...);

/* memory.c */

/* The memory of the device's machine: chunks grow up from `low`, slots and tables down from `high`. */
typedef struct MachineArena {
	txByte *start;
	txByte *low;
	txByte *high;
	size_t size;
	/* What was taken so far, in bytes. */
	size_t chunks;
	size_t slots;
	size_t tables;
} MachineArena;

/* Bytes of the C heap that the engine holds beside its arena, now and at most. */
extern size_t nativeHeapNow;
extern size_t nativeHeapPeak;
extern void makeArena(MachineArena *arena, size_t size);
/* From here on tables come out of this arena; NULL: out of the C heap. */
extern void takeTablesFrom(MachineArena *arena);

/* modules.c */

extern void loadArchive(const char *path);
extern const char *entryModule(void);

/* readonly.c */

extern void freezeBuiltIns(txMachine *the);
extern void shareHomes(txMachine *root);
extern void freezeAsLinked(txMachine *root);
extern void makeReadOnly(txMachine *root);

/* figures.c */

extern void watchDevice(txMachine *the);
/* Instructions since power-up on rv32, nanoseconds elsewhere. */
extern uint64_t counterNow(void);
extern void beginFigures(txMachine *the);
extern void printFigures(txMachine *the, const char *label);

/* image.c */

extern void printImageFigures(txMachine *root, const char *label);

/* functions.c */

extern void installHostFunctions(txMachine *the);
/* Adds a function to the object on the stack. */
extern void addFunction(txMachine *the, txCallback callback, txInteger length, txString name);
/* Words for the program, each ended by a zero; the file of words becomes them. */
extern void loadArguments(const char *path);
/* One of them, NULL where there are fewer. */
extern char *argumentAt(txInteger index);
/* Reads a whole file, with a zero behind it. NULL where it cannot be read; then `problem` says why. */
extern char *readWholeFile(const char *path, size_t *size, const char **problem);

/* native-crypto.c */

extern void addNativeCrypto(txMachine *the);

#endif
