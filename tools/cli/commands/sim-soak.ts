// `sim soak`: scenarios at random until time is over, under the rules that hold for every device.

import { randomInt } from 'node:crypto';
import type { Command } from 'commander';
import type { Counts } from '../../soak/coverage.ts';
import { SEEDS } from '../../soak/random-scenario.ts';
import { type Soaked, type SoakFailure, soak } from '../../soak/soak.ts';
import type { Io } from '../io.ts';
import { plain, wholeNumber } from '../option-values.ts';
import { makeFolder } from '../output-file.ts';
import { countsLine, violationLines } from '../run-text.ts';
import { exitCodeOf, interruptible } from '../signals.ts';
import type { Register } from './index.ts';

interface SoakOptions {
  readonly minutes: number;
  readonly seed?: number;
  readonly count?: number;
  readonly keep?: string;
  readonly json?: boolean;
}

const MINUTE_MS = 60_000;

/** Adds `soak` to `sim`, which is there. */
export const register: Register = (program: Command, io: Io) => {
  const sim = program.commands.find((command) => command.name() === 'sim') as Command;
  sim
    .command('soak')
    .description('Run scenarios made at random, one after the other, until time is over or a rule is broken.')
    .option('--minutes <n>', 'none begins after so many minutes', wholeNumber(1, 100_000), 10)
    .option(
      '--seed <n>',
      'of the first scenario, the others have the next ones (default: at random)',
      wholeNumber(0, SEEDS - 1),
    )
    .option('--count <n>', 'so many scenarios at most', wholeNumber(1, SEEDS))
    .option('--keep <dir>', 'the folder where the file of a scenario is put in which a rule is broken', plain)
    .option('--json', 'each scenario as a line of JSON on stdout, and what came of all of them in the last one')
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded sim soak --minutes 30 --keep found\nThe same scenario once more: mpcp-embedded sim soak --seed 4711 --count 1\nExit code 1 where a rule is broken, or something is thrown.',
    )
    .action((options: SoakOptions) => run(io, options));
};

async function run(
  io: Io,
  { minutes, seed = randomInt(SEEDS), count = SEEDS, keep, json }: SoakOptions,
): Promise<void> {
  // What is found after hours must have its place.
  if (keep !== undefined) makeFolder(keep, '--keep');
  const { came: soaked, signal } = await interruptible((end) =>
    soak({
      end,
      seed,
      count,
      untilMs: Date.now() + minutes * MINUTE_MS,
      keep,
      ran: (ran) => {
        io.out(json === true ? JSON.stringify({ event: 'scenario', ...ran }) : `seed ${ran.seed}: ${countsLine(ran)}`);
      },
    }),
  );
  io.out(
    json === true ? JSON.stringify({ event: 'result', ...soaked, ...(signal && { brokenOff: signal }) }) : text(soaked),
  );
  if (signal !== undefined) io.note(`${signal}: the soak was broken off; the scenario that ran is not counted`);
  if (soaked.failure !== undefined) io.fail();
  else if (signal !== undefined) io.fail(exitCodeOf(signal));
}

function text({ coverage, failure, ...sums }: Soaked): string {
  const rows = Object.entries(coverage).map(([what, counts]) => [what, countsText(counts), neverText(counts)]);
  return [
    '',
    `${sums.scenarios} scenarios, ${countsLine(sums)}`,
    '',
    ...rows.flatMap(([what, seen, never]) => [`${what}: ${seen}`, ...(never === '' ? [] : [`  never seen: ${never}`])]),
    ...(failure === undefined ? [] : failureLines(failure)),
  ].join('\n');
}

function countsText(counts: Counts): string {
  const seen = Object.entries(counts).filter(([, count]) => count > 0);
  return seen.length === 0 ? 'none' : seen.map(([name, count]) => `${name} ${count}`).join(', ');
}

function neverText(counts: Counts): string {
  return Object.keys(counts)
    .filter((name) => counts[name] === 0)
    .join(', ');
}

function failureLines({ seed, what, file }: SoakFailure): readonly string[] {
  const again = file === undefined ? [] : [`its file: mpcp-embedded sim run ${file}`];
  return [
    ...('thrown' in what ? ['', `THROWN: ${what.thrown}`] : violationLines(what)),
    '',
    `seed ${seed} failed; the same once more: npm run -s sim:soak -- --seed ${seed} --count 1`,
    ...again,
  ];
}
