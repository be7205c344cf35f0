// What a run leaves behind in a folder: the flash of each device with its image, in files that the `ledger` commands read, and one
// database of the authority and the operator's backend, as `pa serve --file` has it.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FLASH_FILES } from '../day/day.ts';
import { FileStore, type Store } from '../flash/store.ts';
import { SqliteStorage as OperatorSqlite } from '../operator-backend/sqlite-storage.ts';
import { SqliteStorage as AuthoritySqlite } from '../policy-authority/sqlite-storage.ts';
import { Database } from '../sqlite/database.ts';

/** A partition of a device. */
export type Partition = 'ledger' | 'journal' | 'bundles';

/** The database of authority and operator. */
export const DATABASE_FILE = 'authority.db';

/** See the head of the file. */
export class KeptRun {
  readonly storage: { readonly authority: AuthoritySqlite; readonly operator: OperatorSqlite };
  readonly #folder: string;
  readonly #database: Database;
  readonly #stores: FileStore[] = [];

  private constructor(folder: string, database: Database) {
    this.#folder = folder;
    this.#database = database;
    this.storage = { authority: new AuthoritySqlite(database), operator: new OperatorSqlite(database) };
  }

  /** @param folder is there, and empty. @throws what the file system says */
  static async in(folder: string): Promise<KeptRun> {
    return new KeptRun(folder, await Database.open(join(folder, DATABASE_FILE)));
  }

  /** A partition of a device, in a file of its own. Not each write is waited for: a run that is broken off is run again. */
  store(deviceId: string, partition: Partition, bytes: number): Store {
    mkdirSync(join(this.#folder, deviceId), { recursive: true });
    const store = new FileStore(join(this.#folder, deviceId, FLASH_FILES[partition]), { size: bytes, sync: false });
    this.#stores.push(store);
    return store;
  }

  /** The image that a device has in the end. It holds keys: nobody else may read it. */
  image(deviceId: string, image: Uint8Array): void {
    writeFileSync(join(this.#folder, deviceId, FLASH_FILES.provisioning), image, { mode: 0o600 });
  }

  /** Closes its files. */
  close(): void {
    for (const store of this.#stores) store.close();
    this.#database.close();
  }
}
