// The day that `npm start` shows: every step comes to what it has to, and nothing is left behind.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { runDay } from '../../host-sim/day/day.ts';
import { type DayStep, Steps } from '../../host-sim/day/step.ts';
import { CollectingLog } from '../../host-sim/ports/log.ts';
import { register } from '../../tools/cli/commands/demo.ts';
import { type Channels, createIo } from '../../tools/cli/io.ts';
import { inspectLedger } from '../../tools/ledger/inspection.ts';
import { inspectJournal } from '../../tools/ledger/journal-inspection.ts';

const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('mpcp-day-'));

describe('the day', () => {
  it('comes to what it has to, step by step', async () => {
    const steps: DayStep[] = [];
    const before = leftovers();
    expect(await runDay((step) => steps.push(step))).toEqual({ ok: true });
    expect(steps.filter((step) => !step.ok)).toEqual([]);
    expect(steps.map((step) => step.step)).toEqual(steps.map((_, i) => i + 1));
    expect(steps.map(({ verdict, code }) => code ?? verdict)).toEqual([
      'done',
      'done',
      'NO_TRUST_BUNDLE',
      'done',
      'unreachable',
      'approved',
      'SPA_SIGNATURE_INVALID',
      'BUDGET_ID_REPLAY',
      'ARTIFACT_EXPIRED',
      'GRANT_BUDGET_EXCEEDED',
      'approved',
      'done',
      'unreachable',
      'done',
      'done',
      'KEY_REVOKED',
      'BUNDLE_ROLLBACK',
      'power-cut',
      'done',
      'repeated',
      'BUDGET_ID_REPLAY',
      'KEY_REVOKED',
      'approved',
      'done',
    ]);
    expect(leftovers()).toEqual(before);
  });

  it('can be watched: every decision of the charger and every request to the authority', async () => {
    const log = new CollectingLog();
    await runDay(() => undefined, { log });
    expect(log.named('payment.authorize').length).toBeGreaterThan(10);
    expect(log.named('authority.request').length).toBeGreaterThan(5);
    expect(log.named('upload.send')).toMatchObject([
      { first: 1, last: 2 },
      { first: 1, last: 2 },
      { first: 3, last: 4 },
    ]);
    expect(log.named('backend.request').map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(log.named('ledger.open')).toHaveLength(2);
    expect(log.named('ledger.problem')).toEqual([]);
  });
});

describe('steps', () => {
  const outcome = { verdict: 'refused', code: 'KEY_REVOKED', detail: 'it is' } as const;

  it.each<[string, boolean, Partial<Parameters<Steps['run']>[1]>, object]>([
    ['verdict and code as expected', true, {}, {}],
    ['another code', false, { code: 'KEY_NOT_FOUND' }, {}],
    ['a code where none is expected', false, { verdict: 'refused', code: undefined as never }, {}],
    ['another verdict', false, { verdict: 'approved' }, {}],
    ['anything else that is wrong', false, {}, { wrong: ['the relay is closed'] }],
  ])('%s: ok is %s', async (_, ok, expected, changes) => {
    const emitted: DayStep[] = [];
    const steps = new Steps((step) => emitted.push(step));
    await steps.run('a step', { verdict: 'refused', code: 'KEY_REVOKED', ...expected }, () => ({
      ...outcome,
      ...changes,
    }));
    expect([emitted[0]?.ok, steps.ok]).toEqual([ok, ok]);
  });

  it('what is thrown fails the step it was thrown in', async () => {
    const emitted: DayStep[] = [];
    const steps = new Steps((step) => emitted.push(step));
    const thrown = steps.run('a step', { verdict: 'done' }, () => Promise.reject(new TypeError('oh')));
    await thrown.catch((error: Error) => steps.stop(error));
    expect(emitted).toMatchObject([{ title: 'a step', verdict: 'failed', detail: 'TypeError: oh', ok: false }]);
    expect(steps.ok).toBe(false);
  });
});

describe('the command `demo`', () => {
  async function run(...args: string[]): Promise<{ lines: string[]; notes: string; failed: boolean }> {
    const written = { stdout: '', stderr: '' };
    let failed = false;
    const channels: Channels = {
      stdout: (text) => {
        written.stdout += text;
      },
      stderr: (text) => {
        written.stderr += text;
      },
    };
    const io = createIo(channels, args.includes('--json'), () => {
      failed = true;
    });
    const program = new Command();
    register(program, io);
    await program.parseAsync(['node', 'mpcp-embedded', 'demo', ...args]);
    return { lines: written.stdout.split('\n').slice(0, -1), notes: written.stderr, failed };
  }

  it('shows one line per step, and a summary', async () => {
    const { lines, failed } = await run();
    expect(failed).toBe(false);
    expect(lines.splice(-2)).toEqual(['', '24 of 24 steps as expected']);
    expect(lines).toHaveLength(24);
    for (const line of lines) expect(line).toMatch(/^✓ /);
    expect(lines[16]).toMatch(/^✓ 17 the older bundle played back +refused +BUNDLE_ROLLBACK +issuedAt /);
  });

  it('--keep leaves the flash as it is at the end, and touches none that is there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mpcp-kept-'));
    try {
      const { notes, failed } = await run('--keep', join(folder, 'day'));
      expect([notes, failed]).toEqual([
        `kept in ${folder}/day: ledger.flash, journal.flash, bundles.flash, provisioning.img\n`,
        false,
      ]);
      expect(readdirSync(join(folder, 'day')).sort()).toEqual([
        'bundles.flash',
        'journal.flash',
        'ledger.flash',
        'provisioning.img',
      ]);
      const ledger = readFileSync(join(folder, 'day', 'ledger.flash'));
      expect(inspectLedger(Uint8Array.from(ledger), { blockSize: 4096 })).toMatchObject({
        nextReceiptId: 5,
        damage: [],
      });
      const journal = readFileSync(join(folder, 'day', 'journal.flash'));
      expect(inspectJournal(Uint8Array.from(journal), { blockSize: 4096 }, 4)).toMatchObject({
        acknowledgedUpTo: 4,
        damage: [],
      });
      await expect(run('--keep', join(folder, 'day'))).rejects.toThrow('ledger.flash is there already');
      expect(readFileSync(join(folder, 'day', 'ledger.flash')).equals(ledger)).toBe(true);
      await expect(run('--keep', join(folder, 'day', 'ledger.flash'))).rejects.toThrow('cannot write there');
      await expect(run('--keep', '')).rejects.toThrow('has no name');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('--json prints nothing but one object per step', async () => {
    const { lines, notes, failed } = await run('--json');
    const steps = lines.map((line) => JSON.parse(line) as DayStep);
    expect(steps.every((step) => step.ok)).toBe(true);
    expect(steps[5]).toMatchObject({ step: 6, expected: { verdict: 'approved' }, verdict: 'approved', ok: true });
    expect([notes, failed]).toEqual(['24 of 24 steps as expected\n', false]);
  });
});
