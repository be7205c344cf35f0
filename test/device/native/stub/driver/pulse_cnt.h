/* Stands for ESP-IDF's driver of the pulse counter, of which there is one here. */
#include <stdint.h>
typedef struct unit *pcnt_unit_handle_t;
typedef struct channel *pcnt_channel_handle_t;
typedef struct {
	int low_limit, high_limit, intr_priority;
	struct {
		uint32_t accum_count : 1;
	} flags;
} pcnt_unit_config_t;
typedef struct {
	uint32_t max_glitch_ns;
} pcnt_glitch_filter_config_t;
typedef struct {
	int edge_gpio_num, level_gpio_num;
} pcnt_chan_config_t;
enum { PCNT_CHANNEL_EDGE_ACTION_HOLD, PCNT_CHANNEL_EDGE_ACTION_INCREASE, PCNT_CHANNEL_EDGE_ACTION_DECREASE };
enum { PCNT_CHANNEL_LEVEL_ACTION_KEEP, PCNT_CHANNEL_LEVEL_ACTION_INVERSE, PCNT_CHANNEL_LEVEL_ACTION_HOLD };
esp_err_t pcnt_new_unit(const pcnt_unit_config_t *range, pcnt_unit_handle_t *unit);
esp_err_t pcnt_unit_set_glitch_filter(pcnt_unit_handle_t unit, const pcnt_glitch_filter_config_t *filter);
esp_err_t pcnt_new_channel(pcnt_unit_handle_t unit, const pcnt_chan_config_t *line, pcnt_channel_handle_t *channel);
esp_err_t pcnt_channel_set_edge_action(pcnt_channel_handle_t channel, int rising, int falling);
esp_err_t pcnt_channel_set_level_action(pcnt_channel_handle_t channel, int high, int low);
esp_err_t pcnt_unit_add_watch_point(pcnt_unit_handle_t unit, int point);
esp_err_t pcnt_unit_enable(pcnt_unit_handle_t unit);
esp_err_t pcnt_unit_clear_count(pcnt_unit_handle_t unit);
esp_err_t pcnt_unit_start(pcnt_unit_handle_t unit);
esp_err_t pcnt_unit_get_count(pcnt_unit_handle_t unit, int *count);
