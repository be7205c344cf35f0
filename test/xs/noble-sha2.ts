// What stands for '@noble/hashes/sha2.js' inside XS: the host's native hashes. The library's own write to arrays of their
// modules, which flash does not allow.

import '../../host-sim/xs/programs/host.ts';

function hashed(bits: 256 | 512) {
  return (message: Uint8Array): Uint8Array => {
    const hash = host.hashStart(bits);
    host.hashUpdate(hash, message);
    return new Uint8Array(host.hashDigest(hash));
  };
}

export const sha256 = hashed(256);
export const sha512 = hashed(512);
