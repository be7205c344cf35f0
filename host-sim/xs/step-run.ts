// Puts a device in XS through steps, and tells what came of each. A machine that stops has not survived its step; another goes
// on behind it.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePartitionBytes } from '../../core/trust/bundle-partition.ts';
import type { Form, SiteInput } from './bench-input.ts';
import { bundleArchive } from './bundle.ts';
import { EngineProblem } from './project.ts';
import { type Figures, runArchive, type XsOptions } from './runner.ts';
import { inScratch } from './scratch.ts';
import { STEP_ENTRY_BYTES, STEP_KINDS, STEPS_HEAD_BYTES, type Step, stepLabel } from './steps.ts';

/** On what, and with what. */
export interface StepOptions extends Omit<XsOptions, 'words' | 'heard'> {
  /** As programs/crypto.ts names it. */
  readonly crypto: string;
  readonly form: Form;
  /** The heap is told after so many steps each, and after the last. */
  readonly told: number;
  /** `verifier`: the ledger, which memory keeps, begins anew after so many payments. */
  readonly renewed: number;
  /** `device`: bytes of the partitions. */
  readonly ledgerBytes?: number;
  readonly journalBytes?: number;
}

/** What came of a step. */
export interface StepResult {
  /** `ok`, a reason code, or undefined where the machine stopped. */
  readonly verdict: string | undefined;
  /** The check that refused, and its words; or why the machine stopped. */
  readonly detail: string;
  /** Peaks of the step, where the heap is told. */
  readonly work: Figures | undefined;
  /** What the machine holds behind it, after a full collection. */
  readonly held: Figures | undefined;
}

const BLOCK_BYTES = 4096;
const STORE_BYTES = 65_536;

/**
 * Runs the steps. Each stop of a machine costs what it knew: bundles have to be handed over again.
 *
 * @param first steps that every machine takes before all others, the first one and those behind one that stopped
 * @throws EngineMissing, EngineProblem as `runInXs`
 */
export async function runSteps(
  site: SiteInput,
  steps: readonly Step[],
  options: StepOptions,
  first: readonly Step[] = [],
): Promise<readonly StepResult[]> {
  const archive = await bundleArchive('host-sim/xs/programs/steps.ts');
  return inScratch('mpcp-steps', async (folder) => {
    const results: StepResult[] = [];
    const blank = (name: string, size: number) => {
      writeFileSync(join(folder, name), new Uint8Array(size).fill(0xff));
      return join(folder, name);
    };
    const bundles = blank('bundles', bundlePartitionBytes(BLOCK_BYTES));
    const stores = [
      blank('ledger', options.ledgerBytes ?? STORE_BYTES),
      blank('journal', options.journalBytes ?? STORE_BYTES),
    ];
    const file = join(folder, 'steps');
    while (results.length < steps.length) {
      writeFileSync(file, stepsFile(site, [...first, ...steps.slice(results.length)]));
      const own = options.form === 'verifier' ? [String(options.renewed)] : stores;
      const words = [file, options.crypto, options.form, String(options.told), String(first.length), bundles, ...own];
      const lines: string[] = [];
      const run = await runArchive(archive, { ...options, words, heard: (line) => lines.push(line) });
      if (run.exception !== undefined) throw new EngineProblem(`the device's program failed: ${run.exception}`);
      const figures = new Map(run.figures.map((one) => [one.label, one]));
      for (const line of lines.slice(first.length)) {
        const [place, verdict, ...rest] = line.split(' ');
        const [work, held] = (['work', 'held'] as const).map((what) => figures.get(stepLabel(what, Number(place))));
        results.push({ verdict, detail: rest.join(' '), work, held });
      }
      if (run.abort !== undefined) {
        if (lines.length < first.length) throw new EngineProblem(`the machine stopped at its start: ${run.abort}`);
        results.push({ verdict: undefined, detail: run.abort, work: figures.get('abort'), held: undefined });
      } else if (results.length < steps.length) {
        throw new EngineProblem(`the device's program ended before step ${results.length} of ${steps.length}`);
      }
    }
    return results;
  });
}

const encoder = new TextEncoder();

/** The file of steps. Bytes that several have stand in it once. */
function stepsFile(site: SiteInput, steps: readonly Step[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const places = new Map<Uint8Array, number>();
  let at = STEPS_HEAD_BYTES + STEP_ENTRY_BYTES * (steps.length + 1);
  const head = new DataView(new ArrayBuffer(at));
  head.setUint32(0, steps.length, true);
  const siteBytes = encoder.encode(JSON.stringify(site));
  [{ kind: STEP_KINDS[0], bytes: siteBytes }, ...steps].forEach((step: Step, i) => {
    let place = places.get(step.bytes);
    if (place === undefined) {
      place = at;
      places.set(step.bytes, place);
      parts.push(step.bytes);
      at += step.bytes.length;
    }
    const entry = STEPS_HEAD_BYTES + STEP_ENTRY_BYTES * i;
    head.setUint32(entry, STEP_KINDS.indexOf(step.kind), true);
    head.setUint32(entry + 4, place, true);
    head.setUint32(entry + 8, step.bytes.length, true);
    head.setUint32(entry + 12, step.laterSeconds ?? 0, true);
  });
  return Buffer.concat([new Uint8Array(head.buffer), ...parts]);
}
