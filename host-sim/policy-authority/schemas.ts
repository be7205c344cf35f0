// The request bodies of the Policy Authority as JSON Schema, which Fastify checks before a route runs. Unknown members
// are refused: they would be signed unread.

import { RAILS } from '../../core/artifacts/asset.ts';
import {
  AMOUNT_DIGITS,
  ARTIFACT_LIMITS,
  BUNDLE_ISSUERS,
  BUNDLE_KEYS_PER_ISSUER,
  VELOCITY_WINDOW_SECONDS,
} from '../../core/limits.ts';
import { closed } from '../http/schema-problem.ts';

const text = { type: 'string', minLength: 1, maxLength: ARTIFACT_LIMITS.stringBytes };
const texts = { type: 'array', items: text, maxItems: ARTIFACT_LIMITS.elements };
const amount = { type: 'string', pattern: `^[1-9][0-9]{0,${AMOUNT_DIGITS - 1}}$` };
const currency = { type: 'string', pattern: '^[A-Z]{3}$' };
const count = { type: 'integer', minimum: 1 };
const id = { type: 'string', minLength: 1, maxLength: 128 };

const rails = { type: 'array', items: { enum: RAILS }, maxItems: RAILS.length, uniqueItems: true };
const assets = {
  type: 'array',
  items: { type: 'object', required: ['kind'], properties: { kind: { enum: ['XRP', 'IOU', 'ERC20'] } } },
  maxItems: ARTIFACT_LIMITS.elements,
};

/** POST /policies */
export const policyBody = closed({ policyDocument: { type: 'object' } }, ['policyDocument']);

/** POST /grants: every member a PolicyGrant may have, but those the authority decides on. */
export const grantBody = closed(
  {
    version: { enum: ['1.0'] },
    policyHash: { type: 'string', pattern: '^[a-f0-9]{12,64}$' },
    subjectId: text,
    operatorId: text,
    scope: { enum: ['SESSION', 'TRIP', 'VEHICLE', 'FLEET'] },
    allowedRails: rails,
    allowedAssets: assets,
    allowedPurposes: texts,
    destinationAllowlist: texts,
    expiresAt: text,
    authorizedGateway: text,
    velocityLimit: closed({ maxPayments: count, windowSeconds: { ...count, maximum: VELOCITY_WINDOW_SECONDS } }, [
      'maxPayments',
      'windowSeconds',
    ]),
    budgetMinor: amount,
    budgetCurrency: currency,
    budgetEscrowRef: text,
    maxSpend: closed({ perTxMinor: amount, perSessionMinor: amount, perDayMinor: amount }, []),
    offlineMaxSinglePayment: amount,
    offlineMaxSinglePaymentCurrency: currency,
    offlineMaxCumulativePayment: amount,
    offlineMaxCumulativePaymentCurrency: currency,
    revocationEndpoint: {
      type: 'string',
      pattern: '^https?://[!-~]+$',
      maxLength: ARTIFACT_LIMITS.stringBytes,
    },
    anchorRef: text,
    merchantCredentialIssuer: text,
    merchantCredentialType: text,
    gatewayCredentialIssuer: text,
    gatewayCredentialType: text,
    subjectCredentialIssuer: text,
    activeGrantCredentialIssuer: text,
    requireApproval: { type: 'boolean' },
    reasons: texts,
  },
  ['policyHash', 'allowedRails', 'expiresAt'],
);

/** GET /grants/:grantId, POST /grants/:grantId/revoke */
export const grantParams = { type: 'object', required: ['grantId'], properties: { grantId: id } };

/** GET /revoke */
export const revokedQuery = { type: 'object', required: ['grantId'], properties: { grantId: id } };

/** POST /revoke */
export const revokeBody = closed({ grantId: id }, ['grantId']);

/** Its other members: `checkPublicKey`, which answers without repeating what may be a secret. */
const publicKey = {
  type: 'object',
  required: ['kid', 'kty'],
  properties: { kid: text, kty: text, active: { type: 'boolean' } },
};

/** POST /admin/keys */
export const keyBody = closed(
  {
    keyId: { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,128}$' },
    scopes: {
      type: 'array',
      items: { enum: ['grants:write', 'grants:revoke', 'admin'] },
      minItems: 1,
      uniqueItems: true,
    },
  },
  ['scopes'],
);

/** DELETE /admin/keys/:keyId */
export const keyParams = { type: 'object', required: ['keyId'], properties: { keyId: id } };

/** POST /trust-bundles: an unsigned bundle. */
export const bundleBody = closed(
  {
    bundleId: text,
    category: text,
    merchant: text,
    geography: closed({ region: text, countryCodes: texts }, []),
    approvedIssuers: { type: 'array', items: text, maxItems: BUNDLE_ISSUERS, uniqueItems: true },
    issuers: {
      type: 'array',
      maxItems: BUNDLE_ISSUERS,
      items: closed({ issuer: text, keys: { type: 'array', items: publicKey, maxItems: BUNDLE_KEYS_PER_ISSUER } }, [
        'issuer',
        'keys',
      ]),
    },
    expiresAt: text,
    revokedGrantIds: { type: 'array', items: text, uniqueItems: true },
  },
  ['category', 'approvedIssuers', 'issuers', 'expiresAt'],
);

/** GET /trust-bundles. Whoever asks with a member that is not known means fewer bundles than all. */
export const bundleQuery = closed({ category: text, merchant: text, region: text }, []);
