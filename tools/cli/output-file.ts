// Files that commands write. A file is written beside the one it replaces and takes its place once all of it is on the
// disk; several come all or none. So a failure leaves what was there, and never half a file or half a pair of keys.

import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { descriptorOf, finalPath, found, sameFile } from './file-paths.ts';
import { type Io, readInput, systemReason, UsageError } from './io.ts';

/** How a file is written. */
export interface WriteOptions {
  /** Permissions. Default: those of the file that is replaced, else what the system gives. */
  readonly mode?: number;
  /** False refuses a file that exists. Default true. A file that holds a private key is refused unless this is `'keys'`. */
  readonly overwrite?: boolean | 'keys';
}

/** A file to write; a newline is added to the text where it has none. */
export interface OutputFile extends WriteOptions {
  readonly path: string;
  /** Bytes are written as they are. */
  readonly text: string | Uint8Array;
}

/** True where what is written to a path comes out of stdout. */
export function isStdout(path: string | undefined): path is '-' | undefined {
  return path === undefined || path === '-' || descriptorOf(path) === 1;
}

/** Writes a file, or stdout where no path is given. @throws UsageError that names the file and the reason */
export function writeOutput(io: Io, path: string | undefined, text: string, options: WriteOptions = {}): void {
  if (isStdout(path)) io.out(text.replace(/\n$/, ''));
  else writeFiles([{ ...options, path, text }]);
}

/**
 * Writes all of the files, or none where one cannot be written.
 *
 * @throws UsageError that names the file and the reason
 */
export function writeFiles(files: readonly OutputFile[]): void {
  for (const file of files) checkWritable(file.path, file);
  files.forEach(({ path }, i) => {
    const same = files.slice(0, i).find((other) => sameFile(other.path, path));
    if (same !== undefined) throw new UsageError(`cannot write ${path}: it and ${same.path} are the same file`);
  });
  const prepared: Prepared[] = [];
  try {
    for (const file of files) prepared.push(naming(file, () => prepare(file)));
    for (const one of prepared) naming(one.file, one.replace);
  } catch (error) {
    for (const one of prepared) one.undo();
    throw error;
  }
  for (const one of prepared) one.forget();
}

/** A file whose bytes are written, and which is not in its place yet. */
interface Prepared {
  readonly file: OutputFile;
  /** Puts it in its place. */
  replace(): void;
  /** Removes what is new, and brings back what was replaced. */
  undo(): void;
  /** Drops what was replaced. */
  forget(): void;
}

function prepare(file: OutputFile): Prepared {
  const { text } = file;
  const bytes = typeof text === 'string' ? Buffer.from(text.endsWith('\n') ? text : `${text}\n`) : text;
  const target = finalPath(file.path);
  const descriptor = descriptorOf(target);
  if (descriptor !== undefined) return inPlace(file, () => writeAll(descriptor, bytes));
  const old = found(target, statSync);
  if (old !== undefined && !old.isFile()) return inPlace(file, () => writeInto(target, bytes));
  const fresh = writtenBeside(target, bytes, file.mode, old);
  return old === undefined ? newFile(file, fresh, target) : replacedFile(file, fresh, target);
}

function newFile(file: OutputFile, fresh: string, target: string): Prepared {
  const mine = new Set([fresh]);
  return {
    file,
    replace: () => {
      // Another program may have made it by now, or this one under a name that the system takes for the same.
      closeSync(openSync(target, 'wx', 0o600));
      mine.add(target);
      renameSync(fresh, target);
      mine.delete(fresh);
    },
    undo: () => {
      for (const path of mine) quietly(() => unlinkSync(path));
    },
    forget: () => {},
  };
}

function replacedFile(file: OutputFile, fresh: string, target: string): Prepared {
  const kept = temporaryPath(target);
  return {
    file,
    replace: () => {
      // Where the file system has no hard links, only a file whose turn comes last is safe from the others.
      quietly(() => linkSync(target, kept));
      renameSync(fresh, target);
    },
    undo: () => {
      quietly(() => unlinkSync(fresh));
      quietly(() => renameSync(kept, target));
      // Renaming one name of a file to another of its names does nothing.
      quietly(() => unlinkSync(kept));
    },
    forget: () => quietly(() => unlinkSync(kept)),
  };
}

function temporaryPath(target: string): string {
  return join(dirname(target), `.mpcp-${randomBytes(8).toString('hex')}.tmp`);
}

/** Runs what may fail without harm; where something has failed before, that is what is told. */
function quietly(run: () => void): void {
  try {
    run();
  } catch {}
}

/** For devices, pipes and streams: there is nothing to replace. */
function inPlace(file: OutputFile, write: () => void): Prepared {
  return { file, replace: write, undo: () => {}, forget: () => {} };
}

function writeInto(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'w');
  try {
    writeAll(fd, bytes);
  } finally {
    closeSync(fd);
  }
}

/** @returns the path of a file in the same folder that holds the bytes, on the disk */
function writtenBeside(target: string, bytes: Uint8Array, mode: number | undefined, old: Stats | undefined): string {
  const path = temporaryPath(target);
  // Nobody gets to read it meanwhile who may not read it afterwards.
  const fd = openSync(path, 'wx', mode ?? (old === undefined ? 0o666 : 0o600));
  try {
    writeAll(fd, bytes);
    if (mode !== undefined) fchmodSync(fd, mode);
    else if (old !== undefined) takeOver(fd, old);
    fsyncSync(fd);
    closeSync(fd);
    return path;
  } catch (error) {
    quietly(() => closeSync(fd));
    quietly(() => unlinkSync(path));
    throw error;
  }
}

/** Owner and permissions of the file that is replaced. */
function takeOver(fd: number, old: Stats): void {
  // Only the superuser may give files away; otherwise the file is of whoever writes it.
  quietly(() => fchownSync(fd, old.uid, old.gid));
  fchmodSync(fd, old.mode & 0o777);
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

function naming<T>(file: OutputFile, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot write ${file.path}: ${systemReason(error)}`);
  }
}

/**
 * Refuses a path that could not be written, or must not be: a command that writes several files asks for all of them
 * before it writes the first.
 *
 * @throws UsageError that names the file and the reason
 */
export function checkWritable(path: string, options: WriteOptions = {}): void {
  const refuse = (why: string) => new UsageError(`cannot write ${path || '""'}: ${why}`);
  try {
    if (path === '') throw refuse('the file has no name');
    if (!statSync(dirname(path)).isDirectory()) throw refuse('a part of the path is not a folder');
    if (path.endsWith('/')) throw refuse('it is a folder');
    const target = found(path, statSync);
    if (target?.isDirectory()) throw refuse('it is a folder');
    // A link that leads nowhere yet is somebody's all the same.
    if (options.overwrite === false && found(path, lstatSync) !== undefined)
      throw refuse('it exists (--force overwrites it)');
    if (target === undefined) {
      finalPath(path);
      return;
    }
    accessSync(path, constants.W_OK);
    if (options.overwrite !== 'keys' && target.isFile() && target.size < 65_536 && holdsPrivateKey(path))
      throw refuse('it holds a private key');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw refuse(systemReason(error));
  }
}

/**
 * Refuses a path where no file can be made: by making one, and taking it away. What a folder's permissions say is not all that
 * may be in the way (`/proc`).
 *
 * @throws UsageError that names the file and the reason
 */
export function checkPlace(path: string): void {
  const target = finalPath(path);
  const old = found(target, statSync);
  // Devices, pipes and streams are written in place.
  if (descriptorOf(target) !== undefined || (old !== undefined && !old.isFile())) return;
  const trial = temporaryPath(target);
  try {
    closeSync(openSync(trial, 'wx', 0o600));
    unlinkSync(trial);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: no file can be made in ${dirname(target)}: ${systemReason(error)}`);
  }
}

/**
 * Makes a folder and those it is in. Not by the system's own recursion, which on Node never ends where a folder is there and
 * nothing can be made in it (`/proc`).
 *
 * @throws UsageError that names the option, the folder and the reason
 */
export function makeFolder(path: string, option: string): void {
  const missing: string[] = [];
  try {
    for (let at = resolve(path); found(at, statSync) === undefined; at = dirname(at)) missing.unshift(at);
    for (const folder of missing) mkdirSync(folder);
    if (!statSync(path).isDirectory()) throw Object.assign(new Error(path), { code: 'ENOTDIR' });
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new UsageError(`${option} ${path}: cannot write there: ${systemReason(error)}`);
  }
}

/** A slip such as `--out k.jwk`, where the public key was meant, must not cost a key. */
function holdsPrivateKey(path: string): boolean {
  const text = Buffer.from(readInput(path, 'output')).toString('latin1');
  return text.includes('PRIVATE KEY-----') || /"d"\s*:/.test(text);
}
