/* What the SDK has no call for: device/firmware/board.ts. */

#include "xsmc.h"
#include "xsHost.h"

#include "app_update/include/esp_ota_ops.h"
#include "esp_random.h"
#include "esp_task_wdt.h"

/* random32(): the radio's noise, or the chip's own where the radio is off (ESP-IDF's bootloader has seeded it). */
void xs_mpcp_random32(xsMachine *the)
{
	/* As a signed number, which takes no more room; JavaScript makes it unsigned. */
	xsmcSetInteger(xsResult, (xsIntegerValue)esp_random());
}

/* firmwareGood(): ends the trial of a new firmware. Where there was none, the answer is yes too. */
void xs_mpcp_firmware_good(xsMachine *the)
{
	xsmcSetBoolean(xsResult, esp_ota_mark_app_valid_cancel_rollback() == ESP_OK);
}

/* feed(): the engine's task is alive. Where it is not watched this does nothing. */
void xs_mpcp_feed(xsMachine *the)
{
	(void)the;
	esp_task_wdt_reset();
}
