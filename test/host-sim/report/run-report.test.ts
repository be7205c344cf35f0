// The report of a run as a page: names stay text wherever they stand, and what has no place in a run has none on its page.

import { describe, expect, it } from 'vitest';
import { RunCollector } from '../../../host-sim/report/collector.ts';
import { runReport } from '../../../host-sim/report/run-report.ts';
import type { RunResult } from '../../../host-sim/simulation/run.ts';

const HOSTILE = `"><script>alert('x')</script><img src=x onerror=alert(1)>&$&$'$1`;
/** Elements, and attributes, that load or run something. */
const DANGEROUS = /^<(script|img|iframe|object|embed|link|base|form|foreignObject|use|image)\b|\s(on\w+|src|srcset)=/i;

const tags = (page: string) =>
  (page.match(/<[^>]*>/g) ?? [])
    .filter((tag) => !tag.startsWith('<meta'))
    .map((tag) => tag.replace(/="[^"]*"/g, '=""'));

const RESULT: RunResult = {
  payments: 4,
  approved: 1,
  repeated: 0,
  refused: {},
  unanswered: 3,
  unheard: { approved: 0, acknowledged: 0 },
  acknowledged: 1,
  unmet: [],
  events: 9,
};

/** A device with a session that power broke off, a cheat and a payment without an answer, all of that name. */
function reported(name: string, result: RunResult): string {
  const collector = new RunCollector([name]);
  let n = 0;
  const told = (ms: number, event: string, members = {}) =>
    collector.heard({ n: ++n, ms, event, device: name, ...members });
  told(0, 'device.started');
  told(10, 'fault.begins', { fault: name });
  told(20, 'payment.reserve', { ok: true, receiptId: 1, amountMinor: '5' });
  told(20, 'payment', { answer: 'none', decided: 'approved', receiptId: 1, payer: name, amountMinor: '5' });
  told(30, 'payment', {
    answer: 'none',
    decided: 'refused',
    code: name,
    payer: name,
    hostile: name,
    amountMinor: name,
  });
  told(40, 'payment', { answer: 'refused', code: name, payer: name, retryOf: 4, amountMinor: '5' });
  told(50, 'device.power-lost');
  const terms = { title: name, seed: 1, file: name, engine: name, beginsMs: 0, durationMs: 100, settleMs: 0 };
  return runReport({ ...terms, bundleLifetimeMs: 1000 }, result, collector.record(100));
}

/** How a cheat fared. */
const cheat = (members: object) => ({
  attempts: 2,
  refused: {},
  approved: 0,
  repeated: 0,
  undecided: 0,
  ...members,
});

describe('the report of a run', () => {
  it('has names as text: of devices, payers, classes, codes and faults, in tables and in lanes', () => {
    const cheats = { [HOSTILE]: cheat({ refused: { [HOSTILE]: 1 }, approved: 1 }) };
    const page = reported(HOSTILE, { ...RESULT, settled: 0, cheats });
    expect(tags(page).filter((tag) => DANGEROUS.test(tag))).toEqual([]);
    for (const name of ['sessions', 'odd-sessions', 'unanswered', 'unanswered-payments', 'cheats'])
      expect(page, name).toMatch(new RegExp(`data-table="${name}"[^]*?&lt;script&gt;`));
    expect(page).not.toContain('<script>');
  });

  it('is the same bytes each time', () => {
    const result = { ...RESULT, settled: 0, cheats: { late: cheat({ refused: { B: 1, A: 1 } }) } };
    expect(reported('gate-1', result)).toBe(reported('gate-1', result));
  });

  it('says nothing of sessions and cheats where a scenario has none', () => {
    const page = reported('gate-1', RESULT);
    expect(page).not.toContain('id="sessions"');
    expect(page).not.toContain('id="cheats"');
  });

  it('has at its head which cheats were approved, and whether that broke a rule', () => {
    const cheats = { late: cheat({ approved: 1, refused: { ARTIFACT_EXPIRED: 1 } }), garbage: cheat({}) };
    const page = reported('gate-1', { ...RESULT, cheats });
    const [head] = page.split('</header>');
    expect(head).toContain('data-outcome="cheats"');
    expect(head).toContain('<code>late</code>: 1 of 2');
    expect(head).not.toContain('<code>garbage</code>');
    expect(head).toContain('No rule was broken by it');
    const violation = {
      invariant: 'unapproved',
      device: 'gate-1',
      detail: '',
      about: [],
      rule: '',
      trace: [],
    } as const;
    expect(reported('gate-1', { ...RESULT, cheats, violation })).not.toContain('No rule was broken by it');
    expect(reported('gate-1', { ...RESULT, cheats: { garbage: cheat({}) } })).not.toContain('data-outcome="cheats"');
  });

  it('has approvals that no payer was told of among its figures, where there are any', () => {
    expect(reported('gate-1', RESULT)).not.toContain('data-figure="unheard-approved"');
    const page = reported('gate-1', { ...RESULT, unheard: { approved: 2, acknowledged: 1 } });
    expect(page).toContain('<span data-figure="unheard-approved">2</span>');
    expect(page).toContain('<span data-figure="unheard-acknowledged">1</span>');
  });
});
