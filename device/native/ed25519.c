/* Ed25519 for JavaScript: device/ports/native-ed25519.ts. Whatever is passed is looked at and never kept. */

#include "xsmc.h"
#include "xsHost.h"

#include "ed25519-strict.h"

/* Bytes of an argument where there are exactly so many; NULL otherwise. */
static const uint8_t *exactly(xsMachine *the, int argument, xsUnsignedValue wanted)
{
	void *bytes;
	xsUnsignedValue length;
	xsmcGetBufferReadable(xsArg(argument), &bytes, &length);
	return length == wanted ? bytes : NULL;
}

/* verify(publicKey, signature, digest) */
void xs_mpcp_ed25519_verify(xsMachine *the)
{
	const uint8_t *key = exactly(the, 0, 32);
	const uint8_t *signature = exactly(the, 1, 64);
	const uint8_t *digest = exactly(the, 2, 64);
	int good = key != NULL && signature != NULL && digest != NULL && mpcpEd25519Verify(key, signature, digest);
	xsmcSetBoolean(xsResult, good);
}

/* keyUsable(publicKey) */
void xs_mpcp_ed25519_key_usable(xsMachine *the)
{
	const uint8_t *key = exactly(the, 0, 32);
	int usable = key != NULL && mpcpEd25519KeyUsable(key);
	xsmcSetBoolean(xsResult, usable);
}
