// Who takes part in what a device in XS is put through: one site, its Policy Authority, its wallets, and payments that are
// signed under Node. The same bytes in every run.

import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { type Domain, domainDigest } from '../../core/hash/domains.ts';
import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { intentHash, signBundle } from '../../host-sim/signing/artifacts.ts';
import { keyFromSeed, privatePem, publicJwk, type SigningKey } from '../../host-sim/signing/keys.ts';
import type { SiteInput } from '../../host-sim/xs/bench-input.ts';

/** The moment of the first step. */
export const NOW_MS = Date.UTC(2026, 0, 9, 12);

/** Who signs what. */
export const AUTHORITY = 'pa.volt-grid.example';
export const WALLET = 'vehicle:rx-7.fleet.volt.example';
export const FLEET = 'fleet.volt.example';

const XRP: JsonObject = { kind: 'XRP' };
const DESTINATION = 'rPlugPointBay17';
const POLICY = createHash('sha256').update('policy').digest('hex');
/** What the terminal asks. */
export const REQUEST = { amountMinor: '2500' };
const crypto = createNodeCrypto();

let made: { readonly [name in Signer]: SigningKey } | undefined;

/** Names of the keys. */
export type Signer = 'root' | 'authority' | 'wallet' | 'fleet';

/** The keys, made when they are first needed: the command line loads this file whatever it is asked. */
export function signingKey(name: Signer): SigningKey {
  made ??= {
    root: keyFromSeed('root-1', new Uint8Array(32).fill(11)),
    authority: keyFromSeed('pa-key-1', new Uint8Array(32).fill(12)),
    wallet: keyFromSeed('vehicle-key-1', new Uint8Array(32).fill(13)),
    fleet: keyFromSeed('fleet-key-1', new Uint8Array(32).fill(14)),
  };
  return made[name];
}

const privateKeys = new Map<SigningKey, KeyObject>();

/** A signature over a value, in base64. By node:crypto, which is fast enough for ten thousands. */
export function signatureOf(domain: Domain, value: JsonObject, key: SigningKey): string {
  let secret = privateKeys.get(key);
  if (secret === undefined) {
    secret = createPrivateKey(privatePem(key));
    privateKeys.set(key, secret);
  }
  return sign(null, domainDigest(crypto, domain, value), secret).toString('base64');
}

/** What the verifier is made of. */
export function siteInput(): SiteInput {
  const root = signingKey('root');
  return {
    nowMs: NOW_MS,
    configuration: {
      grantIssuers: [AUTHORITY],
      sbaIssuers: { [AUTHORITY]: [WALLET] },
      budgetUse: 'reuse',
      terminal: {
        rail: 'xrpl',
        asset: XRP,
        destination: DESTINATION,
        merchant: 'did:web:plugpoint.example',
        unit: { kind: 'atomic' },
        purpose: 'transport:charging',
      },
    },
    rootKid: root.kid,
    rootKey: Buffer.from(root.publicKey).toString('hex'),
  };
}

/** An issuer's entry in a bundle. */
export function issuerEntry(issuer: string, key: SigningKey): JsonObject {
  return { issuer, keys: [publicJwk(key) as unknown as JsonObject] };
}

/** The bundle everybody is in, with other members. @param number seconds: it is issued so much later than the first */
export function bundleOf(number: number, members: JsonObject = {}): JsonObject {
  return signBundle(
    {
      version: '1.0',
      bundleId: `bundle-${String(number).padStart(8, '0')}`,
      bundleIssuer: 'did:web:roots.volt-grid.example',
      category: 'ev-charging',
      approvedIssuers: [AUTHORITY, WALLET, FLEET],
      issuers: [
        issuerEntry(AUTHORITY, signingKey('authority')),
        issuerEntry(WALLET, signingKey('wallet')),
        issuerEntry(FLEET, signingKey('fleet')),
      ],
      issuedAt: new Date(NOW_MS - 3_600_000 + 1000 * number).toISOString(),
      expiresAt: new Date(NOW_MS + 365 * 86_400_000).toISOString(),
      ...members,
    },
    signingKey('root'),
  );
}

/** The answer of a Policy Authority with these bundles. */
export function answerOf(...bundles: readonly JsonValue[]): Uint8Array {
  return bytesOf({ bundles });
}

/** A payment's artifacts as they are signed. */
export interface Chain {
  readonly grant: JsonObject;
  readonly sba: JsonObject;
  readonly spa: JsonObject;
  readonly settlementIntent: JsonObject;
  readonly fleetPolicyAuthorization?: JsonObject;
}

/** How a chain differs from the usual one. */
export interface ChainOptions {
  /** Names grant and budget. */
  readonly grant?: string;
  /** More members of what is signed; a member that is there is replaced. */
  readonly inGrant?: JsonObject;
  readonly inSba?: JsonObject;
  readonly inSpa?: JsonObject;
  readonly inIntent?: JsonObject;
  /** There is a fleet policy too, with these members. */
  readonly inFleetPolicy?: JsonObject;
  /** The grant is signed without an envelope, issuer and all. */
  readonly isFlat?: boolean;
  /** Members of the envelopes, which nobody signs. */
  readonly around?: JsonObject;
  /** Seconds from `NOW_MS` at which the payment is made. */
  readonly laterSeconds?: number;
  /** What is paid: of the terminal here where left out. */
  readonly amountMinor?: string;
  /** The wallet's key, where it has another one by now. */
  readonly walletKey?: SigningKey;
}

/** The chain of the payment of that number: no two have the same SPA. */
export function chainOf(number: number, options: ChainOptions = {}): Chain {
  const { grant = 'grant_1', laterSeconds = 0, around = {}, amountMinor = REQUEST.amountMinor } = options;
  const until = (seconds: number) => new Date(NOW_MS + 1000 * (laterSeconds + seconds)).toISOString();
  const settlementIntent = {
    version: '1.0',
    rail: 'xrpl',
    amount: amountMinor,
    destination: DESTINATION,
    asset: XRP,
    ...options.inIntent,
  };
  const inner = {
    grantId: grant,
    policyHash: POLICY,
    // The same for all payments, so that the grant is.
    expiresAt: new Date(NOW_MS + 300 * 86_400_000).toISOString(),
    allowedRails: ['xrpl'],
    allowedAssets: [XRP],
    budgetMinor: '900000000',
    ...options.inGrant,
  };
  const budget = {
    version: '1.0',
    budgetId: `550e8400-${grant}`,
    grantId: grant,
    sessionId: `sess-${grant}`,
    actorId: 'vehicle:rx-7',
    policyHash: POLICY,
    currency: 'USD',
    minorUnit: 2,
    budgetScope: 'SESSION',
    maxAmountMinor: '800000000',
    allowedRails: ['xrpl'],
    allowedAssets: [XRP],
    destinationAllowlist: [DESTINATION],
    expiresAt: until(3600),
    ...options.inSba,
  };
  const payment = {
    version: '1.0',
    decisionId: `dec_${number}`,
    sessionId: budget.sessionId,
    policyHash: POLICY,
    budgetId: budget.budgetId,
    quoteId: 'quote_17',
    rail: 'xrpl',
    asset: XRP,
    amount: amountMinor,
    destination: DESTINATION,
    intentHash: intentHash(settlementIntent),
    expiresAt: until(1800),
    ...options.inSpa,
  };
  const signed = (domain: Domain, member: string, value: JsonObject, signer: Signer, issuer: string) => {
    const key = (signer === 'wallet' ? options.walletKey : undefined) ?? signingKey(signer);
    return { [member]: value, issuer, issuerKeyId: key.kid, signature: signatureOf(domain, value, key), ...around };
  };
  const flat = () => {
    const key = signingKey('authority');
    const body = { ...inner, issuer: AUTHORITY, issuerKeyId: key.kid };
    return { ...body, signature: signatureOf('PolicyGrant', body, key) };
  };
  const policy = {
    version: '1.0',
    fleetPolicyId: 'fleet-policy-1',
    fleetId: 'fleet-1',
    actorId: budget.actorId,
    scope: 'DAY',
    currency: 'USD',
    maxAmountMinor: '500000000',
    allowedRails: ['xrpl'],
    expiresAt: until(3600),
    ...options.inFleetPolicy,
  };
  return {
    grant: options.isFlat ? flat() : signed('PolicyGrant', 'grant', inner, 'authority', AUTHORITY),
    sba: signed('SBA', 'authorization', budget, 'wallet', WALLET),
    spa: signed('SPA', 'authorization', payment, 'wallet', WALLET),
    settlementIntent,
    ...(options.inFleetPolicy === undefined
      ? {}
      : { fleetPolicyAuthorization: signed('FPA', 'authorization', policy, 'fleet', FLEET) }),
  };
}

/** JSON text as bytes. */
export function bytesOf(value: JsonValue): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
