// What a scenario expects, held against what came of it: of one run, or of all sites of a fleet together.

import type { Expectations } from '../scenario/scenario.ts';
import type { RunResult } from './run.ts';

/** The counts that expectations are about. */
export type ExpectedCounts = Pick<RunResult, 'approved' | 'repeated' | 'settled' | 'refused'>;

/** What is expected and did not come, in words. */
export function unmet(expected: Expectations, { approved, repeated, settled = 0, refused }: ExpectedCounts): string[] {
  const { approvedAtLeast = 0, repeatedAtLeast = 0, settledAtLeast = 0, refusedAtLeast = 0, never, some } = expected;
  const allRefused = Object.values(refused).reduce((sum, count) => sum + count, 0);
  const found: string[] = [];
  if (approved < approvedAtLeast) found.push(`${approved} payments were approved, ${approvedAtLeast} are expected`);
  if (repeated < repeatedAtLeast)
    found.push(`${repeated} payments were answered again, ${repeatedAtLeast} are expected`);
  if (settled < settledAtLeast) found.push(`${settled} sessions have ended, ${settledAtLeast} are expected`);
  if (allRefused < refusedAtLeast) found.push(`${allRefused} payments were refused, ${refusedAtLeast} are expected`);
  for (const code of never)
    if (refused[code] !== undefined) found.push(`${refused[code]} payments were refused with ${code}`);
  for (const code of some) if (refused[code] === undefined) found.push(`no payment was refused with ${code}`);
  return found;
}
