// A Crypto port that verifies a signature once: the same key, signature and bytes have the same verdict the next time. It is
// told apart by all of the bytes, so nothing is verified that another port would not verify.

import type { Crypto, Hash, MessageStream } from '../../core/ports/ports.ts';

/** Verdicts that are kept; a walk has some dozens. */
const MOST = 10_000;

/** See the head of the file. */
export class RememberedVerdicts implements Crypto {
  readonly #crypto: Crypto;
  readonly #verdicts = new Map<string, boolean>();

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  sha256(): Hash {
    return this.#crypto.sha256();
  }

  sha512(): Hash {
    return this.#crypto.sha512();
  }

  ed25519Verify(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array | MessageStream): boolean {
    const bytes = typeof message === 'function' ? gathered(message) : message;
    // By lengths, so that no two of them run together in the same text.
    const name = `${publicKey.length} ${signature.length} ${textOf(publicKey)}${textOf(signature)}${textOf(bytes)}`;
    let verdict = this.#verdicts.get(name);
    if (verdict === undefined) {
      verdict = this.#crypto.ed25519Verify(publicKey, signature, bytes);
      if (this.#verdicts.size >= MOST) this.#verdicts.clear();
      this.#verdicts.set(name, verdict);
    }
    return verdict;
  }

  ed25519KeyUsable(publicKey: Uint8Array): boolean {
    return this.#crypto.ed25519KeyUsable(publicKey);
  }
}

/** One character a byte. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** Parts are copied, as the stream may reuse their memory. */
function gathered(message: MessageStream): Uint8Array {
  const parts: Buffer[] = [];
  message((part) => {
    parts.push(Buffer.from(part));
  });
  return Buffer.concat(parts);
}
