// A charging session: nothing flows that is not reserved, what is settled is what was drawn, and every way out opens the relay first.

import { describe, expect, it } from 'vitest';
import { ChargingSession, type ChargingTerms, RelayError } from '../../../core/charging/session.ts';
import { ConfigurationError } from '../../../core/configuration.ts';
import { present, sba } from '../../fixtures/artifacts.ts';
import { Device, type DeviceOptions } from '../../fixtures/device.ts';

/** 40 cents a kilowatt-hour, a thousand pulses each: a pulse is 0.04 cents. */
const TERMS: ChargingTerms = {
  pricePerKwhMinor: '40',
  pulsesPerKwh: 1000,
  reserveMinor: '1000',
  idleMs: 60_000,
  longestMs: 3_600_000,
};

class Station {
  readonly device: Device;
  readonly relay: string[] = [];
  readonly events: string[] = [];
  session: ChargingSession;
  failing: 'close' | 'open' | undefined;
  readonly #terms: ChargingTerms;

  constructor(terms: Partial<ChargingTerms> = {}, options: DeviceOptions = {}) {
    this.device = new Device(options);
    this.#terms = { ...TERMS, ...terms };
    this.session = this.#newSession();
  }

  /** As after a power cut. */
  restart(): void {
    this.device.restart();
    this.session = this.#newSession();
  }

  #newSession(): ChargingSession {
    const move = (how: 'close' | 'open') => {
      if (this.failing === how) throw new RelayError('no answer');
      this.relay.push(`${how} ${this.device.verifier.openReservations().length}`);
    };
    const relay = { close: () => move('close'), open: () => move('open') };
    const log = { emit: ({ event }: { event: string }) => void this.events.push(event) };
    return new ChargingSession(this.device.verifier, relay, this.#terms, log);
  }
}

const payment = (changes = {}) => present({ idempotencyKey: undefined, ...changes });

describe('a session', () => {
  it('reserves, then closes the relay; opens it, then settles what was drawn', () => {
    const { session, relay, device } = new Station();
    expect(session.begin(payment(), 0)).toMatchObject({ ok: true, amountMinor: '1000' });
    session.pulse(1510, 1000);
    expect(session.dueMinor).toBe('60');
    expect(session.stop()).toMatchObject({ kind: 'ended', why: 'stopped', amountMinor: '60', closing: { ok: true } });
    expect(relay).toEqual(['close 1', 'open 1']);
    expect([session.state, device.verifier.openReservations().length]).toEqual(['idle', 0]);
  });

  it('that drew nothing is released', () => {
    const { session, device } = new Station();
    session.begin(payment(), 0);
    expect(session.stop()).toMatchObject({ kind: 'ended', amountMinor: '0', closing: { ok: true } });
    expect(device.verifier.openReservations()).toEqual([]);
  });

  it('ends before a pulse that would cost more than was reserved', () => {
    const { session, relay } = new Station({ reserveMinor: '10' });
    session.begin(payment(), 0);
    expect(session.pulse(273, 1)).toBeUndefined();
    expect(session.pulse(1, 2)).toMatchObject({ kind: 'ended', why: 'spent', amountMinor: '10' });
    expect(relay.at(-1)).toBe('open 1');
  });

  it('that is over can be asked about, until the next one is', () => {
    const { session, device } = new Station();
    expect(session.last).toBeUndefined();
    session.begin(payment(), 0);
    session.pulse(100, 1);
    device.flash.fail('program');
    session.stop();
    expect(session.last).toMatchObject({ kind: 'unsettled', why: 'stopped', closing: { code: 'STORE_FAILED' } });
  });

  it('never settles more than was reserved, however many pulses come at once', () => {
    const { session } = new Station({ reserveMinor: '10' });
    session.begin(payment(), 0);
    expect(session.pulse(1_000_000, 1)).toMatchObject({ why: 'spent', amountMinor: '10', closing: { ok: true } });
  });

  it('ends when no pulse comes for as long as the site says, and when it has lasted too long', () => {
    const { session } = new Station();
    session.begin(payment(), 0);
    session.pulse(100, 50_000);
    expect(session.tick(109_999)).toBeUndefined();
    expect(session.tick(110_000)).toMatchObject({ kind: 'ended', why: 'idle', amountMinor: '4' });
    session.begin(payment({ sba: sba({ budgetId: 'budget-2' }) }), 0);
    for (let at = 30_000; at < 3_600_000; at += 30_000) {
      session.pulse(1, at);
      expect(session.tick(at)).toBeUndefined();
    }
    expect(session.tick(3_600_000)).toMatchObject({ why: 'longest' });
  });

  it('begins once: another driver is told to wait, and nothing of theirs is reserved', () => {
    const { session, device } = new Station();
    session.begin(payment(), 0);
    expect(session.begin(payment({ sba: sba({ budgetId: 'budget-2' }) }), 1)).toBeUndefined();
    expect(device.verifier.openReservations()).toHaveLength(1);
  });
});

describe('the relay stays open', () => {
  it('only where something went wrong: a decision on a session that began says nothing of it', () => {
    const { session } = new Station();
    expect(session.begin(payment(), 0)).not.toHaveProperty('relay');
  });

  it('for a refusal', () => {
    const { session, relay } = new Station({ reserveMinor: '99999999999' });
    expect(session.begin(payment(), 0)).toMatchObject({ ok: false });
    expect([relay, session.state]).toEqual([[], 'idle']);
  });

  it('for the repeat of an answered request, whose energy may have been drawn already', () => {
    const again = present({ idempotencyKey: 'once' });
    const station = new Station();
    station.session.begin(again, 0);
    station.restart();
    expect(station.session.begin(again, 1)).toMatchObject({ ok: true, repeated: true });
    expect([station.relay, station.session.state]).toEqual([['close 1'], 'idle']);
  });

  it('and the reservation is released, where the relay does not move', () => {
    const station = new Station();
    station.failing = 'close';
    expect(station.session.begin(payment(), 0)).toMatchObject({ ok: true, relay: 'failed' });
    expect([station.session.state, station.relay]).toEqual(['idle', ['open 1']]);
    expect(station.device.verifier.openReservations()).toEqual([]);
    expect(station.events).toEqual(['relay.failed', 'session.ended']);
  });
});

describe('what goes wrong', () => {
  it('a store that does not take the end: the relay is open, and the end is tried again', () => {
    const { session, device, relay } = new Station();
    session.begin(payment(), 0);
    session.pulse(1000, 1);
    device.flash.fail('program');
    expect(session.stop()).toMatchObject({ kind: 'unsettled', closing: { ok: false, code: 'STORE_FAILED' } });
    expect([session.state, relay.at(-1)]).toEqual(['closing', 'open 1']);
    expect(session.begin(payment({ sba: sba({ budgetId: 'budget-2' }) }), 2)).toBeUndefined();
    expect(session.tick(3)).toMatchObject({ kind: 'unsettled' });
  });

  it('energy without a session is told, and belongs to nobody', () => {
    const { session, events } = new Station();
    expect(session.pulse(5, 0)).toBeUndefined();
    expect([events, session.pulses]).toEqual([['energy.unpaid'], 0]);
  });

  it('a relay that does not open is told to again until it does', () => {
    const station = new Station();
    station.session.begin(payment(), 0);
    station.failing = 'open';
    station.session.stop();
    station.session.tick(1000);
    expect(station.relay).toEqual(['close 1']);
    station.failing = undefined;
    station.session.tick(2000);
    station.session.tick(3000);
    expect(station.relay).toEqual(['close 1', 'open 0']);
  });

  it('a relay that does not open is told, and what was drawn is settled', () => {
    const station = new Station();
    station.session.begin(payment(), 0);
    station.session.pulse(1000, 1);
    station.failing = 'open';
    expect(station.session.stop()).toMatchObject({ kind: 'ended', amountMinor: '40' });
    expect(station.events).toContain('relay.failed');
  });
});

describe('terms', () => {
  it('that nothing can be sold by are refused', () => {
    for (const terms of [
      { pricePerKwhMinor: '0' },
      { pricePerKwhMinor: '1.5' },
      { reserveMinor: '' },
      { pulsesPerKwh: 0 },
      { pulsesPerKwh: 0.5 },
      { idleMs: 0 },
      { longestMs: Number.NaN },
    ])
      expect(() => new Station(terms)).toThrow(ConfigurationError);
  });
});

describe('after a restart', () => {
  for (const [reservationsLeft, open] of [
    ['settle', 0],
    ['hold', 1],
  ] as const)
    it(`there is no session, the relay is open, and what was reserved is left as the site has it: ${reservationsLeft}`, () => {
      const station = new Station({}, { configuration: { reservationsLeft } });
      station.session.begin(payment(), 0);
      station.session.pulse(100, 1);
      station.restart();
      const { verifier } = station.device;
      const [left] = verifier.takeUpReservations();
      expect(left).toMatchObject({ reservation: { amount: 1000n }, ...(open === 0 && { closing: { ok: true } }) });
      expect(verifier.openReservations()).toHaveLength(open);
      expect([station.session.state, station.relay]).toEqual(['idle', ['close 1']]);
    });
});
