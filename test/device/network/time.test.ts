// The clock, by a server whose answer anybody may forge, and by one that is known.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NetworkTime } from '../../../device/network/time.ts';
import { NOW } from '../../fixtures/artifacts.ts';
import { udpSockets } from '../sdk/io-udp.ts';
import { addressOf, forget, rememberAll } from '../sdk/net.ts';
import { clearAll, pass } from '../sdk/timer.ts';

const SERVER = 'time.example';
const EARLIEST = NOW - 1e9;
const EPOCH = 2_208_988_800;

class Bench {
  wall: number | undefined;
  readonly problems: (string | undefined)[] = [];
  readonly time: NetworkTime;
  #next = 7;

  constructor() {
    const clock = {
      wallMs: () => this.wall,
      monotonicMs: () => 0,
      set: (ms: number) => {
        if (ms >= EARLIEST) this.wall = ms;
        return ms >= EARLIEST;
      },
    };
    const random32 = () => this.#next++ * 65_537;
    this.time = new NetworkTime({ clock, server: SERVER, random32, log: { emit: () => {} } });
  }

  ask(): this {
    this.time.ask((problem) => void this.problems.push(problem));
    return this;
  }

  /** The server's answer, with changes by byte. */
  answer(timeMs: number, changes: Readonly<Record<number, number>> = {}, from = addressOf(SERVER), port = 123): void {
    const asked = udpSockets[0]?.sent.at(-1)?.bytes ?? new Uint8Array(48);
    const packet = new Uint8Array(48);
    packet[0] = 0x24;
    packet[1] = 2;
    packet.set(asked.subarray(40, 48), 24);
    const view = new DataView(packet.buffer);
    view.setUint32(40, (Math.floor(timeMs / 1000) + EPOCH) % 2 ** 32);
    for (const [at, byte] of Object.entries(changes)) packet[Number(at)] = byte;
    udpSockets[0]?.come(packet, from, port);
  }
}

beforeEach(() => {
  udpSockets.length = 0;
  rememberAll();
});
afterEach(() => clearAll());

describe('a time server', () => {
  it('sets the clock', () => {
    const bench = new Bench().ask();
    bench.answer(NOW);
    expect([bench.wall, bench.problems, bench.time.busy, udpSockets]).toEqual([NOW, [undefined], false, []]);
  });

  it('sets it after 2036 too, when NTP counts anew', () => {
    const bench = new Bench().ask();
    const later = Date.UTC(2040, 0, 1);
    bench.answer(later);
    expect(bench.wall).toBe(later);
  });

  it.each([
    ['whose question it does not repeat', { 31: 1 }],
    ['that is a question', { 0: 0x23 }],
    ['of a server that does not know the time', { 0: 0xe4 }],
    ['that asks to go away', { 1: 0 }],
    ['of a stratum that is none', { 1: 16 }],
  ])('an answer %s is passed over, and a good one after it is taken', (_, changes) => {
    const bench = new Bench().ask();
    bench.answer(NOW + 1000, changes);
    expect([bench.wall, bench.problems]).toEqual([undefined, []]);
    bench.answer(NOW);
    expect(bench.wall).toBe(NOW);
  });

  it('an answer from elsewhere is passed over', () => {
    const bench = new Bench().ask();
    bench.answer(NOW, {}, '10.9.9.9');
    bench.answer(NOW, {}, addressOf(SERVER), 124);
    expect(bench.wall).toBeUndefined();
  });

  it('a packet that is too short is passed over', () => {
    const bench = new Bench().ask();
    udpSockets[0]?.come(new Uint8Array(47), addressOf(SERVER), 123);
    expect(bench.problems).toEqual([]);
  });

  it('a time before the firmware’s build is not set', () => {
    const bench = new Bench().ask();
    bench.answer(EARLIEST - 5000);
    expect([bench.wall, bench.problems]).toEqual([undefined, ['the time server shows a time that cannot be']]);
  });

  it('that is silent is asked three times', () => {
    const bench = new Bench().ask();
    pass(20_000);
    expect(bench.problems).toEqual([`the time server ${SERVER} does not answer`]);
    expect(udpSockets).toEqual([]);
  });

  it('without an address is told so', () => {
    forget(SERVER);
    expect(new Bench().ask().problems).toEqual([`the time server ${SERVER} has no address`]);
  });

  it('is given up when the link goes, once', () => {
    const bench = new Bench().ask();
    bench.time.abort('the link went down');
    pass(20_000);
    expect(bench.problems).toEqual(['the link went down']);
  });
});

describe('the Date of a server that is known', () => {
  it('corrects a clock that is off, both ways', () => {
    const bench = new Bench();
    bench.time.told(new Date(NOW).toUTCString());
    expect(bench.wall).toBe(NOW);
    bench.time.told(new Date(NOW - 60_000).toUTCString());
    expect(bench.wall).toBe(NOW - 60_000);
  });

  it('leaves a clock that is about right', () => {
    const bench = new Bench();
    bench.wall = NOW + 1234;
    bench.time.told(new Date(NOW).toUTCString());
    expect(bench.wall).toBe(NOW + 1234);
  });

  it.each([undefined, '', 'now', '2026-06-01T12:00:00Z', 'Mon, 99 Foo 2026 12:00:00 GMT'])('is none: %j', (date) => {
    const bench = new Bench();
    bench.time.told(date);
    expect(bench.wall).toBeUndefined();
  });

  it('attack: a Date before the build sets no clock, and ends no doubt about it', () => {
    const bench = new Bench();
    bench.time.doubt();
    bench.time.told(new Date(EARLIEST - 5000).toUTCString());
    expect([bench.wall, bench.time.doubtful]).toEqual([undefined, true]);
  });

  it('confirms a clock that is about right', () => {
    const bench = new Bench();
    bench.wall = NOW;
    bench.time.doubt();
    bench.time.told(new Date(NOW).toUTCString());
    expect(bench.time.doubtful).toBe(false);
  });

  it('confirms the clock: what cannot be reached later is no reason to ask anybody else', () => {
    const bench = new Bench();
    bench.time.doubt();
    expect(bench.time.doubtful).toBe(true);
    bench.ask().answer(NOW);
    expect(bench.time.doubtful).toBe(false);
    bench.time.told(new Date(NOW).toUTCString());
    bench.time.doubt();
    expect(bench.time.doubtful).toBe(false);
  });
  it('confirms the clock that there was: one that has jumped since may be why nobody can be reached', () => {
    const bench = new Bench();
    bench.time.told(new Date(NOW).toUTCString());
    bench.wall = NOW + 90 * 86_400_000;
    bench.time.doubt();
    expect(bench.time.doubtful).toBe(true);
    bench.ask().answer(NOW);
    expect([bench.wall, bench.time.doubtful]).toEqual([NOW, false]);
  });
});
