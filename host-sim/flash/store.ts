// Where a simulated flash keeps its cells: in memory, or in a file that outlives the process. A store knows bytes only;
// what flash may and may not do with them is SimulatedFlash's business.

import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { FlashError } from '../../core/ports/ports.ts';

/** Bytes that can be read and overwritten in place. A write is durable when it returns. Throws FlashError on failure. */
export interface Store {
  /** Bytes in it. */
  readonly size: number;
  /** Fills `target` with the bytes from `offset` on. */
  read(offset: number, target: Uint8Array): void;
  /** Overwrites the bytes from `offset` on. */
  write(offset: number, bytes: Uint8Array): void;
}

/** What an erased cell holds. */
export const ERASED = 0xff;

/** A store in memory, erased at first. */
export class MemoryStore implements Store {
  readonly #bytes: Uint8Array;

  /**
   * @param contents its size in bytes, or the bytes to begin with (they are copied)
   */
  constructor(contents: number | Uint8Array) {
    this.#bytes = typeof contents === 'number' ? new Uint8Array(contents).fill(ERASED) : Uint8Array.from(contents);
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(offset: number, target: Uint8Array): void {
    target.set(this.#bytes.subarray(offset, offset + target.length));
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, offset);
  }
}

/** How a file store is opened. */
export interface FileStoreOptions {
  /** Bytes; a file that is there already must have exactly these. */
  readonly size: number;
  /** False leaves out the fsync after each write: faster, and durable only as long as the machine runs. Default true. */
  readonly sync?: boolean;
}

/**
 * A store in a file, created erased where there is none. Every write goes through pwrite and fsync, so that killing the
 * process loses nothing that was acknowledged.
 */
export class FileStore implements Store {
  readonly size: number;
  readonly #file: number;
  readonly #sync: boolean;
  #closed = false;

  /** @throws FlashError where the file cannot be opened or has another size */
  constructor(path: string, options: FileStoreOptions) {
    this.size = options.size;
    this.#sync = options.sync ?? true;
    this.#file = openOrCreate(path, options.size);
  }

  read(offset: number, target: Uint8Array): void {
    let done = 0;
    while (done < target.length) {
      const count = attempt('read', () => readSync(this.#file, target, done, target.length - done, offset + done));
      if (count === 0) throw new FlashError(`the file ends at ${offset + done}`);
      done += count;
    }
  }

  write(offset: number, bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      done += attempt('write', () => writeSync(this.#file, bytes, done, bytes.length - done, offset + done));
    }
    if (this.#sync) attempt('sync', () => fsyncSync(this.#file));
  }

  /** Gives the file back. The store cannot be used afterwards; closing it again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    attempt('close', () => closeSync(this.#file));
  }
}

function openOrCreate(path: string, size: number): number {
  const file = attempt('open', () => openExisting(path)) ?? attempt('create', () => create(path, size));
  const found = attempt('open', () => fstatSync(file).size);
  if (found === size) return file;
  closeSync(file);
  throw new FlashError(`${path} has ${found} bytes, not ${size}`);
}

/** Made under another name first, so that a file with the right name is a whole one. */
function create(path: string, size: number): number {
  const unfinished = `${path}.new`;
  writeFileSync(unfinished, new Uint8Array(size).fill(ERASED), { flush: true });
  renameSync(unfinished, path);
  return openSync(path, 'r+');
}

function openExisting(path: string): number | undefined {
  try {
    return openSync(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file operation that fails is a flash operation that fails. */
function attempt<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new FlashError(`cannot ${what} the flash file: ${(error as Error).message}`, { cause: error });
  }
}
