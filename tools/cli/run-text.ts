// What commands that run scenarios tell in the same words: why a file cannot be used, the counts of a run, and what is wrong
// with what came of it.

import { countsText } from '../../host-sim/report/words.ts';
import type { CheatCounts } from '../../host-sim/simulation/cheat-counts.ts';
import type { RunResult } from '../../host-sim/simulation/run.ts';
import { type InputProblem, problemText } from '../provision/problems.ts';
import { type Io, printable, UsageError } from './io.ts';
import { tableText } from './table.ts';

/** More findings of a file are counted and not told. */
const TOLD = 20;

/** Tells what is wrong with a file. @throws UsageError always */
export function refuseProblems(io: Io, problems: readonly InputProblem[]): never {
  const [first, ...more] = problems;
  if (more.length > 0) for (const problem of problems.slice(0, TOLD)) io.note(printable(problemText(problem)));
  if (problems.length > TOLD) io.note(`and ${problems.length - TOLD} more`);
  throw new UsageError(
    first !== undefined && more.length === 0
      ? `${problemText(first)}; nothing was run`
      : `${problems.length} findings, nothing was run`,
  );
}

/** Tells what in a file does nothing. */
export function tellNotes(io: Io, notes: readonly InputProblem[]): void {
  for (const note of notes.slice(0, TOLD)) io.note(printable(`note: ${problemText(note)}`));
  if (notes.length > TOLD) io.note(`note: and ${notes.length - TOLD} more`);
}

/** What was counted in a run: what, and how many. */
export function countRows(result: RunResult): readonly (readonly [string, string])[] {
  const { payments, approved, acknowledged, repeated, settled, refused, unanswered, unheard } = result;
  return [
    ['payments', String(payments)],
    ['approved', String(approved)],
    ['  of these at the operator', String(acknowledged)],
    ['answered again', String(repeated)],
    ...(settled === undefined ? [] : [['sessions that have ended', String(settled)] as const]),
    ...Object.entries(refused).map(([code, count]) => [`refused with ${code}`, String(count)] as const),
    ['without an answer', String(unanswered)],
    ...(unheard.approved === 0
      ? []
      : ([
          ['  of these approved all the same', String(unheard.approved)],
          ['    of these at the operator', String(unheard.acknowledged)],
        ] as const)),
  ];
}

/** A class of cheats, and what came of it. */
type Cheat = readonly [name: string, counts: CheatCounts];

/** Columns of the table of cheats; one whose cells are all empty is left out. */
const CHEAT_COLUMNS: readonly (readonly [heading: string, cell: (cheat: Cheat) => string])[] = [
  ['payers who cheat', ([name]) => name],
  ['attempts', ([, { attempts }]) => String(attempts)],
  ['APPROVED', ([, { approved }]) => String(approved || '')],
  ['answered again', ([, { repeated }]) => String(repeated || '')],
  ['no power', ([, { undecided }]) => String(undecided || '')],
  ['refused with', ([, { refused }]) => countsText(refused)],
];

/**
 * How payers cheated in a run: each class that occurred, with the codes that it was refused with, told or not; nothing where nobody
 * did. What was approved stands out.
 */
export function cheatLines({ cheats = {} }: Pick<RunResult, 'cheats'>): readonly string[] {
  const classes = Object.entries(cheats);
  if (classes.length === 0) return [];
  const columns = CHEAT_COLUMNS.filter(([, cell]) => classes.some((cheat) => cell(cheat) !== ''));
  const rows = classes.map((cheat) => columns.map(([, cell]) => cell(cheat)));
  const approved = classes.filter(([, counts]) => counts.approved > 0);
  return [
    '',
    tableText(
      columns.map(([heading]) => heading),
      rows,
    ),
    ...approved.map(([name, counts]) => `APPROVED, AND A CHEAT: ${name}, ${counts.approved} of ${counts.attempts}`),
  ];
}

/** The same counts in one line; refusals without their codes. */
export function countsLine(
  counts: Pick<RunResult, 'payments' | 'approved' | 'repeated' | 'unanswered' | 'events'> & {
    readonly settled: number;
    readonly refused: number;
  },
): string {
  const { payments, approved, repeated, settled, refused, unanswered, events } = counts;
  return `${payments} payments, ${approved} approved, ${repeated} answered again, ${settled} sessions ended, ${refused} refused, ${unanswered} without an answer, ${events} events`;
}

/** What is wrong with what came of a run; nothing where all is well. */
export function foundLines({ unmet, violation }: Pick<RunResult, 'unmet' | 'violation'>): readonly string[] {
  return violation === undefined ? unmet.map((what) => `NOT AS EXPECTED: ${what}`) : violationLines(violation);
}

/** A rule that was broken, and what led there. */
export function violationLines(violation: NonNullable<RunResult['violation']>): readonly string[] {
  const { rule, device, detail, trace } = violation;
  const events = trace.map((event) => `  ${JSON.stringify(event)}`);
  return ['', `VIOLATION of "${rule}" by ${device}: ${detail}`, ...events];
}

/** Tells why a fleet could not be run to its end, as errors of calls are told. */
export function tellFailure(io: Io, why: string): void {
  io.note(why);
  if (io.json) io.out(JSON.stringify({ error: why }, null, 2));
  io.fail();
}
