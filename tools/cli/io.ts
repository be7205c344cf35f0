// What commands use to talk: results on stdout, progress and notes on stderr, one line for what went wrong, and exit
// codes 0 (done), 1 (refused or failed), 2 (usage: bad option, bad file, bad value), and above 128 after a signal.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { systemReason } from '../../host-sim/ports/system-reason.ts';

export { systemReason };

/** A mistake in how a command was called: one line, exit 2. */
export class UsageError extends Error {}

/** Where a command writes. */
export interface Io {
  /** True where `--json` was asked for: stdout then gets one JSON document and nothing else. */
  readonly json: boolean;
  /** True where nobody gets what is put on stdout. */
  readonly lost: boolean;
  /** The terminal that notes go to, for what is drawn there and taken away again; undefined where they go elsewhere. */
  readonly terminal: NodeJS.WriteStream | undefined;
  /** A result, on stdout; a newline is added. */
  out(text: string): void;
  /** Progress or a note, on stderr; a newline is added. */
  note(text: string): void;
  /** A result in both its forms: the document with `--json`, else the text. */
  result(document: unknown, text: string): void;
  /** Sets the exit code where a command ends normally with something refused or failed: 1, or after a signal its own. */
  fail(code?: number): void;
}

/** The two streams of a run, as functions, so that tests can hold what was written. */
export interface Channels {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** True where stdout leads nowhere. Default false. */
  readonly lost?: boolean;
  /** Where stderr is a terminal. Default: it is none. */
  readonly terminal?: NodeJS.WriteStream | undefined;
}

/** What commands talk through. */
export function createIo(channels: Channels, json: boolean, setFailed: (code?: number) => void): Io {
  const out = (text: string) => channels.stdout(`${text}\n`);
  return {
    json,
    lost: channels.lost ?? false,
    terminal: channels.terminal,
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
