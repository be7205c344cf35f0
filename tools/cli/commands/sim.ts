// `sim`: runs scenarios in simulated time, on the core that devices run.

import type { Command } from 'commander';
import { type RunResult, runScenario } from '../../../host-sim/simulation/run.ts';
import type { TraceEvent } from '../../../host-sim/simulation/trace.ts';
import { problemText } from '../../provision/problems.ts';
import { readScenario } from '../../scenario/scenario-file.ts';
import { type Io, printable, UsageError } from '../io.ts';
import { wholeNumber } from '../option-values.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

interface RunCommandOptions {
  readonly seed?: number;
  readonly json?: boolean;
}

/** Adds `sim`. */
export const register: Register = (program: Command, io: Io) => {
  const sim = program
    .command('sim')
    .description('Run scenarios: devices, payers, networks and faults in simulated time.');
  sim
    .command('run')
    .description('Run a scenario to its end, and say what came of it.')
    .argument('<scenario>', 'a scenario file: YAML')
    .option('--seed <n>', "instead of the file's: another seed, another run", wholeNumber(0, 999_999))
    .option('--json', 'every event of the run as a line of JSON on stdout, and its result in the last one')
    .addHelpText(
      'after',
      '\nThe members of a scenario file: docs/SIMULATOR.md.\nExample: mpcp-embedded sim run host-sim/scenarios/charging-park.yaml --seed 7\nExit code 1 where a rule is broken that holds for every device, or what must come of it did not.',
    )
    .action((file: string, options: RunCommandOptions) => run(io, file, options));
};

async function run(io: Io, file: string, { seed, json }: RunCommandOptions): Promise<void> {
  const read = readScenario(file, seed);
  if ('problems' in read) {
    const [first, ...more] = read.problems;
    if (more.length > 0) for (const problem of read.problems) io.note(printable(problemText(problem)));
    throw new UsageError(
      first !== undefined && more.length === 0
        ? `${problemText(first)}; nothing was run`
        : `${read.problems.length} findings, nothing was run`,
    );
  }
  const { scenario } = read;
  const line = (event: TraceEvent) => io.out(JSON.stringify(event));
  const result = await runScenario(scenario, json === true ? { heard: line } : {});
  if (json === true) io.out(JSON.stringify({ event: 'result', seed: scenario.seed, ...result }));
  else io.out(resultText(scenario.title, scenario.seed, result));
  if (result.unmet.length > 0 || result.violation !== undefined) io.fail();
}

function resultText(title: string, seed: number, result: RunResult): string {
  const { payments, approved, refused, unanswered, acknowledged, unmet, events, violation } = result;
  const rows = [
    ['payments', String(payments)],
    ['approved', String(approved)],
    ['  of these at the operator', String(acknowledged)],
    ...Object.entries(refused).map(([code, count]) => [`refused with ${code}`, String(count)]),
    ['without an answer', String(unanswered)],
  ];
  const lines = [`${title}, seed ${seed}`, '', tableText(['what', 'how many'], rows), '', `${events} events`];
  const expected = unmet.map((what) => `NOT AS EXPECTED: ${what}`);
  return [...lines, ...(violation === undefined ? expected : violationLines(violation))].join('\n');
}

/** A rule that was broken, and what led there. */
export function violationLines(violation: NonNullable<RunResult['violation']>): readonly string[] {
  const { rule, device, detail, trace } = violation;
  const events = trace.map((event) => `  ${JSON.stringify(event)}`);
  return ['', `VIOLATION of "${rule}" by ${device}: ${detail}`, ...events];
}
