// An operator's backend's storage in a database: what was acknowledged is kept, whatever becomes of the process.

import type { JsonValue } from '../../core/json/value.ts';
import type { Database } from '../sqlite/database.ts';
import {
  type ApiKeyRecord,
  type ChainOf,
  type DeviceState,
  type Evidence,
  type OperatorStorage,
  replaces,
  type SeenDevice,
  type StoredChain,
  type StoredReceipt,
} from './storage.ts';

/** See the head of the file. The database stays the caller's, who closes it. */
export class SqliteStorage implements OperatorStorage {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async putReceipt(of: ChainOf, receipt: StoredReceipt): Promise<void> {
    const there = await this.receipt(of, receipt.receiptId);
    if (there !== undefined && !replaces(receipt, there)) return;
    const sql = 'INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?)';
    this.#database.run(sql, of.deviceId, of.chain, receipt.receiptId, JSON.stringify(receipt));
  }

  async receipt({ deviceId, chain }: ChainOf, receiptId: number): Promise<StoredReceipt | undefined> {
    const sql = 'SELECT document FROM receipts WHERE deviceId = ? AND chain = ? AND receiptId = ?';
    return this.#database.documents<StoredReceipt>(sql, deviceId, chain, receiptId)[0];
  }

  async receipts({ deviceId, chain }: ChainOf, after: number, most: number): Promise<readonly StoredReceipt[]> {
    const sql =
      'SELECT document FROM receipts WHERE deviceId = ? AND chain = ? AND receiptId > ? ORDER BY receiptId LIMIT ?';
    return this.#database.documents(sql, deviceId, chain, after, most);
  }

  async newestReceipt({ deviceId, chain }: ChainOf): Promise<StoredReceipt | undefined> {
    const sql = 'SELECT document FROM receipts WHERE deviceId = ? AND chain = ? ORDER BY receiptId DESC LIMIT 1';
    return this.#database.documents<StoredReceipt>(sql, deviceId, chain)[0];
  }

  async putGrant(grantKey: string, grant: JsonValue): Promise<void> {
    this.#database.run('INSERT OR REPLACE INTO receiptGrants VALUES (?, ?)', grantKey, JSON.stringify(grant));
  }

  async grant(grantKey: string): Promise<JsonValue | undefined> {
    return this.#database.documents<JsonValue>('SELECT document FROM receiptGrants WHERE grantKey = ?', grantKey)[0];
  }

  async putEvidence({ deviceId, chain }: ChainOf, evidence: Evidence): Promise<void> {
    const said = JSON.stringify([evidence.reason, evidence.document]);
    const sql = 'INSERT OR IGNORE INTO evidence (deviceId, chain, said, document) VALUES (?, ?, ?, ?)';
    this.#database.run(sql, deviceId, chain, said, JSON.stringify(evidence));
  }

  async evidence({ deviceId, chain }: ChainOf): Promise<readonly Evidence[]> {
    return this.#database.documents(
      'SELECT document FROM evidence WHERE deviceId = ? AND chain = ? ORDER BY turn',
      deviceId,
      chain,
    );
  }

  async putChain(deviceId: string, chain: StoredChain): Promise<void> {
    this.#database.run('INSERT INTO chains (deviceId, document) VALUES (?, ?)', deviceId, JSON.stringify(chain));
  }

  async chains(deviceId: string): Promise<readonly StoredChain[]> {
    return this.#database.documents('SELECT document FROM chains WHERE deviceId = ? ORDER BY turn', deviceId);
  }

  async putApiKey(key: ApiKeyRecord): Promise<void> {
    this.#database.run('INSERT INTO operatorKeys VALUES (?, ?)', key.sha256, JSON.stringify(key));
  }

  async apiKey(sha256: string): Promise<ApiKeyRecord | undefined> {
    return this.#database.documents<ApiKeyRecord>('SELECT document FROM operatorKeys WHERE sha256 = ?', sha256)[0];
  }

  async withdrawApiKeys(deviceId: string): Promise<number> {
    const sql = `UPDATE operatorKeys SET document = json_set(document, '$.isWithdrawn', json('true'))
      WHERE json_extract(document, '$.deviceId') = ? AND json_extract(document, '$.isWithdrawn') IS NULL`;
    return this.#database.run(sql, deviceId);
  }

  async putSeen(deviceId: string, seenAtMs: number, state?: DeviceState): Promise<void> {
    const sql = `INSERT INTO devices VALUES (?, ?, ?)
      ON CONFLICT (deviceId) DO UPDATE SET seenAtMs = excluded.seenAtMs, state = coalesce(excluded.state, state)`;
    this.#database.run(sql, deviceId, seenAtMs, state === undefined ? null : JSON.stringify(state));
  }

  async devices(): Promise<readonly SeenDevice[]> {
    const rows = this.#database.all('SELECT deviceId, seenAtMs, state FROM devices ORDER BY deviceId');
    return rows.map(({ deviceId, seenAtMs, state }) => ({
      deviceId: String(deviceId),
      seenAtMs: Number(seenAtMs),
      ...(state === null ? {} : { state: JSON.parse(String(state)) as DeviceState }),
    }));
  }
}
