// The committed figures of the benchmark in XS, and the comparison with them: instructions and meter are exact, so any
// difference is one that the code has made, or another compiler. What costs more than 2 % more is a failure.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../host-sim/xs/project.ts';
import type { XsBench } from './xs.ts';

/** What is kept: counts by line and place (rv32: instructions, m32: meter), the images' bytes, what they were built with. */
export interface XsBaseline {
  readonly compilers: XsBench['compilers'];
  readonly image: { readonly [id: string]: number };
  readonly lines: { readonly [id: string]: { readonly [place: string]: number } };
}

/** One figure that is not as it was. */
export interface BaselineDifference {
  readonly what: string;
  /** Undefined where there was none. */
  readonly before: number | undefined;
  /** Undefined where there is none any more. */
  readonly now: number | undefined;
  /** Part of what was there before: 0.02 is two percent more. */
  readonly change: number | undefined;
  readonly failed: boolean;
}

/** The comparison. */
export interface BaselineCheck {
  readonly compared: number;
  readonly differences: readonly BaselineDifference[];
  /** What should be known about the comparison: another compiler. */
  readonly notes: readonly string[];
  readonly failed: boolean;
}

/** Percent that a figure may be above the committed one. */
export const BASELINE_PERCENT = 2;

/** The file. @throws EngineProblem outside the repository */
export function baselinePath(): string {
  return join(projectFolder(), 'tools', 'bench', 'xs-baseline.json');
}

/** Reads the committed figures. @throws Error where the file is missing or no JSON */
export function readBaseline(path: string): XsBaseline {
  return JSON.parse(readFileSync(path, 'utf8')) as XsBaseline;
}

/** Writes them. */
export function writeBaseline(path: string, baseline: XsBaseline): void {
  writeFileSync(path, `${JSON.stringify(baseline, null, 2)}\n`);
}

/** The figures of a report that are kept. */
export function baselineOf({ compilers, images, lines }: XsBench): XsBaseline {
  const kept: { [id: string]: { [place: string]: number } } = {};
  for (const { id, at } of lines) {
    const counts: { [place: string]: number } = {};
    for (const [place, found] of Object.entries(at)) if ('count' in found) counts[place] = found.count;
    kept[id] = counts;
  }
  return { compilers, image: Object.fromEntries(images.map(({ id, total }) => [id, total])), lines: kept };
}

/**
 * Compares a report with the committed figures. What was not measured is not compared: targets that were skipped, and with
 * `only` other lines.
 */
export function compareWithBaseline(report: XsBench, committed: XsBaseline, isPart: boolean): BaselineCheck {
  const now = baselineOf(report);
  const differences: BaselineDifference[] = [];
  let compared = 0;
  const compare = (what: string, before: number | undefined, value: number | undefined) => {
    compared++;
    if (before === value) return;
    const change = before === undefined || value === undefined ? undefined : value / before - 1;
    // A figure that is new or gone fails too: whoever changes the lines writes the file anew.
    const failed = before === undefined || value === undefined || value * 100 > before * (100 + BASELINE_PERCENT);
    differences.push({ what, before, now: value, change, failed });
  };
  for (const { id, total } of report.images) compare(`image ${id}`, committed.image[id], total);
  for (const id of new Set([...Object.keys(committed.lines), ...Object.keys(now.lines)])) {
    if (isPart && now.lines[id] === undefined) continue;
    const before = committed.lines[id] ?? {};
    const counts = now.lines[id] ?? {};
    for (const place of new Set([...Object.keys(before), ...Object.keys(counts)])) {
      if (!(targetOf(place) in report.compilers)) continue;
      compare(`${id} ${place}`, before[place], counts[place]);
    }
  }
  return {
    compared,
    differences,
    notes: compilerNotes(report.compilers, committed.compilers),
    failed: differences.some(({ failed }) => failed),
  };
}

function targetOf(place: string): string {
  return place.split('/')[0] as string;
}

function compilerNotes(now: XsBench['compilers'], before: XsBench['compilers']): readonly string[] {
  return (['rv32', 'm32'] as const).flatMap((target) =>
    now[target] === undefined || now[target] === before[target]
      ? []
      : [`${target}: built with ${now[target]}, the baseline with ${before[target] ?? 'nothing'}`],
  );
}
