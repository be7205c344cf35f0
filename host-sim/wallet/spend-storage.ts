// What a wallet remembers of what it has authorized, so that a restart does not make it forget. A session works on the
// interface; who has a store of his own puts it in the place of these.

import { inspect } from 'node:util';
import { systemReason } from '../ports/system-reason.ts';
import { Database, DatabaseProblem } from '../sqlite/database.ts';
import { FileInUse } from '../sqlite/sole-use.ts';

/** How much may be taken from an account, and how much was. */
export interface SpendAccount {
  readonly limit: bigint;
  readonly taken: bigint;
}

/**
 * Accounts that amounts are taken from: one for each session, one for each budget. What a method did is durable when it
 * returns, and nothing else comes in between: a session asks before it signs, and two that share a storage never take
 * more than the limit together.
 */
export interface SpendStorage {
  /** Sets the limit of an account; where there is one already, what was taken stays. */
  open(account: string, limit: bigint): void;
  account(account: string): SpendAccount | undefined;
  /** Takes from an account. @returns false where that is above its limit, or there is no such account; nothing is taken then */
  take(account: string, amount: bigint): boolean;
}

/** A storage that ends with the process. */
export class MemorySpendStorage implements SpendStorage {
  readonly #accounts = new Map<string, SpendAccount>();

  open(account: string, limit: bigint): void {
    this.#accounts.set(account, { limit, taken: this.#accounts.get(account)?.taken ?? 0n });
  }

  account(account: string): SpendAccount | undefined {
    return this.#accounts.get(account);
  }

  take(account: string, amount: bigint): boolean {
    const there = this.#accounts.get(account);
    if (there === undefined || there.taken + amount > there.limit) return false;
    this.#accounts.set(account, { ...there, taken: there.taken + amount });
    return true;
  }
}

/** A storage in an SQLite file, which one process works on. */
export class FileSpendStorage implements SpendStorage {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /** @throws DatabaseProblem that names the path, and why; FileInUse */
  static async at(path: string): Promise<FileSpendStorage> {
    // A database without a path would be in memory, and forget.
    const given: unknown = path;
    if (typeof given !== 'string') throw new DatabaseProblem(`${shown(given)} is not a path: it is not text`);
    if (given === '') throw new DatabaseProblem('"" is not a path: the file has no name');
    if (given.includes('\0')) throw new DatabaseProblem(`${shown(given)} is not a path: it holds a zero byte`);
    try {
      return new FileSpendStorage(await Database.open(path));
    } catch (error) {
      if (error instanceof DatabaseProblem || error instanceof FileInUse) throw error;
      throw new DatabaseProblem(`cannot write ${path}: ${systemReason(error)}`, { cause: error });
    }
  }

  open(account: string, limit: bigint): void {
    const sql = `INSERT INTO spends VALUES (?, ?, '0') ON CONFLICT (account) DO UPDATE SET most = excluded.most`;
    this.#database.run(sql, account, limit.toString());
  }

  account(account: string): SpendAccount | undefined {
    const row = this.#database.first('SELECT most, taken FROM spends WHERE account = ?', account);
    return row && { limit: BigInt(String(row.most)), taken: BigInt(String(row.taken)) };
  }

  take(account: string, amount: bigint): boolean {
    const there = this.account(account);
    if (there === undefined || there.taken + amount > there.limit) return false;
    // Nobody else has the file, and nothing else of this process runs before this ends.
    this.#database.run('UPDATE spends SET taken = ? WHERE account = ?', (there.taken + amount).toString(), account);
    return true;
  }

  close(): void {
    this.#database.close();
  }
}

/** A value that is no path, in a message. */
function shown(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
}
