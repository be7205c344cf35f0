/* Stands for ESP-IDF's. */
typedef int esp_err_t;
#define ESP_OK 0
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);
