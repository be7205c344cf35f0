// SQLite as the services use it: a file that one process works on, or memory. What a statement has changed is on the disk when
// it returns: it survives a process that is killed at any moment, and a loss of power.

import { closeSync, lstatSync, openSync, readlinkSync, realpathSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { SQLiteValue, Database as Sqlite } from 'node-sqlite3-wasm';
import { SCHEMA, SCHEMA_VERSION } from './schema.ts';
import { takeFile } from './sole-use.ts';

/** The file is not one that can be used; the message says why. */
export class DatabaseProblem extends Error {}

/** A value as it is bound, and as it comes back. */
export type Value = string | number | null;

/** "MPCP" as a number: what SQLite calls application_id, by which a file of another program is known. */
const APPLICATION_ID = 0x4d504350;

/** See the head of the file. */
export class Database {
  readonly #sqlite: Sqlite;
  readonly #giveBack: () => void;

  private constructor(sqlite: Sqlite, giveBack: () => void) {
    this.#sqlite = sqlite;
    this.#giveBack = giveBack;
  }

  /**
   * Opens a database, and makes it where there is none.
   *
   * @param path left out: in memory, for as long as the process
   * @throws DatabaseProblem, FileInUse, or what the file system says
   */
  static async open(path?: string): Promise<Database> {
    // Loaded here: its engine is some 1.3 MB, which no other command needs.
    const loaded = await import('node-sqlite3-wasm');
    const { Database: Engine } = 'default' in loaded ? (loaded.default as typeof loaded) : loaded;
    if (path === undefined) return prepared(new Database(new Engine(':memory:'), () => {}), 'the memory');
    const file = named(path);
    // Before it is made: what another process has meanwhile made and taken is not ours to remove.
    const giveBack = takeFile(file);
    let [engine, isNew]: [Sqlite | undefined, boolean] = [undefined, false];
    try {
      isNew = made(file);
      // The engine's own lock is a folder that nobody removes for a process that was killed. The file is ours by now.
      removeFolder(`${file}.lock`);
      engine = new Engine(file);
      return prepared(new Database(engine, giveBack), file);
    } catch (error) {
      engine?.close();
      if (isNew) rmSync(file, { force: true });
      giveBack();
      throw error;
    }
  }

  /** Runs statements that give nothing back. */
  execute(sql: string): void {
    this.#sqlite.exec(sql);
  }

  /** Runs one statement. @returns how many rows it changed */
  run(sql: string, ...values: readonly Value[]): number {
    return this.#sqlite.run(sql, values.map(bound)).changes;
  }

  /** The rows of a query. */
  all(sql: string, ...values: readonly Value[]): readonly Readonly<Record<string, Value>>[] {
    return this.#sqlite.all(sql, values.map(bound)) as Record<string, Value>[];
  }

  /** The first row of a query. */
  first(sql: string, ...values: readonly Value[]): Readonly<Record<string, Value>> | undefined {
    return this.all(sql, ...values)[0];
  }

  /** The JSON of the column `document` in the rows of a query. */
  documents<T>(sql: string, ...values: readonly Value[]): readonly T[] {
    return this.all(sql, ...values).map(({ document }) => JSON.parse(String(document)) as T);
  }

  /** Closes it and gives the file back. */
  close(): void {
    this.#sqlite.close();
    this.#giveBack();
  }
}

/**
 * The one name that a file has, or will have: what stands beside it is named after it. Nor does SQLite take that one for memory.
 *
 * @throws DatabaseProblem for a pipe or a device, which opening might wait for; what the file system says
 */
function named(path: string): string {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile() && !there.isDirectory())
    throw new DatabaseProblem(`${path} is not a file`);
  // The system refuses folders in its own words.
  if (there?.isDirectory() || path.endsWith(sep)) closeSync(openSync(path, 'a'));
  if (there !== undefined) return realpathSync(path);
  const name = join(realpathSync(dirname(path)), basename(path));
  const isLink = lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink();
  return isLink ? named(resolve(dirname(name), readlinkSync(name))) : name;
}

/** Makes a file where there is none. @returns whether there was none */
function made(file: string): boolean {
  const isNew = lstatSync(file, { throwIfNoEntry: false }) === undefined;
  closeSync(openSync(file, 'a', 0o600));
  return isNew;
}

/** Text with a zero byte would be cut there and be taken for a shorter one. No row has bytes, so it is found nowhere. */
function bound(value: Value): SQLiteValue {
  return typeof value === 'string' && value.includes('\0') ? Buffer.from(value) : value;
}

function prepared(database: Database, name: string): Database {
  try {
    // The engine takes the journal of an unfinished change for one of a running process and would not roll it back: its lock
    // does not tell readers from writers. A write-ahead log is read by its checksums and does not ask.
    database.execute('PRAGMA locking_mode = EXCLUSIVE');
    const isNew = isEmpty(database);
    if (!isNew) checkMarks(database, name);
    database.execute('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    if (isNew) database.execute(SCHEMA + marks());
    return database;
  } catch (error) {
    if (error instanceof DatabaseProblem) throw error;
    throw new DatabaseProblem(`${name} is not a database: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function isEmpty(database: Database): boolean {
  return database.first('SELECT count(*) AS tables FROM sqlite_master')?.tables === 0;
}

/** @throws DatabaseProblem for tables that are not the services', before anything of them is changed */
function checkMarks(database: Database, name: string): void {
  const version = database.first('PRAGMA user_version')?.user_version;
  if (database.first('PRAGMA application_id')?.application_id !== APPLICATION_ID)
    throw new DatabaseProblem(`${name} is a database of another program`);
  if (version !== SCHEMA_VERSION)
    throw new DatabaseProblem(`${name} has version ${version} of its tables, and ${SCHEMA_VERSION} is known here`);
}

function marks(): string {
  return `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`;
}

function removeFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
