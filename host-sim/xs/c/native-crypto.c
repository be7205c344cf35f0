/* Native hashes and Ed25519 for programs in the engine, from libsodium's C: what a device's native modules would give to the
   core. Signing is for tests, which make their artifacts inside the machine. */

#include "host.h"
#include "crypto_hash_sha256.h"
#include "crypto_hash_sha512.h"
#include "crypto_verify_32.h"
#include "private/ed25519_ref10.h"

extern txInteger _xsmcGetBuffer(txMachine *the, txSlot *slot, void **data, txUnsigned *count, txBoolean writable);

/* Two things that libsodium's files ask of others of it. Nothing secret is handled on a device. */
void sodium_memzero(void *address, size_t length)
{
	memset(address, 0, length);
}

int sodium_is_zero(const unsigned char *bytes, size_t length)
{
	unsigned char any = 0;
	for (size_t i = 0; i < length; i++)
		any |= bytes[i];
	return any == 0;
}

static const unsigned char *bytesOf(txMachine *the, int argument, txUnsigned *length)
{
	void *bytes;
	_xsmcGetBuffer(the, mxArgv(argument), &bytes, length, 0);
	return bytes;
}

/* Bytes of a fixed number; NULL where there are more or fewer. */
static const unsigned char *exactly(txMachine *the, int argument, txUnsigned wanted)
{
	txUnsigned length;
	const unsigned char *bytes = bytesOf(the, argument, &length);
	return length == wanted ? bytes : NULL;
}

static void answer(txMachine *the, int value)
{
	mxResult->kind = XS_BOOLEAN_KIND;
	mxResult->value.boolean = value != 0;
}

/* ---- Hashes: an object whose state lies in the machine's chunks, so that its memory counts. ---- */

typedef struct {
	bool is512;
	union {
		crypto_hash_sha256_state of256;
		crypto_hash_sha512_state of512;
	} state;
} Hash;

/* hashStart(bits): 256 or 512. */
static void hashStart(txMachine *the)
{
	Hash hash;
	memset(&hash, 0, sizeof(hash));
	hash.is512 = fxToInteger(the, mxArgv(0)) == 512;
	if (hash.is512)
		crypto_hash_sha512_init(&hash.state.of512);
	else
		crypto_hash_sha256_init(&hash.state.of256);
	fxNewHostObject(the, NULL);
	mxPullSlot(mxResult);
	fxSetHostChunk(the, mxResult, &hash, sizeof(hash));
}

static void update(Hash *hash, const void *bytes, size_t length)
{
	if (hash->is512)
		crypto_hash_sha512_update(&hash->state.of512, bytes, length);
	else
		crypto_hash_sha256_update(&hash->state.of256, bytes, length);
}

/* hashUpdate(hash, data): bytes, or text as UTF-8. */
static void hashUpdate(txMachine *the)
{
	txSlot *data = mxArgv(1);
	if (!mxIsStringPrimitive(data)) {
		txUnsigned length;
		const void *bytes = bytesOf(the, 1, &length);
		update(fxGetHostChunk(the, mxArgv(0)), bytes, length);
		return;
	}
	Hash *hash = fxGetHostChunk(the, mxArgv(0));
	const char *text = data->value.string;
	/* XS writes U+0000 as two bytes, so that its strings can end with a zero. */
	for (const char *zero = strstr(text, "\xC0\x80"); zero != NULL; zero = strstr(text, "\xC0\x80")) {
		update(hash, text, (size_t)(zero - text));
		update(hash, "", 1);
		text = zero + 2;
	}
	update(hash, text, strlen(text));
}

/* hashDigest(hash): an ArrayBuffer. */
static void hashDigest(txMachine *the)
{
	unsigned char digest[64];
	Hash *hash = fxGetHostChunk(the, mxArgv(0));
	bool is512 = hash->is512;
	if (is512)
		crypto_hash_sha512_final(&hash->state.of512, digest);
	else
		crypto_hash_sha256_final(&hash->state.of256, digest);
	fxArrayBuffer(the, mxResult, digest, is512 ? 64 : 32, is512 ? 64 : 32);
}

/* ---- Ed25519 by the strict profile: S < L, canonical A and R, neither of small order, cofactorless equation. ---- */

static bool isUsable(const unsigned char *key, ge25519_p3 *negated)
{
	return ge25519_is_canonical(key) != 0 && ge25519_has_small_order(key) == 0 && ge25519_frombytes_negate_vartime(negated, key) == 0;
}

/* `digest` is SHA-512 of R, A and the message; it is reduced in place. */
static bool verifyDigest(const unsigned char *key, const unsigned char *signature, unsigned char digest[64])
{
	ge25519_p3 negated;
	ge25519_p2 point;
	unsigned char bytes[32];
	if (sc25519_is_canonical(signature + 32) == 0 || ge25519_has_small_order(signature) != 0 || !isUsable(key, &negated))
		return false;
	sc25519_reduce(digest);
	ge25519_double_scalarmult_vartime(&point, digest, &negated, signature + 32);
	/* What is written is canonical, so an R that is not differs. */
	ge25519_tobytes(bytes, &point);
	return crypto_verify_32(bytes, signature) == 0;
}

static void hashThree(unsigned char digest[64], const unsigned char *first, const unsigned char *second, const unsigned char *third, size_t length)
{
	crypto_hash_sha512_state state;
	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, first, 32);
	if (second != NULL)
		crypto_hash_sha512_update(&state, second, 32);
	crypto_hash_sha512_update(&state, third, length);
	crypto_hash_sha512_final(&state, digest);
}

/* ed25519Verify(publicKey, signature, message) */
static void ed25519Verify(txMachine *the)
{
	txUnsigned length;
	unsigned char digest[64];
	const unsigned char *key = exactly(the, 0, 32);
	const unsigned char *signature = exactly(the, 1, 64);
	const unsigned char *message = bytesOf(the, 2, &length);
	if (key == NULL || signature == NULL) {
		answer(the, false);
		return;
	}
	hashThree(digest, signature, key, message, length);
	answer(the, verifyDigest(key, signature, digest));
}

/* ed25519VerifyDigest(publicKey, signature, digest): the same, with SHA-512 of R, A and the message done before. */
static void ed25519VerifyDigest(txMachine *the)
{
	unsigned char digest[64];
	const unsigned char *key = exactly(the, 0, 32);
	const unsigned char *signature = exactly(the, 1, 64);
	const unsigned char *given = exactly(the, 2, 64);
	if (key == NULL || signature == NULL || given == NULL) {
		answer(the, false);
		return;
	}
	memcpy(digest, given, sizeof(digest));
	answer(the, verifyDigest(key, signature, digest));
}

/* ed25519KeyUsable(publicKey) */
static void ed25519KeyUsable(txMachine *the)
{
	ge25519_p3 negated;
	const unsigned char *key = exactly(the, 0, 32);
	answer(the, key != NULL && isUsable(key, &negated));
}

/* ---- For tests: RFC 8032 §5.1.5 and §5.1.6. ---- */

/* The scalar, then the prefix. */
static void expandSeed(const unsigned char *seed, unsigned char expanded[64])
{
	crypto_hash_sha512_state state;
	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, seed, 32);
	crypto_hash_sha512_final(&state, expanded);
	expanded[0] &= 248;
	expanded[31] &= 127;
	expanded[31] |= 64;
}

static void timesBase(const unsigned char *scalar, unsigned char bytes[32])
{
	ge25519_p3 point;
	ge25519_scalarmult_base(&point, scalar);
	ge25519_p3_tobytes(bytes, &point);
}

static const unsigned char *seedOf(txMachine *the)
{
	const unsigned char *seed = exactly(the, 0, 32);
	if (seed == NULL)
		mxRangeError("a seed has 32 bytes");
	return seed;
}

/* ed25519PublicKey(seed) */
static void ed25519PublicKey(txMachine *the)
{
	unsigned char expanded[64], key[32];
	expandSeed(seedOf(the), expanded);
	timesBase(expanded, key);
	fxArrayBuffer(the, mxResult, key, 32, 32);
}

/* ed25519Sign(seed, message) */
static void ed25519Sign(txMachine *the)
{
	txUnsigned length;
	unsigned char expanded[64], key[32], nonce[64], challenge[64], signature[64];
	const unsigned char *message = bytesOf(the, 1, &length);
	expandSeed(seedOf(the), expanded);
	timesBase(expanded, key);
	hashThree(nonce, expanded + 32, NULL, message, length);
	sc25519_reduce(nonce);
	timesBase(nonce, signature);
	hashThree(challenge, signature, key, message, length);
	sc25519_reduce(challenge);
	sc25519_muladd(signature + 32, challenge, expanded, nonce);
	fxArrayBuffer(the, mxResult, signature, 64, 64);
}

void addNativeCrypto(txMachine *the)
{
	addFunction(the, hashStart, 1, "hashStart");
	addFunction(the, hashUpdate, 2, "hashUpdate");
	addFunction(the, hashDigest, 1, "hashDigest");
	addFunction(the, ed25519Verify, 3, "ed25519Verify");
	addFunction(the, ed25519VerifyDigest, 3, "ed25519VerifyDigest");
	addFunction(the, ed25519KeyUsable, 1, "ed25519KeyUsable");
	addFunction(the, ed25519PublicKey, 1, "ed25519PublicKey");
	addFunction(the, ed25519Sign, 2, "ed25519Sign");
}
