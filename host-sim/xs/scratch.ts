// What a run leaves on this machine while it goes on: folders, and programs that it started. All of it ends with the run, also
// where a signal ends it. Whoever listens for signals themselves ends the run in their own way, and needs all of it until then.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineProblem } from './project.ts';

/** What ends a program from outside. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const folders = new Set<string>();
const children = new Set<ChildProcess>();

/** A folder for a time. */
export interface Scratch {
  readonly path: string;
  /** It is gone then, with all that is in it. */
  remove(): void;
}

/**
 * Makes a folder that is gone at the end of the process at the latest.
 *
 * @param name what its name begins with
 * @param parent default: the system's folder for temporary files
 * @throws EngineProblem where it cannot be made
 */
export function makeScratch(name: string, parent = tmpdir()): Scratch {
  let path: string;
  try {
    path = mkdtempSync(join(parent, `${name}-`));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new EngineProblem(`no folder for temporary files can be made in ${parent}: ${code}`);
  }
  watch();
  folders.add(path);
  const remove = () => {
    removeFolder(path);
    folders.delete(path);
    unwatch();
  };
  return { path, remove };
}

/**
 * A folder that is there while something is done.
 *
 * @throws EngineProblem where it cannot be made, or what belongs there cannot be written; and what `work` throws
 */
export async function inScratch<Result>(name: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  const scratch = makeScratch(name);
  try {
    return await work(scratch.path);
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (path?.startsWith(scratch.path)) throw new EngineProblem(`${path} cannot be written: ${code}`);
    // The system names no file where it is writing that fails.
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new EngineProblem(`${scratch.path} has no room for what a run needs: ${code}`);
    throw error;
  } finally {
    scratch.remove();
  }
}

/** Starts a program that ends with this process. It has a process group of its own, so that what it starts ends too. */
export function startChild(command: string, words: readonly string[], options: SpawnOptions): ChildProcess {
  watch();
  const child = spawn(command, words, { ...options, detached: true });
  children.add(child);
  const gone = () => {
    children.delete(child);
    unwatch();
  };
  child.once('close', gone).once('error', gone);
  return child;
}

/** Ends a program and what it started. */
export function endChild(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It was faster.
  }
}

/** What became of a program that ran to its end. */
export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Characters of a stream that are kept. */
const KEPT = 1_048_576;

/** Runs a program without input to its end. @throws Error as Node has it where it cannot be started */
export function runChild(command: string, words: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = startChild(command, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        if (said[name].length < KEPT) said[name] += text;
      });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...said }));
  });
}

function endAll(): void {
  for (const child of children) endChild(child);
  for (const path of folders) removeFolder(path);
}

/** A program that was ended just now may still have put something there. */
function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}

function stop(signal: NodeJS.Signals): void {
  const isTheirs = process.listenerCount(signal) > 1;
  if (isTheirs) return;
  endAll();
  unlisten();
  process.kill(process.pid, signal);
}

let isWatching = false;

function watch(): void {
  if (isWatching) return;
  isWatching = true;
  process.on('exit', endAll);
  // Before all others: one who listens for the first signal only is gone after it.
  for (const signal of SIGNALS) process.prependListener(signal, stop);
}

function unwatch(): void {
  if (folders.size === 0 && children.size === 0) unlisten();
}

function unlisten(): void {
  isWatching = false;
  process.off('exit', endAll);
  for (const signal of SIGNALS) process.off(signal, stop);
}
