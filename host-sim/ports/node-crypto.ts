// The Crypto port on node:crypto. OpenSSL is laxer than the strict profile of INTEROP §3, so the core's checks on the bytes
// come first; with them its verdicts are those of the core's own verifier.

import { createHash, createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { strictPublicKey, strictSignature } from '../../core/ed25519/strict.ts';
import { ed25519KeyUsable } from '../../core/ed25519/verify.ts';
import type { Crypto, Hash, MessageStream } from '../../core/ports/ports.ts';

/** How many imported keys are kept. An import takes about a tenth of a verification. */
const KEPT_KEYS = 256;

const EMPTY = new Uint8Array(0);

interface KeptKey {
  readonly object: KeyObject;
  /** Whether the key is a point on the curve; undefined until somebody asks. */
  usable: boolean | undefined;
}

/** Hashes what came in one piece in one call, which costs half of an incremental hash; the second piece starts one. */
class NodeHash implements Hash {
  readonly #algorithm: 'sha256' | 'sha512';
  #only: Uint8Array | string | undefined;
  #incremental: ReturnType<typeof createHash> | undefined;
  #finished = false;

  constructor(algorithm: 'sha256' | 'sha512') {
    this.#algorithm = algorithm;
  }

  update(data: Uint8Array | string): void {
    if (this.#finished) throw new Error(`${this.#algorithm}: the digest was taken`);
    if (this.#incremental !== undefined) {
      this.#incremental.update(data);
    } else if (this.#only !== undefined) {
      this.#incremental = createHash(this.#algorithm).update(this.#only).update(data);
    } else {
      // A copy: the caller may reuse its array.
      this.#only = typeof data === 'string' ? data : Buffer.from(data);
    }
  }

  digest(): Uint8Array {
    if (this.#finished) throw new Error(`${this.#algorithm}: the digest was taken`);
    this.#finished = true;
    // As text, one character a byte: a Buffer costs more to make than the digest of a short text.
    const text = this.#incremental?.digest('binary') ?? hash(this.#algorithm, this.#only ?? EMPTY, 'binary');
    const digest = new Uint8Array(text.length);
    for (let i = 0; i < digest.length; i++) digest[i] = text.charCodeAt(i);
    return digest;
  }
}

/** A Crypto port on node:crypto, with its own cache of imported keys. */
export function createNodeCrypto(): Crypto {
  /** By the key's bytes as text, one character a byte, the oldest first. */
  const kept = new Map<string, KeptKey>();
  /**
   * Small arrays live inside V8's heap, and handing one to native code first moves it out, which costs more than all the
   * checks here. So signature and digest are handed over in memory that is outside already.
   */
  const outsideSignature = Buffer.allocUnsafeSlow(64);
  const outsideDigest = Buffer.allocUnsafeSlow(32);

  /** The same keys by the array they came in last: a verifier hands over the arrays of its bundles again and again. */
  const byArray = new WeakMap<Uint8Array, { readonly bytes: Uint8Array; readonly key: KeptKey }>();

  function imported(publicKey: Uint8Array): KeptKey {
    const known = byArray.get(publicKey);
    // Arrays can be written to, so the array alone proves nothing.
    if (known !== undefined && sameBytes(known.bytes, publicKey)) return known.key;
    const key = importedByBytes(publicKey);
    byArray.set(publicKey, { bytes: Uint8Array.from(publicKey), key });
    return key;
  }

  function importedByBytes(publicKey: Uint8Array): KeptKey {
    const bytes = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.length);
    const name = bytes.toString('latin1');
    let key = kept.get(name);
    if (key === undefined) {
      const x = bytes.toString('base64url');
      // As a JWK: OpenSSL 3 takes ten times as long to find a decoder for the same key in DER.
      key = { object: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }), usable: undefined };
      if (kept.size >= KEPT_KEYS) {
        for (const oldest of kept.keys()) {
          kept.delete(oldest);
          break;
        }
      }
      kept.set(name, key);
    }
    return key;
  }

  return {
    sha256: () => new NodeHash('sha256'),
    sha512: () => new NodeHash('sha512'),
    ed25519Verify(publicKey, signature, message) {
      if (!strictSignature(signature) || !strictPublicKey(publicKey)) return false;
      const bytes = typeof message === 'function' ? gather(message) : message;
      outsideSignature.set(signature);
      if (bytes.length === 32) outsideDigest.set(bytes);
      // The rest of the profile is what OpenSSL does: it encodes [S]B − [k]A and compares the bytes with R, and refuses a
      // key that is not on the curve (at this point, not at import).
      return verify(null, bytes.length === 32 ? outsideDigest : bytes, imported(publicKey).object, outsideSignature);
    },
    ed25519KeyUsable(publicKey) {
      if (!strictPublicKey(publicKey)) return false;
      const key = imported(publicKey);
      key.usable ??= ed25519KeyUsable(publicKey);
      return key.usable;
    },
  };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The message in one piece, which OpenSSL wants. Parts are copied, as the stream may reuse their memory. */
function gather(message: MessageStream): Uint8Array {
  const parts: Buffer[] = [];
  message((part) => {
    parts.push(Buffer.from(part));
  });
  return Buffer.concat(parts);
}
