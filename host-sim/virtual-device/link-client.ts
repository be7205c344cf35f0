// Sends the core's requests over a link, one at a time, and tells what comes back as it comes, in packets as a device gets them. What is
// told works on flash: power may go in it, and then nothing more is told; what it throws goes to whoever waits for the end.

import type { HttpFailure, HttpOrder, HttpReceiver, HttpTransport, Server } from '../../core/network/http-client.ts';
import { type Link, type LinkAnswer, linkFailure } from './link.ts';
import type { KnownServer } from './tls-fetch.ts';

/** Bytes of an answer that a device takes at a time: those of a packet, however many come at once. */
export const PACKET_BYTES = 1460;

/** What a client is made of. */
export interface LinkClientParts {
  readonly link: Link;
  /** Runs what works on flash. Undefined where the power has gone meanwhile. */
  run<T>(work: () => T): T | undefined;
  /** Where an https address is served in this simulation. */
  reach(url: URL): URL;
  /** Who is asked, in words. */
  whom(order: HttpOrder): string;
  /** Whom a server must be under TLS. */
  known(server: Server): KnownServer;
}

/** Somebody who waits for the end of what was begun. Is told one of both, or neither. */
interface Waiter {
  /** The power has gone. */
  readonly lost: () => void;
  readonly thrown: (error: unknown) => void;
}

/** A request that is under way. */
interface Sending {
  readonly receiver: HttpReceiver;
  /** Whoever waits for its end; undefined where nobody does. */
  readonly waiter: Waiter | undefined;
  /** Breaks it off where it is not over. */
  breakOff: () => void;
}

/** See the head of the file. */
export class LinkClient implements HttpTransport {
  readonly #parts: LinkClientParts;
  #sending: Sending | undefined;
  #isPaused = false;
  /** What goes on when it is resumed. */
  readonly #waiting: (() => void)[] = [];
  /** Several may wait at once: who finds a request under way is told so at once. */
  readonly #waiters = new Set<Waiter>();
  /** For whom something is being begun: what is sent meanwhile is sent for that one. */
  #beginning: Waiter | undefined;

  constructor(parts: LinkClientParts) {
    this.#parts = parts;
  }

  get busy(): boolean {
    return this.#sending !== undefined;
  }

  send(order: HttpOrder, receiver: HttpReceiver): void {
    if (this.#sending !== undefined) throw new RangeError('a request is under way');
    const sending = { receiver, waiter: this.#beginning, breakOff: nobody };
    this.#sending = sending;
    void this.#send(order, sending);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const free of this.#waiting.splice(0)) free();
  }

  abort(failure: 'link-down' | 'unreachable', detail: string): void {
    if (this.#sending !== undefined) this.#fail(this.#sending, failure, detail);
  }

  /**
   * Has something begun that is told when it is over.
   *
   * @returns what it is told; undefined where the power goes first. Throws what is thrown at what comes back
   */
  during<T>(begin: (done: (value: T) => void) => void): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const over = (settle: () => void) => {
        this.#waiters.delete(waiter);
        settle();
      };
      const waiter: Waiter = {
        lost: () => over(() => resolve(undefined)),
        thrown: (error) => over(() => reject(error)),
      };
      this.#waiters.add(waiter);
      this.#beginning = waiter;
      try {
        begin((value) => over(() => resolve(value)));
      } catch (error) {
        waiter.thrown(error);
      } finally {
        this.#beginning = undefined;
      }
    });
  }

  /**
   * For what is being begun, where it goes on without a request.
   *
   * @returns tells its end, unless the power has gone; what that throws goes to whoever waits
   */
  telling(): (work: () => void) => void {
    const waiter = this.#beginning;
    return (work) => this.#tell(waiter, work);
  }

  /** The power has gone: nobody is told anything any more. */
  drop(): void {
    this.#end();
    this.resume();
    const waiters = [...this.#waiters];
    // What has taken it is thrown first.
    queueMicrotask(() => {
      for (const { lost } of waiters) lost();
    });
  }

  async #send(order: HttpOrder, sending: Sending): Promise<void> {
    const { receiver } = sending;
    const { server, method, path, headers, body, timeoutMs, maxBytes } = order;
    const { link, reach, whom, known } = this.#parts;
    try {
      const url = new URL(`${server.secure ? 'https' : 'http'}://${server.host}:${server.port}${path}`);
      const response = await link.fetch(reach(url), {
        method,
        headers: { ...headers },
        ...(body && { body }),
        timeoutMs,
        givenUp: (breakOff) => {
          sending.breakOff = breakOff;
        },
        known: known(server),
      });
      const header = (name: string) => response.headers.get(name);
      if (!(await this.#told(sending, () => receiver.answered(response.status, header)))) {
        await response.body?.cancel();
        await this.#told(sending, () => this.#end()?.ended());
        return;
      }
      let bytes = 0;
      for await (const packet of packetsOf(response)) {
        bytes += packet.length;
        if (bytes > maxBytes) {
          this.#fail(sending, 'too-large', `the answer has more than ${maxBytes} bytes`);
          return;
        }
        if (!(await this.#told(sending, () => receiver.take(packet)))) break;
      }
      await this.#told(sending, () => this.#end()?.ended());
    } catch (error) {
      const { failure, detail } = linkFailure(error, whom(order), timeoutMs);
      this.#fail(sending, failure, detail);
    }
  }

  #fail(sending: Sending, failure: HttpFailure, detail: string): void {
    if (this.#sending === sending) this.#tell(sending.waiter, () => this.#end()?.failed(failure, detail));
  }

  /** Tells something when it is not paused. @returns what is said to it; undefined where the request is over */
  async #told<T>(sending: Sending, work: () => T): Promise<T | undefined> {
    while (this.#isPaused) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#sending === sending ? this.#tell(sending.waiter, work) : undefined;
  }

  #tell<T>(waiter: Waiter | undefined, work: () => T): T | undefined {
    try {
      return this.#parts.run(work);
    } catch (error) {
      this.#end();
      waiter?.thrown(error);
      return undefined;
    }
  }

  /** @returns who is to be told that; undefined where it was over */
  #end(): HttpReceiver | undefined {
    const sending = this.#sending;
    this.#sending = undefined;
    sending?.breakOff();
    return sending?.receiver;
  }
}

async function* packetsOf({ body }: LinkAnswer): AsyncGenerator<Uint8Array> {
  for await (const part of body ?? [])
    for (let at = 0; at < part.length; at += PACKET_BYTES) yield part.subarray(at, at + PACKET_BYTES);
}

function nobody(): void {}
