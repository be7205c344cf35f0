// A station that is let in, thrown out, and left waiting.

import { beforeEach, describe, expect, it } from 'vitest';
import type { LogEvent } from '../../../core/ports/ports.ts';
import { WifiLink } from '../../../device/network/wifi.ts';
import { stations } from '../sdk/network-wifi.ts';

class Bench {
  now = 0;
  readonly events: LogEvent[] = [];
  readonly changes: boolean[] = [];
  readonly link: WifiLink;

  constructor(password: string | undefined = 'correct horse') {
    this.link = new WifiLink({
      wifi: { ssid: 'station', ...(password !== '' && { password }) },
      monotonicMs: () => this.now,
      random: () => 0.999,
      log: { emit: (event) => void this.events.push(event) },
      changed: (up) => void this.changes.push(up),
    });
  }

  /** Lets seconds pass. */
  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.now += 1000;
      this.link.tick();
    }
  }

  get joins(): number {
    return stations[0]?.joined.length ?? 0;
  }
}

beforeEach(() => {
  stations.length = 0;
});

describe('Wi-Fi', () => {
  it('joins what is provisioned, and is up with an address and not before', () => {
    const bench = new Bench();
    bench.pass(1);
    expect(stations[0]?.joined).toEqual([{ SSID: 'station', password: 'correct horse' }]);
    stations[0]?.become(400);
    expect(bench.link.up).toBe(false);
    stations[0]?.become(500);
    expect([bench.link.up, bench.link.address, bench.changes]).toEqual([true, '10.0.0.7', [true]]);
  });

  it('joins an open network without a password', () => {
    new Bench('').pass(1);
    expect(stations[0]?.joined).toEqual([{ SSID: 'station' }]);
  });

  it('joins again when it is lost', () => {
    const bench = new Bench();
    bench.pass(1);
    stations[0]?.become(500);
    stations[0]?.become(200);
    expect(bench.changes).toEqual([true, false]);
    bench.pass(3);
    expect(bench.joins).toBe(2);
  });

  it('need not wait for the end of an attempt that the access point has ended', () => {
    const bench = new Bench();
    bench.pass(1);
    stations[0]?.become(200);
    bench.pass(3);
    expect(bench.joins).toBe(2);
  });

  it('tries for ever, later each time, at most every five minutes and what an attempt takes', () => {
    const bench = new Bench();
    const gaps: number[] = [];
    let before = 0;
    for (let joins = 0; gaps.length < 12; ) {
      bench.pass(1);
      if (bench.joins === joins) continue;
      joins = bench.joins;
      gaps.push(bench.now - before);
      before = bench.now;
    }
    expect(gaps.slice(1, 5)).toEqual([32_000, 34_000, 38_000, 46_000]);
    expect(Math.max(...gaps)).toBe(330_000);
    expect(gaps.at(-1)).toBe(330_000);
  });

  it('is quick again once it was up', () => {
    const bench = new Bench();
    bench.pass(2000);
    stations[0]?.become(500);
    stations[0]?.become(200);
    const { joins } = bench;
    bench.pass(3);
    expect(bench.joins).toBe(joins + 1);
  });

  it('a station that cannot begin is a failure like others', () => {
    const bench = new Bench();
    bench.pass(1);
    const [station] = stations;
    if (station !== undefined) station.failure = 'already connecting';
    bench.pass(60);
    expect(bench.events).toContainEqual(
      expect.objectContaining({ event: 'wifi.failed', detail: 'already connecting' }),
    );
    expect(bench.link.up).toBe(false);
  });
});
