// Each rule that holds for every device can be broken, and is then found: devices that misbehave, one rule each, in a scenario in
// which honest ones do not.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Approval } from '../../../core/verifier.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { keyName } from '../../../host-sim/invariants/facts.ts';
import { FleetModel, type Invariant } from '../../../host-sim/invariants/model.ts';
import { type RunResult, runScenario } from '../../../host-sim/simulation/run.ts';
import type { Charger, MakeCharger } from '../../../host-sim/simulation/simulated-device.ts';
import { type ChargerParts, VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { changedScenario, ScenarioBench } from './bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterAll(() => bench.remove());

/** Thirty hours of one gate, with everything in them that a rule is about. */
const EVENTFUL = changedScenario((scenario) => {
  scenario.duration = '30h';
  scenario.authority.bundles = { every: '5h', lifetime: '10h' };
  scenario.keys['thieves-1'] = 'seeded';
  scenario.fleet.policy.site.sbaIssuers['pa.metro.example'].push('thieves.example');
  scenario.fleet.policy.site.refresh = { intervalMs: 3_600_000 };
  scenario.wallets[0].count = 3;
  scenario.wallets[0].grant = { budget: '10000000' };
  const thieves = { name: 'thieves', issuer: 'thieves.example', key: 'thieves-1', grant: { budget: '60000000' } };
  const lost = { name: 'lost', issuer: 'riders.example', key: 'riders-1', grant: { budget: '60000000' } };
  scenario.wallets.push(thieves, lost);
  scenario.arrivals[0].pattern = { every: '40m' };
  for (const wallets of ['thieves', 'lost'])
    scenario.arrivals.push({ wallets, devices: 'gate-1', pattern: { every: '3h' }, amount: '1000000' });
  const classes = ['budget-forged', 'late', 'replayed', 'amount-raised'];
  scenario.arrivals.push({ ...scenario.arrivals[0], pattern: { every: '50m' }, hostile: { share: 1, classes } });
  scenario.actions = [
    { at: '15h', revokeKey: 'thieves-1' },
    { at: '15h', revokeGrants: { wallets: 'lost' } },
  ];
});

async function runWith(makeCharger?: MakeCharger, text = EVENTFUL, readBackEvery = 1): Promise<RunResult> {
  const read = readScenario(bench.write('scenario.yaml', text));
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return runScenario(read.scenario, { readBackEvery, ...(makeCharger && { makeCharger }) });
}

/** A charger with some of its methods replaced. */
function misbehaving(change: (charger: VirtualCharger, parts: ChargerParts) => Partial<Charger>): MakeCharger {
  return (parts) => {
    const charger = new VirtualCharger(parts);
    const changed = change(charger, parts);
    return new Proxy(charger, {
      get: (target, name) => {
        const own = Object.getOwnPropertyDescriptor(changed, name);
        if (own !== undefined) return own.get === undefined ? own.value : own.get.call(changed);
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
}

const texts = { grantId: '', budgetId: '', sessionId: '', actorId: '' };

/** A charger that approves what it should refuse with a code. */
function approving(code: string, repeated = false, receiptId = 9999): MakeCharger {
  return misbehaving((charger) => ({
    present: async (bytes, request) => {
      const decision = await charger.present(bytes, request);
      if (decision.ok || decision.code !== code) return decision;
      return { ok: true, receiptId, repeated, amountMinor: request.amountMinor, timeMs: 0, ...texts };
    },
  }));
}

/** A charger that has taken everything before. */
const alwaysAgain = misbehaving(() => ({
  present: async (_, { amountMinor }) => ({ ok: true, receiptId: 1, repeated: true, amountMinor, timeMs: 0, ...texts }),
}));

/** A charger that gives what is presented again the answer that it got; some more. */
function answeringAgain(more = 0n): MakeCharger {
  return misbehaving((charger) => {
    const given = new Map<string, Approval>();
    return {
      present: async (bytes, request) => {
        const decision = await charger.present(bytes, request);
        const name = Buffer.from(bytes).toString();
        if (decision.ok) given.set(name, decision);
        const before = given.get(name);
        if (decision.ok || before === undefined) return decision;
        return { ...before, repeated: true, amountMinor: (BigInt(before.amountMinor) + more).toString() };
      },
    };
  });
}

/** A charger that gives one receipt for good. */
const oneReceipt = misbehaving((charger) => ({
  present: async (bytes, request) => {
    const decision = await charger.present(bytes, request);
    return decision.ok ? { ...decision, receiptId: 1 } : decision;
  },
}));

/** A charger that fetches no bundle after the first. */
const contented = misbehaving((charger) => ({
  refreshIfDue: async () => (charger.bundleIds.length > 0 ? { kind: 'waiting', ms: 600_000 } : charger.refreshIfDue()),
}));

/** A charger whose stores are in memory alone. */
const forgetful: MakeCharger = (parts) => {
  const memory = (like: { readonly size: number }) => new SimulatedFlash(new MemoryStore(like.size));
  return new VirtualCharger({
    ...parts,
    flash: memory(parts.flash),
    journal: memory(parts.journal as NonNullable<ChargerParts['journal']>),
  });
};

/** A charger that shows the first bundles it had for good. */
const backwards = misbehaving((charger) => {
  const seen: string[] = [];
  return {
    get bundleIds() {
      for (const id of charger.bundleIds) if (!seen.includes(id)) seen.push(id);
      return seen.length > 2 ? seen.slice(0, 1) : charger.bundleIds;
    },
  };
});

const MUTANTS: readonly (readonly [string, Invariant, MakeCharger])[] = [
  ['keeps what it approves in memory alone', 'durable', forgetful],
  ['goes on above the cap of a grant', 'cap', approving('GRANT_BUDGET_EXCEEDED')],
  ['takes what has expired', 'expired', approving('ARTIFACT_EXPIRED')],
  ['takes a key that its bundle revokes', 'revoked', approving('KEY_REVOKED')],
  ['takes a grant that its bundle revokes', 'revoked', approving('GRANT_REVOKED')],
  ['takes what nobody has signed', 'unapproved', approving('SBA_SIGNATURE_INVALID')],
  ['takes what was paid before', 'cap', approving('BUDGET_ID_REPLAY')],
  [
    'has a bundle in force that nobody has issued',
    'unapproved',
    misbehaving(() => ({
      get bundleIds() {
        return ['somebodys'];
      },
    })),
  ],
  ['goes back to an older bundle', 'rolled-back', backwards],
  [
    'hands nothing in',
    'acknowledged',
    misbehaving(() => ({ handIn: async () => ({ kind: 'done', receipts: 0, batches: 0 }) })),
  ],
  ['fetches no bundle after the first', 'stuck', contented],
  ['has taken everything before', 'durable', alwaysAgain],
  ['has taken before what nobody has signed', 'unapproved', approving('SBA_SIGNATURE_INVALID', true, 1)],
  ['says that another payment was this one', 'durable', approving('BUDGET_ID_REPLAY', true, 1)],
  ['says that what it took before was more', 'durable', answeringAgain(1n)],
];

describe('the rules', () => {
  it('hold for a device as it is', async () => {
    const result = await runWith();
    expect(result.violation).toBeUndefined();
    expect(result.approved).toBeGreaterThan(30);
    for (const code of [
      'GRANT_BUDGET_EXCEEDED',
      'ARTIFACT_EXPIRED',
      'KEY_REVOKED',
      'GRANT_REVOKED',
      'BUDGET_ID_REPLAY',
    ])
      expect(result.refused, code).toHaveProperty(code);
  });

  it.each(MUTANTS)('find a device that %s: %s', async (_, invariant, makeCharger) => {
    const { violation } = await runWith(makeCharger);
    expect(violation?.invariant).toBe(invariant);
    expect(violation?.device).toBe('gate-1');
    expect(violation?.trace.at(-1)).toMatchObject({ event: 'violation', invariant });
  });

  it('let a device give an answer again that it gave, and count it apart', async () => {
    const { violation, payments, approved, repeated, refused, unanswered } = await runWith(answeringAgain());
    expect(violation).toBeUndefined();
    expect(repeated).toBeGreaterThan(0);
    const allRefused = Object.values(refused).reduce((sum, count) => sum + count, 0);
    expect(approved + repeated + allRefused + unanswered).toBe(payments);
  });

  it('find a device that gives one receipt to two payments, though nobody looks at its flash', async () => {
    const { violation } = await runWith(oneReceipt, EVENTFUL, 1000);
    expect(violation).toMatchObject({ invariant: 'durable', detail: 'receipt 1 was given to two payments' });
  });

  it.each([
    ['journal', 'read-only'],
    ['journal', 'reads-fail'],
    ['journal', 'bad-block'],
    ['ledger', 'bad-block'],
  ])(
    'find a device that fetches nothing while its %s has the fault %s, and none that does',
    async (partition, what) => {
      const text = changedScenario((scenario) => {
        scenario.duration = '12h';
        scenario.authority.bundles = { every: '1h', lifetime: '2h' };
        scenario.fleet.policy.site.refresh = { intervalMs: 600_000 };
        scenario.faults = [{ devices: 'gate-1', at: '10m', for: '11h', flash: { partition, what } }];
      });
      expect((await runWith(undefined, text)).violation).toBeUndefined();
      expect((await runWith(contented, text)).violation?.invariant).toBe('stuck');
    },
  );

  it('find no device stuck whose ledger records nothing since it met a bad block', async () => {
    const text = changedScenario((scenario) => {
      scenario.seed = 3;
      scenario.duration = '8h';
      scenario.hardware = { ledger: '16KiB' };
      scenario.authority.bundles = { every: '1h', lifetime: '2h' };
      scenario.fleet.policy.site.refresh = { intervalMs: 600_000 };
      const flash = { partition: 'ledger', what: 'bad-block' };
      scenario.faults = [{ devices: 'gate-1', at: '10m', for: '7h', flash }];
    });
    const { violation, refused } = await runWith(undefined, text);
    expect([violation, refused]).toEqual([undefined, { STORE_FAILED: expect.any(Number) }]);
  });

  it('find a device that takes a payment after all its bundles have expired', async () => {
    const text = changedScenario((scenario) => {
      scenario.duration = '4h';
      scenario.arrivals[0].pattern = { every: '20m' };
      scenario.authority.bundles = { every: '3d', lifetime: '2h' };
    });
    const honest = await runWith(undefined, text);
    expect([honest.violation, honest.refused]).toEqual([undefined, { KEY_NOT_FOUND: expect.any(Number) }]);
    const { violation } = await runWith(approving('KEY_NOT_FOUND'), text);
    expect(violation?.invariant).toBe('expired');
  });

  it('find a device that takes payments without knowing the time', async () => {
    const text = changedScenario((scenario) => {
      scenario.faults = [{ devices: 'gate-1', at: '20m', clockReset: true }];
    });
    const { violation } = await runWith(approving('CLOCK_UNTRUSTED'), text);
    expect(violation?.invariant).toBe('expired');
  });

  it('end the run, and what led there is less than all of it', async () => {
    const { violation, events } = await runWith(approving('KEY_REVOKED'));
    expect(violation?.trace.length).toBeLessThan(events / 3);
    expect(violation?.trace.map(({ event }) => event)).toContain('authority.revoke-key');
  });

  it('are told with exit 1, in words and as events', async () => {
    // A device that nobody served for an hour: until it tries again the run is over.
    const text = changedScenario((scenario) => {
      scenario.settle = '1m';
      scenario.faults = [{ devices: 'gate-1', unreachable: true, to: 'operator' }];
    });
    const { code, stdout } = await bench.sim(text);
    expect(code).toBe(1);
    expect(stdout).toContain(
      'VIOLATION of "every approval is acknowledged in the end" by gate-1: receipt 1 of 1000000',
    );
    const json = await bench.sim(text, '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout.trimEnd().split('\n').at(-1) as string)).toMatchObject({
      event: 'result',
      violation: { invariant: 'acknowledged', device: 'gate-1' },
    });
  });
});

describe('an answer that was lost', () => {
  const payment = {
    grantId: 'grant',
    budgetId: 'budget',
    grantSigner: { issuer: 'pa', kid: 'g' },
    budgetSigner: { issuer: 'wallet', kid: 'w' },
    expiresAtMs: 1000,
    grantExpiresAtMs: 2000,
    singleMost: undefined,
    budgetMost: 5n,
    grantMost: 8n,
  };
  const again = { payment, forged: undefined, amount: 5n, receiptId: 3, presented: 'these bytes' };
  const modelWith = (...unanswered: readonly string[]) => {
    const model = new FleetModel();
    const facts = {
      roots: ['root'],
      grantIssuers: ['pa'],
      budgetIssuers: new Map([['pa', ['wallet']]]),
      driftMs: 0,
      earliestMs: 0,
      patienceMs: 0,
      settlesLeft: false,
    };
    model.made('gate-1', facts);
    for (const presented of unanswered) model.unanswered('gate-1', presented);
    return model;
  };

  it('may be given when the same is presented again, and as often as it is', () => {
    const model = modelWith('these bytes');
    expect(model.repeated('gate-1', again)).toBeUndefined();
    expect(model.repeated('gate-1', again)).toBeUndefined();
  });

  it('is lost no more where the same was approved afterwards: no other receipt may be given', () => {
    const model = modelWith('these bytes');
    const { grantSigner, budgetSigner } = payment;
    model.issued({
      bundleId: 'bundle',
      root: 'root',
      identity: 'pa',
      issuedAtMs: 0,
      expiresAtMs: 1000,
      approvedIssuers: ['pa', 'wallet'],
      keys: new Map([grantSigner, budgetSigner].map((signer) => [keyName(signer), true])),
      revokedGrantIds: [],
    });
    const approval = { ...again, receiptId: 2, wallMs: 1, inForce: ['bundle'], recorded: undefined };
    expect(model.approved('gate-1', approval)).toBeUndefined();
    expect(model.repeated('gate-1', again)?.invariant).toBe('durable');
  });

  it('may not be given for what was never presented, or by another device', () => {
    const model = modelWith('other bytes');
    expect(model.repeated('gate-1', again)?.invariant).toBe('durable');
  });

  it('counts: against caps, for the operator, and its receipt is nobody else’s', () => {
    const model = modelWith('these bytes', 'more bytes', 'most bytes');
    expect(model.repeated('gate-1', again)).toBeUndefined();
    expect(model.ended('gate-1', new Map(), [])?.invariant).toBe('acknowledged');
    const more = { ...again, payment: { ...payment, budgetId: 'another' }, presented: 'more bytes' };
    expect(model.repeated('gate-1', { ...more, amount: 1n })?.detail).toBe('receipt 3 was given to two payments');
    expect(model.repeated('gate-1', { ...more, receiptId: 4, presented: 'most bytes' })?.invariant).toBe('cap');
  });
});
