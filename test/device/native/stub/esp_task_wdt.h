/* Stands for ESP-IDF's. */
int esp_task_wdt_reset(void);
