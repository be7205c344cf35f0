// Power cuts while bundles are taken in: at every program and erase, in every form either can be torn. What is found
// afterwards is the set there was or the new one, whole, and what was in use before stays remembered.

import { describe, expect, it } from 'vitest';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { FlashWindow } from '../../../core/ports/flash-window.ts';
import { BundlePartition } from '../../../core/trust/bundle-partition.ts';
import { type SetAdmission, Verifier } from '../../../core/verifier.ts';
import type { ErasedReads } from '../../../host-sim/flash/cell-coding.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { type FlashSnapshot, SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { type TornForm, tornErases, tornForms } from '../../../host-sim/flash/torn-forms.ts';
import { bundle, type Changes, entry, inSeconds, NOW, present, revoked } from '../../fixtures/artifacts.ts';
import { ASKED, crypto } from '../../fixtures/device.ts';
import { WALLET, wallet } from '../../fixtures/keys.ts';
import { site } from '../../fixtures/site.ts';
import { utf8 } from '../../fixtures/text.ts';

const BLOCK = 1024;
const GEOMETRY = { blockSize: BLOCK, programSize: 16 };
const LEDGER = 8 * BLOCK;
const BUNDLES = 16 * BLOCK;

const numbered = (n: number, changes: Changes = {}) =>
  bundle({ bundleIssuer: `operator-${n}`, bundleId: `bundle-${n}`, ...changes });
const answer = (...bundles: readonly Uint8Array[]) =>
  utf8(`{"bundles":[${bundles.map((one) => new TextDecoder().decode(one)).join(',')}]}`);

const FIRST = answer(numbered(1), numbered(2));
/** Takes the place of one bundle, and revokes the payer's key. */
const SECOND = answer(
  numbered(1, { bundleId: 'newer', issuedAt: inSeconds(-1), issuers: [entry(WALLET, revoked(wallet))] }),
);
const OLD = ['bundle-1', 'bundle-2'];
const NEW = ['bundle-2', 'newer'];

interface Operation {
  readonly number: number;
  readonly kind: 'program' | 'erase';
  readonly length: number;
}

/** Ledger and bundles of one device on one flash: their operations are numbered in one line. */
class Trial {
  readonly flash: SimulatedFlash;
  verifier!: Verifier;

  constructor(erasedReads: ErasedReads, from?: FlashSnapshot, operations: Operation[] = []) {
    this.flash = new SimulatedFlash(new MemoryStore(LEDGER + BUNDLES), {
      geometry: GEOMETRY,
      erasedReads,
      onOperation: ({ number, kind, length }) => operations.push({ number, kind, length }),
    });
    if (from) this.flash.restore(from);
    else FlashLedger.format(new FlashWindow(this.flash, 0, LEDGER));
    this.start();
  }

  start(): void {
    if (!this.flash.powered) this.flash.restart();
    this.verifier = new Verifier({
      configuration: site(),
      crypto,
      clock: { wallMs: () => NOW, monotonicMs: () => 0 },
      ledger: new FlashLedger(new FlashWindow(this.flash, 0, LEDGER), crypto),
      bundles: new BundlePartition(new FlashWindow(this.flash, LEDGER), crypto),
      // A cut is no damage.
      log: { emit: ({ event }) => expect(event).not.toBe('bundles.damaged') },
    });
  }

  load(): readonly string[] {
    const loaded = this.verifier.loadBundles();
    expect(loaded).not.toMatchObject({ ok: false });
    for (const admission of loaded as Exclude<SetAdmission, { ok: false }>)
      expect(admission).toMatchObject({ ok: true });
    return this.held();
  }

  held(): readonly string[] {
    return this.verifier.trust.bundles.map((one) => one.bundleId).sort();
  }

  take(set: Uint8Array): SetAdmission {
    const intake = this.verifier.beginBundles();
    if ('ok' in intake) return intake;
    for (let at = 0; at < set.length; at += 500) intake.write(set.subarray(at, at + 500));
    return intake.end();
  }

  /** False where the power went. */
  powered(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (error instanceof PowerCut) return false;
      throw error;
    }
  }
}

/** The forms that an operation of a refresh is cut in. */
function formsOf(kind: 'program' | 'erase', length: number): readonly TornForm[] {
  return kind === 'erase' ? tornErases(BLOCK, 16, { seeds: 2 }) : tornForms(length, 16, { units: 4, seeds: 1 });
}

/** The operations of an answer that is taken in on a flash as it is in a snapshot. */
function operationsOf(erasedReads: ErasedReads, from: FlashSnapshot, set: Uint8Array): readonly Operation[] {
  const operations: Operation[] = [];
  const trial = new Trial(erasedReads, from, operations);
  trial.load();
  operations.length = 0;
  expect(trial.take(set)).not.toMatchObject({ ok: false });
  return operations;
}

describe.each<ErasedReads>(['ones', 'scrambled'])('erased cells read as %s', (erasedReads) => {
  const made = new Trial(erasedReads);
  made.take(FIRST);
  const paid = made.verifier.authorize(present(), ASKED);
  const first = made.flash.snapshot();

  it('the device that is cut has paid under its first bundles', () => {
    expect(paid).toMatchObject({ ok: true });
  });

  it('a cut at any operation of a refresh leaves the old set or the new one, whole', () => {
    const operations = operationsOf(erasedReads, first, SECOND);
    expect(operations.filter(({ kind }) => kind === 'erase').length).toBeGreaterThan(1);
    const found = { old: 0, new: 0 };
    for (const { number, kind, length } of operations) {
      for (const form of formsOf(kind, length)) {
        const trial = new Trial(erasedReads, first);
        trial.load();
        trial.flash.cutAt(trial.flash.operations + number - (operations[0] as Operation).number, form);
        expect(trial.powered(() => trial.take(SECOND))).toBe(false);
        // Unstable bits read anew each time: two starts find the same.
        for (let start = 0; start < 2; start++) {
          trial.start();
          const held = trial.load();
          expect([OLD, NEW]).toContainEqual(held);
          found[held[1] === 'newer' ? 'new' : 'old']++;
          const decision = trial.verifier.check(present(), ASKED);
          expect(decision).toMatchObject({ code: held[1] === 'newer' ? 'KEY_REVOKED' : 'BUDGET_ID_REPLAY' });
        }
        expect(trial.take(SECOND)).toMatchObject([{ ok: true }]);
        trial.start();
        expect(trial.load()).toEqual(NEW);
        expect(trial.take(FIRST)).toMatchObject([{ code: 'BUNDLE_ROLLBACK' }, { ok: true }]);
      }
    }
    expect(Math.min(found.old, found.new)).toBeGreaterThan(0);
  });

  it('a cut at any operation of the first answer of all leaves nothing or all of it', () => {
    const blank = new Trial(erasedReads).flash.snapshot();
    const operations = operationsOf(erasedReads, blank, FIRST);
    for (const { number, kind, length } of operations) {
      for (const form of formsOf(kind, length)) {
        const trial = new Trial(erasedReads, blank);
        trial.load();
        trial.flash.cutAt(trial.flash.operations + number - (operations[0] as Operation).number, form);
        expect(trial.powered(() => trial.take(FIRST))).toBe(false);
        trial.start();
        expect([[], OLD]).toContainEqual(trial.load());
        expect(trial.take(FIRST)).toMatchObject([{ ok: true }, { ok: true }]);
        trial.start();
        expect(trial.load()).toEqual(OLD);
      }
    }
  });

  it('a second cut, at any operation from the start on, leaves the old set or the new one', () => {
    const operations = operationsOf(erasedReads, first, SECOND);
    const some: readonly TornForm[] = [{ kind: 'before' }, { kind: 'after' }];
    let doubled = 0;
    for (const { number } of operations) {
      for (const form of some) {
        for (let later = 0; ; later++) {
          const trial = new Trial(erasedReads, first);
          trial.load();
          trial.flash.cutAt(trial.flash.operations + number - (operations[0] as Operation).number, form);
          expect(trial.powered(() => trial.take(SECOND))).toBe(false);
          trial.flash.restart();
          const second = trial.flash.operations + later;
          trial.flash.cutAt(second, (later + number) % 2 === 0 ? 'torn' : 'after');
          const again = () => {
            trial.start();
            trial.load();
            trial.take(SECOND);
          };
          const whole = trial.powered(again);
          if (!whole) doubled++;
          trial.start();
          expect([OLD, NEW]).toContainEqual(trial.load());
          if (whole) break;
        }
      }
    }
    expect(doubled).toBeGreaterThan(operations.length);
  });
});
