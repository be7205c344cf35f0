// A sample from its start to a payment: provisioning from flash, a presentation over the reader's line, the relay, the answer.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FRAME_TYPES, FrameReader, type SerialFrame, writeFrame } from '../../../core/intake/serial-frame.ts';
import { Charger } from '../../../device/charger/charger.ts';
import { PARTITION } from '../../../device/firmware/partitions.ts';
import { run } from '../../../device/firmware/run.ts';
import { bundle, NOW, present, sba } from '../../fixtures/artifacts.ts';
import { cbor, document, slotBytes } from '../../fixtures/provisioning.ts';
import { absent, pins, stuck } from '../sdk/io-digital.ts';
import { ports } from '../sdk/io-serial.ts';
import { forgetPartition, makePartition } from '../sdk/storage-flash.ts';
import { setTicks } from '../sdk/time.ts';
import { clearAll, pass } from '../sdk/timer.ts';

const TERMS = {
  pricePerKwhMinor: '40',
  pulsesPerKwh: 1000,
  reserveMinor: '1000',
  idleMs: 60_000,
  longestMs: 3_600_000,
};
const KB = 1024;

beforeEach(() => {
  vi.stubGlobal('MPCP_NATIVE', false);
  vi.useFakeTimers({ now: NOW });
  pins.clear();
  absent.clear();
  stuck.clear();
  ports.length = 0;
  setTicks(0);
  makePartition(PARTITION.ledger, 64 * KB);
  makePartition(PARTITION.journal, 64 * KB);
  makePartition(PARTITION.bundles, 456 * KB);
  makePartition(PARTITION.keyTables, 56 * KB);
});
afterEach(() => {
  clearAll();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function provision(changes = {}): void {
  makePartition(PARTITION.provisioning, 16 * KB).set(slotBytes(cbor(document(changes)), {}));
}

function charger() {
  return run('charger', ({ verifier, clock, relay }, wiring, log) => {
    const one = new Charger({ verifier, wiring, relay, terms: TERMS, now: () => clock.monotonicMs(), log });
    return { present: (bytes) => one.present(bytes), stop: () => one.stop(), tick: () => void one.tick() };
  });
}

/** What the line of events has said. */
function events(): string {
  ports[0]?.makeRoom(100_000);
  return Buffer.from(ports[0]?.sent ?? []).toString();
}

/** Sends a request over the reader's line. */
function ask(type: number, payload: Uint8Array, sequence = 1): { readonly type: number; readonly data: unknown } {
  const line = ports[1];
  if (line === undefined) throw new Error('the reader has no line');
  line.sent.length = 0;
  line.come(writeFrame(type, sequence, payload));
  line.makeRoom(10_000);
  const frames: SerialFrame[] = [];
  new FrameReader(
    (frame) => frames.push({ ...frame, payload: frame.payload.slice() }),
    (fault) => {
      throw new Error(fault);
    },
  ).push(Uint8Array.from(line.sent), 0);
  const [frame] = frames as [SerialFrame];
  return { type: frame.type, data: JSON.parse(Buffer.from(frame.payload).toString()) };
}

describe('a sample', () => {
  it('takes a payment over the reader’s line: it is on flash, the relay closes, the reader is told', () => {
    provision();
    const running = charger();
    expect(running?.device.verifier.admit(bundle())).toMatchObject({ ok: true });
    const answer = ask(FRAME_TYPES.authorize, present());
    expect(answer).toMatchObject({
      type: FRAME_TYPES.decision,
      data: { ok: true, amountMinor: '1000', repeated: false },
    });
    expect(pins.get(4)?.levels).toEqual([0, 1]);
    expect(running?.device.verifier.openReservations()).toHaveLength(1);
  });

  it('tells a reader that its relay did not close: nothing is charged, and a stop says why', () => {
    provision();
    const running = charger();
    running?.device.verifier.admit(bundle());
    stuck.add(4);
    const { data } = ask(FRAME_TYPES.authorize, present());
    expect(data).toMatchObject({ ok: true, relay: 'failed' });
    const { receiptId } = data as { receiptId: number };
    expect(running?.device.verifier.openReservations()).toEqual([]);
    const told = { ok: true, why: 'relay-failed', receiptId, amountMinor: '0' };
    expect(ask(FRAME_TYPES.stop, new Uint8Array(0)).data).toEqual(told);
  });

  it('tells a reader what it is', () => {
    provision();
    charger();
    expect(ask(FRAME_TYPES.state, new Uint8Array(0))).toMatchObject({
      type: FRAME_TYPES.stateIs,
      data: {
        ...{ format: 1, device: 'charger-7', state: 'refusing', provisioned: true, serving: false, offline: true },
        reasons: expect.arrayContaining(['NO_TRUST_BUNDLE', 'OFFLINE']),
        ...{ bundles: [], ledger: { used: expect.any(Number), of: expect.any(Number) }, reservations: 0 },
      },
    });
  });

  it('ends a session where the reader says so, and tells what was settled, as often as it is asked', () => {
    provision();
    const running = charger();
    running?.device.verifier.admit(bundle());
    const stop = () => ask(FRAME_TYPES.stop, new Uint8Array(0));
    expect(stop()).toEqual({ type: FRAME_TYPES.stopped, data: { ok: false, error: 'RESERVATION_NOT_FOUND' } });
    const { data } = ask(FRAME_TYPES.authorize, present());
    for (let i = 0; i < 50; i++) {
      vi.setSystemTime(NOW + 100 * i);
      setTicks(100 * i);
      pins.get(5)?.drive(1);
      pins.get(5)?.drive(0);
    }
    const { receiptId } = data as { receiptId: number };
    const told = { type: FRAME_TYPES.stopped, data: { ok: true, why: 'stopped', receiptId, amountMinor: '2' } };
    expect([stop(), stop()]).toEqual([told, told]);
    expect(pins.get(4)?.levels).toEqual([0, 1, 0]);
    expect(running?.device.verifier.openReservations()).toEqual([]);
  });

  it('ends no session of a driver who came over the network since, where the reader’s stop is repeated', () => {
    provision();
    const running = charger();
    running?.device.verifier.admit(bundle());
    const stop = () => ask(FRAME_TYPES.stop, new Uint8Array(0), 2);
    const { receiptId } = ask(FRAME_TYPES.authorize, present()).data as { receiptId: number };
    const told = stop();
    expect(told.data).toMatchObject({ ok: true, receiptId });
    running?.till.present(present({ sba: sba({ budgetId: 'other' }), idempotencyKey: undefined }), () => {});
    expect(pins.get(4)?.level).toBe(1);
    expect([stop(), pins.get(4)?.level]).toEqual([told, 1]);
  });

  it('ends no session while a payment from the network waits for its issuer, and tells the reader so', () => {
    provision();
    const running = charger();
    if (running === undefined) throw new Error(events());
    vi.spyOn(running.till, 'busy', 'get').mockReturnValue(true);
    expect(ask(FRAME_TYPES.stop, new Uint8Array(0)).data).toEqual({ ok: false, error: 'DEVICE_BUSY' });
  });

  it('ends a session where somebody presses its button, not where noise is on the line of that', () => {
    provision({ wiring: { kind: 'charger', relay: 4, active: 'high', meter: 5, stop: 6 } });
    const running = charger();
    running?.device.verifier.admit(bundle());
    ask(FRAME_TYPES.authorize, present());
    const button = pins.get(6);
    button?.drive(1);
    button?.drive(0);
    button?.drive(1);
    pass(100);
    expect(pins.get(4)?.level).toBe(1);
    button?.drive(0);
    pass(30);
    expect(pins.get(4)?.level).toBe(0);
    expect(running?.device.verifier.openReservations()).toEqual([]);
  });

  it('has its relay at rest before its stores are read, and where it does not start', () => {
    provision({ wiring: { kind: 'charger', relay: 4, active: 'low', meter: 5 } });
    forgetPartition(PARTITION.ledger);
    expect(charger()).toBeUndefined();
    expect(events()).toContain('device.stopped');
    expect(pins.get(4)?.levels).toEqual([1]);
  });

  it('begins no idle work while a message comes in: bytes of it would be lost', () => {
    provision();
    const running = charger();
    if (running === undefined) throw new Error(events());
    const step = vi.spyOn(running.device.verifier, 'step');
    pass(500);
    step.mockClear();
    const frame = writeFrame(FRAME_TYPES.authorize, 1, present());
    for (let at = 0; at < 1000; at += 10) {
      setTicks(at);
      ports[1]?.come(frame.subarray(at, at + 10));
      pass(10);
    }
    expect(step).not.toHaveBeenCalled();
    setTicks(1600);
    pass(600);
    expect(step).toHaveBeenCalled();
  });

  it('does its idle work after five seconds, whoever keeps the line busy', () => {
    provision();
    const running = charger();
    if (running === undefined) throw new Error(events());
    const step = vi.spyOn(running.device.verifier, 'step');
    pass(500);
    step.mockClear();
    for (let at = 0; at < 6000; at += 100) {
      setTicks(at);
      ports[1]?.come(Uint8Array.of(7));
      pass(100);
      if (at < 5000) expect([at, step.mock.calls.length]).toEqual([at, 0]);
    }
    expect(step).toHaveBeenCalled();
  });

  it('refuses without a bundle, and the relay stays open', () => {
    provision();
    charger();
    expect(ask(FRAME_TYPES.authorize, present())).toMatchObject({ data: { ok: false, error: 'NO_TRUST_BUNDLE' } });
    expect(pins.get(4)?.levels).toEqual([0]);
  });

  it('answers a second driver while the first one charges, and reserves nothing', () => {
    provision();
    const running = charger();
    running?.device.verifier.admit(bundle());
    ask(FRAME_TYPES.authorize, present());
    pass(5000);
    expect(ask(FRAME_TYPES.authorize, present({ idempotencyKey: 'other' }))).toMatchObject({ data: { ok: false } });
    expect(running?.device.verifier.openReservations()).toHaveLength(1);
  });

  it('sells nothing, and says why, without provisioning or with that of another kind', () => {
    makePartition(PARTITION.provisioning, 16 * KB);
    expect(charger()).toBeUndefined();
    expect(events()).toContain('neither slot of the partition has an image');
    provision({ wiring: { kind: 'gate', relay: 4, active: 'high' } });
    ports.length = 0;
    expect(charger()).toBeUndefined();
    expect(events()).toContain('the firmware of a charger, and the provisioning is for gate');
    expect(pins.size).toBe(0);
  });

  it('takes no provisioning that is older than one it has run with', () => {
    makePartition(PARTITION.provisioning, 16 * KB).set(slotBytes(cbor(document()), { counter: 3 }));
    expect(charger()).toBeDefined();
    makePartition(PARTITION.provisioning, 16 * KB).set(slotBytes(cbor(document()), { counter: 2 }));
    ports.length = 0;
    expect(charger()).toBeUndefined();
    expect(events()).toContain('device.stopped');
  });

  it('settles nothing by a provisioning that is older than one it has run with', () => {
    const image = (counter: number, changes = {}) =>
      makePartition(PARTITION.provisioning, 16 * KB).set(slotBytes(cbor(document(changes)), { counter }));
    image(3);
    charger()?.device.verifier.admit(bundle());
    ask(FRAME_TYPES.authorize, present());
    const { site } = document() as { site: object };
    image(2, { site: { ...site, reservationsLeft: 'settle' } });
    ports.length = 0;
    expect(charger()).toBeUndefined();
    image(3);
    ports.length = 0;
    expect(charger()?.device.verifier.openReservations()).toHaveLength(1);
  });

  it('says why it sells nothing where the chip has not the pin of its wiring', () => {
    provision();
    absent.add(4);
    expect(charger()).toBeUndefined();
    expect(events()).toContain('"event":"device.stopped","detail":"its wiring: invalid pin"');
  });

  it('takes no clock for set that is before its image was made', () => {
    provision({ madeAt: new Date(NOW + 86_400_000).toISOString() });
    expect(charger()?.device.clock.wallMs()).toBeUndefined();
  });

  it('calls itself good only where it can read both stores: else an update is taken back', () => {
    provision();
    expect(charger()).toBeDefined();
    expect(events()).toContain('firmware.good');
    makePartition(PARTITION.journal, 64 * KB).fill(0x5a, 0, 64);
    ports.length = 0;
    expect(charger()).toBeDefined();
    expect(events()).not.toContain('firmware.good');
  });
});
