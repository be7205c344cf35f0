// API keys of an operator's backend: one for each device, which hands in with it and does nothing else, and the operator's.

import { apiKeyHash, freshApiKey, presentedKeyHash } from '../http/bearer.ts';
import { Problem } from './problem.ts';
import type { ApiKeyRecord, OperatorStorage } from './storage.ts';

/** Makes a key: a device's, or without a device the operator's. @returns the key itself; it cannot be had again */
export async function issueApiKey(storage: OperatorStorage, keyId: string, deviceId?: string): Promise<string> {
  const key = freshApiKey();
  await storage.putApiKey({ keyId, sha256: apiKeyHash(key), ...(deviceId === undefined ? {} : { deviceId }) });
  return key;
}

/** Lets a request pass that carries the key of the device. @throws Problem 401 without a known key, 403 with another */
export async function requireDevice(
  storage: OperatorStorage,
  authorization: string | undefined,
  deviceId: string,
): Promise<void> {
  const record = await presented(storage, authorization);
  if (record.deviceId !== deviceId)
    throw new Problem(403, 'forbidden', `API key ${record.keyId} is not that of device ${deviceId}`);
}

/** Lets a request pass that carries an operator's key. @throws Problem 401 without a known key, 403 with a device's */
export async function requireOperator(storage: OperatorStorage, authorization: string | undefined): Promise<void> {
  const record = await presented(storage, authorization);
  if (record.deviceId !== undefined)
    throw new Problem(403, 'forbidden', `API key ${record.keyId} is a device's, which reads nothing`);
}

async function presented(storage: OperatorStorage, authorization: string | undefined): Promise<ApiKeyRecord> {
  const record = await storage.apiKey(presentedKeyHash(authorization));
  if (record === undefined) throw new Problem(401, 'unauthorized', 'the API key is not known');
  return record;
}
