// A conformance run: every vector file of a folder through one engine, and the count of what passed.

import type { ConformanceEngine } from '../../host-sim/conformance/engine.ts';
import { type CaseResult, runCase } from './case.ts';
import { casesOf, chainsConfiguration, FIXTURE_KINDS } from './cases.ts';
import { fixturesOf, readVectorFiles, type VectorFile } from './vector-files.ts';

/** How one file went. */
export interface FileResult {
  readonly name: string;
  readonly kind: string | undefined;
  /** Why the file as a whole could not be run. */
  readonly problem?: string;
  readonly results: readonly CaseResult[];
}

/** How a run went. `optional` cases pass either way and are in neither of the other counts. */
export interface ConformanceReport {
  readonly files: readonly FileResult[];
  readonly passed: number;
  readonly failed: number;
  readonly optional: number;
}

/** Runs every file of a folder that is not a fixture. A file that cannot be handled counts as one failure. */
export function runConformance(folder: string, engine: ConformanceEngine): ConformanceReport {
  const vectorFiles = readVectorFiles(folder);
  const fixtures = fixturesOf(vectorFiles);
  const chains = chainsConfiguration(vectorFiles);
  const files = vectorFiles
    .filter((file) => !FIXTURE_KINDS.includes(file.kind ?? ''))
    .map((file) => runFile(file, () => casesOf(file, fixtures, chains)?.map((one) => runCase(one, engine))));
  const all = files.flatMap((file) => file.results);
  const count = (outcome: CaseResult['outcome']) => all.filter((result) => result.outcome === outcome).length;
  return {
    files,
    passed: count('passed'),
    failed: count('failed') + files.filter((file) => file.problem !== undefined).length,
    optional: count('optional'),
  };
}

function runFile(file: VectorFile, run: () => readonly CaseResult[] | undefined): FileResult {
  const { name, kind } = file;
  if (file.problem !== undefined) return { name, kind, problem: file.problem, results: [] };
  try {
    const results = run();
    if (results === undefined)
      return { name, kind, problem: `format mpcp-interop/${kind}/1 is not known`, results: [] };
    return results.length > 0 ? { name, kind, results } : { name, kind, problem: 'has no cases', results: [] };
  } catch (error) {
    return {
      name,
      kind,
      problem: `does not have the shape of its format: ${(error as Error).message.split('\n')[0]}`,
      results: [],
    };
  }
}
