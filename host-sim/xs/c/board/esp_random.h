/* Stands for ESP-IDF's. */
#include <stdint.h>
uint32_t esp_random(void);
