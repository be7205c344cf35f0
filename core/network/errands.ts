// What a device does over its network when nobody pays: asks the core what is next, and does it, one thing at a time. Trust Bundles
// come first, then what was accepted is handed in. While a payment is under way nothing is begun, and nothing that arrives is taken.

import { ANSWER_LIMITS, HAND_IN_MS, HAND_IN_PACE_MS, HAND_IN_STOPPED_MS } from '../limits.ts';
import type { Provisioning } from '../provisioning/provisioning.ts';
import type { BundleFetch, FetchResult, HeaderOf } from '../refresh/bundle-fetch.ts';
import { asksForRefresh, type BundleRefresh, REFRESH_HEADER, type RefreshStep } from '../refresh/bundle-refresh.ts';
import {
  receiptsPath,
  type UploadBatch,
  type Uploader,
  type UploadResult,
  type UploadStep,
} from '../refresh/upload.ts';
import { type HttpFailure, type HttpTransport, type Server, serverOf } from './http-client.ts';
import { askSmall } from './small-answer.ts';

/** Where to hand in. */
export interface HandInOrder {
  readonly server: Server;
  readonly path: string;
  readonly apiKey: string;
  /** For one batch, in milliseconds. Default `HAND_IN_MS`. */
  readonly timeoutMs?: number;
}

/** Who sets the clock over the network. */
export interface TimeSource {
  /** Whether somebody is being asked. */
  readonly busy: boolean;
  /** Whether the clock is to be set again before a server is asked. */
  readonly doubtful: boolean;
  /** A server could not be reached: a wrong clock may be why. */
  doubt(): void;
  /** Has the clock set. @param done is called once, with why it is not set, or with undefined */
  ask(done: (problem: string | undefined) => void): void;
  /** Gives up: the link is gone. */
  abort(detail: string): void;
}

/** What errands are made of. */
export interface ErrandsParts {
  readonly refresh: BundleRefresh;
  readonly authority: Server;
  /** Left out: accepted payments stay in the journal. */
  readonly handIn?: { readonly uploader: Uploader; readonly order: HandInOrder };
  readonly client: HttpTransport;
  readonly time: TimeSource;
  readonly clock: { monotonicMs(): number; wallMs(): number | undefined };
  readonly linkUp: () => boolean;
  /** Whether there is a network to be brought up at all. */
  readonly hasLink: boolean;
}

/** Is told, once, what came of a request for bundles, or why there was none; undefined where there is more to do first. */
export type RefreshDone = (result: FetchResult | undefined) => void;

/** Is told, once, what came of a batch; `failure` where no whole answer came. */
export type HandInDone = (result: UploadResult, failure?: HttpFailure) => void;

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

  /** Messages that say so may have been missed. */
  missed(): void {
    this.#parts.refresh.missed(this.#parts.clock.monotonicMs());
  }

  /** Every second: begins what is due. */
  step(): void {
    const { client, time, clock, linkUp } = this.#parts;
    if (client.busy || time.busy) return;
    const { kind } = this.refresh();
    const isFree = kind === 'wait' && !this.#isBusy && linkUp() && clock.wallMs() !== undefined;
    if (isFree && clock.monotonicMs() >= this.#handInAtMs) this.handIn();
  }

  /** Begins what a refresh needs next, where one is due. Nothing else may be under way. @returns which that is */
  refresh(done: RefreshDone = nobody): RefreshStep {
    const { refresh, time, clock, linkUp, hasLink } = this.#parts;
    const nowMs = clock.monotonicMs();
    const clockSet = clock.wallMs() !== undefined && !time.doubtful;
    const step = refresh.next({ nowMs, linkUp: linkUp(), clockSet, busy: this.#isBusy });
    // A network that is provisioned brings itself up.
    if (step.kind === 'connect' && !hasLink) done(refresh.gaveUp(nowMs, 'no network is provisioned'));
    else if (step.kind === 'set-time')
      time.ask((problem) => done(problem === undefined ? undefined : refresh.gaveUp(clock.monotonicMs(), problem)));
    else if (step.kind === 'fetch') this.#fetch(step.fetch, done);
    return step;
  }

  /** Begins to hand in the next batch, where there is one. Nothing else may be under way. @returns what is next */
  handIn(done: HandInDone = nobody): UploadStep | undefined {
    const { handIn, clock } = this.#parts;
    if (handIn === undefined) return undefined;
    const now = clock.monotonicMs();
    const step = handIn.uploader.next(now);
    if (step.kind === 'send') this.#post(handIn.uploader, handIn.order, step.batch, done);
    else if (step.kind === 'wait') this.#handInAtMs = now + step.ms;
    else this.#handInAtMs = now + (step.kind === 'done' ? HAND_IN_PACE_MS : HAND_IN_STOPPED_MS);
    return step;
  }

  #fetch(fetch: BundleFetch, done: RefreshDone): void {
    const { client, authority, clock, time } = this.#parts;
    client.send(
      { server: authority, method: 'GET', ...fetch.order },
      {
        answered: (status, header) => {
          this.#flagged(header);
          return fetch.answered(clock.monotonicMs(), status, header, clock.wallMs());
        },
        take: (bytes) => fetch.take(clock.monotonicMs(), bytes),
        ended: () => done(fetch.ended(clock.monotonicMs())),
        failed: (failure, detail) => {
          if (failure === 'unreachable') time.doubt();
          done(fetch.failed(clock.monotonicMs(), failure, detail));
        },
      },
    );
  }

  #post(
    uploader: Uploader,
    { server, path, apiKey, timeoutMs = HAND_IN_MS }: HandInOrder,
    { body }: UploadBatch,
    done: HandInDone,
  ): void {
    const { client, clock } = this.#parts;
    const headers = {
      accept: 'application/json',
      'accept-encoding': 'identity',
      'content-type': 'application/json',
      authorization: `Bearer ${apiKey}`,
    };
    const order = { server, method: 'POST', path, headers, body, timeoutMs } as const;
    askSmall(client, { ...order, maxBytes: ANSWER_LIMITS.bytes }, (answer) => {
      if (answer.kind === 'failed') {
        done(uploader.unanswered(clock.monotonicMs(), answer.detail), answer.failure);
        return;
      }
      this.#flagged(answer.header);
      done(uploader.answered(clock.monotonicMs(), answer.status, answer.body));
    });
  }

  /** An answer may say that there are new bundles, whoever gives it. */
  #flagged(header: HeaderOf): void {
    if (asksForRefresh(header(REFRESH_HEADER))) this.urgent('http');
  }
}

function nobody(): void {}

/** Where a device hands in; undefined where its provisioning names nobody. */
export function handInOrder({ operator, deviceId }: Provisioning): HandInOrder | undefined {
  const server = operator === undefined ? undefined : serverOf(operator.url);
  if (operator === undefined || server === undefined) return undefined;
  const { certificate, apiKey } = operator;
  const known = certificate === undefined ? server : { ...server, certificate };
  return { server: known, path: receiptsPath(deviceId), apiKey };
}
