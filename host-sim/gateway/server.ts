// A transparent gateway as a server: the session API for whoever gives budgets, and `/proxy` for agents, whose bodies it passes
// on as they are.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ARTIFACT_LIMITS } from '../../core/limits.ts';
import type { Log } from '../../core/ports/ports.ts';
import { apiKeyHash, presentedKeyHash } from '../http/bearer.ts';
import { JsonServer } from '../http/json-server.ts';
import { closed } from '../http/schema-problem.ts';
import { publicJwk } from '../signing/keys.ts';
import { Gateway, type GatewayOptions, type SessionRequest } from './gateway.ts';
import { Problem } from './problem.ts';

/** Bytes of a request body. */
const BODY_BYTES = 65_536;

const text = { type: 'string', minLength: 1, maxLength: 1024 };
const sessionBody = closed(
  {
    budget: closed({ amount: { type: 'string', pattern: '^[1-9][0-9]{0,37}$' }, currency: text }, [
      'amount',
      'currency',
    ]),
    purposes: { type: 'array', items: text, minItems: 1, maxItems: ARTIFACT_LIMITS.elements, uniqueItems: true },
    expiresAt: text,
    label: text,
    sessionKey: { type: 'object' },
    signedPolicyGrant: { type: 'object' },
  },
  ['budget', 'purposes', 'expiresAt'],
);

/** What a server is made of. */
export interface GatewayServerOptions extends GatewayOptions {
  /** What a budget's owner calls the session API with. */
  readonly apiKey: string;
  readonly log?: Log;
}

/** See the head of the file. */
export class GatewayServer {
  readonly #server: JsonServer;

  constructor(options: GatewayServerOptions) {
    const gateway = new Gateway(options);
    this.#server = new JsonServer({
      name: 'gateway',
      events: 'gateway',
      limits: { ...ARTIFACT_LIMITS, bytes: BODY_BYTES },
      parameterCharacters: 128,
      log: options.log,
      addRoutes: (server) => addRoutes(server, gateway, options),
    });
  }

  /** Where it can be reached, `http://host:port`. @throws Error while it is closed */
  get url(): string {
    return this.#server.url;
  }

  /** Begins to serve. @returns the URL; throws where the port cannot be had */
  listen(port = 0, host = '127.0.0.1'): Promise<string> {
    return this.#server.listen(port, host);
  }

  /** Ends serving and drops open connections. @param graceMs see JsonServer */
  close(graceMs?: number): Promise<void> {
    return this.#server.close(graceMs);
  }
}

interface Id {
  readonly Params: { readonly sessionId: string };
}

function addRoutes(server: FastifyInstance, gateway: Gateway, options: GatewayServerOptions): void {
  const { apiKey, receiptKey, grantKey, sbaKey } = options;
  const expected = apiKeyHash(apiKey);
  const owner = {
    onRequest: async ({ headers }: FastifyRequest) => {
      if (presentedKeyHash(headers.authorization) !== expected)
        throw new Problem(401, 'unauthorized', 'the API key is not known');
    },
  };
  server.post<{ Body: SessionRequest }>(
    '/sessions',
    { ...owner, schema: { body: sessionBody } },
    async (request, reply) => {
      const opened = await gateway.openSession(request.body);
      return reply.code(201).send({ ...opened, revocationUrl: `/sessions/${opened.sessionId}` });
    },
  );
  server.get<Id>('/sessions/:sessionId', owner, async ({ params }) => gateway.session(params.sessionId));
  server.delete<Id>('/sessions/:sessionId', owner, async ({ params }) => {
    gateway.revoke(params.sessionId);
    return { revoked: true };
  });
  server.get<Id>('/sessions/:sessionId/receipts', owner, async ({ params }) => ({
    receipts: gateway.receipts(params.sessionId),
  }));
  // That of receipts first: the published client's example takes the first.
  const keys = [receiptKey, grantKey, sbaKey].map(publicJwk);
  server.get('/.well-known/mpcp-keys.json', async () => ({ version: '1.0', keys }));
  void server.register(async (proxy) => {
    proxy.removeAllContentTypeParsers();
    proxy.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    proxy.post<{ Body: Buffer | undefined }>('/proxy', async ({ headers, body, method }, reply) => {
      const answer = await gateway.proxy(presentedKeyHash(headers.authorization), {
        target: targetIn(headers),
        method,
        purpose: single(headers, 'x-mpcp-purpose'),
        contentType: headers['content-type'],
        body: body ?? new Uint8Array(0),
        proof: single(headers, 'x-mpcp-session-proof'),
        ts: single(headers, 'x-mpcp-session-ts'),
      });
      return reply
        .code(answer.status)
        .type(answer.contentType ?? 'application/octet-stream')
        .send(Buffer.from(answer.body));
    });
  });
}

function single(headers: FastifyRequest['headers'], name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

function targetIn(headers: FastifyRequest['headers']): URL {
  const target = single(headers, 'x-target-url');
  // Without blanks: two headers come as one, with a comma and a blank between them.
  const url = target !== undefined && /^\S+$/.test(target) && URL.canParse(target) ? new URL(target) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new Problem(
      400,
      'invalid_request',
      'X-Target-Url is not one http or https address, without a name or password',
    );
  return url;
}
