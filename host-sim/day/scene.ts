// Who and what takes part in the day: a Policy Authority, a charger site, two vehicles, and the terms they agreed on.

import type { SiteConfiguration } from '../../core/configuration.ts';
import type { JsonObject } from '../../core/json/value.ts';
import type { BundleRequest, GrantRequest } from '../policy-authority/authority.ts';
import { generateKey, type PublicJwk, publicJwk, type SigningKey } from '../signing/keys.ts';

/** When the day begins. The whole of it runs on a simulated clock. */
export const DAY_BEGINS_MS = Date.UTC(2026, 5, 1, 6, 0, 0);
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Who issues grants and bundles. */
export const AUTHORITY = 'pa.charge.example';
/** What every payment is made in. Amounts are drops, a millionth of an XRP. */
export const XRP: JsonObject = Object.freeze({ kind: 'XRP' });
export const PURPOSE = 'ev-charging:session';
export const MERCHANT = 'did:web:park-and-charge.example';
export const CATEGORY = 'ev-charging';
export const REGION = 'EU';
/** XRPL classic addresses: where the site is paid, and the gateway it settles through. */
export const DESTINATION = 'rnPiz3CjrgbK9Ztwft6WCWoZUpLLttLyp6';
export const GATEWAY = 'rDz5GKSzpNbtoMzpThWUbX26G1gLMzAzzD';

/** A vehicle and its wallet key. */
export interface Vehicle {
  readonly issuer: string;
  /** Its XRPL account, the actor of its budgets. */
  readonly address: string;
  readonly key: SigningKey;
}

/** Everybody's keys, fresh for every day. */
export interface Cast {
  readonly root: SigningKey;
  readonly grantKey: SigningKey;
  readonly vehicleA: Vehicle;
  readonly vehicleB: Vehicle;
}

/** Makes the keys. */
export function createCast(): Cast {
  return {
    root: generateKey('root-2026'),
    grantKey: generateKey('pa-grants-1'),
    vehicleA: {
      issuer: 'vehicle-a.fleet.example',
      address: 'rJhGXdqqpPeLz67ChDgkgADGLPBh6gU3zU',
      key: generateKey('vehicle-a-1'),
    },
    vehicleB: {
      issuer: 'vehicle-b.fleet.example',
      address: 'rrshVojrm2VNYzWgshmorN9LafmRWaDgp',
      key: generateKey('vehicle-b-1'),
    },
  };
}

/** The policy both grants are made under. */
export const POLICY: JsonObject = Object.freeze({
  name: 'Fleet charging on the road',
  rails: ['xrpl'],
  purposes: [PURPOSE],
  perGrant: '5000000',
});

/** A grant of 5 XRP for one vehicle, to be spent at this site. */
export function grantRequest(policyHash: string, vehicle: Vehicle): GrantRequest {
  return {
    policyHash,
    subjectId: `did:xrpl:testnet:${vehicle.address}`,
    allowedRails: ['xrpl'],
    allowedAssets: [XRP],
    allowedPurposes: [PURPOSE],
    destinationAllowlist: [DESTINATION],
    authorizedGateway: GATEWAY,
    velocityLimit: { maxPayments: 10, windowSeconds: 3600 },
    budgetMinor: '5000000',
    offlineMaxSinglePayment: '3000000',
    offlineMaxCumulativePayment: '5000000',
    expiresAt: isoTime(DAY_BEGINS_MS + 30 * DAY_MS),
  };
}

/** The keys a bundle carries; a vehicle's may be marked as revoked. */
export function bundleRequest(cast: Cast, expiresAtMs: number, revoked: readonly Vehicle[] = []): BundleRequest {
  const jwk = (vehicle: Vehicle): PublicJwk => ({
    ...publicJwk(vehicle.key),
    ...(revoked.includes(vehicle) ? { active: false } : {}),
  });
  const vehicles = [cast.vehicleA, cast.vehicleB];
  return {
    category: CATEGORY,
    merchant: MERCHANT,
    geography: { region: REGION },
    approvedIssuers: [AUTHORITY, ...vehicles.map((vehicle) => vehicle.issuer)],
    issuers: [
      { issuer: AUTHORITY, keys: [{ ...publicJwk(cast.grantKey) }] },
      ...vehicles.map((vehicle) => ({ issuer: vehicle.issuer, keys: [{ ...jwk(vehicle) }] })),
    ],
    expiresAt: isoTime(expiresAtMs),
  };
}

/** What the charger is told at manufacture: one root key, who may sign what, and what it sells. */
export function siteConfiguration(cast: Cast): SiteConfiguration {
  return {
    profile: 'full',
    strictXrpl: true,
    terminal: {
      rail: 'xrpl',
      asset: XRP,
      destination: DESTINATION,
      merchant: MERCHANT,
      unit: { kind: 'atomic' },
      purpose: PURPOSE,
      gateway: GATEWAY,
    },
    grantIssuers: [AUTHORITY],
    sbaIssuers: { [AUTHORITY]: [cast.vehicleA.issuer, cast.vehicleB.issuer] },
    rootKeys: [{ kid: cast.root.kid, publicKey: cast.root.publicKey }],
    bundleScope: { category: CATEGORY, merchant: MERCHANT, region: REGION },
  };
}

/** RFC 3339 text of a time in milliseconds. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
