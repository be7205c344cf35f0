// A Policy Authority's storage in a database: what was answered is kept, whatever becomes of the process.

import type { Database } from '../sqlite/database.ts';
import {
  type ApiKeyRecord,
  type BundlesAsked,
  bundleIdentity,
  type PolicyAuthorityStorage,
  type Revocation,
  type StoredBundle,
  type StoredGrant,
  type StoredPolicy,
} from './storage.ts';

/** The merchant or region of a bundle that has none: both are texts with something in them. */
const NONE = '';

/** See the head of the file. The database stays the caller's, who closes it. */
export class SqliteStorage implements PolicyAuthorityStorage {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async putPolicy(policy: StoredPolicy): Promise<StoredPolicy> {
    const { policyHash } = policy;
    this.#database.run('INSERT OR IGNORE INTO policies VALUES (?, ?)', policyHash, JSON.stringify(policy));
    return (await this.policy(policyHash)) as StoredPolicy;
  }

  async policy(policyHash: string): Promise<StoredPolicy | undefined> {
    return this.#database.documents<StoredPolicy>('SELECT document FROM policies WHERE policyHash = ?', policyHash)[0];
  }

  async putGrant(grant: StoredGrant): Promise<void> {
    this.#database.run('INSERT OR REPLACE INTO grants VALUES (?, ?)', grant.grantId, JSON.stringify(grant));
  }

  async grant(grantId: string): Promise<StoredGrant | undefined> {
    return this.#database.documents<StoredGrant>('SELECT document FROM grants WHERE grantId = ?', grantId)[0];
  }

  async revoke({ grantId, revokedAtMs }: Revocation): Promise<Revocation> {
    const sql = 'INSERT OR IGNORE INTO revocations (grantId, revokedAtMs) VALUES (?, ?)';
    this.#database.run(sql, grantId, revokedAtMs);
    return (await this.revocation(grantId)) as Revocation;
  }

  async revocation(grantId: string): Promise<Revocation | undefined> {
    const sql = 'SELECT grantId, revokedAtMs FROM revocations WHERE grantId = ?';
    return this.#database.first(sql, grantId) as Revocation | undefined;
  }

  async revocations(): Promise<readonly Revocation[]> {
    const rows = this.#database.all('SELECT grantId, revokedAtMs FROM revocations ORDER BY turn');
    return rows as unknown as readonly Revocation[];
  }

  async putBundle(bundle: StoredBundle): Promise<void> {
    const { category, merchant = NONE, region = NONE, issuedAtMs, expiresAtMs } = bundle;
    const identity = bundleIdentity(bundle);
    // A trigger takes the mark from the one before, within this statement.
    const sql = `INSERT INTO bundles (identity, category, merchant, region, issuedAtMs, expiresAtMs, document, isNewest)
      VALUES (?, ?, ?, ?, ?, ?, ?,
        NOT EXISTS (SELECT 1 FROM bundles WHERE identity = ? AND isNewest = 1 AND issuedAtMs >= ?))`;
    const members = [identity, category, merchant, region, issuedAtMs, expiresAtMs, JSON.stringify(bundle)];
    this.#database.run(sql, ...members, identity, issuedAtMs);
  }

  async newestBundles({ filter, afterMs, most }: BundlesAsked): Promise<readonly StoredBundle[]> {
    const { category, merchant, region } = filter;
    const wanted = [
      { sql: 'category = ?', values: [category] },
      { sql: 'merchant IN (?, ?)', values: [merchant, NONE] },
      { sql: 'region IN (?, ?)', values: [region, NONE] },
    ].filter(({ values: [value] }) => value !== undefined);
    const sql = ['isNewest = 1', ...wanted.map(({ sql }) => sql), 'expiresAtMs > ?'].join(' AND ');
    // Which ones is found in an index alone: without the plus SQLite goes through all that there are, in their order.
    return this.#database.documents<StoredBundle>(
      `SELECT document FROM bundles
        WHERE turn IN (SELECT turn FROM bundles WHERE ${sql} ORDER BY +turn LIMIT ?) ORDER BY turn`,
      ...wanted.flatMap(({ values }) => values as readonly string[]),
      afterMs,
      most,
    );
  }

  async newestBundleMs(): Promise<number> {
    return Number(this.#database.first('SELECT coalesce(max(issuedAtMs), 0) AS ms FROM bundles')?.ms);
  }

  async putApiKey(key: ApiKeyRecord): Promise<boolean> {
    const sql = 'INSERT OR IGNORE INTO authorityKeys VALUES (?, ?, ?)';
    return this.#database.run(sql, key.keyId, key.sha256, JSON.stringify(key)) > 0;
  }

  async apiKey(sha256: string): Promise<ApiKeyRecord | undefined> {
    return this.#database.documents<ApiKeyRecord>('SELECT document FROM authorityKeys WHERE sha256 = ?', sha256)[0];
  }

  async deleteApiKey(keyId: string): Promise<boolean> {
    return this.#database.run('DELETE FROM authorityKeys WHERE keyId = ?', keyId) > 0;
  }
}
