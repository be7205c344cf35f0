// A device's link in simulated time: what its network has for an answer, over sockets or not, comes at simulated times, and
// nothing of the machine's own time is in it.

import type { LocalAnswer } from '../http/json-server.ts';
import { Link, LinkDownError, type LinkRequest } from '../virtual-device/link.ts';
import type { Timeline } from './timeline.ts';

/** Answers a request that a device has sent, in simulated time; throws where no answer comes. */
export type Network = (url: URL, request: LinkRequest) => Promise<NetworkAnswer>;

/** An answer on its way. */
export interface NetworkAnswer extends LocalAnswer {
  /** Bytes that come at a time, and how long after each other. Left out, all of it comes at once. */
  readonly drip?: { readonly bytes: number; readonly everyMs: number };
}

/** Statuses whose answers have no body. */
const BODILESS = [204, 304];

/** See the head of the file. */
export class InProcessLink extends Link {
  readonly #timeline: Timeline;
  readonly #network: Network;
  readonly #timeoutMs: (url: URL) => number;
  /** What ends the requests that are under way. */
  readonly #underWay = new Set<(error: Error) => void>();

  /** @param timeoutMs for how long a device waits for a whole answer: the signal of a request goes by the machine's time */
  constructor(timeline: Timeline, network: Network, timeoutMs: (url: URL) => number) {
    super();
    this.#timeline = timeline;
    this.#network = network;
    this.#timeoutMs = timeoutMs;
  }

  override set(up: boolean): void {
    super.set(up);
    if (!up) this.#end(new LinkDownError('the link went down'));
  }

  /** The device has no power: nobody waits for an answer any more. */
  drop(): void {
    this.#end(new Error('the device has lost its power'));
  }

  override async fetch(url: URL, request: LinkRequest): Promise<Response> {
    if (!this.up) throw new LinkDownError('the link is down');
    const untilMs = this.#timeline.nowMs + this.#timeoutMs(url);
    const { status, headers, body, drip } = await this.#whileUp(this.#network(url, request), untilMs);
    if (BODILESS.includes(status)) return new Response(null, { status, headers });
    return new Response(drip === undefined ? Buffer.from(body) : this.#dripping(body, drip, untilMs), {
      status,
      headers,
    });
  }

  #dripping(
    body: Uint8Array,
    { bytes, everyMs }: NonNullable<NetworkAnswer['drip']>,
    untilMs: number,
  ): ReadableStream<Uint8Array> {
    let at = 0;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          if (at >= body.length) return controller.close();
          await this.#whileUp(this.#timeline.sleep(everyMs), untilMs);
          controller.enqueue(body.slice(at, at + bytes));
          at += bytes;
        },
      },
      // Nothing comes that nobody has waited for.
      { highWaterMark: 0 },
    );
  }

  #whileUp<T>(work: Promise<T>, untilMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const tooLate = this.#timeline.at(untilMs, () => reject(new DOMException('it took too long', 'TimeoutError')));
      this.#underWay.add(reject);
      const over = () => {
        tooLate.cancel();
        this.#underWay.delete(reject);
      };
      work.then(
        (value) => {
          over();
          resolve(value);
        },
        (error) => {
          over();
          reject(error);
        },
      );
    });
  }

  #end(error: Error): void {
    for (const reject of this.#underWay) reject(error);
    this.#underWay.clear();
  }
}
