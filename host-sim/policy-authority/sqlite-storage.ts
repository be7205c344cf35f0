// A Policy Authority's storage in a database: what was answered is kept, whatever becomes of the process.

import type { Database } from '../sqlite/database.ts';
import type {
  ApiKeyRecord,
  PolicyAuthorityStorage,
  Revocation,
  StoredBundle,
  StoredGrant,
  StoredPolicy,
} from './storage.ts';

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
    this.#database.run('INSERT INTO bundles (document) VALUES (?)', JSON.stringify(bundle));
  }

  async bundles(): Promise<readonly StoredBundle[]> {
    return this.#database.documents('SELECT document FROM bundles ORDER BY turn');
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
