// Power is cut at every flash operation of a charger's day, in every form, and again while it recovers. Afterwards every
// approved payment is counted once, none can be replayed, and the relay never closed without a durable record.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../core/json/value.ts';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { ledgerKey } from '../../core/ledger/keys.ts';
import type { Flash } from '../../core/ports/ports.ts';
import { PowerCut } from '../../host-sim/flash/power-cut.ts';
import { type CutForm, SimulatedFlash } from '../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../host-sim/flash/store.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { SimulatedRelay } from '../../host-sim/virtual-device/relay.ts';
import { VirtualCharger } from '../../host-sim/virtual-device/virtual-charger.ts';
import { FIRMWARE_BUILT_MS, provisioned, type ReadyPayment, TestSite } from './site.ts';

const FLASH_BYTES = 16_384;
const BUNDLE_FLASH_BYTES = 16_384;
const RECORD_BYTES = 128;
const crypto = createNodeCrypto();

let site: TestSite;
let provisioning: Flash;
let grantId = '';
let bundles: Uint8Array;
let laterBundles: Uint8Array;
/** Two payments of the day, one for after it, and one by a vehicle whose key the later bundle revokes. */
let first: ReadyPayment;
let second: ReadyPayment;
let next: ReadyPayment;
let byRevoked: ReadyPayment;

beforeAll(async () => {
  site = await TestSite.open();
  provisioning = provisioned(site.provisioning());
  await site.bundle();
  bundles = await site.bundleSet();
  const grant = await site.grant(site.cast.vehicleA);
  grantId = String((grant.grant as JsonObject).grantId);
  const wallet = await site.wallet(site.cast.vehicleA, grant);
  first = await site.payment(wallet, '1000000');
  second = await site.payment(wallet, '700000');
  next = await site.payment(wallet, '400000');
  const walletB = await site.wallet(site.cast.vehicleB, await site.grant(site.cast.vehicleB));
  byRevoked = await site.payment(walletB, '100');
  await site.bundle([site.cast.vehicleB]);
  laterBundles = await site.bundleSet();
});
afterAll(() => site.close());

interface Cut {
  readonly form: CutForm;
  readonly landed?: number;
}

/** A charger on a flash of its own, and what is known of it from outside. */
class Trial {
  readonly flash = new SimulatedFlash(new MemoryStore(FLASH_BYTES));
  readonly bundleFlash = new SimulatedFlash(new MemoryStore(BUNDLE_FLASH_BYTES));
  readonly charger: VirtualCharger;
  /** Approved: the answer was given. */
  readonly approved: ReadyPayment[] = [];
  /** Being decided when the power went; it may count or not. */
  inFlight: ReadyPayment | undefined;
  admitted = false;
  cuts = 0;
  #closings = 0;

  constructor() {
    const relay = new SimulatedRelay(() => this.#relayCloses());
    this.charger = new VirtualCharger({
      provisioning,
      firmwareBuiltMs: FIRMWARE_BUILT_MS,
      flash: this.flash,
      clock: site.clock,
      crypto,
      relay,
      bundles: this.bundleFlash,
    });
  }

  cutAt(operation: number, { form, landed }: Cut): void {
    this.flash.cutAt(operation, form, landed);
  }

  /** The day: admit the bundle, pay, pay again. False where the power went. */
  day(): boolean {
    return this.powered(() => {
      this.charger.start();
      this.charger.admit(bundles);
      this.admitted = true;
      this.pay(first);
      this.pay(second);
    });
  }

  pay(payment: ReadyPayment): void {
    this.inFlight = payment;
    const decision = this.charger.pay(payment.bytes, { amountMinor: payment.amountMinor });
    expect(decision).toMatchObject({ ok: true, repeated: false });
    expect(this.charger.relay.closed).toBe(true);
    this.approved.push(payment);
    this.inFlight = undefined;
    this.charger.disconnect();
  }

  /** Starts again until the power stays. */
  recover(): void {
    expect(this.charger.relay.closed).toBe(false);
    do {
      this.flash.restart();
      this.bundleFlash.restart();
    } while (!this.powered(() => this.charger.start()));
  }

  powered(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(PowerCut);
      expect(this.charger.relay.closed).toBe(false);
      this.cuts++;
      return false;
    }
  }

  /** Everything that has to hold once the power is back. */
  inspect(): void {
    const approved = sum(this.approved);
    const total = this.charger.grantTotal(grantId);
    expect(this.charger.storeProblem).toBeUndefined();
    expect([approved, approved + sum([this.inFlight])]).toContain(total);
    if (this.admitted) expect(this.charger.bundleIds).toHaveLength(1);
    else expect(this.charger.admit(bundles)).toMatchObject([{ ok: true }]);
    for (const { bytes, amountMinor } of this.approved) {
      expect(this.charger.pay(bytes, { amountMinor })).toMatchObject({ ok: false, code: 'BUDGET_ID_REPLAY' });
    }
    if (this.inFlight !== undefined) this.#settleInFlight(this.inFlight, total > approved);
    if (!this.approved.includes(next)) this.pay(next);
    expect(this.charger.grantTotal(grantId)).toBe(sum(this.approved));
    expect(this.charger.relay.closings).toBe(this.#closings);
  }

  /** The payer tries again: it is either known already, or approved now; it never counts twice. */
  #settleInFlight(payment: ReadyPayment, recorded: boolean): void {
    if (!recorded) {
      this.pay(payment);
      return;
    }
    const decision = this.charger.pay(payment.bytes, { amountMinor: payment.amountMinor });
    expect(decision).toMatchObject({ ok: false, code: 'BUDGET_ID_REPLAY' });
    this.approved.push(payment);
    this.inFlight = undefined;
  }

  /** At this very moment a ledger that knows nothing but the flash has to count the payment. */
  #relayCloses(): void {
    this.#closings++;
    const ledger = new FlashLedger(new SimulatedFlash(new MemoryStore(this.flash.contents())), crypto);
    const recorded = ledger.grantTotal(ledgerKey(crypto, 'grant', new Uint8Array(0), grantId));
    if (this.inFlight !== undefined) expect(recorded).toBe(sum([...this.approved, this.inFlight]));
  }
}

function sum(payments: readonly (ReadyPayment | undefined)[]): bigint {
  return payments.reduce((total, payment) => total + BigInt(payment?.amountMinor ?? 0), 0n);
}

/** Operations of a day whose power stays. */
function operationsOfADay(): number {
  const trial = new Trial();
  expect(trial.day()).toBe(true);
  return trial.flash.operations;
}

/** Torn in the first and last bytes of the record, and around the end of every unit. */
function tornCuts(): readonly Cut[] {
  const cuts: Cut[] = [];
  for (let landed = 0; landed <= RECORD_BYTES; landed++) {
    const inUnit = landed % 16;
    if (landed < 5 || landed > RECORD_BYTES - 5 || inUnit < 2 || inUnit === 15) cuts.push({ form: 'torn', landed });
  }
  return cuts;
}

const EVERY_CUT: readonly Cut[] = [{ form: 'before' }, ...tornCuts(), { form: 'after' }];
const SOME_CUTS: readonly Cut[] = [
  { form: 'before' },
  { form: 'torn', landed: 1 },
  { form: 'torn', landed: 112 },
  { form: 'after' },
];
/** Of the second cut; `npm run powercut` walks all of them. */
const SECOND_CUTS: readonly Cut[] = [{ form: 'torn', landed: 112 }, { form: 'after' }];

it('a day whose power stays passes the same inspection', () => {
  const trial = new Trial();
  expect(trial.day()).toBe(true);
  trial.inspect();
  expect(trial.cuts).toBe(0);
});

it('one cut, at every operation, in every form', () => {
  const operations = operationsOfADay();
  expect(operations).toBeGreaterThanOrEqual(4);
  for (let operation = 0; operation < operations; operation++) {
    for (const cut of EVERY_CUT) {
      const trial = new Trial();
      trial.cutAt(operation, cut);
      expect(trial.day()).toBe(false);
      trial.recover();
      trial.inspect();
      expect(trial.cuts).toBe(1);
    }
  }
});

it('a second cut, at every operation from the restart on', () => {
  const operations = operationsOfADay();
  let doubled = 0;
  for (let operation = 0; operation < operations; operation++) {
    for (const cut of SOME_CUTS) {
      for (const again of SECOND_CUTS) {
        // As far as there is an operation to cut at.
        for (let later = 0; ; later++) {
          const trial = new Trial();
          trial.cutAt(operation, cut);
          expect(trial.day()).toBe(false);
          trial.cutAt(trial.flash.operations + later, again);
          trial.recover();
          while (!trial.powered(() => trial.inspect())) trial.recover();
          if (trial.cuts === 1) break;
          doubled++;
        }
      }
    }
  }
  expect(doubled).toBeGreaterThan(operations * SOME_CUTS.length);
});

describe('a bundle that is being replaced', () => {
  /** Whatever was cut, an offline restart finds one bundle; once the new one was in force, it is the new one. */
  function inspect(trial: Trial): void {
    trial.recover();
    expect(trial.charger.bundleIds).toHaveLength(1);
    const revoked = trial.charger.pay(byRevoked.bytes, { amountMinor: byRevoked.amountMinor });
    if (revoked.ok) {
      trial.charger.disconnect();
      expect(trial.charger.admit(laterBundles)).toMatchObject([{ ok: true }]);
    } else expect(revoked.code).toBe('KEY_REVOKED');
    const set = trial.charger.admit(bundles);
    expect(set).toMatchObject([{ ok: false, code: 'BUNDLE_ROLLBACK' }]);
    trial.charger.start();
    expect(trial.charger.pay(byRevoked.bytes, { amountMinor: byRevoked.amountMinor })).toMatchObject({ ok: false });
    expect(trial.charger.grantTotal(grantId)).toBe(sum(trial.approved));
  }

  it('is there after a cut at every operation on its partition', () => {
    let cuts = 0;
    for (let operation = 0; ; operation++) {
      let whole = false;
      for (const form of ['before', 'torn', 'after'] as const) {
        const trial = new Trial();
        expect(trial.day()).toBe(true);
        trial.bundleFlash.cutAt(trial.bundleFlash.operations + operation, form);
        whole = trial.powered(() => trial.charger.admit(laterBundles));
        if (whole) break;
        cuts++;
        inspect(trial);
      }
      if (whole) break;
    }
    expect(cuts).toBeGreaterThan(20);
  });

  it('is there after a cut at every flash operation of what the ledger remembers of it', () => {
    for (const cut of EVERY_CUT) {
      const trial = new Trial();
      expect(trial.day()).toBe(true);
      trial.cutAt(trial.flash.operations, cut);
      expect(trial.powered(() => trial.charger.admit(laterBundles))).toBe(false);
      inspect(trial);
    }
  });
});
