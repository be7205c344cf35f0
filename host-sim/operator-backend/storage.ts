// What an operator's backend remembers: the receipts of every device, their grants once, what contradicts them, and API keys.
// The service sees the interface only; its methods are asynchronous so that a database can stand behind it.

import type { JsonObject, JsonValue } from '../../core/json/value.ts';

/** A receipt that a device has handed in. */
export interface StoredReceipt {
  readonly receiptId: number;
  /** Hexadecimal text: the hash of the receipt before, and its own. */
  readonly previous: string;
  readonly hash: string;
  /** As it came, without the grant. */
  readonly document: JsonObject;
  readonly receivedAtMs: number;
}

/** What came and was not taken: kept for whoever has to find out why. */
export interface Evidence {
  /** `conflict`: another receipt is kept under its id. `altered`: its hash is not that of what it holds. */
  readonly reason: 'conflict' | 'altered';
  readonly receiptId: number;
  readonly detail: string;
  /** As it came. */
  readonly document: JsonObject;
  /** When it came first. */
  readonly receivedAtMs: number;
}

/** An API key without its secret. */
export interface ApiKeyRecord {
  readonly keyId: string;
  /** SHA-256 of the key, hexadecimal. */
  readonly sha256: string;
  /** The one device that hands in with it; left out, it is the operator's, who reads everything. */
  readonly deviceId?: string;
}

/** See the head of the file. */
export interface OperatorStorage {
  /** Keeps a receipt under (deviceId, receiptId). One that is there already stays, unless it could not be read or was in doubt. @returns what is kept */
  putReceipt(deviceId: string, receipt: StoredReceipt): Promise<StoredReceipt>;
  receipt(deviceId: string, receiptId: number): Promise<StoredReceipt | undefined>;
  /** Those with a higher id, by id. */
  receipts(deviceId: string, after: number, most: number): Promise<readonly StoredReceipt[]>;
  /** The receipt with the highest id. */
  newestReceipt(deviceId: string): Promise<StoredReceipt | undefined>;
  /** Keeps a grant under its key, which is a hash of it. */
  putGrant(grantKey: string, grant: JsonValue): Promise<void>;
  grant(grantKey: string): Promise<JsonValue | undefined>;
  /** Keeps what was not taken; the same said again is kept once. */
  putEvidence(deviceId: string, evidence: Evidence): Promise<void>;
  /** All of it, oldest first. */
  evidence(deviceId: string): Promise<readonly Evidence[]>;
  putApiKey(key: ApiKeyRecord): Promise<void>;
  /** The key with this hash. */
  apiKey(sha256: string): Promise<ApiKeyRecord | undefined>;
}

/** A storage that ends with the process. */
export class MemoryStorage implements OperatorStorage {
  readonly #devices = new Map<string, { receipts: StoredReceipt[]; evidence: Map<string, Evidence> }>();
  readonly #grants = new Map<string, JsonValue>();
  readonly #apiKeys = new Map<string, ApiKeyRecord>();

  async putReceipt(deviceId: string, receipt: StoredReceipt): Promise<StoredReceipt> {
    const { receipts } = this.#device(deviceId);
    const at = placeOf(receipts, receipt.receiptId);
    const there = receipts[at];
    if (there?.receiptId !== receipt.receiptId) receipts.splice(at, 0, receipt);
    else if (there.hash === receipt.hash && rank(receipt) > rank(there)) receipts[at] = receipt;
    return receipts[at] as StoredReceipt;
  }

  async receipt(deviceId: string, receiptId: number): Promise<StoredReceipt | undefined> {
    const { receipts } = this.#device(deviceId);
    const found = receipts[placeOf(receipts, receiptId)];
    return found?.receiptId === receiptId ? found : undefined;
  }

  async receipts(deviceId: string, after: number, most: number): Promise<readonly StoredReceipt[]> {
    const { receipts } = this.#device(deviceId);
    const from = placeOf(receipts, after + 1);
    return receipts.slice(from, from + most);
  }

  async newestReceipt(deviceId: string): Promise<StoredReceipt | undefined> {
    return this.#device(deviceId).receipts.at(-1);
  }

  async putGrant(grantKey: string, grant: JsonValue): Promise<void> {
    this.#grants.set(grantKey, grant);
  }

  async grant(grantKey: string): Promise<JsonValue | undefined> {
    return this.#grants.get(grantKey);
  }

  async putEvidence(deviceId: string, evidence: Evidence): Promise<void> {
    const { evidence: kept } = this.#device(deviceId);
    const key = JSON.stringify([evidence.reason, evidence.document]);
    if (!kept.has(key)) kept.set(key, evidence);
  }

  async evidence(deviceId: string): Promise<readonly Evidence[]> {
    return [...this.#device(deviceId).evidence.values()];
  }

  async putApiKey(key: ApiKeyRecord): Promise<void> {
    this.#apiKeys.set(key.sha256, key);
  }

  async apiKey(sha256: string): Promise<ApiKeyRecord | undefined> {
    return this.#apiKeys.get(sha256);
  }

  #device(deviceId: string): { receipts: StoredReceipt[]; evidence: Map<string, Evidence> } {
    const device = this.#devices.get(deviceId) ?? { receipts: [], evidence: new Map() };
    this.#devices.set(deviceId, device);
    return device;
  }
}

/** How much a receipt says: one that could not be read, one in doubt, one that counts. */
function rank({ document }: StoredReceipt): number {
  return document.kind === 'unreadable' ? 0 : document.doubt === undefined ? 2 : 1;
}

/** Where a receipt id is, or would be, in a list by id. */
function placeOf(receipts: readonly StoredReceipt[], receiptId: number): number {
  let low = 0;
  let high = receipts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((receipts[middle] as StoredReceipt).receiptId < receiptId) low = middle + 1;
    else high = middle;
  }
  return low;
}
