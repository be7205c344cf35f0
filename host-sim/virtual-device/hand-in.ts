// Handing in what a device has accepted: batch by batch over the link, as the core's uploader says, until the operator's
// backend has everything or something fails. What comes back is untrusted bytes.

import { ANSWER_LIMITS } from '../../core/limits.ts';
import { asksForRefresh, REFRESH_HEADER } from '../../core/refresh/bundle-refresh.ts';
import type { UploadBatch, UploadFailure, UploadStep } from '../../core/refresh/upload.ts';
import { type Link, type LinkFailure, linkFailure } from './link.ts';
import { readAtMost } from './read-at-most.ts';
import type { KnownServer } from './tls-fetch.ts';

/** Where to hand in, and how long one batch may take. */
export interface HandInOrder {
  readonly url: URL;
  readonly apiKey: string;
  readonly timeoutMs: number;
  /** Whom the backend must be under TLS. */
  readonly known?: KnownServer;
}

/** Why something is not handed in. */
export type HandInFailure = UploadFailure | LinkFailure['failure'] | 'answer-too-large' | 'journal' | 'power-cut';

/** What a hand-in came to. `receipts` are those that were acknowledged by it. */
export type HandIn =
  /** The backend has everything. */
  | { readonly kind: 'done'; readonly receipts: number; readonly batches: number }
  /** It failed before; the next attempt may be made in so many milliseconds. */
  | { readonly kind: 'waiting'; readonly ms: number }
  | { readonly kind: 'failed'; readonly failure: HandInFailure; readonly detail: string; readonly receipts: number };

/** What says what is to be sent, and is told what came of it: the core's uploader. */
export interface BatchSender {
  next(
    nowMs: number,
  ):
    | Exclude<UploadStep, { readonly kind: 'send' | 'stopped' }>
    | { readonly kind: 'send'; readonly batch: Pick<UploadBatch, 'body'> }
    | { readonly kind: 'stopped'; readonly detail: string };
  answered(nowMs: number, status: number, body: Uint8Array): Sent;
  unanswered(nowMs: number, detail: string): Sent;
}

/** What came of a batch, and how many of its receipts are acknowledged. */
export type Sent =
  | { readonly ok: true; readonly receipts: number }
  | { readonly ok: false; readonly receipts: number; readonly failure: UploadFailure; readonly detail: string };

/** The device that hands in. */
export interface HandInDevice {
  readonly link: Link;
  readonly uploader: BatchSender;
  monotonicMs(): number;
  /** Runs what works on flash. Undefined where the power has gone since the hand-in began. */
  run<T>(work: () => T): T | undefined;
  /** An answer says that there are new Trust Bundles. */
  urged?(): void;
}

/** Hands in. Throws only what `run` throws. */
export async function handIn(device: HandInDevice, order: HandInOrder): Promise<HandIn> {
  const { link, uploader } = device;
  let receipts = 0;
  let batches = 0;
  let failure: { readonly failure: HandInFailure; readonly detail: string } | undefined;
  // A link that is known to be down is no attempt: nothing has to wait longer for it.
  if (!link.up) return { kind: 'failed', failure: 'link-down', detail: 'the link is down', receipts };
  for (;;) {
    const step = device.run(() => uploader.next(device.monotonicMs()));
    if (step === undefined) return { kind: 'failed', ...POWER_CUT, receipts };
    if (step.kind === 'done') return { kind: 'done', receipts, batches };
    if (step.kind === 'stopped') return { kind: 'failed', failure: 'journal', detail: step.detail, receipts };
    if (step.kind === 'wait')
      return failure ? { kind: 'failed', ...failure, receipts } : { kind: 'waiting', ms: step.ms };
    const answer = await post(device, order, step.batch.body);
    const result = device.run(() =>
      answer.kind === 'answered'
        ? uploader.answered(device.monotonicMs(), answer.status, answer.body)
        : uploader.unanswered(device.monotonicMs(), answer.detail),
    );
    if (result === undefined) return { kind: 'failed', ...POWER_CUT, receipts };
    receipts += result.receipts;
    batches++;
    failure = result.ok ? undefined : answer.kind === 'failed' ? answer : result;
  }
}

const POWER_CUT = Object.freeze({ failure: 'power-cut', detail: 'the power was cut meanwhile' });

/** What a POST came to. */
type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: Uint8Array }
  | { readonly kind: 'failed'; readonly failure: HandInFailure; readonly detail: string };

async function post(
  device: HandInDevice,
  { url, apiKey, timeoutMs, known }: HandInOrder,
  body: Uint8Array,
): Promise<Answer> {
  const headers = { accept: 'application/json', 'content-type': 'application/json', authorization: `Bearer ${apiKey}` };
  try {
    const response = await device.link.fetch(url, {
      method: 'POST',
      headers,
      body,
      timeoutMs,
      known,
    });
    if (asksForRefresh(response.headers.get(REFRESH_HEADER))) device.urged?.();
    const answer = await readAtMost(response, ANSWER_LIMITS.bytes);
    if (answer === undefined)
      return {
        kind: 'failed',
        failure: 'answer-too-large',
        detail: `the answer has more than ${ANSWER_LIMITS.bytes} bytes`,
      };
    return { kind: 'answered', status: response.status, body: answer };
  } catch (error) {
    return { kind: 'failed', ...linkFailure(error, 'the backend', timeoutMs) };
  }
}
