// The libraries that the benchmark compares with. They write to arrays of their modules, which cannot be done in flash, so the
// benchmark makes this file a function that runs them when it is called (tools/bench/xs-peer.ts).

import { hashes, verify } from '@noble/ed25519';
import { sha256, sha512 } from '@noble/hashes/sha2.js';

/** Runs the libraries' modules, where this file was made such a function. */
export function loadLibraries() {
  return { hashes, verify, sha256, sha512 };
}
