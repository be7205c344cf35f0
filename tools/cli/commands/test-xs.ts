// `test-xs`: the core's unit tests, the conformance run and what a device must survive, inside XS with a device's memory and
// the interpreter's bounds checks on; then as a device has it, without them, and on rv32.

import { join, relative } from 'node:path';
import { type Command, Option } from 'commander';
import { EngineProblem, projectFolder } from '../../../host-sim/xs/project.ts';
import { TARGETS, type TargetName } from '../../../host-sim/xs/targets.ts';
import { readVectorFiles } from '../../conform/vector-files.ts';
import { FIRMWARE_PARTS, type PartResult, runSuite } from '../../xs/suite.ts';
import { specFiles } from '../../xs/unit-tests.ts';
import { type Io, systemReason, UsageError } from '../io.ts';
import { jsonOption } from '../option-values.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

interface TestXsOptions {
  readonly target?: TargetName;
  readonly vectors?: string;
  readonly skip: boolean;
  readonly list?: boolean;
}

/** Adds `test-xs`. */
export const register: Register = (program: Command, io: Io) => {
  const testXs = program
    .command('test-xs')
    .description('Run the core’s unit tests and the conformance run inside XS with a device’s memory.')
    .argument('[specs...]', 'spec files, or parts of their names; `firmware` for the samples; left out, all')
    .addOption(
      new Option(
        '--target <which>',
        'this one only (default: m32-bounds, then m32 and rv32 without the unit tests)',
      ).choices(TARGETS),
    )
    .option('--vectors <dir>', `folder with vector files (default: ${VECTORS} of the project)`)
    .option('--no-skip', 'what is missing on this machine fails instead of being skipped')
    .option('--list', 'name every skipped test, and every one that needs more than a device’s memory')
    .addHelpText('after', '\nExample: mpcp-embedded test-xs json/reader --target m32\nExit code 1 if a test fails.')
    .action(async (specs: readonly string[], options: TestXsOptions) => {
      checkSpecs(specs);
      const targets: readonly TargetName[] =
        options.target === undefined ? ['m32-bounds', 'm32', 'rv32'] : [options.target];
      const vectors = vectorFolders(specs, options.vectors);
      const results = await runSuite({ targets, vectors, specs, note: io.note });
      io.result(results, report(results, options.list === true));
      const missing = options.skip ? [] : results.filter((result) => result.passed === 0 && result.skipped.length > 0);
      if (missing.length > 0 || results.some((result) => result.failed.length > 0)) io.fail();
    });
  jsonOption(testXs);
};

function checkSpecs(specs: readonly string[]): void {
  let files: readonly string[];
  try {
    files = specFiles();
  } catch (error) {
    if (error instanceof EngineProblem) throw new UsageError(error.message);
    throw error;
  }
  const names = [...files, ...Object.keys(FIRMWARE_PARTS)];
  const unknown = specs.find((part) => !names.some((name) => name.includes(part)));
  if (unknown !== undefined)
    throw new UsageError(`${unknown}: no spec file of test/core has this in its name, and no part of the firmware`);
}

const VECTORS = 'test/vectors/interop';

/** Named spec files run alone. A folder without vector files would pass with nothing run. */
function vectorFolders(specs: readonly string[], given: string | undefined): readonly string[] {
  if (specs.length > 0) {
    if (given === undefined) return [];
    throw new UsageError('--vectors is for the conformance run, which is not run where spec files are named');
  }
  const folder = given ?? relative(process.cwd(), join(projectFolder(), VECTORS));
  let found: number;
  try {
    found = readVectorFiles(folder).filter(({ kind }) => kind !== undefined).length;
  } catch (error) {
    throw new UsageError(`--vectors: cannot read ${folder || '""'}: ${systemReason(error)}`);
  }
  if (found === 0) throw new UsageError(`--vectors: there is no vector file in ${folder}`);
  return [folder];
}

function report(results: readonly PartResult[], all: boolean): string {
  const rows = results.map(({ part, target, passed, failed, skipped, large, open, seconds }) => [
    `${target}: ${part}`,
    ...[passed, large.length, skipped.length, open.length, failed.length].map(String),
    (seconds / 60).toFixed(1),
  ]);
  const named = (word: string, lines: (result: PartResult) => readonly string[]) =>
    results.flatMap((result) => lines(result).map((line) => `${word} ${result.target}: ${line}`));
  return [
    tableText(['', 'passed', 'in more memory', 'skipped', 'open', 'failed', 'minutes'], rows, 1),
    '',
    ...named('failed', (result) => result.failed),
    ...named('open', (result) => result.open),
    ...(all ? named('in more memory', (result) => result.large) : []),
    ...named('skipped', (result) => (all ? result.skipped : result.skipped.filter(isWhole))),
    ...(all ? [] : ['--list names every skipped test']),
  ].join('\n');
}

/** A file or a target that was skipped as a whole; single tests are named with `--list`. */
function isWhole(line: string): boolean {
  return !/\.test\.ts: .*: /.test(line);
}
