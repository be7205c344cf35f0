// A fleet: thousands of devices of a scenario in one process, with what they take of it. It is `runScenario` with everything that
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
  /** From the scenario to its end, in seconds; and the processor's, in user and system mode. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The most that the process ever had in memory. */
  readonly peakBytes: number;
  /** What devices, servers and wallets hold when the day is over, without what is waiting to be collected. */
  readonly heldBytes: number;
}

/** Runs it. @param began processor time and memory before the scenario was read; default: those of now */
export async function runFleet(
  scenario: Scenario,
  options: Pick<RunOptions, 'heard' | 'makeCharger' | 'progress'> = {},
  began: Beginning = beginning(),
): Promise<FleetRun> {
  let heldBytes = 0;
  const result = await runScenario(scenario, {
    ...options,
    link: 'in-process',
    keptOfEach: KEPT_EVENTS,
    readBackEvery: READ_BACK_EVERY,
    storage: { authority: new MemoryStorage(), operator: new ReceiptsInBrief() },
    timeOver: () => {
      heldBytes = Math.max(0, inUse() - began.inUse);
    },
  });
  const { user, system } = process.cpuUsage(began.cpu);
  return {
    result,
    devices: scenario.devices.length,
    seconds: (performance.now() - began.ms) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    heldBytes,
  };
}

/** A process before a fleet is in it. */
export interface Beginning {
  readonly ms: number;
  readonly cpu: NodeJS.CpuUsage;
  readonly inUse: number;
}

/** How the process is now. */
export function beginning(): Beginning {
  const used = inUse();
  return { ms: performance.now(), cpu: process.cpuUsage(), inUse: used };
}

/** Bytes that something refers to. */
function inUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
