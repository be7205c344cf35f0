// An agent's end of a gateway, in the shape of the published client: `createSession`, `session.fetch`, `remaining`, receipts.
// With a session key every request is signed, so that a stolen token alone pays nothing.

import { createHash } from 'node:crypto';
import { domainDigest } from '../../core/hash/domains.ts';
import type { JsonObject } from '../../core/json/value.ts';
import type { Clock } from '../../core/ports/ports.ts';
import { createNodeCrypto } from '../ports/node-crypto.ts';
import { SYSTEM_CLOCK } from '../ports/system-clock.ts';
import { publicJwk, publicKeyOfJwk, type SigningKey, sign, type VerificationKey } from '../signing/keys.ts';
import type { SessionRequest } from './gateway.ts';
import type { GatewayReceipt } from './receipts.ts';

/** A gateway's refusal. */
export class GatewayError extends Error {
  readonly status: number;
  /** As the gateway names it: `budget_exceeded`, `grant_revoked`, … */
  readonly code: string;

  constructor(status: number, { error, detail }: JsonObject) {
    super(String(detail));
    this.status = status;
    this.code = String(error);
  }
}

/** How a client reaches its gateway. */
export interface GatewayClientOptions {
  readonly gatewayUrl: string;
  readonly apiKey: string;
  /** Dates proofs. Default: the machine's. */
  readonly clock?: Clock;
}

/** What a session sends a merchant. */
export interface AgentRequest {
  /** What is paid for, where the merchant wants to be paid. */
  readonly purpose?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string;
}

/** See the head of the file. */
export class GatewayClient {
  readonly #options: GatewayClientOptions;

  constructor(options: GatewayClientOptions) {
    this.#options = options;
  }

  /** Opens a session. @param sessionKey what its requests are signed with; left out, the token is enough */
  async createSession(request: Omit<SessionRequest, 'sessionKey'>, sessionKey?: SigningKey): Promise<GatewaySession> {
    const key = sessionKey === undefined ? {} : { sessionKey: publicJwk(sessionKey) };
    const { sessionId, sessionToken } = await this.call('POST', '/sessions', { ...request, ...key });
    return new GatewaySession(this, this.#options, String(sessionId), String(sessionToken), sessionKey);
  }

  /** The receipts of a session. */
  async getReceipts(sessionId: string): Promise<readonly GatewayReceipt[]> {
    const { receipts } = await this.call('GET', `/sessions/${sessionId}/receipts`);
    return receipts as unknown as readonly GatewayReceipt[];
  }

  /** The keys that receipts are signed with. */
  async fetchGatewayKeys(): Promise<readonly VerificationKey[]> {
    const { keys } = await this.call('GET', '/.well-known/mpcp-keys.json');
    return (keys as readonly JsonObject[]).map((jwk) => ({
      kid: String(jwk.kid),
      publicKey: publicKeyOfJwk(jwk).publicKey,
    }));
  }

  /** Calls the session API. @throws GatewayError */
  async call(method: string, path: string, body?: object): Promise<JsonObject> {
    const { gatewayUrl, apiKey } = this.#options;
    const headers = { authorization: `Bearer ${apiKey}`, ...(body && { 'content-type': 'application/json' }) };
    const response = await fetch(new URL(path, gatewayUrl), {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as JsonObject;
    if (!response.ok) throw new GatewayError(response.status, answer);
    return answer;
  }
}

/** A session of an agent. */
export class GatewaySession {
  readonly id: string;
  readonly #client: GatewayClient;
  readonly #options: GatewayClientOptions;
  readonly #token: string;
  readonly #key: SigningKey | undefined;
  #lastMs = 0;

  /** `GatewayClient.createSession` is the way in. */
  constructor(
    client: GatewayClient,
    options: GatewayClientOptions,
    id: string,
    token: string,
    key: SigningKey | undefined,
  ) {
    this.#client = client;
    this.#options = options;
    this.id = id;
    this.#token = token;
    this.#key = key;
  }

  /** What authorizes a request of this session: the token, and where it has a key the proof. */
  authorization(body: string): Record<string, string> {
    const bearer = { authorization: `Bearer ${this.#token}` };
    if (this.#key === undefined) return bearer;
    // Each proof is good once: two requests never state the same time.
    this.#lastMs = Math.max((this.#options.clock ?? SYSTEM_CLOCK).wallMs() ?? 0, this.#lastMs + 1);
    const ts = new Date(this.#lastMs).toISOString();
    const bodySha256 = createHash('sha256').update(body).digest('hex');
    const payload = { sessionId: this.id, method: 'POST', path: '/proxy', bodySha256, ts };
    const proof = sign(this.#key, domainDigest(createNodeCrypto(), 'GatewaySession', payload));
    return {
      ...bearer,
      'x-mpcp-session-proof': Buffer.from(proof).toString('base64url'),
      'x-mpcp-session-ts': ts,
    };
  }

  /** Posts to a merchant through the gateway. What the gateway refuses, and what the merchant answers, is the answer. */
  fetch(url: string, { purpose, headers, body = '' }: AgentRequest = {}): Promise<Response> {
    return fetch(new URL('/proxy', this.#options.gatewayUrl), {
      method: 'POST',
      headers: {
        'content-type': 'application/octet-stream',
        ...headers,
        ...this.authorization(body),
        'x-target-url': url,
        ...(purpose === undefined ? {} : { 'x-mpcp-purpose': purpose }),
      },
      ...(body === '' ? {} : { body }),
    });
  }

  /** What is left of its budget. */
  async remaining(): Promise<{
    readonly budgetMinor: string;
    readonly allocatedMinor: string;
    readonly remainingMinor: string;
  }> {
    return (await this.#client.call('GET', `/sessions/${this.id}`)) as never;
  }

  /** Ends it. */
  async revoke(): Promise<void> {
    await this.#client.call('DELETE', `/sessions/${this.id}`);
  }
}
