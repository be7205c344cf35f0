// The benchmark in XS: runs each line in a machine of its own, on every target and memory it is for, and sets the figures beside
// budgets, native floors and libraries. Instructions and meter are exact: two runs give the same.

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { makeArchive } from '../../host-sim/xs/archive.ts';
import { BENCH_FILES } from '../../host-sim/xs/bench-input.ts';
import { bundleArchive } from '../../host-sim/xs/bundle.ts';
import { EngineMissing, EngineProblem } from '../../host-sim/xs/project.ts';
import {
  type Figures,
  type ImageFigures,
  MACHINES,
  type MachineMemory,
  runArchive,
  type XsRun,
} from '../../host-sim/xs/runner.ts';
import { makeScratch } from '../../host-sim/xs/scratch.ts';
import { compilerVersion, type TargetName, targetNamed } from '../../host-sim/xs/targets.ts';
import { firmwareArchive } from './firmware-archive.ts';
import { IMAGES, type ImageDefinition, type ImageSize, imageSize, imagesOver } from './xs-image.ts';
import { makeInput } from './xs-input.ts';
import { BENCH_MACHINES, type BenchLineDefinition, benchLines, type Place } from './xs-lines.ts';
import { PEER_LIBRARIES, peerLibraries } from './xs-peer.ts';

/** What runs lines: XS, or what a test puts in its place. Both throw EngineMissing where the target cannot be built here. */
export interface BenchEngine {
  /** Bytes of the presentation that lines are measured on. */
  readonly presentationBytes: number;
  /** What the target is built with, in the compiler's words. */
  compiler(target: TargetName): string;
  run(line: BenchLineDefinition, target: TargetName, machine: string): Promise<XsRun>;
  /** What the root machine of a device holds. */
  image(definition: ImageDefinition, target: TargetName): Promise<readonly ImageFigures[]>;
}

/** What a line came to at one place. Bytes, but for the counts; what nothing costs is taken off. */
export interface PlaceFigures {
  /** rv32: instructions; m32: the engine's meter. */
  readonly count: number;
  readonly collections: number;
  /** Peaks of the whole machine, what was there before included. */
  readonly slots: number;
  readonly chunks: number;
  readonly stack: number;
  readonly cStack: number;
  /** What was there before, after a collection. */
  readonly slotsBefore: number;
  readonly chunksBefore: number;
}

/** What stands at a place: figures, or why there are none. */
export type AtPlace = PlaceFigures | { readonly stopped: string };

/** A line with its figures. */
export interface XsBenchLine {
  readonly id: string;
  readonly title: string;
  readonly budget?: number;
  readonly at: { readonly [place in Place]?: AtPlace };
  /** Instructions over those of the native floor, at rv32/esp32. */
  readonly timesFloor?: number;
  /** Instructions of the library over those of the line. */
  readonly peerTimes?: number;
  /** What is over its budget, in words. */
  readonly over: readonly string[];
}

/** The whole report. */
export interface XsBench {
  readonly lines: readonly XsBenchLine[];
  /** Empty where no target can be built. */
  readonly images: readonly ImageSize[];
  /** Per target that was measured. */
  readonly compilers: { readonly [target in TargetName]?: string };
  /** Targets that were not, with the sentence that says what is missing. */
  readonly skipped: readonly string[];
  /** Everything that is over its budget, in words. */
  readonly over: readonly string[];
}

const TARGETS: readonly TargetName[] = ['rv32', 'm32'];

/** The names of all lines, and those of them that have a part in it; all where there is none. */
export function lineNames({ presentationBytes }: BenchEngine, part = ''): readonly string[] {
  return benchLines(presentationBytes)
    .map(({ id }) => id)
    .filter((id) => id.includes(part));
}

/** What each target is built with here, and a sentence for each that cannot be. */
export function compilersHere(engine: BenchEngine): Pick<XsBench, 'compilers' | 'skipped'> {
  const skipped: string[] = [];
  const compilers: { [target in TargetName]?: string } = {};
  for (const target of TARGETS) {
    try {
      compilers[target] = engine.compiler(target);
    } catch (error) {
      if (!(error instanceof EngineMissing)) throw error;
      skipped.push(error.message);
    }
  }
  return { compilers, skipped };
}

/** Runs it. @param only lines whose id has this in it @param note hears what is going on */
export async function runXsBench(
  engine: BenchEngine,
  only: string | undefined,
  note: (text: string) => void,
): Promise<XsBench> {
  const { compilers, skipped } = compilersHere(engine);
  const all = benchLines(engine.presentationBytes);
  const chosen = all.filter(({ id }) => only === undefined || id.includes(only));
  // What a line is compared with is measured with it.
  const compared = new Set(chosen.flatMap(({ floor, peer }) => [floor, peer]));
  const lines = all.filter((line) => chosen.includes(line) || compared.has(line.id));
  // One after the other: the first run on a target builds the engine.
  const images: ImageSize[] = [];
  for (const target of TARGETS)
    if (compilers[target] !== undefined)
      for (const definition of IMAGES) {
        const size = imageSize(definition, await engine.image(definition, target));
        // All targets have slots of the same size.
        if (images.length < IMAGES.length) images.push(size);
      }
  const jobs = lines.flatMap((line) =>
    line.places.filter((place) => compilers[targetOf(place)] !== undefined).map((place) => ({ line, place })),
  );
  note(`${jobs.length} runs of XS`);
  const figures = new Map<string, AtPlace>();
  await inParallel(jobs, async ({ line, place }) => {
    const [target, machine] = place.split('/') as [TargetName, string];
    figures.set(`${line.id} ${place}`, figuresOf(line, await engine.run(line, target, machine)));
  });
  const measured = lines.map((line) => lineOf(line, figures));
  const over = [...measured.flatMap(({ over }) => over), ...imagesOver(images)];
  return { lines: measured, images, compilers, skipped, over };
}

function targetOf(place: Place): TargetName {
  return place.split('/')[0] as TargetName;
}

/** What came of a run. @throws EngineProblem where something else came of it than the line is about */
function figuresOf(line: BenchLineDefinition, run: XsRun): AtPlace {
  if (run.abort !== undefined) return { stopped: run.abort };
  if (run.exception !== undefined) throw new EngineProblem(`${line.id}: ${run.exception}`);
  const outcome = run.lines.join(' ');
  if (outcome !== line.outcome) throw new EngineProblem(`${line.id}: came to ${outcome}, not ${line.outcome}`);
  const nothing = named(run, 'nothing');
  const work = named(run, 'work');
  return {
    count: countOf(work) - countOf(nothing),
    collections: work.collections,
    slots: work.slotsPeak,
    chunks: work.chunksPeak,
    stack: work.stackPeak,
    cStack: work.cStackPeak,
    slotsBefore: nothing.slots,
    chunksBefore: nothing.chunks,
  };
}

function named(run: XsRun, label: string): Figures {
  const found = run.figures.find((figures) => figures.label === label);
  if (found === undefined) throw new EngineProblem(`a run has no figures "${label}"`);
  return found;
}

function countOf({ instructions, meter }: Figures): number {
  return instructions ?? meter ?? Number.NaN;
}

function lineOf(line: BenchLineDefinition, figures: ReadonlyMap<string, AtPlace>): XsBenchLine {
  const at = Object.fromEntries(
    line.places.flatMap((place) => {
      const found = figures.get(`${line.id} ${place}`);
      return found === undefined ? [] : [[place, found]];
    }),
  ) as XsBenchLine['at'];
  const own = rv32Count(line.id, figures);
  const floor = rv32Count(line.floor, figures);
  const peer = rv32Count(line.peer, figures);
  return {
    id: line.id,
    title: line.title,
    at,
    ...(line.budget === undefined ? {} : { budget: line.budget }),
    ...(own === undefined || floor === undefined ? {} : { timesFloor: own / floor }),
    ...(own === undefined || peer === undefined ? {} : { peerTimes: peer / own }),
    over: overOf(line, at),
  };
}

/** Instructions at rv32/esp32, or where there is none at rv32/large. */
function rv32Count(id: string | undefined, figures: ReadonlyMap<string, AtPlace>): number | undefined {
  const found = figures.get(`${id} rv32/esp32`) ?? figures.get(`${id} rv32/large`);
  return found === undefined || 'stopped' in found ? undefined : found.count;
}

function overOf({ id, budget }: BenchLineDefinition, at: XsBenchLine['at']): readonly string[] {
  const over: string[] = [];
  for (const [place, found] of Object.entries(at)) {
    if ('stopped' in found) over.push(`${id} does not run on ${place}: ${found.stopped}`);
    else if (place === 'rv32/esp32' && budget !== undefined && found.count > budget)
      over.push(`${id} takes ${found.count} instructions of ${budget}`);
  }
  return over;
}

/**
 * Lines do not disturb each other: each has an emulated machine for itself. Where one fails no other is begun, and those that were
 * are waited for.
 */
async function inParallel<Job>(jobs: readonly Job[], work: (job: Job) => Promise<void>): Promise<void> {
  const waiting = [...jobs];
  const worker = async () => {
    try {
      for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await work(job);
    } finally {
      waiting.length = 0;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: availableParallelism() }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** XS itself, and the files its programs read. To be closed. */
export interface XsEngine extends BenchEngine {
  close(): void;
}

/** Makes input and archives. @param note told of what takes seconds @throws EngineProblem */
export async function createXsEngine(note: (text: string) => void): Promise<XsEngine> {
  const { files, presentationBytes } = makeInput();
  const scratch = makeScratch('mpcp-bench-xs');
  const paths = BENCH_FILES.map((file) => {
    const path = join(scratch.path, file);
    writeFileSync(path, files[file]);
    return path;
  });
  const archives = new Map<string, Promise<Uint8Array>>();
  const archiveOf = (program: string) => {
    const made = archives.get(program) ?? archiveNamed(program);
    archives.set(program, made);
    return made;
  };
  return {
    presentationBytes,
    compiler: (target) => compilerVersion(targetNamed(target)).split('\n')[0] as string,
    run: async ({ program, task, form, crypto }, target, machine) =>
      runArchive(await archiveOf(program), {
        target,
        memory: BENCH_MACHINES[machine] as MachineMemory,
        words: [task, form, crypto, ...paths],
        note,
      }),
    image: async ({ entry, variant }, target) => {
      const archive = await (variant === undefined ? bundleArchive(entry) : firmwareArchive(entry, variant));
      return (await runArchive(archive, { target, memory: MACHINES.large, note })).image;
    },
    close: scratch.remove,
  };
}

async function archiveNamed(program: string): Promise<Uint8Array> {
  const entry = `host-sim/xs/programs/${program}.ts`;
  if (program !== 'bench-peer') return bundleArchive(entry);
  return makeArchive({ entry, generated: { [PEER_LIBRARIES]: await peerLibraries() } });
}
