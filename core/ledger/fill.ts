// When a store that fills up says so: the ledger and the journal warn at the same parts of what they hold.

/** Parts of the room, from each of which on a warning is due. */
const WARN_AT = [0.8, 0.9, 0.95];

/** How many of the warnings are due. */
export function warningsDue(used: number, of: number): number {
  let due = 0;
  for (const part of WARN_AT) if (used >= part * of) due++;
  return due;
}
