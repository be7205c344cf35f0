// Asking a Policy Authority whether a grant was revoked, and remembering the answer for a while. An authority that cannot
// be reached revokes nothing: a vehicle has to pay where there is no network.

import type { Clock } from '../../core/ports/ports.ts';
import { MpcpGrantRevokedError, WalletError } from './errors.ts';

const TIMEOUT_MS = 3_000;

/** Asks `endpoint?grantId=`, at most once per `ttlMs` of the clock. */
export class RevocationCheck {
  readonly #url: URL;
  readonly #grantId: string;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  #goodUntilMs: number | undefined;
  /** What the authority has said once. Nobody takes it back, so that losing the network after it changes nothing. */
  #revoked: MpcpGrantRevokedError | undefined;

  /** @throws WalletError where `endpoint` is no http or https address: it could not be asked, ever */
  constructor(endpoint: string, grantId: string, clock: Clock, ttlMs: number) {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol))
      throw new WalletError(`the revocationEndpoint ${endpoint} is not an http or https address`);
    url.searchParams.set('grantId', grantId);
    this.#url = url;
    this.#grantId = grantId;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  /** @throws MpcpGrantRevokedError where the authority says so */
  async run(): Promise<void> {
    if (this.#revoked !== undefined) throw this.#revoked;
    const now = this.#clock.monotonicMs();
    if (this.#goodUntilMs !== undefined && now < this.#goodUntilMs) return;
    const answer = await this.#ask();
    if (answer === undefined) return;
    if (answer.revoked) {
      this.#revoked = new MpcpGrantRevokedError(this.#grantId, answer.revokedAt);
      throw this.#revoked;
    }
    this.#goodUntilMs = now + this.#ttlMs;
  }

  async #ask(): Promise<{ readonly revoked: boolean; readonly revokedAt: string | undefined } | undefined> {
    try {
      const response = await fetch(this.#url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!response.ok) return undefined;
      const body = (await response.json()) as { revoked?: unknown; revokedAt?: unknown } | null;
      const revokedAt = typeof body?.revokedAt === 'string' ? body.revokedAt : undefined;
      return { revoked: body?.revoked === true, revokedAt };
    } catch {
      return undefined;
    }
  }
}
