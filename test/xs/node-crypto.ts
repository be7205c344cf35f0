// What stands for 'node:crypto' inside XS: hashes, and Ed25519 signing by seeds, by the host's native code. A test that asks
// for more is skipped.

import '../../host-sim/xs/programs/host.ts';
import type { NativeHash } from '../../host-sim/xs/programs/host.ts';
import { Buffer } from './node-globals.ts';
import { Skip } from './vitest.ts';

class NodeHash {
  readonly #hash: NativeHash;

  constructor(name: string) {
    if (name !== 'sha256' && name !== 'sha512') throw new Skip(`${name} of node:crypto`);
    this.#hash = host.hashStart(name === 'sha256' ? 256 : 512);
  }

  update(data: Uint8Array | string): this {
    host.hashUpdate(this.#hash, data);
    return this;
  }

  digest(encoding?: 'hex' | 'base64' | 'base64url' | 'binary'): Uint8Array | string {
    const digest = new Uint8Array(host.hashDigest(this.#hash));
    return encoding === undefined ? Buffer.from(digest) : Buffer.from(digest).toString(encoding);
  }
}

export const createHash = (name: string) => new NodeHash(name);

function missing(name: string) {
  return (): never => {
    throw new Skip(`${name} of node:crypto`);
  };
}

/** An Ed25519 seed, as the end of a PKCS #8 document. */
class Seed {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  export({ format }: { readonly format: string }): { readonly x: string } {
    if (format !== 'jwk') throw new Skip(`${format} of node:crypto`);
    return { x: Buffer.from(new Uint8Array(host.ed25519PublicKey(this.bytes))).toString('base64url') };
  }
}

/** Of a seed alone. */
export function createPrivateKey(of: { readonly key: Uint8Array; readonly format: string }): Seed {
  if (of.format !== 'der') throw new Skip('createPrivateKey of node:crypto');
  return new Seed(of.key.slice(-32));
}

/** Of a private key alone. */
export function createPublicKey(of: unknown): Seed {
  if (!(of instanceof Seed)) throw new Skip('createPublicKey of node:crypto');
  return of;
}

export function sign(_: null, message: Uint8Array, { bytes }: Seed): Uint8Array {
  return new Uint8Array(host.ed25519Sign(bytes, message));
}

export const generateKeyPairSync = missing('generateKeyPairSync');
export const hash = missing('hash');
let drawn = 0;

/** Other bytes each time, and the same in every run. */
export function randomBytes(length: number): Uint8Array {
  return new NodeHash('sha512').update(`bytes ${drawn++}`).digest().slice(0, length) as Uint8Array;
}
export const verify = missing('verify');
