// Reads a scenario file: shape, units, files it names, and that everything it names is there. All that is wrong is found at once,
// each finding with file, line and reason.

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { permits } from '../../core/trust/configuration.ts';
import type { FaultTerms } from '../../host-sim/faults/fault.ts';
import { HOSTILE_CLASSES } from '../../host-sim/faults/hostile-payer.ts';
import type {
  Action,
  ArrivalTerms,
  DeviceTerms,
  LinkTerms,
  Scenario,
  WalletTerms,
} from '../../host-sim/scenario/scenario.ts';
import { seededKey } from '../../host-sim/scenario/seeded.ts';
import { KeyError, readSigningKey, type SigningKey } from '../../host-sim/signing/keys.ts';
import { readText, UsageError } from '../cli/io.ts';
import { findingWords } from '../issue/finding-words.ts';
import type { InputProblem } from '../provision/problems.ts';
import { LinedYaml } from './lined-yaml.ts';
import { faultOf, isOfNetwork } from './scenario-faults.ts';
import { type IssuerLists, readDevices } from './scenario-fleet.ts';
import { type ScenarioValues, scenarioSchema } from './schema.ts';

/** Where the scenarios are that come with the project, seen from its folder. */
const READY = 'host-sim/scenarios';
/** What partitions have where a file says nothing: those of the 4 MB boards. */
const LEDGER_BYTES = 65_536;
const JOURNAL_BYTES = 262_144;
/** Four hours: what waits longest, an hour, may do so after a failure more. */
const SETTLE_MS = 14_400_000;
const HOUR_MS = 3_600_000;
/** Of one pattern; those of a scenario are kept until it is over. */
const MOST_PAYMENTS = 1_000_000;
const MOST_BUNDLES = 100_000;
const GRANT_LIFETIME_MS = 90 * 86_400_000;

/** A file that was read: a scenario, with what in it does nothing; or what is wrong. */
export type ReadScenario =
  | { readonly scenario: Scenario; readonly notes: readonly InputProblem[] }
  | { readonly problems: readonly InputProblem[] };

/** How large a fleet is to be, instead of as its file says. */
export interface FleetSize {
  /** Devices of the one row there is, with wallets in the same proportion. */
  readonly devices: number;
  /** Payments of the one pattern `each` there is. */
  readonly payments: number;
  /** The number of the first device; a fleet may be cut into parts. */
  readonly firstNumber: number;
}

/**
 * Reads a scenario file.
 *
 * @param seed instead of the file's
 * @param size likewise
 * @throws UsageError where it cannot be read at all
 */
export function readScenario(file: string, seed?: number, size?: FleetSize): ReadScenario {
  if (!existsSync(file) && existsSync(join(READY, `${file}.yaml`)))
    throw new UsageError(`scenario: there is no file ${file}; a ready scenario is ${READY}/${file}.yaml`);
  const yaml = new LinedYaml(file, readText(file, 'scenario'));
  if (yaml.problems.length > 0) return { problems: yaml.problems };
  const found = yaml.value;
  if ('problems' in found) return found;
  if (typeof found.value !== 'object' || found.value === null || Array.isArray(found.value))
    return { problems: [{ file, reason: 'it is no scenario: one has members such as format, title and fleet' }] };
  const read = scenarioSchema.safeParse(found.value, { error: findingWords, reportInput: true });
  if (!read.success) return { problems: yaml.findings(read.error.issues) };
  // As the file has them: a fleet of another size has others.
  const counts = new Map(read.data.wallets.map(({ name, count }) => [name, count ?? 1]));
  const wrong = size === undefined ? [] : resize(yaml, read.data, size);
  if (wrong.length > 0) return { problems: wrong };
  const reader = new Reader(yaml, read.data, {
    seed: seed ?? read.data.seed,
    firstNumber: size?.firstNumber ?? 1,
    counts,
  });
  const scenario = reader.read();
  return reader.problems.length > 0 ? { problems: reader.problems } : { scenario, notes: reader.notes() };
}

type Path = readonly PropertyKey[];

/** What a file is read with, beside what it says. */
interface ReaderTerms {
  readonly seed: number;
  readonly firstNumber: number;
  /** How many wallets there are of each name. */
  readonly counts: ReadonlyMap<string, number>;
}

class Reader {
  readonly problems: InputProblem[] = [];
  readonly #yaml: LinedYaml;
  readonly #values: ScenarioValues;
  readonly #seed: number;
  readonly #keys = new Map<string, SigningKey>();
  readonly #firstNumber: number;
  readonly #counts: ReadonlyMap<string, number>;
  /** Keys that something signs with, or that somebody is to know. */
  readonly #usedKeys = new Set<string>();
  /** The first of each name. */
  readonly #walletsByName: ReadonlyMap<string, ScenarioValues['wallets'][number]>;
  #sites: readonly IssuerLists[] = [];
  /** Undefined where some are not to be had: then nothing is said of their names. */
  #deviceIds: ReadonlySet<string> | undefined;
  /** What was found by names before: they stand for the same devices each time. */
  readonly #found = new Map<string, readonly string[]>();

  constructor(yaml: LinedYaml, values: ScenarioValues, { seed, firstNumber, counts }: ReaderTerms) {
    this.#firstNumber = firstNumber;
    this.#counts = counts;
    this.#yaml = yaml;
    this.#values = values;
    this.#seed = seed;
    this.#walletsByName = new Map([...values.wallets].reverse().map((one) => [one.name, one]));
  }

  read(): Scenario {
    const { title, begins, duration, settle, authority, wallets, arrivals, links, faults, actions, expect } =
      this.#values;
    this.#readKeys();
    const devices = this.#devices();
    if (this.problems.length === 0) this.#deviceIds = new Set(devices.map(({ deviceId }) => deviceId));
    const bundles = duration / authority.bundles.every;
    if (bundles > MOST_BUNDLES)
      this.#told(
        ['authority', 'bundles', 'every'],
        `bundles would be issued ${Math.round(bundles)} times, and ${MOST_BUNDLES} are the most`,
      );
    if ((expect?.settledAtLeast ?? 0) > 0 && arrivals.every(({ session }) => session === undefined))
      this.#told(
        ['expect', 'settledAtLeast'],
        `is ${expect?.settledAtLeast}, and no session ever ends: no arrivals have a session`,
      );
    const key = (name: string, path: Path) => this.#key(name, path) as SigningKey;
    return {
      title,
      seed: this.#seed,
      beginsMs: begins,
      durationMs: duration,
      settleMs: settle ?? SETTLE_MS,
      authority: {
        issuer: authority.issuer,
        grantKey: key(authority.grantKey, ['authority', 'grantKey']),
        rootKey: key(authority.rootKey, ['authority', 'rootKey']),
        bundleEveryMs: authority.bundles.every,
        bundleLifetimeMs: authority.bundles.lifetime,
      },
      devices,
      wallets: wallets.map((one, i) => this.#wallets(one, i)),
      arrivals: arrivals.map((one, i) => this.#arrivals(one, i)),
      links: (links ?? []).map((one, i) => this.#link(one, i)),
      faults: (faults ?? []).map((one, i) => this.#fault(one, i)),
      actions: (actions ?? []).map((one, i) => this.#action(one, i)),
      expect: {
        approvedAtLeast: expect?.approvedAtLeast,
        repeatedAtLeast: expect?.repeatedAtLeast,
        settledAtLeast: expect?.settledAtLeast,
        refusedAtLeast: expect?.refusedAtLeast,
        never: expect?.never ?? [],
        some: expect?.some ?? [],
      },
    };
  }

  #told(path: Path, reason: string): void {
    this.problems.push(this.#yaml.problem(path, reason));
  }

  #readKeys(): void {
    for (const [kid, from] of Object.entries(this.#values.keys)) {
      if (from === 'seeded') {
        this.#keys.set(kid, seededKey(this.#seed, kid));
        continue;
      }
      try {
        const text = readText(resolve(dirname(this.#yaml.file), from.file), 'key');
        this.#keys.set(kid, readSigningKey(text, kid));
      } catch (error) {
        if (!(error instanceof UsageError || error instanceof KeyError)) throw error;
        const reason = error instanceof KeyError ? `${from.file}: ${error.message}` : error.message;
        this.#told(['keys', kid], reason);
      }
    }
  }

  #key(name: string, path: Path): SigningKey | undefined {
    if (!Object.hasOwn(this.#values.keys, name)) this.#told(path, `there is no key ${name} among keys`);
    this.#usedKeys.add(name);
    return this.#keys.get(name);
  }

  #devices(): readonly DeviceTerms[] {
    const { fleet, hardware = {}, begins } = this.#values;
    const { ledger = LEDGER_BYTES, journal = JOURNAL_BYTES, clockBattery = true } = hardware;
    const keyNamed = (name: string, path: Path) => this.#key(name, path);
    const known = (kid: string | undefined) => {
      if (kid === undefined || !this.#keys.has(kid)) return undefined;
      return this.#key(kid, ['keys', kid]);
    };
    const context = {
      yaml: this.#yaml,
      seed: this.#seed,
      beginsMs: begins,
      firstNumber: this.#firstNumber,
      keyNamed,
      known,
      problems: this.problems,
    };
    const shared = { ledgerBytes: ledger, journalBytes: journal, battery: clockBattery };
    const { devices, sites } = readDevices(fleet, context);
    this.#sites = sites;
    return devices.map((device) => ({ ...device, ...shared }));
  }

  /** What in a good file does nothing, or brings about nothing but refusals: it may be meant, and is told. */
  notes(): readonly InputProblem[] {
    const { keys, authority, wallets } = this.#values;
    const { issuer, grantKey } = authority;
    const notes: InputProblem[] = [];
    for (const kid of Object.keys(keys))
      if (!this.#usedKeys.has(kid)) notes.push(this.#yaml.problem(['keys', kid], 'nobody uses it'));
    if (!this.#sites.some(({ grantIssuers }) => permits(grantIssuers, issuer, grantKey)))
      notes.push(
        this.#yaml.problem(
          ['authority', 'issuer'],
          `no site lists ${issuer} with key ${grantKey} among its grantIssuers: every grant will be refused`,
        ),
      );
    for (const [i, wallet] of wallets.entries())
      if (!this.#sites.some(({ sbaIssuers }) => permits(sbaIssuers[issuer] ?? [], wallet.issuer, wallet.key)))
        notes.push(
          this.#yaml.problem(
            ['wallets', i, 'issuer'],
            `no site lists ${wallet.issuer} with key ${wallet.key} among its sbaIssuers of ${issuer}: all that ${wallet.name} pay will be refused`,
          ),
        );
    return notes;
  }

  #wallets({ name, count, issuer, key, grant }: ScenarioValues['wallets'][number], i: number): WalletTerms {
    if (this.#walletsByName.get(name) !== this.#values.wallets[i])
      this.#told(['wallets', i, 'name'], `there are wallets called ${name} already`);
    const { velocity } = grant;
    return {
      name,
      count: count ?? 1,
      issuer,
      key: this.#key(key, ['wallets', i, 'key']) as SigningKey,
      grantLifetimeMs: grant.lifetime ?? GRANT_LIFETIME_MS,
      budgetMinor: grant.budget,
      singleMinor: grant.single,
      cumulativeMinor: grant.cumulative,
      velocity: velocity && {
        maxPayments: velocity.payments,
        windowSeconds: Math.ceil(velocity.within / 1000),
      },
    };
  }

  #arrivals(terms: ScenarioValues['arrivals'][number], i: number): ArrivalTerms {
    const { wallets, devices, pattern, from = 0, until = this.#values.duration, amount, hostile } = terms;
    const { retry, session } = terms;
    const path = ['arrivals', i];
    this.#walletsNamed(wallets, [...path, 'wallets']);
    if (from >= until) this.#told([...path, 'until'], 'is not after from');
    if (until > this.#values.duration) this.#told([...path, 'until'], 'is after the end of the scenario');
    const [least, most] = typeof amount === 'string' ? [amount, amount] : [amount.least, amount.most];
    if (BigInt(least) > BigInt(most)) this.#told([...path, 'amount'], 'least is more than most');
    const { every, poisson, rush, each } = pattern;
    const payments = every !== undefined ? (until - from) / every : ((poisson ?? 0) * (until - from)) / HOUR_MS;
    if (payments > MOST_PAYMENTS)
      this.#told(
        [...path, 'pattern'],
        `it comes to ${Math.round(payments)} payments, and ${MOST_PAYMENTS} are the most`,
      );
    return {
      wallets,
      devices: this.#devicesNamed(devices, [...path, 'devices']),
      pattern:
        every !== undefined
          ? { kind: 'every', everyMs: every }
          : poisson !== undefined
            ? { kind: 'poisson', perHour: poisson }
            : rush !== undefined
              ? { kind: 'rush', count: rush }
              : { kind: 'each', count: each as number },
      fromMs: from,
      untilMs: until,
      amountMinor: [BigInt(least), BigInt(most)],
      hostileShare: hostile?.share ?? 0,
      hostile: hostile?.classes ?? HOSTILE_CLASSES,
      session: session && {
        lastsMs: this.#range(session.lasts, [...path, 'session', 'lasts']),
        delivered: this.#range(session.delivered, [...path, 'session', 'delivered']),
      },
      retry: retry && { afterMs: retry.after, times: retry.times ?? 1 },
    };
  }

  #range(value: number | { readonly least: number; readonly most: number }, path: Path): readonly [number, number] {
    if (typeof value === 'number') return [value, value];
    if (value.least > value.most) this.#told(path, 'least is more than most');
    return [value.least, value.most];
  }

  #link({ devices, pattern }: NonNullable<ScenarioValues['links']>[number], i: number): LinkTerms {
    const { cycle, random, outage } = pattern;
    const spans = cycle ?? random;
    return {
      devices: this.#devicesNamed(devices, ['links', i, 'devices']),
      pattern:
        spans === undefined
          ? { kind: 'outage', atMs: outage?.at as number, forMs: outage?.for as number }
          : { kind: cycle === undefined ? 'random' : 'cycle', upMs: spans.up, downMs: spans.down },
    };
  }

  #fault(terms: NonNullable<ScenarioValues['faults']>[number], i: number): FaultTerms {
    const path = ['faults', i];
    const { at = 0, devices, share, to } = terms;
    const left = this.#values.duration - at;
    if (left <= 0) this.#told([...path, 'at'], 'is after the end of the scenario');
    if (to !== undefined && !isOfNetwork(terms)) this.#told([...path, 'to'], 'is for what is wrong with a network');
    if (share !== undefined && !isOfNetwork(terms) && !terms.answersLost)
      this.#told([...path, 'share'], 'is for what is wrong with a network, and for answersLost');
    if (terms.powerCuts?.torn && terms.powerCuts.off !== undefined)
      this.#told(
        [...path, 'powerCuts', 'off'],
        'is for cuts that are not torn: after a torn one a device is back after a minute',
      );
    return {
      devices: this.#devicesNamed(devices, [...path, 'devices']),
      atMs: at,
      forMs: Math.min(terms.for ?? left, left),
      fault: faultOf(terms, share ?? 1, to),
    };
  }

  #action(action: NonNullable<ScenarioValues['actions']>[number], i: number): Action {
    const path = ['actions', i];
    const { at: atMs, revokeKey, revokeGrants, replaceGrantKey, rotateRoot, provision, urgent } = action;
    if (atMs >= this.#values.duration) this.#told([...path, 'at'], 'is after the end of the scenario');
    const key = (name: string, member: string) => this.#key(name, [...path, member]) as SigningKey;
    if (revokeKey !== undefined) return { kind: 'revoke-key', atMs, key: key(revokeKey, 'revokeKey') };
    if (replaceGrantKey !== undefined)
      return { kind: 'replace-grant-key', atMs, key: key(replaceGrantKey, 'replaceGrantKey') };
    if (rotateRoot !== undefined) return { kind: 'rotate-root', atMs, key: key(rotateRoot, 'rotateRoot') };
    if (urgent !== undefined) return { kind: 'urgent', atMs, devices: this.#devicesNamed(urgent, [...path, 'urgent']) };
    if (revokeGrants !== undefined) {
      const { wallets, count } = revokeGrants;
      const all = this.#walletsNamed(wallets, [...path, 'revokeGrants', 'wallets']);
      const there = this.#counts.get(wallets);
      if (count !== undefined && there !== undefined && count > there) {
        const told = there === 1 ? 'is 1 wallet' : `are ${there} wallets`;
        this.#told([...path, 'revokeGrants', 'count'], `is ${count}, and there ${told} called ${wallets}`);
      }
      return { kind: 'revoke-grants', atMs, wallets, count: Math.min(count ?? all, all) };
    }
    if (provision !== undefined) {
      const at = [...path, 'provision'];
      const rootKeys = provision.rootKeys.map((name, k) => this.#key(name, [...at, 'rootKeys', k]) as SigningKey);
      const devices = this.#devicesNamed(provision.devices, [...at, 'devices']);
      return { kind: 'provision', atMs, withinMs: provision.within ?? 0, devices, rootKeys };
    }
    return { kind: 'issue-bundles', atMs };
  }

  /** @returns how many there are */
  #walletsNamed(name: string, path: Path): number {
    const found = this.#walletsByName.get(name);
    if (found === undefined) this.#told(path, `there are no wallets called ${name}`);
    return found?.count ?? 1;
  }

  /** The devices that names stand for, in which `*` is any characters. */
  #devicesNamed(names: readonly string[], path: Path): readonly string[] {
    // What keeps devices from being there is told already.
    const deviceIds = this.#deviceIds;
    if (deviceIds === undefined) return [];
    const found = names.map((name) => {
      const matching = this.#found.get(name) ?? matchingNames(deviceIds, name);
      this.#found.set(name, matching);
      if (matching.length === 0) this.#told(path, `there is no device ${name}`);
      return matching;
    });
    // A list that was found is one list: thousands of arrivals may name the same thousands of devices.
    return found.length === 1 ? (found[0] as readonly string[]) : [...new Set(found.flat())];
  }
}

function matchingNames(deviceIds: ReadonlySet<string>, name: string): readonly string[] {
  if (!name.includes('*')) return deviceIds.has(name) ? [name] : [];
  return [...deviceIds].filter((deviceId) => isCalled(deviceId, name));
}

/** Makes a fleet as large as it is to be. @returns why that cannot be done */
function resize(yaml: LinedYaml, { fleet, wallets, arrivals }: ScenarioValues, size: FleetSize): InputProblem[] {
  const rows = typeof fleet.devices === 'object' ? fleet.devices : [];
  const [row] = rows;
  const patterns = arrivals.map(({ pattern }) => pattern).filter(({ each }) => each !== undefined);
  const [pattern] = patterns;
  const problems: InputProblem[] = [];
  if (row === undefined || rows.length > 1 || !row.deviceId.includes('{n}'))
    problems.push(yaml.problem(['fleet'], 'a fleet that is to have a size has its devices in one row, with a {n}'));
  if (pattern === undefined || patterns.length > 1)
    problems.push(
      yaml.problem(
        ['arrivals'],
        'a fleet that is to have a size has one pattern with each, as host-sim/scenarios/fleet-day.yaml has',
      ),
    );
  if (row === undefined || pattern === undefined || problems.length > 0) return problems;
  for (const kind of wallets)
    kind.count = Math.max(1, Math.round(((kind.count ?? 1) * size.devices) / (row.count ?? 1)));
  row.count = size.devices;
  pattern.each = size.payments;
  return [];
}

/** Whether a name is a device's, where `*` stands for any characters. Not by a regular expression: many stars would take it for ever. */
function isCalled(deviceId: string, name: string): boolean {
  const [first, ...more] = name.split('*') as [string, ...string[]];
  const last = more.pop();
  if (last === undefined) return deviceId === name;
  if (!deviceId.startsWith(first)) return false;
  let at = first.length;
  for (const part of more) {
    const found = deviceId.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return deviceId.length - last.length >= at && deviceId.endsWith(last);
}
