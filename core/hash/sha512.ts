// SHA-512 (FIPS 180-4 §6.4), incremental, with BigInt words: on the device's engine that is the fastest form, in V8 it is
// slow, and there it is only a reference.

import { BlockHash } from './block-hash.ts';

/** The constants of FIPS 180-4 §4.2.3. */
// biome-ignore format: four words a line, as in the standard
const ROUND_CONSTANTS = Object.freeze([
  0x428a2f98d728ae22n, 0x7137449123ef65cdn, 0xb5c0fbcfec4d3b2fn, 0xe9b5dba58189dbbcn,
  0x3956c25bf348b538n, 0x59f111f1b605d019n, 0x923f82a4af194f9bn, 0xab1c5ed5da6d8118n,
  0xd807aa98a3030242n, 0x12835b0145706fben, 0x243185be4ee4b28cn, 0x550c7dc3d5ffb4e2n,
  0x72be5d74f27b896fn, 0x80deb1fe3b1696b1n, 0x9bdc06a725c71235n, 0xc19bf174cf692694n,
  0xe49b69c19ef14ad2n, 0xefbe4786384f25e3n, 0x0fc19dc68b8cd5b5n, 0x240ca1cc77ac9c65n,
  0x2de92c6f592b0275n, 0x4a7484aa6ea6e483n, 0x5cb0a9dcbd41fbd4n, 0x76f988da831153b5n,
  0x983e5152ee66dfabn, 0xa831c66d2db43210n, 0xb00327c898fb213fn, 0xbf597fc7beef0ee4n,
  0xc6e00bf33da88fc2n, 0xd5a79147930aa725n, 0x06ca6351e003826fn, 0x142929670a0e6e70n,
  0x27b70a8546d22ffcn, 0x2e1b21385c26c926n, 0x4d2c6dfc5ac42aedn, 0x53380d139d95b3dfn,
  0x650a73548baf63den, 0x766a0abb3c77b2a8n, 0x81c2c92e47edaee6n, 0x92722c851482353bn,
  0xa2bfe8a14cf10364n, 0xa81a664bbc423001n, 0xc24b8b70d0f89791n, 0xc76c51a30654be30n,
  0xd192e819d6ef5218n, 0xd69906245565a910n, 0xf40e35855771202an, 0x106aa07032bbd1b8n,
  0x19a4c116b8d2d0c8n, 0x1e376c085141ab53n, 0x2748774cdf8eeb99n, 0x34b0bcb5e19b48a8n,
  0x391c0cb3c5c95a63n, 0x4ed8aa4ae3418acbn, 0x5b9cca4f7763e373n, 0x682e6ff3d6b2b8a3n,
  0x748f82ee5defb2fcn, 0x78a5636f43172f60n, 0x84c87814a1f0ab72n, 0x8cc702081a6439ecn,
  0x90befffa23631e28n, 0xa4506cebde82bde9n, 0xbef9a3f7b2c67915n, 0xc67178f2e372532bn,
  0xca273eceea26619cn, 0xd186b8c721c0c207n, 0xeada7dd6cde0eb1en, 0xf57d4f7fee6ed178n,
  0x06f067aa72176fban, 0x0a637dc5a2c898a6n, 0x113f9804bef90daen, 0x1b710b35131c471bn,
  0x28db77f523047d84n, 0x32caab7b40c72493n, 0x3c9ebe0a15c9bebcn, 0x431d67c49c100d4cn,
  0x4cc5d4becb3e42b6n, 0x597f299cfc657e2an, 0x5fcb6fab3ad6faecn, 0x6c44198c4a475817n,
]);

/** H(0) of FIPS 180-4 §5.3.5. */
// biome-ignore format: four words a line
const INITIAL = Object.freeze([
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
]);

/** 2^64 − 1: `& LOW_64` is "modulo 2^64". */
const LOW_64 = 0xffffffffffffffffn;
/** 2^64 + 1: x times it is x twice, side by side, and the low 64 bits of that, shifted right by n, are ROTR^n(x). */
const TWICE = 0x10000000000000001n;
/** Amounts of the shifts and rotations. Named, as the device's engine builds a BigInt literal at every use. */
const N1 = 1n;
const N6 = 6n;
const N7 = 7n;
const N8 = 8n;
const N14 = 14n;
const N18 = 18n;
const N19 = 19n;
const N28 = 28n;
const N34 = 34n;
const N39 = 39n;
const N41 = 41n;
const N61 = 61n;

/**
 * An incremental SHA-512: `const hash = new Sha512(); hash.update(bytes); hash.digest();`. Whatever is called after `digest`
 * throws an Error.
 */
export class Sha512 extends BlockHash {
  /** The hash value H(i). */
  readonly #state = INITIAL.slice();
  /** The last sixteen words of the message schedule. */
  readonly #schedule: bigint[] = [];

  constructor() {
    super('SHA-512', 128);
  }

  protected override state(): Uint8Array {
    const digest = new Uint8Array(64);
    const out = new DataView(digest.buffer);
    for (let i = 0; i < 8; i++) out.setBigUint64(i * 8, this.#state[i]);
    return digest;
  }

  /** FIPS 180-4 §6.4.2 for the block at `offset`. */
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
    // Maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)), and b ^ c is the a ^ b of the round before.
    let bc = b ^ c;
    for (let t = 0; t < 80; t++) {
      let word: bigint;
      if (t < 16) word = view.getBigUint64(offset + t * 8);
      else {
        // W(t) = σ1(W(t−2)) + W(t−7) + σ0(W(t−15)) + W(t−16), kept modulo 16.
        const x = w[(t + 1) & 15];
        const y = w[(t + 14) & 15];
        const xx = x * TWICE;
        const yy = y * TWICE;
        const sigma0 = (((xx >> N1) ^ (xx >> N8)) & LOW_64) ^ (x >> N7);
        const sigma1 = (((yy >> N19) ^ (yy >> N61)) & LOW_64) ^ (y >> N6);
        word = (sigma1 + w[(t + 9) & 15] + sigma0 + w[t & 15]) & LOW_64;
      }
      w[t & 15] = word;
      const ee = e * TWICE;
      const sum1 = ((ee >> N14) ^ (ee >> N18) ^ (ee >> N41)) & LOW_64;
      const choice = g ^ (e & (f ^ g));
      const t1 = h + sum1 + choice + ROUND_CONSTANTS[t] + word;
      const aa = a * TWICE;
      const sum0 = ((aa >> N28) ^ (aa >> N34) ^ (aa >> N39)) & LOW_64;
      const ab = a ^ b;
      const majority = b ^ (ab & bc);
      h = g;
      g = f;
      f = e;
      e = (d + t1) & LOW_64;
      d = c;
      c = b;
      b = a;
      a = (t1 + sum0 + majority) & LOW_64;
      bc = ab;
    }
    state[0] = (state[0] + a) & LOW_64;
    state[1] = (state[1] + b) & LOW_64;
    state[2] = (state[2] + c) & LOW_64;
    state[3] = (state[3] + d) & LOW_64;
    state[4] = (state[4] + e) & LOW_64;
    state[5] = (state[5] + f) & LOW_64;
    state[6] = (state[6] + g) & LOW_64;
    state[7] = (state[7] + h) & LOW_64;
  }
}
