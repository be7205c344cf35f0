// A device's network link, which can be switched off: requests then fail at once, and those under way are broken off.

import { type KnownServer, tlsFetch } from './tls-fetch.ts';

/** What a request over a link that is down fails with. */
export class LinkDownError extends Error {
  override name = 'LinkDownError';
}

/** Why nothing came over a link. */
export interface LinkFailure {
  readonly failure: 'link-down' | 'unreachable' | 'timeout';
  readonly detail: string;
}

/** What it means that a request, or reading its answer, threw. @param whom who was asked */
export function linkFailure(error: unknown, whom: string, timeoutMs: number): LinkFailure {
  if (error instanceof LinkDownError) return { failure: 'link-down', detail: error.message };
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return { failure: 'timeout', detail: `no whole answer within ${timeoutMs} ms` };
  return { failure: 'unreachable', detail: `${whom} cannot be reached: ${cause?.code ?? cause?.message ?? message}` };
}

/** What is asked for: a GET, where it does not say otherwise. */
export interface LinkRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array;
  /** For a whole answer. */
  readonly timeoutMs: number;
  /** Is given what breaks the request off before it is over. */
  readonly givenUp?: (breakOff: () => void) => void;
  /** Whom a server under TLS must be. */
  readonly known?: KnownServer | undefined;
}

/** What arrives for an answer; a `Response` is one. */
export interface LinkAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: (AsyncIterable<Uint8Array> & { cancel(): Promise<void> }) | null;
}

const NOBODY: KnownServer = Object.freeze({ certificate: undefined, nowMs: undefined });

/** See the head of the file. Up at first. */
export class Link {
  #up = true;
  #losesAnswer = false;
  #abort = new AbortController();

  get up(): boolean {
    return this.#up;
  }

  /** Brings the link up, or takes it down. */
  set(up: boolean): void {
    if (this.#up && !up) {
      this.#abort.abort(new LinkDownError('the link went down'));
      this.#abort = new AbortController();
    }
    this.#up = up;
  }

  /** The next request arrives, and the link goes down before its answer does. */
  loseNextAnswer(): void {
    this.#losesAnswer = true;
  }

  /** `fetch` over the link; redirects are answers like others. @throws LinkDownError, or whatever fetch throws */
  async fetch(url: URL, init: LinkRequest): Promise<LinkAnswer> {
    if (!this.#up) throw new LinkDownError('the link is down');
    const { known = NOBODY, timeoutMs, givenUp, ...request } = init;
    const ending = new AbortController();
    givenUp?.(() => ending.abort());
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), ending.signal, this.#abort.signal]);
    // A device asks every few hours, so it keeps no connection; and it is not sent to anybody but its own authority.
    const sent = { ...request, headers: { ...init.headers, connection: 'close' }, signal };
    const response =
      url.protocol === 'https:' ? await tlsFetch(url, sent, known) : await fetch(url, { ...sent, redirect: 'manual' });
    if (!this.#losesAnswer) return response as LinkAnswer;
    this.#losesAnswer = false;
    this.set(false);
    throw new LinkDownError('the link went down before the answer came');
  }
}
