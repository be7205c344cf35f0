// What an operator's backend remembers: chains of receipts of every device, grants once, what contradicts them, and API keys.
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

/** A chain of receipts that the operator has begun for a device: its flash was formatted, or its board replaced. */
export interface StoredChain {
  /** From 2: the first chain is begun by nobody. */
  readonly chain: number;
  readonly reason: string;
  readonly begunAtMs: number;
}

/** Whose receipts: those of a device, and of which of its chains. */
export interface ChainOf {
  readonly deviceId: string;
  readonly chain: number;
}

/** What a device has said of itself: its state document (docs/STATE.md). */
export interface DeviceState {
  readonly document: JsonObject;
  readonly receivedAtMs: number;
}

/** A device that has been heard of. */
export interface SeenDevice {
  readonly deviceId: string;
  /** When it last did something with its key. */
  readonly seenAtMs: number;
  /** The last that it has said of itself, where it has. */
  readonly state?: DeviceState;
}

/** An API key without its secret. */
export interface ApiKeyRecord {
  readonly keyId: string;
  /** SHA-256 of the key, hexadecimal. */
  readonly sha256: string;
  /** The one device that hands in with it; left out, it is the operator's, who reads everything. */
  readonly deviceId?: string;
  /** Whether it was withdrawn. It stays known: a later start of the device is to be told from a guess. */
  readonly isWithdrawn?: boolean;
}

/** See the head of the file. */
export interface OperatorStorage {
  /** Keeps a receipt under its id. One that is there already stays, unless it could not be read or was in doubt. */
  putReceipt(of: ChainOf, receipt: StoredReceipt): Promise<void>;
  receipt(of: ChainOf, receiptId: number): Promise<StoredReceipt | undefined>;
  /** Those with a higher id, by id. */
  receipts(of: ChainOf, after: number, most: number): Promise<readonly StoredReceipt[]>;
  /** The receipt with the highest id. */
  newestReceipt(of: ChainOf): Promise<StoredReceipt | undefined>;
  /** Keeps a grant under its key, which is a hash of it. */
  putGrant(grantKey: string, grant: JsonValue): Promise<void>;
  grant(grantKey: string): Promise<JsonValue | undefined>;
  /** Keeps what was not taken; the same said again is kept once. */
  putEvidence(of: ChainOf, evidence: Evidence): Promise<void>;
  /** All of it, oldest first. */
  evidence(of: ChainOf): Promise<readonly Evidence[]>;
  /** Keeps that a chain was begun. */
  putChain(deviceId: string, chain: StoredChain): Promise<void>;
  /** Those that were begun, in order. */
  chains(deviceId: string): Promise<readonly StoredChain[]>;
  putApiKey(key: ApiKeyRecord): Promise<void>;
  /** The key with this hash. */
  apiKey(sha256: string): Promise<ApiKeyRecord | undefined>;
  /** Withdraws every key that a device has. @returns how many it had */
  withdrawApiKeys(deviceId: string): Promise<number>;
  /** Keeps when a device was seen, and what it said of itself; a state that it said before stays. */
  putSeen(deviceId: string, seenAtMs: number, state?: DeviceState): Promise<void>;
  /** All devices that were seen, by id. */
  devices(): Promise<readonly SeenDevice[]>;
}

/** A storage that ends with the process. */
export class MemoryStorage implements OperatorStorage {
  readonly #receipts = new Map<string, ChainInMemory>();
  readonly #chains = new Map<string, StoredChain[]>();
  readonly #grants = new Map<string, JsonValue>();
  readonly #apiKeys = new Map<string, ApiKeyRecord>();
  readonly #devices = new Map<string, SeenDevice>();

  async putReceipt(of: ChainOf, receipt: StoredReceipt): Promise<void> {
    const { receipts } = this.#chain(of);
    const at = placeOf(receipts, receipt.receiptId);
    const there = receipts[at];
    if (there?.receiptId !== receipt.receiptId) receipts.splice(at, 0, receipt);
    else if (replaces(receipt, there)) receipts[at] = receipt;
  }

  async receipt(of: ChainOf, receiptId: number): Promise<StoredReceipt | undefined> {
    const { receipts } = this.#chain(of);
    const found = receipts[placeOf(receipts, receiptId)];
    return found?.receiptId === receiptId ? found : undefined;
  }

  async receipts(of: ChainOf, after: number, most: number): Promise<readonly StoredReceipt[]> {
    const { receipts } = this.#chain(of);
    const from = placeOf(receipts, after + 1);
    return receipts.slice(from, from + most);
  }

  async newestReceipt(of: ChainOf): Promise<StoredReceipt | undefined> {
    return this.#chain(of).receipts.at(-1);
  }

  async putGrant(grantKey: string, grant: JsonValue): Promise<void> {
    this.#grants.set(grantKey, grant);
  }

  async grant(grantKey: string): Promise<JsonValue | undefined> {
    return this.#grants.get(grantKey);
  }

  async putEvidence(of: ChainOf, evidence: Evidence): Promise<void> {
    const { evidence: kept } = this.#chain(of);
    const key = JSON.stringify([evidence.reason, evidence.document]);
    if (!kept.has(key)) kept.set(key, evidence);
  }

  async evidence(of: ChainOf): Promise<readonly Evidence[]> {
    return [...this.#chain(of).evidence.values()];
  }

  async putChain(deviceId: string, chain: StoredChain): Promise<void> {
    this.#chains.set(deviceId, [...(this.#chains.get(deviceId) ?? []), chain]);
  }

  async chains(deviceId: string): Promise<readonly StoredChain[]> {
    return this.#chains.get(deviceId) ?? [];
  }

  async putApiKey(key: ApiKeyRecord): Promise<void> {
    this.#apiKeys.set(key.sha256, key);
  }

  async apiKey(sha256: string): Promise<ApiKeyRecord | undefined> {
    return this.#apiKeys.get(sha256);
  }

  async withdrawApiKeys(deviceId: string): Promise<number> {
    const keys = [...this.#apiKeys.values()].filter((key) => key.deviceId === deviceId && key.isWithdrawn !== true);
    for (const key of keys) this.#apiKeys.set(key.sha256, { ...key, isWithdrawn: true });
    return keys.length;
  }

  async putSeen(deviceId: string, seenAtMs: number, state?: DeviceState): Promise<void> {
    const said = state ?? this.#devices.get(deviceId)?.state;
    this.#devices.set(deviceId, { deviceId, seenAtMs, ...(said === undefined ? {} : { state: said }) });
  }

  async devices(): Promise<readonly SeenDevice[]> {
    return [...this.#devices.values()].sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
  }

  #chain({ deviceId, chain }: ChainOf): ChainInMemory {
    const key = JSON.stringify([deviceId, chain]);
    const there = this.#receipts.get(key) ?? { receipts: [], evidence: new Map() };
    this.#receipts.set(key, there);
    return there;
  }
}

interface ChainInMemory {
  /** By id. */
  readonly receipts: StoredReceipt[];
  readonly evidence: Map<string, Evidence>;
}

/** Whether a receipt says more than the one that is kept under its id, and does not contradict it. */
export function replaces(receipt: StoredReceipt, there: StoredReceipt): boolean {
  return there.hash === receipt.hash && rank(receipt) > rank(there);
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
