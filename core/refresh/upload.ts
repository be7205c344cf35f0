// Handing in: accepted payments go to the operator's backend in order and in batches, until it has acknowledged them all. A
// state machine without input and output: whoever has a network asks what to do next, sends it, and says what came back.
//
//   const step = uploader.next(clock.monotonicMs());
//   if (step.kind === 'send') POST(step.batch.body) → uploader.answered(ms, status, body), or uploader.unanswered(ms, why)
//
// Nothing is acknowledged in the journal that was not sent in the batch that was answered. A lost answer costs nothing: the
// batch is sent again, and the backend knows receipts by their ids.

import { JsonProblem, readJson } from '../json/reader.ts';
import { writeJson, writeText } from '../json/text.ts';
import { anyMember, isObject, type JsonObject, type JsonValue, without } from '../json/value.ts';
import type { Journal, JournalReceipt, JournalRefusal } from '../ledger/journal.ts';
import { JOURNAL_FORMAT } from '../ledger/journal-record.ts';
import { receiptDocument } from '../ledger/receipt-document.ts';
import {
  ANSWER_DETAIL_CHARACTERS,
  ANSWER_LIMITS,
  UPLOAD_BATCH_BYTES,
  UPLOAD_BATCH_RECEIPTS,
  UPLOAD_FIRST_WAIT_MS,
  UPLOAD_LONGEST_WAIT_MS,
  UPLOAD_SMALLER_MS,
} from '../limits.ts';
import type { Log } from '../ports/ports.ts';
import { backoff, spread } from './waits.ts';

/** What an uploader may be told. Sizes are bounds of memory: one batch is held at a time. */
export interface UploadOptions {
  /** From 0 up to 1, without 1: spreads the attempts of a fleet. */
  readonly random: () => number;
  /** Bytes of a batch. Default and least: `UPLOAD_BATCH_BYTES`, which the largest payment fits. */
  readonly mostBytes?: number;
  /** Receipts of a batch. Default 32. */
  readonly mostReceipts?: number;
  /** How long to wait after the first failure; it doubles with each further one. Default 5 seconds. */
  readonly firstWaitMs?: number;
  /** The longest wait. Default an hour. */
  readonly longestWaitMs?: number;
  readonly log?: Log;
}

/** Receipts to be sent: the body of a POST, `application/json`. */
export interface UploadBatch {
  readonly body: Uint8Array;
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** What to do next. */
export type UploadStep =
  | { readonly kind: 'send'; readonly batch: UploadBatch }
  /** After a failure: ask again in so many milliseconds. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Everything is acknowledged. */
  | { readonly kind: 'done' }
  /** The journal gives nothing out. */
  | { readonly kind: 'stopped'; readonly code: JournalRefusal['code']; readonly detail: string };

/** Why a batch, or a part of it, is not acknowledged. */
export type UploadFailure =
  /** No answer came. */
  | 'unanswered'
  /** A status that says so. */
  | 'http-status'
  /** The backend has other receipts under these ids, or finds one changed. */
  | 'conflict'
  /** The batch is too large for the backend; those that follow are smaller, for a day or until a restart. */
  | 'too-large'
  /** It is no answer. */
  | 'garbage'
  /** It acknowledges what was not sent. */
  | 'ahead'
  /** It acknowledges less than it did before. */
  | 'behind'
  /** Nothing had been sent. */
  | 'unasked';

/** What an answer came to. */
export type UploadResult =
  | { readonly ok: true; readonly receipts: number; readonly acknowledgedUpTo: number }
  | {
      readonly ok: false;
      readonly failure: UploadFailure;
      readonly detail: string;
      /** Receipts that were acknowledged all the same: an answer may take a part. */
      readonly receipts: number;
      readonly acknowledgedUpTo: number;
    };

/** Bytes that end a batch. */
const CLOSING = 2;

/** The path that a device hands in at. */
export function receiptsPath(deviceId: string): string {
  return `/v1/devices/${encodeURIComponent(deviceId)}/receipts`;
}

/** See the head of the file. */
export class Uploader {
  readonly #journal: Journal;
  readonly #random: () => number;
  readonly #log: Log | undefined;
  readonly #mostBytes: number;
  readonly #firstWaitMs: number;
  readonly #longestWaitMs: number;
  readonly #mostReceipts: number;
  /** Bytes of the next batch: fewer after one was too large, until then. A receipt that is longer is sent alone. */
  #bytes: number;
  #smallerUntilMs = 0;
  /** The ids of the batch that was sent last and is not answered, and its bytes. */
  #sent: readonly number[] = [];
  #sentBytes = 0;
  /** What the backend has acknowledged to this uploader, also where the journal could not write it down. */
  #acknowledged = 0;
  #failures = 0;
  #waitUntilMs = 0;

  /** @param journal must have been told what the ledger has (`reconcile`) before `next` is called */
  constructor(journal: Journal, options: UploadOptions) {
    this.#journal = journal;
    this.#random = options.random;
    this.#log = options.log;
    this.#mostBytes = Math.max(options.mostBytes ?? 0, UPLOAD_BATCH_BYTES);
    this.#mostReceipts = Math.max(options.mostReceipts ?? UPLOAD_BATCH_RECEIPTS, 1);
    this.#bytes = this.#mostBytes;
    this.#firstWaitMs = options.firstWaitMs ?? UPLOAD_FIRST_WAIT_MS;
    this.#longestWaitMs = options.longestWaitMs ?? UPLOAD_LONGEST_WAIT_MS;
  }

  /** Up to which receipt everything is acknowledged, 0 for nothing. */
  get acknowledgedUpTo(): number {
    return Math.max(this.#acknowledged, this.#journal.acknowledgedUpTo);
  }

  /**
   * What to do next. A batch that was asked for before and not answered is given up, and its receipts are in this one.
   *
   * @param nowMs a monotonic time
   */
  next(nowMs: number): UploadStep {
    this.#sent = [];
    if (nowMs < this.#waitUntilMs) return { kind: 'wait', ms: this.#waitUntilMs - nowMs };
    // The backend's limit may have been raised meanwhile.
    if (nowMs >= this.#smallerUntilMs) this.#bytes = this.#mostBytes;
    const batch = this.#batch();
    if (batch === undefined) return { kind: 'done' };
    if ('code' in batch) {
      this.#log?.emit({ event: 'upload.stopped', ...batch });
      return { kind: 'stopped', ...batch };
    }
    this.#log?.emit({ event: 'upload.send', first: batch.first, last: batch.last, bytes: batch.body.length });
    return { kind: 'send', batch };
  }

  /** Forgets that there is something to wait for: a network came back, or somebody asks for it. */
  hurry(): void {
    this.#waitUntilMs = 0;
  }

  /** No whole answer came to the batch that was sent: it may have arrived, or not. */
  unanswered(nowMs: number, detail: string): UploadResult {
    return this.#failed(nowMs, 'unanswered', detail);
  }

  /**
   * Takes the answer to the batch that was sent.
   *
   * @param status of HTTP
   * @param body its bytes: `{"acknowledged": n}`, n being the last receipt of the batch that the backend has kept
   */
  answered(nowMs: number, status: number, body: Uint8Array): UploadResult {
    if (this.#sent.length === 0) return this.#failed(nowMs, 'unasked', 'an answer came to nothing that was sent');
    if (status >= 200 && status < 300) return this.#taken(nowMs, acknowledgedIn(body));
    const detail = `the backend answered ${status}`;
    if (status === 413) return this.#tooLarge(nowMs, detail);
    if (status !== 409 && status !== 422) return this.#failed(nowMs, 'http-status', detail);
    // What comes before the receipt it objects to may be kept all the same.
    const acknowledged = acknowledgedIn(body);
    const part = acknowledged !== undefined && this.#sent.includes(acknowledged) ? this.#acknowledge(acknowledged) : 0;
    return this.#failed(nowMs, 'conflict', `${detail}${reasonIn(body)}`, part);
  }

  #taken(nowMs: number, acknowledged: number | undefined): UploadResult {
    if (acknowledged === undefined)
      return this.#failed(nowMs, 'garbage', 'the answer does not say what is acknowledged');
    const [first] = this.#sent as [number];
    if (acknowledged < first)
      return this.#failed(
        nowMs,
        'behind',
        `the backend has receipts up to ${acknowledged}, and had those before ${first}`,
      );
    if (!this.#sent.includes(acknowledged))
      return this.#failed(nowMs, 'ahead', `the backend acknowledges receipt ${acknowledged}, which was not sent`);
    const receipts = this.#acknowledge(acknowledged);
    this.#sent = [];
    this.#failures = 0;
    return { ok: true, receipts, acknowledgedUpTo: this.acknowledgedUpTo };
  }

  /** @returns how many receipts of the batch that are */
  #acknowledge(receiptId: number): number {
    this.#acknowledged = Math.max(this.#acknowledged, receiptId);
    const refusal = this.#journal.acknowledge(receiptId);
    const { unsent } = this.#journal.fill;
    if (refusal === undefined) this.#log?.emit({ event: 'upload.acknowledged', upTo: receiptId, unsent });
    // It stays sent as long as this lives; after a restart it is sent again, which the backend knows.
    else this.#log?.emit({ event: 'upload.unrecorded', upTo: receiptId, code: refusal.code, detail: refusal.detail });
    return this.#sent.indexOf(receiptId) + 1;
  }

  #tooLarge(nowMs: number, detail: string): UploadResult {
    const isDivisible = this.#sent.length > 1;
    if (isDivisible) {
      this.#bytes = Math.floor(this.#sentBytes / 2);
      this.#smallerUntilMs = nowMs + UPLOAD_SMALLER_MS;
    }
    const result = this.#failed(nowMs, 'too-large', `${detail} to ${this.#sentBytes} bytes`);
    if (isDivisible) this.hurry();
    return result;
  }

  #failed(nowMs: number, failure: UploadFailure, detail: string, receipts = 0): UploadResult {
    this.#sent = [];
    const waitMs = spread(backoff(this.#firstWaitMs, this.#longestWaitMs, this.#failures), this.#random);
    this.#failures++;
    this.#waitUntilMs = nowMs + waitMs;
    this.#log?.emit({ event: 'upload.failed', failure, detail, waitMs });
    return { ok: false, failure, detail, receipts, acknowledgedUpTo: this.acknowledgedUpTo };
  }

  /** The next receipts as a document; undefined where there are none. */
  #batch(): UploadBatch | JournalRefusal | undefined {
    let receipt = this.#unsentAfter(this.acknowledgedUpTo);
    if (receipt === undefined || 'code' in receipt) return receipt;
    const target = new Uint8Array(this.#mostBytes);
    const longest = this.#mostBytes - CLOSING;
    const end = this.#bytes - CLOSING;
    const grants: string[] = [];
    const ids: number[] = [];
    let at = writeText(`{"format":${JOURNAL_FORMAT},"receipts":[`, target, 0);
    let largest = 0;
    // What the journal refuses ends the batch; without one it is told.
    while (receipt !== undefined && !('code' in receipt)) {
      const from = ids.length === 0 ? at : writeText(',', target, at);
      const behind = from < 0 ? from : writeJson(this.#documentIn(receipt, grants), target, from);
      if (behind < 0 || behind > (ids.length === 0 ? longest : end)) break;
      largest = Math.max(largest, behind - at);
      at = behind;
      ids.push(receipt.receiptId);
      if (ids.length >= this.#mostReceipts || at + largest >= end) break;
      receipt = this.#unsentAfter(receipt.receiptId);
    }
    const [first] = ids;
    if (first === undefined) return TOO_LONG;
    at = writeText(']}', target, at);
    this.#sent = ids;
    this.#sentBytes = at;
    return { body: target.subarray(0, at), first, last: ids[ids.length - 1] as number, count: ids.length };
  }

  /** The next receipt that is not acknowledged, undefined where there is none. */
  #unsentAfter(receiptId: number): JournalReceipt | JournalRefusal | undefined {
    const found: JournalReceipt[] = [];
    const count = this.#journal.unsent(receiptId, 1, (receipt) => found.push(receipt));
    return typeof count === 'number' ? found[0] : count;
  }

  /** A receipt's document, without its grant where the batch has that already. */
  #documentIn(receipt: JournalReceipt, grants: string[]): JsonObject {
    const document = receiptDocument(receipt);
    const { grantKey } = document;
    if (typeof grantKey !== 'string') return document;
    if (grants.includes(grantKey)) return without(document, ['grant']);
    grants.push(grantKey);
    return document;
  }
}

const TOO_LONG: JournalRefusal = Object.freeze({
  code: 'STORE_FAILED',
  detail: 'a receipt is longer than a batch may be',
});

/** The receipt that an answer acknowledges; undefined where it says none. */
function acknowledgedIn(body: Uint8Array): number | undefined {
  const acknowledged = inAnswer(body, 'acknowledged');
  return typeof acknowledged === 'number' && Number.isInteger(acknowledged) && acknowledged >= 0
    ? acknowledged
    : undefined;
}

/** What a backend says is wrong, for the log: as much of it as fits a line. */
function reasonIn(body: Uint8Array): string {
  const detail = inAnswer(body, 'detail');
  return typeof detail === 'string' ? `: ${detail.slice(0, ANSWER_DETAIL_CHARACTERS)}` : '';
}

/** A member of an answer. Its names are none that artifacts have: a device has them apart. */
function inAnswer(body: Uint8Array, name: 'acknowledged' | 'detail'): JsonValue | undefined {
  const answer = readJson(body, ANSWER_LIMITS);
  return !(answer instanceof JsonProblem) && isObject(answer) ? anyMember(answer, name) : undefined;
}
