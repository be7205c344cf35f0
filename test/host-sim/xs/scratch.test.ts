// Folders and programs of a run: gone at its end, however it ends; what cannot be made or written is one sentence. What signals
// do to them is a matter of a process (test/tools/cli/commands/xs-run.test.ts).

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EngineProblem } from '../../../host-sim/xs/project.ts';
import { endChild, inScratch, makeScratch, runChild, startChild } from '../../../host-sim/xs/scratch.ts';

const listeners = () => process.listenerCount('SIGTERM') + process.listenerCount('exit');

it('a folder is there while it is needed, and nothing listens for signals after it', async () => {
  const before = listeners();
  let path = '';
  await inScratch('mpcp-scratch', async (folder) => {
    path = folder;
    writeFileSync(join(folder, 'file'), 'text');
    expect(listeners()).toBe(before + 2);
  });
  expect([existsSync(path), listeners()]).toEqual([false, before]);
});

it('two at once listen once, and the first that is gone leaves the other', () => {
  const before = listeners();
  const [one, other] = [makeScratch('mpcp-scratch'), makeScratch('mpcp-scratch')];
  one.remove();
  expect([existsSync(one.path), existsSync(other.path), listeners()]).toEqual([false, true, before + 2]);
  other.remove();
  expect(listeners()).toBe(before);
});

it.each([
  ['before', false],
  ['after', true],
])(
  'a signal that somebody else has begun to listen for %s it is theirs: they end what they run, and what that needs is left',
  (_, isLater) => {
    const before = listeners();
    const heard: string[] = [];
    const listen = () => process.once('SIGTERM', (signal) => heard.push(signal));
    if (!isLater) listen();
    const scratch = makeScratch('mpcp-scratch');
    if (isLater) listen();
    process.emit('SIGTERM', 'SIGTERM');
    expect([heard, existsSync(scratch.path), listeners()]).toEqual([['SIGTERM'], true, before + 2]);
    scratch.remove();
    expect([existsSync(scratch.path), listeners()]).toEqual([false, before]);
  },
);

it('a folder is gone where its work fails, with the failure of the work', async () => {
  let path = '';
  const work = inScratch('mpcp-scratch', async (folder) => {
    path = folder;
    throw new Error('the work failed');
  });
  await expect(work).rejects.toThrow('the work failed');
  expect(existsSync(path)).toBe(false);
});

it.each([
  [
    'a file that cannot be written',
    (folder: string) => writeFileSync(join(folder, 'no', 'file'), ''),
    /file cannot be written: ENOENT$/,
  ],
  [
    'a full disk',
    () => writeFileSync('/dev/full', 'text'),
    /mpcp-scratch-\w+ has no room for what a run needs: ENOSPC$/,
  ],
])('%s is one sentence', async (_, write, message) => {
  const error = await inScratch('mpcp-scratch', async (folder) => write(folder)).catch((problem: unknown) => problem);
  expect(error).toBeInstanceOf(EngineProblem);
  expect((error as EngineProblem).message).toMatch(message);
});

it('a folder that cannot be made is one sentence', () => {
  expect(() => makeScratch('mpcp-scratch', '/proc')).toThrow(
    new EngineProblem('no folder for temporary files can be made in /proc: ENOENT'),
  );
});

it('a program that is ended takes what it started with it', async () => {
  const child = startChild('sh', ['-c', 'sleep 600 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const grandchild = await new Promise<number>((resolve) =>
    child.stdout?.once('data', (text) => resolve(Number(text))),
  );
  expect(isRunning(grandchild)).toBe(true);
  endChild(child);
  await new Promise((resolve) => child.once('close', resolve));
  expect(isRunning(grandchild)).toBe(false);
});

it('a program tells what it said and how it ended', async () => {
  expect(await runChild('sh', ['-c', 'echo out; echo err >&2; exit 3'])).toEqual({
    code: 3,
    signal: null,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  await expect(runChild('/nowhere', [])).rejects.toThrow('ENOENT');
});

/** A program that has ended may still be there until somebody asks how. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
