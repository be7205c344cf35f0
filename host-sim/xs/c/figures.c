/* Figures: instructions or the engine's meter, and the peaks of heap and stacks, between two calls. Each is a line of JSON on
   stdout that the runner reads. */

#include "host.h"

static unsigned collections = 0;
static uint64_t begun = 0;
/* What the root machine and the host hold. */
static size_t nativeHeapBefore = 0;
/* Where the C stack stands when the device's program begins. */
static uintptr_t cStackTop = 0;

uint64_t counterNow(void)
{
#if defined(__riscv)
	uint32_t high, low, again;
	do {
		__asm__ volatile("csrr %0, minstreth" : "=r"(high));
		__asm__ volatile("csrr %0, minstret" : "=r"(low));
		__asm__ volatile("csrr %0, minstreth" : "=r"(again));
	} while (high != again);
	return ((uint64_t)high << 32) | low;
#else
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

uint32_t modMilliseconds(void)
{
	return (uint32_t)(counterNow() / 1000000u);
}

/* ---- Collections: an object that nothing but the host knows is marked once in each. ---- */

static uintptr_t here(void)
{
	return (uintptr_t)__builtin_frame_address(0);
}

static void noteCollection(txMachine *the, void *data, txMarkRoot markRoot)
{
	(void)the;
	(void)data;
	(void)markRoot;
	collections++;
}

static void ignoreDestruction(void *data)
{
	(void)data;
}

static txHostHooks collectionHooks = {ignoreDestruction, noteCollection};
static txSlot watcher;

void watchDevice(txMachine *the)
{
	fxBeginHost(the);
	fxNewHostObject(the, NULL);
	fxSetHostData(the, the->stack, &collections);
	fxSetHostHooks(the, the->stack, &collectionHooks);
	watcher = *the->stack;
	fxRemember(the, &watcher);
	mxPop();
	fxEndHost(the);
	nativeHeapBefore = nativeHeapNow;
	cStackTop = here();
}

/* ---- Stacks: what is free is painted, and looked at afterwards. ---- */

#define PAINT_ID ((txID)0x5AA5)
#define PAINT_NEXT ((txSlot *)(intptr_t)0x5AA55AA0)
#define C_STACK_BYTES 61440u
#define C_PAINT 0xC0DEC0DEu

static uint32_t *cStackLow = NULL;
static uint32_t *cStackHigh = NULL;

static void paintStacks(txMachine *the)
{
	for (txSlot *slot = the->stackBottom; slot < the->stack; slot++) {
		slot->ID = PAINT_ID;
		slot->kind = XS_UNDEFINED_KIND;
		slot->next = PAINT_NEXT;
	}
	cStackHigh = (uint32_t *)(here() & ~(uintptr_t)15) - 64;
	cStackLow = cStackHigh - C_STACK_BYTES / sizeof(uint32_t);
	for (volatile uint32_t *word = cStackLow; word < cStackHigh; word++)
		*word = C_PAINT;
}

static bool isPainted(const txSlot *slot)
{
	return slot->ID == PAINT_ID && slot->next == PAINT_NEXT;
}

/* Frames come from the top. From the bottom, regular expressions and conversions of numbers take what is free for scratch:
   both count, and not what is between them. */
static unsigned stackPeak(txMachine *the)
{
	txSlot *bottom = the->stackBottom;
	txSlot *run = bottom;
	size_t most = 0;
	for (txSlot *slot = bottom; slot < the->stackTop; slot++) {
		if (!isPainted(slot))
			run = slot + 1;
		else if ((size_t)(slot + 1 - run) > most)
			most = (size_t)(slot + 1 - run);
	}
	return (unsigned)(((size_t)(the->stackTop - bottom) - most) * sizeof(txSlot));
}

static unsigned cStackPeak(void)
{
	volatile uint32_t *word = cStackLow;
	while (word < cStackHigh && *word == C_PAINT)
		word++;
	return (unsigned)(cStackTop - (uintptr_t)word);
}

/* ---- A line each. ---- */

void beginFigures(txMachine *the)
{
	fxCollect(the, XS_COMPACT_FLAG);
	the->peakHeapCount = the->currentHeapCount;
	the->peakChunksSize = the->currentChunksSize;
	nativeHeapPeak = nativeHeapNow;
	paintStacks(the);
	collections = 0;
#ifdef mxMetering
	the->meterIndex = 0;
#endif
	begun = counterNow();
}

static unsigned long slotBytes(txSize count)
{
	return (unsigned long)count * sizeof(txSlot);
}

void printFigures(txMachine *the, const char *label)
{
	uint64_t counted = counterNow() - begun;
	unsigned cStack = cStackPeak();
	MachineArena *arena = the->arena;
	beginLine("@figures");
	printf("{\"label\":");
	printJsonString(label);
#if defined(__riscv)
	printf(",\"instructions\":%llu", (unsigned long long)counted);
#else
	printf(",\"nanoseconds\":%llu", (unsigned long long)counted);
#endif
#ifdef mxMetering
	printf(",\"meter\":%lu", (unsigned long)the->meterIndex);
#endif
	printf(",\"slots\":%lu,\"slotsPeak\":%lu", slotBytes(the->currentHeapCount), slotBytes(the->peakHeapCount));
	printf(",\"chunks\":%lu,\"chunksPeak\":%lu", (unsigned long)the->currentChunksSize, (unsigned long)the->peakChunksSize);
	printf(",\"stackPeak\":%u,\"cStackPeak\":%u", stackPeak(the), cStack);
	printf(",\"nativeHeap\":%lu,\"nativeHeapPeak\":%lu", (unsigned long)(nativeHeapNow - nativeHeapBefore),
		(unsigned long)(nativeHeapPeak - nativeHeapBefore));
	printf(",\"collections\":%u,\"names\":%ld", collections, (long)(the->keyIndex - the->keyOffset));
	/* Module bodies run in the root machine, which has none. */
	MachineArena none = {0};
	if (arena == NULL)
		arena = &none;
	printf(",\"reserved\":{\"chunks\":%lu,\"slots\":%lu,\"tables\":%lu,\"free\":%lu}", (unsigned long)arena->chunks,
		(unsigned long)arena->slots, (unsigned long)arena->tables, (unsigned long)(arena->high - arena->low));
	printf("}\n");
}
