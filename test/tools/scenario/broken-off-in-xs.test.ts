// `sim run --engine xs` that a signal breaks off, as a process of its own: its engine is one more thing that must end with it, and not
// before what is kept is closed.

import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { engineIsHere } from '../../fixtures/engine.ts';
import { Program } from '../cli/program.ts';
import { run } from '../cli/run.ts';
import { changedScenario, ScenarioBench } from './bench.ts';

const bench = new ScenarioBench();
let program: Program;

beforeAll(() => {
  program = new Program();
});
afterAll(() => {
  bench.remove();
  program.remove();
});

/** A compiler may have to build the engine first. */
const LONG_MS = 600_000;

describe.skipIf(!engineIsHere('m32-bounds'))('inside XS (skipped without its compiler)', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'a run that %s breaks off closes its files, says how far it came, ends with %d, and leaves no engine',
    { timeout: LONG_MS },
    async (signal, exitCode) => {
      const [kept, temporary] = [bench.path(`kept-${signal}`), bench.path(`temporary-${signal}`)];
      mkdirSync(temporary);
      const long = changedScenario((scenario) => {
        scenario.duration = '300d';
      });
      const words = ['sim', 'run', bench.write('long.yaml', long), '--engine', 'xs', '--keep', kept, '--json'];
      const child = program.start(words, bench.folder, { TMPDIR: temporary });
      onTestFinished(() => void child.kill('SIGKILL'));
      const said = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const)
        child[name]?.setEncoding('utf8').on('data', (text: string) => {
          said[name] += text;
        });
      const closed = once(child, 'close');
      while (child.exitCode === null && !said.stdout.includes('payment')) await passed(50);
      child.kill(signal);
      expect(await closed).toEqual([exitCode, null]);
      expect(said.stderr).toMatch(
        new RegExp(`${signal}: the run was broken off after .+ of simulated time; ${kept} has`),
      );
      expect(JSON.parse(said.stdout.trimEnd().split('\n').at(-1) as string)).toMatchObject({
        event: 'broken-off',
        signal,
      });
      expect(readdirSync(kept)).toEqual(['authority.db', 'gate-1']);
      expect((await run('ledger', 'check', join(kept, 'gate-1', 'ledger.flash'))).code).toBe(0);
      expect((await run('provision', 'verify', join(kept, 'gate-1', 'provisioning.img'))).code).toBe(0);
      expect(readdirSync(temporary)).toEqual([]);
      while (isNamed(temporary)) await passed(50);
    },
  );
});

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether the words of any program name a path. */
function isNamed(path: string): boolean {
  return readdirSync('/proc').some((id) => {
    const words = `/proc/${id}/cmdline`;
    try {
      return /^\d+$/.test(id) && existsSync(words) && readFileSync(words, 'latin1').includes(path);
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}
