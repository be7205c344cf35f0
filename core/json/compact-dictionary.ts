// Member names and values that the compact form (compact-format.ts) writes as one byte: their number. The lists are part of a
// format on flash and frozen with it: whoever changes them makes a new format of the journal, which an old one cannot read.

/** Names of members, 0 to 191. */
export const COMPACT_NAMES: readonly string[] = Object.freeze([
  'version',
  'grantId',
  'policyHash',
  'expiresAt',
  'allowedRails',
  'allowedAssets',
  'kind',
  'currency',
  'issuer',
  'issuerKeyId',
  // 10
  'signature',
  'authorization',
  'grant',
  'budgetId',
  'sessionId',
  'actorId',
  'minorUnit',
  'budgetScope',
  'maxAmountMinor',
  'destinationAllowlist',
  // 20
  'decisionId',
  'quoteId',
  'rail',
  'asset',
  'amount',
  'destination',
  'intentHash',
  'nonce',
  'referenceId',
  'createdAt',
  // 30
  'expiresAtISO',
  'keyId',
  'chainId',
  'token',
  'subjectId',
  'operatorId',
  'scope',
  'allowedPurposes',
  'authorizedGateway',
  'velocityLimit',
  // 40
  'maxPayments',
  'windowSeconds',
  'offlineMaxSinglePayment',
  'offlineMaxSinglePaymentCurrency',
  'offlineMaxCumulativePayment',
  'offlineMaxCumulativePaymentCurrency',
  'budgetCurrency',
  'budgetMinor',
  'maxSpend',
  'perTxMinor',
  // 50
  'revocationEndpoint',
  'anchorRef',
  'fleetPolicyId',
  'fleetId',
  'allowedOperators',
  'geography',
  'countryCodes',
  'idempotencyKey',
  'merchant',
  'region',
  // 60
  'category',
  'purpose',
  'purposes',
  'network',
  'issuedAt',
  'notBefore',
  'memo',
  'metadata',
  'id',
  'type',
]);

/** Whole texts as values, 0 to 127. */
export const COMPACT_VALUES: readonly string[] = Object.freeze([
  '1.0',
  'xrpl',
  'evm',
  'stripe',
  'hosted',
  'XRP',
  'IOU',
  'ERC20',
  'SESSION',
  'DAY',
  // 10
  'VEHICLE',
  'FLEET',
  'TRIP',
  'SHIFT',
  'RLUSD',
  'USDC',
  'USDT',
  'EURC',
  'USD',
  'EUR',
  // 20
  'GBP',
  'CHF',
  'SEK',
  'NOK',
  'DKK',
  'PLN',
  'CZK',
  'HUF',
  'RON',
  'TRY',
  // 30
  'JPY',
  'CNY',
  'INR',
  'KRW',
  'SGD',
  'HKD',
  'AUD',
  'NZD',
  'CAD',
  'MXN',
  // 40
  'BRL',
  'ZAR',
  'AED',
  'ISK',
  'transport:charging',
  'transport:parking',
  'transport:transit',
  'transport:toll',
  'ev-charging',
  'parking',
  // 50
  'transit',
  'toll',
  'key-1',
  '1.1',
]);

/** Longer texts are not looked up: none is known. */
const LONGEST = 40;

/** The number of a known name, or -1. */
export function compactName(text: string): number {
  return text.length > LONGEST ? -1 : (NAME_NUMBERS.get(text) ?? -1);
}

/** The number of a known value, or -1. */
export function compactValue(text: string): number {
  return text.length > LONGEST ? -1 : (VALUE_NUMBERS.get(text) ?? -1);
}

const NAME_NUMBERS = numbers(COMPACT_NAMES);
const VALUE_NUMBERS = numbers(COMPACT_VALUES);

/** A map: of an object the devices' engine would keep every text that was ever looked up. */
function numbers(texts: readonly string[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (let i = 0; i < texts.length; i++) numbers.set(texts[i] as string, i);
  return numbers;
}
