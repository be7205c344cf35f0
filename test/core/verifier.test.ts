// The verifier as a whole: time, requests, reservations, idempotency, artifacts alone, and a store that fails.

import { describe, expect, it } from 'vitest';
import type { PaymentRequest } from '../../core/chain/request.ts';
import { ConfigurationError, type Unit } from '../../core/configuration.ts';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { MemoryLedger } from '../../core/ledger/memory-ledger.ts';
import { Verifier } from '../../core/verifier.ts';
import {
  bundle,
  fleetPolicy,
  grant,
  inSeconds,
  intent,
  iso,
  NOW,
  present,
  sba,
  spa,
  spaFor,
  XRP,
} from '../fixtures/artifacts.ts';
import { ASKED, crypto, Device } from '../fixtures/device.ts';
import { FLEET, OTHER_PA, otherPa, PA, stranger, testKey, WALLET, wallet } from '../fixtures/keys.ts';
import { MemoryFlash } from '../fixtures/memory-flash.ts';
import { site } from '../fixtures/site.ts';
import { jsonBytes, utf8 } from '../fixtures/text.ts';

const HOUR = 3_600_000;

/** The smallest partition a ledger fits on. */
const SMALLEST = { size: 4096, blockSize: 1024 };

/** Pays from new budgets until there is no room for another. */
function fill(device: Device): void {
  for (let i = 0; i < 100; i++) {
    const decision = device.authorize(present({ sba: sba({ budgetId: `fill-${i}` }), idempotencyKey: undefined }));
    if (!decision.ok) {
      expect(decision.code).toBe('STORE_FULL');
      return;
    }
  }
  throw new Error('it is never full');
}

describe('an approval', () => {
  it('says what was approved, and when', () => {
    expect(new Device().authorize(present())).toEqual({
      ok: true,
      receiptId: expect.any(Number),
      repeated: false,
      amountMinor: '1000',
      grantId: 'grant-1',
      budgetId: 'budget-1',
      sessionId: 'session-1',
      actorId: 'rPayer',
      timeMs: NOW,
    });
  });

  it('is durable before it is given: a restart knows the payment', () => {
    const device = new Device();
    device.approves(() => device.authorize(present()));
    device.restart().refuses('BUDGET_ID_REPLAY', () => device.authorize(present()));
  });

  it('takes one program of the flash and no erase', () => {
    const device = new Device();
    const before = { ...device.flash.done };
    device.approves(() => device.authorize(present()));
    expect([device.flash.done.program - before.program, device.flash.done.erase - before.erase]).toEqual([1, 0]);
  });

  it('is logged, and so is a refusal, with its code', () => {
    const device = new Device();
    device.authorize(present());
    device.authorize(present());
    expect(device.events).toContainEqual(
      expect.objectContaining({ event: 'payment.authorize', ok: true, amountMinor: '1000' }),
    );
    expect(device.events).toContainEqual(
      expect.objectContaining({ event: 'payment.authorize', ok: false, check: 'sba.replay', code: 'BUDGET_ID_REPLAY' }),
    );
  });

  it('is given for every form of grant', () => {
    for (const form of ['flat', 'envelope'] as const) {
      const device = new Device();
      device.approves(() => device.authorize(present({ grant: grant({}, {}, form) })));
    }
  });
});

describe('a refusal', () => {
  it('names artifact, check and code', () => {
    expect(new Device().authorize(present({ sba: sba({ grantId: 'x' }) }))).toEqual({
      ok: false,
      artifact: 'sba',
      check: 'sba.grant-link',
      code: 'POLICY_GRANT_NOT_FOUND',
      detail: expect.any(String),
    });
  });

  it('burns nothing: a forged attempt leaves the honest payer everything', () => {
    const device = new Device();
    const forged = { ...sba(), signature: Buffer.alloc(64).toString('base64') };
    device.refuses('SBA_SIGNATURE_INVALID', () => device.authorize(present({ sba: forged, idempotencyKey: 'k' })));
    device.refuses('AMOUNT_EXCEEDED', () => device.authorize(present(), { amountMinor: '3001' }));
    device.approves(() => device.authorize(present({ idempotencyKey: 'k' }), { amountMinor: '3000' }));
  });

  it('of a shape comes before every check, with the artifact it is about', () => {
    for (const [parts, artifact] of [
      [{ grant: grant({ allowedRails: 'xrpl' }) }, 'policyGrant'],
      [{ sba: sba({ currency: 'euro' }) }, 'sba'],
      [{ spa: spa({ amount: '0' }) }, 'spa'],
      [{ spa: spa(), settlementIntent: intent({ memo: 'x' }) }, 'settlementIntent'],
      [{ fleetPolicyAuthorization: fleetPolicy({ scope: 'TRIP' }) }, 'fleetPolicyAuthorization'],
    ] as const) {
      const device = new Device();
      const refusal = device.refuses('ARTIFACT_INVALID', () => device.authorize(present(parts)));
      expect(refusal).toMatchObject({ artifact, check: `${artifact}.shape` });
    }
  });

  it('of another version says so', () => {
    for (const parts of [
      { grant: grant({ version: '2.0' }) },
      { sba: sba({ version: 2 }) },
      { spa: spa({ version: '3.1' }) },
    ]) {
      const device = new Device();
      device.refuses('VERSION_UNSUPPORTED', () => device.authorize(present(parts)));
    }
  });
});

describe('the request', () => {
  it.each([undefined, null, 1000, 1000n, '', '0', '-1', '01', '1.5', '1e3', '0x10', ' 1', 'ten', {}, ['1000']])(
    'with an amount that is none is ARTIFACT_INVALID: %o',
    (amountMinor) => {
      const device = new Device();
      const refusal = device.refuses('ARTIFACT_INVALID', () =>
        device.authorize(present(), { amountMinor: amountMinor as string }),
      );
      expect(refusal).toMatchObject({ artifact: 'request', check: 'request.read' });
    },
  );

  it('that is none is refused', () => {
    const device = new Device();
    for (const request of [undefined, null, 1, 'x']) {
      device.refuses('ARTIFACT_INVALID', () =>
        device.verifier.authorize(present(), request as unknown as PaymentRequest),
      );
    }
  });

  it('with an amount of more than 38 digits is AMOUNT_EXCEEDED', () => {
    const device = new Device();
    device.refuses('AMOUNT_EXCEEDED', () => device.authorize(present(), { amountMinor: '1'.repeat(39) }));
  });

  it('with a rail or an asset that is none is refused', () => {
    const device = new Device();
    device.refuses('RAIL_MISMATCH', () => device.authorize(present(), { rail: 'sepa' }));
    device.refuses('ARTIFACT_INVALID', () => device.authorize(present(), { asset: { kind: 'BTC' } }));
    device.refuses('ARTIFACT_INVALID', () => device.authorize(present(), { asset: 'XRP' }));
  });

  it.each([
    ['sesionId', { sesionId: 'session-2' }],
    ['Rail', { Rail: 'evm' }],
    ['amount', { amount: undefined }],
  ])('with a member it does not have is refused: %s', (name, more) => {
    const device = new Device();
    const refusal = device.refuses('ARTIFACT_INVALID', () => device.authorize(present(), more as object));
    expect(refusal.detail).toContain(name);
  });

  it.each([
    [{ kind: 'fiat', currency: 'EUR', minorUnits: 2 }],
    [{ kind: 'fiat', currency: 'eur' }],
    [{ kind: 'fiat', currency: 'EURO' }],
    [{ kind: 'fiat', currency: 'EUR', minorUnit: -1 }],
    [{ kind: 'fiat', currency: 'EUR', minorUnit: 256 }],
    [{ kind: 'fiat', currency: 'EUR', minorUnit: '2' }],
    [{ kind: 'atomic', currency: 'EUR' }],
    [['atomic']],
  ])('with a unit that is none is refused: %j', (unit) => {
    const device = new Device();
    device.refuses('ARTIFACT_INVALID', () => device.authorize(present(), { unit: unit as unknown as Unit }));
  });

  it('goes before what the terminal states', () => {
    const asked: Partial<PaymentRequest> = {
      rail: 'evm',
      asset: XRP,
      destination: 'rOther',
      unit: { kind: 'fiat', currency: 'USD' },
    };
    const both = {
      grant: grant({ allowedAssets: [XRP] }),
      sba: sba({ allowedRails: ['evm'], allowedAssets: [XRP], destinationAllowlist: ['rOther'], currency: 'USD' }),
    };
    const device = new Device();
    device.refuses('CURRENCY_MISMATCH', () => device.authorize(present(both)));
    device.approves(() => device.authorize(present(both), asked));
  });

  it('has the terminal’s values where it has none of its own, null included', () => {
    const device = new Device();
    const empty = {
      rail: null,
      asset: null,
      destination: null,
      purpose: null,
      gateway: null,
      unit: null,
    } as unknown as Partial<PaymentRequest>;
    device.approves(() => device.authorize(present(), empty));
  });

  it('compares assets by what they are, whatever the order of their members', () => {
    const device = new Device();
    device.approves(() =>
      device.authorize(present(), { asset: { issuer: 'rIssuer', kind: 'IOU', currency: 'RLUSD' } }),
    );
  });
});

describe('time', () => {
  it('that was never set refuses everything', () => {
    const device = new Device();
    device.nowMs = undefined;
    device.refuses('CLOCK_UNTRUSTED', () => device.authorize(present()));
    device.refuses('CLOCK_UNTRUSTED', () => device.reserve(present()));
    device.refuses('CLOCK_UNTRUSTED', () => device.verifier.check(present(), ASKED));
    device.refuses('CLOCK_UNTRUSTED', () => device.verifier.checkGrant(jsonBytes(grant())));
    device.refuses('CLOCK_UNTRUSTED', () => device.verifier.admit(bundle()));
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300])(
    'that makes no sense is no time: %d',
    (time) => {
      const device = new Device();
      device.nowMs = time;
      device.refuses('CLOCK_UNTRUSTED', () => device.authorize(present()));
    },
  );

  it('with a fraction of a millisecond is cut', () => {
    const device = new Device();
    device.nowMs = NOW + 0.9;
    expect(device.authorize(present())).toMatchObject({ ok: true, timeMs: NOW });
  });

  it('that was never set goes on with the floor, where the site says so', () => {
    const device = new Device({ configuration: { allowUnsetClock: true } });
    device.nowMs = undefined;
    expect(device.authorize(present())).toMatchObject({ ok: true, timeMs: NOW - HOUR });
  });

  it('that was never set, without a floor, refuses even there', () => {
    const verifier = new Verifier({
      configuration: site({ allowUnsetClock: true }),
      crypto,
      clock: { wallMs: () => undefined, monotonicMs: () => 0 },
      ledger: new MemoryLedger(crypto),
      earliestMs: 0,
    });
    expect(verifier.admit(bundle())).toMatchObject({ ok: false, code: 'CLOCK_UNTRUSTED' });
    expect(verifier.trust.bundles).toHaveLength(0);
  });

  it('is never before what a bundle was issued at: a clock set back does not revive what has expired', () => {
    const device = new Device({ bundles: [bundle({ issuedAt: inSeconds(0) })] });
    device.nowMs = NOW - 10 * HOUR;
    expect(device.verifier.now()).toBe(NOW);
    device.refuses('ARTIFACT_EXPIRED', () => device.authorize(present({ sba: sba({ expiresAt: inSeconds(-300) }) })));
  });

  it('is never before it after a restart either', () => {
    const device = new Device({ bundles: [bundle({ issuedAt: inSeconds(0) })] });
    device.nowMs = NOW - 10 * HOUR;
    device.restart([]);
    expect(device.verifier.now()).toBe(NOW);
  });

  it('is not moved by what an unauthenticated clock says: one set ahead can be set back', () => {
    const device = new Device();
    device.nowMs = NOW + 10 * HOUR;
    device.refuses('ARTIFACT_EXPIRED', () => device.authorize(present()));
    device.nowMs = NOW;
    device.approves(() => device.authorize(present()));
  });

  it('is not moved by payments made while the clock was ahead', () => {
    const device = new Device();
    device.nowMs = NOW + 1000;
    device.approves(() => device.authorize(present()));
    device.nowMs = NOW;
    expect(device.verifier.now()).toBe(NOW);
  });

  it('is not moved by a bundle that was refused', () => {
    const device = new Device({ bundles: [] });
    device.refuses('TRUST_BUNDLE_SIGNATURE_INVALID', () =>
      device.verifier.admit(
        jsonBytes({ ...JSON.parse(new TextDecoder().decode(bundle())), issuedAt: inSeconds(9999) }),
      ),
    );
    expect(device.verifier.now()).toBe(NOW);
  });

  it('is not that of a clock before the build: such a clock was never set', () => {
    const ledger = new FlashLedger(new MemoryFlash(), crypto);
    const made = (wallMs: number | undefined, allowUnsetClock = false) =>
      new Verifier({
        configuration: { ...site(), allowUnsetClock },
        crypto,
        clock: { wallMs: () => wallMs, monotonicMs: () => 0 },
        ledger,
        earliestMs: NOW,
      });
    expect(made(0).now()).toMatchObject({ code: 'CLOCK_UNTRUSTED' });
    expect(made(NOW - 1).now()).toMatchObject({ code: 'CLOCK_UNTRUSTED' });
    expect(made(NOW - 1, true).now()).toBe(NOW);
    for (const odd of [null, '5', 5n, Number.NaN]) expect(made(odd as number).now()).toMatchObject({ ok: false });
    expect(made(NOW + 1).now()).toBe(NOW + 1);
    expect(made(undefined).now()).toMatchObject({ code: 'CLOCK_UNTRUSTED' });
    expect(made(undefined, true).now()).toBe(NOW);
  });

  it('is one moment for the whole decision', () => {
    let reads = 0;
    const flash = new MemoryFlash();
    const ledger = new FlashLedger(flash, crypto);
    const clock = { wallMs: () => NOW + reads++ * 10 * HOUR, monotonicMs: () => 0 };
    const verifier = new Verifier({ configuration: site(), crypto, clock, ledger });
    expect(verifier.admit(bundle())).toMatchObject({ ok: true });
    reads = 0;
    expect(verifier.authorize(present(), ASKED)).toMatchObject({ ok: true, timeMs: NOW });
    expect(reads).toBe(1);
  });

  it('expires bundles without drift, while artifacts have theirs', () => {
    const device = new Device({ bundles: [bundle({ expiresAt: iso(NOW + 1) })] });
    device.approves(() => device.authorize(present()));
    device.nowMs = NOW + 1;
    const refusal = device.refuses('KEY_NOT_FOUND', () => device.authorize(present({ sba: sba({ budgetId: 'b2' }) })));
    expect(refusal.detail).toMatch(/every bundle that approves .* is expired/);
  });
});

describe('a reservation', () => {
  it('counts at once, is settled for less, and what is left can be spent', () => {
    const device = new Device({ configuration: { budgetUse: 'reuse' } });
    const { receiptId } = device.approves(() => device.reserve(present(), { amountMinor: '3000' }));
    device.refuses('AMOUNT_EXCEEDED', () => device.authorize(present(), { amountMinor: '1' }));
    expect(device.verifier.settle(receiptId, '1200')).toMatchObject({ ok: true, amountMinor: '1200' });
    device.refuses('AMOUNT_EXCEEDED', () => device.authorize(present(), { amountMinor: '1801' }));
    device.approves(() => device.authorize(present(), { amountMinor: '1800' }));
  });

  it('is logged when it ends, and so is an end that is refused', () => {
    const device = new Device();
    const { receiptId } = device.approves(() => device.reserve(present()));
    device.verifier.settle(receiptId, '5000');
    device.verifier.settle(receiptId, '900');
    device.verifier.release(receiptId);
    expect(device.events.slice(-3)).toEqual([
      { event: 'payment.settle', reservation: receiptId, ok: false, code: 'AMOUNT_EXCEEDED' },
      { event: 'payment.settle', reservation: receiptId, ok: true, receiptId: receiptId + 1, amountMinor: '900' },
      { event: 'payment.release', reservation: receiptId, ok: false, code: 'RESERVATION_NOT_FOUND' },
    ]);
  });

  it('released, leaves everything to spend', () => {
    const device = new Device({ configuration: { budgetUse: 'reuse' } });
    const { receiptId } = device.approves(() => device.reserve(present(), { amountMinor: '3000' }));
    expect(device.verifier.release(receiptId)).toMatchObject({ ok: true, amountMinor: '0' });
    device.approves(() => device.authorize(present(), { amountMinor: '3000' }));
  });

  it('is not settled above what was reserved, and stays open', () => {
    const device = new Device();
    const { receiptId } = device.approves(() => device.reserve(present()));
    device.refuses('AMOUNT_EXCEEDED', () => device.verifier.settle(receiptId, '1001'));
    expect(device.verifier.openReservations()).toHaveLength(1);
  });

  it.each(['0', '', '-1', '1.5', 'x', undefined])('is not settled for what is no amount: %o', (amount) => {
    const device = new Device();
    const { receiptId } = device.approves(() => device.reserve(present()));
    device.refuses('ARTIFACT_INVALID', () => device.verifier.settle(receiptId, amount as string));
  });

  it('survives a restart: it still counts, is still open, and can be settled', () => {
    const device = new Device({ configuration: { budgetUse: 'reuse' } });
    const { receiptId } = device.approves(() => device.reserve(present(), { amountMinor: '3000' }));
    device.restart();
    expect(device.verifier.openReservations()).toMatchObject([{ receiptId, amount: 3000n }]);
    device.refuses('AMOUNT_EXCEEDED', () => device.authorize(present(), { amountMinor: '1' }));
    expect(device.verifier.settle(receiptId, '1000')).toMatchObject({ ok: true });
    device.restart().approves(() => device.authorize(present(), { amountMinor: '2000' }));
  });

  it('ends once', () => {
    const device = new Device();
    const { receiptId } = device.approves(() => device.reserve(present()));
    device.verifier.settle(receiptId, '1');
    device.refuses('RESERVATION_NOT_FOUND', () => device.verifier.settle(receiptId, '1'));
    device.refuses('RESERVATION_NOT_FOUND', () => device.verifier.release(receiptId));
  });

  it('is none where a payment was authorized: there is nothing to settle or to give back', () => {
    const device = new Device();
    const { receiptId } = device.approves(() => device.authorize(present()));
    device.refuses('RESERVATION_NOT_FOUND', () => device.verifier.settle(receiptId, '1'));
    device.refuses('RESERVATION_NOT_FOUND', () => device.verifier.release(receiptId));
  });

  it('can be ended after its SBA has expired, and without a clock', () => {
    const device = new Device({ configuration: { budgetUse: 'reuse' } });
    const first = device.approves(() => device.reserve(present(), { amountMinor: '10' })).receiptId;
    const second = device.approves(() => device.reserve(present(), { amountMinor: '10' })).receiptId;
    device.nowMs = NOW + 100 * HOUR;
    expect(device.verifier.settle(first, '5')).toMatchObject({ ok: true });
    device.nowMs = undefined;
    expect(device.verifier.release(second)).toMatchObject({ ok: true });
  });

  it('is checked like a payment', () => {
    const device = new Device();
    device.refuses('SBA_SIGNATURE_INVALID', () => device.reserve(present({ sba: { ...sba(), signature: 'AAAA' } })));
    device.approves(() => device.reserve(present()));
    device.refuses('BUDGET_ID_REPLAY', () => device.reserve(present()));
  });
});

describe('a repeated request', () => {
  const keyed = present({ idempotencyKey: 'k' });

  it('gets its first answer and counts once', () => {
    const device = new Device();
    const first = device.approves(() => device.authorize(keyed));
    const before = device.state();
    device.nowMs = NOW + 1000;
    expect(device.authorize(keyed)).toEqual({ ...first, repeated: true });
    expect(device.state()).toEqual(before);
  });

  it('gets it after a restart', () => {
    const device = new Device();
    const first = device.approves(() => device.authorize(keyed));
    expect(device.restart().authorize(keyed)).toEqual({ ...first, repeated: true });
  });

  it('gets it when the ledger is full, and nobody else gets anything', () => {
    const device = new Device({ flash: new MemoryFlash(SMALLEST) });
    device.approves(() => device.authorize(keyed));
    fill(device);
    expect(device.authorize(keyed)).toMatchObject({ ok: true, repeated: true });
    device.refuses('STORE_FULL', () => device.authorize(present({ sba: sba({ budgetId: 'another' }) })));
  });

  it('is refused with another amount or another SBA', () => {
    const device = new Device();
    device.approves(() => device.authorize(keyed));
    device.refuses('IDEMPOTENCY_CONFLICT', () => device.authorize(keyed, { amountMinor: '999' }));
    device.refuses('IDEMPOTENCY_CONFLICT', () =>
      device.authorize(present({ idempotencyKey: 'k', sba: sba({ budgetId: 'b2' }) })),
    );
  });

  it('is refused with a broken signature: the key alone opens nothing', () => {
    const device = new Device();
    device.approves(() => device.authorize(keyed));
    const forged = { ...sba(), signature: Buffer.alloc(64).toString('base64') };
    device.refuses('SBA_SIGNATURE_INVALID', () => device.authorize(present({ idempotencyKey: 'k', sba: forged })));
  });

  it('is refused after the SBA’s life', () => {
    const device = new Device();
    device.approves(() => device.authorize(keyed));
    device.nowMs = NOW + 1_800_000 + 300_000;
    device.refuses('ARTIFACT_EXPIRED', () => device.authorize(keyed));
  });

  it('is refused once the wallet’s key is revoked', () => {
    const device = new Device();
    device.approves(() => device.authorize(keyed));
    device.approves(() =>
      device.verifier.admit(
        bundle({ bundleIssuer: 'r', issuers: [{ issuer: WALLET, keys: [{ kid: wallet.kid, active: false }] }] }),
      ),
    );
    device.refuses('KEY_REVOKED', () => device.authorize(keyed));
  });

  it('after a refusal is a first request: refusals are not remembered', () => {
    const device = new Device();
    device.refuses('AMOUNT_EXCEEDED', () => device.authorize(keyed, { amountMinor: '9999' }));
    expect(device.authorize(keyed)).toMatchObject({ ok: true, repeated: false });
  });

  it('of a reservation is that reservation while it is open', () => {
    const device = new Device();
    const { receiptId } = device.approves(() => device.reserve(keyed));
    expect(device.reserve(keyed)).toMatchObject({ ok: true, repeated: true, receiptId });
    expect(device.verifier.openReservations()).toHaveLength(1);
    expect(device.verifier.settle(receiptId, '500')).toMatchObject({ ok: true });
  });

  it('of a reservation that was released is no approval: nothing is reserved and nothing counts', () => {
    const device = new Device();
    const { receiptId } = device.approves(() => device.reserve(keyed));
    device.approves(() => device.verifier.release(receiptId));
    device.refuses('any', () => device.reserve(keyed));
    device.refuses('any', () => device.authorize(keyed));
  });

  it('of a reservation that was settled is no approval: what is used now would not count', () => {
    const device = new Device();
    const { receiptId } = device.approves(() => device.reserve(keyed));
    device.approves(() => device.verifier.settle(receiptId, '1'));
    device.refuses('any', () => device.reserve(keyed));
  });

  it('of a payment is no reservation: it could never be settled', () => {
    const device = new Device();
    device.approves(() => device.authorize(keyed));
    device.refuses('any', () => device.reserve(keyed));
  });

  it('of another payer is another request', () => {
    const device = new Device({ configuration: { sbaIssuers: { [PA]: [WALLET, OTHER_PA] } } });
    device.approves(() => device.authorize(keyed));
    const other = present({ idempotencyKey: 'k', sba: sba({ budgetId: 'b2' }, { key: otherPa, issuer: OTHER_PA }) });
    expect(device.authorize(other)).toMatchObject({ ok: true, repeated: false });
  });
});

describe('check', () => {
  it('decides and records nothing', () => {
    const device = new Device();
    const before = device.state();
    expect(device.verifier.check(present(), ASKED)).toMatchObject({ ok: true, receiptId: 0 });
    expect(device.state()).toEqual(before);
    device.approves(() => device.authorize(present()));
    device.refuses('BUDGET_ID_REPLAY', () => device.verifier.check(present(), ASKED));
  });
});

describe('a store that fails', () => {
  const configuration = { pinnedKeys: [] };

  it('while the payment is recorded: no approval, and none until a restart', () => {
    for (const [operation, keep] of [
      ['program', 0],
      ['program', 64],
      ['read', 0],
    ] as const) {
      const device = new Device({ configuration });
      device.flash.fail(operation, 0, keep);
      const decision = device.authorize(present());
      expect(decision).toMatchObject({ ok: false, artifact: 'device', check: 'device.store', code: 'STORE_FAILED' });
      device.flash.recover();
      device.refuses('STORE_FAILED', () => device.authorize(present({ sba: sba({ budgetId: 'b2' }) })));
    }
  });

  it('before anything was admitted: no bundle, no approval', () => {
    const flash = new MemoryFlash();
    flash.fail('read');
    const device = new Device({ bundles: [], flash });
    flash.recover();
    device.refuses('STORE_FAILED', () => device.verifier.admit(bundle()));
    device.refuses('STORE_FAILED', () => device.authorize(present()));
  });

  it('while a reservation ends: it stays open and goes on counting', () => {
    const device = new Device();
    const { receiptId } = device.approves(() => device.reserve(present()));
    device.flash.fail('program');
    expect(device.verifier.settle(receiptId, '1')).toMatchObject({ ok: false, code: 'STORE_FAILED' });
    device.flash.recover();
    expect(device.restart().verifier.openReservations()).toHaveLength(1);
  });

  it('that is full refuses, and changes nothing', () => {
    const device = new Device({ flash: new MemoryFlash(SMALLEST) });
    fill(device);
    for (let i = 0; i < 3; i++) {
      const refusal = device.refuses('STORE_FULL', () =>
        device.authorize(present({ sba: sba({ budgetId: `another-${i}` }) })),
      );
      expect(refusal).toMatchObject({ artifact: 'device', check: 'device.store' });
    }
  });
});

describe('profiles', () => {
  const full = { spa: spaFor(intent()), settlementIntent: intent() };

  it('lite takes a grant and an SBA', () => {
    const device = new Device({ configuration: { profile: 'lite' } });
    device.approves(() => device.authorize(present()));
  });

  it('full takes a grant, an SBA, an SPA and its intent', () => {
    const device = new Device({ configuration: { profile: 'full' } });
    device.approves(() => device.authorize(present(full)));
  });

  it('full takes nothing less', () => {
    const device = new Device({ configuration: { profile: 'full' } });
    device.refuses('ARTIFACT_INVALID', () => device.authorize(present()));
    device.refuses('INTENT_HASH_MISMATCH', () => device.authorize(present({ spa: spa() })));
    device.refuses('INTENT_HASH_MISMATCH', () => device.authorize(present({ spa: spaFor(intent()) })));
    device.refuses('POLICY_GRANT_NOT_FOUND', () => device.authorize(present({ ...full, grant: undefined })));
  });

  it('human-agent takes did issuers, trips and purposes', () => {
    const did = 'did:web:agent.example';
    const agent = testKey('agent-1', 100);
    const trusted = bundle({
      approvedIssuers: [did],
      issuers: [
        {
          issuer: did,
          keys: [{ kty: 'OKP', crv: 'Ed25519', kid: agent.kid, x: Buffer.from(agent.publicKey).toString('base64url') }],
        },
      ],
    });
    const device = new Device({
      configuration: { profile: 'human-agent', grantIssuers: [did], sbaIssuers: { [did]: [did] } },
      bundles: [trusted],
    });
    const trip = present({
      grant: grant({ allowedPurposes: ['ev-charging'] }, { key: agent, issuer: did }),
      sba: sba({ budgetScope: 'TRIP' }, { key: agent, issuer: did }),
    });
    device.approves(() => device.authorize(trip));
  });

  it('an SBA alone is taken where the site says so', () => {
    const device = new Device({
      configuration: { sbaOnly: { maxAmountMinor: '1000' }, sbaIssuers: { '*': [WALLET] } },
    });
    device.approves(() => device.authorize(present({ grant: undefined })));
    device.refuses('BUDGET_ID_REPLAY', () => device.authorize(present({ grant: undefined })));
  });
});

describe('a grant alone', () => {
  it('is found good in every form', () => {
    for (const form of ['flat', 'envelope'] as const) {
      expect(new Device().verifier.checkGrant(jsonBytes(grant({}, {}, form)))).toEqual({ ok: true });
    }
  });

  it('is refused for what is wrong with it', () => {
    const device = new Device();
    const check = (value: unknown) => () => device.verifier.checkGrant(jsonBytes(value));
    device.refuses('ARTIFACT_INVALID', check({}));
    device.refuses('ARTIFACT_INVALID', check([]));
    device.refuses('ARTIFACT_EXPIRED', check(grant({ expiresAt: inSeconds(-300) })));
    device.refuses('ISSUER_NOT_PERMITTED', check(grant({}, { key: wallet, issuer: WALLET })));
    device.refuses('KEY_NOT_FOUND', check(grant({}, { key: stranger })));
    device.refuses('POLICY_GRANT_SIGNATURE_INVALID', check({ ...grant(), grantId: 'other' }));
    device.refuses('ARTIFACT_INVALID', () => device.verifier.checkGrant(utf8('{"a":1,"a":1}')));
    device.refuses('LIMIT_EXCEEDED', () => device.verifier.checkGrant(utf8(' '.repeat(6145))));
    new Device({ bundles: [] }).refuses('NO_TRUST_BUNDLE', () =>
      new Device({ bundles: [] }).verifier.checkGrant(jsonBytes(grant())),
    );
  });

  it('is explained', () => {
    const verdict = new Device().verifier.checkGrant(jsonBytes(grant()), { explain: true });
    expect(verdict.trace?.map((line) => `${line.check} ${line.verdict}`)).toEqual([
      'device.trust-loaded pass',
      'policyGrant.expiry pass',
      'policyGrant.not-revoked pass',
      'policyGrant.signer pass',
      'policyGrant.signature pass',
    ]);
  });
});

describe('a fleet policy alone', () => {
  const check = (policy: unknown, under: unknown = grant()) =>
    new Device().verifier.checkFleetPolicy(jsonBytes(policy), jsonBytes(under));

  it('is found good against its grant', () => {
    expect(check(fleetPolicy())).toEqual({ ok: true });
  });

  it('is refused for what is wrong with it', () => {
    expect(check({})).toMatchObject({ code: 'ARTIFACT_INVALID', artifact: 'fleetPolicyAuthorization' });
    expect(check(fleetPolicy(), {})).toMatchObject({ code: 'ARTIFACT_INVALID', artifact: 'policyGrant' });
    expect(check(fleetPolicy({ expiresAt: inSeconds(-300) }))).toMatchObject({ code: 'ARTIFACT_EXPIRED' });
    expect(check(fleetPolicy(), grant({ allowedRails: ['evm'] }))).toMatchObject({ code: 'RAIL_MISMATCH' });
    expect(check(fleetPolicy(), grant({ budgetMinor: '4999' }))).toMatchObject({ code: 'FPA_CAP_EXCEEDED' });
    expect(check(fleetPolicy({ allowedOperators: ['a'] }), grant({ operatorId: 'b' }))).toMatchObject({
      code: 'FPA_OPERATOR_NOT_ALLOWED',
    });
    expect(check(fleetPolicy({}, { key: stranger }))).toMatchObject({ code: 'KEY_NOT_FOUND' });
    expect(check({ ...fleetPolicy(), signature: 'AAAA' })).toMatchObject({ code: 'FPA_SIGNATURE_INVALID' });
  });
});

describe('a verifier', () => {
  it('is not made from a configuration that cannot be used', () => {
    const parts = {
      crypto,
      clock: { wallMs: () => NOW, monotonicMs: () => 0 },
      ledger: new FlashLedger(new MemoryFlash(), crypto),
    };
    expect(() => new Verifier({ ...parts, configuration: { ...site(), driftMs: -1 } })).toThrow(ConfigurationError);
  });

  it('does not change what it was given: presentation, request, configuration', () => {
    const bytes = present({ fleetPolicyAuthorization: fleetPolicy() });
    const copy = bytes.slice();
    const request = Object.freeze({ ...ASKED });
    const device = new Device({ configuration: Object.freeze({ fleetPolicyIssuers: Object.freeze([FLEET]) }) });
    device.approves(() => device.verifier.authorize(bytes, request));
    expect(bytes).toEqual(copy);
  });
});
