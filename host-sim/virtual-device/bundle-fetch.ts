// Fetching Trust Bundles: one GET with a deadline and a limit on size that holds while bytes arrive, whatever the other
// side says about length. What comes is untrusted bytes, handed on chunk by chunk and never held.

import { createHash } from 'node:crypto';
import { type Link, type LinkFailure, linkFailure } from './link.ts';

/** Why nothing was fetched. */
export type FetchFailure = LinkFailure['failure'] | 'http-status' | 'too-large';

/** What a fetch came to. */
export type FetchResult =
  | {
      readonly kind: 'fetched';
      /** The server's tag where it is the one of the bytes that came; one that is not is dropped. */
      readonly etag: string | undefined;
    }
  | { readonly kind: 'unchanged' }
  /** `take` wanted no more. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly failure: FetchFailure; readonly detail: string };

/** Gets the bytes of an answer in order, and says whether more are wanted. */
export type Take = (chunk: Uint8Array) => boolean;

/** What to fetch, and how far to go. */
export interface FetchOrder {
  readonly url: URL;
  /** The tag of what is held; a 304 then says that it is still current. */
  readonly etag: string | undefined;
  /** For the whole of it, in milliseconds. */
  readonly timeoutMs: number;
  /** Bytes of an answer. */
  readonly maxBytes: number;
}

/** Fetches over a link. Throws only what `take` throws. */
export async function fetchBundles(link: Link, order: FetchOrder, take: Take): Promise<FetchResult> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (order.etag !== undefined) headers['if-none-match'] = order.etag;
  let taking: { readonly error: unknown } | undefined;
  const guarded: Take = (chunk) => {
    try {
      return take(chunk);
    } catch (error) {
      taking = { error };
      return false;
    }
  };
  const result = await fetchInto(link, order, headers, guarded);
  if (taking !== undefined) throw (taking as { readonly error: unknown }).error;
  return result;
}

async function fetchInto(
  link: Link,
  order: FetchOrder,
  headers: Record<string, string>,
  take: Take,
): Promise<FetchResult> {
  try {
    const response = await link.fetch(order.url, { headers, signal: AbortSignal.timeout(order.timeoutMs) });
    if (response.status === 304 && order.etag !== undefined) return { kind: 'unchanged' };
    if (response.status !== 200) {
      await response.body?.cancel();
      return failed('http-status', `the Policy Authority answered ${response.status}`);
    }
    // A tag may only say what the bytes say too. Else a fake access point serves an old set under the tag of the newest,
    // and the Policy Authority answers 304 to it ever after. From a server with tags of another kind all is fetched each time.
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of (response.body as AsyncIterable<Uint8Array> | null) ?? []) {
      size += chunk.length;
      if (size > order.maxBytes) return failed('too-large', `the answer has more than ${order.maxBytes} bytes`);
      hash.update(chunk);
      if (!take(chunk)) return { kind: 'stopped' };
    }
    const etag = `"${hash.digest('base64url')}"`;
    return { kind: 'fetched', etag: response.headers.get('etag') === etag ? etag : undefined };
  } catch (error) {
    return { kind: 'failed', ...linkFailure(error, 'the Policy Authority', order.timeoutMs) };
  }
}

function failed(failure: FetchFailure, detail: string): FetchResult {
  return { kind: 'failed', failure, detail };
}
