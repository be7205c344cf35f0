// When a device asks for Trust Bundles: often enough that it never runs out of them, and never more often than that, whatever
// a server, an access point or a sender of urgent messages does.

import { describe, expect, it } from 'vitest';
import {
  REFRESH_FIRST_WAIT_MS,
  REFRESH_INTERVAL_MS,
  REFRESH_LEAST_GAP_MS,
  REFRESH_LONGEST_WAIT_MS,
  REFRESH_MARGIN_PACE_MS,
  REFRESH_SPREAD_MS,
  REFRESH_STAGE_MS,
  REFRESH_START_SPREAD_MS,
  REFRESH_TIMEOUT_MS,
  REFRESH_URGENT_EACH_MS,
  REFRESH_URGENT_MOST,
} from '../../../core/limits.ts';
import type { LogEvent } from '../../../core/ports/ports.ts';
import { type Refusal, refuse } from '../../../core/reason-codes.ts';
import type { BundleFetch } from '../../../core/refresh/bundle-fetch.ts';
import {
  BundleRefresh,
  type RefreshConditions,
  type Refreshed,
  type RefreshStep,
} from '../../../core/refresh/bundle-refresh.ts';
import { type RefreshConfiguration, readRefresh } from '../../../core/refresh/settings.ts';
import type { SetAdmission } from '../../../core/trust/admission.ts';
import type { HeldBundle } from '../../../core/trust/held-bundle.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';

const crypto = createNodeCrypto();
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Wall time at the beginning, when the usual bundle is fresh. */
const WALL_MS = 1_800_000_000_000;

const UNSET = refuse('device', 'device.clock', 'CLOCK_UNTRUSTED', 'the clock was not set since power-up');
const TAKEN = [{ ok: true }] as unknown as SetAdmission;
const REFUSED: SetAdmission = [refuse('trustBundle', 'bundle.rollback', 'BUNDLE_ROLLBACK', 'older')];

/** A device around the machine: a trust set, a time that tests set, and a partition that counts. */
class Device {
  readonly events: LogEvent[] = [];
  readonly refresh: BundleRefresh;
  nowMs = 1000;
  isSet = true;
  linkUp = true;
  busy = false;
  chance = 0.999;
  bundles: readonly HeldBundle[];
  /** What the next answer that is taken in comes to. */
  outcome: SetAdmission = TAKEN;
  begun = 0;
  dropped = 0;
  written = 0;
  /** Whether a site goes on without a clock. */
  allowsUnset = false;

  constructor(bundles: readonly HeldBundle[] = [held()], settings: RefreshConfiguration = {}) {
    this.bundles = bundles;
    const trust = Object.defineProperty({}, 'bundles', { get: () => this.bundles }) as Refreshed['trust'];
    const verifier: Refreshed = {
      site: {
        bundleScope: { merchant: 'did:web:station.example', region: 'EU 1' },
        refresh: readRefresh(settings, []),
      },
      trust,
      now: (): number | Refusal => (this.isSet || this.allowsUnset ? WALL_MS + this.nowMs : UNSET),
      beginBundles: () => {
        this.begun++;
        return {
          write: (chunk) => {
            this.written += chunk.length;
            return undefined;
          },
          end: () => {
            if (this.outcome === TAKEN) this.bundles = [...this.bundles];
            return this.outcome;
          },
          drop: () => {
            this.dropped++;
          },
        };
      },
    };
    const log = { emit: (event: LogEvent) => void this.events.push(event) };
    this.refresh = new BundleRefresh({ verifier, crypto, random: () => this.chance, log });
  }

  next(changes: Partial<RefreshConditions> = {}): RefreshStep {
    const { nowMs, linkUp, busy } = this;
    return this.refresh.next({ nowMs, linkUp, clockSet: this.isSet, busy, ...changes });
  }

  /** The request that is due now. */
  fetch(): BundleFetch {
    const step = this.next();
    if (step.kind !== 'fetch') throw new Error(`${step.kind} instead of a request`);
    return step.fetch;
  }

  /** Waits as long as it is told to. @returns how long that was */
  wait(): number {
    const step = this.next();
    if (step.kind !== 'wait') throw new Error(`${step.kind} instead of a wait`);
    this.nowMs += step.ms;
    return step.ms;
  }

  /** Answers a request with a status and a body. */
  answer(fetch: BundleFetch, status: number, text = '', headers: Record<string, string> = {}): void {
    if (!fetch.answered(this.nowMs, status, (name) => headers[name], this.isSet ? WALL_MS + this.nowMs : undefined))
      return;
    fetch.take(this.nowMs, Buffer.from(text));
    fetch.ended(this.nowMs);
  }

  /** Fetches once, past the waits, and takes it in. */
  takeOne(headers: Record<string, string> = {}, text = BODY): BundleFetch {
    this.refresh.hurry();
    const fetch = this.fetch();
    this.answer(fetch, 200, text, headers);
    return fetch;
  }

  named(event: string): readonly LogEvent[] {
    return this.events.filter((entry) => entry.event === event);
  }
}

const BODY = '{"bundles":[]}';

function held(expiresInMs = 7 * DAY_MS, lifeMs = 7 * DAY_MS): HeldBundle {
  const expiresAtMs = WALL_MS + expiresInMs;
  return { bundleId: 'b', issuedAtMs: expiresAtMs - lifeMs, expiresAtMs } as HeldBundle;
}

/** The tag a Policy Authority gives a body. */
function tagOf(text: string): string {
  const hash = crypto.sha256();
  hash.update(Buffer.from(text));
  return `"${Buffer.from(hash.digest()).toString('base64url')}"`;
}

describe('after a start', () => {
  it('a device without bundles asks at once', () => {
    const fetch = new Device([]).fetch();
    expect(fetch.order).toMatchObject({
      path: '/trust-bundles?merchant=did%3Aweb%3Astation.example&region=EU%201',
      timeoutMs: REFRESH_TIMEOUT_MS,
    });
    expect(fetch.order.headers).toEqual({ accept: 'application/json', 'accept-encoding': 'identity' });
  });

  it('one with fresh bundles waits a little: a fleet that had no power comes back at one moment', () => {
    for (const [chance, ms] of [
      [0, 0],
      [0.5, REFRESH_START_SPREAD_MS / 2],
    ] as const) {
      const device = new Device();
      device.chance = chance;
      if (ms === 0) device.fetch();
      else expect(device.wait()).toBe(ms);
    }
  });

  it('one whose bundles have expired asks at once', () => {
    new Device([held(-1)]).fetch();
  });

  it('the order is: network, time, request', () => {
    const device = new Device([]);
    device.linkUp = false;
    device.isSet = false;
    expect(device.next()).toEqual({ kind: 'connect' });
    device.linkUp = true;
    expect(device.next()).toEqual({ kind: 'set-time' });
    device.isSet = true;
    device.fetch();
  });
});

describe('a network', () => {
  it('that does not come up is given up, and tried again later and later', () => {
    const device = new Device([]);
    device.linkUp = false;
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      expect(device.next()).toEqual({ kind: 'connect' });
      device.nowMs += REFRESH_STAGE_MS;
      waits.push(device.wait());
    }
    expect(waits[0]).toBeLessThan(REFRESH_FIRST_WAIT_MS + 1);
    expect(waits[1]).toBeGreaterThan(waits[0] as number);
    expect(Math.max(...waits)).toBeLessThan(REFRESH_MARGIN_PACE_MS + 1);
  });

  it('that comes back ends the wait for it, soon and not at one moment for all', () => {
    const device = new Device([]);
    device.linkUp = false;
    for (let i = 0; i < 8; i++) {
      device.next();
      device.refresh.gaveUp(device.nowMs, 'no access point');
      device.wait();
    }
    device.next();
    device.refresh.gaveUp(device.nowMs, 'no access point');
    device.linkUp = true;
    device.chance = 0.5;
    expect(device.wait()).toBe(REFRESH_SPREAD_MS / 2);
    device.fetch();
  });

  it('that comes and goes cannot be used to make a device ask without end', () => {
    const device = new Device([]);
    device.chance = 0;
    let requests = 0;
    for (let second = 0; second < 3600; second++) {
      device.nowMs += 1000;
      device.linkUp = second % 2 === 0;
      const step = device.next();
      if (step.kind !== 'fetch') continue;
      requests++;
      step.fetch.failed(device.nowMs, 'link-down', 'the link went down');
    }
    expect(requests).toBeGreaterThan(2);
    expect(requests).toBeLessThan(12);
  });
});

describe('the time', () => {
  it('that cannot be had is given up, and asked for again', () => {
    const device = new Device([]);
    device.isSet = false;
    device.next();
    expect(device.refresh.gaveUp(device.nowMs, 'no answer')).toEqual({
      kind: 'failed',
      failure: 'no-time',
      detail: 'no answer',
    });
    expect(device.wait()).toBeGreaterThan(0);
    expect(device.next()).toEqual({ kind: 'set-time' });
  });

  it('is not needed where the site goes on without: it is tried once for each request', () => {
    const device = new Device([]);
    device.isSet = false;
    device.allowsUnset = true;
    expect(device.next()).toEqual({ kind: 'set-time' });
    expect(device.refresh.gaveUp(device.nowMs, 'no answer')).toBeUndefined();
    device.fetch().failed(device.nowMs, 'unreachable', 'TLS needs a clock');
    device.wait();
    expect(device.next()).toEqual({ kind: 'set-time' });
  });
});

describe('a payment', () => {
  it('is never disturbed: what is due waits for its end', () => {
    const device = new Device([]);
    device.busy = true;
    expect(device.next()).toEqual({ kind: 'nothing' });
    device.busy = false;
    device.fetch();
  });
});

describe('bundles that are fresh', () => {
  it('are asked about after the interval, from half of it on', () => {
    const device = new Device();
    device.takeOne();
    expect(device.wait()).toBe(REFRESH_INTERVAL_MS - REFRESH_INTERVAL_MS / 2000);
    device.fetch();
    const other = new Device();
    other.takeOne();
    other.chance = 0;
    other.takeOne();
    expect(other.wait()).toBe(REFRESH_INTERVAL_MS / 2);
  });

  it('are asked about by their tag', () => {
    const device = new Device();
    device.takeOne({ etag: tagOf(BODY) });
    device.wait();
    const fetch = device.fetch();
    expect(fetch.order.headers['if-none-match']).toBe(tagOf(BODY));
    device.answer(fetch, 304);
    expect(fetch.result).toEqual({ kind: 'unchanged' });
    expect(device.begun).toBe(1);
    device.wait();
    expect(device.fetch().order.headers['if-none-match']).toBe(tagOf(BODY));
  });

  it('a tag that is not what the bytes are is not kept', () => {
    for (const etag of [tagOf('{}'), '"1"', `W/${tagOf(BODY)}`, '*']) {
      const device = new Device();
      device.takeOne({ etag });
      device.wait();
      expect(device.fetch().order.headers['if-none-match']).toBeUndefined();
    }
  });

  it('a tag is only sent while what came with it is in force', () => {
    const device = new Device();
    device.takeOne({ etag: tagOf(BODY) });
    device.bundles = [held(8 * DAY_MS)];
    device.wait();
    expect(device.fetch().order.headers['if-none-match']).toBeUndefined();
  });

  it('a tag of an answer of which something was refused is not kept', () => {
    const device = new Device();
    device.outcome = [...(TAKEN as readonly []), ...(REFUSED as readonly Refusal[])];
    device.takeOne({ etag: tagOf(BODY) });
    device.refresh.hurry();
    expect(device.fetch().order.headers['if-none-match']).toBeUndefined();
  });

  it('304 to a request without a tag is a failure, as often as it comes', () => {
    const device = new Device();
    let requests = 0;
    device.refresh.hurry();
    for (const end = device.nowMs + DAY_MS; device.nowMs < end; ) {
      const step = device.next();
      if (step.kind === 'fetch') {
        requests++;
        device.answer(step.fetch, 304);
        expect(step.fetch.result).toMatchObject({ kind: 'failed', failure: 'http-status' });
      } else device.wait();
    }
    expect(requests).toBeLessThan(60);
  });
});

describe('a bundle near its expiry', () => {
  const margin = (device: Device): void => {
    device.bundles = [held(DAY_MS)];
    device.takeOne({ etag: tagOf(BODY) });
  };

  it('is asked about at a pace, though the server says that it is unchanged', () => {
    const device = new Device();
    margin(device);
    for (let i = 0; i < 6; i++) {
      expect(device.wait()).toBeLessThan(REFRESH_MARGIN_PACE_MS + 1);
      device.answer(device.fetch(), 304);
    }
  });

  it('every second request is for all of it: a cache may say "unchanged" for longer than is true', () => {
    const device = new Device();
    margin(device);
    const conditional: boolean[] = [];
    for (let i = 0; i < 4; i++) {
      device.wait();
      const fetch = device.fetch();
      conditional.push(fetch.order.headers['if-none-match'] !== undefined);
      if (conditional[i]) device.answer(fetch, 304);
      else device.answer(fetch, 200, BODY, { etag: tagOf(BODY) });
    }
    expect(conditional).toEqual([true, false, true, false]);
  });

  it('is noticed in time, however long the interval is', () => {
    const device = new Device([held(7 * DAY_MS)], { intervalMs: 7 * DAY_MS });
    device.takeOne();
    const marginBegins = 7 * DAY_MS - (7 * DAY_MS) / 4;
    expect(device.wait()).toBeLessThan(marginBegins + REFRESH_MARGIN_PACE_MS);
  });

  it.each<[string, RefreshConfiguration, number, number]>([
    ['a share of its life', { marginShare: 0.5, leastMarginMs: 0 }, 10 * DAY_MS, 5 * DAY_MS],
    ['at least so long', { marginShare: 0, leastMarginMs: 2 * DAY_MS }, 10 * DAY_MS, 2 * DAY_MS],
    ['at most half of its life', { marginShare: 0.9, leastMarginMs: 0 }, 10 * DAY_MS, 5 * DAY_MS],
  ])('the margin is %s', (_, settings, lifeMs, marginMs) => {
    for (const [leftMs, near] of [
      [marginMs + HOUR_MS, false],
      [marginMs - HOUR_MS, true],
    ] as const) {
      const device = new Device([held(leftMs, lifeMs)], { intervalMs: DAY_MS, ...settings });
      device.takeOne();
      expect(device.named('refresh.done')).toMatchObject([{ near }]);
    }
  });

  it('one that has expired beside others that have not is no reason for haste', () => {
    const device = new Device([held(), held(-HOUR_MS)]);
    device.takeOne();
    expect(device.wait()).toBeGreaterThan(REFRESH_INTERVAL_MS / 2);
  });

  it('where none is in force the pace is the same, and no tag is sent', () => {
    const device = new Device([held(-HOUR_MS)]);
    device.takeOne({ etag: tagOf(BODY) });
    expect(device.wait()).toBeLessThan(REFRESH_MARGIN_PACE_MS + 1);
    expect(device.fetch().order.headers['if-none-match']).toBeUndefined();
  });
});

describe('failures', () => {
  const failing = (device: Device, work: (fetch: BundleFetch) => void, times: number): number[] => {
    device.refresh.hurry();
    const waits: number[] = [];
    for (let i = 0; i < times; i++) {
      work(device.fetch());
      waits.push(device.wait());
    }
    return waits;
  };

  it('make the waits longer, up to a bound', () => {
    const device = new Device();
    const waits = failing(device, (fetch) => fetch.failed(device.nowMs, 'unreachable', 'nobody there'), 12);
    for (let i = 1; i < 9; i++) expect(waits[i]).toBeGreaterThan(waits[i - 1] as number);
    expect(waits[11]).toBeLessThan(REFRESH_LONGEST_WAIT_MS + 1);
    expect(waits[11]).toBeGreaterThan(REFRESH_LONGEST_WAIT_MS / 2);
  });

  it('half of each wait is left to chance', () => {
    const device = new Device();
    device.chance = 0;
    expect(failing(device, (fetch) => fetch.failed(device.nowMs, 'unreachable', ''), 1)).toEqual([
      REFRESH_FIRST_WAIT_MS / 2,
    ]);
  });

  it('are forgotten with the first success', () => {
    const device = new Device();
    failing(device, (fetch) => fetch.failed(device.nowMs, 'unreachable', ''), 8);
    device.takeOne();
    const [first] = failing(device, (fetch) => fetch.failed(device.nowMs, 'unreachable', ''), 1);
    expect(first).toBeLessThan(REFRESH_FIRST_WAIT_MS + 1);
  });

  it('a server that gives the same old bundle again has given nothing', () => {
    const device = new Device([held(HOUR_MS)]);
    device.outcome = REFUSED;
    const waits = failing(device, (fetch) => device.answer(fetch, 200, BODY, { etag: tagOf(BODY) }), 6);
    expect(waits[5]).toBeGreaterThan(waits[0] as number);
    expect(device.named('refresh.failed')[0]).toMatchObject({ failure: 'refused', detail: 'BUNDLE_ROLLBACK: older' });
    expect(device.fetch().order.headers['if-none-match']).toBeUndefined();
  });

  it('an answer without a bundle has given nothing', () => {
    const device = new Device();
    device.outcome = [];
    failing(device, (fetch) => device.answer(fetch, 200, BODY), 1);
    expect(device.named('refresh.failed')).toMatchObject([
      { failure: 'refused', detail: 'the answer holds no bundle' },
    ]);
  });
});

describe('Retry-After', () => {
  const waitAfter = (value: string, device = new Device()): number => {
    device.refresh.hurry();
    device.answer(device.fetch(), 503, '', { 'retry-after': value });
    return device.wait();
  };

  it('is waited for', () => {
    expect(waitAfter('1800')).toBe(1_800_000);
  });

  it('may be a date', () => {
    const device = new Device();
    const at = new Date(WALL_MS + device.nowMs + 1_800_000).toUTCString();
    expect(Math.abs(waitAfter(at, device) - 1_800_000)).toBeLessThan(1001);
  });

  it.each(['99999999', '999999999999999999', '1e9', '-1', '', 'soon', '0', 'Sun, 06 Nov 1994 08:49:37 GMT'])(
    'within bounds: %s',
    (value) => {
      const waited = waitAfter(value);
      expect(waited).toBeLessThan(REFRESH_LONGEST_WAIT_MS + 1);
      expect(waited).toBeGreaterThan(REFRESH_FIRST_WAIT_MS / 2 - 1);
    },
  );

  it('is not shortened by urgent messages, nor by a network that comes and goes', () => {
    const device = new Device();
    device.refresh.hurry();
    device.answer(device.fetch(), 429, '', { 'retry-after': '1800' });
    device.refresh.urgent(device.nowMs, 'mqtt');
    device.linkUp = false;
    device.next();
    device.linkUp = true;
    expect(device.wait()).toBe(1_800_000);
  });
});

describe('urgent messages', () => {
  const quiet = (): Device => {
    const device = new Device();
    device.takeOne();
    device.nowMs += HOUR_MS;
    return device;
  };

  it('lead to a request soon, not all devices at one moment, past what stands between', () => {
    const device = quiet();
    device.chance = 0.5;
    expect(device.refresh.urgent(device.nowMs, 'mqtt')).toBe(true);
    expect(device.wait()).toBe(REFRESH_SPREAD_MS / 2);
    expect(device.fetch().order.headers['cache-control']).toBe('no-cache');
  });

  it('end the wait after failures', () => {
    const device = quiet();
    device.refresh.hurry();
    for (let i = 0; i < 10; i++) {
      device.fetch().failed(device.nowMs, 'unreachable', '');
      device.wait();
    }
    device.fetch().failed(device.nowMs, 'unreachable', '');
    device.refresh.urgent(device.nowMs, 'mqtt');
    expect(device.wait()).toBeLessThan(REFRESH_SPREAD_MS + 1);
  });

  it('that come while an answer is on its way lead to another request: it may be older', () => {
    const device = quiet();
    device.refresh.hurry();
    const fetch = device.fetch();
    device.refresh.urgent(device.nowMs, 'mqtt');
    device.answer(fetch, 200, BODY);
    expect(device.wait()).toBe(REFRESH_LEAST_GAP_MS);
    device.fetch();
  });

  it('by the thousand lead to as many requests as are believed, and to as many lines in the log', () => {
    const device = quiet();
    let requests = 0;
    const end = device.nowMs + DAY_MS;
    while (device.nowMs < end) {
      device.refresh.urgent(device.nowMs, 'mqtt');
      const step = device.next();
      if (step.kind === 'fetch') {
        requests++;
        device.answer(step.fetch, 200, BODY);
      }
      device.nowMs += 20_000;
    }
    const usual = DAY_MS / (REFRESH_INTERVAL_MS / 2);
    const most = REFRESH_URGENT_MOST + DAY_MS / REFRESH_URGENT_EACH_MS + usual;
    expect(requests).toBeGreaterThan(20);
    expect(requests).toBeLessThan(most);
    expect(device.named('refresh.urgent').length).toBeLessThan(2 * most);
  });

  it('after a quiet time are believed again, and no more often for it', () => {
    const device = quiet();
    const believed = (): number => {
      let count = 0;
      for (let i = 0; i < 10; i++) {
        if (device.refresh.urgent(device.nowMs, 'mqtt')) count++;
        device.takeOne();
      }
      return count;
    };
    expect(believed()).toBe(REFRESH_URGENT_MOST);
    device.nowMs += 30 * DAY_MS;
    expect(believed()).toBe(REFRESH_URGENT_MOST);
  });

  it('that may have been missed lead to a request soon, but once an hour, and cost none that is believed', () => {
    const device = quiet();
    const asked: number[] = [];
    const began = device.nowMs;
    while (device.nowMs < began + 2 * HOUR_MS) {
      // A broker that goes and comes all the time.
      device.refresh.missed(device.nowMs);
      const step = device.next();
      if (step.kind === 'fetch') {
        asked.push(device.nowMs - began);
        device.answer(step.fetch, 200, BODY);
      }
      device.nowMs += 1000;
    }
    expect(asked).toHaveLength(2);
    expect(asked[0]).toBeLessThan(REFRESH_SPREAD_MS + 1000);
    expect((asked[1] as number) - (asked[0] as number)).toBeGreaterThan(REFRESH_URGENT_EACH_MS - 1000);
    for (let i = 0; i < REFRESH_URGENT_MOST; i++) {
      expect(device.refresh.urgent(device.nowMs, 'mqtt')).toBe(true);
      device.takeOne();
    }
  });

  it('write no more of themselves into the log than fits a line', () => {
    const device = quiet();
    device.refresh.urgent(device.nowMs, 'x'.repeat(5000));
    expect(String(device.named('refresh.urgent')[0]?.reason).length).toBe(64);
  });
});

describe('a request', () => {
  it('whose time is up is given up, and what comes of it later changes nothing', () => {
    const device = new Device([]);
    const fetch = device.fetch();
    fetch.answered(device.nowMs, 200, () => undefined);
    fetch.take(device.nowMs, Buffer.from('{'));
    expect(device.next()).toEqual({ kind: 'wait', ms: REFRESH_TIMEOUT_MS });
    device.nowMs += REFRESH_TIMEOUT_MS;
    expect(device.next()).toMatchObject({ kind: 'wait' });
    expect(fetch.result).toMatchObject({ kind: 'failed', failure: 'timeout' });
    expect(device.dropped).toBe(1);
    const { written } = device;
    expect(fetch.take(device.nowMs, Buffer.from('}'))).toBe(false);
    expect(fetch.ended(device.nowMs)).toMatchObject({ failure: 'timeout' });
    expect(device.written).toBe(written);
  });
});
