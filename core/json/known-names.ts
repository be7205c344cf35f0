// The member names MPCP artifacts have. Reading gives back these very strings instead of making the same ones again for
// every payment: it saves the memory, and engines find members by a string they know much faster.

/** All names. */
export const KNOWN_NAMES: readonly string[] = Object.freeze([
  'geography',
  'countryCodes',
  'anchorRef',
  'revocationEndpoint',
  'perTxMinor',
  'maxSpend',
  'bundleId',
  'bundleIssuer',
  'bundleKeyId',
  'category',
  'merchant',
  'region',
  'approvedIssuers',
  'issuers',
  'keys',
  'issuedAt',
  'revokedGrantIds',
  'kty',
  'crv',
  'use',
  'alg',
  'active',
  'x',
  'kid',
  'fleetPolicyAuthorization',
  'fleetPolicyId',
  'fleetId',
  'allowedOperators',
  'idempotencyKey',
  'operatorId',
  'subjectId',
  'scope',
  'allowedPurposes',
  'authorizedGateway',
  'velocityLimit',
  'maxPayments',
  'windowSeconds',
  'offlineMaxSinglePayment',
  'offlineMaxSinglePaymentCurrency',
  'offlineMaxCumulativePayment',
  'offlineMaxCumulativePaymentCurrency',
  'budgetCurrency',
  'budgetMinor',
  'chainId',
  'token',
  'settlementIntent',
  'createdAt',
  'referenceId',
  'expiresAtISO',
  'spa',
  'decisionId',
  'quoteId',
  'intentHash',
  'nonce',
  'amount',
  'rail',
  'asset',
  'destination',
  'destinationAllowlist',
  'grant',
  'sba',
  'authorization',
  'version',
  'budgetId',
  'sessionId',
  'actorId',
  'minorUnit',
  'budgetScope',
  'maxAmountMinor',
  'grantId',
  'policyHash',
  'allowedRails',
  'allowedAssets',
  'kind',
  'currency',
  'expiresAt',
  'issuer',
  'issuerKeyId',
  'keyId',
  'signature',
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
