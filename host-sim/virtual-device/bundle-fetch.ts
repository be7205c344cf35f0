// Sends the core's request for Trust Bundles over the link, and tells it what comes back as it comes: status and headers, then
// the bytes of the body. What they mean, and how far to go, the core knows.

import type { BundleFetch, FetchResult } from '../../core/refresh/bundle-fetch.ts';
import { type Link, type LinkAnswer, linkFailure } from './link.ts';

/** The device that fetches. */
export interface FetchDevice {
  readonly link: Link;
  /** By which it knows the authority under TLS. */
  readonly certificate?: Uint8Array | undefined;
  monotonicMs(): number;
  /** Wall time, undefined where it was never set. */
  wallMs(): number | undefined;
  /** Runs what works on flash. Undefined where the power has gone since the request was begun. */
  run<T>(work: () => T): T | undefined;
  /** Is over when no payment is under way: until then nothing is handed on. */
  free(): Promise<void>;
}

/** A request under way, as the core has it. */
export type FetchUnderWay<Result = FetchResult> = Pick<BundleFetch, 'order' | 'answered' | 'take'> & {
  failed(...why: Parameters<BundleFetch['failed']>): Result;
  ended(nowMs: number): Result;
};

/** Sends a request. @returns what came of it; undefined where the power has gone. Throws only what `run` throws */
export async function fetchBundles<Result>(
  device: FetchDevice,
  authorityUrl: string,
  fetch: FetchUnderWay<Result>,
): Promise<Result | undefined> {
  const { order } = fetch;
  // Kept apart from what the network throws.
  let thrown: { readonly error: unknown } | undefined;
  const run = <T>(work: () => T): T | undefined => {
    try {
      return device.run(work);
    } catch (error) {
      thrown = { error };
      throw error;
    }
  };
  try {
    const url = new URL(order.path, authorityUrl);
    const known = { certificate: device.certificate, nowMs: device.wallMs() };
    const response = await device.link.fetch(url, {
      headers: { ...order.headers },
      timeoutMs: order.timeoutMs,
      known,
    });
    const headers = (name: string) => response.headers.get(name);
    const wanted = run(() => fetch.answered(device.monotonicMs(), response.status, headers, device.wallMs()));
    if (wanted !== true) await response.body?.cancel();
    else await handOn(device, run, fetch, response);
  } catch (error) {
    if (thrown !== undefined) throw thrown.error;
    const { failure, detail } = linkFailure(error, 'the Policy Authority', order.timeoutMs);
    return device.run(() => fetch.failed(device.monotonicMs(), failure, detail));
  }
  return device.run(() => fetch.ended(device.monotonicMs()));
}

async function handOn(
  device: FetchDevice,
  run: FetchDevice['run'],
  fetch: Pick<BundleFetch, 'take'>,
  response: LinkAnswer,
): Promise<void> {
  for await (const chunk of response.body ?? []) {
    await device.free();
    if (run(() => fetch.take(device.monotonicMs(), chunk)) !== true) break;
  }
  await device.free();
}
