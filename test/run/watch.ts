// Watches a run of the tests: who computes without end, or waits for a program that never ends, is not stopped by vitest's own limit
// for a test, which only ends what waits for a promise. The run is ended here, and what stands is named.

import { execFileSync } from 'node:child_process';
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** The slowest file takes four minutes on two processors that do other work beside it. */
const FILE_MS = 20 * 60_000;
const LOOK_MS = 10_000;

interface Running {
  readonly since: number;
  /** Of the last test that was heard of; the one that stands may be the next. */
  last: string;
}

export default class Watch implements Reporter {
  readonly #running = new Map<string, Running>();
  readonly #now: () => number;
  readonly #end: (text: string) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param options for a test of this: the time, and what is done with the text of a run that stands */
  constructor({ now = Date.now, end = endRun }: { now?: () => number; end?: (text: string) => void } = {}) {
    this.#now = now;
    this.#end = end;
  }

  onTestRunStart(): void {
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    this.#timer.unref();
  }

  onTestModuleStart({ moduleId }: TestModule): void {
    this.#running.set(moduleId, { since: this.#now(), last: 'none yet' });
  }

  onTestCaseReady({ module, fullName }: TestCase): void {
    const running = this.#running.get(module.moduleId);
    if (running !== undefined) running.last = fullName;
  }

  onTestModuleEnd({ moduleId }: TestModule): void {
    this.#running.delete(moduleId);
  }

  onTestRunEnd(): void {
    clearInterval(this.#timer);
  }

  /** Ends the run where a file takes too long. */
  look(): void {
    const now = this.#now();
    const standing = [...this.#running].filter(([, { since }]) => now - since > FILE_MS);
    if (standing.length === 0) return;
    clearInterval(this.#timer);
    const lines = standing.map(([path, { since, last }]) => {
      const minutes = Math.round((now - since) / 60_000);
      return `${relative(process.cwd(), path)} has not ended in ${minutes} minutes; the last test that was begun: ${last}`;
    });
    this.#end(lines.join('\n'));
  }
}

/** Also shows which programs run, as one of them may be what is waited for, and ends those that compute: they hear nothing. */
function endRun(text: string): void {
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
  process.exit(1);
}

/** Empty on a machine that has no such program. */
function ps(...words: readonly string[]): string {
  try {
    return execFileSync('ps', words, { encoding: 'utf8' });
  } catch {
    return '';
  }
}
