// What was presented and issued, as plain data: read by nothing that a device decides with.

import type { JsonObject } from '../../core/json/value.ts';

/** A bundle that the authority issued. */
export interface BundleFacts {
  readonly bundleId: string;
  /** The kid of the root key that signed it. */
  readonly root: string;
  /** Issuer, category, merchant and region: the newest of one identity goes. */
  readonly identity: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly approvedIssuers: readonly string[];
  /** By issuer and kid: whether it signs. */
  readonly keys: ReadonlyMap<string, boolean>;
  readonly revokedGrantIds: readonly string[];
}

/** A payment that was presented. Amounts are in the terminal's unit; caps that are missing are none. */
export interface PaymentFacts {
  readonly grantId: string;
  readonly budgetId: string;
  readonly grantSigner: Signer;
  readonly budgetSigner: Signer;
  /** The first expiry of both, and of the fleet policy beside them. */
  readonly expiresAtMs: number;
  readonly grantExpiresAtMs: number;
  /** What one payment may come to, what one budget, and what all under the grant and its fleet policy. */
  readonly singleMost: bigint | undefined;
  readonly budgetMost: bigint;
  readonly grantMost: bigint | undefined;
}

/** Who has signed. */
export interface Signer {
  readonly issuer: string;
  readonly kid: string;
}

/** What a bundle says. */
export function bundleFacts(bundle: JsonObject, root: string): BundleFacts {
  const { bundleIssuer, category, merchant = null, geography } = bundle;
  const region = (geography as { region?: string } | undefined)?.region ?? null;
  const keys = new Map<string, boolean>();
  const issuers = bundle.issuers as readonly { issuer: string; keys: readonly { kid: string; active?: boolean }[] }[];
  for (const listed of issuers)
    for (const key of listed.keys) keys.set(keyName({ issuer: listed.issuer, kid: key.kid }), key.active !== false);
  return {
    bundleId: String(bundle.bundleId),
    root,
    identity: JSON.stringify([bundleIssuer, category, merchant, region]),
    issuedAtMs: Date.parse(String(bundle.issuedAt)),
    expiresAtMs: Date.parse(String(bundle.expiresAt)),
    approvedIssuers: bundle.approvedIssuers as readonly string[],
    keys,
    revokedGrantIds: (bundle.revokedGrantIds ?? []) as readonly string[],
  };
}

/** What a payment says; undefined where it is none. */
export function paymentFacts(bytes: Uint8Array): PaymentFacts | undefined {
  try {
    const { grant: envelope, sba, fleetPolicyAuthorization } = JSON.parse(Buffer.from(bytes).toString());
    const { grant } = envelope;
    const budget = sba.authorization;
    const fleetPolicy = fleetPolicyAuthorization?.authorization;
    const caps = [grant.budgetMinor, grant.offlineMaxCumulativePayment, fleetPolicy?.maxAmountMinor]
      .filter((cap) => cap !== undefined)
      .map(BigInt);
    const expiries = [grant, budget, fleetPolicy].filter((one) => one !== undefined);
    return {
      grantId: String(grant.grantId),
      budgetId: String(budget.budgetId),
      grantSigner: { issuer: String(envelope.issuer), kid: String(envelope.issuerKeyId) },
      budgetSigner: { issuer: String(sba.issuer), kid: String(sba.issuerKeyId) },
      expiresAtMs: Math.min(...expiries.map(({ expiresAt }) => expiryMs(expiresAt))),
      grantExpiresAtMs: expiryMs(grant.expiresAt),
      singleMost: grant.offlineMaxSinglePayment === undefined ? undefined : BigInt(grant.offlineMaxSinglePayment),
      budgetMost: BigInt(budget.maxAmountMinor),
      grantMost: caps.length === 0 ? undefined : caps.reduce((least, cap) => (cap < least ? cap : least)),
    };
  } catch {
    return undefined;
  }
}

/** What no time can be read of has expired always. */
function expiryMs(text: string): number {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? Number.NEGATIVE_INFINITY : ms;
}

/** A key under its issuer. */
export function keyName({ issuer, kid }: Signer): string {
  return JSON.stringify([issuer, kid]);
}
