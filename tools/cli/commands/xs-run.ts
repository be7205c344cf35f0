// `xs-run`: one module in XS with a device's memory, and its figures: for whoever works on the core and wants to know what a
// line of it costs there.

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { EngineProblem } from '../../../host-sim/xs/project.ts';
import { type Figures, MACHINES, type MachineName, runInXs, type XsRun } from '../../../host-sim/xs/runner.ts';
import { TARGETS, type TargetName } from '../../../host-sim/xs/targets.ts';
import { type Io, systemReason, UsageError } from '../io.ts';
import { jsonOption, wholeNumber } from '../option-values.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

interface XsRunOptions {
  readonly target: TargetName;
  readonly machine: MachineName;
  readonly seconds: number;
}

/** A run on rv32 that takes longer has most likely no end. */
const SECONDS = 600;

/** Adds `xs-run`. */
export const register: Register = (program: Command, io: Io) => {
  const xsRun = program
    .command('xs-run')
    .description('Run a module inside XS with a device’s memory: calls its default export, prints what it measured.')
    .argument('<file>', 'TypeScript (types are not checked) or JavaScript module; what it imports comes along')
    .argument('[words...]', 'words for the program: host.argument(0), …')
    .addOption(new Option('--target <which>', 'what XS is built for').choices(TARGETS).default('m32'))
    .addOption(new Option('--machine <which>', 'memory of the machine').choices(Object.keys(MACHINES)).default('48k'))
    .option('--seconds <n>', 'the program is ended after so many', wholeNumber(1, 86_400), SECONDS)
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded xs-run --target rv32 host-sim/xs/programs/sha256.ts\nExit code 1 where the program throws, or the machine stops. docs/ENGINE.md says more.',
    )
    .action(async (file: string, words: readonly string[], options: XsRunOptions) => {
      const run = await inXs(file, words, options, io);
      io.result(run, report(run));
      if (!run.ok) io.fail();
    });
  jsonOption(xsRun);
};

async function inXs(file: string, words: readonly string[], options: XsRunOptions, io: Io): Promise<XsRun> {
  checkFile(file);
  try {
    const { target, machine, seconds } = options;
    return await runInXs(
      { entry: resolve(file) },
      { target, memory: MACHINES[machine], words, seconds, note: io.note },
    );
  } catch (error) {
    if (error instanceof EngineProblem) throw new UsageError(error.message);
    throw error;
  }
}

function checkFile(file: string): void {
  let isFile: boolean;
  try {
    isFile = statSync(file).isFile();
  } catch (error) {
    throw new UsageError(`cannot read ${file || '""'}: ${systemReason(error)}`);
  }
  if (!isFile) throw new UsageError(`cannot read ${file}: it is no file`);
}

function report({ lines, figures, image, exception, abort }: XsRun): string {
  const flash = image.map(({ label, code, slots, texts, constants, tables, keys, aliases }) =>
    [label, code, slots, texts, constants + tables, keys, aliases].map(String),
  );
  return [
    ...lines,
    ...(flash.length === 0 ? [] : [tableText(FLASH_HEADINGS, flash, 1), '']),
    ...(figures.length === 0 ? [] : [figuresTable(figures)]),
    ...(exception === undefined ? [] : [`uncaught: ${exception}`]),
    ...(abort === undefined ? [] : [`the machine stopped: ${abort}`]),
  ].join('\n');
}

const FLASH_HEADINGS = ['in flash (bytes)', 'byte code', 'slots', 'texts', 'constants', 'keys', 'aliases'];

/** A line for each measurement; bytes, but for the counts. */
function figuresTable(figures: readonly Figures[]): string {
  const rows = figures.map((line) => [
    line.label,
    String(line.instructions ?? line.meter ?? ''),
    String(line.slotsPeak),
    String(line.chunksPeak),
    String(line.stackPeak),
    String(line.nativeHeapPeak),
    String(line.cStackPeak),
    String(line.collections),
    String(line.reserved.free),
  ]);
  const counted = figures.some((line) => line.instructions !== undefined) ? 'instructions' : 'meter';
  return tableText(
    ['', counted, 'slots peak', 'chunks peak', 'JS stack', 'C heap', 'C stack', 'collections', 'arena free'],
    rows,
    1,
  );
}
