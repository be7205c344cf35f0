/* Stands for the SDK's: pins that something has. */
#include <stdint.h>
uint8_t builtinArePinsFree(uint32_t bank, uint32_t pins);
uint8_t builtinUsePins(uint32_t bank, uint32_t pins);
#define builtinIsPinFree(pin) builtinArePinsFree(pin >> 5, 1 << (pin & 0x1F))
#define builtinUsePin(pin) builtinUsePins(pin >> 5, 1 << (pin & 0x1F))
