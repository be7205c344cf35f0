// A device's HTTP client: one request at a time, GET or POST, under TLS with the provisioned certificate. Redirects are answers
// like others; size and time are bounded while bytes arrive; what fails is told, not thrown.

import { encodeUtf8 } from '../encoding/utf8.ts';
import type { HeaderOf } from '../refresh/bundle-fetch.ts';
import type { Connect, Connection } from './connection.ts';
import { HttpAnswerReader } from './http-answer.ts';

/** Who is asked. */
export interface Server {
  readonly host: string;
  readonly port: number;
  /** TLS: false for a server that is provisioned with `http://`. */
  readonly secure: boolean;
  /** In DER: the one it is trusted by. Left out, it is the client's. */
  readonly certificate?: Uint8Array;
}

/** What is sent. */
export interface HttpOrder {
  readonly server: Server;
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly body?: Uint8Array;
  /** For a whole answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Bytes of its body. */
  readonly maxBytes: number;
}

/** Why no whole answer came. */
export type HttpFailure = 'link-down' | 'unreachable' | 'timeout' | 'too-large';

/** Who is told. After `ended` or `failed`, of which one comes for each request, nothing more. */
export interface HttpReceiver {
  /** @returns whether the body is wanted: else the request has ended */
  answered(status: number, header: HeaderOf): boolean;
  /** @returns whether more is wanted: else the request has ended */
  take(bytes: Uint8Array): boolean;
  ended(): void;
  failed(failure: HttpFailure, detail: string): void;
}

/** What sends requests, one at a time. */
export interface HttpTransport {
  /** Whether a request is under way: another one is not sent. */
  readonly busy: boolean;
  /** Sends a request. @throws RangeError where one is under way */
  send(order: HttpOrder, receiver: HttpReceiver): void;
  /** Nothing that comes is handed on until `resume`. Time runs on. */
  pause(): void;
  resume(): void;
  /** Gives up what is under way: its receiver is told. */
  abort(failure: 'link-down' | 'unreachable', detail: string): void;
}

/** What a client is made of. */
export interface HttpClientParts {
  readonly connect: Connect;
  /** Has something done once, so many milliseconds later. @returns what calls it off */
  readonly after: (ms: number, work: () => void) => () => void;
  /** In DER: the one certificate that servers are trusted by which have none of their own. */
  readonly certificate: Uint8Array | undefined;
  /** Told of each answer whose server is trusted by that certificate, not by one of its own; before its receiver. */
  readonly observed?: (header: HeaderOf) => void;
}

/** See the head of the file. */
export class HttpClient implements HttpTransport {
  readonly #parts: HttpClientParts;
  #connection: Connection | undefined;
  #receiver: HttpReceiver | undefined;
  #callOff: (() => void) | undefined;
  #isPaused = false;

  constructor(parts: HttpClientParts) {
    this.#parts = parts;
  }

  get busy(): boolean {
    return this.#receiver !== undefined;
  }

  send(order: HttpOrder, receiver: HttpReceiver): void {
    if (this.#receiver !== undefined) throw new RangeError('a request is under way');
    this.#receiver = receiver;
    const { server, timeoutMs } = order;
    const { after, connect } = this.#parts;
    this.#callOff = after(timeoutMs, () => this.#fail('timeout', `no whole answer within ${timeoutMs} ms`));
    const { certificate = this.#parts.certificate } = server;
    const head = requestHead(order);
    if (head === undefined) {
      this.#fail('unreachable', 'the request cannot be written');
      return;
    }
    if (server.secure && certificate === undefined) {
      this.#fail('unreachable', 'the device has no certificate to know a server by');
      return;
    }
    const reader = this.#readerOf(order);
    const connection = connect({
      host: server.host,
      port: server.port,
      ...(server.secure && certificate !== undefined && { certificate }),
      onOpen: () => {
        connection.write(head);
        if (order.body !== undefined) connection.write(order.body);
      },
      onBytes: (bytes) => {
        const state = reader.push(bytes);
        if (this.#connection !== connection || state === 'more') return;
        if (typeof state === 'object') this.#fail('unreachable', state.fault);
        else this.#over()?.ended();
      },
      onEnd: (detail) => this.#fail('unreachable', detail),
    });
    this.#connection = connection;
    if (this.#isPaused) connection.pause();
  }

  pause(): void {
    this.#isPaused = true;
    this.#connection?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#connection?.resume();
  }

  abort(failure: 'link-down' | 'unreachable', detail: string): void {
    this.#fail(failure, detail);
  }

  #readerOf({ server, maxBytes }: HttpOrder): HttpAnswerReader {
    let bytes = 0;
    const tooLarge = () => {
      this.#fail('too-large', `the answer has more than ${maxBytes} bytes`);
      return false;
    };
    return new HttpAnswerReader({
      answered: (status, header) => {
        if (server.secure && server.certificate === undefined) this.#parts.observed?.(header);
        // Whoever is told may give the request up.
        if (this.#receiver?.answered(status, header) !== true) return false;
        return Number(header('content-length') ?? 0) > maxBytes ? tooLarge() : true;
      },
      take: (part) => {
        bytes += part.length;
        return bytes > maxBytes ? tooLarge() : this.#receiver?.take(part) === true;
      },
    });
  }

  #fail(failure: HttpFailure, detail: string): void {
    this.#over()?.failed(failure, detail);
  }

  /** @returns who is to be told; undefined where it was over */
  #over(): HttpReceiver | undefined {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#callOff?.();
    this.#callOff = undefined;
    this.#connection?.close();
    this.#connection = undefined;
    return receiver;
  }
}

/** What a server's URL says, as provisioning has it: its path is left aside. Undefined where it cannot be used. */
export function serverOf(url: string): Server | undefined {
  const secure = url.startsWith('https://');
  if (!secure && !url.startsWith('http://')) return undefined;
  const rest = url.slice(secure ? 8 : 7);
  const slash = rest.indexOf('/');
  return serverAt(slash < 0 ? rest : rest.slice(0, slash), secure);
}

/** A server by its host, with a port where it is not the usual one. */
export function serverAt(authority: string, secure: boolean): Server | undefined {
  const colon = authority.indexOf(':');
  const host = colon < 0 ? authority : authority.slice(0, colon);
  const port = colon < 0 ? (secure ? 443 : 80) : Number(authority.slice(colon + 1));
  return host !== '' && Number.isInteger(port) && port > 0 && port < 65_536 ? { host, port, secure } : undefined;
}

/** The bytes of a request's head; undefined where something in it would end a line. */
function requestHead({ server, method, path, headers, body }: HttpOrder): Uint8Array | undefined {
  const usual = server.port === (server.secure ? 443 : 80);
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${usual ? server.host : `${server.host}:${server.port}`}`];
  lines.push('connection: close');
  for (const name of Object.keys(headers)) lines.push(`${name}: ${headers[name]}`);
  if (body !== undefined) lines.push(`content-length: ${body.length}`);
  for (const line of lines)
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i);
      if (code < 0x20 || code > 0x7e) return undefined;
    }
  return path.indexOf(' ') < 0 ? encodeUtf8(`${lines.join('\r\n')}\r\n\r\n`) : undefined;
}
