// The ledger benchmark in small: its budgets are met, and a payment costs one program and no erase.

import { expect, it } from 'vitest';
import { run } from '../cli/run.ts';

it('bench-ledger counts wear, the hot path and a start, and meets its budgets', async () => {
  const { code, stdout } = await run('bench-ledger', '--payments', '4000', '--json');
  const { wear, journalWear, journalRoom, hotPath, boot } = JSON.parse(stdout);
  expect(code).toBe(0);
  for (const line of wear) {
    expect(line).toMatchObject({ ok: true, payments: 4000 });
    expect(line.paymentsUntilWorn).toBeGreaterThan(10_000_000);
  }
  for (const line of journalWear) {
    expect(line).toMatchObject({ ok: true, payments: 4000 });
    expect(line.paymentsUntilWorn).toBeGreaterThan(10_000_000);
  }
  expect(journalRoom.map((line: { payments: number }) => line.payments)).toHaveLength(4);
  for (const line of journalRoom) expect(line.payments).toBeGreaterThanOrEqual(line.atLeast);
  expect(hotPath.map((line: { programs: number }) => line.programs)).toEqual([1, 1, 1, 1, 2, 3, 3]);
  for (const line of hotPath) expect(line).toMatchObject({ ok: true, erases: 0 });
  expect(boot[0]).toMatchObject({ bytes: 65_536 });
  expect(boot[0].entries).toBeGreaterThanOrEqual(800);
  expect(boot[1].entries).toBeGreaterThanOrEqual(10_000);
  expect(boot[2]).toMatchObject({ bytes: 262_144, entries: journalRoom[1].payments });
  expect(boot[2].memoryBytes).toBeLessThan(8192);
});
