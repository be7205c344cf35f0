// Sends the core's requests over a link, one at a time, and tells what comes back as it comes. What is told works on flash: power may
// go in it, and then nothing more is told; what it throws goes to whoever waits for the end.

import type { HttpFailure, HttpOrder, HttpReceiver, HttpTransport, Server } from '../../core/network/http-client.ts';
import { type Link, linkFailure } from './link.ts';
import type { KnownServer } from './tls-fetch.ts';

/** What a client is made of. */
export interface LinkClientParts {
  readonly link: Link;
  /** Runs what works on flash. Undefined where the power has gone meanwhile. */
  run<T>(work: () => T): T | undefined;
  /** Where an https address is served in this simulation, which has no TLS. */
  reach(url: URL): URL;
  /** Who is asked, in words. */
  whom(order: HttpOrder): string;
  /** Whom a server must be under TLS. */
  known(server: Server): KnownServer;
}

/** A request that is under way. */
interface Sending {
  readonly receiver: HttpReceiver;
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
  #lost: () => void = nobody;
  #thrown: (error: unknown) => void = nobody;

  constructor(parts: LinkClientParts) {
    this.#parts = parts;
  }

  get busy(): boolean {
    return this.#sending !== undefined;
  }

  send(order: HttpOrder, receiver: HttpReceiver): void {
    if (this.#sending !== undefined) throw new RangeError('a request is under way');
    const sending = { receiver, breakOff: nobody };
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
      this.#lost = () => resolve(undefined);
      this.#thrown = reject;
      begin(resolve);
    });
  }

  /** The power has gone: nobody is told anything any more. */
  drop(): void {
    this.#end();
    this.resume();
    // What has taken it is thrown first.
    queueMicrotask(this.#lost);
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
      for await (const part of response.body ?? []) {
        bytes += part.length;
        if (bytes > maxBytes) {
          this.#fail(sending, 'too-large', `the answer has more than ${maxBytes} bytes`);
          return;
        }
        if (!(await this.#told(sending, () => receiver.take(part)))) break;
      }
      await this.#told(sending, () => this.#end()?.ended());
    } catch (error) {
      const { failure, detail } = linkFailure(error, whom(order), timeoutMs);
      this.#fail(sending, failure, detail);
    }
  }

  #fail(sending: Sending, failure: HttpFailure, detail: string): void {
    if (this.#sending === sending) this.#tell(() => this.#end()?.failed(failure, detail));
  }

  /** Tells something when it is not paused. @returns what is said to it; undefined where the request is over */
  async #told<T>(sending: Sending, work: () => T): Promise<T | undefined> {
    while (this.#isPaused) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#sending === sending ? this.#tell(work) : undefined;
  }

  #tell<T>(work: () => T): T | undefined {
    try {
      return this.#parts.run(work);
    } catch (error) {
      this.#end();
      this.#thrown(error);
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

function nobody(): void {}
