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

/** All names: those of payments, and those of Trust Bundles. */
export const KNOWN_NAMES: readonly string[] = Object.freeze([
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
  return TABLE[hash % PLACES];
}

/** Where the known name at the place of a hash stands in the order of all of them (by UTF-16, as they are ASCII); below 255. */
export function nameRank(hash: number): number {
  return RANKS[hash % PLACES] ?? -1;
}

const TABLE = placed();
const RANKS = ranked();

function ranked(): readonly (number | undefined)[] {
  const sorted = [...KNOWN_NAMES].sort();
  return TABLE.map((name) => (name === undefined ? undefined : sorted.indexOf(name)));
}

function placed(): readonly (string | undefined)[] {
  const table: (string | undefined)[] = [];
  for (let i = 0; i < PLACES; i++) table.push(undefined);
  for (const name of KNOWN_NAMES) {
    let hash = 0;
    for (let i = 0; i < name.length; i++) hash = nameHash(hash, name.charCodeAt(i));
    table[hash % PLACES] = name;
  }
  return table;
}
