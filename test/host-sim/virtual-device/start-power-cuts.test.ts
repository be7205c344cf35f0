// The power goes at every flash operation of a start, in every form, and again while the next start mends it. Whatever was
// paid, reserved, admitted or remembered before is there afterwards, once, and the device serves.

import { describe, expect, it } from 'vitest';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { Journal } from '../../../core/ledger/journal.ts';
import { newestCounter } from '../../../core/provisioning/counter.ts';
import { BundlePartition } from '../../../core/trust/bundle-partition.ts';
import { Verifier } from '../../../core/verifier.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { type FlashSnapshot, SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { type TornForm, tornErases, tornForms } from '../../../host-sim/flash/torn-forms.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { imageFlash, imageOf } from '../../../host-sim/provisioning/image.ts';
import { VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { RememberedVerdicts } from '../../../tools/powercut/remembered-verdicts.ts';
import { bundle, inSeconds, NOW, present, sba } from '../../fixtures/artifacts.ts';
import { site } from '../../fixtures/site.ts';
import { key, spend } from '../../fixtures/spends.ts';
import { utf8 } from '../../fixtures/text.ts';

const PARTITIONS = { ledger: 16_384, journal: 49_152, bundles: 16_384 } as const;
type PartitionName = keyof typeof PARTITIONS;
const NAMES = Object.keys(PARTITIONS) as PartitionName[];
const AMOUNT = { amountMinor: '1000', sessionId: 'session-1' };
const LATER_BUNDLE = bundle({ bundleId: 'bundle-2', issuedAt: inSeconds(-60) });
const SALT = 7;
/** Operations of a start from which on not every form is tried at each. */
const MANY = 20;
/** The same few signatures are verified at every start. */
const crypto = new RememberedVerdicts(createNodeCrypto());

/** An operation of a start, and what it is done to. */
interface Point {
  readonly partition: PartitionName;
  readonly number: number;
  readonly forms: readonly TornForm[];
}
interface Cut {
  readonly point: Point;
  readonly form: TornForm;
}
/** A device without power. */
type Off = { readonly [name in PartitionName]: FlashSnapshot };

/** The bytes of a payment of its own budget. */
function payment(number: number): Uint8Array {
  return present({ sba: sba({ budgetId: `budget-${number}` }) });
}

function answerWith(...bundles: readonly Uint8Array[]): Uint8Array {
  return utf8(`{"bundles":[${bundles.map((bytes) => Buffer.from(bytes).toString()).join()}]}`);
}

/** A charger whose partitions can be put back to what they were. */
class Station {
  readonly flash: { readonly [name in PartitionName]: SimulatedFlash };
  readonly configuration = site({ reservationsLeft: 'settle' });
  /** Payments that were approved, and receipts in the journal that nobody has acknowledged. */
  paid = 0;
  kept = 0;
  counter = 1;
  charger!: VirtualCharger;
  /** The operations that are heard, while somebody listens. */
  #heard: Point[] | undefined;

  constructor() {
    const flashOf = (partition: PartitionName) =>
      new SimulatedFlash(new MemoryStore(PARTITIONS[partition]), {
        onOperation: ({ number, kind, length }) => {
          const forms =
            kind === 'program' ? tornForms(length, 16, { units: 2, seeds: 1 }) : tornErases(length, 16, { seeds: 1 });
          this.#heard?.push({ partition, number, forms });
        },
      });
    this.flash = { ledger: flashOf('ledger'), journal: flashOf('journal'), bundles: flashOf('bundles') };
    this.provision(1);
  }

  /** Gives it an image with this counter. */
  provision(counter: number): void {
    const document = { deviceId: 'charger-1', site: this.configuration, policyAuthorityUrl: 'https://pa.example' };
    this.counter = counter;
    this.charger = new VirtualCharger({
      provisioning: imageFlash(imageOf(document, counter)),
      firmwareBuiltMs: 0,
      flash: this.flash.ledger,
      journal: this.flash.journal,
      bundles: this.flash.bundles,
      clock: { wallMs: () => NOW, monotonicMs: () => 0 },
      crypto,
      salt: SALT,
    });
  }

  /** The core's verifier on the same flash, for what a charger does not do by itself. */
  verifier(): Verifier {
    return new Verifier({
      configuration: this.configuration,
      crypto,
      clock: { wallMs: () => NOW, monotonicMs: () => 0 },
      earliestMs: 0,
      ledger: new FlashLedger(this.flash.ledger, crypto),
      journal: new Journal(this.flash.journal, crypto),
      bundles: new BundlePartition(this.flash.bundles, crypto),
    });
  }

  off(): Off {
    this.charger.powerOff();
    const { ledger, journal, bundles } = this.flash;
    return { ledger: ledger.snapshot(), journal: journal.snapshot(), bundles: bundles.snapshot() };
  }

  /** Becomes what it was, with power. */
  restore(off: Off): void {
    this.charger.powerOff();
    for (const name of NAMES) this.flash[name].restore(off[name]);
  }

  /** Starts, and says at which operations. */
  points(): readonly Point[] {
    const heard: Point[] = [];
    this.#heard = heard;
    this.charger.start();
    this.#heard = undefined;
    return heard;
  }

  /** Starts, and the power goes at the cut. */
  startCutAt({ point, form }: Cut): void {
    this.flash[point.partition].cutAt(point.number, form);
    expect(() => this.charger.start()).toThrow(PowerCut);
    expect([this.charger.powered, this.charger.relay.closed]).toEqual([false, false]);
    for (const name of NAMES) this.flash[name].restart();
  }

  pay(number: number): boolean {
    const { ok } = this.charger.pay(payment(number), AMOUNT);
    if (ok) this.paid = number;
    this.charger.disconnect();
    return ok;
  }
}

/** What stands on flash before the start, and what must come of it. */
interface Scenario {
  readonly name: string;
  /** Leaves the device as the start finds it. */
  prepare(station: Station): void;
  /** Flash operations of the start, at least. */
  readonly operations: number;
  /** It has never started: no bundle to lose, and it takes one in before it serves. */
  readonly isNew?: true;
  /** Nothing more has room. */
  readonly full?: true;
  /** Open reservations. */
  readonly reserved?: number;
}

function sell(station: Station, most: number): void {
  station.charger.start();
  expect(station.charger.admit(answerWith(bundle()))).toMatchObject([{ ok: true }]);
  while (station.paid < most && station.pay(station.paid + 1));
  expect(station.paid).toBeGreaterThan(1);
}

/** Fills the ledger with ids that are kept until then. */
function fillLedger({ flash }: Station, keepUntilMs: number): void {
  const ledger = new FlashLedger(flash.ledger, crypto);
  const grant = key('others');
  for (let i = 0; 'receiptId' in ledger.authorize(spend({ grant, replay: key(`r${i}`), keepUntilMs })); i++);
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'blank stores are formatted, and the first image is remembered',
    prepare: () => {},
    operations: 3,
    isNew: true,
  },
  {
    name: 'an image with a higher counter is remembered, over payments and bundles',
    prepare: (station) => {
      sell(station, 3);
      station.provision(2);
    },
    operations: 1,
  },
  {
    name: 'a full ledger of which nothing can be given up, with its journal',
    prepare: (station) => {
      sell(station, 6);
      fillLedger(station, NOW + 3_600_000);
      station.provision(2);
    },
    operations: MANY + 1,
    full: true,
  },
  {
    name: 'an open reservation is settled',
    prepare: (station) => {
      sell(station, 2);
      station.charger.powerOff();
      const verifier = station.verifier();
      verifier.loadBundles();
      for (const budgetId of ['reserved-1', 'reserved-2'])
        expect(verifier.reserve(present({ sba: sba({ budgetId }) }), AMOUNT)).toMatchObject({ ok: true });
    },
    operations: 4,
    reserved: 2,
  },
  {
    name: 'a bundle set that was cut while it was switched',
    prepare: (station) => {
      sell(station, 2);
      const { bundles } = station.flash;
      const later = answerWith(LATER_BUNDLE);
      const before = station.off();
      station.charger.start();
      const from = bundles.operations;
      station.charger.admit(later);
      const record = bundles.operations - 1;
      expect(record).toBeGreaterThan(from);
      station.restore(before);
      station.charger.start();
      // The new copy is in force, and the ledger does not know of it yet.
      bundles.cutAt(record, 'after');
      expect(() => station.charger.admit(later)).toThrow(PowerCut);
      bundles.restart();
    },
    operations: 1,
  },
];

function copyOf(flash: SimulatedFlash): SimulatedFlash {
  return new SimulatedFlash(new MemoryStore(flash.contents()));
}

function journalOf(flash: Station['flash']): Journal {
  const journal = new Journal(flash.journal, crypto);
  expect(journal.reconcile(new FlashLedger(flash.ledger, crypto).lastReceipt() ?? 0)).toBeUndefined();
  return journal;
}

/** Receipts that nobody has acknowledged, in order. */
function receiptsOf({ ledger, journal }: Station['flash']): number[] {
  const receipts: number[] = [];
  const partitions = { ledger: copyOf(ledger), journal: copyOf(journal) } as Station['flash'];
  journalOf(partitions).unsent(0, 1000, ({ receiptId, entry }) => receipts.push(entry === undefined ? -1 : receiptId));
  return receipts;
}

/** What a device that was started has to show. It is switched off first: what counts is on flash. */
function inspect(station: Station, scenario: Scenario): void {
  const { flash, charger, paid, counter } = station;
  const { reserved = 0, full = false } = scenario;
  charger.start();
  expect(charger.relay.closed).toBe(false);
  expect(newestCounter(new FlashLedger(copyOf(flash.ledger), crypto))).toBe(counter);
  if (scenario.isNew) expect(charger.admit(answerWith(bundle()))).toMatchObject([{ ok: true }]);
  expect(charger.bundleIds).toHaveLength(1);
  // Nothing lost, nothing doubled.
  expect(charger.grantTotal('grant-1')).toBe(BigInt(1000 * (paid + reserved)));
  for (const number of paid === 0 ? [] : [1, paid])
    expect(charger.pay(payment(number), AMOUNT)).toMatchObject({ ok: false, code: 'BUDGET_ID_REPLAY' });
  expect(new FlashLedger(copyOf(flash.ledger), crypto).openReservations()).toEqual([]);
  const kept = receiptsOf(flash);
  expect(new Set(kept).size).toBe(kept.length);
  expect(kept.length).toBe(station.kept + reserved);
  // It serves.
  const decision = charger.pay(payment(paid + 1), AMOUNT);
  if (full) expect(decision).toMatchObject({ ok: false, code: 'STORE_FULL' });
  else expect(decision).toMatchObject({ ok: true, repeated: false });
  expect(charger.relay.closed).toBe(!full);
  expect(receiptsOf(flash).length).toBe(kept.length + (full ? 0 : 1));
  charger.powerOff();
}

describe.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', (_, scenario) => {
  it('whatever operation the power goes at, and one of the next start: everything is there once, and it serves', () => {
    const station = new Station();
    scenario.prepare(station);
    const off = station.off();
    station.kept = scenario.isNew ? 0 : receiptsOf(station.flash).length;
    const points = station.points();
    expect(points.length).toBeGreaterThanOrEqual(scenario.operations);
    inspect(station, scenario);
    let again = 0;
    for (const [i, point] of points.entries())
      for (const form of points.length > MANY ? someOf(point.forms, i) : point.forms) {
        station.restore(off);
        station.startCutAt({ point, form });
        if (scenario.isNew) eraseWhatIsNoLog(station, form);
        const torn = station.off();
        const next = station.points();
        inspect(station, scenario);
        if (next.length === 0) continue;
        // Every operation of the next start has its turn, in another form each time.
        const second = next[again % next.length] as Point;
        const secondForm = second.forms[again++ % second.forms.length] as TornForm;
        station.restore(torn);
        station.startCutAt({ point: second, form: secondForm });
        if (scenario.isNew) eraseWhatIsNoLog(station, secondForm);
        inspect(station, scenario);
      }
    expect(again).toBeGreaterThan(points.length);
  });
});

/** Nothing, everything, and one between. */
function someOf(forms: readonly TornForm[], turn: number): readonly TornForm[] {
  const between = forms[1 + (turn % (forms.length - 2))] as TornForm;
  return [forms[0] as TornForm, between, forms.at(-1) as TornForm];
}

/**
 * The erase of a new store's first block that breaks off may leave cells that read one way and then another: neither a blank
 * partition nor a log. The device says so and sells nothing, nothing was there to lose, and the line erases it once more.
 */
function eraseWhatIsNoLog(station: Station, form: TornForm): void {
  const off = station.off();
  const problem = problemOf(station);
  station.restore(off);
  if (problem === undefined) return;
  expect([form.kind, problem]).toEqual(['unstable', expect.stringContaining('the partition holds no log')]);
  for (const flash of [station.flash.ledger, station.flash.journal])
    for (let at = 0; at < flash.size; at += flash.blockSize) flash.erase(at);
}

function problemOf({ charger }: Station): string | undefined {
  try {
    charger.start();
    return charger.storeProblem?.detail;
  } catch (error) {
    expect(error).toMatchObject({ name: 'ProvisioningProblem', fault: 'store' });
    return (error as Error).message;
  }
}
