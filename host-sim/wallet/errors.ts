// Why a wallet does not sign.

/** The session's ceiling, or the budget a payment is made under, does not cover the amount. */
export class MpcpBudgetExceededError extends Error {
  override name = 'MpcpBudgetExceededError';
  /** Digits, in the session's minor unit. */
  readonly requestedMinor: string;
  readonly remainingMinor: string;

  constructor(requested: bigint, remaining: bigint) {
    super(`${requested} is asked for and ${remaining} remains`);
    this.requestedMinor = requested.toString();
    this.remainingMinor = remaining.toString();
  }
}

/** The grant was revoked. */
export class MpcpGrantRevokedError extends Error {
  override name = 'MpcpGrantRevokedError';
  readonly grantId: string;
  /** RFC 3339, where the Policy Authority said when. */
  readonly revokedAt: string | undefined;

  constructor(grantId: string, revokedAt: string | undefined) {
    super(`grant ${grantId} is revoked${revokedAt === undefined ? '' : ` since ${revokedAt}`}`);
    this.grantId = grantId;
    this.revokedAt = revokedAt;
  }
}

/** The grant does not allow what the payment is for. */
export class MpcpPurposeNotAllowedError extends Error {
  override name = 'MpcpPurposeNotAllowedError';
  readonly purpose: string;

  constructor(purpose: string, allowed: readonly string[]) {
    super(`the grant allows ${allowed.join(', ')}, not ${purpose}`);
    this.purpose = purpose;
  }
}

/** Something a wallet was given cannot be used: a grant, an amount, a time. The message names it. */
export class WalletError extends Error {
  override name = 'WalletError';
}
