// The local HTTP endpoint (docs/LOCAL-HTTP.md) on the SDK's listener: one connection at a time, one request each, bounded in size and
// time. Whoever comes meanwhile is told so, a few at once, and others are closed: connections that nobody reads take no memory.

import Listener from 'embedded:io/socket/listener';
import TCP from 'embedded:io/socket/tcp';
import Timer, { type TimerHandle } from 'timer';
import { type HttpFault, type HttpRequest, HttpRequestReader } from '../../core/intake/http-request.ts';
import { busyResponse, decisionResponse, httpResponse, noPaymentResponse } from '../../core/intake/http-response.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { HTTP_DISCARDED_BYTES, HTTP_REQUEST_MS, HTTP_SENT_MS } from '../../core/limits.ts';
import type { Log } from '../../core/ports/ports.ts';
import type { Decision } from '../../core/verifier.ts';
import { wordsOf } from '../ports/thrown.ts';

/** What the endpoint stands for. */
export interface EndpointParts {
  readonly port: number;
  readonly monotonicMs: () => number;
  /** Decides on a payment: calls back once. The bytes are good until it returns. */
  readonly present: (presentation: Uint8Array, answer: (decision: Decision) => void) => void;
  /** What the device says of itself: the bytes of `stateDocument`. */
  readonly state: () => Uint8Array;
  /** Why nothing is sold, undefined where it is. */
  readonly notServing: () => JsonObject | undefined;
  readonly log: Log;
}

/** Bytes that are read at a time. */
const PIECE_BYTES = 1024;
const LATER_MS = 50;
/** Of those who come while another is served, so many are told at once, each in so long. */
const TURNED_AWAY = 2;
const TURN_AWAY_MS = 2000;
/** For a decision that waits for an issuer: then the connection is closed. */
const DECISION_MS = 40_000;

/** See the head of the file. */
export class HttpEndpoint {
  readonly #parts: EndpointParts;
  #listener: Listener | undefined;
  #exchange: Exchange | undefined;
  #turnedAway = 0;

  constructor(parts: EndpointParts) {
    this.#parts = parts;
  }

  /** Listens, where it does not already. A network that has gone takes its listener with it. */
  open(): void {
    if (this.#listener !== undefined) return;
    try {
      this.#listener = new Listener({ port: this.#parts.port, onReadable: (sockets) => this.#accept(sockets) });
    } catch (error) {
      this.#parts.log.emit({ event: 'http.closed', detail: wordsOf(error) });
    }
  }

  close(): void {
    this.#exchange?.close();
    this.#exchange = undefined;
    const listener = this.#listener;
    this.#listener = undefined;
    try {
      listener?.close();
    } catch {
      // It was closed before.
    }
  }

  #turnAway(socket: TCP): void {
    if (this.#turnedAway >= TURNED_AWAY) {
      socket.close();
      return;
    }
    new Exchange(socket, this.#parts, () => void this.#turnedAway--, true);
    this.#turnedAway++;
  }

  #accept(sockets: number): void {
    for (let i = 0; i < sockets; i++) {
      try {
        const socket = this.#listener?.read();
        if (socket === undefined) return;
        if (this.#exchange !== undefined) this.#turnAway(socket);
        else
          this.#exchange = new Exchange(socket, this.#parts, () => {
            this.#exchange = undefined;
          });
      } catch (error) {
        this.#parts.log.emit({ event: 'http.failed', detail: wordsOf(error) });
      }
    }
  }
}

/** One connection: a request, and its answer. Who is turned away has the answer whatever is asked. */
class Exchange {
  readonly #parts: EndpointParts;
  readonly #over: () => void;
  /** Undefined: it is turned away. */
  readonly #reader: HttpRequestReader | undefined;
  #socket: TCP | undefined;
  #deadline: TimerHandle | undefined;
  #room = 0;
  /** True from the whole request on: what comes behind it is thrown away. */
  #isAsked = false;
  #discarded = 0;
  #isOver = false;
  #answer: Uint8Array | undefined;

  constructor(from: TCP, parts: EndpointParts, over: () => void, isTurnedAway = false) {
    this.#parts = parts;
    this.#over = over;
    this.#socket = from;
    try {
      if (!isTurnedAway) this.#reader = new HttpRequestReader(parts.monotonicMs());
      this.#socket = new TCP({
        from,
        onReadable: (bytes) => this.#read(bytes),
        onWritable: (bytes) => {
          this.#room = bytes;
          this.#write();
        },
        onError: () => this.close(),
      });
      if (isTurnedAway) this.#limit(TURN_AWAY_MS, () => this.close());
      // A little later than the reader has it, so that it has something to say.
      else this.#limit(HTTP_REQUEST_MS + LATER_MS, () => this.#push(new Uint8Array(0)));
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  close(): void {
    if (this.#isOver) return;
    this.#release();
    this.#over();
  }

  #release(): void {
    this.#isOver = true;
    const socket = this.#socket;
    this.#socket = undefined;
    if (this.#deadline !== undefined) Timer.clear(this.#deadline);
    this.#deadline = undefined;
    try {
      socket?.close();
    } catch {
      // It was closed before.
    }
  }

  #limit(ms: number, then: () => void): void {
    if (this.#deadline !== undefined) Timer.clear(this.#deadline);
    this.#deadline = Timer.set(() => {
      this.#deadline = undefined;
      then();
      // An answer that is still to be sent has its own time.
      if (this.#deadline === undefined) this.close();
    }, ms);
  }

  #read(bytes: number): void {
    for (let left = bytes; left > 0 && this.#socket !== undefined; ) {
      const count = Math.min(left, PIECE_BYTES);
      left -= count;
      this.#carriedOut(() => this.#push(new Uint8Array((this.#socket as TCP).read(count))));
      // Unread, they would hide that the other side is gone.
      if (this.#discarded > HTTP_DISCARDED_BYTES) this.close();
    }
  }

  #push(bytes: Uint8Array): void {
    if (this.#isAsked) {
      this.#discarded += bytes.length;
      return;
    }
    if (this.#reader === undefined) {
      this.#isAsked = true;
      this.#send(busyResponse());
      return;
    }
    const request = this.#reader.push(bytes, this.#parts.monotonicMs());
    if (request === undefined) return;
    this.#isAsked = true;
    this.#limit(DECISION_MS, () => this.close());
    if ('status' in request) this.#send(faultResponse(request));
    else this.#serve(request);
  }

  #serve({ target, presentation, method }: HttpRequest): void {
    const { notServing, state, present } = this.#parts;
    const query = target.indexOf('?');
    const path = query < 0 ? target : target.slice(0, query);
    if (path === '/state' && method === 'GET') {
      this.#send(httpResponse(200, state()));
      return;
    }
    if (path !== '/pay') {
      this.#send(httpResponse(404, { error: 'there is nothing here but /pay and /state' }));
      return;
    }
    const reason = notServing();
    if (reason !== undefined) {
      this.#send(httpResponse(503, reason));
      return;
    }
    if (presentation === undefined) {
      this.#send(noPaymentResponse());
      return;
    }
    if ('ok' in presentation) {
      this.#send(decisionResponse(presentation));
      return;
    }
    present(presentation, (decision) => this.#send(decisionResponse(decision)));
  }

  #send(answer: Uint8Array): void {
    if (this.#socket === undefined) return;
    // Who is turned away has less, which runs already.
    if (this.#reader !== undefined) this.#limit(HTTP_SENT_MS, () => this.close());
    this.#answer = answer;
    this.#write();
  }

  /** When all of it is sent, and the network has told so once more, it is over. */
  #write(): void {
    const answer = this.#answer;
    if (answer === undefined || this.#room === 0 || this.#socket === undefined) return;
    if (answer.length === 0) {
      this.close();
      return;
    }
    const part = answer.length <= this.#room ? answer : answer.subarray(0, this.#room);
    const room = this.#carriedOut(() => (this.#socket as TCP).write(part) ?? 0);
    this.#room = room ?? 0;
    this.#answer = answer.subarray(part.length);
    if (this.#answer.length > 0) this.#write();
  }

  #carriedOut<T>(act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      this.#parts.log.emit({ event: 'http.failed', detail: wordsOf(error) });
      this.close();
      return undefined;
    }
  }
}

function faultResponse({ status, detail }: HttpFault): Uint8Array {
  return httpResponse(status, { error: detail });
}
