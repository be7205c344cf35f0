// An operator's backend as a server: takes in what devices have accepted, on loopback unless told otherwise. It can be closed
// and opened again on the same port, with everything it was given still known.

import { ARTIFACT_LIMITS, type JsonLimits } from '../../core/limits.ts';
import type { Clock, Crypto, Log } from '../../core/ports/ports.ts';
import { JsonServer, type LocalAnswer, type LocalRequest } from '../http/json-server.ts';
import { ApiKeys } from './api-keys.ts';
import { Backend } from './backend.ts';
import { addRoutes, BATCH_RECEIPTS, DEVICE_ID_CHARACTERS } from './routes.ts';
import { MemoryStorage, type OperatorStorage } from './storage.ts';

/** A batch: what a device sends at a time, and more. */
const BATCH_LIMITS: JsonLimits = Object.freeze({
  ...ARTIFACT_LIMITS,
  bytes: 65_536,
  values: 65_536,
  elements: BATCH_RECEIPTS,
  depth: ARTIFACT_LIMITS.depth + 4,
});

/** What a backend is made of. */
export interface OperatorBackendOptions {
  readonly crypto: Crypto;
  /** Everything is dated by it. */
  readonly clock: Clock;
  /** Default: in memory. */
  readonly storage?: OperatorStorage;
  /** A key that makes the others and reads everything, and is not kept. Default: there is none. */
  readonly adminKey?: string;
  readonly log?: Log;
}

/** See the head of the file. */
export class OperatorBackend {
  readonly backend: Backend;
  readonly #apiKeys: ApiKeys;
  readonly #server: JsonServer;

  constructor({ crypto, clock, storage = new MemoryStorage(), adminKey, log }: OperatorBackendOptions) {
    const backend = new Backend(storage, crypto, clock, log);
    const apiKeys = new ApiKeys(storage, adminKey);
    this.backend = backend;
    this.#apiKeys = apiKeys;
    this.#server = new JsonServer({
      name: "operator's backend",
      events: 'backend',
      limits: BATCH_LIMITS,
      parameterCharacters: DEVICE_ID_CHARACTERS,
      log,
      addRoutes: (server) => addRoutes(server, backend, apiKeys),
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

  /** Makes the key that one device hands in with. @returns the key; only its hash is kept */
  issueDeviceKey(deviceId: string): Promise<string> {
    return this.#apiKeys.issueToDevice(deviceId);
  }

  /** Makes a key that reads everything and hands in nothing. @returns the key; only its hash is kept */
  issueOperatorKey(keyId: string): Promise<string> {
    return this.#apiKeys.issueToOperator(keyId);
  }
}
