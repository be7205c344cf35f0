/* Asks device/native/ about the signatures of a file (host-sim/xs/signature-file.ts): a line for each, `good` or `bad`, `usable` or
   `unusable`. The digests stand in a second file, 64 bytes each. */

#include <stdio.h>
#include <stdlib.h>

#include "app_update/include/esp_ota_ops.h"
#include "esp_random.h"
#include "esp_task_wdt.h"
#include "xsmc.h"

void xs_mpcp_ed25519_verify(xsMachine *the);
void xs_mpcp_ed25519_key_usable(xsMachine *the);
void xs_mpcp_random32(xsMachine *the);
void xs_mpcp_firmware_good(xsMachine *the);
void xs_mpcp_feed(xsMachine *the);

static int fed;

int esp_task_wdt_reset(void)
{
	return fed++;
}

uint32_t esp_random(void)
{
	return 0xfedcba98;
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
	return ESP_OK;
}

static uint8_t *whole(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
		exit(2);
	long length = ftell(file);
	uint8_t *bytes = malloc(length + 1);
	rewind(file);
	if (fread(bytes, 1, length, file) != (size_t)length)
		exit(2);
	fclose(file);
	return bytes;
}

static uint32_t at(const uint8_t *bytes, uint32_t offset)
{
	return bytes[offset] | bytes[offset + 1] << 8 | bytes[offset + 2] << 16 | (uint32_t)bytes[offset + 3] << 24;
}

int main(int count, char **words)
{
	if (count != 3)
		return 2;
	const uint8_t *file = whole(words[1]), *digests = whole(words[2]);
	uint32_t cases = at(file, 0);
	xsMachine machine;
	for (uint32_t i = 0; i < cases; i++) {
		uint32_t entry = 4 + 24 * i;
		for (int j = 0; j < 2; j++)
			machine.arguments[j] = (xsSlot){ file + at(file, entry + 8 * j), at(file, entry + 8 * j + 4) };
		machine.arguments[2] = (xsSlot){ digests + 64 * i, 64 };
		xs_mpcp_ed25519_verify(&machine);
		int good = machine.result;
		xs_mpcp_ed25519_key_usable(&machine);
		printf("%s %s\n", good ? "good" : "bad", machine.result ? "usable" : "unusable");
	}
	xs_mpcp_random32(&machine);
	printf("random %d\n", machine.result);
	xs_mpcp_firmware_good(&machine);
	printf("firmware %d\n", machine.result);
	xs_mpcp_feed(&machine);
	printf("fed %d\n", fed);
	return 0;
}
