/* Lets a meter's line change under device/native/pulses.c, compiled for a chip with a pulse counter or for one without. Arguments are
   `p PIN`, which begins; `MICROSECONDS LEVEL`, an edge; `t N`, that many clean pulses. It prints each beginning, then the count. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtinCommon.h"
#include "driver/gpio.h"
#include "xsmc.h"

void xs_mpcp_pulses_begin(xsMachine *the);
void xs_mpcp_pulses(xsMachine *the);

static int64_t now;
static int level = 1;
static uint32_t taken[2] = { 1 << 3, 0 };
static int up;

uint8_t builtinArePinsFree(uint32_t bank, uint32_t pins)
{
	return bank < 2 && (taken[bank] & pins) == 0;
}

uint8_t builtinUsePins(uint32_t bank, uint32_t pins)
{
	taken[bank] |= pins;
	return 1;
}

esp_err_t gpio_set_direction(gpio_num_t pin, int mode)
{
	return pin < 49 && mode == GPIO_MODE_INPUT ? ESP_OK : -1;
}

esp_err_t gpio_set_pull_mode(gpio_num_t pin, int mode)
{
	up = pin < 34 && mode == GPIO_PULLUP_ONLY;
	return up ? ESP_OK : -1;
}

#ifdef SOC_PCNT_SUPPORTED
#include "driver/pulse_cnt.h"

static int accumulates, highest, watched, rising, falling, edgePin, count, whole, running;

esp_err_t pcnt_new_unit(const pcnt_unit_config_t *range, pcnt_unit_handle_t *unit)
{
	accumulates = range->flags.accum_count;
	highest = range->high_limit;
	*unit = NULL;
	return range->low_limit < 0 && highest > 0 && highest <= 32767 ? ESP_OK : -1;
}

esp_err_t pcnt_unit_set_glitch_filter(pcnt_unit_handle_t unit, const pcnt_glitch_filter_config_t *filter)
{
	(void)unit;
	return 80 * filter->max_glitch_ns / 1000 <= 1023 ? ESP_OK : -1;
}

esp_err_t pcnt_new_channel(pcnt_unit_handle_t unit, const pcnt_chan_config_t *line, pcnt_channel_handle_t *channel)
{
	(void)unit;
	edgePin = line->edge_gpio_num;
	*channel = NULL;
	return line->level_gpio_num == -1 ? ESP_OK : -1;
}

esp_err_t pcnt_channel_set_edge_action(pcnt_channel_handle_t channel, int atRising, int atFalling)
{
	(void)channel;
	rising = atRising;
	falling = atFalling;
	return ESP_OK;
}

esp_err_t pcnt_channel_set_level_action(pcnt_channel_handle_t channel, int high, int low)
{
	(void)channel;
	/* The level of a line that is not there is low. */
	if (low == PCNT_CHANNEL_LEVEL_ACTION_INVERSE)
		rising = (3 - rising) % 3, falling = (3 - falling) % 3;
	return high == PCNT_CHANNEL_LEVEL_ACTION_KEEP ? ESP_OK : -1;
}

esp_err_t pcnt_unit_add_watch_point(pcnt_unit_handle_t unit, int point)
{
	(void)unit;
	watched = point;
	return ESP_OK;
}

esp_err_t pcnt_unit_enable(pcnt_unit_handle_t unit)
{
	(void)unit;
	return ESP_OK;
}

esp_err_t pcnt_unit_clear_count(pcnt_unit_handle_t unit)
{
	(void)unit;
	count = 0;
	return ESP_OK;
}

esp_err_t pcnt_unit_start(pcnt_unit_handle_t unit)
{
	(void)unit;
	running = 1;
	return ESP_OK;
}

esp_err_t pcnt_unit_get_count(pcnt_unit_handle_t unit, int *result)
{
	(void)unit;
	*result = whole + count;
	return ESP_OK;
}

static void edge(int high)
{
	int action = high ? rising : falling;
	if (!running || high == level)
		return;
	count += action == PCNT_CHANNEL_EDGE_ACTION_INCREASE ? 1 : action == PCNT_CHANNEL_EDGE_ACTION_DECREASE ? -1 : 0;
	if (count == highest) {
		count = 0;
		if (accumulates && watched == highest)
			whole += highest;
	}
	level = high;
}

static int listening(void)
{
	return edgePin;
}

#else

#include "esp_timer.h"

static void (*handler)(void *);
static void *argument;
static int pinOfHandler;

int64_t esp_timer_get_time(void)
{
	return now;
}

esp_err_t gpio_install_isr_service(int flags)
{
	(void)flags;
	/* As where the SDK has installed it already. */
	return 0x103;
}

esp_err_t gpio_set_intr_type(gpio_num_t pin, int type)
{
	(void)pin;
	return type == GPIO_INTR_ANYEDGE ? ESP_OK : -1;
}

esp_err_t gpio_isr_handler_add(gpio_num_t pin, void (*added)(void *), void *given)
{
	pinOfHandler = pin;
	handler = added;
	argument = given;
	return ESP_OK;
}

esp_err_t gpio_intr_enable(gpio_num_t pin)
{
	(void)pin;
	return ESP_OK;
}

int gpio_get_level(gpio_num_t pin)
{
	return pin == pinOfHandler ? level : 1;
}

static void edge(int high)
{
	if (high == level)
		return;
	level = high;
	if (handler != NULL)
		handler(argument);
}

static int listening(void)
{
	return pinOfHandler;
}

#endif

int main(int words, char **word)
{
	xsMachine machine;
	now = 1000000;
	for (int i = 1; i + 1 < words; i += 2) {
		long value = atol(word[i + 1]);
		if (strcmp(word[i], "p") == 0) {
			machine.arguments[0] = (xsSlot){ NULL, (xsUnsignedValue)value };
			machine.arguments[1] = (xsSlot){ NULL, 20000 };
			xs_mpcp_pulses_begin(&machine);
			printf("begun %d up %d on %d\n", machine.result, up, machine.result ? listening() : -1);
		} else if (strcmp(word[i], "t") == 0) {
			for (long n = 0; n < value; n++) {
				now += 30000;
				edge(0);
				now += 30000;
				edge(1);
			}
		} else {
			now = 1000000 + atol(word[i]);
			edge(value != 0);
		}
	}
	xs_mpcp_pulses(&machine);
	printf("count %d\n", machine.result);
	return 0;
}
