// A device's link in simulated time: what its network has for an answer, over sockets or not, comes at simulated times, and
// nothing of the machine's own time is in it.

import type { LocalAnswer } from '../http/json-server.ts';
import { Link, type LinkAnswer, LinkDownError, type LinkRequest } from '../virtual-device/link.ts';
import type { Timeline } from './timeline.ts';

/** Answers a request that a device has sent, in simulated time; throws where no answer comes. */
export type Network = (url: URL, request: LinkRequest) => Promise<NetworkAnswer>;

/** An answer on its way. */
export interface NetworkAnswer extends LocalAnswer {
  /** Bytes that come at a time, and how long after each other. Left out, all of it comes at once. */
  readonly drip?: { readonly bytes: number; readonly everyMs: number };
}

/** See the head of the file. */
export class SimulatedLink extends Link {
  readonly #timeline: Timeline;
  readonly #network: Network;
  /** What ends the requests that are under way. */
  readonly #underWay = new Set<(error: Error) => void>();

  constructor(timeline: Timeline, network: Network) {
    super();
    this.#timeline = timeline;
    this.#network = network;
  }

  override set(up: boolean): void {
    super.set(up);
    if (!up) this.#end(new LinkDownError('the link went down'));
  }

  /** The device has no power: nobody waits for an answer any more. */
  drop(): void {
    this.#end(new Error('the device has lost its power'));
  }

  override async fetch(url: URL, request: LinkRequest): Promise<LinkAnswer> {
    if (!this.up) throw new LinkDownError('the link is down');
    const untilMs = this.#timeline.nowMs + request.timeoutMs;
    const { status, headers, body, drip } = await this.#whileUp(this.#network(url, request), untilMs);
    const parts = drip === undefined ? whole(body) : this.#dripping(body, drip, untilMs);
    return {
      status,
      headers: { get: (name) => headers[name.toLowerCase()] ?? null },
      body: Object.assign(parts, { cancel: async () => undefined }),
    };
  }

  async *#dripping(
    body: Uint8Array,
    { bytes, everyMs }: NonNullable<NetworkAnswer['drip']>,
    untilMs: number,
  ): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < body.length; at += bytes) {
      await this.#whileUp(this.#timeline.sleep(everyMs), untilMs);
      yield body.slice(at, at + bytes);
    }
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

async function* whole(body: Uint8Array): AsyncGenerator<Uint8Array> {
  if (body.length > 0) yield body;
}
