// An answer that is small enough to be held: of a backend, a revocation endpoint, an authority that publishes its keys.

import type { HeaderOf } from '../refresh/bundle-fetch.ts';
import type { HttpFailure, HttpOrder, HttpTransport } from './http-client.ts';

/** What came of it. */
export type SmallAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly header: HeaderOf; readonly body: Uint8Array }
  | { readonly kind: 'failed'; readonly failure: HttpFailure; readonly detail: string };

/** Sends a request, and tells its answer once. The client must not be busy. */
export function askSmall(client: HttpTransport, order: HttpOrder, done: (answer: SmallAnswer) => void): void {
  // Room for all of it at once: who sends a byte at a time could have parts fill the memory.
  const body = new Uint8Array(order.maxBytes);
  let bytes = 0;
  let status = 0;
  let header: HeaderOf = () => undefined;
  client.send(order, {
    answered: (stated, of) => {
      status = stated;
      header = of;
      return true;
    },
    take: (part) => {
      body.set(part, bytes);
      bytes += part.length;
      return true;
    },
    ended: () => done({ kind: 'answered', status, header, body: body.subarray(0, bytes) }),
    failed: (failure, detail) => done({ kind: 'failed', failure, detail }),
  });
}
