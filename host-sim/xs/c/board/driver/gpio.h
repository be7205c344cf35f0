/* Stands for ESP-IDF's. */
#include <stdint.h>
#ifndef ESP_OK
#define ESP_OK 0
typedef int esp_err_t;
#endif
typedef int gpio_num_t;
#define GPIO_MODE_INPUT 1
#define GPIO_PULLUP_ONLY 0
#define GPIO_INTR_ANYEDGE 3
esp_err_t gpio_set_direction(gpio_num_t pin, int mode);
esp_err_t gpio_set_pull_mode(gpio_num_t pin, int mode);
esp_err_t gpio_install_isr_service(int flags);
esp_err_t gpio_set_intr_type(gpio_num_t pin, int type);
esp_err_t gpio_isr_handler_add(gpio_num_t pin, void (*handler)(void *), void *argument);
esp_err_t gpio_intr_enable(gpio_num_t pin);
int gpio_get_level(gpio_num_t pin);
