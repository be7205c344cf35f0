// Scenarios made at random from a seed: whatever a file may say, in combinations nobody thought of, and nothing that asks for what
// cannot be. A rule that is broken in one of them is broken by a device, or by the simulator.

import { stringify } from 'yaml';
import type { z } from 'zod';
import { HOSTILE_CLASSES } from '../../host-sim/faults/hostile-payer.ts';
import { WRONG_CERTIFICATES } from '../../host-sim/faults/shown-certificate.ts';
import type { SeededRandom } from '../../host-sim/flash/random.ts';
import { seededAddress, seededRandom } from '../../host-sim/scenario/seeded.ts';
import type { scenarioSchema } from '../scenario/schema.ts';

/** What a scenario file holds. */
export type ScenarioFile = z.input<typeof scenarioSchema>;
type Items<Member extends keyof ScenarioFile> = NonNullable<ScenarioFile[Member]>;
type Fault = Items<'faults'>[number];
type Action = Items<'actions'>[number];

/** Seeds that a file may have. */
export const SEEDS = 1_000_000;

const MINUTE = 1;
const HOUR = 60;
const DAY = 24 * HOUR;
/** More payments than this, or so, no scenario has: it is to be over in seconds. */
const MOST_PAYMENTS = 150;
/** More cuts of its power no device has. */
const MOST_CUTS = 60;
const BEGINNINGS = [
  '2026-06-01T05:00:00Z',
  '2026-12-31T18:00:00Z',
  '2028-02-28T20:00:00Z',
  '2026-03-29T00:30:00+01:00',
];
/** Bundles and images by hand come at whole minutes; so does everything else here. */
const TRADES = [
  { category: 'ev-charging', purpose: 'ev-charging:session', name: 'park' },
  { category: 'transit', purpose: 'transit:ride', name: 'gate' },
  { category: 'energy', purpose: 'energy:metered', name: 'meter' },
] as const;

/** A scenario file's text. */
export function randomScenario(seed: number): string {
  return stringify(new Maker(seed).made(), { aliasDuplicateObjects: false });
}

class Maker {
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #minutes: number;
  readonly #keys: Record<string, 'seeded'> = { 'root-1': 'seeded', 'grants-1': 'seeded' };
  /** Names and patterns of devices. */
  readonly #devices: string[] = [];
  readonly #trade: (typeof TRADES)[number];
  /** How many devices there are. */
  readonly #count: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = seededRandom(seed, 'soak');
    this.#minutes = this.#pick([2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR, DAY, DAY, 2 * DAY, 5 * DAY]);
    this.#trade = this.#pick(TRADES);
    this.#count = this.#between(1, 12);
  }

  made(): ScenarioFile {
    const rows = this.#rows();
    const wallets = this.#wallets();
    const every = this.#between(Math.ceil(this.#minutes / 30), Math.max(this.#minutes / 2, HOUR));
    return {
      format: 1,
      title: `At random, from seed ${this.#seed}`,
      seed: this.#seed,
      begins: this.#pick(BEGINNINGS),
      duration: `${this.#minutes}m`,
      // What waits longest may do so twice, and begin at the end.
      settle: '6h',
      keys: this.#keys,
      authority: {
        issuer: 'pa.soak.example',
        grantKey: 'grants-1',
        rootKey: 'root-1',
        // Mostly there is a good one when the one before ends.
        bundles: { every: `${every}m`, lifetime: `${Math.ceil(every * (0.7 + 5 * this.#random.next()))}m` },
      },
      fleet: { policy: this.#policy(wallets), devices: rows },
      hardware: {
        ledger: this.#pick(['16KiB', '24KiB', '32KiB', '64KiB', '124KiB']),
        journal: this.#pick(['32KiB', '64KiB', '128KiB', '256KiB', '316KiB']),
        clockBattery: this.#chance(0.5),
      },
      wallets,
      arrivals: this.#arrivals(wallets),
      links: this.#some(3, () => this.#link()),
      faults: this.#some(7, () => this.#fault()),
      actions: this.#actions(wallets),
    };
  }

  #rows(): Exclude<Items<'fleet'>['devices'], string | undefined> {
    const { name, category } = this.#trade;
    let left = this.#count;
    const rows: Exclude<Items<'fleet'>['devices'], string | undefined> = [];
    while (left > 0) {
      const count = this.#between(1, left);
      const kind = `${name}-${'abcdefghijkl'[rows.length]}`;
      // Who shares a site shares its region.
      const region = this.#chance(0.7) ? { region: this.#pick(['EU', 'US']) } : {};
      const merchant = `did:web:${this.#pick(['one', 'two'])}.soak.example`;
      rows.push({ deviceId: `${kind}{n}`, count, site: kind, merchant, category, ...region });
      this.#devices.push(`${kind}*`, `${kind}1`);
      left -= count;
    }
    this.#devices.push('*', '*');
    return rows;
  }

  #policy(wallets: Items<'wallets'>): Exclude<Items<'fleet'>['policy'], string | undefined> {
    const issuers = [...new Set(wallets.map(({ issuer }) => issuer))];
    const address = (whose: string) => seededAddress(this.#seed, whose);
    const asset = this.#chance(0.8)
      ? { kind: 'XRP' }
      : { kind: 'IOU', currency: 'USD', issuer: address('issuer of money') };
    return {
      policyAuthorityUrl: 'https://pa.soak.example',
      operatorUrl: 'https://operator.soak.example',
      site: {
        profile: this.#pick(['lite', 'full', 'full']),
        rootKeys: ['root-1'],
        grantIssuers: ['pa.soak.example'],
        sbaIssuers: { 'pa.soak.example': issuers },
        terminal: {
          rail: 'xrpl',
          asset,
          destination: address('merchant'),
          unit: this.#chance(0.8) ? { kind: 'atomic' } : { kind: 'fiat', currency: 'EUR', minorUnit: 2 },
          purpose: this.#trade.purpose,
          ...(this.#chance(0.3) ? { gateway: address('gateway') } : {}),
        },
        ...(this.#chance(0.3) ? { driftMs: this.#pick([0, 60_000, 600_000]) } : {}),
        ...(this.#chance(0.3) ? { budgetUse: 'reuse' } : {}),
        ...(this.#chance(0.5) ? { reservationsLeft: 'settle' } : {}),
        refresh: {
          intervalMs: this.#pick([10, 30, 60, 120, 360]) * 60_000,
          ...(this.#chance(0.3) ? { timeoutMs: this.#pick([5000, 20_000]) } : {}),
        },
      },
    };
  }

  #wallets(): Items<'wallets'> {
    return Array.from({ length: this.#between(1, 3) }, (_, i) => {
      const name = `payers-${i + 1}`;
      // Some share the key of a provider.
      const provider = this.#between(1, i + 1);
      const key = `provider-${provider}`;
      this.#keys[key] = 'seeded';
      return {
        name,
        count: this.#between(1, 20),
        issuer: `provider-${provider}.soak.example`,
        key,
        grant: {
          budget: this.#amount(20, 900),
          ...(this.#chance(0.3) ? { single: this.#amount(4, 10) } : {}),
          ...(this.#chance(0.4) ? { cumulative: this.#amount(10, 100) } : {}),
          ...(this.#chance(0.3)
            ? { velocity: { payments: this.#between(1, 20), within: this.#span(5, 6 * HOUR) } }
            : {}),
          ...(this.#chance(0.3) ? { lifetime: this.#span(30, this.#minutes) } : {}),
        },
      };
    });
  }

  #arrivals(wallets: Items<'wallets'>): Items<'arrivals'> {
    const count = this.#between(1, 4);
    return Array.from({ length: count }, (_, i) => {
      const from = this.#chance(0.5) ? 0 : this.#between(0, Math.floor(this.#minutes / 2));
      const until = this.#chance(0.5) ? this.#minutes : this.#between(from + 30, this.#minutes);
      const most = this.#between(5, Math.floor(MOST_PAYMENTS / count));
      const patterns = [
        { every: `${Math.max(1, Math.ceil((until - from) / most))}m` },
        { poisson: `${((most / (until - from)) * HOUR).toFixed(3)}/h` },
        { rush: most },
        { each: Math.max(1, Math.floor(most / this.#count)) },
      ];
      return {
        wallets: this.#pick(wallets).name,
        devices: i === 0 ? '*' : this.#device(),
        pattern: this.#pick(patterns),
        from: `${from}m`,
        until: `${until}m`,
        amount: this.#chance(0.5) ? this.#amount(1, 8) : { least: this.#amount(1, 2), most: this.#amount(2, 9) },
        ...(this.#chance(0.5) ? { hostile: this.#hostile(i === 0 ? [0.1, 0.3] : [0.1, 0.3, 1]) } : {}),
        ...(this.#chance(0.5) ? { retry: this.#retry() } : {}),
        ...(this.#chance(0.25) ? { session: this.#session() } : {}),
      };
    });
  }

  #hostile(shares: readonly number[]): NonNullable<Items<'arrivals'>[number]['hostile']> {
    const share = this.#pick(shares);
    return this.#chance(0.6) ? { share } : { share, classes: this.#some(4, () => this.#pick(HOSTILE_CLASSES), 1) };
  }

  /** At once, as a reader does, or when somebody has brought the power back. */
  #retry(): NonNullable<Items<'arrivals'>[number]['retry']> {
    return { after: this.#pick(['2s', '30s', '2m', '40m']), times: this.#between(1, 5) };
  }

  /** Often nothing is delivered, or all of it. */
  #session(): NonNullable<Items<'arrivals'>[number]['session']> {
    const lasts = this.#chance(0.5) ? this.#span(1, 60) : { least: '1m', most: this.#span(2, 4 * HOUR) };
    return { lasts, delivered: this.#pick([0, 1, { least: 0, most: 1 }, { least: 0.2, most: 0.9 }]) };
  }

  #link(): Items<'links'>[number] {
    const spans = () => ({ up: this.#span(5, 6 * HOUR), down: this.#span(1, 6 * HOUR) });
    const [at] = this.#when();
    const patterns = [{ cycle: spans() }, { random: spans() }, { outage: { at, for: this.#span(1, this.#minutes) } }];
    return { devices: this.#device(), pattern: this.#pick(patterns) };
  }

  #fault(): Fault {
    const [at, span] = this.#when();
    const where = { devices: this.#device(), at, ...(this.#chance(0.8) ? { for: `${span}m` } : {}) };
    if (this.#chance(0.1)) return { ...where, answersLost: true, share: this.#pick([0.2, 0.5, 1]) };
    if (this.#chance(0.5)) return { ...where, ...this.#faultOfDevice(span) };
    const share = this.#chance(0.4) ? { share: this.#pick([0.1, 0.3, 0.7]) } : {};
    const to = this.#chance(0.3) ? { to: this.#pick(['authority', 'operator'] as const) } : {};
    return { ...where, ...share, ...to, ...this.#faultOfNetwork() };
  }

  #faultOfNetwork(): Omit<Fault, 'devices'> {
    return this.#pick<() => Omit<Fault, 'devices'>>([
      () => ({ latency: this.#pick(['200ms', '3s', '20s', '2m']) }),
      () => ({ lost: true }),
      () => ({ unreachable: true }),
      () => ({ truncated: true }),
      () => ({ corrupted: true }),
      () => ({ captivePortal: true }),
      () => ({ redirected: true }),
      () => ({ drip: { bytes: this.#pick(['1B', '64B', '1KiB']), every: this.#pick(['50ms', '1s', '10s']) } }),
      () => ({ oversize: this.#pick(['2KiB', '20KiB', '200KiB', '1MiB']) }),
      () => ({ stale: true }),
      () => ({ replayed: true }),
      () => ({ otherMerchant: this.#pick(['did:web:one.soak.example', 'did:web:stranger.example']) }),
      () => ({
        status: {
          code: this.#pick([200, 201, 204, 301, 304, 400, 401, 403, 404, 408, 429, 500, 502, 503]),
          ...(this.#chance(0.5) ? { retryAfter: this.#span(1, 30) } : {}),
        },
      }),
      () => ({ forged: this.#pick(['stranger', 'altered'] as const) }),
      () => ({ wrongCertificate: this.#pick(WRONG_CERTIFICATES) }),
    ])();
  }

  #faultOfDevice(minutes: number): Omit<Fault, 'devices'> {
    // So that there are no more than it may have.
    const perHour = Math.min(this.#pick([0.5, 2, 10, 30]), (MOST_CUTS / minutes) * HOUR);
    const off = this.#pick(['5s', '1m', '10m', '30m']);
    const power = (torn: boolean) => ({
      powerCuts: { rate: `${perHour.toFixed(3)}/h`, ...(torn ? { torn } : { off }) },
    });
    return this.#pick<() => Omit<Fault, 'devices'>>([
      () => ({ clockAhead: this.#span(1, 400 * DAY) }),
      () => ({ clockBehind: this.#span(1, 90 * DAY) }),
      () => ({ clockReset: true }),
      () => ({ clockDrift: { ppm: this.#between(-50_000, 50_000) } }),
      () => ({ timeServerAhead: this.#span(1, 400 * DAY) }),
      () => ({ timeServerBehind: this.#span(1, 90 * DAY) }),
      () => ({ noTimeServer: true }),
      () => ({
        flash: {
          partition: this.#pick(['ledger', 'journal', 'bundles'] as const),
          what: this.#pick(['reads-fail', 'read-only', 'bad-block'] as const),
        },
      }),
      () => power(false),
      () => power(true),
      () => power(true),
    ])();
  }

  /** Whatever people do stands in an order in which they would. */
  #actions(wallets: Items<'wallets'>): Items<'actions'> {
    const actions: Action[] = [];
    const at = () => `${this.#between(0, this.#minutes - 1)}m`;
    for (let i = this.#between(0, 2); i > 0; i--) {
      const wallet = this.#pick(wallets);
      const one = { wallets: wallet.name, count: this.#between(1, wallet.count ?? 1) };
      actions.push({ at: at(), revokeGrants: one });
    }
    if (this.#chance(0.25)) actions.push({ at: at(), revokeKey: this.#pick(wallets).key });
    if (this.#chance(0.25)) actions.push({ at: at(), issueBundles: true });
    if (this.#chance(0.3)) actions.push({ at: at(), urgent: this.#device() });
    if (this.#chance(0.25)) actions.push(...this.#newGrantKey());
    if (this.#chance(0.3)) actions.push(...this.#rotation());
    return actions;
  }

  /** The authority signs grants with a new key; then the old one may be revoked. */
  #newGrantKey(): readonly Action[] {
    this.#keys['grants-2'] = 'seeded';
    const replaced = this.#between(0, this.#minutes - 2);
    const revoked = this.#between(replaced, this.#minutes - 1);
    return [
      { at: `${replaced}m`, replaceGrantKey: 'grants-2' },
      ...(this.#chance(0.6) ? [{ at: `${revoked}m`, revokeKey: 'grants-1' }] : []),
    ];
  }

  /** Devices learn of a new root key, bundles are signed with it, and devices forget the old one: as far as it comes. */
  #rotation(): readonly Action[] {
    this.#keys['root-2'] = 'seeded';
    const learned = this.#between(0, Math.floor(this.#minutes / 2));
    const within = this.#between(0, Math.floor(this.#minutes / 4));
    const rotated = this.#between(learned, this.#minutes - 2);
    const forgotten = this.#between(rotated, this.#minutes - 1);
    const devices = this.#chance(0.7) ? '*' : this.#device();
    const provision = (rootKeys: string[]) => ({ devices, rootKeys, within: `${within}m` });
    return [
      { at: `${learned}m`, provision: provision(['root-1', 'root-2']) },
      { at: `${rotated}m`, rotateRoot: 'root-2' },
      ...(this.#chance(0.5) ? [{ at: `${forgotten}m`, provision: provision(['root-2']) }] : []),
    ];
  }

  /** When something begins, and how many minutes are left for it or fewer. */
  #when(): readonly [string, number] {
    const at = this.#between(0, this.#minutes - 1);
    return [`${at}m`, this.#between(1, this.#minutes - at)];
  }

  #device(): string {
    return this.#pick(this.#devices);
  }

  /** So many millions, or some more or fewer than that. */
  #amount(least: number, most: number): string {
    return String(this.#between(least * 1000, most * 1000) * 1000);
  }

  /** A span of so many minutes, short ones as often as long ones. */
  #span(least: number, most: number): string {
    const minutes = least * (most / least) ** this.#random.next();
    return `${Math.max(Math.round(minutes), MINUTE)}m`;
  }

  #some<T>(most: number, one: () => T, least = 0): T[] {
    return Array.from({ length: this.#between(least, most) }, one);
  }

  #between(least: number, most: number): number {
    return least + this.#random.below(Math.max(Math.floor(most) - least, 0) + 1);
  }

  #chance(share: number): boolean {
    return this.#random.next() < share;
  }

  #pick<T>(of: readonly T[]): T {
    return of[this.#random.below(of.length)] as T;
  }
}
