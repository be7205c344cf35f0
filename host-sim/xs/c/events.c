/* A firmware's run. The root machine is made once; each start of the device is a process of its own, forked from it, that has
   the partitions' files and nothing else of the one before: power can go at any step. What happens is said on stdin, line by
   line, and each line is answered with `@ready`. Time is the device's own: it passes when it is told to, in order of what is due;
   only while a connection is open it takes as many seconds as outside, and a few times fewer. */

#if !defined(__riscv)

#include "device.h"

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

double deviceNow = 0;

/* The clock that a program sees. A run that is no firmware's has that of this computer. */
static bool isDevice = false;
static double wallAtStart = 0;

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	(void)zone;
	if (!isDevice) {
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		time->tv_sec = now.tv_sec;
		time->tv_usec = now.tv_nsec / 1000;
		return 0;
	}
	double wall = wallAtStart + deviceNow;
	time->tv_sec = (time_t)(wall / 1000);
	time->tv_usec = (suseconds_t)((wall - 1000.0 * (double)time->tv_sec) * 1000);
	return 0;
}

/* ---- Handlers ---- */

void keepHandler(txMachine *the, Handler *handler, int argument)
{
	dropHandler(the, handler);
	if (mxArgc <= argument || mxArgv(argument)->kind != XS_REFERENCE_KIND)
		return;
	handler->slot.kind = XS_REFERENCE_KIND;
	handler->slot.value = mxArgv(argument)->value;
	fxRemember(the, &handler->slot);
	handler->isSet = true;
}

void dropHandler(txMachine *the, Handler *handler)
{
	if (handler->isSet)
		fxForget(the, &handler->slot);
	handler->isSet = false;
}

void callHandler(txMachine *the, Handler *handler, int number)
{
	if (!handler->isSet)
		return;
	fxBeginHost(the);
	mxTry(the) {
		mxPushUndefined();
		mxPushSlot(&handler->slot);
		mxCall();
		mxPushInteger(number);
		mxRunCount(1);
		mxPop();
	}
	mxCatch(the) {
		endByException(the);
	}
	fxEndHost(the);
	runPromiseJobs(the);
}

void *passedBytes(txMachine *the, int argument, txUnsigned *length, bool isWritten)
{
	extern txInteger _xsmcGetBuffer(txMachine *, txSlot *, void **, txUnsigned *, txBoolean);
	void *bytes;
	_xsmcGetBuffer(the, mxArgv(argument), &bytes, length, isWritten);
	return bytes;
}

int passedNumber(txMachine *the, int argument)
{
	return mxArgc > argument ? fxToInteger(the, mxArgv(argument)) : 0;
}

/* ---- Power ---- */

static long steps = 0;
static long cutAt = -1;
static Cut cutForm = CUT_NEVER;
enum { CUT_EXIT = 4 };

Cut nextStep(void)
{
	return steps++ == cutAt ? cutForm : CUT_NEVER;
}

void losePower(void)
{
	beginLine("@cut");
	printf("{\"ms\":%.0f}\n", deviceNow);
	fflush(stdout);
	_exit(CUT_EXIT);
}

/* ---- Time: ticks and timers ---- */

/* Ticks go from what fits 31 bits to what is below zero while a run goes on. */
#define FIRST_TICK 2147463648u
#define TIMERS 64

typedef struct {
	int id;
	double due;
	/* 0: once. */
	double every;
	Handler handler;
} DeviceTimer;

static DeviceTimer timers[TIMERS];
static int lastTimer = 0;

/* setTimer(callback, milliseconds, repeats) */
static void setTimer(txMachine *the)
{
	for (int i = 0; i < TIMERS; i++) {
		if (timers[i].handler.isSet)
			continue;
		double milliseconds = fxToNumber(the, mxArgv(1));
		keepHandler(the, &timers[i].handler, 0);
		timers[i].id = ++lastTimer;
		timers[i].due = deviceNow + milliseconds;
		timers[i].every = fxToBoolean(the, mxArgv(2)) ? milliseconds : 0;
		fxInteger(the, mxResult, lastTimer);
		return;
	}
	mxUnknownError("no more than %d timers", TIMERS);
}

static void clearTimer(txMachine *the)
{
	int id = passedNumber(the, 0);
	for (int i = 0; i < TIMERS; i++)
		if (timers[i].handler.isSet && timers[i].id == id)
			dropHandler(the, &timers[i].handler);
}

static void ticks(txMachine *the)
{
	fxInteger(the, mxResult, (txInteger)(FIRST_TICK + (uint32_t)(uint64_t)deviceNow));
}

/* setTime(seconds) */
static void setTime(txMachine *the)
{
	wallAtStart = 1000 * fxToNumber(the, mxArgv(0)) - deviceNow;
}

static DeviceTimer *nextTimer(void)
{
	DeviceTimer *next = NULL;
	for (int i = 0; i < TIMERS; i++) {
		DeviceTimer *timer = &timers[i];
		if (timer->handler.isSet && (next == NULL || timer->due < next->due || (timer->due == next->due && timer->id < next->id)))
			next = timer;
	}
	return next;
}

static bool tellTimer(txMachine *the)
{
	DeviceTimer *timer = nextTimer();
	if (timer == NULL || timer->due > deviceNow)
		return false;
	Handler once = timer->handler;
	if (timer->every > 0) {
		timer->due += timer->every;
		callHandler(the, &timer->handler, 0);
		return true;
	}
	/* Its place is free before it is called: it may be set anew. */
	fxRemember(the, &once.slot);
	dropHandler(the, &timer->handler);
	callHandler(the, &once, 0);
	dropHandler(the, &once);
	return true;
}

/* How many times faster a device's time goes than this computer's while a connection is open. */
#define HURRY 4

/* Waits for the network until the device's time is `until`. @returns whether something was told */
static bool awaitNetwork(txMachine *the, double until)
{
	const struct timespec pause = {0, 1000000};
	while (deviceNow < until) {
		if (tellSockets(the))
			return true;
		nanosleep(&pause, NULL);
		deviceNow = deviceNow + HURRY < until ? deviceNow + HURRY : until;
	}
	return false;
}

/* Lets time pass; whatever is due is told, in order. */
static void pass(txMachine *the, double until)
{
	for (;;) {
		if (tellSockets(the) || tellSerial(the) || tellTimer(the))
			continue;
		DeviceTimer *timer = nextTimer();
		double due = serialDue();
		if (timer != NULL && timer->due < due)
			due = timer->due;
		if (due > until)
			due = until;
		if (due <= deviceNow)
			return;
		if (!waitsForNetwork() || !awaitNetwork(the, due))
			deviceNow = due > deviceNow ? due : deviceNow;
	}
}

/* ---- Commands ---- */

#define LINE_BYTES 65536

/* The next line of stdin. Byte by byte: what follows may be for another process. */
static char *readLine(void)
{
	static char line[LINE_BYTES];
	size_t length = 0;
	char byte;
	while (read(0, &byte, 1) == 1) {
		if (byte == '\n') {
			line[length] = 0;
			return line;
		}
		if (length == LINE_BYTES - 1)
			failRun("a command is longer than %d bytes", LINE_BYTES);
		line[length++] = byte;
	}
	exit(0);
}

static char *nextWord(char **rest)
{
	char *word = strsep(rest, " ");
	if (word == NULL)
		failRun("a command has too few words");
	return word;
}

static double nextNumber(char **rest)
{
	return atof(nextWord(rest));
}

static void ready(void)
{
	beginLine("@ready");
	printf("{\"ms\":%.0f,\"wallMs\":%.0f,\"steps\":%ld}\n", deviceNow, wallAtStart + deviceNow, steps);
	fflush(stdout);
}

static void cut(char **rest)
{
	static const char *const forms[] = {"never", "before", "torn", "after"};
	cutAt = steps + (long)nextNumber(rest);
	const char *form = nextWord(rest);
	for (int i = 0; i < 4; i++)
		if (strcmp(form, forms[i]) == 0)
			cutForm = (Cut)i;
}

/* The device runs until it is told to end. */
void serveDevice(txMachine *the)
{
	for (;;) {
		ready();
		char *rest = readLine();
		const char *command = nextWord(&rest);
		if (strcmp(command, "pass") == 0)
			pass(the, deviceNow + nextNumber(&rest));
		else if (strcmp(command, "serial") == 0) {
			int port = (int)nextNumber(&rest);
			bytesCome(port, nextWord(&rest));
		} else if (strcmp(command, "pin") == 0) {
			int pin = (int)nextNumber(&rest);
			levelComes(the, pin, (int)nextNumber(&rest));
		} else if (strcmp(command, "link") == 0)
			setLink(the, nextNumber(&rest) != 0);
		else if (strcmp(command, "cut") == 0)
			cut(&rest);
		else if (strcmp(command, "figures") == 0)
			printFigures(the, nextWord(&rest));
		else if (strcmp(command, "measure") == 0)
			beginFigures(the);
		else if (strcmp(command, "off") == 0)
			return;
		else
			failRun("there is no command %s for a device that runs", command);
	}
}

/* Starts the device as often as it is told to. @returns in the process that is to be one */
void awaitStart(void)
{
	for (;;) {
		ready();
		char *rest = readLine();
		const char *command = nextWord(&rest);
		if (strcmp(command, "flash") == 0) {
			const char *label = nextWord(&rest);
			usePartition(label, rest);
		} else if (strcmp(command, "time-server") == 0)
			timeServerPort = (int)nextNumber(&rest);
		else if (strcmp(command, "start") == 0) {
			wallAtStart = nextNumber(&rest);
			pid_t child = fork();
			if (child < 0)
				failRun("no process can be made for a device");
			if (child == 0) {
				isDevice = true;
				return;
			}
			int status;
			waitpid(child, &status, 0);
			beginLine("@off");
			printf("{\"status\":%d,\"signal\":%d}\n", WEXITSTATUS(status), WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		} else
			failRun("there is no command %s before a start", command);
	}
}

/* native(name): the C function that the SDK's linker would have put there. */
static void nativeFunction(txMachine *the)
{
	mxPush(mxGlobal);
	fxGetID(the, fxFindName(the, "sdk"));
	fxGetID(the, fxFindName(the, fxToString(the, mxArgv(0))));
	mxPullSlot(mxResult);
}

/* The global object `sdk`, and the global function `native`. */
void installDevice(txMachine *the)
{
	mxPush(mxObjectPrototype);
	fxNewObjectInstance(the);
	addFunction(the, setTimer, 3, "setTimer");
	addFunction(the, clearTimer, 1, "clearTimer");
	addFunction(the, ticks, 0, "ticks");
	addFunction(the, setTime, 1, "setTime");
	addBoardFunctions(the);
	addNetworkFunctions(the);
	mxPush(mxGlobal);
	fxSetID(the, fxNewNameC(the, "sdk"));
	mxPop();
	mxPush(mxGlobal);
	addFunction(the, nativeFunction, 1, "native");
	mxPop();
}

#endif
