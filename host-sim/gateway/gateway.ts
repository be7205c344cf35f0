// A transparent gateway (Transparent Gateway Profile): whoever gives a budget configures a session, an agent sends its requests
// through it, and where a merchant answers 402 the gateway pays within the session and asks again. Inside it is a Policy
// Authority and a wallet session each; a merchant that knows MPCP finds the SBA in `X-Mpcp-Sba`.

import { randomBytes, randomUUID } from 'node:crypto';
import { type PolicyGrant, readPolicyGrant } from '../../core/artifacts/policy-grant.ts';
import { timeFrom } from '../../core/artifacts/time.ts';
import { verifySessionProof } from '../../core/gateway/session-proof.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { MemoryLedger } from '../../core/ledger/memory-ledger.ts';
import { HEADER_CHARACTERS } from '../../core/limits.ts';
import type { Clock, Crypto } from '../../core/ports/ports.ts';
import { Verifier } from '../../core/verifier.ts';
import { apiKeyHash } from '../http/bearer.ts';
import { Authority } from '../policy-authority/authority.ts';
import { AuthoritySigner } from '../policy-authority/signer.ts';
import { MemoryStorage } from '../policy-authority/storage.ts';
import { KeyError, publicKeyOfJwk, type SigningKey, type VerificationKey } from '../signing/keys.ts';
import { MpcpBudgetExceededError, MpcpPurposeNotAllowedError, WalletError } from '../wallet/errors.ts';
import { createSession, type WalletSession } from '../wallet/session.ts';
import { GrantAccount } from './grant-account.ts';
import { Problem } from './problem.ts';
import { readAtMost } from './read-at-most.ts';
import { type GatewayReceipt, signReceipt } from './receipts.ts';
import { type PaymentTerms, termsIn } from './terms.ts';

/** What a gateway is made of. */
export interface GatewayOptions {
  /** Who issues its grants and signs its SBAs: what sites list in `grantIssuers` and `sbaIssuers`. */
  readonly issuer: string;
  readonly grantKey: SigningKey;
  readonly sbaKey: SigningKey;
  readonly receiptKey: SigningKey;
  /** Its XRPL account: the actor of its SBAs, `authorizedGateway` of its grants. */
  readonly address: string;
  /** Whose grants it takes, besides making its own, and what they sign with. Default: nobody's. */
  readonly owners?: readonly { readonly issuer: string; readonly key: VerificationKey }[];
  /** Settles a payment and gives its reference: the transaction. In a simulation nothing moves. */
  readonly settle: (terms: PaymentTerms) => Promise<string>;
  readonly clock: Clock;
  readonly crypto: Crypto;
}

/** A session to open, its shape checked. */
export interface SessionRequest {
  readonly budget: { readonly amount: string; readonly currency: string };
  readonly purposes: readonly string[];
  readonly expiresAt: string;
  readonly label?: string;
  /** The session's Ed25519 key as JWK: requests must then be signed with it. */
  readonly sessionKey?: JsonObject;
  /** A grant of the budget's owner, under which the session spends. Left out, the gateway makes one. */
  readonly signedPolicyGrant?: JsonObject;
}

/** A request of an agent. */
export interface ProxyRequest {
  readonly target: URL;
  readonly method: string;
  readonly purpose: string | undefined;
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
  /** What proves that the agent has the session's key, and when it says it signed. */
  readonly proof: string | undefined;
  readonly ts: string | undefined;
}

/** What the merchant answered at last. */
export interface ProxyAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
}

/** An open session. */
interface Session {
  readonly sessionId: string;
  readonly tokenHash: string;
  readonly purposes: readonly string[];
  readonly currency: string;
  readonly budget: bigint;
  readonly expiresAtMs: number;
  readonly grantId: string;
  /** What the session spends under, and what was paid under it, by other sessions too. */
  readonly grant: PolicyGrant;
  readonly account: GrantAccount;
  readonly key: Uint8Array | undefined;
  readonly wallet: WalletSession;
  readonly receipts: GatewayReceipt[];
  /** Proofs that were taken, and the time they state: each is good once. */
  readonly proofs: Map<string, number>;
  revoked: boolean;
}

/** The currencies it pays in. What stands on the ledger as XRP counts in drops. */
const ASSETS: { readonly [currency: string]: { readonly asset: JsonObject; readonly minorUnit: number } } = {
  XRP: { asset: { kind: 'XRP' }, minorUnit: 6 },
};
/** The most a merchant may answer with, and how long it may take. */
const ANSWER_BYTES = 1_048_576;
const MERCHANT_MS = 10_000;
/** How far a proof's time may be from the gateway's. */
const SKEW_MS = 60_000;

/** See the head of the file. Every method may throw Problem. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #authority: Authority;
  readonly #sessions = new Map<string, Session>();
  /** Verifies the grants of others; undefined where none is taken. */
  readonly #owners: Verifier | undefined;
  /** What was paid under each grant; ids are an issuer's own. */
  readonly #accounts = new Map<string, GrantAccount>();

  /** @throws ConfigurationError where the owners cannot be told apart */
  constructor(options: GatewayOptions) {
    this.#options = options;
    const { issuer, grantKey, clock } = options;
    const signer = new AuthoritySigner({ issuer, grantKey, bundleKey: grantKey });
    this.#authority = new Authority(signer, new MemoryStorage(), clock);
    this.#owners = verifierOf(options);
  }

  /** Opens a session. @returns its id, and the token that is told this once */
  async openSession(request: SessionRequest): Promise<{ readonly sessionId: string; readonly sessionToken: string }> {
    const { budget, purposes, signedPolicyGrant } = request;
    const money = Object.hasOwn(ASSETS, budget.currency) ? ASSETS[budget.currency] : undefined;
    if (money === undefined)
      throw new Problem(
        400,
        'currency_not_supported',
        `${budget.currency} is none of ${Object.keys(ASSETS).join(', ')}, in which the gateway pays`,
      );
    const now = this.#now();
    const expiresAtMs = timeFrom(request.expiresAt);
    if (expiresAtMs === undefined || expiresAtMs <= now)
      throw new Problem(400, 'invalid_request', 'expiresAt is not an RFC 3339 time ahead');
    const key = request.sessionKey && keyIn(request.sessionKey);
    const grant =
      signedPolicyGrant === undefined ? await this.#ownGrant(request, money) : this.#accepted(signedPolicyGrant);
    const sessionId = randomUUID();
    const { address, sbaKey, issuer, clock } = this.#options;
    const wallet = await createSession(grant, {
      actorId: address,
      signingKey: sbaKey,
      issuer,
      scope: 'SESSION',
      sessionId,
      ceiling: budget,
      minorUnit: money.minorUnit,
      clock,
    }).catch(refusedByWallet);
    // The wallet would have refused what is none.
    const read = readPolicyGrant(grant) as PolicyGrant;
    const sessionToken = `gw_sess_${randomBytes(32).toString('base64url')}`;
    this.#sessions.set(sessionId, {
      sessionId,
      tokenHash: apiKeyHash(sessionToken),
      purposes,
      currency: budget.currency,
      budget: BigInt(budget.amount),
      expiresAtMs,
      grantId: wallet.grantId,
      grant: read,
      account: this.#accountOf(read),
      key,
      wallet,
      receipts: [],
      proofs: new Map(),
      revoked: false,
    });
    return { sessionId, sessionToken };
  }

  /** What is left of a session. */
  session(sessionId: string): JsonObject {
    const { wallet, budget, currency, revoked, grantId } = this.#session(sessionId);
    const { remainingMinor } = wallet.remaining();
    const allocatedMinor = (budget - BigInt(remainingMinor)).toString();
    return { sessionId, grantId, currency, budgetMinor: budget.toString(), allocatedMinor, remainingMinor, revoked };
  }

  /** Ends a session: no payment begins after it. */
  revoke(sessionId: string): void {
    this.#session(sessionId).revoked = true;
  }

  /** The receipts of a session, oldest first. */
  receipts(sessionId: string): readonly GatewayReceipt[] {
    return this.#session(sessionId).receipts;
  }

  /** Sends an agent's request to its target, and pays where that answers 402. */
  async proxy(tokenHash: string, request: ProxyRequest): Promise<ProxyAnswer> {
    const session = [...this.#sessions.values()].find((one) => one.tokenHash === tokenHash);
    if (session === undefined) throw new Problem(401, 'unauthorized', 'the session token is not known');
    this.#checkProof(session, request);
    this.#checkAlive(session);
    const { purpose } = request;
    if (purpose !== undefined) checkPurpose(session, purpose);
    const first = await sent(request, {});
    const terms = first.status === 402 ? first.terms : undefined;
    if (terms === undefined) return first;
    if (terms instanceof Error) throw new Problem(502, 'payment_terms_invalid', terms.message);
    if (terms.currency !== session.currency)
      throw new Problem(
        502,
        'payment_terms_invalid',
        `the merchant wants ${terms.currency}, the session has ${session.currency}`,
      );
    if (purpose === undefined)
      throw new Problem(
        403,
        'purpose_not_allowed',
        'the merchant wants to be paid, and X-Mpcp-Purpose says not what for',
      );
    // It may have ended while the merchant answered.
    this.#checkAlive(session);
    return this.#paid(session, request, purpose, terms);
  }

  async #paid(session: Session, request: ProxyRequest, purpose: string, terms: PaymentTerms): Promise<ProxyAnswer> {
    const { asset } = ASSETS[terms.currency] as { readonly asset: JsonObject };
    const { amount, currency, address } = terms;
    const giveBack = session.account.take(session.grant, BigInt(amount), this.#now());
    const sba = await session.wallet
      .createSba({ amount, currency, purpose, rail: 'xrpl', asset, destination: address })
      .catch((error: unknown) => {
        giveBack();
        refusedByWallet(error);
      });
    // It may have ended while the grant's issuer was asked. What was signed for it counts.
    this.#checkAlive(session);
    const txRef = await this.#options.settle(terms);
    session.receipts.push(
      signReceipt(
        {
          receiptId: `rcpt_${randomUUID()}`,
          sessionId: session.sessionId,
          purpose,
          amount: { amountMinor: amount, currency },
          merchant: request.target.href,
          paidAt: new Date(this.#now()).toISOString(),
          txRef,
          sba,
        },
        this.#options.receiptKey,
      ),
    );
    // With its grant, where the merchant verifies alone; a bare SBA where its header would not hold both.
    const passed = [{ grant: session.wallet.grant, sba }, sba].map((value) => base64(value));
    const header = passed.find((text) => text.length <= HEADER_CHARACTERS) as string;
    return sent(request, { 'x-payment-receipt': txRef, 'x-mpcp-sba': header });
  }

  async #ownGrant(request: SessionRequest, money: { readonly asset: JsonObject }): Promise<JsonObject> {
    const { sessionKey: _, signedPolicyGrant: __, ...policy } = request;
    const { policyHash } = await this.#authority.storePolicy(policy as unknown as JsonObject);
    return this.#authority.issueGrant({
      policyHash,
      allowedRails: ['xrpl'],
      allowedAssets: [money.asset],
      allowedPurposes: [...request.purposes],
      authorizedGateway: this.#options.address,
      velocityLimit: { maxPayments: 1000, windowSeconds: 3600 },
      budgetMinor: request.budget.amount,
      expiresAt: request.expiresAt,
    });
  }

  /** A grant that somebody else signed, verified as a device would. */
  #accepted(grant: JsonObject): JsonObject {
    if (this.#owners === undefined)
      throw new Problem(403, 'grant_not_accepted', 'the gateway takes no grants of others');
    const verdict = this.#owners.checkGrant(new TextEncoder().encode(JSON.stringify(grant)));
    if (!verdict.ok) throw new Problem(403, 'grant_not_accepted', `${verdict.code}: ${verdict.detail}`);
    const { authorizedGateway } = readPolicyGrant(grant) as PolicyGrant;
    if (authorizedGateway !== undefined && authorizedGateway !== this.#options.address)
      throw new Problem(
        403,
        'grant_not_accepted',
        `GATEWAY_NOT_AUTHORIZED: the grant's gateway is ${authorizedGateway}`,
      );
    return grant;
  }

  #accountOf({ issuer, grantId }: PolicyGrant): GrantAccount {
    const name = JSON.stringify([issuer ?? null, grantId]);
    const account = this.#accounts.get(name) ?? new GrantAccount();
    this.#accounts.set(name, account);
    return account;
  }

  #checkProof({ key, sessionId, proofs }: Session, { method, proof, ts, body }: ProxyRequest): void {
    if (key === undefined) return;
    const now = this.#now();
    if (proof === undefined || ts === undefined)
      throw new Problem(
        401,
        'session_proof_invalid',
        'the session has a key: X-Mpcp-Session-Proof and X-Mpcp-Session-Ts are needed',
      );
    const signed = { sessionId, method, path: '/proxy', body, ts, proof, publicKey: key };
    const verdict = verifySessionProof(this.#options.crypto, signed, now, SKEW_MS);
    if (!verdict.ok)
      throw new Problem(
        401,
        verdict.code === 'SESSION_PROOF_STALE' ? 'session_proof_stale' : 'session_proof_invalid',
        verdict.detail,
      );
    for (const [taken, statedMs] of proofs) if (statedMs < now - SKEW_MS) proofs.delete(taken);
    // By what it signs, not by how it is written: base64 has more than one way.
    const said = JSON.stringify([ts, apiKeyHash(Buffer.from(body).toString('base64'))]);
    if (proofs.has(said)) throw new Problem(401, 'session_proof_invalid', 'the proof was taken before');
    proofs.set(said, timeFrom(ts) ?? now);
  }

  #checkAlive({ revoked, grantId, expiresAtMs }: Session): void {
    if (revoked) throw new Problem(403, 'grant_revoked', `the session is revoked, and with it grant ${grantId}`);
    if (expiresAtMs <= this.#now()) throw new Problem(403, 'session_expired', 'the session is expired');
  }

  #session(sessionId: string): Session {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) throw new Problem(404, 'not_found', `there is no session ${sessionId}`);
    return session;
  }

  #now(): number {
    const now = this.#options.clock.wallMs();
    if (now === undefined) throw new Problem(503, 'invalid_request', 'the clock is not set');
    return now;
  }
}

function verifierOf({ owners = [], clock, crypto }: GatewayOptions): Verifier | undefined {
  if (owners.length === 0) return undefined;
  const configuration = {
    grantIssuers: owners.map(({ issuer }) => issuer),
    sbaIssuers: {},
    pinnedKeys: owners.map(({ issuer, key }) => ({ role: 'policyGrant', issuer, ...key }) as const),
  };
  return new Verifier({ configuration, crypto, clock, ledger: new MemoryLedger(crypto), earliestMs: 0 });
}

/** Sends a request once. @throws Problem where no answer comes, or too much of one */
async function sent(
  { target, method, contentType, body }: ProxyRequest,
  more: Readonly<Record<string, string>>,
): Promise<ProxyAnswer & { readonly terms: PaymentTerms | Error | undefined }> {
  const headers = { ...(contentType === undefined ? {} : { 'content-type': contentType }), ...more };
  const payload = body.length === 0 ? {} : { body: Uint8Array.from(body) };
  const signal = AbortSignal.timeout(MERCHANT_MS);
  try {
    const response = await fetch(target, { method, headers, redirect: 'manual', signal, ...payload });
    const bytes = await readAtMost(response, ANSWER_BYTES);
    if (bytes === undefined) throw new Error(`its answer has more than ${ANSWER_BYTES} bytes`);
    if (response.status > 599) throw new Error(`its answer has the status ${response.status}, which there is none of`);
    return {
      status: response.status,
      contentType: response.headers.get('content-type') ?? undefined,
      body: bytes,
      terms: termsIn(response.headers.get('x-payment')),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Problem(502, 'merchant_unreachable', `${target.host}: ${reason}`);
  }
}

function checkPurpose({ purposes }: Session, purpose: string): void {
  if (!purposes.includes(purpose))
    throw new Problem(403, 'purpose_not_allowed', `the session allows ${purposes.join(', ')}, not ${purpose}`);
}

/** What the wallet does not sign, as an answer. */
function refusedByWallet(error: unknown): never {
  if (error instanceof MpcpBudgetExceededError) {
    const { requestedMinor, remainingMinor } = error;
    throw new Problem(402, 'budget_exceeded', error.message, { requestedMinor, remainingMinor });
  }
  if (error instanceof MpcpPurposeNotAllowedError) throw new Problem(403, 'purpose_not_allowed', error.message);
  if (error instanceof WalletError) throw new Problem(400, 'invalid_request', error.message);
  throw error;
}

function keyIn(jwk: JsonObject): Uint8Array {
  try {
    const { publicKey, isPrivate } = publicKeyOfJwk(jwk);
    if (isPrivate)
      throw new Problem(400, 'invalid_request', 'sessionKey is a private key; only its public half is to be sent');
    return publicKey;
  } catch (error) {
    if (error instanceof KeyError) throw new Problem(400, 'invalid_request', `sessionKey: ${error.message}`);
    throw error;
  }
}

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}
