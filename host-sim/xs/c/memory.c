/* Memory: the device's machine lives in one arena of fixed size, as on a microcontroller; the root machine, which stands for
   flash, and the host itself take theirs from the C heap. */

#include "host.h"

size_t nativeHeapNow = 0;
size_t nativeHeapPeak = 0;

static MachineArena *tables = NULL;
/* The arena that exists, to know its addresses by. */
static MachineArena *theArena = NULL;

void makeArena(MachineArena *arena, size_t size)
{
	memset(arena, 0, sizeof(MachineArena));
	arena->size = size & ~(size_t)15;
	/* The C library's block is larger, so that slots stand at multiples of 16 as on a device. */
	txByte *block = malloc(arena->size + 16);
	if (block == NULL)
		failRun("no memory for an arena of %lu bytes", (unsigned long)arena->size);
	arena->start = (txByte *)(((uintptr_t)block + 15) & ~(uintptr_t)15);
	arena->low = arena->start;
	arena->high = arena->start + arena->size;
	theArena = arena;
}

void takeTablesFrom(MachineArena *arena)
{
	tables = arena;
}

static bool inArena(const void *address)
{
	return theArena != NULL && (txByte *)address >= theArena->start && (txByte *)address < theArena->start + theArena->size;
}

static size_t room(const MachineArena *arena)
{
	return (size_t)(arena->high - arena->low);
}

static void *takeTable(MachineArena *arena, size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if (room(arena) < size)
		return NULL;
	arena->high -= size;
	arena->tables += size;
	return arena->high;
}

void *hostTableAllocate(size_t size)
{
	return tables == NULL ? hostAllocate(size) : takeTable(tables, size);
}

void hostTableFree(void *address)
{
	/* Room of a table in the arena is not used again: tables live as long as their machine. */
	if (!inArena(address))
		hostFree(address);
}

/* Each block carries its size before it, so that what is held can be counted. */
typedef union {
	size_t size;
	max_align_t alignment;
} BlockHeader;

/* Small blocks that were given back, by their size in steps of 16 bytes. Without them a block would take the time that rv32's C
   library needs to look through all that is left between the blocks of the root machine: a device has no such heap. */
enum { KEPT_STEP = 16, KEPT_STEPS = 65 };
static BlockHeader *kept[KEPT_STEPS] = { NULL };

static size_t stepsOf(size_t size)
{
	return (size + KEPT_STEP - 1) / KEPT_STEP;
}

void *hostAllocate(size_t size)
{
	size_t steps = stepsOf(size);
	BlockHeader *block;
	if (steps > 0 && steps < KEPT_STEPS && kept[steps] != NULL) {
		block = kept[steps];
		memcpy(&kept[steps], block + 1, sizeof(BlockHeader *));
	} else {
		block = malloc(sizeof(BlockHeader) + steps * KEPT_STEP);
		if (block == NULL)
			return NULL;
	}
	block->size = size;
	nativeHeapNow += size;
	if (nativeHeapPeak < nativeHeapNow)
		nativeHeapPeak = nativeHeapNow;
	return block + 1;
}

void *hostAllocateZeroed(size_t size, size_t count)
{
	void *address = hostAllocate(size * count);
	return address == NULL ? NULL : memset(address, 0, size * count);
}

void hostFree(void *address)
{
	if (address == NULL)
		return;
	BlockHeader *block = (BlockHeader *)address - 1;
	nativeHeapNow -= block->size;
	size_t steps = stepsOf(block->size);
	if (steps == 0 || steps >= KEPT_STEPS) {
		free(block);
		return;
	}
	memcpy(block + 1, &kept[steps], sizeof(BlockHeader *));
	kept[steps] = block;
}

void *hostReallocate(void *address, size_t size)
{
	/* XS makes one thing of the arena longer: the table of keys. */
	size_t before = address == NULL || inArena(address) ? 0 : ((BlockHeader *)address - 1)->size;
	void *longer;
	if (inArena(address)) {
		longer = takeTable(theArena, size);
		/* The old table stands above the new one and is shorter; what is copied beyond it is overwritten by XS. */
		if (longer != NULL)
			memmove(longer, address, size);
		return longer;
	}
	longer = hostAllocate(size);
	if (longer == NULL)
		return NULL;
	memcpy(longer, address, before < size ? before : size);
	hostFree(address);
	return longer;
}

void fxCreateMachinePlatform(txMachine *the)
{
	the->arena = the->context;
}

void fxDeleteMachinePlatform(txMachine *the)
{
	(void)the;
}

/* Of the root machine: a module body that makes more and more ends, and does not fill this computer. */
#define ROOT_BYTES (64u << 20)

static void *allocateForRoot(size_t size)
{
	return nativeHeapNow + size > ROOT_BYTES ? NULL : hostAllocate(size);
}

void *fxAllocateChunks(txMachine *the, txSize size)
{
	MachineArena *arena = the->arena;
	if (arena == NULL)
		return allocateForRoot((size_t)size);
	if (room(arena) < (size_t)size)
		return NULL;
	void *chunks = arena->low;
	arena->low += size;
	arena->chunks += (size_t)size;
	return chunks;
}

void fxFreeChunks(txMachine *the, void *chunks)
{
	if (the->arena == NULL)
		hostFree(chunks);
}

/* Where slots no longer fit, free room at the end of the chunks is given back first, as the SDK's platform does. */
static bool takeBackFromChunks(txMachine *the, size_t size)
{
	MachineArena *arena = the->arena;
	txBlock *block = the->firstBlock;
	if (block == NULL)
		return false;
	fxCollect(the, XS_COMPACT_FLAG);
	size_t missing = size - room(arena);
	if (block->limit != arena->low || (size_t)(block->limit - block->current) < missing + sizeof(txBlock))
		return false;
	block->limit -= missing;
	arena->low -= missing;
	arena->chunks -= missing;
	the->maximumChunksSize -= (txSize)missing;
	return true;
}

txSlot *fxAllocateSlots(txMachine *the, txSize count)
{
	MachineArena *arena = the->arena;
	size_t size = (size_t)count * sizeof(txSlot);
	if (arena == NULL)
		return allocateForRoot(size);
	if (room(arena) < size && !takeBackFromChunks(the, size))
		return NULL;
	arena->high -= size;
	arena->slots += size;
	return (txSlot *)arena->high;
}

void fxFreeSlots(txMachine *the, void *slots)
{
	if (the->arena == NULL)
		hostFree(slots);
}
