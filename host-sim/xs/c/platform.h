/* What XS asks of its platform, answered as a microcontroller does: strings are code points (mxCESU8 stays unset), all
   memory of a device's machine comes from one arena. XS includes this file in every one of its sources. */

#ifndef MPCP_XS_PLATFORM_H
#define MPCP_XS_PLATFORM_H

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#define mxExport extern
#define mxImport extern
#define XS_FUNCTION_NORETURN __attribute__((noreturn))

/* The arena is NULL in the root machine, whose memory stands for flash. */
#define mxMachinePlatform \
	struct MachineArena *arena; \
	int promiseJobs; \
	void *waiterCondition; \
	void *waiterData; \
	void *waiterLink;

#define mxUseDefaultBuildKeys 1
#define mxUseDefaultParseScript 1
#define mxUseDefaultSharedChunks 1

/* Key, name, symbol and alias tables are allocated with the uint32 pair while a machine is made; what else XS takes from
   the C heap is counted. */
extern void *hostTableAllocate(size_t size);
extern void hostTableFree(void *address);
extern void *hostAllocate(size_t size);
extern void *hostAllocateZeroed(size_t size, size_t count);
extern void *hostReallocate(void *address, size_t size);
extern void hostFree(void *address);
#define c_malloc_uint32 hostTableAllocate
#define c_free_uint32 hostTableFree
#define c_malloc hostAllocate
#define c_calloc hostAllocateZeroed
#define c_realloc hostReallocate
#define c_free hostFree

/* What XS says by itself, and what programs say with its `trace`, becomes lines of their own kind. */
extern int engineSays(const char *format, ...);
extern int engineSaysList(const char *format, va_list arguments);
#define c_printf engineSays
#define c_vprintf engineSaysList

#if defined(__riscv)
#define C_PATH_MAX 256
extern char *realpath(const char *path, char *resolved);
#endif

#endif
