// A fleet: thousands of devices of a scenario in one process, with what they hold of its memory. It is `runScenario` with everything that
// it does; what differs is how much is remembered, and how often flash is read back.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MemoryStorage } from '../policy-authority/storage.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { type RunOptions, type RunResult, runScenario } from '../simulation/run.ts';
import { ReceiptsInBrief } from './receipts-in-brief.ts';

/** Flash of a device is read back after its first approval, after each so many more, and in the end. */
export const READ_BACK_EVERY = 10;
/** Events of each device that are kept for whoever has to find out why a rule is broken. */
const KEPT_EVENTS = 12;

/** What a fleet came to, and what it took. */
export interface FleetRun {
  readonly result: RunResult;
  readonly devices: number;
  /** What devices, servers and wallets hold when the day is over, without what is waiting to be collected. */
  readonly heldBytes: number;
}

/** Runs it. @throws RunBrokenOff where it is told to end. @param inUseBefore what was in use before the scenario was read; default: what is now */
export async function runFleet(
  scenario: Scenario,
  options: Pick<RunOptions, 'heard' | 'makeCharger' | 'progress' | 'end'> = {},
  inUseBefore = inUse(),
): Promise<FleetRun> {
  let heldBytes = 0;
  const result = await runScenario(scenario, {
    ...options,
    link: 'in-process',
    keptOfEach: KEPT_EVENTS,
    readBackEvery: READ_BACK_EVERY,
    storage: { authority: new MemoryStorage(), operator: new ReceiptsInBrief() },
    timeOver: () => {
      heldBytes = Math.max(0, inUse() - inUseBefore);
    },
  });
  return { result, devices: scenario.devices.length, heldBytes };
}

/** Bytes of this thread that something refers to. */
export function inUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
