// What stands for '@noble/ed25519' inside XS: signing by the host's native code. Its own takes a megabyte, and seconds.

import '../../host-sim/xs/programs/host.ts';

/** Assigned to, as with the library; not used. */
export const hashes = {};

export function getPublicKey(seed: Uint8Array): Uint8Array {
  return new Uint8Array(host.ed25519PublicKey(seed));
}

export function sign(message: Uint8Array, seed: Uint8Array): Uint8Array {
  return new Uint8Array(host.ed25519Sign(seed, message));
}
