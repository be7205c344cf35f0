// The power goes at every flash operation of a charging session, in every form, and at every move of the relay. The relay never closed
// without a reservation on flash; after the restart it is open, and the reservation is left as the site has it.

import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { Journal } from '../../../core/ledger/journal.ts';
import { Verifier } from '../../../core/verifier.ts';
import { Charger } from '../../../device/charger/charger.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { type CutForm, SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { bundle, NOW, present } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { site } from '../../fixtures/site.ts';
import type Digital from '../sdk/io-digital.ts';
import { pins } from '../sdk/io-digital.ts';

const RELAY = 4;
const METER = 5;
const FORMS: readonly CutForm[] = ['before', 'torn', 'after'];
const TERMS = { pricePerKwhMinor: '1000', pulsesPerKwh: 10, reserveMinor: '1000', idleMs: 1e6, longestMs: 1e7 };

type Left = 'settle' | 'hold';

/** A charger on flash that stays, which can be started again. */
class Station {
  readonly ledgerFlash = new SimulatedFlash(new MemoryStore(65_536));
  readonly journalFlash = new SimulatedFlash(new MemoryStore(65_536));
  readonly left: Left;
  now = 0;
  charger!: Charger;
  verifier!: Verifier;

  constructor(left: Left) {
    this.left = left;
    this.start();
  }

  start(): void {
    for (const flash of [this.ledgerFlash, this.journalFlash]) {
      // What was still to be cut is not any more.
      flash.restore(flash.snapshot());
      flash.restart();
    }
    pins.clear();
    const log = { emit: () => {} };
    const ledger = new FlashLedger(this.ledgerFlash, crypto);
    const journal = new Journal(this.journalFlash, crypto);
    const clock = { wallMs: () => NOW, monotonicMs: () => this.now };
    const configuration = site({ reservationsLeft: this.left });
    this.verifier = new Verifier({ configuration, crypto, clock, ledger, journal, log });
    const wiring = { kind: 'charger', relay: RELAY, active: 'high', meter: METER } as const;
    this.charger = new Charger({ verifier: this.verifier, wiring, terms: TERMS, now: () => this.now, log });
    this.verifier.takeUpReservations();
    expect(this.verifier.admit(bundle())).toMatchObject({ ok: true });
  }

  /** Three pulses, then the driver ends it. */
  session(): void {
    this.charger.present(present({ idempotencyKey: undefined }));
    for (let i = 0; i < 3; i++) {
      this.now += 1000;
      pins.get(METER)?.drive(1);
      pins.get(METER)?.drive(0);
    }
    this.charger.stop();
  }
}

beforeEach(() => {
  vi.stubGlobal('MPCP_NATIVE', false);
  pins.clear();
});
afterAll(() => vi.unstubAllGlobals());

/** What a session does to a station whose power is cut somewhere. */
function cut(station: Station): void {
  const before = station.verifier.openReservations().length;
  try {
    station.session();
    throw new Error('the power did not go');
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
  const closed = pins.get(RELAY)?.levels.includes(1) === true;
  station.start();
  expect(pins.get(RELAY)?.levels).toEqual([0]);
  expect(station.charger.session.state).toBe('idle');
  const open = station.verifier.openReservations();
  if (station.left === 'settle') expect(open).toEqual([]);
  else expect(open.length).toBeLessThanOrEqual(before + 1);
  // Whatever was drawn counts as spent: the budget is not there a second time.
  const again = station.verifier.authorize(present({ idempotencyKey: undefined }), { amountMinor: '1000' });
  if (closed) expect(again).toMatchObject({ ok: false });
}

describe.each(['settle', 'hold'] as const)('the power goes in a session; reservations are left to: %s', (left) => {
  for (const which of ['ledgerFlash', 'journalFlash'] as const)
    it(`at every operation of the ${which === 'ledgerFlash' ? 'ledger' : 'journal'}, in every form`, () => {
      const whole = new Station(left);
      const first = whole[which].operations;
      whole.session();
      const count = whole[which].operations - first;
      expect(count).toBeGreaterThan(1);
      for (let operation = 0; operation < count; operation++)
        for (const form of FORMS) {
          const station = new Station(left);
          station[which].cutAt(station[which].operations + operation, form);
          cut(station);
        }
    });

  it.each([
    ['before the relay closes', 1],
    ['before it opens', 2],
  ])('%s', (_, move) => {
    const station = new Station(left);
    const relay = pins.get(RELAY) as Digital;
    const write = relay.write.bind(relay);
    let moves = 0;
    relay.write = (value) => {
      if (++moves !== move) return write(value);
      // Whatever is tried from here on finds no power.
      for (const flash of [station.ledgerFlash, station.journalFlash]) flash.cutAt(flash.operations, 'before');
      throw new Error('the power is gone');
    };
    cut(station);
  });
});
