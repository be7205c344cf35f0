// The member names MPCP artifacts have. Reading gives back these very strings instead of making the same ones again for
// every payment: it saves the memory, and engines find members by a string they know much faster.

/** Those of the artifacts of payments, the most used ones first: the devices' parser looks for each member in them one by one. */
export const PAYMENT_NAMES: readonly string[] = Object.freeze([
  'signature',
  'keyId',
  'issuerKeyId',
  'issuer',
  'expiresAt',
  'currency',
  'kind',
  'allowedAssets',
  'allowedRails',
  'policyHash',
  'grantId',
  'maxAmountMinor',
  'budgetScope',
  'minorUnit',
  'actorId',
  'sessionId',
  'budgetId',
  'version',
  'authorization',
  'sba',
  'grant',
  'destinationAllowlist',
  'destination',
  'asset',
  'rail',
  'amount',
  'nonce',
  'intentHash',
  'quoteId',
  'decisionId',
  'spa',
  'expiresAtISO',
  'referenceId',
  'createdAt',
  'settlementIntent',
  'token',
  'chainId',
  'budgetMinor',
  'budgetCurrency',
  'offlineMaxCumulativePaymentCurrency',
  'offlineMaxCumulativePayment',
  'offlineMaxSinglePaymentCurrency',
  'offlineMaxSinglePayment',
  'windowSeconds',
  'maxPayments',
  'velocityLimit',
  'authorizedGateway',
  'allowedPurposes',
  'scope',
  'subjectId',
  'operatorId',
  'idempotencyKey',
  'allowedOperators',
  'fleetId',
  'fleetPolicyId',
  'fleetPolicyAuthorization',
  'maxSpend',
  'perTxMinor',
  'revocationEndpoint',
  'anchorRef',
]);

/** All names, in their order by UTF-16 (they are ASCII): those of payments, and those of Trust Bundles. */
export const KNOWN_NAMES: readonly string[] = sorted([
  ...PAYMENT_NAMES,
  'kid',
  'x',
  'active',
  'alg',
  'use',
  'crv',
  'kty',
  'revokedGrantIds',
  'issuedAt',
  'keys',
  'issuers',
  'approvedIssuers',
  'region',
  'merchant',
  'category',
  'bundleKeyId',
  'bundleIssuer',
  'bundleId',
  'countryCodes',
  'geography',
]);

const KNOWN = new Set(KNOWN_NAMES);

/** True for one of the known names. */
export function isKnownName(name: string): boolean {
  return KNOWN.has(name);
}

/** With this many places and this hash no two of the names share one. */
const PLACES = 1024;

/** One step of the hash that places names: the hash so far, and the next byte. */
export function nameHash(hash: number, byte: number): number {
  return (hash * 15 + byte) & 0xffff;
}

/** The known name at the place of a hash, which may be another one, or undefined. */
export function knownName(hash: number): string | undefined {
  const rank = nameRank(hash);
  return rank < 0 ? undefined : KNOWN_NAMES[rank];
}

/** Where the known name at the place of a hash stands among all of them; below 255, and -1 where there is none. */
export function nameRank(hash: number): number {
  return (RANKS[hash % PLACES] as number) - 1;
}

/** In each place the rank of its name, and one. A byte for each: an array has a slot for each. */
const RANKS = ranked();

function ranked(): Uint8Array {
  const ranks = new Uint8Array(PLACES);
  KNOWN_NAMES.forEach((name, rank) => {
    let hash = 0;
    for (let i = 0; i < name.length; i++) hash = nameHash(hash, name.charCodeAt(i));
    ranks[hash % PLACES] = rank + 1;
  });
  return ranks;
}

function sorted(names: string[]): readonly string[] {
  return Object.freeze(names.sort());
}
