// A folder of images that is there whole or not at all: it is filled under another name beside its place and then renamed.
// What is in it holds Wi-Fi passwords and keys of devices, so nobody else may read it.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { systemReason, UsageError } from '../cli/io.ts';

/** Refuses a place where something is already. @throws UsageError */
export function checkFolder(path: string): void {
  try {
    if (existsSync(path) && readdirSync(path).length > 0)
      throw new UsageError(`--out ${path}: it is not empty; images are only written where none are`);
    if (!existsSync(dirname(resolve(path)))) throw new UsageError(`--out ${path}: no such file or folder`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--out ${path}: ${systemReason(error)}`);
  }
}

/** A folder that is being filled. */
export class ImageFolder {
  readonly #path: string;
  readonly #temporary: string;

  /** @throws UsageError that names the folder and the reason */
  constructor(path: string) {
    checkFolder(path);
    this.#path = resolve(path);
    this.#temporary = join(dirname(this.#path), `.mpcp-${basename(this.#path)}-${randomBytes(8).toString('hex')}.tmp`);
    this.#naming(() => mkdirSync(this.#temporary, { mode: 0o700 }));
  }

  /** Writes a file that only its owner may read. */
  write(name: string, bytes: Uint8Array | string): void {
    this.#naming(() => writeFileSync(join(this.#temporary, name), bytes, { mode: 0o600, flag: 'wx' }));
  }

  /** Puts the folder in its place. */
  finish(): void {
    this.#naming(() => {
      // The files' own bytes are on the disk when the system has written them; the manifest tells of any that got lost.
      syncFolder(this.#temporary);
      renameSync(this.#temporary, this.#path);
      syncFolder(dirname(this.#path));
    });
  }

  /** Drops what there is of it. */
  discard(): void {
    rmSync(this.#temporary, { recursive: true, force: true });
  }

  #naming(run: () => void): void {
    try {
      run();
    } catch (error) {
      throw new UsageError(`cannot write ${this.#path}: ${systemReason(error)}`);
    }
  }
}

function syncFolder(path: string): void {
  // Windows opens no folders.
  if (process.platform === 'win32') return;
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
