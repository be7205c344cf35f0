// Why something was refused: the reason codes of INTEROP §7, each with one line for a person. A distinct cause has a
// distinct code ("unknown key" is not "bad signature").

// What never describes a code does without.
const CODES = /* @__PURE__ */ Object.freeze({
  AMOUNT_EXCEEDED: 'the amount is above what the authorization still allows',
  AMOUNT_MISMATCH: 'two amounts that must be equal differ',
  ARTIFACT_EXPIRED: 'past its expiry',
  ARTIFACT_INVALID: 'not a well-formed artifact',
  ASSET_MISMATCH: 'the asset is not the one asked for, or not allowed',
  BUDGET_ID_REPLAY: 'this budget or decision was already used',
  BUNDLE_ROLLBACK: 'older than a bundle that was admitted before',
  BUNDLE_SCOPE_MISMATCH: 'made for another merchant, category or region',
  CLOCK_UNTRUSTED: 'the clock was not set since power-up',
  CURRENCY_MISMATCH: "not in the terminal's currency",
  DESTINATION_MISMATCH: 'the destination is not the one asked for, or not in the budget',
  DESTINATION_NOT_ALLOWED: 'the grant does not allow this destination',
  DEVICE_BUSY: 'the device does not sell just now: somebody else pays, or it sells no more for now',
  FPA_CAP_EXCEEDED: "the fleet policy's cap is above the grant's budget",
  FPA_OPERATOR_NOT_ALLOWED: "the grant's operator is not among those of the fleet policy",
  FPA_SIGNATURE_INVALID: 'the fleet policy is not signed by its issuer',
  GATEWAY_NOT_AUTHORIZED: "not the grant's gateway",
  GRANT_BUDGET_EXCEEDED: "the grant's budget would be passed",
  GRANT_REVOKED: 'a Trust Bundle revokes this grant',
  IDEMPOTENCY_CONFLICT: 'the idempotency key was used for another payment',
  INTENT_HASH_MISMATCH: 'the settlement intent is not the one that was authorized',
  ISSUER_NOT_PERMITTED: "the site's configuration does not let this issuer sign this artifact",
  KEY_FORMAT_INVALID: 'the key cannot be used',
  KEY_NOT_FOUND: 'no key is known for this issuer and kid',
  KEY_REVOKED: 'the key is revoked',
  LIMIT_EXCEEDED: 'larger than a published limit',
  NO_TRUST_BUNDLE: 'no Trust Bundle is loaded',
  OFFLINE_CUMULATIVE_EXCEEDED: "the grant's limit on offline spend would be passed",
  OFFLINE_SINGLE_EXCEEDED: "the budget's ceiling is above the grant's limit on one offline payment",
  POLICY_GRANT_NOT_FOUND: 'the budget belongs to another grant, or the grant is missing',
  POLICY_GRANT_SIGNATURE_INVALID: 'the grant is not signed by its issuer',
  POLICY_HASH_MISMATCH: 'made under another policy',
  PURPOSE_NOT_ALLOWED: 'the grant does not allow this purpose',
  RAIL_MISMATCH: 'the rail is not the one asked for, or not allowed',
  RESERVATION_NOT_FOUND: 'no such reservation is open',
  REVOCATION_UNKNOWN: 'whether the grant is revoked could not be found out',
  SBA_INVALID: 'no session budget authorization could be read',
  SBA_NOT_FOUND: 'the payment authorization belongs to another budget, or the budget is missing',
  SBA_SIGNATURE_INVALID: 'the budget is not signed by its issuer',
  SCOPE_UNSUPPORTED: 'a budget scope this device does not keep count of',
  SESSION_MISMATCH: 'made for another session',
  SESSION_PROOF_INVALID: 'the session proof is not signed by the session key',
  SESSION_PROOF_STALE: 'the session proof is too old, or from the future',
  SPA_SIGNATURE_INVALID: 'the payment authorization is not signed by its issuer',
  STORE_FAILED: 'the spend could not be recorded',
  STORE_FULL: 'no room to record the spend',
  SUBJECT_ACTOR_MISMATCH: "the actor is not the grant's subject",
  TRUST_BUNDLE_SIGNATURE_INVALID: 'the Trust Bundle is not signed by a root key of this device',
  VELOCITY_LIMIT_EXCEEDED: 'too many payments under this grant in its time window',
  VERSION_UNSUPPORTED: 'an artifact version this verifier does not know',
});

/** A reason code, as it appears in a refusal. */
export type ReasonCode = keyof typeof CODES;

/** One line for a person that says what a code means. */
export function describeCode(code: ReasonCode): string {
  return CODES[code];
}

/** All reason codes, in alphabetical order. */
export function reasonCodes(): readonly ReasonCode[] {
  return Object.keys(CODES) as ReasonCode[];
}

/** What a refusal is about. */
export type ArtifactName =
  | 'policyGrant'
  | 'sba'
  | 'spa'
  | 'settlementIntent'
  | 'fleetPolicyAuthorization'
  | 'trustBundle'
  | 'presentation'
  | 'request'
  | 'device';

/** A refusal: which artifact, which rule, why. `detail` names members and values for a person; never parse it. */
export interface Refusal {
  readonly ok: false;
  readonly artifact: ArtifactName;
  readonly check: string;
  readonly code: ReasonCode;
  readonly detail: string;
}

/** Makes a refusal. */
export function refuse(artifact: ArtifactName, check: string, code: ReasonCode, detail: string): Refusal {
  return { ok: false, artifact, check, code, detail };
}
