/* Stands for ESP-IDF's. */
#ifndef ESP_OK
#define ESP_OK 0
typedef int esp_err_t;
#endif
esp_err_t esp_task_wdt_reset(void);
