// Numbers that look random and are the same for the same seed, so that every case of a power-cut run can be run again.

/** A stream of numbers (mulberry32). */
export class SeededRandom {
  /** Where the stream stands; setting it goes back to there. */
  state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 32 bits, unsigned. */
  word(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** From 0 up to 1, without 1. */
  next(): number {
    return this.word() / 4_294_967_296;
  }

  /** A whole number from 0 up to `below`, without it. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }
}

/** 32 unsigned bits that depend on both numbers (murmur3's finish). */
export function mix(a: number, b: number): number {
  let mixed = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b) + b;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
