// Watches a run of the tests. What computes without end, or waits for a program that never ends, is not stopped by vitest's own
// limit for a test, which only ends what waits for a promise; and a worker of vitest that has told its results may fail to tell
// that it is done, which vitest waits for without a limit. The run is ended here, and what it stood at is named.

import { execFileSync } from 'node:child_process';
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule, TestSpecification, Vitest } from 'vitest/node';

/** The slowest file takes four minutes on two processors that do other work beside it. */
const FILE_MS = 20 * 60_000;
/** From the last result to the next file, or to the end of the run. */
const QUIET_MS = 3 * 60_000;
const LOOK_MS = 10_000;

interface Running {
  readonly since: number;
  /** Of the last test that was heard of; the one that stands may be the next. */
  last: string;
}

/** Ends the run with a text and an exit code. */
type End = (text: string, code: 0 | 1) => void;

export default class Watch implements Reporter {
  readonly #running = new Map<string, Running>();
  readonly #now: () => number;
  readonly #end: End;
  /** Files without a result. */
  #left = new Set<string>();
  #failed: string[] = [];
  #files = 0;
  #lastMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #unhandled: () => readonly unknown[] = () => [];

  /** @param options for a test of this: the time, and how a run is ended */
  constructor({ now = Date.now, end = endRun }: { now?: () => number; end?: End } = {}) {
    this.#now = now;
    this.#end = end;
  }

  onInit({ state }: { readonly state: Pick<Vitest['state'], 'getUnhandledErrors'> }): void {
    this.#unhandled = () => state.getUnhandledErrors();
  }

  onTestRunStart(files: readonly Pick<TestSpecification, 'moduleId'>[]): void {
    this.#left = new Set(files.map(({ moduleId }) => moduleId));
    this.#files = this.#left.size;
    this.#failed = [];
    this.#lastMs = this.#now();
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    this.#timer.unref();
  }

  /** It is about to be imported, which may not end either. */
  onTestModuleQueued({ moduleId }: TestModule): void {
    this.#running.set(moduleId, { since: this.#now(), last: 'none yet' });
  }

  onTestCaseReady({ module, fullName }: TestCase): void {
    const running = this.#running.get(module.moduleId);
    if (running !== undefined) running.last = fullName;
  }

  onTestModuleEnd(module: TestModule): void {
    this.#running.delete(module.moduleId);
    this.#left.delete(module.moduleId);
    this.#lastMs = this.#now();
    if (!module.ok()) this.#failed.push(shown(module.moduleId));
  }

  onTestRunEnd(): void {
    clearInterval(this.#timer);
  }

  /** Ends the run where a file takes too long, or where none runs and vitest neither begins another nor ends it. */
  look(): void {
    const now = this.#now();
    if (this.#running.size === 0 && now - this.#lastMs > QUIET_MS) {
      this.#stop(this.#left.size === 0 ? this.#results() : this.#notBegun());
      return;
    }
    const standing = [...this.#running].filter(([, { since }]) => now - since > FILE_MS);
    if (standing.length === 0) return;
    this.#failed.push(...standing.map(([path]) => shown(path)));
    const lines = standing.map(([path, { since, last }]) => {
      const minutes = Math.round((now - since) / 60_000);
      return `${shown(path)} has not ended in ${minutes} minutes; the last test that was begun: ${last}`;
    });
    this.#stop(lines.join('\n'));
  }

  #results(): string {
    const whole = `all ${this.#files} files have results, and vitest has not ended`;
    const errors = this.#unhandled();
    // No file's, and a failure to vitest all the same.
    if (errors.length > 0) this.#failed.push(`what no test has caught: ${errors.map(messageOf).join('; ')}`);
    return this.#failed.length > 0 ? `${whole}; failed: ${this.#failed.join(', ')}` : `${whole}; none failed`;
  }

  #notBegun(): string {
    const left = [...this.#left].map(shown);
    this.#failed.push(...left);
    return `vitest begins no file any more; without a result: ${left.join(', ')}`;
  }

  #stop(text: string): void {
    clearInterval(this.#timer);
    this.#end(text, this.#failed.length > 0 ? 1 : 0);
  }
}

function messageOf(error: unknown): string {
  return String((error as { readonly message?: unknown } | undefined)?.message ?? error);
}

function shown(path: string): string {
  return relative(process.cwd(), path);
}

/** Also shows which programs run, as one of them may be what is waited for, and ends those that compute: they hear nothing. */
function endRun(text: string, code: 0 | 1): void {
  process.stderr.write(
    `\n${ps('--deselect', '-p', '2', '--ppid', '2', '--forest', '-o', 'pid,time,stat,args')}\n${text}\n`,
  );
  for (const pid of ps('--ppid', String(process.pid), '-o', 'pid=').trim().split(/\s+/)) {
    try {
      if (pid !== '') process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
  process.exit(code);
}

/** Empty on a machine that has no such program. */
function ps(...words: readonly string[]): string {
  try {
    return execFileSync('ps', words, { encoding: 'utf8' });
  } catch {
    return '';
  }
}
