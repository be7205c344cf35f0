// What must hold for any input: no change of a signed artifact goes through, nothing throws, a refusal changes nothing,
// and no order of payments spends more than was allowed.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PaymentRequest } from '../../core/chain/request.ts';
import { presentationFromAuthorization } from '../../core/intake/http-authorization.ts';
import type { JsonValue } from '../../core/json/value.ts';
import { admitBundle } from '../../core/trust/admission.ts';
import {
  BUNDLE,
  bundle,
  type Changes,
  entry,
  fleetPolicy,
  GRANT,
  grant,
  intent,
  NOW,
  present,
  SBA,
  SPA,
  sba,
  spa,
  spaFor,
} from '../fixtures/artifacts.ts';
import { ASKED, crypto, Device } from '../fixtures/device.ts';
import { anyJson } from '../fixtures/json-arbitrary.ts';
import { PA, pa, root, WALLET, wallet } from '../fixtures/keys.ts';
import { meaningOfBundle, meaningOfPresentation } from '../fixtures/meaning.ts';
import { jsonBytes } from '../fixtures/text.ts';

const small = () => present({ grant: grant({ allowedAssets: undefined }), sba: sba({ allowedAssets: undefined }) });
const enveloped = () => present({ grant: grant({ budgetMinor: '5000' }, {}, 'envelope') });
const everything = () =>
  present({
    grant: grant({ budgetMinor: '5000', maxSpend: { perTxMinor: '1000' }, note: 'é\u{1f600}' }),
    spa: spaFor(intent()),
    settlementIntent: intent({ createdAt: 'today' }),
    fleetPolicyAuthorization: fleetPolicy(),
  });
const smallBundle = () =>
  bundle({ approvedIssuers: [PA, WALLET], issuers: [entry(PA, pa), entry(WALLET, wallet)], revokedGrantIds: ['g'] });

/** Bytes with one of them replaced. */
function replaced(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = byte;
  return copy;
}

/** The bytes that a byte is replaced with where every place is tried. */
function replacements(byte: number): readonly number[] {
  return [byte ^ 0x01, byte ^ 0x20, 0x22, 0x30].filter((other) => other !== byte);
}

/** One small change of bytes: replaced, removed or put in. */
function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const at = fc.nat({ max: bytes.length - 1 });
  const byte = fc.oneof(
    fc.nat({ max: 255 }),
    fc.constantFrom(...[...'"\\{}[]:,0eE-+._ \n\u0000'].map((c) => c.charCodeAt(0))),
  );
  return fc.oneof(
    fc.tuple(at, byte).map(([i, b]) => replaced(bytes, i, b)),
    at.map((i) => Uint8Array.from([...bytes.subarray(0, i), ...bytes.subarray(i + 1)])),
    fc.tuple(at, byte).map(([i, b]) => Uint8Array.from([...bytes.subarray(0, i), b, ...bytes.subarray(i)])),
  );
}

describe('a change of one byte is refused, or leaves content, issuer, kid and signature as they were', () => {
  // Takes a bare SBA too.
  const device = new Device({
    configuration: { sbaOnly: { maxAmountMinor: '1000' }, sbaIssuers: { [PA]: [WALLET], '*': [WALLET] } },
  });

  /** What slipped through, as text with the changed byte marked. */
  function slipped(original: Uint8Array, changed: Uint8Array): string | undefined {
    if (!device.verifier.check(changed, ASKED).ok) return undefined;
    if (meaningOfPresentation(changed) === meaningOfPresentation(original)) return undefined;
    const at = original.findIndex((byte, i) => byte !== changed[i]);
    return new TextDecoder().decode(changed.subarray(Math.max(0, at - 30), at + 30));
  }

  it('in a grant and an SBA, at every place', () => {
    const original = small();
    device.approves(() => device.verifier.check(original, ASKED));
    const through: string[] = [];
    for (let at = 0; at < original.length; at++) {
      for (const byte of replacements(original[at] as number)) {
        const changed = replaced(original, at, byte);
        const found = slipped(original, changed);
        if (found !== undefined) through.push(found);
      }
    }
    expect(through).toEqual([]);
  });

  for (const [name, make] of [
    ['in a grant in an envelope and an SBA', enveloped],
    ['in grant, SBA, SPA, intent and fleet policy', everything],
    ['in a bare SBA', () => jsonBytes(sba())],
  ] as const) {
    it(`${name}, anywhere`, () => {
      const original = make();
      expect(device.verifier.check(original, ASKED)).toMatchObject({ ok: true });
      fc.assert(
        fc.property(damaged(original), (changed) => {
          expect(slipped(original, changed)).toBeUndefined();
        }),
        { numRuns: 800 },
      );
    });
  }

  it('in a Trust Bundle, at every place', () => {
    const original = smallBundle();
    const context = {
      crypto,
      rootKeys: [{ kid: root.kid, publicKey: root.publicKey }],
      scope: {},
      nowMs: NOW,
      newest: () => undefined,
    };
    expect(admitBundle(original, context)).not.toHaveProperty('ok');
    const through: string[] = [];
    for (let at = 0; at < original.length; at++) {
      for (const byte of replacements(original[at] as number)) {
        const changed = replaced(original, at, byte);
        if ('ok' in admitBundle(changed, context) || meaningOfBundle(changed) === meaningOfBundle(original)) continue;
        through.push(new TextDecoder().decode(changed.subarray(Math.max(0, at - 30), at + 30)));
      }
    }
    expect(through).toEqual([]);
  });
});

/** Replaces what lies at a path of a JSON value; the path's numbers choose among members and elements. */
function grafted(value: JsonValue, path: readonly number[], graft: JsonValue): JsonValue {
  if (path.length === 0 || typeof value !== 'object' || value === null) return graft;
  const [first, ...rest] = path as [number, ...number[]];
  if (Array.isArray(value)) {
    if (value.length === 0) return graft;
    return value.with(first % value.length, grafted(value[first % value.length], rest, graft));
  }
  const names = Object.keys(value);
  if (names.length === 0) return graft;
  const name = names[first % names.length] as string;
  return { ...value, [name]: grafted((value as Record<string, JsonValue>)[name] as JsonValue, rest, graft) };
}

describe('no input makes the verifier throw, and a refusal changes nothing', () => {
  /** Everything the verifier can be handed, in every shape. */
  const input = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    anyJson().map(jsonBytes),
    damaged(everything()),
    damaged(smallBundle()),
    fc
      .tuple(
        fc.constantFrom(everything(), smallBundle(), jsonBytes(grant()), jsonBytes(sba())),
        fc.array(fc.nat({ max: 40 }), { maxLength: 5 }),
        anyJson(),
      )
      .map(([bytes, path, graft]) =>
        jsonBytes(grafted(JSON.parse(new TextDecoder().decode(bytes)), path, graft as JsonValue)),
      ),
    fc
      .array(damaged(smallBundle()), { maxLength: 3 })
      .map((items) =>
        Uint8Array.from(
          Buffer.concat([
            Buffer.from('{"bundles":['),
            ...items.flatMap((item, i) => [Buffer.from(i > 0 ? ',' : ''), item]),
            Buffer.from(']}'),
          ]),
        ),
      ),
  );

  it.each<
    [string, (device: Device, bytes: Uint8Array) => { readonly ok: boolean } | readonly { readonly ok: boolean }[]]
  >([
    ['a presentation', (device, bytes) => device.authorize(bytes)],
    ['a presentation, explained', (device, bytes) => device.authorize(bytes, {}, { explain: true })],
    ['a presentation for a reservation', (device, bytes) => device.reserve(bytes)],
    ['a bundle', (device, bytes) => device.verifier.admit(bytes)],
    ['a set of bundles', (device, bytes) => device.verifier.admitSet(bytes) as { readonly ok: boolean }],
    ['a grant', (device, bytes) => device.verifier.checkGrant(bytes)],
    ['a fleet policy', (device, bytes) => device.verifier.checkFleetPolicy(bytes, jsonBytes(grant()))],
    [
      'the grant of a fleet policy',
      (device, bytes) => device.verifier.checkFleetPolicy(jsonBytes(fleetPolicy()), bytes),
    ],
  ])('as %s', (_, act) => {
    let device = new Device();
    fc.assert(
      fc.property(input, (bytes) => {
        const before = device.state();
        const result = act(device, bytes);
        const results = Array.isArray(result) ? result : [result];
        if (results.some((item) => item.ok)) device = new Device();
        else expect(device.state()).toEqual(before);
      }),
      { numRuns: 150 },
    );
  });

  it('as a header', () => {
    const header = fc.oneof(
      fc.string({ unit: 'binary' }),
      input.map((bytes) => `MPCP ${Buffer.from(bytes).toString('base64')}`),
    );
    fc.assert(
      fc.property(header, (value) => {
        const bytes = presentationFromAuthorization(value);
        if (!(bytes instanceof Uint8Array)) expect(bytes).toMatchObject({ ok: false, code: 'SBA_INVALID' });
      }),
      { numRuns: 100 },
    );
  });

  it('as artifacts that are signed, whatever is in them', () => {
    const device = new Device({ configuration: { budgetUse: 'reuse' } });
    const odd = fc.oneof(
      anyJson(),
      fc.constantFrom('9'.repeat(38), '1', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', 1, 0, -1, [], {}, null),
    );
    const changes = (body: object) =>
      fc.dictionary(
        fc.constantFrom(...Object.keys(body), 'budgetMinor', 'maxSpend', 'velocityLimit', 'subjectId', 'expiresAtISO'),
        odd,
        { maxKeys: 3, noNullPrototype: true },
      );
    fc.assert(
      fc.property(
        changes(GRANT),
        changes(SBA),
        changes(SPA),
        fc.constantFrom('flat' as const, 'envelope' as const),
        (a, b, c, form) => {
          const before = device.state();
          const parts = {
            grant: grant(a as Changes, {}, form),
            sba: sba(b as Changes),
            ...(Object.keys(c).length > 1 ? { spa: spa(c as Changes) } : {}),
          };
          const decision = device.authorize(present(parts), { amountMinor: '1' }, { explain: true });
          if (!decision.ok) expect(device.state()).toEqual(before);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('as a bundle that is signed, whatever is in it', () => {
    const changes = fc.dictionary(
      fc.constantFrom(...Object.keys(BUNDLE), 'merchant', 'geography', 'revokedGrantIds'),
      anyJson(),
      { maxKeys: 2, noNullPrototype: true },
    );
    fc.assert(
      fc.property(changes, (changed) => {
        const device = new Device({ bundles: [] });
        const before = device.state();
        const admission = device.verifier.admit(bundle(changed as Changes));
        if (!admission.ok) expect(device.state()).toEqual(before);
        expect(device.authorize(present()).ok).toBeTypeOf('boolean');
      }),
      { numRuns: 120 },
    );
  });

  it('as a request', () => {
    const device = new Device();
    const names: readonly (keyof PaymentRequest)[] = [
      'amountMinor',
      'sessionId',
      'policyHash',
      'rail',
      'asset',
      'destination',
      'purpose',
      'gateway',
      'actorId',
      'unit',
    ];
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), fc.oneof(anyJson(), fc.constant(undefined)), {
          maxKeys: 3,
          noNullPrototype: true,
        }),
        (asked) => {
          expect(device.verifier.check(present(), { ...ASKED, ...(asked as Partial<PaymentRequest>) }).ok).toBeTypeOf(
            'boolean',
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('as the end of a reservation', () => {
    const device = new Device();
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.double()), fc.oneof(fc.string(), fc.integer()), (receiptId, amount) => {
        const before = device.state();
        expect(device.verifier.settle(receiptId, amount as string).ok).toBe(false);
        expect(device.verifier.release(receiptId).ok).toBe(false);
        expect(device.state()).toEqual(before);
      }),
    );
  });
});

describe('no order of payments spends more than was allowed', () => {
  const GRANT_BUDGET = 2500n;
  const CEILINGS = [1000n, 2000n];

  type Step =
    | { readonly do: 'authorize' | 'reserve'; readonly budget: number; readonly amount: bigint; readonly key: number }
    | { readonly do: 'settle'; readonly which: number; readonly amount: bigint }
    | { readonly do: 'release'; readonly which: number }
    | { readonly do: 'restart' };

  const amount = fc.bigInt({ min: 1n, max: 1100n });
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constantFrom('authorize' as const, 'reserve' as const),
        budget: fc.nat({ max: 1 }),
        amount,
        key: fc.nat({ max: 6 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat({ max: 5 }), amount }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat({ max: 5 }) }) },
    { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
  );

  it('with two budgets under one grant, reservations, idempotency keys and restarts: every verdict is that of a plain model', () => {
    const payer = (n: number) => sba({ budgetId: `budget-${n}`, maxAmountMinor: String(CEILINGS[n]) });
    const limited = grant({ budgetMinor: String(GRANT_BUDGET) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
        const device = new Device({ configuration: { budgetUse: 'reuse' } });
        const spent = [0n, 0n];
        const open: { receiptId: number; budget: number; amount: bigint }[] = [];
        const answered = new Map<string, string>();
        for (const item of steps) {
          if (item.do === 'restart') device.restart();
          else if ('budget' in item) {
            // Keys from 4 on are none. A key is used for payments only: repeats of reservations have tests of their own.
            const keyed = item.key < 4 && item.do === 'authorize';
            const name = `key-${item.key}`;
            const content = `${item.budget} ${item.amount}`;
            const known = keyed ? answered.get(name) : undefined;
            const fits =
              (spent[item.budget] as bigint) + item.amount <= (CEILINGS[item.budget] as bigint) &&
              (spent[0] as bigint) + (spent[1] as bigint) + item.amount <= GRANT_BUDGET;
            const expected =
              item.amount <= (CEILINGS[item.budget] as bigint) && (known === undefined ? fits : known === content);
            const bytes = present({
              grant: limited,
              sba: payer(item.budget),
              ...(keyed ? { idempotencyKey: name } : {}),
            });
            const decision = device[item.do](bytes, { amountMinor: String(item.amount) });
            expect(decision.ok).toBe(expected);
            if (!decision.ok) continue;
            expect(decision.repeated).toBe(known !== undefined);
            if (known !== undefined) continue;
            spent[item.budget] = (spent[item.budget] as bigint) + item.amount;
            if (keyed) answered.set(name, content);
            if (item.do === 'reserve')
              open.push({ receiptId: decision.receiptId, budget: item.budget, amount: item.amount });
          } else {
            const at = open.length === 0 ? -1 : item.which % open.length;
            const reservation = open[at];
            const final = item.do === 'settle' ? item.amount : 0n;
            const closing =
              item.do === 'settle'
                ? device.verifier.settle(reservation?.receiptId ?? 999, String(item.amount))
                : device.verifier.release(reservation?.receiptId ?? 999);
            expect(closing.ok).toBe(reservation !== undefined && final <= reservation.amount);
            if (!closing.ok || reservation === undefined) continue;
            spent[reservation.budget] = (spent[reservation.budget] as bigint) - reservation.amount + final;
            open.splice(at, 1);
          }
          expect(device.verifier.openReservations()).toHaveLength(open.length);
        }
      }),
      { numRuns: 60 },
    );
  });
});
