// `conform`: the conformance run, a line per file, what failed, and the counts.

import { statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { createEngine } from '../../../host-sim/conformance/engine.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { answeringEngine, CallRecorder } from '../../../host-sim/xs/calls.ts';
import { answersInXs } from '../../../host-sim/xs/conformance.ts';
import { EngineProblem } from '../../../host-sim/xs/project.ts';
import { MACHINES, type MachineName } from '../../../host-sim/xs/runner.ts';
import { type ConformanceReport, type FileResult, runConformance } from '../../conform/run.ts';
import { type Io, systemReason, UsageError } from '../io.ts';
import type { Register } from './index.ts';

interface ConformOptions {
  readonly engine: 'node' | 'xs' | 'rv32';
  readonly machine: MachineName;
  readonly crypto?: string;
  readonly json?: boolean;
}

/** Adds `conform`. */
export const register: Register = (program: Command, io: Io) => {
  program
    .command('conform')
    .description('Run the vector files of a folder (known by their `format` member) and compare every verdict.')
    .argument('<dir>', 'folder with vector files, e.g. test/vectors/interop')
    .addOption(
      new Option('--engine <which>', 'what the core runs in: Node, XS as a device has it, the same on rv32')
        .choices(['node', 'xs', 'rv32'])
        .default('node'),
    )
    .addOption(
      new Option('--machine <which>', 'memory of the machine in XS').choices(Object.keys(MACHINES)).default('48k'),
    )
    .option(
      '--crypto <which>',
      "node (node:crypto with the strict profile) or core (the core's own); in XS: core, hashes (native ones under the core's) or native",
    )
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded conform test/vectors/interop\nExit code 1 if a case failed; optional cases pass either way and are counted apart.',
    )
    .action(async (dir: string, options: ConformOptions) => {
      const report = await reportOf(folder(dir), options, io);
      if (report.files.length === 0) throw new UsageError(`${dir}: there is no vector file in this folder`);
      if (options.json) io.out(JSON.stringify(report, null, 2));
      else printReport(report, io);
      if (report.failed > 0) io.fail();
    });
};

function folder(dir: string): string {
  try {
    if (statSync(dir).isDirectory()) return dir;
  } catch (error) {
    throw new UsageError(`${dir}: ${systemReason(error)}`);
  }
  throw new UsageError(`${dir}: not a folder`);
}

async function reportOf(dir: string, options: ConformOptions, io: Io): Promise<ConformanceReport> {
  if (options.engine === 'node') return runConformance(dir, engineFor(options.crypto ?? 'node'));
  const { crypto = 'core' } = options;
  if (!XS_CRYPTO.includes(crypto)) throw new UsageError(`--crypto ${crypto}: XS has ${XS_CRYPTO.join(', ')}`);
  const recorder = new CallRecorder();
  runConformance(dir, recorder.engine);
  const target = options.engine === 'xs' ? 'm32' : options.engine;
  try {
    const memory = MACHINES[options.machine];
    const answers = await answersInXs(recorder.calls, { target, memory, crypto, note: io.note });
    return runConformance(dir, answeringEngine(answers));
  } catch (error) {
    if (error instanceof EngineProblem) throw new UsageError(error.message);
    throw error;
  }
}

const XS_CRYPTO: readonly string[] = ['core', 'hashes', 'native'];

function engineFor(crypto: string) {
  if (crypto === 'node') return createEngine(createNodeCrypto());
  if (crypto === 'core') return createEngine(createPortableCrypto());
  throw new UsageError(`--crypto ${crypto}: neither node nor core`);
}

function printReport(report: ConformanceReport, io: Io): void {
  const width = Math.max(...report.files.map((file) => file.name.length));
  for (const file of report.files) printFile(file, width, io);
  io.out('');
  if (report.optional > 0) io.out(`${report.optional} optional cases: either outcome passes`);
  io.out(`${report.passed} passed, ${report.failed} failed`);
}

function printFile(file: FileResult, width: number, io: Io): void {
  if (file.problem !== undefined) {
    io.out(`FAIL ${file.name.padEnd(width)}  ${file.problem}`);
    return;
  }
  const of = (outcome: string) => file.results.filter((result) => result.outcome === outcome);
  const failed = of('failed');
  const differences = file.results.filter((result) => result.codeDifference !== undefined);
  const parts = [`${of('passed').length} passed`, `${failed.length} failed`];
  if (of('optional').length > 0) parts.push(`${of('optional').length} optional`);
  if (differences.length > 0) parts.push(`${differences.length} with another code`);
  io.out(`${failed.length > 0 ? 'FAIL' : 'ok  '} ${file.name.padEnd(width)}  ${parts.join(', ')}`);
  for (const result of failed) io.out(`     failed ${result.id}: ${result.detail}`);
  for (const { id, codeDifference } of differences) {
    io.out(`     code   ${id}: published ${codeDifference?.expected}, here ${codeDifference?.got}`);
  }
}
