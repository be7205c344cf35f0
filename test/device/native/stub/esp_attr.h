/* Stands for ESP-IDF's: a desk has one memory. */
#define IRAM_ATTR
