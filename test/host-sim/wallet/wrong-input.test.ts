// What a program without types may give a wallet: each wrong member is a WalletError that names it, at the call that gets
// it, and nothing was taken for it.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../core/json/value.ts';
import { DAY_BEGINS_MS, DAY_MS } from '../../../host-sim/day/scene.ts';
import { MpcpBudgetExceededError, WalletError } from '../../../host-sim/wallet/errors.ts';
import { presentationBytes, presentationHeader } from '../../../host-sim/wallet/presentation.ts';
import { createSession, type WalletSession } from '../../../host-sim/wallet/session.ts';
import type { SessionOptions } from '../../../host-sim/wallet/session-options.ts';
import { MemorySpendStorage } from '../../../host-sim/wallet/spend-storage.ts';
import { TestSite } from '../site.ts';

let site: TestSite;
let grant: JsonObject;
beforeAll(async () => {
  site = await TestSite.open();
  grant = await site.grant(site.cast.vehicleA);
});
afterAll(() => site.close());
beforeEach(() => site.clock.set(DAY_BEGINS_MS));

function options(changes: object = {}): SessionOptions {
  const { address, key } = site.cast.vehicleA;
  return {
    actorId: address,
    signingKey: key,
    scope: 'SESSION',
    ceiling: { amount: '1000', currency: 'XRP' },
    clock: site.clock,
    ...changes,
  };
}

/** What is thrown is told apart from what other errors say by its class too. */
async function refused(work: () => unknown, reason: string): Promise<void> {
  const error = await (async () => work())().then(
    () => 'nothing was thrown',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(WalletError);
  expect((error as Error).message).toContain(reason);
}

const circular: Record<string, unknown> = { kind: 'XRP' };
circular.within = circular;

function nested(levels: number): unknown {
  let value: unknown = {};
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

const OPTIONS: readonly [string, unknown, string][] = [
  ['signingKey', undefined, 'signingKey is missing'],
  ['signingKey', {}, 'signingKey is neither'],
  ['signingKey', Buffer.from('-----BEGIN PRIVATE KEY-----'), 'signingKey is neither'],
  ['signingKey', { kid: 5, secretKey: new Uint8Array(32) }, 'signingKey.kid is a number'],
  ['signingKey', '', 'signingKey cannot be used'],
  ['signingKeyId', 5, 'signingKeyId is a number'],
  ['actorId', undefined, 'actorId is missing'],
  ['actorId', 5, 'actorId is a number'],
  ['actorId', '', 'actorId is empty'],
  ['actorId', 'a\ud800', 'actorId holds a lone surrogate'],
  ['issuer', {}, 'issuer is an object'],
  ['issuer', null, 'issuer is null'],
  ['sessionId', 7, 'sessionId is a number'],
  ['sessionId', '', 'sessionId is empty'],
  ['scope', 'X', 'scope is neither SESSION nor TRIP'],
  ['scope', undefined, 'scope is neither SESSION nor TRIP'],
  ['ceiling', undefined, 'ceiling is missing'],
  ['ceiling', '80000', 'ceiling is text'],
  ['ceiling', { currency: 'XRP' }, 'ceiling.amount is not an amount'],
  ['ceiling', { amount: 80_000, currency: 'XRP' }, 'ceiling.amount is not an amount'],
  ['ceiling', { amount: '1' }, 'ceiling.currency is not three upper-case letters'],
  ['ceiling', { amount: '1', currency: 5 }, 'ceiling.currency is not three upper-case letters'],
  ['minorUnit', 2.5, 'minorUnit is not a whole number'],
  ['minorUnit', '6', 'minorUnit is not a whole number'],
  ['storage', {}, 'storage has no method open'],
  ['storage', 5, 'storage is a number'],
  ['storage', null, 'storage is null'],
  ['clock', {}, 'clock has no method wallMs'],
  ['clock', { wallMs: () => 'now', monotonicMs: () => 0 }, 'clock.wallMs gives no time'],
  ['sbaLifetimeMs', 0, 'sbaLifetimeMs is not'],
  ['sbaLifetimeMs', Number.NaN, 'sbaLifetimeMs is not'],
  ['revocationEndpoint', 5, 'revocationEndpoint is a number'],
  ['revocationTtl', -1, 'revocationTtl is not'],
  ['revocationTtl', Number.NaN, 'revocationTtl is not'],
  ['revocationTtl', 'x', 'revocationTtl is not'],
  ['newId', 'id', 'newId is text'],
  ['revocationTTL', 5, 'a member revocationTTL'],
];

describe('createSession refuses', () => {
  it.each(OPTIONS)('%s: %o', async (name, value, reason) => {
    await refused(() => createSession(grant, options({ [name]: value })), reason);
  });

  it.each([[undefined], [null], [5], [[]]])('%o in place of its options', async (given) => {
    await refused(() => createSession(grant, given as unknown as SessionOptions), 'the second argument');
  });

  it.each<[string, () => unknown, string]>([
    ['none', () => undefined, 'the grant is missing'],
    ['null', () => null, 'the grant is null'],
    ['text', () => JSON.stringify(grant), 'the grant is text'],
    ['one that holds itself', () => ({ ...grant, grant: { ...inner(), allowedAssets: [circular] } }), 'nested'],
    ['one that holds itself beside its terms', () => ({ ...grant, note: circular }), 'nested'],
    ['one nested 50 000 deep', () => ({ ...grant, grant: { ...inner(), allowedAssets: nested(50_000) } }), 'nested'],
    ['one with a bigint', () => ({ ...grant, note: 5n }), 'a bigint'],
  ])('a grant that is %s', async (_, made, reason) => {
    await refused(() => createSession(made() as JsonObject, options()), reason);
  });

  it('a grant that is expired: it could sign nothing', async () => {
    site.clock.set(DAY_BEGINS_MS + 365 * DAY_MS);
    await refused(() => createSession(grant, options()), 'is expired');
  });

  it('a grant that is to be asked about with a clock that has no monotonicMs', async () => {
    const clock = { wallMs: () => DAY_BEGINS_MS };
    const asking = options({ clock, revocationEndpoint: 'http://127.0.0.1:1/revoke' });
    await refused(() => createSession(grant, asking), 'clock has no method monotonicMs');
  });
});

function inner(): JsonObject {
  return grant.grant as JsonObject;
}

/** Calls of a session, and what is wrong with what they are given. */
type Wrong = readonly [string, unknown, string];

const TERMS: readonly Wrong[] = [
  ['nothing', undefined, 'asked for is missing'],
  ['null', null, 'asked for is null'],
  ['text', '5', 'asked for is text'],
  ['no amount', {}, 'amount is not an amount'],
  ['a number as amount', { amount: 5 }, 'amount is not an amount'],
  ['text as asset', { amount: '5', asset: 'XRP' }, 'asset is text'],
  ['an asset that holds itself', { amount: '5', asset: circular }, 'asset cannot be used: nested'],
  ['a number as destination', { amount: '5', destination: 7 }, 'destination is a number'],
];

const SBA: readonly Wrong[] = [
  ...TERMS,
  ['a number as currency', { amount: '5', currency: 5 }, 'currency is a number'],
  ['an object as purpose', { amount: '5', purpose: {} }, 'purpose is an object'],
  ['a list as rail', { amount: '5', rail: ['xrpl'] }, 'rail is a list'],
  ['an expiry, which it would not mind', { amount: '5', expiresAt: 'x' }, 'a member expiresAt'],
];

const PAYMENT: readonly Wrong[] = [
  ...SBA,
  ['a number as ceiling', { amount: '5', ceiling: 5 }, 'ceiling is not an amount'],
  ['a number as amount below a ceiling', { amount: 5, ceiling: '10' }, 'amount is not an amount'],
  ['a number as referenceId', { amount: '5', referenceId: 5 }, 'referenceId is a number'],
  ['a number as idempotencyKey', { amount: '5', idempotencyKey: 5 }, 'idempotencyKey is a number'],
];

describe.each([
  ['createSba', SBA],
  ['createPayment', PAYMENT],
] as const)('%s refuses', (method, wrong) => {
  it.each(wrong)('%s, and takes nothing', async (_, given, reason) => {
    const session = await createSession(grant, options());
    await refused(() => (session[method] as (request: unknown) => unknown)(given), reason);
    expect(session.remaining()).toEqual({ remainingMinor: '1000' });
  });
});

describe('createSpa refuses', () => {
  async function paying(given: (sba: JsonObject) => unknown, reason: string): Promise<void> {
    const session: WalletSession = await createSession(grant, options());
    const sba = await session.createSba({ amount: '5' });
    await refused(() => (session.createSpa as (request: unknown) => unknown).call(session, given(sba)), reason);
    // The budget is whole.
    session.createSpa({ sba, amount: '5' });
  }

  it.each(TERMS)('%s, and takes nothing', (_, given, reason) =>
    paying((sba) => (typeof given === 'object' && given !== null ? { ...given, sba } : given), reason),
  );

  it.each<[string, (sba: JsonObject) => unknown, string]>([
    ['no budget', () => ({ amount: '5' }), 'sba is missing'],
    ['null as budget', () => ({ sba: null, amount: '5' }), 'sba is null'],
    ['an empty budget', () => ({ sba: {}, amount: '5' }), 'sba cannot be used'],
    ['a budget that holds itself', () => ({ sba: circular, amount: '5' }), 'sba cannot be used: nested'],
    ['an expiry', (sba) => ({ sba, amount: '5', expiresAt: 'x' }), 'a member expiresAt'],
    ['a number as referenceId', (sba) => ({ sba, amount: '5', referenceId: 5 }), 'referenceId is a number'],
    [
      'a budget without a rail',
      (sba) => ({
        sba: { ...sba, authorization: { ...(sba.authorization as JsonObject), allowedRails: [] } },
        amount: '5',
      }),
      'it allows no rail',
    ],
  ])('%s, and takes nothing', (_, given, reason) => paying(given, reason));
});

it('a payment above its own ceiling takes nothing from the session', async () => {
  const session = await createSession(grant, options());
  await expect(session.createPayment({ amount: '6', ceiling: '5' })).rejects.toThrow(MpcpBudgetExceededError);
  expect(session.remaining()).toEqual({ remainingMinor: '1000' });
});

it('options that are changed after createSession change nothing', async () => {
  const given = options({ ceiling: { amount: '1000', currency: 'XRP' } });
  const session = await createSession(grant, given);
  Object.assign(given, { scope: 'X', actorId: 5 });
  Object.assign(given.ceiling, { currency: 'EUR' });
  const { budgetScope, actorId, currency } = (await session.createSba({ amount: '5' })).authorization;
  expect([budgetScope, actorId, currency]).toEqual(['SESSION', site.cast.vehicleA.address, 'XRP']);
});

it('an id that is none, of whoever makes them, is refused', async () => {
  await refused(() => createSession(grant, options({ newId: () => 5 })), 'what newId gives is a number');
});

it('a storage that does not say what was taken is refused where it is asked', async () => {
  const sound = new MemorySpendStorage();
  const storage = { open: () => {}, take: () => false, account: async () => sound.account('') };
  const session = await createSession(grant, options({ storage }));
  await refused(() => session.remaining(), 'account gives limit and taken');
  await refused(() => session.createSba({ amount: '5' }), 'account gives limit and taken');
});

it.each([[undefined], [null], ['text']])('%o is no presentation', async (given) => {
  await refused(() => presentationBytes(given as never), 'the presentation is');
  await refused(() => presentationHeader(given as never), 'the presentation is');
});
