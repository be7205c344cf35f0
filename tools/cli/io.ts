// What commands use to talk: results on stdout, progress and notes on stderr, one line for what went wrong, and exit
// codes 0 (done), 1 (refused or failed), 2 (usage: bad option, bad file, bad value).

import { closeSync, existsSync, fchmodSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A mistake in how a command was called: one line, exit 2. */
export class UsageError extends Error {}

/** Where a command writes. */
export interface Io {
  /** True where `--json` was asked for: stdout then gets one JSON document and nothing else. */
  readonly json: boolean;
  /** A result, on stdout; a newline is added. */
  out(text: string): void;
  /** Progress or a note, on stderr; a newline is added. */
  note(text: string): void;
  /** A result in both its forms: the document with `--json`, else the text. */
  result(document: unknown, text: string): void;
  /** Sets the exit code where a command ends normally with something refused or failed. */
  fail(): void;
}

/** The two streams of a run, as functions, so that tests can hold what was written. */
export interface Channels {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** The streams of the process. */
export function processChannels(): Channels {
  return { stdout: (text) => process.stdout.write(text), stderr: (text) => process.stderr.write(text) };
}

/** What commands talk through. */
export function createIo(channels: Channels, json: boolean, setFailed: () => void): Io {
  const out = (text: string) => channels.stdout(`${text}\n`);
  return {
    json,
    out,
    note: (text) => channels.stderr(`${text}\n`),
    result: (document, text) => out(json ? JSON.stringify(document, null, 2) : text),
    fail: setFailed,
  };
}

/**
 * Text for one line of a terminal: line breaks and other control characters, which names and values from files may
 * hold, become blanks.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
  return text.replace(/\s*[\u0000-\u001f\u007f-\u009f\u2028\u2029]+\s*/g, ' ').trim();
}

/** Bytes that are read of a file at most; everything a command takes is far smaller. */
const INPUT_BYTES = 16 * 1024 * 1024;

/** A file's bytes, or those of standard input for `-`. @throws UsageError that names the file and the reason */
export function readInput(path: string, what: string): Uint8Array {
  const name = path === '-' ? 'standard input' : path;
  let fd = 0;
  try {
    if (path !== '-') fd = openSync(path, 'r');
    if (fstatSync(fd).isDirectory()) throw new UsageError(`${what}: cannot read ${name}: it is a folder`);
    return readAll(fd, `${what}: ${name}`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${what}: cannot read ${name || '""'}: ${systemReason(error)}`);
  } finally {
    if (fd !== 0) closeSync(fd);
  }
}

function readAll(fd: number, what: string): Uint8Array {
  const parts: Buffer[] = [];
  let size = 0;
  for (;;) {
    const part = Buffer.alloc(65_536);
    const count = readSync(fd, part, 0, part.length, null);
    if (count === 0) return Uint8Array.from(Buffer.concat(parts));
    parts.push(part.subarray(0, count));
    size += count;
    if (size > INPUT_BYTES) throw new UsageError(`${what} has more than ${INPUT_BYTES} bytes`);
  }
}

/** The text of a file that must be UTF-8. */
export function readText(path: string, what: string): string {
  const bytes = readInput(path, what);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${what}: ${path} is not UTF-8 text`);
  }
}

/** How a file is written. */
export interface WriteOptions {
  /** Permissions, set on a file that exists too. Default: what the system gives. */
  readonly mode?: number;
  /** False refuses a file that exists. Default true. A file that holds a private key is refused unless this is `'keys'`. */
  readonly overwrite?: boolean | 'keys';
}

/** Writes a file, or stdout where no path is given. @throws UsageError that names the file and the reason */
export function writeOutput(io: Io, path: string | undefined, text: string, options: WriteOptions = {}): void {
  if (path === undefined || path === '-') {
    io.out(text.replace(/\n$/, ''));
    return;
  }
  checkWritable(path, options);
  const body = text.endsWith('\n') ? text : `${text}\n`;
  let fd: number | undefined;
  try {
    fd = openSync(path, options.overwrite === false ? 'wx' : 'w', options.mode ?? 0o666);
    // The mode given to open counts for new files only, and the umask takes from it.
    if (options.mode !== undefined) fchmodSync(fd, options.mode);
    const bytes = Buffer.from(body);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${systemReason(error)}`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Refuses a path that could not be written, or must not be: a command that writes several files asks for all of them
 * before it writes the first.
 *
 * @throws UsageError that names the file and the reason
 */
export function checkWritable(path: string | undefined, options: WriteOptions = {}): void {
  if (path === undefined || path === '-') return;
  try {
    if (path === '') throw new UsageError('cannot write "": the file has no name');
    const folder = statSync(dirname(path));
    if (!folder.isDirectory()) throw new UsageError(`cannot write ${path}: a part of the path is not a folder`);
    if (path.endsWith('/')) throw new UsageError(`cannot write ${path}: it is a folder`);
    if (!existsSync(path)) return;
    const target = statSync(path);
    if (target.isDirectory()) throw new UsageError(`cannot write ${path}: it is a folder`);
    if (options.overwrite === false) throw new UsageError(`cannot write ${path}: it exists (--force overwrites it)`);
    if (options.overwrite !== 'keys' && target.isFile() && target.size < 65_536 && holdsPrivateKey(path)) {
      throw new UsageError(`cannot write ${path}: it holds a private key`);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot write ${path}: ${systemReason(error)}`);
  }
}

/** A slip such as `--key k.jwk --out k.jwk` must not cost a key. */
function holdsPrivateKey(path: string): boolean {
  const text = Buffer.from(readInput(path, 'output')).toString('latin1');
  return text.includes('PRIVATE KEY-----') || /"d"\s*:/.test(text);
}

/** What the system says about a failed file operation, in words. */
export function systemReason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ENOENT':
      return 'no such file or folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a folder';
    case 'EEXIST':
      return 'it exists';
    case 'ENOTDIR':
      return 'a part of the path is not a folder';
    case 'ENAMETOOLONG':
      return 'the name is too long';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return code ?? String(error);
  }
}
