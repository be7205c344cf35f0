// Payments for benchmarks: every one distinct, signed, and accepted; and the bare signature checks they contain.

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { PaymentRequest } from '../../core/chain/request.ts';
import type { SiteConfiguration } from '../../core/configuration.ts';
import { domainDigest } from '../../core/hash/domains.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { intentHash, signBundle, signGrant, signSba, signSpa } from '../../host-sim/signing/artifacts.ts';
import {
  keyFromSeed,
  publicJwk,
  publicPem,
  type SigningKey,
  type VerificationKey,
} from '../../host-sim/signing/keys.ts';

/** The time of the benchmark's artifacts. */
export const BENCH_NOW_MS = Date.UTC(2026, 0, 9, 12);

const ISSUERS = { pa: 'pa.volt-grid.example', wallet: 'vehicle:rx-7.fleet.volt.example' };
const XRP = { kind: 'XRP' };
const DESTINATION = 'rPlugPointBay17';
const POLICY = '6ac1f5c01ac1847bf14be3a15d5e8ecc1263bb18cb39971da82ff2b19ea29380';

/** What the benchmark's verifier is configured with. */
export const BENCH_SITE: SiteConfiguration = {
  grantIssuers: [ISSUERS.pa],
  sbaIssuers: { [ISSUERS.pa]: [ISSUERS.wallet] },
  terminal: {
    rail: 'xrpl',
    asset: XRP,
    destination: DESTINATION,
    merchant: 'did:web:plugpoint.example',
    unit: { kind: 'atomic' },
    purpose: 'transport:charging',
  },
};

/** What its terminal asks. */
export const BENCH_REQUEST: PaymentRequest = { amountMinor: '2500' };

/** One payment as bytes, and the signatures in it with what they are over. */
export interface BenchPayment {
  readonly presentation: Uint8Array;
  readonly signatures: readonly BareSignature[];
}

/** A signature ready to be checked: key object, key bytes, digest, 64 bytes. */
export interface BareSignature {
  readonly key: KeyObject;
  readonly publicKey: Uint8Array;
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

/** The keys, derived when they are first needed: the command line loads this file whatever it is asked. */
let keys: { readonly root: SigningKey; readonly pa: SigningKey; readonly wallet: SigningKey } | undefined;

function signers(): NonNullable<typeof keys> {
  keys ??= {
    root: keyFromSeed('root-bench', new Uint8Array(32).fill(1)),
    pa: keyFromSeed('pa-key-1', new Uint8Array(32).fill(2)),
    wallet: keyFromSeed('vehicle-sba-key-1', new Uint8Array(32).fill(3)),
  };
  return keys;
}

/** The root's public key. */
export function benchRoot(): VerificationKey {
  const { kid, publicKey } = signers().root;
  return { kid, publicKey };
}

/** A bundle with the two issuers. */
export function benchBundle(): Uint8Array {
  const { root, pa, wallet } = signers();
  const bundle = signBundle(
    {
      version: '1.0',
      bundleId: 'bench',
      bundleIssuer: 'did:web:roots.volt-grid.example',
      category: 'ev-charging',
      approvedIssuers: [ISSUERS.pa, ISSUERS.wallet],
      issuers: [
        { issuer: ISSUERS.pa, keys: [publicJwk(pa) as unknown as JsonObject] },
        { issuer: ISSUERS.wallet, keys: [publicJwk(wallet) as unknown as JsonObject] },
      ],
      issuedAt: new Date(BENCH_NOW_MS - 3_600_000).toISOString(),
      expiresAt: new Date(BENCH_NOW_MS + 7 * 86_400_000).toISOString(),
    },
    root,
  );
  return bytesOf(bundle);
}

/** `count` distinct payments: grant and SBA, with an SPA and its intent where asked. */
export function benchPayments(count: number, withSpa: boolean): readonly BenchPayment[] {
  return Array.from({ length: count }, (_, i) => benchPayment(i, withSpa));
}

function benchPayment(number: number, withSpa: boolean): BenchPayment {
  const { pa, wallet } = signers();
  const inner = {
    grantId: `grant_${number}`,
    policyHash: POLICY,
    expiresAt: new Date(BENCH_NOW_MS + 4 * 3_600_000).toISOString(),
    allowedRails: ['xrpl'],
    allowedAssets: [XRP],
    budgetMinor: '30000',
  };
  const grant = signGrant(inner, { key: pa, issuer: ISSUERS.pa }, 'envelope');
  const budgetId = `550e8400-e29b-41d4-a716-${String(number).padStart(12, '0')}`;
  const authorization = {
    version: '1.0',
    budgetId,
    grantId: inner.grantId,
    sessionId: `sess-${number}`,
    actorId: 'vehicle:rx-7',
    policyHash: POLICY,
    currency: 'USD',
    minorUnit: 2,
    budgetScope: 'SESSION',
    maxAmountMinor: '30000',
    allowedRails: ['xrpl'],
    allowedAssets: [XRP],
    destinationAllowlist: [DESTINATION],
    expiresAt: new Date(BENCH_NOW_MS + 3_600_000).toISOString(),
  };
  const sba = signSba(authorization, { key: wallet, issuer: ISSUERS.wallet });
  const signatures = [
    bare('PolicyGrant', inner, grant.signature as string, pa),
    bare('SBA', authorization, sba.signature, wallet),
  ];
  if (!withSpa) return { presentation: bytesOf({ grant, sba }), signatures };
  const settlementIntent = { version: '1.0', rail: 'xrpl', amount: '2500', destination: DESTINATION, asset: XRP };
  const payment = {
    version: '1.0',
    decisionId: `dec_${number}`,
    sessionId: authorization.sessionId,
    policyHash: POLICY,
    budgetId,
    quoteId: 'quote_17',
    rail: 'xrpl',
    asset: XRP,
    amount: '2500',
    destination: DESTINATION,
    intentHash: intentHash(settlementIntent),
    expiresAt: new Date(BENCH_NOW_MS + 1_800_000).toISOString(),
  };
  const spa = signSpa(payment, { key: wallet, issuer: ISSUERS.wallet });
  return {
    presentation: bytesOf({ grant, sba, spa, settlementIntent }),
    signatures: [...signatures, bare('SPA', payment, spa.signature, wallet)],
  };
}

const crypto = createNodeCrypto();

function bare(
  domain: 'PolicyGrant' | 'SBA' | 'SPA',
  signed: JsonObject,
  signature: string,
  key: SigningKey,
): BareSignature {
  return {
    key: createPublicKey(publicPem(key)),
    publicKey: key.publicKey,
    digest: domainDigest(crypto, domain, signed),
    signature: Buffer.from(signature, 'base64'),
  };
}

/** Checks a payment's signatures with nothing around them. @returns true where all are good */
export function checkBare(payment: BenchPayment): boolean {
  return payment.signatures.every((one) => verify(null, one.digest, one.key, one.signature));
}

function bytesOf(value: JsonObject): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
