// What a device in XS is put through, one step after the other in the same machine: a file of payments, headers and answers of
// a Policy Authority. Both sides know the places of its parts by this file.

/**
 * What a step hands over: a presentation that pays, the value of an `Authorization` header that does, or an answer with
 * Trust Bundles.
 */
export const STEP_KINDS = ['payment', 'header', 'answer'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** One of them. */
export interface Step {
  readonly kind: StepKind;
  readonly bytes: Uint8Array;
  /** How much later than at the site's `nowMs` it happens, in seconds. */
  readonly laterSeconds?: number;
}

/** The file begins with the number of steps; then an entry for the site, and one for each step, all numbers little-endian. */
export const STEPS_HEAD_BYTES = 4;
/** Kind, offset, length, seconds: 32 bits each. */
export const STEP_ENTRY_BYTES = 16;

/** The label of a step's figures. All are of one length: what the machine has of the last one is part of what it holds. */
export function stepLabel(what: 'work' | 'held', step: number): string {
  return `${what} ${1_000_000 + step}`;
}
