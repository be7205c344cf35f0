// What stands for '@noble/ed25519' inside XS: its points, and signing by the host's native code, since its own takes a
// megabyte, and seconds.

import '../../host-sim/xs/programs/host.ts';

export { hashes, Point, verify } from '../../node_modules/@noble/ed25519/index.js';

export function getPublicKey(seed: Uint8Array): Uint8Array {
  return new Uint8Array(host.ed25519PublicKey(seed));
}

export function sign(message: Uint8Array, seed: Uint8Array): Uint8Array {
  return new Uint8Array(host.ed25519Sign(seed, message));
}
