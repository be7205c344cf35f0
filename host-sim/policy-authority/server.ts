// A Policy Authority as a server: Fastify around the routes, on loopback unless told otherwise. It can be closed and
// opened again on the same port, with everything it has issued still known.

import { ARTIFACT_LIMITS, BUNDLE_LIMITS } from '../../core/limits.ts';
import type { Clock, Log } from '../../core/ports/ports.ts';
import { JsonServer, type LocalAnswer, type LocalRequest } from '../http/json-server.ts';
import { ApiKeys } from './api-keys.ts';
import { Authority, type AuthorityOptions } from './authority.ts';
import { addRoutes } from './routes.ts';
import { type AuthorityIdentity, AuthoritySigner } from './signer.ts';
import { MemoryStorage, type PolicyAuthorityStorage, type Scope } from './storage.ts';

/** Bytes of a request body. */
export const BODY_BYTES = 65_536;

/** What a Policy Authority is made of. */
export interface PolicyAuthorityOptions extends AuthorityOptions {
  readonly identity: AuthorityIdentity;
  /** Everything is dated by it. */
  readonly clock: Clock;
  /** Default: in memory. */
  readonly storage?: PolicyAuthorityStorage;
  /** A key that may do everything and is not kept. Default: there is none. */
  readonly adminKey?: string;
  readonly log?: Log;
}

/** See the head of the file. */
export class PolicyAuthority {
  readonly authority: Authority;
  readonly #apiKeys: ApiKeys;
  readonly #server: JsonServer;

  constructor(options: PolicyAuthorityOptions) {
    const storage = options.storage ?? new MemoryStorage();
    const authority = new Authority(new AuthoritySigner(options.identity), storage, options.clock, options);
    const apiKeys = new ApiKeys(storage, options.adminKey);
    this.authority = authority;
    this.#apiKeys = apiKeys;
    this.#server = new JsonServer({
      name: 'Policy Authority',
      events: 'authority',
      limits: { ...BUNDLE_LIMITS, bytes: BODY_BYTES },
      parameterCharacters: ARTIFACT_LIMITS.stringBytes,
      log: options.log,
      addRoutes: (server) => addRoutes(server, authority, apiKeys),
    });
  }

  /** Where it can be reached, `http://host:port`. @throws Error while it is closed */
  get url(): string {
    return this.#server.url;
  }

  /**
   * Begins to serve.
   *
   * @param port 0 takes a free one
   * @returns the URL
   * @throws Error where it serves already, or the port cannot be had
   */
  listen(port = 0, host = '127.0.0.1'): Promise<string> {
    return this.#server.listen(port, host);
  }

  /** Ends serving and drops open connections. Does nothing where it is closed. @param graceMs see JsonServer */
  close(graceMs?: number): Promise<void> {
    return this.#server.close(graceMs);
  }

  /** Answers a request of this process, without a socket, whether or not it is open. */
  answer(request: LocalRequest): Promise<LocalAnswer> {
    return this.#server.answer(request);
  }

  /** Makes an API key. @returns the key; only its hash is kept */
  issueApiKey(keyId: string, scopes: readonly Scope[]): Promise<string> {
    return this.#apiKeys.issue(keyId, scopes);
  }
}
