/* Stands for the SDK's xsmc.h where device/native/ is compiled on a desk: arguments are buffers, the result is a number. */

#ifndef STUB_XSMC_H
#define STUB_XSMC_H

#include <stddef.h>
#include <stdint.h>

typedef uint32_t xsUnsignedValue;
typedef int32_t xsIntegerValue;

typedef struct {
	const void *bytes;
	xsUnsignedValue length;
} xsSlot;

typedef struct {
	xsSlot arguments[3];
	int32_t result;
} xsMachine;

#define xsArg(index) (the->arguments[index])
#define xsResult (the->result)
#define xsmcGetBufferReadable(slot, data, count) (*(data) = (void *)(slot).bytes, *(count) = (slot).length)
/* A number among the arguments stands where a buffer's length does. */
#define xsmcToInteger(slot) ((xsIntegerValue)(slot).length)
#define xsmcSetBoolean(slot, value) ((slot) = (value) != 0)
#define xsmcSetInteger(slot, value) ((slot) = (value))

#endif
