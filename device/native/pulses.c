/* Counts a meter's pulses while the engine is at work: device/io/pulse-input.ts. The SDK's embedded:io/pulsecount does not: it is a
   decoder of two lines, and on one line counts each pulse up at one edge and down at the other. */

#include "xsmc.h"
#include "xsHost.h"
#include "builtinCommon.h"

#include "driver/gpio.h"
#include "soc/soc_caps.h"

#ifdef SOC_PCNT_SUPPORTED

#include "driver/pulse_cnt.h"

/* The driver adds up what the counter of 16 bits comes to, each time it is full. */
#define FULL 32767
/* What is shorter is noise, in nanoseconds: as long as the filter has room for at 80 MHz. */
#define NOISE 12000

static pcnt_unit_handle_t unit;

static int begin(int pin, int bounce)
{
	pcnt_unit_config_t range = { .low_limit = -1, .high_limit = FULL, .flags = { .accum_count = 1 } };
	pcnt_glitch_filter_config_t noise = { .max_glitch_ns = NOISE };
	pcnt_chan_config_t line = { .edge_gpio_num = pin, .level_gpio_num = -1 };
	pcnt_channel_handle_t channel;
	(void)bounce;
	return pcnt_new_unit(&range, &unit) == ESP_OK
		&& pcnt_unit_set_glitch_filter(unit, &noise) == ESP_OK
		&& pcnt_new_channel(unit, &line, &channel) == ESP_OK
		&& pcnt_channel_set_edge_action(channel, PCNT_CHANNEL_EDGE_ACTION_HOLD, PCNT_CHANNEL_EDGE_ACTION_INCREASE) == ESP_OK
		&& pcnt_channel_set_level_action(channel, PCNT_CHANNEL_LEVEL_ACTION_KEEP, PCNT_CHANNEL_LEVEL_ACTION_KEEP) == ESP_OK
		&& pcnt_unit_add_watch_point(unit, FULL) == ESP_OK
		&& pcnt_unit_enable(unit) == ESP_OK
		&& pcnt_unit_clear_count(unit) == ESP_OK
		&& pcnt_unit_start(unit) == ESP_OK;
}

static int counted(void)
{
	int count = 0;
	pcnt_unit_get_count(unit, &count);
	return count;
}

#else

#include "esp_attr.h"
#include "esp_timer.h"

/* In microseconds. */
static int64_t rest, edge;
static volatile uint32_t count;

/* A pulse begins where the line falls after a rest. Edges that follow too soon are the contact bouncing, as it closes or opens. */
static void IRAM_ATTR changed(void *pin)
{
	int64_t now = esp_timer_get_time();
	if (now - edge >= rest && gpio_get_level((gpio_num_t)(intptr_t)pin) == 0)
		count++;
	edge = now;
}

static int begin(int pin, int bounce)
{
	rest = bounce;
	/* The SDK's pins may have installed it before. */
	gpio_install_isr_service(0);
	return gpio_set_intr_type(pin, GPIO_INTR_ANYEDGE) == ESP_OK
		&& gpio_isr_handler_add(pin, changed, (void *)(intptr_t)pin) == ESP_OK
		&& gpio_intr_enable(pin) == ESP_OK;
}

static int counted(void)
{
	return (int)count;
}

#endif

/* pulsesBegin(pin, bounce): counts from now on. False where the chip has no such pin, or something else has it. */
void xs_mpcp_pulses_begin(xsMachine *the)
{
	int pin = xsmcToInteger(xsArg(0));
	int bounce = xsmcToInteger(xsArg(1));
	int begun = builtinIsPinFree(pin) && gpio_set_direction(pin, GPIO_MODE_INPUT) == ESP_OK;
	/* Some pins of an ESP32 have none. */
	if (begun)
		gpio_set_pull_mode(pin, GPIO_PULLUP_ONLY);
	begun = begun && begin(pin, bounce);
	if (begun)
		builtinUsePin(pin);
	xsmcSetBoolean(xsResult, begun);
}

/* pulses(): how many there were, in 32 bits that begin anew. */
void xs_mpcp_pulses(xsMachine *the)
{
	xsmcSetInteger(xsResult, counted());
}
