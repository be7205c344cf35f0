/* A board: data partitions kept in files, serial ports, pins, and what the project's C code asks of ESP-IDF. Flash is as the chip
   has it: writing clears bits, erasing sets a block; what was written is not written again, which flash encryption would spoil. */

#if !defined(__riscv)

#include "device.h"
#include "app_update/include/esp_ota_ops.h"
#include "builtinCommon.h"
#include "driver/gpio.h"
#include "esp_random.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Flash ---- */

#define BLOCK_BYTES 4096
#define PROGRAM_BYTES 16
#define PARTITIONS 8

static struct {
	char *label;
	uint8_t *cells;
	size_t size;
} partitions[PARTITIONS];

void usePartition(const char *label, const char *path)
{
	struct stat about;
	int place = 0;
	while (place < PARTITIONS && partitions[place].label != NULL && strcmp(partitions[place].label, label) != 0)
		place++;
	int file = open(path, O_RDWR);
	if (place == PARTITIONS || file < 0 || fstat(file, &about) != 0)
		failRun("partition %s cannot be kept in %s: %s", label, path, strerror(errno));
	partitions[place].label = strdup(label);
	partitions[place].size = (size_t)about.st_size;
	partitions[place].cells = mmap(NULL, partitions[place].size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (partitions[place].cells == MAP_FAILED)
		failRun("partition %s cannot be kept in %s: %s", label, path, strerror(errno));
	close(file);
}

/* openFlash(label): its number. */
static void openFlash(txMachine *the)
{
	const char *label = fxToString(the, mxArgv(0));
	for (int i = 0; i < PARTITIONS && partitions[i].label != NULL; i++) {
		if (strcmp(partitions[i].label, label) == 0) {
			fxInteger(the, mxResult, i);
			return;
		}
	}
	mxUnknownError("can't find partition");
}

/* What reaches past the end goes to the chip, on a board. Here it ends the run. */
static uint8_t *cellsAt(int partition, int offset, size_t length)
{
	if (offset < 0 || (size_t)offset + length > partitions[partition].size)
		failRun("%lu bytes at %d are outside of partition %s", (unsigned long)length, offset, partitions[partition].label);
	return partitions[partition].cells + offset;
}

static void flashSize(txMachine *the)
{
	fxInteger(the, mxResult, (txInteger)partitions[passedNumber(the, 0)].size);
}

/* readFlash(partition, target, offset): how many bytes. */
static void readFlash(txMachine *the)
{
	txUnsigned length;
	uint8_t *target = passedBytes(the, 1, &length, true);
	memcpy(target, cellsAt(passedNumber(the, 0), passedNumber(the, 2), length), length);
	fxInteger(the, mxResult, (txInteger)length);
}

static bool isErased(const uint8_t *cells, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (cells[i] != 0xFF)
			return false;
	return true;
}

/* writeFlash(partition, bytes, offset) */
static void writeFlash(txMachine *the)
{
	txUnsigned length;
	const uint8_t *bytes = passedBytes(the, 1, &length, false);
	int partition = passedNumber(the, 0), offset = passedNumber(the, 2);
	uint8_t *cells = cellsAt(partition, offset, length);
	if (offset % PROGRAM_BYTES != 0 || length % PROGRAM_BYTES != 0)
		failRun("%lu bytes at %d of %s are no whole units", (unsigned long)length, offset, partitions[partition].label);
	if (!isErased(cells, length))
		failRun("%lu bytes at %d of %s are written twice", (unsigned long)length, offset, partitions[partition].label);
	Cut cut = nextStep();
	/* Half of it, and some bits of the byte behind. */
	size_t landed = cut == CUT_BEFORE ? 0 : cut == CUT_TORN ? length / 2 : length;
	memcpy(cells, bytes, landed);
	if (cut == CUT_TORN)
		cells[landed] = bytes[landed] | 0x55;
	if (cut != CUT_NEVER)
		losePower();
}

/* eraseFlash(partition, start, end): blocks. */
static void eraseFlash(txMachine *the)
{
	int start = passedNumber(the, 1), count = passedNumber(the, 2) - start;
	size_t length = (size_t)count * BLOCK_BYTES;
	uint8_t *cells = cellsAt(passedNumber(the, 0), start * BLOCK_BYTES, length);
	Cut cut = nextStep();
	memset(cells, 0xFF, cut == CUT_BEFORE ? 0 : cut == CUT_TORN ? length / 2 : length);
	if (cut != CUT_NEVER)
		losePower();
}

/* ---- Serial ports ---- */

#define PORTS 2
/* Bytes that a port holds on their way out, and at most of those that have come. */
#define FIFO_BYTES 128
#define COMING_BYTES 32768
/* A byte takes ten bits. */
#define BITS 10

static struct {
	bool isOpen;
	double byteMs;
	Handler onReadable;
	Handler onWritable;
	int room;
	double roomDue;
	uint8_t coming[COMING_BYTES];
	/* Of those: read, told of, and still on the line behind them. */
	size_t readTo;
	size_t toldTo;
	size_t comingTo;
	double pieceDue;
} ports[PORTS];

static int portAt(int port)
{
	if (port < 0 || port >= PORTS)
		failRun("there is no serial port %d", port);
	return port;
}

/* openSerial(port, baud, onReadable, onWritable) */
static void openSerial(txMachine *the)
{
	int port = portAt(passedNumber(the, 0));
	ports[port].isOpen = true;
	ports[port].byteMs = 1000.0 * BITS / passedNumber(the, 1);
	keepHandler(the, &ports[port].onReadable, 2);
	keepHandler(the, &ports[port].onWritable, 3);
	ports[port].roomDue = deviceNow;
}

/* readSerial(port): all that has come, or undefined. */
static void readSerial(txMachine *the)
{
	int port = portAt(passedNumber(the, 0));
	size_t count = ports[port].toldTo - ports[port].readTo;
	if (count == 0)
		return;
	fxArrayBuffer(the, mxResult, ports[port].coming + ports[port].readTo, (txInteger)count, (txInteger)count);
	ports[port].readTo = ports[port].toldTo;
}

/* writeSerial(port, bytes): as the line sees them, at once. */
static void writeSerial(txMachine *the)
{
	txUnsigned length;
	int port = portAt(passedNumber(the, 0));
	const uint8_t *bytes = passedBytes(the, 1, &length, false);
	if (length > (txUnsigned)ports[port].room)
		mxUnknownError("output full");
	Cut cut = nextStep();
	if (cut == CUT_BEFORE)
		losePower();
	beginLine("@serial");
	printf("{\"port\":%d,\"hex\":\"", port);
	for (txUnsigned i = 0; i < (cut == CUT_TORN ? length / 2 : length); i++)
		printf("%02x", bytes[i]);
	printf("\"}\n");
	if (cut != CUT_NEVER)
		losePower();
	ports[port].room -= (int)length;
	ports[port].roomDue = deviceNow + (FIFO_BYTES - ports[port].room) * ports[port].byteMs;
}

static void closeSerial(txMachine *the)
{
	int port = portAt(passedNumber(the, 0));
	ports[port].isOpen = false;
	dropHandler(the, &ports[port].onReadable);
	dropHandler(the, &ports[port].onWritable);
}

void bytesCome(int port, const char *hex)
{
	portAt(port);
	/* What was read makes room. */
	memmove(ports[port].coming, ports[port].coming + ports[port].readTo, ports[port].comingTo - ports[port].readTo);
	ports[port].comingTo -= ports[port].readTo;
	ports[port].toldTo -= ports[port].readTo;
	ports[port].readTo = 0;
	if (ports[port].toldTo == ports[port].comingTo)
		ports[port].pieceDue = deviceNow;
	unsigned byte;
	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2) {
		if (ports[port].comingTo == COMING_BYTES)
			failRun("more than %d bytes wait at serial port %d", COMING_BYTES, port);
		ports[port].coming[ports[port].comingTo++] = (uint8_t)byte;
	}
}

/* How many bytes come next, all at once: what the chip's own buffer holds. */
static size_t nextPiece(int port)
{
	size_t count = ports[port].comingTo - ports[port].toldTo;
	return count > FIFO_BYTES - 8 ? FIFO_BYTES - 8 : count;
}

double serialDue(void)
{
	double due = INFINITY;
	for (int i = 0; i < PORTS; i++) {
		if (!ports[i].isOpen)
			continue;
		if (ports[i].room < FIFO_BYTES && ports[i].roomDue < due)
			due = ports[i].roomDue;
		double piece = ports[i].pieceDue + (double)nextPiece(i) * ports[i].byteMs;
		if (nextPiece(i) > 0 && piece < due)
			due = piece;
	}
	return due;
}

bool tellSerial(txMachine *the)
{
	for (int i = 0; i < PORTS; i++) {
		if (!ports[i].isOpen)
			continue;
		if (ports[i].room < FIFO_BYTES && ports[i].roomDue <= deviceNow) {
			ports[i].room = FIFO_BYTES;
			callHandler(the, &ports[i].onWritable, FIFO_BYTES);
			return true;
		}
		size_t piece = nextPiece(i);
		if (piece > 0 && ports[i].pieceDue + (double)piece * ports[i].byteMs <= deviceNow) {
			ports[i].pieceDue += (double)piece * ports[i].byteMs;
			ports[i].toldTo += piece;
			callHandler(the, &ports[i].onReadable, (int)(ports[i].toldTo - ports[i].readTo));
			return true;
		}
	}
	return false;
}

/* ---- Pins ---- */

#define PINS 49

static struct {
	bool isOpen;
	int level;
	int edge;
	Handler onReadable;
	void (*interrupted)(void *);
	void *passed;
} pins[PINS];

static int pinAt(txMachine *the, int pin)
{
	if (pin < 0 || pin >= PINS)
		mxUnknownError("invalid pin");
	return pin;
}

static void printPin(int pin)
{
	beginLine("@pin");
	printf("{\"pin\":%d,\"level\":%d,\"ms\":%.0f}\n", pin, pins[pin].level, deviceNow);
}

/* openPin(pin, isOutput, level, edge, onReadable). Inputs here are pulled up. */
static void openPin(txMachine *the)
{
	int pin = pinAt(the, passedNumber(the, 0));
	bool isOutput = fxToBoolean(the, mxArgv(1));
	if (pins[pin].isOpen)
		mxUnknownError("pin in use");
	pins[pin].isOpen = true;
	pins[pin].level = isOutput ? passedNumber(the, 2) : 1;
	pins[pin].edge = passedNumber(the, 3);
	keepHandler(the, &pins[pin].onReadable, 4);
	if (isOutput)
		printPin(pin);
}

static void readPin(txMachine *the)
{
	fxInteger(the, mxResult, pins[pinAt(the, passedNumber(the, 0))].level);
}

/* writePin(pin, level) */
static void writePin(txMachine *the)
{
	int pin = pinAt(the, passedNumber(the, 0));
	Cut cut = nextStep();
	if (cut == CUT_BEFORE)
		losePower();
	pins[pin].level = passedNumber(the, 1);
	printPin(pin);
	if (cut != CUT_NEVER)
		losePower();
}

static void closePin(txMachine *the)
{
	int pin = pinAt(the, passedNumber(the, 0));
	pins[pin].isOpen = false;
	dropHandler(the, &pins[pin].onReadable);
}

void levelComes(txMachine *the, int pin, int level)
{
	if (pin < 0 || pin >= PINS || !pins[pin].isOpen)
		failRun("nobody has opened pin %d", pin);
	/* 1: rising; 2: falling. */
	int edge = level > pins[pin].level ? 1 : level < pins[pin].level ? 2 : 0;
	pins[pin].level = level;
	if (edge != 0 && pins[pin].interrupted != NULL)
		pins[pin].interrupted(pins[pin].passed);
	if (edge & pins[pin].edge)
		callHandler(the, &pins[pin].onReadable, 0);
}

/* ---- What device/native asks of ESP-IDF and the SDK ---- */

uint8_t builtinArePinsFree(uint32_t bank, uint32_t some)
{
	for (int i = 0; i < 32; i++)
		if ((some >> i & 1) != 0 && (32 * bank + i >= PINS || pins[32 * bank + i].isOpen))
			return 0;
	return 1;
}

uint8_t builtinUsePins(uint32_t bank, uint32_t some)
{
	for (int i = 0; i < 32; i++)
		if ((some >> i & 1) != 0)
			pins[32 * bank + i].isOpen = true;
	return 1;
}

esp_err_t gpio_set_direction(gpio_num_t pin, int mode)
{
	return ESP_OK;
}

esp_err_t gpio_set_pull_mode(gpio_num_t pin, int mode)
{
	pins[pin].level = 1;
	return ESP_OK;
}

esp_err_t gpio_install_isr_service(int flags)
{
	return ESP_OK;
}

esp_err_t gpio_set_intr_type(gpio_num_t pin, int type)
{
	return ESP_OK;
}

esp_err_t gpio_isr_handler_add(gpio_num_t pin, void (*handler)(void *), void *argument)
{
	pins[pin].interrupted = handler;
	pins[pin].passed = argument;
	return ESP_OK;
}

esp_err_t gpio_intr_enable(gpio_num_t pin)
{
	return ESP_OK;
}

int gpio_get_level(gpio_num_t pin)
{
	return pins[pin].level;
}

int64_t esp_timer_get_time(void)
{
	return (int64_t)(1000 * deviceNow);
}

/* The same numbers in every run: splitmix. */
uint32_t esp_random(void)
{
	static uint64_t state = 20260109;
	state += 0x9E3779B97F4A7C15u;
	uint64_t mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9u;
	return (uint32_t)((mixed ^ (mixed >> 27)) >> 32);
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
	return ESP_OK;
}

esp_err_t esp_task_wdt_reset(void)
{
	return ESP_OK;
}

extern void xs_mpcp_ed25519_verify(txMachine *the);
extern void xs_mpcp_ed25519_key_usable(txMachine *the);
extern void xs_mpcp_random32(txMachine *the);
extern void xs_mpcp_firmware_good(txMachine *the);
extern void xs_mpcp_feed(txMachine *the);
extern void xs_mpcp_pulses_begin(txMachine *the);
extern void xs_mpcp_pulses(txMachine *the);

void addBoardFunctions(txMachine *the)
{
	addFunction(the, openFlash, 1, "openFlash");
	addFunction(the, flashSize, 1, "flashSize");
	addFunction(the, readFlash, 3, "readFlash");
	addFunction(the, writeFlash, 3, "writeFlash");
	addFunction(the, eraseFlash, 3, "eraseFlash");
	addFunction(the, openSerial, 4, "openSerial");
	addFunction(the, readSerial, 1, "readSerial");
	addFunction(the, writeSerial, 2, "writeSerial");
	addFunction(the, closeSerial, 1, "closeSerial");
	addFunction(the, openPin, 5, "openPin");
	addFunction(the, readPin, 1, "readPin");
	addFunction(the, writePin, 2, "writePin");
	addFunction(the, closePin, 1, "closePin");
	addFunction(the, xs_mpcp_ed25519_verify, 3, "xs_mpcp_ed25519_verify");
	addFunction(the, xs_mpcp_ed25519_key_usable, 1, "xs_mpcp_ed25519_key_usable");
	addFunction(the, xs_mpcp_random32, 0, "xs_mpcp_random32");
	addFunction(the, xs_mpcp_firmware_good, 0, "xs_mpcp_firmware_good");
	addFunction(the, xs_mpcp_feed, 0, "xs_mpcp_feed");
	addFunction(the, xs_mpcp_pulses_begin, 2, "xs_mpcp_pulses_begin");
	addFunction(the, xs_mpcp_pulses, 0, "xs_mpcp_pulses");
}

#endif
