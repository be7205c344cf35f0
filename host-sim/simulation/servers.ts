// The servers of a run: a Policy Authority and the operator's backend behind their HTTP routes, on loopback or without sockets, in
// simulated time. What the people behind them do is done here too: bundles are issued when they are due, keys and grants revoked.

import type { JsonObject } from '../../core/json/value.ts';
import type { Clock } from '../../core/ports/ports.ts';
import type { Provisioning } from '../../core/provisioning/provisioning.ts';
import { needsNeighbour } from '../faults/hostile-payer.ts';
import { apiKeyHash } from '../http/bearer.ts';
import type { LocalAnswer, LocalRequest } from '../http/json-server.ts';
import { Loopback } from '../http/loopback.ts';
import { postJson } from '../http/post-json.ts';
import { OperatorBackend } from '../operator-backend/server.ts';
import type { OperatorStorage } from '../operator-backend/storage.ts';
import type { BundleRequest, GrantRequest } from '../policy-authority/authority.ts';
import { PolicyAuthority } from '../policy-authority/server.ts';
import { MemoryStorage, type PolicyAuthorityStorage } from '../policy-authority/storage.ts';
import { createNodeCrypto } from '../ports/node-crypto.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { seededIds, seededKey } from '../scenario/seeded.ts';
import { type SignedEnvelope, signFleetPolicy, signGrant } from '../signing/artifacts.ts';
import { publicJwk, type SigningKey } from '../signing/keys.ts';
import type { LinkRequest } from '../virtual-device/link.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

/** Whom bundles are for. */
export interface BundleAudience {
  readonly category: string;
  readonly merchant: string | undefined;
  readonly region: string | undefined;
}

/** A bundle that was issued, and who signed it. */
export interface IssuedBundle {
  readonly bundle: JsonObject;
  readonly root: SigningKey;
}

/** How requests come to the servers: over HTTP on loopback, or by the same routes without a socket. */
export type LinkKind = 'sockets' | 'in-process';

/** What the servers of a run are made of. */
export interface ServerParts {
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly clock: Clock;
  readonly link: LinkKind;
  /** Default: in memory. */
  readonly storage?: { readonly authority: PolicyAuthorityStorage; readonly operator: OperatorStorage } | undefined;
}

type Server = PolicyAuthority | OperatorBackend;

/** A key that signs, and whether bundles say that it does no more. */
interface ListedKey {
  readonly issuer: string;
  readonly key: SigningKey;
  isRevoked: boolean;
}

/** An answer that stays the same until somebody changes something, or until a time. */
interface KeptAnswer {
  readonly answer: LocalAnswer;
  readonly untilMs: number;
}

/** The key by which the scenario's people change things at the Policy Authority. */
const ADMIN = 'mpcp_scenario-admin';

/** A name that nobody can have: whoever a scenario names is somebody else. */
const NEIGHBOUR = 'pa.neighbour.invalid';

/** What is the connection's or the machine's in an answer. A device looks at none of it, and a run is to be the same each time. */
const OF_THE_WAY = ['connection', 'keep-alive', 'transfer-encoding', 'date'];

/** See the head of the file. */
export class Servers {
  readonly backend: OperatorBackend;
  /** Another authority, and a wallet provider of its own: where somebody cheats by it, bundles approve it. */
  readonly neighbour: { readonly issuer: string; readonly key: SigningKey };
  readonly #scenario: Scenario;
  readonly #timeline: Timeline;
  readonly #trace: Trace;
  readonly #clock: Clock;
  readonly #storage: PolicyAuthorityStorage;
  /** Undefined where no sockets are used. */
  readonly #loopback: Loopback | undefined;
  readonly #newId: () => string;
  readonly #audiences: readonly BundleAudience[];
  readonly #keys: ListedKey[] = [];
  readonly #issued: (issued: IssuedBundle) => void;
  /** Without sockets: answers with bundles, by path and the tag that was asked with. Thousands of devices ask for the same. */
  #kept = new Map<string, KeptAnswer>();
  /** When bundles expire that were issued: then they are no longer answered. */
  readonly #expiries: number[] = [];
  #grantKey: SigningKey;
  #rootKey: SigningKey;
  #authority: PolicyAuthority;

  /** @param issued is told every bundle that was issued */
  constructor(
    scenario: Scenario,
    parts: ServerParts,
    audiences: readonly BundleAudience[],
    issued: (issued: IssuedBundle) => void,
  ) {
    this.#scenario = scenario;
    this.#timeline = parts.timeline;
    this.#trace = parts.trace;
    this.#clock = parts.clock;
    this.#storage = parts.storage?.authority ?? new MemoryStorage();
    this.#loopback = parts.link === 'sockets' ? new Loopback() : undefined;
    this.#audiences = audiences;
    this.#issued = issued;
    this.#newId = seededIds(scenario.seed, 'authority');
    this.neighbour = { issuer: NEIGHBOUR, key: seededKey(scenario.seed, 'neighbour') };
    this.#grantKey = scenario.authority.grantKey;
    this.#rootKey = scenario.authority.rootKey;
    this.#authority = this.#made();
    const storage = parts.storage && { storage: parts.storage.operator };
    this.backend = new OperatorBackend({ crypto: createNodeCrypto(), clock: parts.clock, ...storage });
    this.#list(scenario.authority.issuer, this.#grantKey);
    for (const { issuer, key } of scenario.wallets) this.#list(issuer, key);
    if (scenario.arrivals.some(({ hostileShare, hostile }) => hostileShare > 0 && hostile.some(needsNeighbour)))
      this.#list(this.neighbour.issuer, this.neighbour.key);
  }

  /** Begins: the people get their key, devices theirs, and the first bundles are issued. */
  async open(devices: readonly Provisioning[]): Promise<void> {
    await this.#listen(this.#authority, this.backend);
    await this.#storage.putApiKey({ keyId: 'scenario', sha256: apiKeyHash(ADMIN), scopes: ['admin'] });
    for (const { deviceId, operator } of devices) {
      if (operator === undefined) continue;
      const record = { keyId: `device-${deviceId}`, sha256: apiKeyHash(operator.apiKey), deviceId };
      await this.backend.backend.storage.putApiKey(record);
    }
    await this.issueBundles();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#loopback?.close();
    await Promise.all([this.#authority.close(), this.backend.close()]);
  }

  /** What a server answers to a request that reached it. */
  async answer(url: URL, { method = 'GET', headers, body }: LinkRequest): Promise<LocalAnswer> {
    const path = `${url.pathname}${url.search}`;
    const isOperators = url.pathname.startsWith('/v1/devices/');
    const isKept = this.#loopback === undefined && url.pathname === '/trust-bundles';
    const key = isKept ? `${headers['if-none-match'] ?? ''} ${path}` : '';
    const answers = this.#kept;
    const kept = answers.get(key);
    if (kept !== undefined && kept.untilMs > this.#now()) return kept.answer;
    const request = { method, path, headers, ...(body === undefined ? {} : { body }) };
    const whole = await this.#ask(isOperators ? this.backend : this.#authority, request);
    const told = Object.entries(whole.headers).filter(([name]) => !OF_THE_WAY.includes(name));
    const answer = { ...whole, headers: Object.fromEntries(told) };
    if (isKept) answers.set(key, { answer, untilMs: this.#nextExpiry() });
    return answer;
  }

  /** Issues a bundle for everybody there is. */
  async issueBundles(): Promise<void> {
    const expiresAtMs = this.#now() + this.#scenario.authority.bundleLifetimeMs;
    this.#expiries.push(expiresAtMs);
    for (const audience of this.#audiences) {
      const bundle = await this.#post('/trust-bundles', this.#bundle(audience, expiresAtMs));
      this.#trace.add({
        event: 'authority.bundle',
        bundleId: String(bundle.bundleId),
        root: this.#rootKey.kid,
        ...(audience.merchant === undefined ? {} : { merchant: audience.merchant }),
        revokedKeys: this.#keys.filter(({ isRevoked }) => isRevoked).length,
        revokedGrants: Array.isArray(bundle.revokedGrantIds) ? bundle.revokedGrantIds.length : 0,
      });
      this.#issued({ bundle, root: this.#rootKey });
    }
  }

  /** Issues a grant. */
  async issueGrant(policy: JsonObject, request: Omit<GrantRequest, 'policyHash'>): Promise<JsonObject> {
    const { policyHash } = await this.#post('/policies', { policyDocument: policy });
    return this.#post('/grants', { ...request, policyHash });
  }

  /** A grant as the authority signs it. It has issued none such: this is for what it would have issued at another time. */
  signedGrant(grant: JsonObject): JsonObject {
    return signGrant(grant, { key: this.#grantKey, issuer: this.#scenario.authority.issuer }, 'envelope');
  }

  /** The same for a fleet policy. */
  signedFleetPolicy(policy: JsonObject): SignedEnvelope {
    return signFleetPolicy(policy, { key: this.#grantKey, issuer: this.#scenario.authority.issuer });
  }

  async revokeGrant(grantId: string): Promise<void> {
    await this.#post(`/grants/${grantId}/revoke`, {});
    this.#trace.add({ event: 'authority.grant-revoked', grantId });
  }

  /** Bundles say from now on that a key signs no more. */
  revokeKey(key: SigningKey): void {
    for (const listed of this.#keys) if (listed.key.kid === key.kid) listed.isRevoked = true;
  }

  /** Grants are signed with another key from now on. */
  async replaceGrantKey(key: SigningKey): Promise<void> {
    this.#grantKey = key;
    this.#list(this.#scenario.authority.issuer, key);
    await this.#reopened();
  }

  /** Bundles are. */
  async rotateRoot(key: SigningKey): Promise<void> {
    this.#rootKey = key;
    await this.#reopened();
  }

  /** The authority goes on with its other keys. */
  async #reopened(): Promise<void> {
    const before = this.#authority;
    this.#authority = this.#made();
    await this.#listen(this.#authority);
    await this.#timeline.outside(before.close());
  }

  async #listen(...servers: readonly Server[]): Promise<void> {
    if (this.#loopback === undefined) return;
    for (const server of servers) await this.#timeline.outside(server.listen());
  }

  #ask(server: Server, request: LocalRequest): Promise<LocalAnswer> {
    const loopback = this.#loopback;
    return this.#timeline.outside(
      loopback === undefined ? server.answer(request) : loopback.answer(server.url, request),
    );
  }

  #made(): PolicyAuthority {
    this.#kept = new Map();
    const { issuer } = this.#scenario.authority;
    return new PolicyAuthority({
      identity: { issuer, grantKey: this.#grantKey, bundleKey: this.#rootKey },
      clock: this.#clock,
      storage: this.#storage,
      newId: this.#newId,
    });
  }

  #list(issuer: string, key: SigningKey): void {
    const isListed = this.#keys.some((listed) => listed.issuer === issuer && listed.key.kid === key.kid);
    if (!isListed) this.#keys.push({ issuer, key, isRevoked: false });
  }

  #bundle({ category, merchant, region }: BundleAudience, expiresAtMs: number): BundleRequest {
    const issuers = [...new Set(this.#keys.map(({ issuer }) => issuer))];
    return {
      category,
      ...(merchant === undefined ? {} : { merchant }),
      ...(region === undefined ? {} : { geography: { region } }),
      approvedIssuers: issuers,
      issuers: issuers.map((issuer) => ({
        issuer,
        keys: this.#keys
          .filter((listed) => listed.issuer === issuer)
          .map(({ key, isRevoked }) => ({ ...publicJwk(key), ...(isRevoked ? { active: false } : {}) })),
      })),
      expiresAt: new Date(expiresAtMs).toISOString(),
    };
  }

  async #post(path: string, body: object): Promise<JsonObject> {
    const value = await postJson((request) => this.#ask(this.#authority, request), path, ADMIN, body);
    this.#kept = new Map();
    return value;
  }

  #nextExpiry(): number {
    const now = this.#now();
    return Math.min(...this.#expiries.filter((ms) => ms > now));
  }

  #now(): number {
    return this.#clock.wallMs() as number;
  }
}
