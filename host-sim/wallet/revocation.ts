// Asking a Policy Authority whether a grant was revoked, and remembering the answer for a while. An authority that cannot
// be reached revokes nothing: a vehicle has to pay where there is no network.

import type { Clock } from '../../core/ports/ports.ts';
import { MpcpGrantRevokedError } from './errors.ts';

const TIMEOUT_MS = 3_000;

/** Asks `endpoint?grantId=`, at most once per `ttlMs` of the clock. */
export class RevocationCheck {
  readonly #endpoint: string;
  readonly #grantId: string;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  #goodUntilMs: number | undefined;

  constructor(endpoint: string, grantId: string, clock: Clock, ttlMs: number) {
    this.#endpoint = endpoint;
    this.#grantId = grantId;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  /** @throws MpcpGrantRevokedError where the authority says so */
  async run(): Promise<void> {
    const now = this.#clock.monotonicMs();
    if (this.#goodUntilMs !== undefined && now < this.#goodUntilMs) return;
    const answer = await this.#ask();
    if (answer === undefined) return;
    if (answer.revoked) throw new MpcpGrantRevokedError(this.#grantId, answer.revokedAt);
    this.#goodUntilMs = now + this.#ttlMs;
  }

  async #ask(): Promise<{ readonly revoked: boolean; readonly revokedAt: string | undefined } | undefined> {
    const url = new URL(this.#endpoint);
    url.searchParams.set('grantId', this.#grantId);
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!response.ok) return undefined;
      const body = (await response.json()) as { revoked?: unknown; revokedAt?: unknown } | null;
      const revokedAt = typeof body?.revokedAt === 'string' ? body.revokedAt : undefined;
      return { revoked: body?.revoked === true, revokedAt };
    } catch {
      return undefined;
    }
  }
}
