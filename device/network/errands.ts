// What a device does over its network when nobody pays: asks the core what is next, and does it, one thing at a time. Trust Bundles
// come first, then what was accepted is handed in. While a payment is under way nothing is begun, and nothing that arrives is taken.

import { ANSWER_LIMITS } from '../../core/limits.ts';
import type { Log } from '../../core/ports/ports.ts';
import type { BundleFetch, HeaderOf } from '../../core/refresh/bundle-fetch.ts';
import { asksForRefresh, type BundleRefresh, REFRESH_HEADER } from '../../core/refresh/bundle-refresh.ts';
import type { UploadBatch, Uploader } from '../../core/refresh/upload.ts';
import type { HttpFailure, HttpsClient, Server } from './https.ts';
import { askSmall } from './small-answer.ts';
import type { NetworkTime } from './time.ts';

/** For one batch that is handed in, in milliseconds. */
const HAND_IN_MS = 30_000;
/** Until the journal is looked at again: after everything was handed in, and where it gives nothing out. */
const PACE_MS = 10_000;
const STOPPED_MS = 300_000;

/** Where to hand in. */
export interface HandInOrder {
  readonly server: Server;
  readonly path: string;
  readonly apiKey: string;
}

/** What errands are made of. */
export interface ErrandsParts {
  readonly refresh: BundleRefresh;
  readonly authority: Server;
  /** Left out: accepted payments stay in the journal. */
  readonly handIn?: { readonly uploader: Uploader; readonly order: HandInOrder };
  readonly client: HttpsClient;
  readonly time: Pick<NetworkTime, 'ask' | 'busy' | 'abort' | 'doubt' | 'doubtful'>;
  readonly clock: { monotonicMs(): number; wallMs(): number | undefined };
  readonly linkUp: () => boolean;
  /** Whether there is a network to be brought up at all. */
  readonly hasLink: boolean;
  readonly log: Log;
}

/** See the head of the file. */
export class Errands {
  readonly #parts: ErrandsParts;
  #isBusy = false;
  #handInAtMs = 0;

  constructor(parts: ErrandsParts) {
    this.#parts = parts;
  }

  /** A payer presents something, or has been answered: in between a fetch waits where it is. */
  attend(busy: boolean): void {
    this.#isBusy = busy;
    if (busy) this.#parts.client.pause();
    else this.#parts.client.resume();
  }

  /** The network came, or went: what is under way over it is over. */
  linkChanged(up: boolean): void {
    const { client, time, handIn } = this.#parts;
    if (up) {
      handIn?.uploader.hurry();
      this.#handInAtMs = 0;
    } else {
      client.abort('link-down', 'the link went down');
      time.abort('the link went down');
    }
  }

  /** Something says that there are new bundles. @returns whether it is believed */
  urgent(reason: string): boolean {
    return this.#parts.refresh.urgent(this.#parts.clock.monotonicMs(), reason);
  }

  /** Every second: begins what is due. */
  step(): void {
    const { refresh, client, time, clock, linkUp } = this.#parts;
    if (client.busy || time.busy) return;
    const clockSet = clock.wallMs() !== undefined && !time.doubtful;
    const step = refresh.next({ nowMs: clock.monotonicMs(), linkUp: linkUp(), clockSet, busy: this.#isBusy });
    switch (step.kind) {
      case 'connect':
        // A Wi-Fi that is provisioned brings itself up.
        if (!this.#parts.hasLink) refresh.gaveUp(clock.monotonicMs(), 'no network is provisioned');
        break;
      case 'set-time':
        time.ask((problem) => {
          if (problem !== undefined) refresh.gaveUp(clock.monotonicMs(), problem);
        });
        break;
      case 'fetch':
        this.#fetch(step.fetch);
        break;
      default:
        if (!this.#isBusy && linkUp() && clock.wallMs() !== undefined) this.#handIn();
    }
  }

  #fetch(fetch: BundleFetch): void {
    const { client, authority, clock, time } = this.#parts;
    const { path, headers, timeoutMs, maxBytes } = fetch.order;
    client.send(
      { server: authority, method: 'GET', path, headers, timeoutMs, maxBytes },
      {
        answered: (status, header) => {
          this.#flagged(header);
          return fetch.answered(clock.monotonicMs(), status, header, clock.wallMs());
        },
        take: (bytes) => fetch.take(clock.monotonicMs(), bytes),
        ended: () => void fetch.ended(clock.monotonicMs()),
        failed: (failure, detail) => {
          if (failure === 'unreachable') time.doubt();
          fetch.failed(clock.monotonicMs(), networkFailure(failure), detail);
        },
      },
    );
  }

  #handIn(): void {
    const { handIn, clock } = this.#parts;
    const now = clock.monotonicMs();
    if (handIn === undefined || now < this.#handInAtMs) return;
    const step = handIn.uploader.next(now);
    if (step.kind === 'send') this.#post(handIn.uploader, handIn.order, step.batch);
    else this.#handInAtMs = now + (step.kind === 'wait' ? step.ms : step.kind === 'done' ? PACE_MS : STOPPED_MS);
  }

  #post(uploader: Uploader, { server, path, apiKey }: HandInOrder, { body }: UploadBatch): void {
    const { client, clock } = this.#parts;
    const headers = {
      accept: 'application/json',
      'accept-encoding': 'identity',
      'content-type': 'application/json',
      authorization: `Bearer ${apiKey}`,
    };
    const order = { server, method: 'POST', path, headers, body, timeoutMs: HAND_IN_MS } as const;
    askSmall(client, { ...order, maxBytes: ANSWER_LIMITS.bytes }, (answer) => {
      if (answer.kind === 'failed') {
        uploader.unanswered(clock.monotonicMs(), answer.detail);
        return;
      }
      this.#flagged(answer.header);
      uploader.answered(clock.monotonicMs(), answer.status, answer.body);
    });
  }

  /** An answer may say that there are new bundles, whoever gives it. */
  #flagged(header: HeaderOf): void {
    if (asksForRefresh(header(REFRESH_HEADER))) this.urgent('http');
  }
}

/** As the core calls it: what is too large it finds out itself. */
function networkFailure(failure: HttpFailure): 'link-down' | 'unreachable' | 'timeout' {
  return failure === 'too-large' ? 'unreachable' : failure;
}
