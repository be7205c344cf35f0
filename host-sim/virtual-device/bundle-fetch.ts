// Fetching Trust Bundles: one GET with a deadline and a limit on size that holds while bytes arrive, whatever the other
// side says about length. What comes back is untrusted bytes.

import { createHash } from 'node:crypto';
import { type Link, LinkDownError } from './link.ts';
import { readAtMost } from './read-at-most.ts';

/** Why nothing was fetched. */
export type FetchFailure = 'link-down' | 'unreachable' | 'timeout' | 'http-status' | 'too-large';

/** What a fetch came to. */
export type FetchResult =
  | {
      readonly kind: 'fetched';
      readonly bytes: Uint8Array;
      /** The server's tag where it is the one of these bytes; one that is not is dropped. */
      readonly etag: string | undefined;
    }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'failed'; readonly failure: FetchFailure; readonly detail: string };

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

/** Fetches over a link. Never throws. */
export async function fetchBundles(link: Link, order: FetchOrder): Promise<FetchResult> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (order.etag !== undefined) headers['if-none-match'] = order.etag;
  try {
    const response = await link.fetch(order.url, { headers, signal: AbortSignal.timeout(order.timeoutMs) });
    if (response.status === 304 && order.etag !== undefined) return { kind: 'unchanged' };
    if (response.status !== 200) {
      await response.body?.cancel();
      return failed('http-status', `the Policy Authority answered ${response.status}`);
    }
    const bytes = await readAtMost(response, order.maxBytes);
    if (bytes === undefined) return failed('too-large', `the answer has more than ${order.maxBytes} bytes`);
    // A tag may only say what the bytes say too. Else a fake access point serves an old set under the tag of the newest,
    // and the Policy Authority answers 304 to it ever after.
    const etag = tagOf(bytes);
    return { kind: 'fetched', bytes, etag: response.headers.get('etag') === etag ? etag : undefined };
  } catch (error) {
    if (error instanceof LinkDownError) return failed('link-down', error.message);
    const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
    if (name === 'TimeoutError') return failed('timeout', `no whole answer within ${order.timeoutMs} ms`);
    return failed('unreachable', `the Policy Authority cannot be reached: ${cause?.code ?? cause?.message ?? message}`);
  }
}

/** The tag a Policy Authority gives a body: its SHA-256. From a server with tags of another kind all is fetched each time. */
function tagOf(body: Uint8Array): string {
  return `"${createHash('sha256').update(body).digest('base64url')}"`;
}

function failed(failure: FetchFailure, detail: string): FetchResult {
  return { kind: 'failed', failure, detail };
}
