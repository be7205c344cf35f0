// A Fastify server for JSON as devices read it, on loopback unless told otherwise: bodies are read strictly and changed by
// nobody, everything that goes wrong is `{error, detail}`, and it can be closed and opened again on the same port.

import type { AddressInfo, Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { JsonProblem, readJson } from '../../core/json/reader.ts';
import type { JsonLimits } from '../../core/limits.ts';
import type { Log } from '../../core/ports/ports.ts';
import { HttpProblem } from './problem.ts';
import { schemaProblem } from './schema-problem.ts';

/** What a server is made of. */
export interface JsonServerOptions {
  /** For messages: "the … is closed". */
  readonly name: string;
  /** What its events begin with: `authority.request`. */
  readonly events: string;
  /** How much JSON a body may hold. */
  readonly limits: JsonLimits;
  /** Characters of a parameter in a path. */
  readonly parameterCharacters: number;
  readonly log: Log | undefined;
  readonly addRoutes: (server: FastifyInstance) => void;
}

/** A request that comes from this process. */
export interface LocalRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** What it is answered. */
export interface LocalAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** See the head of the file. */
export class JsonServer {
  readonly #options: JsonServerOptions;
  /** Answers what comes from this process; made for the first of it. */
  #local: FastifyInstance | undefined;
  /** Requests that came in and are not answered. */
  readonly #open = { requests: 0 };
  #server: FastifyInstance | undefined;
  #url: string | undefined;

  constructor(options: JsonServerOptions) {
    this.#options = options;
  }

  /** Where it can be reached, `http://host:port`. @throws Error while it is closed */
  get url(): string {
    if (this.#url === undefined) throw new Error(`the ${this.#options.name} is closed`);
    return this.#url;
  }

  /**
   * Begins to serve.
   *
   * @param port 0 takes a free one
   * @returns the URL
   * @throws Error where it serves already, or the port cannot be had
   */
  async listen(port: number, host: string): Promise<string> {
    if (this.#server !== undefined) throw new Error(`the ${this.#options.name} is open already`);
    const server = createServer(this.#options, this.#open);
    await server.listen({ port, host });
    const { address, family, port: taken } = server.server.address() as AddressInfo;
    this.#server = server;
    this.#url = `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
    return this.#url;
  }

  /** Answers a request of this process by the same routes, without a socket, whether or not it is open. */
  async answer({ method, path, headers, body }: LocalRequest): Promise<LocalAnswer> {
    this.#local ??= createServer(this.#options, { requests: 0 });
    const payload = body === undefined ? {} : { payload: Buffer.from(body) };
    const answer = await this.#local.inject({ method, url: path, headers, ...payload });
    const text = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as const);
    return { status: answer.statusCode, headers: Object.fromEntries(text), body: new Uint8Array(answer.rawPayload) };
  }

  /**
   * Ends serving and drops open connections. Does nothing where it is closed.
   *
   * @param graceMs how long requests that came in before are waited for, in milliseconds
   */
  async close(graceMs = 0): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#url = undefined;
    if (server === undefined) return;
    if (graceMs > 0) server.server.close();
    for (const end = performance.now() + graceMs; this.#open.requests > 0 && performance.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 10));
    await server.close();
  }
}

function createServer(options: JsonServerOptions, open: { requests: number }): FastifyInstance {
  const { events, limits, parameterCharacters, log, addRoutes } = options;
  const server = fastify({
    bodyLimit: limits.bytes,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: parameterCharacters },
    // What is signed is what was sent: nothing is coerced, filled in or dropped on the way.
    ajv: { customOptions: { coerceTypes: false, useDefaults: false, removeAdditional: false } },
    schemaErrorFormatter: schemaProblem,
    frameworkErrors: (error, _request, reply) => {
      const problem = problemOf(error);
      void (reply as FastifyReply).code(problem.status).send({ error: problem.code, detail: problem.message });
    },
    clientErrorHandler: (error, socket) => answerBadRequest(error, socket),
  });
  readBodiesStrictly(server, limits);
  server.setNotFoundHandler((request, reply) => {
    void reply
      .code(404)
      .send({ error: 'not_found', detail: `there is no ${request.method} ${request.url.split('?')[0]}` });
  });
  server.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
    const problem = error instanceof HttpProblem ? error : problemOf(error);
    if (problem.status >= 500) log?.emit({ event: `${events}.error`, code: problem.code, detail: error.message });
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
    void reply.code(problem.status).send({ error: problem.code, detail: problem.message, ...problem.more });
  });
  server.addHook('onRequest', async (_request, reply) => {
    open.requests++;
    reply.raw.once('close', () => {
      open.requests--;
    });
  });
  server.addHook('onResponse', async (request, reply) => {
    log?.emit({ event: `${events}.request`, method: request.method, url: request.url, status: reply.statusCode });
  });
  addRoutes(server);
  return server;
}

/** JSON as devices read it: no duplicate members, no lone surrogates, nothing too deep to hash. */
function readBodiesStrictly(server: FastifyInstance, limits: JsonLimits): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    const value = readJson(body as Buffer, limits);
    if (value instanceof JsonProblem) return done(new HttpProblem(400, 'invalid_request', value.message));
    done(null, value);
  });
}

/** What Fastify found wrong. */
function problemOf(error: Error & { statusCode?: number }): HttpProblem {
  const status = error.statusCode ?? 500;
  if (status >= 500) return new HttpProblem(500, 'internal_error', 'the request could not be served');
  const codes: Record<number, string> = { 413: 'body_too_large', 415: 'unsupported_media_type' };
  return new HttpProblem(status, codes[status] ?? 'invalid_request', error.message);
}

/** Bytes that are no HTTP get the same kind of body. */
function answerBadRequest(error: Error, socket: Socket): void {
  if (!socket.writable) return;
  const body = JSON.stringify({ error: 'invalid_request', detail: error.message });
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`;
  socket.end(`${head}\r\n\r\n${body}`);
}
