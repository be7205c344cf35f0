// A vehicle's wallet: opens a session under a grant, signs budgets and payments within the session's ceiling, and keeps
// count. It is honest; who wants to cheat changes what it has signed.

import { randomUUID } from 'node:crypto';
import { ArtifactProblem } from '../../core/artifacts/members.ts';
import { readPolicyGrant } from '../../core/artifacts/policy-grant.ts';
import { readSessionBudget } from '../../core/artifacts/sba.ts';
import { canonicalText } from '../../core/json/canonical.ts';
import { isObject, type JsonObject, type JsonValue, member } from '../../core/json/value.ts';
import type { Clock } from '../../core/ports/ports.ts';
import { SYSTEM_CLOCK } from '../ports/system-clock.ts';
import { intentHash, type SignedEnvelope, signSba, signSpa } from '../signing/artifacts.ts';
import type { SigningKey } from '../signing/keys.ts';
import { MpcpBudgetExceededError, MpcpPurposeNotAllowedError, WalletError } from './errors.ts';
import { amountOf, type Check, checkGiven, hasMethods, isAmount, isJsonObject, isText, optional } from './given.ts';
import type { WalletPresentation } from './presentation.ts';
import { RevocationCheck } from './revocation.ts';
import { checkedOptions, keyOf, type SessionOptions } from './session-options.ts';
import { MemorySpendStorage, type SpendAccount, type SpendStorage } from './spend-storage.ts';

/** A budget to sign. */
export interface SbaRequest {
  /** Its ceiling, in digits; it is taken from what remains of the session's. */
  readonly amount: string;
  readonly currency?: string;
  /** What is paid for; the grant must allow it. */
  readonly purpose?: string;
  /** Default: the grant's first. */
  readonly rail?: string;
  /** Left out, the grant's assets are allowed. */
  readonly asset?: JsonObject;
  /** Left out, the grant's destinations are allowed. */
  readonly destination?: string;
}

/** What a grant or a budget restricts payments to; empty restricts nothing. Assets are canonical texts. */
interface Lists {
  readonly allowedAssets: readonly string[];
  readonly destinationAllowlist: readonly string[];
}

type Terms = Pick<SpaRequest, 'asset' | 'destination'>;

/** A payment to sign, under a budget of this session. */
export interface SpaRequest {
  readonly sba: SignedEnvelope;
  readonly amount: string;
  readonly asset?: JsonObject;
  readonly destination?: string;
  /** A name for the payment that goes into the settlement intent. */
  readonly referenceId?: string;
}

/** A signed payment with the intent whose hash it carries. */
export interface SignedPayment {
  readonly spa: SignedEnvelope;
  readonly settlementIntent: JsonObject;
}

/** A whole payment: a budget of its own and the payment under it. */
export interface PaymentTerms {
  readonly amount: string;
  /** The budget's ceiling; default the amount. */
  readonly ceiling?: string;
  readonly currency?: string;
  readonly purpose?: string;
  readonly rail?: string;
  readonly asset?: JsonObject;
  readonly destination?: string;
  readonly referenceId?: string;
  readonly idempotencyKey?: string;
}

const TERMS_CHECKS = { amount: isAmount, asset: optional(isJsonObject), destination: optional(isText) };
const SBA_CHECKS: Readonly<Record<keyof SbaRequest, Check>> = {
  ...TERMS_CHECKS,
  currency: optional(isText),
  purpose: optional(isText),
  rail: optional(isText),
};
const SPA_CHECKS: Readonly<Record<keyof SpaRequest, Check>> = {
  sba: isJsonObject,
  ...TERMS_CHECKS,
  referenceId: optional(isText),
};
const PAYMENT_CHECKS: Readonly<Record<keyof PaymentTerms, Check>> = {
  ...SBA_CHECKS,
  ceiling: optional(isAmount),
  referenceId: optional(isText),
  idempotencyKey: optional(isText),
};

/**
 * Opens a session.
 *
 * @param grant as the Policy Authority gave it, envelope or flat
 * @throws WalletError where the grant or an option cannot be used; MpcpGrantRevokedError
 */
export async function createSession(grant: JsonObject, options: SessionOptions): Promise<WalletSession> {
  const session = new WalletSession(grant, options);
  await session.checkRevocation();
  return session;
}

/** See the head of the file. */
export class WalletSession {
  readonly grant: JsonObject;
  readonly sessionId: string;
  readonly #options: SessionOptions;
  readonly #body: JsonObject;
  readonly #grantId: string;
  readonly #policyHash: string;
  readonly #grantExpiresAtMs: number;
  readonly #rails: readonly string[];
  readonly #purposes: readonly string[];
  readonly #lists: Lists;
  readonly #key: SigningKey;
  readonly #clock: Clock;
  readonly #revocation: RevocationCheck | undefined;
  readonly #newId: () => string;
  readonly #storage: SpendStorage;
  /** The session's account in the storage; those of its budgets have its name first. */
  readonly #account: string;

  /** `createSession` is the way in. */
  constructor(grant: JsonObject, given: SessionOptions) {
    isJsonObject(grant, 'the grant');
    const options = checkedOptions(given);
    const read = readPolicyGrant(grant);
    if (read instanceof ArtifactProblem) throw new WalletError(`the grant cannot be used: ${read.message}`);
    const inner = member(grant, 'grant');
    this.grant = grant;
    const newId: () => unknown = options.newId ?? randomUUID;
    this.#newId = () => {
      const id = newId();
      isText(id, 'what newId gives');
      return id;
    };
    this.sessionId = options.sessionId ?? this.#newId();
    this.#options = options;
    this.#body = isObject(inner) ? inner : grant;
    this.#grantId = read.grantId;
    this.#policyHash = read.policyHash;
    this.#grantExpiresAtMs = read.expiresAtMs;
    this.#rails = read.allowedRails;
    this.#purposes = read.allowedPurposes;
    this.#lists = read;
    this.#key = keyOf(options);
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#storage = options.storage ?? new MemorySpendStorage();
    this.#account = JSON.stringify([read.grantId, this.sessionId]);
    if (this.#clock.wallMs() !== undefined) this.#checkExpiry(this.#now());
    const endpoint = options.revocationEndpoint ?? read.revocationEndpoint;
    if (endpoint !== undefined) {
      hasMethods('monotonicMs')(this.#clock, 'clock');
      this.#revocation = new RevocationCheck(endpoint, read.grantId, this.#clock, options.revocationTtl ?? 60_000);
    }
    this.#open(this.#account, amountOf(options.ceiling.amount, 'ceiling.amount'));
  }

  /** The grant it spends under. */
  get grantId(): string {
    return this.#grantId;
  }

  /** What the session may still authorize. */
  remaining(): { readonly remainingMinor: string } {
    return { remainingMinor: this.#remaining(this.#account).toString() };
  }

  /** @throws MpcpGrantRevokedError where the Policy Authority says so */
  async checkRevocation(): Promise<void> {
    await this.#revocation?.run();
  }

  /**
   * Signs a budget.
   *
   * @throws MpcpBudgetExceededError above what remains; MpcpGrantRevokedError; MpcpPurposeNotAllowedError; WalletError for a
   *   request it cannot serve
   */
  async createSba(request: SbaRequest): Promise<SignedEnvelope> {
    checkGiven(request, 'the budget asked for', SBA_CHECKS);
    const { purpose, asset, destination } = request;
    const amount = amountOf(request.amount, 'amount');
    const { currency } = this.#options.ceiling;
    if (request.currency !== undefined && request.currency !== currency)
      throw new WalletError(`the session counts in ${currency}`);
    const now = this.#now();
    this.#checkExpiry(now);
    const rail = request.rail ?? this.#rails[0];
    if (rail === undefined || !this.#rails.includes(rail))
      throw new WalletError(`the grant does not allow rail ${rail ?? 'none'}`);
    checkTerms(request, this.#lists, 'grant');
    if (purpose !== undefined && this.#purposes.length > 0 && !this.#purposes.includes(purpose))
      throw new MpcpPurposeNotAllowedError(purpose, this.#purposes);
    await this.checkRevocation();
    // Before anything is signed: a wallet that is killed has taken too much at worst.
    if (!this.#take(this.#account, amount)) throw new MpcpBudgetExceededError(amount, this.#remaining(this.#account));
    const budgetId = this.#newId();
    const destinations = destination === undefined ? member(this.#body, 'destinationAllowlist') : [destination];
    const assets = asset === undefined ? member(this.#body, 'allowedAssets') : [asset];
    const expiresAtMs = Math.min(now + (this.#options.sbaLifetimeMs ?? 3_600_000), this.#grantExpiresAtMs);
    this.#open(this.#budget(budgetId), amount);
    return signSba(
      {
        version: '1.0',
        budgetId,
        grantId: this.#grantId,
        sessionId: this.sessionId,
        actorId: this.#options.actorId,
        policyHash: this.#policyHash,
        currency,
        minorUnit: this.#options.minorUnit ?? 2,
        budgetScope: this.#options.scope,
        maxAmountMinor: amount.toString(),
        allowedRails: [rail],
        allowedAssets: assets ?? [],
        ...(destinations === undefined ? {} : { destinationAllowlist: destinations }),
        expiresAt: new Date(expiresAtMs).toISOString(),
      },
      { key: this.#key, issuer: this.#options.issuer },
    );
  }

  /**
   * Signs a payment under a budget of this session, and makes the settlement intent whose hash it carries.
   *
   * @throws MpcpBudgetExceededError above what the budget still covers; WalletError for a budget of another session, and for
   *   what grant or budget do not allow
   */
  createSpa(request: SpaRequest): SignedPayment {
    checkGiven(request, 'the payment asked for', SPA_CHECKS);
    const amount = amountOf(request.amount, 'amount');
    const read = readSessionBudget(request.sba);
    if (read instanceof ArtifactProblem) throw new WalletError(`sba cannot be used: ${read.message}`);
    const { budgetId } = read;
    const account = this.#budget(budgetId);
    if (this.#storage.account(account) === undefined)
      throw new WalletError(`sba is budget ${budgetId}, which is not of this session`);
    const [rail] = read.allowedRails;
    if (rail === undefined) throw new WalletError('sba cannot be used: it allows no rail');
    checkTerms(request, this.#lists, 'grant');
    checkTerms(request, read, 'budget');
    const now = new Date(this.#now()).toISOString();
    if (!this.#take(account, amount)) throw new MpcpBudgetExceededError(amount, this.#remaining(account));
    const terms = {
      rail,
      ...(request.asset === undefined ? {} : { asset: request.asset as JsonValue }),
      amount: amount.toString(),
      ...(request.destination === undefined ? {} : { destination: request.destination }),
    };
    const reference = request.referenceId === undefined ? {} : { referenceId: request.referenceId };
    const settlementIntent = { version: '1.0', ...terms, ...reference, createdAt: now };
    const spa = signSpa(
      {
        version: '1.0',
        decisionId: this.#newId(),
        sessionId: this.sessionId,
        policyHash: this.#policyHash,
        budgetId,
        quoteId: this.#newId(),
        ...terms,
        intentHash: intentHash(settlementIntent),
        nonce: this.#newId(),
        expiresAt: new Date(read.expiresAtMs).toISOString(),
      },
      { key: this.#key, issuer: this.#options.issuer },
    );
    return { spa, settlementIntent };
  }

  /** Signs a whole payment: its own budget, the payment, and what goes to the terminal. Errors as the two above. */
  async createPayment(request: PaymentTerms): Promise<WalletPresentation> {
    checkGiven(request, 'the payment asked for', PAYMENT_CHECKS);
    const { amount, ceiling = amount, currency, purpose, rail, idempotencyKey, ...terms } = request;
    // Before a budget is taken for it.
    const [most, asked] = [amountOf(ceiling, 'ceiling'), amountOf(amount, 'amount')];
    if (asked > most) throw new MpcpBudgetExceededError(asked, most);
    const { referenceId: _, ...where } = terms;
    const sba = await this.createSba({
      ...where,
      amount: ceiling,
      ...(currency === undefined ? {} : { currency }),
      ...(rail === undefined ? {} : { rail }),
      ...(purpose === undefined ? {} : { purpose }),
    });
    const payment = this.createSpa({ ...terms, amount, sba });
    return { grant: this.grant, sba, ...payment, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
  }

  /** The account of a budget. */
  #budget(budgetId: string): string {
    return `${this.#account}${JSON.stringify([budgetId])}`;
  }

  #open(account: string, limit: bigint): void {
    // Programs without types put a storage here whose methods are asynchronous.
    if ((this.#storage.open(account, limit) as unknown) instanceof Promise)
      throw new WalletError('the spend storage does not open accounts at once: open gives a promise');
  }

  /** A promise is as good as yes to an `if`. */
  #take(account: string, amount: bigint): boolean {
    const taken: unknown = this.#storage.take(account, amount);
    if (typeof taken !== 'boolean')
      throw new WalletError(
        'the spend storage does not say at once whether an amount was taken: take gives true or false',
      );
    return taken;
  }

  #remaining(account: string): bigint {
    const { limit, taken }: Partial<SpendAccount> = this.#storage.account(account) ?? {};
    if (typeof limit !== 'bigint' || typeof taken !== 'bigint')
      throw new WalletError('the spend storage does not say at once what was taken: account gives limit and taken');
    return limit > taken ? limit - taken : 0n;
  }

  #now(): number {
    const now = this.#clock.wallMs();
    if (now === undefined) throw new WalletError('the clock is not set');
    if (typeof now !== 'number' || Number.isNaN(new Date(now).getTime()))
      throw new WalletError('clock.wallMs gives no time in milliseconds');
    return now;
  }

  #checkExpiry(now: number): void {
    if (this.#grantExpiresAtMs <= now) throw new WalletError(`grant ${this.#grantId} is expired`);
  }
}

/** Of what a grant or a budget lists nothing else is signed: the merchant that asks for it would find out first. */
function checkTerms(
  { asset, destination }: Terms,
  { allowedAssets, destinationAllowlist }: Lists,
  what: 'grant' | 'budget',
): void {
  if (asset !== undefined && allowedAssets.length > 0 && !allowedAssets.includes(canonicalText(asset)))
    throw new WalletError(`the ${what} does not allow the asset ${canonicalText(asset)}`);
  if (destination !== undefined && destinationAllowlist.length > 0 && !destinationAllowlist.includes(destination))
    throw new WalletError(`the ${what} does not allow payments to ${destination}`);
}
