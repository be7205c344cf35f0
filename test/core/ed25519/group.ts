// Points in both notations, for the tests of the group.

import { Point } from '@noble/ed25519';
import type { Addend, AffinePoint } from '../../../core/ed25519/curve.ts';
import { P } from './encodings.ts';

/** In 0 … p − 1. */
export const mod = (a: bigint): bigint => ((a % P) + P) % P;

export const affine = (point: Point): AffinePoint => point.toAffine();

/** [n]Q for any n and Q, torsion and zero included. */
export const times = (point: Point, n: bigint): Point => (n === 0n ? Point.ZERO : point.multiply(n, false));

/** The four values of an addend. */
export function partsOf(addend: Addend): [bigint, bigint, bigint, bigint] {
  const low = 2n ** 256n - 1n;
  return [addend & low, (addend >> 256n) & low, (addend >> 512n) & low, addend >> 768n];
}

/** The point that an addend without z stands for. */
export function pointOfAddend(addend: Addend): AffinePoint {
  const [sum, difference] = partsOf(addend);
  return { x: mod(sum - difference), y: mod(sum + difference) };
}
