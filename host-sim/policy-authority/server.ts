// A Policy Authority as a server: Fastify around the routes, on loopback unless told otherwise. It can be closed and
// opened again on the same port, with everything it has issued still known.

import type { AddressInfo, Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { JsonProblem, readJson } from '../../core/json/reader.ts';
import { ARTIFACT_LIMITS, BUNDLE_LIMITS } from '../../core/limits.ts';
import type { Clock, Log } from '../../core/ports/ports.ts';
import { issueApiKey } from './api-keys.ts';
import { Authority } from './authority.ts';
import { Problem, type ProblemCode } from './problem.ts';
import { addRoutes } from './routes.ts';
import { schemaProblem } from './schemas.ts';
import { type AuthorityIdentity, AuthoritySigner } from './signer.ts';
import { MemoryStorage, type PolicyAuthorityStorage, type Scope } from './storage.ts';

/** Bytes of a request body. */
export const BODY_BYTES = 65_536;

/** What a Policy Authority is made of. */
export interface PolicyAuthorityOptions {
  readonly identity: AuthorityIdentity;
  /** Everything is dated by it. */
  readonly clock: Clock;
  /** Default: in memory. */
  readonly storage?: PolicyAuthorityStorage;
  readonly log?: Log;
}

/** See the head of the file. */
export class PolicyAuthority {
  readonly authority: Authority;
  readonly #log: Log | undefined;
  #server: FastifyInstance | undefined;
  #url: string | undefined;

  constructor(options: PolicyAuthorityOptions) {
    const storage = options.storage ?? new MemoryStorage();
    this.authority = new Authority(new AuthoritySigner(options.identity), storage, options.clock);
    this.#log = options.log;
  }

  /** Where it can be reached, `http://host:port`. @throws Error while it is closed */
  get url(): string {
    if (this.#url === undefined) throw new Error('the Policy Authority is closed');
    return this.#url;
  }

  /**
   * Begins to serve.
   *
   * @param port 0 takes a free one
   * @returns the URL
   * @throws Error where it serves already, or the port cannot be had
   */
  async listen(port = 0, host = '127.0.0.1'): Promise<string> {
    if (this.#server !== undefined) throw new Error('the Policy Authority is open already');
    const server = createServer(this.authority, this.#log);
    await server.listen({ port, host });
    const { address, family, port: taken } = server.server.address() as AddressInfo;
    this.#server = server;
    this.#url = `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
    return this.#url;
  }

  /** Ends serving and drops open connections. Does nothing where it is closed. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#url = undefined;
    await server?.close();
  }

  /** Makes an API key. @returns the key; only its hash is kept */
  issueApiKey(keyId: string, scopes: readonly Scope[]): Promise<string> {
    return issueApiKey(this.authority.storage, keyId, scopes);
  }
}

function createServer(authority: Authority, log: Log | undefined): FastifyInstance {
  const server = fastify({
    bodyLimit: BODY_BYTES,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: ARTIFACT_LIMITS.stringBytes },
    // What is signed is what was sent: nothing is coerced, filled in or dropped on the way.
    ajv: { customOptions: { coerceTypes: false, useDefaults: false, removeAdditional: false } },
    schemaErrorFormatter: schemaProblem,
    frameworkErrors: (error, _request, reply) => {
      const problem = problemOf(error);
      void (reply as FastifyReply).code(problem.status).send({ error: problem.code, detail: problem.message });
    },
    clientErrorHandler: (error, socket) => answerBadRequest(error, socket),
  });
  readBodiesStrictly(server);
  server.setNotFoundHandler((request, reply) => {
    void reply
      .code(404)
      .send({ error: 'not_found', detail: `there is no ${request.method} ${request.url.split('?')[0]}` });
  });
  server.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
    const problem = error instanceof Problem ? error : problemOf(error);
    if (problem.status >= 500) log?.emit({ event: 'authority.error', code: problem.code, detail: error.message });
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
    void reply.code(problem.status).send({ error: problem.code, detail: problem.message });
  });
  server.addHook('onResponse', async (request, reply) => {
    log?.emit({ event: 'authority.request', method: request.method, url: request.url, status: reply.statusCode });
  });
  addRoutes(server, authority);
  return server;
}

/** JSON as devices read it: no duplicate members, no lone surrogates, nothing too deep to hash. */
function readBodiesStrictly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    const value = readJson(body as Buffer, { ...BUNDLE_LIMITS, bytes: BODY_BYTES });
    if (value instanceof JsonProblem) return done(new Problem(400, 'invalid_request', value.message));
    done(null, value);
  });
}

/** What Fastify found wrong, as a Problem. */
function problemOf(error: Error & { statusCode?: number }): Problem {
  const status = error.statusCode ?? 500;
  if (status >= 500) return new Problem(500, 'internal_error', 'the request could not be served');
  const codes: Record<number, ProblemCode> = { 413: 'body_too_large', 415: 'unsupported_media_type' };
  return new Problem(status, codes[status] ?? 'invalid_request', error.message);
}

/** Bytes that are no HTTP get the same kind of body. */
function answerBadRequest(error: Error, socket: Socket): void {
  if (!socket.writable) return;
  const body = JSON.stringify({ error: 'invalid_request', detail: error.message });
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`;
  socket.end(`${head}\r\n\r\n${body}`);
}
