// What a Policy Authority does, without HTTP: stores policies, issues and revokes grants, issues Trust Bundles and finds
// them again. Times are its clock's.

import { randomUUID } from 'node:crypto';
import { timeFrom } from '../../core/artifacts/time.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { BUNDLE_REVOKED_GRANTS, BUNDLE_SET_BYTES, BUNDLES_PER_ANSWER, LARGEST_DRIFT_MS } from '../../core/limits.ts';
import type { Clock } from '../../core/ports/ports.ts';
import { policyHash } from '../signing/artifacts.ts';
import { Problem } from './problem.ts';
import { checkPublicKey } from './public-keys.ts';
import type { AuthoritySigner } from './signer.ts';
import type { BundleFilter, PolicyAuthorityStorage, Revocation, StoredGrant, StoredPolicy } from './storage.ts';

/** A grant to issue, its shape checked (`grantBody`). */
export interface GrantRequest {
  readonly [member: string]: JsonObject[string];
  readonly policyHash: string;
  readonly expiresAt: string;
}

/** A bundle to issue, its shape checked (`bundleBody`). */
export type BundleRequest = {
  /** Default: a fresh one. */
  readonly bundleId?: string;
  readonly category: string;
  readonly merchant?: string;
  readonly geography?: { readonly region?: string; readonly countryCodes?: readonly string[] };
  readonly approvedIssuers: readonly string[];
  readonly issuers: readonly { readonly issuer: string; readonly keys: readonly JsonObject[] }[];
  readonly expiresAt: string;
  readonly revokedGrantIds?: readonly string[];
};

/** How long after its expiry a grant's revocation is still published: the most drift that a device may have. */
const AFTERLIFE_MS = LARGEST_DRIFT_MS;

/** A grant with its state. */
export interface GrantState {
  readonly stored: StoredGrant;
  readonly revocation: Revocation | undefined;
}

/** A revocation that bundles carry, and until when. */
interface RevokedGrant {
  readonly grantId: string;
  readonly endsMs: number;
}

/** What may be chosen for an authority. */
export interface AuthorityOptions {
  /** Makes the ids of what is issued. Default: random ones. */
  readonly newId?: () => string;
  /** Goes into every grant that names none. Default: none, as MPCP v1 has it on xrpl. */
  readonly revocationEndpoint?: string;
}

/** See the head of the file. Every method may throw Problem. */
export class Authority {
  readonly signer: AuthoritySigner;
  readonly storage: PolicyAuthorityStorage;
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #revocationEndpoint: string | undefined;
  #lastIssuedMs = 0;
  /** The last of what is done one after the other (`#inTurn`). */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    signer: AuthoritySigner,
    storage: PolicyAuthorityStorage,
    clock: Clock,
    { newId = randomUUID, revocationEndpoint }: AuthorityOptions = {},
  ) {
    this.#newId = newId;
    this.signer = signer;
    this.storage = storage;
    this.#clock = clock;
    this.#revocationEndpoint = revocationEndpoint;
  }

  /** Keeps a policy under its hash; the same document again changes nothing. */
  storePolicy(policyDocument: JsonObject): Promise<StoredPolicy> {
    return this.storage.putPolicy({ policyHash: policyHash(policyDocument), policyDocument, storedAtMs: this.#now() });
  }

  /** Signs a grant under a stored policy. `version` is signed only where asked for: upstream's verifier drops it. */
  async issueGrant(request: GrantRequest): Promise<JsonObject> {
    if ((await this.storage.policy(request.policyHash)) === undefined) {
      throw new Problem(404, 'policy_not_found', `no policy has the hash ${request.policyHash}`);
    }
    const { revocationEndpoint } = request;
    if (typeof revocationEndpoint === 'string' && !URL.canParse(revocationEndpoint))
      throw new Problem(400, 'invalid_request', `revocationEndpoint ${revocationEndpoint} is not an address`);
    const issuedAtMs = this.#now();
    const expiresAtMs = ahead(request.expiresAt, issuedAtMs);
    const grantId = this.#newId();
    const envelope = this.signer.signGrant({
      grantId,
      ...(this.#revocationEndpoint === undefined ? {} : { revocationEndpoint: this.#revocationEndpoint }),
      ...request,
    });
    await this.storage.putGrant({ grantId, envelope, issuedAtMs, expiresAtMs });
    return envelope;
  }

  /** A grant and whether it was revoked. */
  async grant(grantId: string): Promise<GrantState> {
    const stored = await this.storage.grant(grantId);
    if (stored === undefined) throw new Problem(404, 'grant_not_found', `no grant ${grantId} was issued here`);
    return { stored, revocation: await this.storage.revocation(grantId) };
  }

  /**
   * Revokes a grant. Again gives the first revocation again. One that no bundle has room for is refused: devices would go
   * on taking the grant while its issuer believes it revoked.
   */
  revokeGrant(grantId: string): Promise<Revocation> {
    return this.#inTurn(() => this.#revoke(grantId));
  }

  /** Signs a Trust Bundle. Grants revoked here join its `revokedGrantIds` for as long as a device might take them. */
  issueBundle(request: BundleRequest): Promise<JsonObject> {
    return this.#inTurn(() => this.#issueBundle(request));
  }

  /**
   * The bundles in force that a filter matches, unscoped ones included: for each issuer, category, merchant and region
   * the newest, as long as it is not expired. Of more than a device takes one more than that.
   */
  async findBundles(filter: BundleFilter): Promise<readonly JsonObject[]> {
    const asked = { filter, afterMs: this.#now(), most: BUNDLES_PER_ANSWER + 1 };
    return (await this.storage.newestBundles(asked)).map(({ bundle }) => bundle);
  }

  /** The body that answers a filter, `{"bundles":[…]}`. One that no device takes is a Problem instead. */
  async bundleAnswer(filter: BundleFilter): Promise<string> {
    const bundles = await this.findBundles(filter);
    if (bundles.length > BUNDLES_PER_ANSWER)
      throw tooMany(filter, `more than ${BUNDLES_PER_ANSWER} bundles`, `${BUNDLES_PER_ANSWER} bundles`);
    const body = JSON.stringify({ bundles });
    const bytes = Buffer.byteLength(body);
    if (bytes > BUNDLE_SET_BYTES) throw tooMany(filter, `${bytes} bytes of bundles`, `${BUNDLE_SET_BYTES} bytes`);
    return body;
  }

  async #revoke(grantId: string): Promise<Revocation> {
    const { stored, revocation } = await this.grant(grantId);
    if (revocation !== undefined) return revocation;
    const now = this.#now();
    const alive = await this.#revokedAndAlive(now);
    if (stored.expiresAtMs + AFTERLIFE_MS > now && alive.length >= BUNDLE_REVOKED_GRANTS) {
      throw new Problem(
        409,
        'revocations_full',
        `grant ${grantId} is not revoked: ${alive.length} revocations are in force and a bundle holds ${BUNDLE_REVOKED_GRANTS}; the first of them can be left out from ${firstEnd(alive)} on`,
      );
    }
    return this.storage.revoke({ grantId, revokedAtMs: now });
  }

  async #issueBundle(request: BundleRequest): Promise<JsonObject> {
    const now = this.#now();
    const expiresAtMs = ahead(request.expiresAt, now);
    checkIssuers(request);
    const revokedGrantIds = await this.#revokedGrantIds(request.revokedGrantIds ?? [], now);
    const latest = await this.storage.newestBundleMs();
    // Two bundles never share an issuedAt, else the older one could be played back as not older.
    const issuedAtMs = Math.max(now, latest + 1, this.#lastIssuedMs + 1);
    if (issuedAtMs >= expiresAtMs)
      throw new Problem(
        400,
        'invalid_request',
        `expiresAt is not after ${isoTime(issuedAtMs)}, when the bundle is issued`,
      );
    const { revokedGrantIds: _, expiresAt, ...rest } = request;
    const bundle = this.signer.signBundle({
      version: '1.0',
      bundleId: this.#newId(),
      ...(rest as JsonObject),
      ...(revokedGrantIds.length > 0 ? { revokedGrantIds } : {}),
      issuedAt: isoTime(issuedAtMs),
      expiresAt,
    });
    this.#lastIssuedMs = issuedAtMs;
    const { category, merchant } = request;
    const region = request.geography?.region;
    await this.storage.putBundle({
      bundleIssuer: this.signer.bundleIssuer,
      category,
      merchant,
      region,
      issuedAtMs,
      expiresAtMs,
      bundle,
    });
    return bundle;
  }

  /** What a bundle revokes: what the caller names, and what is revoked here. All of it or a Problem. */
  async #revokedGrantIds(named: readonly string[], now: number): Promise<readonly string[]> {
    const own = (await this.#revokedAndAlive(now)).map(({ grantId }) => grantId);
    const all = [...new Set([...named, ...own])];
    if (all.length <= BUNDLE_REVOKED_GRANTS) return all;
    throw new Problem(
      422,
      'bundle_too_large',
      `revokedGrantIds of a bundle holds ${BUNDLE_REVOKED_GRANTS}: there are ${own.length} grants that are revoked here and not expired, and the request names ${all.length - own.length} others`,
    );
  }

  /** Revoked grants that are not past their expiry and the drift of devices. */
  async #revokedAndAlive(now: number): Promise<readonly RevokedGrant[]> {
    const alive: RevokedGrant[] = [];
    for (const { grantId } of await this.storage.revocations()) {
      const endsMs = ((await this.storage.grant(grantId))?.expiresAtMs ?? Number.POSITIVE_INFINITY) + AFTERLIFE_MS;
      if (endsMs > now) alive.push({ grantId, endsMs });
    }
    return alive;
  }

  /**
   * Runs work after all that was begun before. Else two revocations take the last place, and a bundle that has not seen
   * a revocation comes out newer than one that has.
   */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  #now(): number {
    const now = this.#clock.wallMs();
    if (now === undefined) throw new Problem(503, 'clock_not_set', 'the clock is not set, so nothing can be dated');
    return now;
  }
}

function tooMany(filter: BundleFilter, found: string, most: string): Problem {
  const open = (['category', 'merchant', 'region'] as const).filter((name) => filter[name] === undefined);
  const advice = open.length === 0 ? '' : `; ask for one ${open.join(' or ')}`;
  return new Problem(422, 'too_many_bundles', `there are ${found}, and a device takes ${most} of an answer${advice}`);
}

function firstEnd(revoked: readonly RevokedGrant[]): string {
  const endsMs = revoked.reduce((least, grant) => Math.min(least, grant.endsMs), Number.POSITIVE_INFINITY);
  return Number.isFinite(endsMs) ? isoTime(endsMs) : 'no known time';
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function ahead(expiresAt: string, now: number): number {
  const ms = timeFrom(expiresAt);
  if (ms === undefined) throw new Problem(400, 'invalid_request', 'expiresAt is not an RFC 3339 time with a zone');
  if (ms <= now) throw new Problem(400, 'invalid_request', `expiresAt ${expiresAt} is not ahead`);
  return ms;
}

/** Public keys only, of approved issuers only, each issuer once: a device looks at the first entry of an issuer only. */
function checkIssuers(request: BundleRequest): void {
  const seen = new Set<string>();
  for (const { issuer, keys } of request.issuers) {
    if (!request.approvedIssuers.includes(issuer))
      throw new Problem(400, 'invalid_request', `issuer ${issuer} has keys and is not approved`);
    if (seen.has(issuer)) throw new Problem(400, 'invalid_request', `issuer ${issuer} is listed twice`);
    seen.add(issuer);
    for (const jwk of keys) checkPublicKey(issuer, jwk);
  }
}
