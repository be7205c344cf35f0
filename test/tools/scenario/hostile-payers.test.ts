// Payers who cheat, one class at a time, at one gate for some hours: none gets anything, and each is told why. And every code that a
// device refuses with is seen in some run, or it is said why none can show it.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ReasonCode, reasonCodes } from '../../../core/reason-codes.ts';
import { HOSTILE_CLASSES, type HostileClass } from '../../../host-sim/faults/hostile-payer.ts';
import { REFUSALS_OF_PAYMENTS } from '../../../tools/soak/coverage.ts';
import type { Values } from './bench.ts';
import { failures, ran, ranFreely } from './one-gate.ts';

/** Why each class is refused; those that pick at random have more than one reason. */
const REFUSED_WITH: { readonly [kind in HostileClass]: readonly string[] } = {
  'amount-raised': ['AMOUNT_EXCEEDED'],
  'amount-short': ['AMOUNT_MISMATCH'],
  'destination-changed': ['DESTINATION_MISMATCH'],
  replayed: ['BUDGET_ID_REPLAY', 'ARTIFACT_EXPIRED'],
  late: ['ARTIFACT_EXPIRED'],
  'signature-flipped': ['POLICY_GRANT_SIGNATURE_INVALID', 'SBA_SIGNATURE_INVALID', 'SPA_SIGNATURE_INVALID'],
  'signatures-swapped': ['POLICY_GRANT_SIGNATURE_INVALID'],
  'signature-malleable': ['SBA_SIGNATURE_INVALID'],
  'signature-zero': ['SBA_SIGNATURE_INVALID'],
  'grant-forged': ['POLICY_GRANT_SIGNATURE_INVALID'],
  'budget-forged': ['SBA_SIGNATURE_INVALID'],
  'payment-forged': ['SPA_SIGNATURE_INVALID'],
  'budget-raised': ['SBA_SIGNATURE_INVALID'],
  'grant-raised': ['POLICY_GRANT_SIGNATURE_INVALID'],
  'grant-expired': ['ARTIFACT_EXPIRED'],
  'payment-expired': ['ARTIFACT_EXPIRED'],
  'grant-left-out': ['POLICY_GRANT_NOT_FOUND'],
  'intent-left-out': ['INTENT_HASH_MISMATCH'],
  'intent-changed': ['INTENT_HASH_MISMATCH'],
  'payment-left-out': ['ARTIFACT_INVALID'],
  'grant-other': ['POLICY_GRANT_NOT_FOUND'],
  'policy-other': ['POLICY_HASH_MISMATCH'],
  'session-other': ['SESSION_MISMATCH'],
  'budget-other': ['SBA_NOT_FOUND'],
  'actor-other': ['SUBJECT_ACTOR_MISMATCH'],
  'scope-fleet': ['SCOPE_UNSUPPORTED'],
  'rail-other': ['RAIL_MISMATCH'],
  'asset-other': ['ASSET_MISMATCH'],
  'destination-other': ['DESTINATION_MISMATCH'],
  'ceiling-short': ['AMOUNT_EXCEEDED'],
  'amount-odd': ['ARTIFACT_INVALID'],
  'expiry-odd': ['ARTIFACT_INVALID'],
  'version-unknown': ['VERSION_UNSUPPORTED'],
  'grant-self-issued': ['ISSUER_NOT_PERMITTED'],
  'issuer-unlisted': ['ISSUER_NOT_PERMITTED'],
  'prefix-other': ['SBA_SIGNATURE_INVALID'],
  'key-unknown': ['KEY_NOT_FOUND'],
  'currency-other': ['CURRENCY_MISMATCH'],
  'grant-of-neighbour': ['ISSUER_NOT_PERMITTED'],
  'budget-of-neighbour': ['ISSUER_NOT_PERMITTED'],
  'grant-destination-other': ['DESTINATION_NOT_ALLOWED'],
  'grant-purpose-other': ['PURPOSE_NOT_ALLOWED'],
  'grant-gateway-other': ['GATEWAY_NOT_AUTHORIZED'],
  'grant-budget-short': ['GRANT_BUDGET_EXCEEDED'],
  'grant-payment-short': ['AMOUNT_EXCEEDED'],
  'grant-single-short': ['OFFLINE_SINGLE_EXCEEDED'],
  'grant-cumulative-short': ['OFFLINE_CUMULATIVE_EXCEEDED'],
  'fleet-policy-expired': ['ARTIFACT_EXPIRED'],
  'fleet-policy-raised': ['FPA_CAP_EXCEEDED'],
  'fleet-policy-short': ['AMOUNT_EXCEEDED'],
  'fleet-policy-used': ['AMOUNT_EXCEEDED'],
  'fleet-policy-operator-other': ['FPA_OPERATOR_NOT_ALLOWED'],
  'fleet-policy-actor-other': ['SUBJECT_ACTOR_MISMATCH'],
  'fleet-policy-rail-other': ['RAIL_MISMATCH'],
  'fleet-policy-asset-other': ['ASSET_MISMATCH'],
  'fleet-policy-currency-other': ['CURRENCY_MISMATCH'],
  'fleet-policy-forged': ['FPA_SIGNATURE_INVALID'],
  'fleet-policy-unknown': ['KEY_NOT_FOUND'],
  'budget-used': ['AMOUNT_EXCEEDED', 'ARTIFACT_EXPIRED'],
  'decision-used': ['BUDGET_ID_REPLAY'],
  'key-used': ['IDEMPOTENCY_CONFLICT'],
  truncated: ['SBA_INVALID'],
  garbage: ['SBA_INVALID', 'LIMIT_EXCEEDED'],
  'members-twice': ['SBA_INVALID'],
  'member-unknown': ['ARTIFACT_INVALID'],
  'member-missing': ['ARTIFACT_INVALID', 'SBA_SIGNATURE_INVALID'],
  'type-changed': ['ARTIFACT_INVALID', 'SBA_SIGNATURE_INVALID'],
  'text-malformed': ['SBA_INVALID'],
  'list-long': ['LIMIT_EXCEEDED'],
  'nested-deeply': ['LIMIT_EXCEEDED'],
  oversize: ['LIMIT_EXCEEDED'],
  'cbor-lying': ['SBA_INVALID', 'LIMIT_EXCEEDED'],
};

const GATEWAY = 'rha59r5myHXTZLzdpf63TQmHi5LBna8Nsg';

/** What a terminal must state so that somebody can cheat at it by a class. */
const AT_A_TERMINAL: { readonly [kind in HostileClass]?: object } = {
  'currency-other': { unit: { kind: 'fiat', currency: 'EUR', minorUnit: 2 } },
  'fleet-policy-currency-other': { unit: { kind: 'fiat', currency: 'EUR', minorUnit: 2 } },
  'grant-gateway-other': { gateway: GATEWAY },
};

/** Adds payers who cheat by a class, with an idempotency key where the class is about one. */
function withCheats(scenario: Values, kind: HostileClass): void {
  Object.assign(scenario.fleet.policy.site.terminal, AT_A_TERMINAL[kind]);
  if (kind === 'key-used') scenario.arrivals[0].retry = { after: '1m' };
  scenario.arrivals.push({ ...scenario.arrivals[0], from: '1h', hostile: { share: 1, classes: [kind] } });
}

describe('a payer who cheats', () => {
  it('has all these classes to choose from, and SIMULATOR names them', () => {
    const text = readFileSync(new URL('../../../docs/SIMULATOR.md', import.meta.url), 'utf8');
    const [, told = ''] = /\nPayers cheat by ([^#]*)\n\nA payer who may/.exec(text) ?? [];
    expect(new Set([...told.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name))).toEqual(
      new Set(['classes', ...HOSTILE_CLASSES]),
    );
  });

  it.each(HOSTILE_CLASSES)('by "%s" gets nothing, and is told why', async (kind) => {
    const { result, events } = await ran({ latency: '1s' }, (scenario) => withCheats(scenario, kind));
    const answers = events.filter(({ event, hostile }) => event === 'payment' && hostile === kind);
    expect(answers.length).toBeGreaterThan(5);
    expect(new Set(answers.map(({ answer }) => answer))).toEqual(new Set(['refused']));
    for (const { code, detail } of answers) expect(REFUSED_WITH[kind], `${code}: ${detail}`).toContain(code);
    expect(result.approved).toBe(result.payments - answers.length);
  });

  it.each(['single-use', 'reuse'])(
    'gets nothing at a site of profile lite either, with budgets for %s',
    async (budgetUse) => {
      const { events } = await ran({ latency: '1s' }, (scenario) => {
        const { site } = scenario.fleet.policy;
        Object.assign(site, { profile: 'lite', budgetUse });
        for (const stated of Object.values(AT_A_TERMINAL)) Object.assign(site.terminal, stated);
        Object.assign(scenario.arrivals[0], { retry: { after: '1m' } });
        const cheats = { pattern: { every: '40s' }, from: '1h', hostile: { share: 1 } };
        scenario.arrivals.push({ ...scenario.arrivals[0], ...cheats });
      });
      const answers = events.filter(({ event, hostile }) => event === 'payment' && hostile !== undefined);
      expect(new Set(answers.map(({ hostile }) => hostile))).toEqual(new Set(HOSTILE_CLASSES));
      // What has an idempotency key may be answered again; it counts once.
      const others = answers.filter(
        ({ answer, hostile }) => answer !== 'refused' && !(hostile === 'replayed' && answer === 'repeated'),
      );
      expect(others).toEqual([]);
    },
  );

  // What the site lists is all that keeps these out: bundles approve the neighbour, and all signatures are good.
  it.each([
    [
      'grant-of-neighbour',
      { grantIssuers: ['pa.neighbour.invalid'], sbaIssuers: { 'pa.neighbour.invalid': ['riders.example'] } },
    ],
    ['budget-of-neighbour', { sbaIssuers: { 'pa.metro.example': ['riders.example', 'pa.neighbour.invalid'] } }],
  ] as const)(
    'by "%s" gets through where the site lists whoever has signed, and the rules notice',
    async (kind, site) => {
      const { result } = await ranFreely({ latency: '1s' }, (scenario) => {
        withCheats(scenario, kind);
        const { grantIssuers, sbaIssuers } = scenario.fleet.policy.site;
        Object.assign(scenario.fleet.policy.site, {
          grantIssuers: [...grantIssuers, ...('grantIssuers' in site ? site.grantIssuers : [])],
          sbaIssuers: { ...sbaIssuers, ...site.sbaIssuers },
        });
      });
      expect(result.violation).toMatchObject({ invariant: 'unapproved', detail: expect.stringContaining(kind) });
    },
  );
});

/** How a code comes about: payments are refused in a run, or bundles are; or nothing in a run can bring it about. */
type Reached =
  | { readonly payments: object; readonly change?: (scenario: Values) => void }
  | { readonly bundles: object }
  | { readonly never: string; readonly shownIn: string };

/** Codes that no class of payers has for its own. */
const OTHERWISE: { readonly [code in ReasonCode]?: Reached } = {
  BUNDLE_ROLLBACK: { bundles: { replayed: true } },
  BUNDLE_SCOPE_MISMATCH: { bundles: { otherMerchant: 'did:web:other.example' } },
  TRUST_BUNDLE_SIGNATURE_INVALID: { bundles: { forged: 'stranger' } },
  CLOCK_UNTRUSTED: {
    payments: { clockReset: true },
    change: (scenario) => {
      scenario.links = [{ devices: 'gate-1', pattern: { outage: { at: '2h', for: '1h' } } }];
    },
  },
  DEVICE_BUSY: {
    payments: { latency: '1s' },
    change: (scenario) => {
      scenario.arrivals[0].session = { lasts: '40m', delivered: 1 };
    },
  },
  GRANT_REVOKED: {
    payments: { latency: '1s' },
    change: (scenario) => {
      scenario.actions = [{ at: '3h', revokeGrants: { wallets: 'riders' } }];
    },
  },
  KEY_REVOKED: {
    payments: { latency: '1s' },
    change: (scenario) => {
      scenario.actions = [{ at: '3h', revokeKey: 'riders-1' }];
    },
  },
  NO_TRUST_BUNDLE: {
    payments: { latency: '1s' },
    change: (scenario) => {
      scenario.keys['root-2'] = 'seeded';
      const provision = { devices: 'gate-1', rootKeys: ['root-2'], within: '1m' };
      scenario.actions = [
        { at: '2h', provision },
        { at: '3h', rotateRoot: 'root-2' },
      ];
    },
  },
  STORE_FAILED: { payments: { flash: { partition: 'ledger', what: 'reads-fail' } } },
  STORE_FULL: {
    payments: { unreachable: true, to: 'operator' },
    change: (scenario) => {
      scenario.hardware = { journal: '28KiB' };
      scenario.arrivals[0].pattern = { every: '5m' };
    },
  },
  VELOCITY_LIMIT_EXCEEDED: {
    payments: { latency: '1s' },
    change: (scenario) => {
      scenario.wallets[0].grant.velocity = { payments: 1, within: '1h' };
    },
  },
  KEY_FORMAT_INVALID: {
    never: 'no authority issues a bundle with a key that cannot be used, and devices take bundles of no other',
    shownIn: 'test/core/trust/key-resolution.test.ts',
  },
  RESERVATION_NOT_FOUND: {
    never: 'a charger ends what it has reserved, once; that it finds nothing to end breaks a rule',
    shownIn: 'test/tools/scenario/sessions.test.ts',
  },
  REVOCATION_UNKNOWN: {
    never: 'grants of a scenario name no revocationEndpoint: they are for MPCP v1 on xrpl',
    shownIn: 'test/host-sim/virtual-device/revocation.test.ts',
  },
  SESSION_PROOF_INVALID: {
    never: 'session proofs are shown to a gateway, and there is none in a scenario',
    shownIn: 'test/core/gateway/session-proof.test.ts',
  },
  SESSION_PROOF_STALE: {
    never: 'session proofs are shown to a gateway, and there is none in a scenario',
    shownIn: 'test/core/gateway/session-proof.test.ts',
  },
};

/** Codes that all payers of a class are refused with, which is shown above. */
const OF_CLASSES = new Set(Object.values(REFUSED_WITH).flatMap((codes) => (codes.length === 1 ? codes : [])));

describe('a code that a device refuses with', () => {
  it('is that of a class of payers, or of something else that goes wrong, or has its reason to be neither', () => {
    expect([...OF_CLASSES, ...Object.keys(OTHERWISE)].sort()).toEqual([...reasonCodes()].sort());
  });

  it.each(Object.entries(OTHERWISE))('%s is seen, or shown elsewhere', async (code, how) => {
    if ('never' in how) {
      expect(existsSync(how.shownIn) && readFileSync(how.shownIn, 'utf8')).toContain(code);
      return;
    }
    const run = await ran('bundles' in how ? how.bundles : how.payments, 'change' in how ? how.change : undefined);
    if ('bundles' in how) expect([...failures(run)]).toContainEqual(expect.stringMatching(`^refused: ${code}: `));
    else expect(run.result.refused).toHaveProperty(code);
  });

  it('is one that a soak looks for, where a payment of a scenario can have it', () => {
    const ofPayments = Object.entries(OTHERWISE).flatMap(([code, how]) => ('payments' in how ? [code] : []));
    expect([...REFUSALS_OF_PAYMENTS].sort()).toEqual([...OF_CLASSES, ...ofPayments].sort());
  });
});
