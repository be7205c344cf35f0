// A fleet cut into sites, each on a thread of its own, as many at a time as there are processors: memory is taken for these, whatever
// the size of the fleet. From the sources, as tests run them, there is no worker to start: then they run one after the other. What
// comes of them is the same.

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { FleetRun } from '../../host-sim/fleet/fleet.ts';
import type { Expectations } from '../../host-sim/scenario/scenario.ts';
import { cheatsTogether } from '../../host-sim/simulation/cheat-counts.ts';
import { unmet } from '../../host-sim/simulation/expectations.ts';
import { RunBrokenOff } from '../../host-sim/simulation/run.ts';
import { runSite, type SiteOrder, type SiteWord } from './site.ts';

/** A worker as it is built: beside the command line. */
const SOURCE = new URL('./fleet-worker.js', import.meta.url);
/** What a worker's heap may hold, in MiB: V8 lets it grow to some multiple of what is in use, and the smaller the limit the less. */
const HEAP_MIB = 256;
const HEAP_MIB_OF_DEVICE = 0.06;
const HEAP_MIB_OF_PAYMENT = 0.003;
/** Between the seeds of two sites. */
const SEEDS = 1_000_000;
/** Devices of a site, at most, and sites, at least, where nobody says how many. */
const SITE_DEVICES = 2500;
const LEAST_SITES = 2;

/** Into how many sites a fleet is cut where nobody says. */
export function sitesFor(devices: number): number {
  return Math.max(LEAST_SITES, Math.ceil(devices / SITE_DEVICES));
}

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

/** A site was not begun, or its thread was ended, as all were told to end. */
class ToldToEnd extends Error {}

/** What is told how far a run is, in simulated time. */
type Progress = (ms: number, ofMs: number) => void;

/** On what sites run. */
export interface Threads {
  /** The workers' program; where there is none, sites run one after the other. Default: as it is built. */
  readonly source?: URL;
  /** How many at a time. Default: as many as there are processors. */
  readonly most?: number;
  /** Tells them to end where they are. */
  readonly end?: AbortSignal;
}

/**
 * Runs them.
 *
 * @param progress is told how far all of them are
 * @throws FleetProblem where a site does not fit into the memory of a thread; then none runs on
 * @throws RunBrokenOff where they are told to end, with the mean of how far they are; then none runs on either
 */
export async function runSites(
  orders: readonly SiteOrder[],
  progress: Progress,
  { source = SOURCE, most = availableParallelism(), end }: Threads = {},
): Promise<readonly FleetRun[]> {
  const at = orders.map(() => 0);
  const told = (site: number) => (ms: number, ofMs: number) => {
    at[site] = ms;
    progress(
      at.reduce((sum, one) => sum + one, 0),
      ofMs * orders.length,
    );
  };
  try {
    if (existsSync(fileURLToPath(source))) return await onWorkers(orders, told, { source, most, end });
    const runs: FleetRun[] = [];
    for (const [site, order] of orders.entries()) runs.push(await runSite(order, told(site), end));
    return runs;
  } catch (error) {
    if (!(error instanceof RunBrokenOff || error instanceof ToldToEnd)) throw error;
    throw new RunBrokenOff(at.reduce((sum, one) => sum + one, 0) / orders.length);
  }
}

async function onWorkers(
  orders: readonly SiteOrder[],
  told: (site: number) => Progress,
  { source, most, end }: Required<Pick<Threads, 'source' | 'most'>> & { readonly end: AbortSignal | undefined },
): Promise<readonly FleetRun[]> {
  const running = new Set<Worker>();
  const runs: FleetRun[] = [];
  const waiting = orders.entries();
  let isOver = end?.aborted === true;
  const stop = () => {
    isOver = true;
    return Promise.all([...running].map((worker) => worker.terminate()));
  };
  end?.addEventListener('abort', stop);
  const inTurn = async () => {
    for (const [site, order] of waiting) {
      if (isOver) throw new ToldToEnd();
      const worker = startWorker(source, order);
      running.add(worker);
      runs[site] = await runOf(worker, order, told(site), end);
      running.delete(worker);
    }
  };
  try {
    await Promise.all(Array.from({ length: most }, inTurn));
  } finally {
    end?.removeEventListener('abort', stop);
    // Where one has failed, the others would run on.
    await stop();
  }
  return runs;
}

function startWorker(source: URL, order: SiteOrder): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: heapMibOf(order) };
  return new Worker(source, { workerData: order, execArgv: [], resourceLimits });
}

function heapMibOf({ devices, payments }: SiteOrder): number {
  return Math.ceil(HEAP_MIB + devices * (HEAP_MIB_OF_DEVICE + payments * HEAP_MIB_OF_PAYMENT));
}

/** @returns when the worker has ended: what it held is free then */
function runOf(worker: Worker, order: SiteOrder, progress: Progress, end: AbortSignal | undefined): Promise<FleetRun> {
  return new Promise((resolve, reject) => {
    let run: FleetRun | undefined;
    worker.on('message', (word: SiteWord) => {
      if (word.kind === 'progress') progress(word.ms, word.ofMs);
      else run = word.run;
    });
    worker.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') return reject(error);
      const { devices, payments } = order;
      const size = `a site of ${devices} devices with ${payments} payments each`;
      const mib = heapMibOf(order);
      return reject(
        new FleetProblem(
          `${size} does not fit into the ${mib} MiB of its thread; --sites cuts the fleet into smaller ones`,
        ),
      );
    });
    worker.once('exit', (code) => {
      if (run !== undefined) resolve(run);
      else reject(end?.aborted ? new ToldToEnd() : new Error(`a worker ended with ${code}`));
    });
  });
}

/** What all sites came to together, and what of it was not expected so. Of rules that were broken the first is told. */
export function together(runs: readonly FleetRun[], expected: Expectations): FleetRun {
  const [first, ...more] = runs as readonly [FleetRun, ...FleetRun[]];
  const { devices, heldBytes, result } = first;
  let sum = { devices, heldBytes, result };
  for (const { devices, heldBytes, result } of more) {
    const before = sum.result;
    const refused: { [code: string]: number } = { ...before.refused };
    for (const [code, count] of Object.entries(result.refused)) refused[code] = (refused[code] ?? 0) + count;
    const violation = before.violation ?? result.violation;
    // Where one has sessions, or payers who cheat, all have: they run the same scenario.
    const { settled, unheard, cheats } = result;
    sum = {
      devices: sum.devices + devices,
      heldBytes: sum.heldBytes + heldBytes,
      result: {
        payments: before.payments + result.payments,
        approved: before.approved + result.approved,
        repeated: before.repeated + result.repeated,
        ...(settled !== undefined && { settled: settled + (before.settled ?? 0) }),
        refused,
        unanswered: before.unanswered + result.unanswered,
        unheard: {
          approved: before.unheard.approved + unheard.approved,
          acknowledged: before.unheard.acknowledged + unheard.acknowledged,
        },
        acknowledged: before.acknowledged + result.acknowledged,
        ...(cheats !== undefined && { cheats: cheatsTogether(before.cheats ?? {}, cheats) }),
        unmet: [],
        events: before.events + result.events,
        ...(violation && { violation }),
      },
    };
  }
  return { ...sum, result: { ...sum.result, unmet: unmet(expected, sum.result) } };
}
