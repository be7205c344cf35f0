// Where a simulated flash keeps its cells: in memory, or in a file that outlives the process. A store knows bytes only;
// what flash may and may not do with them is SimulatedFlash's business. What it notes about them is kept beside them.

import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { FlashError } from '../../core/ports/ports.ts';
import { SparseCellStates } from './cell-states.ts';

/** Bytes that can be read and overwritten in place. A write is durable when it returns. Throws FlashError on failure. */
export interface Store {
  /** Bytes in it. */
  readonly size: number;
  /** Fills `target` with the bytes from `offset` on. */
  read(offset: number, target: Uint8Array): void;
  /** Overwrites the bytes from `offset` on. */
  write(offset: number, bytes: Uint8Array): void;
  /**
   * Notes on the cells, of so many bytes: those kept last time, where they were as many, else zeros. A store without this
   * keeps none; then cells that were programmed to what erased cells hold count as erased for the next flash over it.
   */
  beside?(length: number): Beside;
}

/** Notes that are kept beside the cells. */
export interface Beside {
  /** The notes, to be changed in place; their buffer is theirs alone. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Keeps what was changed in a range. Throws FlashError on failure. */
  save(offset: number, length: number): void;
}

/** What an erased cell holds. */
export const ERASED = 0xff;

/** Bytes of what a sparse store keeps in one piece. */
const KEPT_BLOCK = 4096;

const ERASED_BLOCK = new Uint8Array(KEPT_BLOCK).fill(ERASED);

/** So many erased bytes, to be read only: of thousands of flashes with the same blocks each needs them. */
export function erasedBytes(length: number): Uint8Array {
  return length <= KEPT_BLOCK ? ERASED_BLOCK.subarray(0, length) : new Uint8Array(length).fill(ERASED);
}

/** A store in memory, erased at first. */
export class MemoryStore implements Store {
  readonly #bytes: Uint8Array;
  #beside: Beside | undefined;

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
    // Measured: a short-lived view costs what copying some 30 bytes one by one does. Most reads are of one unit.
    const bytes = this.#bytes;
    if (target.length <= 32) for (let i = 0; i < target.length; i++) target[i] = bytes[offset + i] as number;
    else target.set(bytes.subarray(offset, offset + target.length));
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, offset);
  }

  beside(length: number): Beside {
    if (this.#beside?.bytes.length !== length) this.#beside = { bytes: new Uint8Array(length), save: () => {} };
    return this.#beside;
  }
}

/**
 * A store in memory that keeps of each block what is not erased: up to the last such cell. For thousands of devices that have
 * used little of their flash. Erased at first.
 */
export class SparseStore implements Store {
  readonly size: number;
  readonly #blocks: (Uint8Array | undefined)[];
  #states: { readonly blockSize: number; readonly states: SparseCellStates } | undefined;

  constructor(size: number) {
    this.size = size;
    this.#blocks = new Array(Math.ceil(size / KEPT_BLOCK)).fill(undefined);
  }

  /** Bytes that are kept. */
  get keptBytes(): number {
    return this.#blocks.reduce((sum, block) => sum + (block?.length ?? 0), 0);
  }

  read(offset: number, target: Uint8Array): void {
    for (let done = 0; done < target.length; ) {
      const at = (offset + done) % KEPT_BLOCK;
      const count = Math.min(target.length - done, KEPT_BLOCK - at);
      const kept = this.#blocks[(offset + done - at) / KEPT_BLOCK];
      const length = kept === undefined ? 0 : Math.max(0, Math.min(count, kept.length - at));
      // As in the store above: short reads are the most.
      if (length <= 32) for (let i = 0; i < length; i++) target[done + i] = (kept as Uint8Array)[at + i] as number;
      else target.set((kept as Uint8Array).subarray(at, at + length), done);
      if (length < count) target.fill(ERASED, done + length, done + count);
      done += count;
    }
  }

  write(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = (offset + done) % KEPT_BLOCK;
      const count = Math.min(bytes.length - done, KEPT_BLOCK - at);
      this.#writeBlock((offset + done - at) / KEPT_BLOCK, at, bytes.subarray(done, done + count));
      done += count;
    }
  }

  /** What is known of the cells by whoever had flash of such blocks over it last. */
  statesOf(blockSize: number): SparseCellStates {
    if (this.#states?.blockSize !== blockSize)
      this.#states = { blockSize, states: new SparseCellStates(this.size, blockSize) };
    return this.#states.states;
  }

  #writeBlock(block: number, at: number, bytes: Uint8Array): void {
    const kept = this.#blocks[block];
    let { length } = bytes;
    while (length > 0 && bytes[length - 1] === ERASED) length--;
    const end = at + length;
    if (kept === undefined && length === 0) return;
    if (at === 0 && length === 0 && bytes.length >= (kept as Uint8Array).length) {
      this.#blocks[block] = undefined;
      return;
    }
    if (kept !== undefined && kept.length >= end) {
      kept.set(bytes.subarray(0, kept.length - at), at);
      return;
    }
    // By a quarter more than is needed, so that a log that grows is not copied at every record.
    const longer = new Uint8Array(Math.min(KEPT_BLOCK, Math.ceil((end + (end >> 2)) / 64) * 64)).fill(ERASED);
    if (kept !== undefined) longer.set(kept);
    longer.set(bytes.subarray(0, length), at);
    this.#blocks[block] = longer;
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
 *
 * The notes stand in a second file, `<path>.cells`, made at the first write and removed where the first file is created.
 * They go through pwrite without fsync: they survive the process, while a crash of the machine may lose the last of them.
 * Copy both files or the first alone, never one over the other's: without notes of the right length every cell counts as
 * what it looks like.
 */
export class FileStore implements Store {
  readonly size: number;
  readonly #path: string;
  readonly #file: number;
  readonly #sync: boolean;
  #notes: number | undefined;
  #closed = false;

  /** @throws FlashError where the file cannot be opened or has another size */
  constructor(path: string, options: FileStoreOptions) {
    this.size = options.size;
    this.#sync = options.sync ?? true;
    this.#path = path;
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
    writeWhole(this.#file, bytes, offset);
    if (this.#sync) attempt('sync', () => fsyncSync(this.#file));
  }

  beside(length: number): Beside {
    const bytes = new Uint8Array(length);
    const found = attempt('open', () => readExisting(notesPath(this.#path)));
    if (found?.length === length) bytes.set(found);
    return { bytes, save: (offset, count) => this.#saveNotes(bytes, offset, count) };
  }

  /** Gives the files back. The store cannot be used afterwards; closing it again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    attempt('close', () => closeSync(this.#file));
    if (this.#notes !== undefined) attempt('close', () => closeSync(this.#notes as number));
  }

  /** The first time all of them, under another name first, so that notes of the right length are whole. */
  #saveNotes(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#closed) throw new FlashError('the flash file is closed');
    if (this.#notes !== undefined) {
      writeWhole(this.#notes, bytes.subarray(offset, offset + length), offset);
      return;
    }
    const path = notesPath(this.#path);
    this.#notes = attempt('write', () => {
      writeFileSync(`${path}.new`, bytes);
      renameSync(`${path}.new`, path);
      return openSync(path, 'r+');
    });
  }
}

function notesPath(path: string): string {
  return `${path}.cells`;
}

function writeWhole(file: number, bytes: Uint8Array, offset: number): void {
  let done = 0;
  while (done < bytes.length) {
    done += attempt('write', () => writeSync(file, bytes, done, bytes.length - done, offset + done));
  }
}

function openOrCreate(path: string, size: number): number {
  const file = attempt('open', () => openExisting(path)) ?? attempt('create', () => create(path, size));
  const found = attempt('open', () => fstatSync(file).size);
  if (found === size) return file;
  closeSync(file);
  throw new FlashError(`${path} has ${found} bytes, not ${size}`);
}

/** Made under another name first, so that a file with the right name is a whole one. Notes of one before it go first. */
function create(path: string, size: number): number {
  rmSync(notesPath(path), { force: true });
  const unfinished = `${path}.new`;
  writeFileSync(unfinished, new Uint8Array(size).fill(ERASED), { flush: true });
  renameSync(unfinished, path);
  return openSync(path, 'r+');
}

function openExisting(path: string): number | undefined {
  return unlessMissing(() => openSync(path, 'r+'));
}

function readExisting(path: string): Uint8Array | undefined {
  return unlessMissing(() => readFileSync(path));
}

function unlessMissing<T>(work: () => T): T | undefined {
  try {
    return work();
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
