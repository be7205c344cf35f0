// Every check of the chain: passing, refusing with its code, and skipping where the trace shows it.

import { describe, expect, it } from 'vitest';
import { CHAIN } from '../../../core/chain/chain.ts';
import { fleetPolicy, grant, present, sba } from '../../fixtures/artifacts.ts';
import { Device } from '../../fixtures/device.ts';
import { PA, WALLET } from '../../fixtures/keys.ts';
import { jsonBytes } from '../../fixtures/text.ts';
import { covered } from './rule.ts';
import './rules/presented.ts';
import './rules/expiry.ts';
import './rules/links.ts';
import './rules/terms.ts';
import './rules/amounts.ts';
import './rules/fleet-policy.ts';
import './rules/signers.ts';
import './rules/counters.ts';
import './rules/signatures.ts';
import './rules/online.ts';

/** Checks that always have something to look at. */
const NEVER_SKIP = [
  'device.trust-loaded',
  'device.store',
  'policyGrant.presented',
  'sba.expiry',
  'policyGrant.not-revoked',
  'sba.scope',
  'sba.ceiling',
  'sba.signer',
  'sba.signature',
];

describe('the chain', () => {
  it('has names that differ, and a clause for each', () => {
    const ids = CHAIN.map((check) => check.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const check of CHAIN) {
      expect(check.id).toMatch(/^[a-zA-Z]+\.[a-z-]+$/);
      expect(check.id.startsWith(`${check.artifact}.`)).toBe(true);
      expect(check.clause).toMatch(/^(INTEROP|PROFILES|ARCHITECTURE|DESIGN) /);
    }
  });

  it('has every check covered here: seen passing and refusing', () => {
    expect([...covered.keys()].sort()).toEqual(CHAIN.map((check) => check.id).sort());
    for (const [id, { codes }] of covered) expect(codes.length, id).toBeGreaterThan(0);
  });

  it('has every check seen skipping that can', () => {
    const never = [...covered].filter(([, { skips }]) => !skips).map(([id]) => id);
    expect(never.sort()).toEqual([...NEVER_SKIP].sort());
  });

  it('has every check that a grant or a fleet policy gets alone', () => {
    const { verifier } = new Device();
    const explain = { explain: true };
    const lines = [
      ...(verifier.checkGrant(jsonBytes(grant()), explain).trace ?? []),
      ...(verifier.checkFleetPolicy(jsonBytes(fleetPolicy()), jsonBytes(grant()), explain).trace ?? []),
    ];
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) expect(CHAIN.map((check) => check.id)).toContain(line.check);
  });

  it('cannot be changed by those who are shown it', () => {
    expect(Object.isFrozen(CHAIN)).toBe(true);
  });

  it('looks at signatures last, each after its key and after everything that needs none; behind them is what may need a network', () => {
    const ids = CHAIN.map((check) => check.id);
    const signatures = ids.filter((id) => id.endsWith('.signature'));
    expect(ids.slice(-signatures.length - 1)).toEqual([...signatures, 'policyGrant.online']);
  });
});

describe('the trace', () => {
  it('has a line for every check, in order, when a payment is approved', () => {
    const decision = new Device().authorize(present(), {}, { explain: true });
    expect(decision.trace?.map((line) => line.check)).toEqual(CHAIN.map((check) => check.id));
    expect(new Set(decision.trace?.map((line) => line.verdict))).toEqual(new Set(['pass', 'skip']));
  });

  it('has a line for every check when a payment is refused: one failed, the rest not run', () => {
    const decision = new Device().authorize(present({ sba: sba({ grantId: 'x' }) }), {}, { explain: true });
    expect(decision.trace?.map((line) => line.check)).toEqual(CHAIN.map((check) => check.id));
    expect(decision.trace?.filter((line) => line.verdict === 'fail').map((line) => line.check)).toEqual([
      'sba.grant-link',
    ]);
  });

  it('says of an SBA alone that no grant was presented, not what a grant would hold', () => {
    const alone = { sbaIssuers: { [PA]: [WALLET], '*': [WALLET] }, sbaOnly: { maxAmountMinor: '5000' } };
    const device = new Device({ configuration: alone });
    const decision = device.authorize(present({ grant: undefined }), {}, { explain: true });
    expect(decision.ok).toBe(true);
    for (const line of decision.trace ?? []) expect(line.detail ?? '').not.toMatch(/the grant|no grant/);
  });

  it('is not there unless it is asked for', () => {
    expect(new Device().authorize(present())).not.toHaveProperty('trace');
    expect(new Device().authorize(present({ grant: undefined }))).not.toHaveProperty('trace');
  });

  it('tells the same verdict with and without', () => {
    for (const payment of [
      present(),
      present({ grant: grant({ budgetMinor: '1' }) }),
      present({ sba: sba({ sessionId: 'x' }) }),
    ]) {
      const { trace, ...explained } = new Device().authorize(payment, {}, { explain: true });
      expect(trace).toBeDefined();
      expect(explained).toEqual(new Device().authorize(payment));
    }
  });
});
