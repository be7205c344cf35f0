// Where a device keeps its Trust Bundles over a restart: what is in force, and beside it what is just being admitted.
// Stored bytes are trusted no more than fetched ones; a start verifies them again.

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a `BundleStore` throws when a call could not be carried out; the message says what, for a person. */
export class BundleStoreError extends Error {
  override name = 'BundleStoreError';
}

/** Two copies of `{"bundles":[…]}`. Every call is durable when it returns, and throws `BundleStoreError` when it failed. */
export interface BundleStore {
  /** The set in force. */
  current(): Uint8Array | undefined;
  /** A set whose admission was begun and not finished. */
  incoming(): Uint8Array | undefined;
  /** Puts a set beside the one in force, before it is admitted. */
  stage(set: Uint8Array): void;
  /** Puts a set in force in one step, and drops the staged one. */
  commit(set: Uint8Array): void;
  /** Drops the staged set. */
  discard(): void;
}

/** A store that lives as long as the object. */
export class MemoryBundleStore implements BundleStore {
  #current: Uint8Array | undefined;
  #incoming: Uint8Array | undefined;

  current(): Uint8Array | undefined {
    return this.#current;
  }

  incoming(): Uint8Array | undefined {
    return this.#incoming;
  }

  stage(set: Uint8Array): void {
    this.#incoming = Uint8Array.from(set);
  }

  commit(set: Uint8Array): void {
    this.#current = Uint8Array.from(set);
    this.#incoming = undefined;
  }

  discard(): void {
    this.#incoming = undefined;
  }
}

/** A store in a folder: files written whole under another name, then switched by rename. */
export class FileBundleStore implements BundleStore {
  readonly #folder: string;

  /** @param folder made where there is none, once there is something to keep */
  constructor(folder: string) {
    this.#folder = folder;
  }

  current(): Uint8Array | undefined {
    return this.#read('bundles.json');
  }

  incoming(): Uint8Array | undefined {
    return this.#read('incoming.json');
  }

  stage(set: Uint8Array): void {
    this.#replace('incoming.json', set);
  }

  commit(set: Uint8Array): void {
    this.#replace('bundles.json', set);
    this.discard();
  }

  discard(): void {
    orStoreError('incoming.json cannot be removed', () => rmSync(join(this.#folder, 'incoming.json'), { force: true }));
  }

  #read(name: string): Uint8Array | undefined {
    return orStoreError(`${name} cannot be read`, () => {
      try {
        return readFileSync(join(this.#folder, name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    });
  }

  #replace(name: string, bytes: Uint8Array): void {
    orStoreError(`${name} cannot be written`, () => {
      const path = join(this.#folder, name);
      const unfinished = `${path}.new`;
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(unfinished, bytes, { flush: true });
      renameSync(unfinished, path);
      syncFolder(this.#folder);
    });
  }
}

function orStoreError<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new BundleStoreError(`${what}: ${code ?? message}`);
  }
}

/** Makes a rename durable; not every system lets a folder be synced, and then nothing more can be done. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
