/* Ed25519 by the strict profile: S < L, canonical A and R, neither of small order, equation without cofactor. libsodium's own
   crypto_sign_verify_detached is not used: what comes after its 1.0.22 multiplies by the cofactor, and so says yes where the core says
   no. Of libsodium are only four functions of its curve, which have been the same since 1.0.18; the profile's checks are made here. */

#include "ed25519-strict.h"

#include <string.h>

/* libsodium's headers warn whoever was not configured as the library was. What they configure is not used here. */
#ifndef CONFIGURED
#define CONFIGURED 1
#endif
#include "private/ed25519_ref10.h"

/* The order of the base point, and p = 2^255 - 19; little-endian. */
static const uint8_t order[32] = {
	0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10
};
static const uint8_t prime[32] = {
	0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f
};
/* The y of the points of small order, those that are canonical: 0, 1, p - 1, and two of order 8. */
static const uint8_t smallOrder[5][32] = {
	{ 0 },
	{ 1 },
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
	  0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	  0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a }
};

static bool isLess(const uint8_t *number, const uint8_t *bound)
{
	for (int i = 31; i >= 0; i--)
		if (number[i] != bound[i])
			return number[i] < bound[i];
	return false;
}

/* A y below p that is none of small order. The highest bit is the sign of x. */
static bool isProperPoint(const uint8_t *point)
{
	uint8_t y[32];
	memcpy(y, point, sizeof(y));
	y[31] &= 0x7f;
	if (!isLess(y, prime))
		return false;
	for (unsigned i = 0; i < sizeof(smallOrder) / sizeof(smallOrder[0]); i++)
		if (memcmp(y, smallOrder[i], sizeof(y)) == 0)
			return false;
	return true;
}

bool mpcpEd25519KeyUsable(const uint8_t *key)
{
	ge25519_p3 negated;
	return isProperPoint(key) && ge25519_frombytes_negate_vartime(&negated, key) == 0;
}

bool mpcpEd25519Verify(const uint8_t *key, const uint8_t *signature, const uint8_t *digest)
{
	ge25519_p3 negated;
	ge25519_p2 point;
	uint8_t scalar[64], bytes[32];
	const uint8_t *r = signature, *s = signature + 32;
	if (!isLess(s, order) || !isProperPoint(r) || !isProperPoint(key))
		return false;
	if (ge25519_frombytes_negate_vartime(&negated, key) != 0)
		return false;
	memcpy(scalar, digest, sizeof(scalar));
	sc25519_reduce(scalar);
	ge25519_double_scalarmult_vartime(&point, scalar, &negated, s);
	ge25519_tobytes(bytes, &point);
	return memcmp(bytes, r, sizeof(bytes)) == 0;
}
