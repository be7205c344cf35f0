/* Stands for ESP-IDF's. */
#define IRAM_ATTR
