// The servers of a run: a Policy Authority and the operator's backend behind their HTTP routes, in this process and in simulated
// time. What the people behind them do is done here too: bundles are issued when they are due, keys and grants revoked.

import type { JsonObject } from '../../core/json/value.ts';
import type { Clock } from '../../core/ports/ports.ts';
import type { Provisioning } from '../../core/provisioning/provisioning.ts';
import { apiKeyHash } from '../http/bearer.ts';
import type { LocalAnswer } from '../http/json-server.ts';
import { OperatorBackend } from '../operator-backend/server.ts';
import type { BundleRequest, GrantRequest } from '../policy-authority/authority.ts';
import { PolicyAuthority } from '../policy-authority/server.ts';
import { MemoryStorage } from '../policy-authority/storage.ts';
import { createNodeCrypto } from '../ports/node-crypto.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { seededIds } from '../scenario/seeded.ts';
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

/** See the head of the file. */
export class Servers {
  readonly backend: OperatorBackend;
  readonly #scenario: Scenario;
  readonly #timeline: Timeline;
  readonly #trace: Trace;
  readonly #clock: Clock;
  readonly #storage = new MemoryStorage();
  readonly #newId: () => string;
  readonly #audiences: readonly BundleAudience[];
  readonly #keys: ListedKey[] = [];
  readonly #issued: (issued: IssuedBundle) => void;
  /** Answers with bundles, by path and the tag that was asked with: thousands of devices ask for the same. */
  #kept = new Map<string, KeptAnswer>();
  /** When bundles expire that were issued: then they are no longer answered. */
  readonly #expiries: number[] = [];
  #grantKey: SigningKey;
  #rootKey: SigningKey;
  #authority: PolicyAuthority;

  /** @param issued is told every bundle that was issued */
  constructor(
    scenario: Scenario,
    run: { readonly timeline: Timeline; readonly trace: Trace; readonly clock: Clock },
    audiences: readonly BundleAudience[],
    issued: (issued: IssuedBundle) => void,
  ) {
    this.#scenario = scenario;
    this.#timeline = run.timeline;
    this.#trace = run.trace;
    this.#clock = run.clock;
    this.#audiences = audiences;
    this.#issued = issued;
    this.#newId = seededIds(scenario.seed, 'authority');
    this.#grantKey = scenario.authority.grantKey;
    this.#rootKey = scenario.authority.rootKey;
    this.#authority = this.#opened();
    this.backend = new OperatorBackend({ crypto: createNodeCrypto(), clock: run.clock });
    this.#list(scenario.authority.issuer, this.#grantKey);
    for (const { issuer, key } of scenario.wallets) this.#list(issuer, key);
  }

  /** Begins: the people get their key, devices theirs, and the first bundles are issued. */
  async open(devices: readonly Provisioning[]): Promise<void> {
    await this.#storage.putApiKey({ keyId: 'scenario', sha256: apiKeyHash(ADMIN), scopes: ['admin'] });
    for (const { deviceId, operator } of devices) {
      if (operator === undefined) continue;
      const record = { keyId: `device-${deviceId}`, sha256: apiKeyHash(operator.apiKey), deviceId };
      await this.backend.backend.storage.putApiKey(record);
    }
    await this.issueBundles();
  }

  /** What a server answers to a request that reached it. */
  async answer(url: URL, { method = 'GET', headers, body }: LinkRequest): Promise<LocalAnswer> {
    const path = `${url.pathname}${url.search}`;
    const isOperators = url.pathname.startsWith('/v1/devices/');
    const key = !isOperators && url.pathname === '/trust-bundles' ? `${headers['if-none-match'] ?? ''} ${path}` : '';
    const answers = this.#kept;
    const kept = answers.get(key);
    if (kept !== undefined && kept.untilMs > this.#now()) return kept.answer;
    const server = isOperators ? this.backend : this.#authority;
    const request = { method, path, headers, ...(body === undefined ? {} : { body }) };
    const answer = await this.#timeline.outside(server.answer(request));
    if (key !== '') answers.set(key, { answer, untilMs: this.#nextExpiry() });
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

  async revokeGrant(grantId: string): Promise<void> {
    await this.#post(`/grants/${grantId}/revoke`, {});
  }

  /** Bundles say from now on that a key signs no more. */
  revokeKey(key: SigningKey): void {
    for (const listed of this.#keys) if (listed.key.kid === key.kid) listed.isRevoked = true;
  }

  /** Grants are signed with another key from now on. */
  replaceGrantKey(key: SigningKey): void {
    this.#grantKey = key;
    this.#list(this.#scenario.authority.issuer, key);
    this.#authority = this.#opened();
  }

  /** Bundles are. */
  rotateRoot(key: SigningKey): void {
    this.#rootKey = key;
    this.#authority = this.#opened();
  }

  #opened(): PolicyAuthority {
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
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN}` };
    const request = { method: 'POST', path, headers, body: Buffer.from(JSON.stringify(body)) } as const;
    const answer = await this.#timeline.outside(this.#authority.answer(request));
    this.#kept = new Map();
    const value = JSON.parse(Buffer.from(answer.body).toString()) as JsonObject;
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${value.error}: ${value.detail}`);
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
