// API keys of an operator's backend: one for each device, which hands in with it and does nothing else, and the operator's. The
// administrator's, which makes them, comes with the start and is not kept.

import { apiKeyHash, freshApiKey, presentedKeyHash } from '../http/bearer.ts';
import { Problem } from './problem.ts';
import type { ApiKeyRecord, OperatorStorage } from './storage.ts';

/** See the head of the file. */
export class ApiKeys {
  readonly #storage: OperatorStorage;
  readonly #administrator: string | undefined;

  /** @param adminKey a key that makes others and reads everything; left out, there is none */
  constructor(storage: OperatorStorage, adminKey?: string) {
    this.#storage = storage;
    this.#administrator = adminKey === undefined ? undefined : apiKeyHash(adminKey);
  }

  /** Makes the key that one device hands in with. @returns the key itself; it cannot be had again */
  issueToDevice(deviceId: string): Promise<string> {
    return this.#issue({ keyId: `device-${deviceId}`, deviceId });
  }

  /** Makes a key that reads everything. @returns the key itself; it cannot be had again */
  issueToOperator(keyId: string): Promise<string> {
    return this.#issue({ keyId });
  }

  /**
   * Withdraws every key that a device has: it was stolen, or is gone. One that is made for it later is good.
   *
   * @returns how many it had
   * @throws Problem 404 where it has none
   */
  async withdrawFromDevice(deviceId: string): Promise<number> {
    const withdrawn = await this.#storage.withdrawApiKeys(deviceId);
    if (withdrawn === 0) throw new Problem(404, 'key_not_found', `device ${deviceId} has no API key that is good`);
    return withdrawn;
  }

  /** Lets a request pass that carries the key of the device. @throws Problem 401 without a known key, 403 with another */
  async requireDevice(authorization: string | undefined, deviceId: string): Promise<void> {
    const record = await this.#presented(authorization);
    if (record.deviceId !== deviceId)
      throw new Problem(403, 'forbidden', `API key ${record.keyId} is not that of device ${deviceId}`);
  }

  /** Lets a request pass that carries an operator's key. @throws Problem 401 without a known key, 403 with a device's */
  async requireOperator(authorization: string | undefined): Promise<void> {
    if (this.#isAdministrator(authorization)) return;
    const record = await this.#presented(authorization);
    if (record.deviceId !== undefined)
      throw new Problem(403, 'forbidden', `API key ${record.keyId} is a device's, which reads nothing`);
  }

  /** Lets the administrator pass. @throws Problem 401 without a known key, 403 with another */
  async requireAdministrator(authorization: string | undefined): Promise<void> {
    if (this.#isAdministrator(authorization)) return;
    const { keyId } = await this.#presented(authorization);
    throw new Problem(403, 'forbidden', `API key ${keyId} is not the administrator's`);
  }

  async #issue(holder: { readonly keyId: string; readonly deviceId?: string }): Promise<string> {
    const key = freshApiKey();
    await this.#storage.putApiKey({ ...holder, sha256: apiKeyHash(key) });
    return key;
  }

  #isAdministrator(authorization: string | undefined): boolean {
    return presentedKeyHash(authorization) === this.#administrator;
  }

  async #presented(authorization: string | undefined): Promise<ApiKeyRecord> {
    const record = await this.#storage.apiKey(presentedKeyHash(authorization));
    if (record === undefined) throw new Problem(401, 'unauthorized', 'the API key is not known');
    if (record.isWithdrawn) throw new Problem(401, 'unauthorized', `API key ${record.keyId} was withdrawn`);
    return record;
  }
}
