// A fleet cut into sites, each on a thread of its own. From the sources, as tests run them, there is no worker to start: then they
// run one after the other. What comes of them is the same.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { FleetRun } from '../../host-sim/fleet/fleet.ts';
import { runSite, type SiteOrder, type SiteWord } from './site.ts';

/** A worker as it is built: beside the command line. */
const SOURCE = new URL('./fleet-worker.js', import.meta.url);
/** What a worker's heap may hold, in MiB: V8 lets it grow to some multiple of what is in use, and the smaller the limit the less. */
const HEAP_MIB = 256;
const HEAP_MIB_OF_DEVICE = 0.06;
const HEAP_MIB_OF_PAYMENT = 0.003;
/** Between the seeds of two sites. */
const SEEDS = 1_000_000;

/** Cuts a fleet into sites that are as good as equal. */
export function sitesOf(fleet: Omit<SiteOrder, 'firstNumber'>, sites: number): readonly SiteOrder[] {
  const { devices, seed } = fleet;
  // No site is without a device.
  const parts = Math.min(sites, devices);
  const first = (site: number) => Math.floor((devices * site) / parts);
  return Array.from({ length: parts }, (_, site) => ({
    ...fleet,
    seed: seed + site * SEEDS,
    devices: first(site + 1) - first(site),
    firstNumber: first(site) + 1,
  }));
}

/** Why a fleet could not be run to its end, in one sentence. */
export class FleetProblem extends Error {}

/** What is told how far a run is, in simulated time. */
type Progress = (ms: number, ofMs: number) => void;

/**
 * Runs them.
 *
 * @param progress is told how far all of them are
 * @param source of the workers; where there is none they run one after the other
 * @throws FleetProblem where a site does not fit into the memory of a thread; then none runs on
 */
export async function runSites(
  orders: readonly SiteOrder[],
  progress: Progress,
  source = SOURCE,
): Promise<readonly FleetRun[]> {
  const at = orders.map(() => 0);
  const told = (site: number) => (ms: number, ofMs: number) => {
    at[site] = ms;
    progress(
      at.reduce((sum, one) => sum + one, 0),
      ofMs * orders.length,
    );
  };
  if (orders.length > 1 && existsSync(fileURLToPath(source))) return onWorkers(orders, told, source);
  const runs: FleetRun[] = [];
  for (const [site, order] of orders.entries()) runs.push(await runSite(order, told(site)));
  return runs;
}

async function onWorkers(
  orders: readonly SiteOrder[],
  told: (site: number) => Progress,
  source: URL,
): Promise<readonly FleetRun[]> {
  const workers: Worker[] = [];
  const run = (order: SiteOrder, site: number) => {
    const { devices, payments } = order;
    const heapMib = Math.ceil(HEAP_MIB + devices * (HEAP_MIB_OF_DEVICE + payments * HEAP_MIB_OF_PAYMENT));
    const resourceLimits = { maxOldGenerationSizeMb: heapMib };
    const worker = new Worker(source, { workerData: order, execArgv: [], resourceLimits });
    workers.push(worker);
    return runOf(worker, told(site)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
      throw new FleetProblem(
        `a site of ${devices} devices with ${payments} payments each does not fit into the ${heapMib} MiB of its thread; --sites cuts the fleet into smaller ones`,
      );
    });
  };
  try {
    return await Promise.all(orders.map(run));
  } finally {
    // Where one has failed, the others would run on.
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function runOf(worker: Worker, progress: Progress): Promise<FleetRun> {
  return new Promise((resolve, reject) => {
    worker.on('message', (word: SiteWord) => {
      if (word.kind === 'progress') progress(word.ms, word.ofMs);
      else resolve(word.run);
    });
    worker.once('error', reject).once('exit', (code) => reject(new Error(`a worker ended with ${code}`)));
  });
}

/** What all sites came to together. Of rules that were broken the first is told. */
export function together(runs: readonly FleetRun[]): FleetRun {
  const [first, ...more] = runs as readonly [FleetRun, ...FleetRun[]];
  const { devices, heldBytes, result } = first;
  let sum = { devices, heldBytes, result };
  for (const { devices, heldBytes, result } of more) {
    const before = sum.result;
    const refused: { [code: string]: number } = { ...before.refused };
    for (const [code, count] of Object.entries(result.refused)) refused[code] = (refused[code] ?? 0) + count;
    const violation = before.violation ?? result.violation;
    sum = {
      devices: sum.devices + devices,
      heldBytes: sum.heldBytes + heldBytes,
      result: {
        payments: before.payments + result.payments,
        approved: before.approved + result.approved,
        repeated: before.repeated + result.repeated,
        refused,
        unanswered: before.unanswered + result.unanswered,
        acknowledged: before.acknowledged + result.acknowledged,
        unmet: [...before.unmet, ...result.unmet],
        events: before.events + result.events,
        ...(violation && { violation }),
      },
    };
  }
  return sum;
}
