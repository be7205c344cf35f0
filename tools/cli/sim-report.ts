// The report of `sim run`: gathered while a scenario runs, and written as an HTML file when it is over.

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { RunCollector } from '../../host-sim/report/collector.ts';
import { DeviceSampling } from '../../host-sim/report/device-sampling.ts';
import type { Scenario } from '../../host-sim/scenario/scenario.ts';
import type { RunOptions, RunResult } from '../../host-sim/simulation/run.ts';
import { sameFile } from './file-paths.ts';
import { UsageError } from './io.ts';
import { checkPlace, checkWritable, isStdout, writeFiles } from './output-file.ts';

/** What every report begins with. */
const PAGE_BEGINS = '<!doctype html>';

/** Refuses a path that no report can be written to, before anything is run. @throws UsageError that names it and the reason */
export function checkReport(path: string, scenarioFile: string): void {
  if (isStdout(path)) throw new UsageError(`--report ${path}: a report is a file, stdout has what came of the run`);
  checkWritable(path);
  if (sameFile(path, scenarioFile)) throw new UsageError(`--report ${path}: it is the scenario's file`);
  // An image, a key or a list that the scenario names, for one.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() && !isPage(path))
    throw new UsageError(`--report ${path}: there is a file that is no report`);
  checkPlace(path);
}

function isPage(path: string): boolean {
  const head = Buffer.alloc(PAGE_BEGINS.length);
  const file = openSync(path, 'r');
  try {
    const bytes = readSync(file, head);
    return bytes === 0 || head.toString('latin1') === PAGE_BEGINS;
  } finally {
    closeSync(file);
  }
}

/** See the head of the file. */
export class SimReport {
  /** What a run is to be watched with. */
  readonly heard: NonNullable<RunOptions['heard']>;
  readonly observed: NonNullable<RunOptions['observed']>;
  readonly #path: string;
  readonly #scenario: Scenario;
  readonly #scenarioFile: string;
  readonly #collector: RunCollector;
  readonly #sampling: DeviceSampling;

  /** @param path one that was checked */
  constructor(path: string, scenario: Scenario, scenarioFile: string) {
    this.#path = path;
    this.#scenario = scenario;
    this.#scenarioFile = scenarioFile;
    const collector = new RunCollector(scenario.devices.map(({ deviceId }) => deviceId));
    const lastsMs = scenario.durationMs + scenario.settleMs;
    const sampling = new DeviceSampling(createNodeCrypto(), lastsMs, (sample) => collector.sampled(sample));
    this.#collector = collector;
    this.#sampling = sampling;
    this.heard = (event) => collector.heard(event);
    this.observed = (device, ms) => sampling.observed(device, ms);
  }

  /** The run is over, and its devices are still there. */
  ended(result: RunResult): void {
    this.#sampling.ended(this.#endedMs(result));
  }

  /** Writes it. @param engine what the devices' core ran on @throws UsageError that names the file and the reason */
  async write(result: RunResult, engine: string): Promise<void> {
    const { title, seed, beginsMs, durationMs, settleMs, authority } = this.#scenario;
    const file = basename(this.#scenarioFile);
    const bundleLifetimeMs = authority.bundleLifetimeMs;
    const terms = { title, seed, file, engine, beginsMs, durationMs, settleMs, bundleLifetimeMs };
    // The library that draws charts is as large as a third of this program: it is loaded when there is something to draw.
    const { runReport } = await import('../../host-sim/report/run-report.ts');
    writeFiles([{ path: this.#path, text: runReport(terms, result, this.#collector.record(this.#endedMs(result))) }]);
  }

  /** A rule that is broken ends a run earlier. */
  #endedMs({ violation }: RunResult): number {
    const { durationMs, settleMs } = this.#scenario;
    return violation?.trace.at(-1)?.ms ?? durationMs + settleMs;
  }
}
