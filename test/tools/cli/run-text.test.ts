// What is printed of a run: its counts, and how payers cheated.

import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../../host-sim/simulation/run.ts';
import { cheatLines, countRows } from '../../../tools/cli/run-text.ts';
import { tableText } from '../../../tools/cli/table.ts';

const RESULT: RunResult = {
  payments: 9,
  approved: 4,
  repeated: 0,
  refused: { KEY_REVOKED: 1 },
  unanswered: 4,
  unheard: { approved: 0, acknowledged: 0 },
  acknowledged: 3,
  unmet: [],
  events: 50,
};
const NONE = { attempts: 0, refused: {}, approved: 0, repeated: 0, undecided: 0 };

describe('the counts of a run', () => {
  it('have approvals that no payer was told of under those without an answer, and which of them the operator has', () => {
    expect(tableText(['what', 'how many'], countRows({ ...RESULT, unheard: { approved: 2, acknowledged: 1 } }))).toBe(
      `what                              how many
payments                          9
approved                          4
  of these at the operator        3
answered again                    0
refused with KEY_REVOKED          1
without an answer                 4
  of these approved all the same  2
    of these at the operator      1`,
    );
  });

  it('say nothing of such where there are none', () => {
    expect(countRows(RESULT).at(-1)).toEqual(['without an answer', '4']);
  });
});

describe('how payers cheated', () => {
  it('is not told where nobody did', () => {
    expect(cheatLines({})).toEqual([]);
    expect(cheatLines({ cheats: {} })).toEqual([]);
  });

  it('has a row for each class that occurred, with the codes that it was refused with, the most frequent first', () => {
    const late = { ...NONE, attempts: 5, refused: { ARTIFACT_EXPIRED: 2, CLOCK_UNTRUSTED: 3 } };
    const garbage = { ...NONE, attempts: 1, refused: { ARTIFACT_INVALID: 1 } };
    expect(cheatLines({ cheats: { garbage, late } })).toEqual([
      '',
      `payers who cheat  attempts  refused with
garbage           1         ARTIFACT_INVALID 1
late              5         CLOCK_UNTRUSTED 3, ARTIFACT_EXPIRED 2`,
    ]);
  });

  it('has columns for what else came of them where anything did', () => {
    const replayed = { ...NONE, attempts: 3, repeated: 1, undecided: 2 };
    expect(cheatLines({ cheats: { late: { ...NONE, attempts: 1, refused: { X: 1 } }, replayed } })[1]).toBe(
      `payers who cheat  attempts  answered again  no power  refused with
late              1                                   X 1
replayed          3         1               2`,
    );
  });

  it('says aloud what was approved', () => {
    const cheats = { late: { ...NONE, attempts: 2, approved: 1, refused: { ARTIFACT_EXPIRED: 1 } } };
    expect(cheatLines({ cheats })).toEqual([
      '',
      `payers who cheat  attempts  APPROVED  refused with
late              2         1         ARTIFACT_EXPIRED 1`,
      'APPROVED, AND A CHEAT: late, 1 of 2',
    ]);
  });
});
