/* What the parts know of each other that stand for a board: its events, pins, flash, and its side of a network. A run of a firmware
   is driven by commands on stdin (events.c). None of it is on rv32, which has no sockets. */

#ifndef MPCP_XS_DEVICE_H
#define MPCP_XS_DEVICE_H

#include "host.h"

/* events.c */

/* A function of the program that is called when something has happened. */
typedef struct Handler {
	txSlot slot;
	bool isSet;
} Handler;

/* Milliseconds since the device's start. */
extern double deviceNow;
/* Keeps a function that was passed; whatever else was passed is none. */
extern void keepHandler(txMachine *the, Handler *handler, int argument);
extern void dropHandler(txMachine *the, Handler *handler);
/* Calls it with a number. What it throws ends the run, as it ends a device. */
extern void callHandler(txMachine *the, Handler *handler, int number);
/* Begins the next step that somebody outside can see, and says whether the power goes in it. */
typedef enum { CUT_NEVER, CUT_BEFORE, CUT_TORN, CUT_AFTER } Cut;
extern Cut nextStep(void);
extern XS_FUNCTION_NORETURN void losePower(void);
/* Bytes that a function was passed. */
extern void *passedBytes(txMachine *the, int argument, txUnsigned *length, bool isWritten);
/* A number that a function was passed. */
extern int passedNumber(txMachine *the, int argument);

/* board.c */

extern void addBoardFunctions(txMachine *the);
/* A partition as the file that it is kept in. */
extern void usePartition(const char *label, const char *path);
/* What comes in from outside. */
extern void bytesCome(int port, const char *hex);
extern void levelComes(txMachine *the, int pin, int level);
/* When the serial ports have something to tell, in `deviceNow`'s milliseconds; they tell what is due. */
extern double serialDue(void);
extern bool tellSerial(txMachine *the);

/* network.c */

extern void addNetworkFunctions(txMachine *the);
/* Where time servers' packets go to, on loopback. */
extern int timeServerPort;
/* Tells what sockets have to tell just now. @returns whether there was something */
extern bool tellSockets(txMachine *the);
/* Whether somebody outside may answer. */
extern bool waitsForNetwork(void);
extern void setLink(txMachine *the, bool isUp);

#endif
