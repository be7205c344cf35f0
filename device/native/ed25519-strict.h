/* Ed25519 by the strict profile of docs/INTEROP.md §3, on the curve of libsodium. Knows nothing of the engine. */

#ifndef MPCP_ED25519_STRICT_H
#define MPCP_ED25519_STRICT_H

#include <stdbool.h>
#include <stdint.h>

/* True where `key` (32 bytes) is a canonical encoding of a point that is not of small order. */
bool mpcpEd25519KeyUsable(const uint8_t *key);

/* True for a good signature (64 bytes, R and S) by `key`. `digest` is SHA-512 of R, the key and the message: 64 bytes. */
bool mpcpEd25519Verify(const uint8_t *key, const uint8_t *signature, const uint8_t *digest);

#endif
