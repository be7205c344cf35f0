// SHA-256 (FIPS 180-4 §6.2), incremental. On a device the platform's own hash is used where there is one; this is for
// machines without it, and the reference for the others.

import { BlockHash } from './block-hash.ts';

/**
 * The constants of FIPS 180-4 §4.2.2 as signed 32-bit integers: larger numbers would be floating point on the device. Not
 * frozen, as V8 reads frozen arrays at a third of the speed.
 */
// biome-ignore format: eight words a line, as in the standard
const ROUND_CONSTANTS = signed([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

function signed(words: number[]): readonly number[] {
  for (let i = 0; i < words.length; i++) words[i] |= 0;
  return words;
}

/**
 * An incremental SHA-256: `const hash = new Sha256(); hash.update(bytes); hash.digest();`. Whatever is called after `digest`
 * throws an Error.
 */
export class Sha256 extends BlockHash {
  /** The hash value H(0) of FIPS 180-4 §5.3.3, and later H(i). */
  readonly #state = [
    0x6a09e667,
    0xbb67ae85 | 0,
    0x3c6ef372,
    0xa54ff53a | 0,
    0x510e527f,
    0x9b05688c | 0,
    0x1f83d9ab,
    0x5be0cd19,
  ];
  /** The last sixteen words of the message schedule. */
  readonly #schedule = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

  constructor() {
    super('SHA-256', 64);
  }

  protected override state(): Uint8Array {
    const digest = new Uint8Array(32);
    const out = new DataView(digest.buffer);
    for (let i = 0; i < 8; i++) out.setInt32(i * 4, this.#state[i]);
    return digest;
  }

  /** FIPS 180-4 §6.2.2 for the block at `offset`. */
  protected override compress(view: DataView, offset: number): void {
    const state = this.#state;
    const w = this.#schedule;
    let a = state[0];
    let b = state[1];
    let c = state[2];
    let d = state[3];
    let e = state[4];
    let f = state[5];
    let g = state[6];
    let h = state[7];
    for (let t = 0; t < 64; t++) {
      let word: number;
      if (t < 16) word = view.getInt32(offset + t * 4);
      else {
        // W(t) = σ1(W(t−2)) + W(t−7) + σ0(W(t−15)) + W(t−16), kept modulo 16.
        const x = w[(t + 1) & 15] | 0;
        const y = w[(t + 14) & 15] | 0;
        const sigma0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const sigma1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        word = (sigma1 + (w[(t + 9) & 15] | 0) + sigma0 + (w[t & 15] | 0)) | 0;
      }
      w[t & 15] = word;
      const sum1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const choice = g ^ (e & (f ^ g));
      const t1 = (h + sum1 + choice + (ROUND_CONSTANTS[t] | 0) + word) | 0;
      const sum0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const majority = (a & (b | c)) | (b & c);
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + sum0 + majority) | 0;
    }
    state[0] = (state[0] + a) | 0;
    state[1] = (state[1] + b) | 0;
    state[2] = (state[2] + c) | 0;
    state[3] = (state[3] + d) | 0;
    state[4] = (state[4] + e) | 0;
    state[5] = (state[5] + f) | 0;
    state[6] = (state[6] + g) | 0;
    state[7] = (state[7] + h) | 0;
  }
}
