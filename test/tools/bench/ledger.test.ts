// The ledger benchmark in small: its budgets are met, and a payment costs one program and no erase.

import { expect, it } from 'vitest';
import { run } from '../cli/run.ts';

it('bench-ledger counts wear, the hot path and a start, and meets its budgets', async () => {
  const { code, stdout } = await run('bench-ledger', '--payments', '4000', '--json');
  const { wear, hotPath, boot } = JSON.parse(stdout);
  expect(code).toBe(0);
  for (const line of wear) {
    expect(line).toMatchObject({ ok: true, payments: 4000 });
    expect(line.paymentsUntilWorn).toBeGreaterThan(10_000_000);
  }
  for (const line of hotPath) expect(line).toMatchObject({ programs: 1, erases: 0 });
  expect(boot[0]).toMatchObject({ bytes: 65_536 });
  expect(boot[0].entries).toBeGreaterThanOrEqual(800);
  expect(boot[1].entries).toBeGreaterThanOrEqual(10_000);
});
