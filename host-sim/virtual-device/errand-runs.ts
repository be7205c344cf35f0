// What a virtual charger's errands come to, whoever asks for them: the core begins what is next until there is nothing more to do, or
// something has failed. One thing goes over the network at a time, as in the firmware.

import type { HttpFailure } from '../../core/network/http-client.ts';
import type { FetchFailure, FetchResult } from '../../core/refresh/bundle-fetch.ts';
import type { RefreshStep } from '../../core/refresh/bundle-refresh.ts';
import type { UploadFailure, UploadStep } from '../../core/refresh/upload.ts';
import type { Link, LinkFailure } from './link.ts';
import type { LinkClient } from './link-client.ts';

/** A refresh that has brought bundles. */
type Fetched = Extract<FetchResult, { readonly kind: 'fetched' }>;

/** What a request for bundles came to. A device in another process does not say what became of each bundle. */
export type Requested<Brought = Fetched> = Exclude<FetchResult, Fetched> | Brought;

/** What a refresh came to. `admissions` holds refusals too: a set is admitted bundle by bundle. */
export type Refresh<Brought = Fetched> =
  | Brought
  | Exclude<FetchResult, { readonly kind: 'fetched' | 'failed' }>
  | { readonly kind: 'failed'; readonly failure: FetchFailure | 'power-cut'; readonly detail: string }
  /** Nothing is due for so long, in milliseconds. */
  | { readonly kind: 'waiting'; readonly ms: number }
  /** A payment is under way. */
  | { readonly kind: 'busy' };

/** Why something is not handed in. */
export type HandInFailure = UploadFailure | LinkFailure['failure'] | 'answer-too-large' | 'journal' | 'power-cut';

/** What a hand-in came to. `receipts` are those that were acknowledged by it. */
export type HandIn =
  /** The backend has everything. */
  | { readonly kind: 'done'; readonly receipts: number; readonly batches: number }
  /** It failed before; the next attempt may be made in so many milliseconds. */
  | { readonly kind: 'waiting'; readonly ms: number }
  | { readonly kind: 'failed'; readonly failure: HandInFailure; readonly detail: string; readonly receipts: number };

/** What came of a batch, as far as anybody here looks at it. */
export type HandedIn =
  | { readonly ok: true; readonly receipts: number }
  | { readonly ok: false; readonly receipts: number; readonly failure: UploadFailure; readonly detail: string };

/** A refresh's step, without what a device keeps to itself. */
export type RefreshBegun =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: Exclude<RefreshStep['kind'], 'wait'> };

/** A hand-in's step, in the same way. */
export type HandInBegun =
  | { readonly kind: 'send' | 'done' }
  | Extract<UploadStep, { readonly kind: 'wait' }>
  | { readonly kind: 'stopped'; readonly detail: string };

/** Begins the errands of a start, as the core's `Errands` do: here, or in another process. */
export interface BegunErrands<Brought = Fetched> {
  /** As the core's; where there is no link, and nobody brings it up, it says so. */
  refresh(done: (result: Requested<Brought> | undefined) => void): RefreshBegun;
  handIn(done: (result: HandedIn, network?: HttpFailure) => void): HandInBegun | undefined;
}

/** What runs are made of. They belong to one start of a device. */
export interface ErrandRunsParts<Brought> {
  readonly errands: BegunErrands<Brought>;
  readonly client: LinkClient;
  readonly link: Link;
  /** Whether that start still has power. */
  readonly isOn: () => boolean;
}

const POWER_CUT = Object.freeze({ failure: 'power-cut', detail: 'the power was cut meanwhile' });

/** See the head of the file. */
export class ErrandRuns<Brought extends { readonly kind: 'fetched' } = Fetched> {
  readonly #parts: ErrandRunsParts<Brought>;
  #refreshing: Promise<Refresh<Brought>> | undefined;
  #handingIn: Promise<HandIn> | undefined;
  /** Is over when what was begun last is. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: ErrandRunsParts<Brought>) {
    this.#parts = parts;
  }

  /**
   * Fetches bundles where that is due. One at a time; a second call gets the first one's result.
   *
   * @param begin is called before a first one
   */
  refresh(begin: () => void = () => undefined): Promise<Refresh<Brought>> {
    if (this.#refreshing === undefined) {
      begin();
      this.#refreshing = this.#inTurn(() => this.#refresh()).finally(() => {
        this.#refreshing = undefined;
      });
    }
    return this.#refreshing;
  }

  /** Hands in until everything is acknowledged or something fails. One at a time, in the same way. */
  handIn(): Promise<HandIn> {
    this.#handingIn ??= this.#inTurn(() => this.#handIn()).finally(() => {
      this.#handingIn = undefined;
    });
    return this.#handingIn;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #refresh(): Promise<Refresh<Brought>> {
    const { errands, client, isOn } = this.#parts;
    for (;;) {
      if (!isOn()) return { kind: 'failed', ...POWER_CUT };
      let step: RefreshBegun = { kind: 'nothing' };
      const result = await client.during<Requested<Brought> | undefined>((done) => {
        step = errands.refresh(done);
        if (step.kind !== 'fetch' && step.kind !== 'set-time') done(undefined);
      });
      const { kind, ms } = step as RefreshBegun & { readonly ms: number };
      if (kind === 'wait') return { kind: 'waiting', ms };
      if (kind === 'nothing') return { kind: 'busy' };
      if (result !== undefined && isOn()) return result;
    }
  }

  async #handIn(): Promise<HandIn> {
    const { errands, client, link, isOn } = this.#parts;
    let receipts = 0;
    let batches = 0;
    let failure: { readonly failure: HandInFailure; readonly detail: string } | undefined;
    // A link that is known to be down is no attempt: nothing has to wait longer for it.
    if (!link.up) return { kind: 'failed', failure: 'link-down', detail: 'the link is down', receipts };
    for (;;) {
      if (!isOn()) return { kind: 'failed', ...POWER_CUT, receipts };
      let step: HandInBegun | undefined;
      const told = await client.during<readonly [HandedIn, HttpFailure | undefined] | undefined>((done) => {
        step = errands.handIn((result, network) => done([result, network]));
        if (step?.kind !== 'send') done(undefined);
      });
      const next = step as HandInBegun | undefined;
      if (next?.kind === 'stopped') return { kind: 'failed', failure: 'journal', detail: next.detail, receipts };
      if (next?.kind === 'wait')
        return failure ? { kind: 'failed', ...failure, receipts } : { kind: 'waiting', ms: next.ms };
      if (next?.kind !== 'send') return { kind: 'done', receipts, batches };
      if (told === undefined) continue;
      const [result, network] = told;
      receipts += result.receipts;
      batches++;
      const why = network === 'too-large' ? 'answer-too-large' : network;
      failure = result.ok ? undefined : { failure: why ?? result.failure, detail: result.detail };
    }
  }
}
