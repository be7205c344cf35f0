/* A device's side of a network: TCP and UDP sockets of this computer, to and from 127.0.0.1 and nowhere else, that tell what lwip's
   tell: how much can be read or written, and the end when all was read. No more is on its way than a board has buffers for. */

#if !defined(__riscv)

#include "device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* TCP_WND and TCP_SND_BUF of ESP-IDF. */
#define WINDOW_BYTES 5744
/* CONFIG_LWIP_MAX_SOCKETS. */
#define SOCKETS 10
#define TIME_PORT 123

typedef enum { FREE, CONNECTING, OPEN, ENDED } State;

static struct {
	State state;
	int file;
	int told;
	int room;
	Handler onReadable;
	Handler onWritable;
	Handler onError;
} sockets[SOCKETS];

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

/* A socket that waits for nothing. */
static int makeSocket(txMachine *the, int type)
{
	int file = socket(AF_INET, type | SOCK_NONBLOCK, 0);
	if (file < 0)
		mxUnknownError("no socket: %s", strerror(errno));
	return file;
}

static void mustBeLoopback(txMachine *the, int argument)
{
	if (strcmp(fxToString(the, mxArgv(argument)), "127.0.0.1") != 0)
		failRun("%s is not this computer", fxToString(the, mxArgv(argument)));
}

static int socketAt(txMachine *the, int argument)
{
	int place = passedNumber(the, argument);
	if (place < 0 || place >= SOCKETS || sockets[place].state == FREE)
		mxUnknownError("closed");
	return place;
}

static int addSocket(txMachine *the, int file, State state)
{
	for (int i = 0; i < SOCKETS; i++) {
		if (sockets[i].state != FREE)
			continue;
		sockets[i].state = state;
		sockets[i].file = file;
		sockets[i].told = 0;
		sockets[i].room = 0;
		return i;
	}
	close(file);
	mxUnknownError("no more than %d sockets", SOCKETS);
	return 0;
}

/* heedTcp(socket, onReadable, onWritable, onError) */
static void heedTcp(txMachine *the)
{
	int place = socketAt(the, 0);
	keepHandler(the, &sockets[place].onReadable, 1);
	keepHandler(the, &sockets[place].onWritable, 2);
	keepHandler(the, &sockets[place].onError, 3);
}

/* connectTcp(address, port): its number. */
static void connectTcp(txMachine *the)
{
	mustBeLoopback(the, 0);
	struct sockaddr_in address = loopback(passedNumber(the, 1));
	int file = makeSocket(the, SOCK_STREAM);
	bool isRefused = connect(file, (struct sockaddr *)&address, sizeof(address)) != 0 && errno != EINPROGRESS;
	fxInteger(the, mxResult, addSocket(the, file, isRefused ? ENDED : CONNECTING));
}

/* readTcp(socket, target): fills it. */
static void readTcp(txMachine *the)
{
	txUnsigned length;
	int place = socketAt(the, 0);
	void *target = passedBytes(the, 1, &length, true);
	if (length == 0 || (int)length > sockets[place].told)
		mxUnknownError("invalid");
	if (recv(sockets[place].file, target, length, 0) != (ssize_t)length)
		failRun("what a socket has told of cannot be read: %s", strerror(errno));
	sockets[place].told -= (int)length;
}

/* writeTcp(socket, bytes): for how many there is room then. */
static void writeTcp(txMachine *the)
{
	txUnsigned length;
	int place = socketAt(the, 0);
	const void *bytes = passedBytes(the, 1, &length, false);
	if ((int)length > sockets[place].room)
		mxUnknownError("would block");
	/* Who has gone meanwhile is noticed at the next look. */
	(void)!send(sockets[place].file, bytes, length, MSG_NOSIGNAL);
	sockets[place].room -= (int)length;
	fxInteger(the, mxResult, sockets[place].room);
}

static void closeTcp(txMachine *the)
{
	int place = socketAt(the, 0);
	close(sockets[place].file);
	sockets[place].state = FREE;
	dropHandler(the, &sockets[place].onReadable);
	dropHandler(the, &sockets[place].onWritable);
	dropHandler(the, &sockets[place].onError);
}

static bool tellEnd(txMachine *the, int place)
{
	sockets[place].state = ENDED;
	sockets[place].told = 0;
	callHandler(the, &sockets[place].onError, 0);
	dropHandler(the, &sockets[place].onError);
	return true;
}

static bool tellConnecting(txMachine *the, int place)
{
	int problem = 0;
	socklen_t size = sizeof(problem);
	struct sockaddr_in other;
	socklen_t otherSize = sizeof(other);
	getsockopt(sockets[place].file, SOL_SOCKET, SO_ERROR, &problem, &size);
	if (problem != 0)
		return tellEnd(the, place);
	if (getpeername(sockets[place].file, (struct sockaddr *)&other, &otherSize) != 0)
		return false;
	sockets[place].state = OPEN;
	return false;
}

static bool tellOpen(txMachine *the, int place)
{
	int waiting = 0;
	char byte;
	ioctl(sockets[place].file, FIONREAD, &waiting);
	if (waiting > WINDOW_BYTES)
		waiting = WINDOW_BYTES;
	if (sockets[place].room < WINDOW_BYTES) {
		sockets[place].room = WINDOW_BYTES;
		callHandler(the, &sockets[place].onWritable, WINDOW_BYTES);
		return true;
	}
	if (waiting > sockets[place].told && sockets[place].onReadable.isSet) {
		sockets[place].told = waiting;
		callHandler(the, &sockets[place].onReadable, waiting);
		return true;
	}
	if (waiting > 0)
		return false;
	ssize_t count = recv(sockets[place].file, &byte, 1, MSG_PEEK);
	if (count == 0 || (count < 0 && errno != EAGAIN))
		return tellEnd(the, place);
	return false;
}

/* ---- Listening, of one port ---- */

static int listening = -1;
static int accepted = -1;
static Handler onAccepted;

/* The port; 0 for none any more. */
static void printListening(int port)
{
	beginLine("@listening");
	printf("{\"port\":%d}\n", port);
}

/* listenTcp(onReadable): on a port that is free, which is said. */
static void listenTcp(txMachine *the)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);
	if (listening >= 0)
		mxUnknownError("port in use");
	listening = makeSocket(the, SOCK_STREAM);
	if (bind(listening, (struct sockaddr *)&address, size) != 0 || listen(listening, 4) != 0 ||
		getsockname(listening, (struct sockaddr *)&address, &size) != 0)
		failRun("no port on loopback: %s", strerror(errno));
	keepHandler(the, &onAccepted, 0);
	printListening(ntohs(address.sin_port));
}

/* acceptTcp(): the number of a socket, or undefined. */
static void acceptTcp(txMachine *the)
{
	int file = accepted;
	accepted = -1;
	if (file >= 0)
		fxInteger(the, mxResult, addSocket(the, file, OPEN));
}

static void unlistenTcp(txMachine *the)
{
	close(listening);
	listening = -1;
	dropHandler(the, &onAccepted);
	printListening(0);
}

static bool tellAccepted(txMachine *the)
{
	if (listening < 0 || accepted >= 0)
		return false;
	accepted = accept(listening, NULL, NULL);
	if (accepted < 0)
		return false;
	fcntl(accepted, F_SETFL, O_NONBLOCK);
	callHandler(the, &onAccepted, 1);
	return true;
}

/* ---- UDP, to a time server ---- */

int timeServerPort = 0;
static int packets = -1;
static Handler onPacket;

/* openUdp(onReadable) */
static void openUdp(txMachine *the)
{
	if (packets >= 0)
		mxUnknownError("no more than one UDP socket");
	packets = makeSocket(the, SOCK_DGRAM);
	keepHandler(the, &onPacket, 0);
}

/* readUdp(): the bytes of a packet. */
static void readUdp(txMachine *the)
{
	char packet[512];
	ssize_t length = recv(packets, packet, sizeof(packet), 0);
	if (length >= 0)
		fxArrayBuffer(the, mxResult, packet, (txInteger)length, (txInteger)length);
}

/* writeUdp(bytes, address, port) */
static void writeUdp(txMachine *the)
{
	txUnsigned length;
	const void *bytes = passedBytes(the, 0, &length, false);
	mustBeLoopback(the, 1);
	if (passedNumber(the, 2) != TIME_PORT)
		failRun("a packet to port %d", passedNumber(the, 2));
	struct sockaddr_in address = loopback(timeServerPort);
	(void)!sendto(packets, bytes, length, 0, (struct sockaddr *)&address, sizeof(address));
}

static void closeUdp(txMachine *the)
{
	close(packets);
	packets = -1;
	dropHandler(the, &onPacket);
}

static bool tellPacket(txMachine *the)
{
	char byte;
	if (packets < 0 || recv(packets, &byte, 1, MSG_PEEK) < 0)
		return false;
	callHandler(the, &onPacket, 1);
	return true;
}

/* ---- The link ---- */

static bool isLinkUp = false;
static Handler onLink;

/* watchLink(onChanged) */
static void watchLink(txMachine *the)
{
	keepHandler(the, &onLink, 0);
}

static void linkUp(txMachine *the)
{
	mxResult->kind = XS_BOOLEAN_KIND;
	mxResult->value.boolean = isLinkUp;
}

void setLink(txMachine *the, bool isUp)
{
	isLinkUp = isUp;
	callHandler(the, &onLink, 0);
}

bool tellSockets(txMachine *the)
{
	for (int i = 0; i < SOCKETS; i++) {
		if (sockets[i].state == CONNECTING && tellConnecting(the, i))
			return true;
		if (sockets[i].state == OPEN && tellOpen(the, i))
			return true;
		if (sockets[i].state == ENDED && sockets[i].onError.isSet)
			return tellEnd(the, i);
	}
	return tellAccepted(the) || tellPacket(the);
}

bool waitsForNetwork(void)
{
	for (int i = 0; i < SOCKETS; i++)
		if (sockets[i].state == CONNECTING || sockets[i].state == OPEN)
			return true;
	return packets >= 0;
}

void addNetworkFunctions(txMachine *the)
{
	addFunction(the, connectTcp, 2, "connectTcp");
	addFunction(the, heedTcp, 4, "heedTcp");
	addFunction(the, readTcp, 2, "readTcp");
	addFunction(the, writeTcp, 2, "writeTcp");
	addFunction(the, closeTcp, 1, "closeTcp");
	addFunction(the, listenTcp, 1, "listenTcp");
	addFunction(the, acceptTcp, 0, "acceptTcp");
	addFunction(the, unlistenTcp, 0, "unlistenTcp");
	addFunction(the, openUdp, 1, "openUdp");
	addFunction(the, readUdp, 0, "readUdp");
	addFunction(the, writeUdp, 3, "writeUdp");
	addFunction(the, closeUdp, 0, "closeUdp");
	addFunction(the, watchLink, 1, "watchLink");
	addFunction(the, linkUp, 0, "linkUp");
}

#endif
