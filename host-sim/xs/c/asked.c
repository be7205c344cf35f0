/* A program that is asked: the root machine is made once, and each start of a device is a process of its own, forked from it, with
   the memory that the start says. It gets commands over a pipe and answers them over another; on the way it may ask back, and waits.
   Whoever asks holds all that outlasts the process. Where the pipes are closed, the device has no power. */

#if !defined(__riscv)

#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

extern txInteger _xsmcGetBuffer(txMachine *the, txSlot *slot, void **data, txUnsigned *count, txBoolean writable);

/* Frames: a length of 32 bits, little-endian, of what follows it: a kind, and values one behind the other. */
enum { COMMAND = 'c', REPLY = 'r', ANSWER = 'a', QUESTION = 'q', NOTE = 'n', STOPPED = 's' };
/* Values: a tag, then a number of 64 bits, or a length of 32 bits and the bytes. */
enum { NOTHING, NO, YES, NUMBER, TEXT, BYTES };
enum { HEAD = 5, FRAME_BYTES = 16 << 20 };

typedef struct {
	char *bytes;
	size_t room;
	size_t length;
	size_t at;
} Frame;

/* Not the machine's memory: what a device takes of it, it takes value by value. */
static Frame command, reply, sent, told;
static int fromAsker = -1, toAsker = -1;

static void makeRoom(Frame *frame, size_t size)
{
	if (size <= frame->room)
		return;
	if (size > FRAME_BYTES)
		failRun("a frame has more than %d bytes", FRAME_BYTES);
	frame->room = 2 * size;
	frame->bytes = realloc(frame->bytes, frame->room);
	if (frame->bytes == NULL)
		failRun("no memory for a frame");
}

/* ---- Out ---- */

static void add(Frame *frame, const void *bytes, size_t size)
{
	if (frame->length < HEAD)
		frame->length = HEAD;
	makeRoom(frame, frame->length + size);
	memcpy(frame->bytes + frame->length, bytes, size);
	frame->length += size;
}

static void addTag(Frame *frame, char tag)
{
	add(frame, &tag, 1);
}

static void addSized(Frame *frame, char tag, const void *bytes, size_t size)
{
	uint32_t length = (uint32_t)size;
	addTag(frame, tag);
	add(frame, &length, sizeof(length));
	add(frame, bytes, size);
}

static void addText(Frame *frame, const char *text)
{
	size_t start = frame->length < HEAD ? HEAD : frame->length;
	addSized(frame, TEXT, text, strlen(text));
	/* XS writes U+0000 as two bytes, so that its strings can end with a zero. */
	char *first = frame->bytes + start + 1 + sizeof(uint32_t), *to = first;
	for (const char *at = first, *end = frame->bytes + frame->length; at < end; at++) {
		bool isZero = at + 1 < end && at[0] == '\xC0' && at[1] == '\x80';
		*to++ = isZero ? 0 : *at;
		at += isZero;
	}
	uint32_t length = (uint32_t)(to - first);
	memcpy(frame->bytes + start + 1, &length, sizeof(length));
	frame->length = (size_t)(to - frame->bytes);
}

static void addNumber(Frame *frame, double number)
{
	addTag(frame, NUMBER);
	add(frame, &number, sizeof(number));
}

static void seal(Frame *frame, char kind)
{
	add(frame, "", 0);
	uint32_t length = (uint32_t)(frame->length - sizeof(length));
	memcpy(frame->bytes, &length, sizeof(length));
	frame->bytes[sizeof(length)] = kind;
}

static void send(Frame *frame, char kind)
{
	seal(frame, kind);
	for (size_t done = 0; done < frame->length;) {
		ssize_t count = write(toAsker, frame->bytes + done, frame->length - done);
		if (count < 0 && errno != EINTR)
			_exit(0);
		if (count > 0)
			done += (size_t)count;
	}
	frame->length = 0;
}

bool tellStopped(const char *reason)
{
	if (toAsker < 0)
		return false;
	told.length = 0;
	addText(&told, reason);
	send(&told, STOPPED);
	return true;
}

/* The arguments of a call become values of a frame. */
static void addArguments(txMachine *the, Frame *frame)
{
	void *bytes;
	txUnsigned length;
	for (txInteger i = 0; i < mxArgc; i++) {
		txSlot *value = mxArgv(i);
		switch (value->kind) {
		case XS_UNDEFINED_KIND:
		case XS_NULL_KIND: addTag(frame, NOTHING); break;
		case XS_BOOLEAN_KIND: addTag(frame, value->value.boolean ? YES : NO); break;
		case XS_INTEGER_KIND: addNumber(frame, value->value.integer); break;
		case XS_NUMBER_KIND: addNumber(frame, value->value.number); break;
		case XS_STRING_KIND:
		case XS_STRING_X_KIND: addText(frame, value->value.string); break;
		default:
			_xsmcGetBuffer(the, value, &bytes, &length, 0);
			addSized(frame, BYTES, bytes, length);
		}
	}
}

/* put(value, …): more values for the answer, or the question, that is sent next. */
static void put(txMachine *the)
{
	addArguments(the, &sent);
}

/* tell(value, …): more values for what is told; without one, that is told. Nobody answers. */
static void tell(txMachine *the)
{
	addArguments(the, &told);
	if (mxArgc == 0)
		send(&told, NOTE);
}

/* ---- In ---- */

static void readAll(void *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t count = read(fromAsker, (char *)to + done, size - done);
		/* Nobody asks any more: the device has no power. */
		if (count == 0 || (count < 0 && errno != EINTR))
			_exit(0);
		if (count > 0)
			done += (size_t)count;
	}
}

static void receiveFrame(Frame *frame, char kind)
{
	uint32_t length;
	readAll(&length, sizeof(length));
	if (length == 0 || length > FRAME_BYTES)
		failRun("a frame cannot have %lu bytes", (unsigned long)length);
	makeRoom(frame, length);
	readAll(frame->bytes, length);
	if (frame->bytes[0] != kind)
		failRun("a frame of another kind is expected");
	frame->length = length;
	frame->at = 1;
}

static const char *take(Frame *frame, size_t size)
{
	const char *bytes = frame->bytes + frame->at;
	if (size > frame->length - frame->at)
		failRun("a frame is cut off");
	frame->at += size;
	return bytes;
}

static const char *takeSized(Frame *frame, uint32_t *length)
{
	memcpy(length, take(frame, sizeof(*length)), sizeof(*length));
	return take(frame, *length);
}

/* The next value becomes the result; undefined where there is none. */
static void giveValue(txMachine *the, Frame *frame)
{
	double number;
	uint32_t length;
	const char *bytes;
	if (frame->at == frame->length)
		return;
	char tag = *take(frame, 1);
	switch (tag) {
	case NOTHING: break;
	case NO:
	case YES:
		mxResult->kind = XS_BOOLEAN_KIND;
		mxResult->value.boolean = tag == YES;
		break;
	case NUMBER:
		memcpy(&number, take(frame, sizeof(number)), sizeof(number));
		fxNumber(the, mxResult, number);
		break;
	case TEXT:
		bytes = takeSized(frame, &length);
		fxStringBuffer(the, mxResult, (txString)bytes, (txSize)length);
		break;
	case BYTES:
		bytes = takeSized(frame, &length);
		fxArrayBuffer(the, mxResult, (void *)bytes, (txInteger)length, (txInteger)length);
		break;
	default: failRun("a value has a tag %d", tag);
	}
}

/* ---- Copies of partitions: what reads as it was written, as long as nothing is wrong with it, need not be asked for ---- */

enum { COPIES = 8 };
static struct {
	char *cells;
	/* 0: there is none. */
	size_t size;
} copies[COPIES];

static double takeNumber(Frame *frame)
{
	double number;
	take(frame, 1);
	memcpy(&number, take(frame, sizeof(number)), sizeof(number));
	return number;
}

/* Behind the first value of a reply: partition, offset, size of all, and cells that a copy has there from now on. */
static void takeCells(Frame *frame)
{
	if (frame->at == frame->length)
		return;
	size_t partition = (size_t)takeNumber(frame), offset = (size_t)takeNumber(frame), size = (size_t)takeNumber(frame);
	uint32_t length;
	take(frame, 1);
	const char *cells = takeSized(frame, &length);
	if (partition >= COPIES || offset + length > size)
		failRun("there are no such cells");
	if (copies[partition].cells == NULL)
		copies[partition].cells = malloc(size);
	if (copies[partition].cells == NULL)
		failRun("no memory for a copy of a partition");
	memcpy(copies[partition].cells + offset, cells, length);
	copies[partition].size = size;
}

/* ---- What the program calls ---- */

/* What is told of a device that hangs: made before, since a signal may come while memory is taken. */
static Frame hangs;

static void makeHangs(void)
{
	char reason[64];
	snprintf(reason, sizeof(reason), "no end of it within %ld s", setting("seconds"));
	addText(&hangs, reason);
	seal(&hangs, STOPPED);
}

static void hang(int number)
{
	(void)number;
	_exit(write(toAsker, hangs.bytes, hangs.length) < 0 ? 0 : 3);
}

/* Seconds of this computer's processor: a device that takes more for one command hangs. */
static void allow(long seconds)
{
	const struct itimerval span = {{0, 0}, {seconds, 0}};
	setitimer(ITIMER_PROF, &span, NULL);
}

/* receive(): waits for a command; its first value. Before it stands which copies are none any more, a bit for each. */
static void receive(txMachine *the)
{
	allow(0);
	receiveFrame(&command, COMMAND);
	allow(setting("seconds"));
	unsigned gone = (unsigned)takeNumber(&command);
	for (int i = 0; i < COPIES; i++)
		if (gone & 1u << i)
			copies[i].size = 0;
	giveValue(the, &command);
}

/* next(): the next value of the command; bytes as an ArrayBuffer. */
static void next(txMachine *the)
{
	giveValue(the, &command);
}

/* answer(): what was put is the answer to the command. */
static void answer(txMachine *the)
{
	(void)the;
	send(&sent, ANSWER);
}

/* ask(): what was put is a question; the first value of its reply. */
static void ask(txMachine *the)
{
	send(&sent, QUESTION);
	receiveFrame(&reply, REPLY);
	giveValue(the, &reply);
	takeCells(&reply);
}

/* askBytes(target): the same, where the reply may be as many bytes as the target has: they go there. Else it is the result. */
static void askBytes(txMachine *the)
{
	void *target;
	txUnsigned room;
	uint32_t length;
	send(&sent, QUESTION);
	receiveFrame(&reply, REPLY);
	if (reply.bytes[reply.at] != BYTES) {
		giveValue(the, &reply);
		return;
	}
	take(&reply, 1);
	const char *bytes = takeSized(&reply, &length);
	_xsmcGetBuffer(the, mxArgv(0), &target, &room, 1);
	if (length != room)
		failRun("%lu bytes came where %lu are read", (unsigned long)length, (unsigned long)room);
	memcpy(target, bytes, length);
	takeCells(&reply);
}

/* readCopy(partition, offset, target): fills an array from a copy. False where there is none, or not so much. */
static void readCopy(txMachine *the)
{
	txInteger partition = fxToInteger(the, mxArgv(0)), offset = fxToInteger(the, mxArgv(1));
	void *target;
	txUnsigned length;
	_xsmcGetBuffer(the, mxArgv(2), &target, &length, 1);
	bool isThere = partition >= 0 && partition < COPIES && offset >= 0 && (size_t)offset + length <= copies[partition].size;
	if (isThere)
		memcpy(target, copies[partition].cells + offset, length);
	mxResult->kind = XS_BOOLEAN_KIND;
	mxResult->value.boolean = isThere;
}

void addAskedFunctions(txMachine *the)
{
	addFunction(the, receive, 0, "receive");
	addFunction(the, next, 0, "next");
	addFunction(the, put, 1, "put");
	addFunction(the, answer, 0, "answer");
	addFunction(the, tell, 1, "tell");
	addFunction(the, ask, 0, "ask");
	addFunction(the, askBytes, 1, "askBytes");
	addFunction(the, readCopy, 3, "readCopy");
}

/* ---- Starts ---- */

/* An end of a pipe with a name. Both ends are held until the other side has opened its own, which it does without waiting then. */
typedef struct {
	int end;
	int held;
} PipeEnd;

static PipeEnd makePipe(int number, const char *name, int direction)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%d.%s", argumentAt(0), number, name);
	if (mkfifo(path, 0600) != 0)
		failRun("a pipe cannot be made: %s", strerror(errno));
	PipeEnd pipe = {.held = open(path, O_RDWR)};
	pipe.end = open(path, direction);
	if (pipe.held < 0 || pipe.end < 0)
		failRun("a pipe cannot be opened: %s", strerror(errno));
	return pipe;
}

static void release(const PipeEnd *one, const PipeEnd *other)
{
	close(one->held);
	close(other->held);
}

/* Starts a device as often as it is told to. @returns in the process that is to be one */
void awaitAsker(void)
{
	int starts = 0;
	PipeEnd in = makePipe(starts, "to", O_RDONLY), out = makePipe(starts, "from", O_WRONLY);
	printJsonLine("@ready", "");
	fflush(stdout);
	signal(SIGCHLD, SIG_IGN);
	fromAsker = in.end;
	toAsker = out.end;
	receiveFrame(&command, COMMAND);
	release(&in, &out);
	for (;;) {
		receiveFrame(&command, COMMAND);
		while (command.at < command.length) {
			char word[64];
			uint32_t length;
			take(&command, 1);
			const char *text = takeSized(&command, &length);
			snprintf(word, sizeof(word), "%.*s", (int)length, text);
			if (!takeSetting(word))
				failRun("there is no setting %s", word);
		}
		PipeEnd to = makePipe(++starts, "to", O_RDONLY), from = makePipe(starts, "from", O_WRONLY);
		addNumber(&sent, starts);
		send(&sent, ANSWER);
		/* It has opened its ends. */
		receiveFrame(&command, COMMAND);
		release(&to, &from);
		pid_t child = fork();
		if (child < 0)
			failRun("no process can be made for a device: %s", strerror(errno));
		if (child == 0) {
			close(in.end);
			close(out.end);
			fromAsker = to.end;
			toAsker = from.end;
			makeHangs();
			signal(SIGPROF, hang);
			/* What is printed would wait for somebody who waits for an answer. */
			if (freopen("/dev/null", "w", stdout) == NULL)
				failRun("nothing can be left unsaid: %s", strerror(errno));
			return;
		}
		close(to.end);
		close(from.end);
	}
}

#endif
