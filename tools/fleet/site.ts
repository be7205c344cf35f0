// A site of a fleet: a part of its devices, with wallets and servers of its own.

import { type FleetRun, inUse, runFleet } from '../../host-sim/fleet/fleet.ts';
import { readScenario } from '../scenario/scenario-file.ts';

/** Which site, as data. */
export interface SiteOrder {
  readonly file: string;
  readonly seed: number;
  readonly devices: number;
  readonly payments: number;
  /** The number of its first device. */
  readonly firstNumber: number;
}

/** What a worker says of it. */
export type SiteWord =
  | { readonly kind: 'progress'; readonly ms: number; readonly ofMs: number }
  | { readonly kind: 'over'; readonly run: FleetRun };

/** Runs it. Its file was read before, and is good. @throws RunBrokenOff where it is told to end */
export function runSite(
  { file, seed, ...size }: SiteOrder,
  progress: (ms: number, ofMs: number) => void,
  end?: AbortSignal,
): Promise<FleetRun> {
  const before = inUse();
  const read = readScenario(file, seed, size);
  if ('problems' in read) throw new Error(read.problems.map(({ reason }) => reason).join('; '));
  return runFleet(read.scenario, { progress, end }, before);
}
