/* The engine's table of what may be left out, as the SDK's linker writes it for an image that is stripped, which is its default:
   functions have no properties `length` and `name`, neither in flash nor those that a device makes. */

#include "xsAll.h"

#define fxNewFunctionLength C_NULL
#define fxNewFunctionName C_NULL

#include "xsDefaults.c"
