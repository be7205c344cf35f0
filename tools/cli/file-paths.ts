// What a path really is: which file it leads to, whatever it is called, and whether it is a stream the process has open.

import { fstatSync, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** Symbolic links that are followed; as many as Linux follows. */
const LINKS = 40;

/**
 * Where a path leads, symbolic links followed: its folder must be there, the file need not.
 *
 * @throws what the file system says
 */
export function finalPath(path: string): string {
  let at = resolve(path);
  for (let links = 0; links < LINKS; links++) {
    at = join(realpathSync(dirname(at)), basename(at));
    // What Linux shows there are no links: their texts are names of streams, and no paths.
    if (/^\/proc\/.+\/fd\/[0-9]+$/.test(at) || !found(at, lstatSync)?.isSymbolicLink()) return at;
    at = resolve(dirname(at), readlinkSync(at));
  }
  throw Object.assign(new Error(`${path} leads in a circle`), { code: 'ELOOP' });
}

/** The number of a stream of this process that a path stands for: 1 for `-` in place of an output and `/dev/stdout`. */
export function descriptorOf(path: string): number | undefined {
  try {
    return descriptorAt(finalPath(path));
  } catch {
    return undefined;
  }
}

/** A folder of open files is a folder of `/proc` on Linux, and `/dev/fd` itself elsewhere. */
function descriptorAt(path: string): number | undefined {
  const number = /^(?:\/proc\/([0-9]+)(?:\/task\/[0-9]+)?|\/dev)\/fd\/([0-9]+)$/.exec(path);
  if (number === null || (number[1] !== undefined && number[1] !== String(process.pid))) return undefined;
  return Number(number[2]);
}

/** True where a command that reads the path reads standard input. */
export function isStdin(path: string): boolean {
  return path === '-' || descriptorOf(path) === 0;
}

/**
 * True where two paths are one file: by another spelling, through links of either kind. What is no regular file, such as
 * a terminal or `/dev/null`, loses nothing by being used twice.
 */
export function sameFile(one: string, other: string): boolean {
  try {
    const [a, b] = [statsOf(one), statsOf(other)];
    if (a !== undefined && b !== undefined) return a.isFile() && a.dev === b.dev && a.ino === b.ino;
    return a === b && finalPath(one) === finalPath(other);
  } catch {
    // Whoever reads or writes it says what is wrong with it.
    return false;
  }
}

function statsOf(path: string): Stats | undefined {
  return path === '-' ? fstatSync(0) : found(path, statSync);
}

/** What there is at a path; undefined where there is nothing. @throws what the file system says otherwise */
export function found(path: string, look: typeof statSync): Stats | undefined {
  return look(path, { throwIfNoEntry: false });
}
