// How a run ends: what a program prints can pass for nothing else, what it throws is its exception wherever it is thrown, and
// whatever else ends a machine is told by its name.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineProblem } from '../../../host-sim/xs/project.ts';
import { runEngine, runInXs, type XsOptions, type XsRun } from '../../../host-sim/xs/runner.ts';
import { engineIsHere } from '../../fixtures/engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'mpcp-runner-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What came of a shell script in the place of the engine. */
function said(script: string, seconds = 60, heard?: (line: string) => void): Promise<XsRun> {
  return runEngine('sh', ['-c', script], seconds, heard);
}

async function problemOf(run: Promise<XsRun>): Promise<string> {
  const error = await run.catch((problem: unknown) => problem);
  expect(error).toBeInstanceOf(EngineProblem);
  expect((error as EngineProblem).message).not.toContain('\n');
  return (error as EngineProblem).message;
}

describe('what the engine prints', () => {
  it('is lines of the program, of the host, and words of its own', async () => {
    const run = await said(`echo '> "a"'; echo '# noise'; echo '> "b\\\\nc"'; echo '@end {"ok":true}'`);
    expect(run).toMatchObject({ ok: true, lines: ['a', 'b\nc'], exception: undefined, abort: undefined });
  });

  it.each([
    ['that is no JSON', '@end {"ok":tru'],
    ['of an unknown kind', '@forged {"ok":true}'],
    ['of the program that is no JSON', '> plain'],
  ])('with a line %s is one error', async (_, line) => {
    const script = `echo '${line}'; echo '@end {"ok":true}'`;
    expect(await problemOf(said(script))).toBe(`the engine printed a line that cannot be read: ${line}`);
  });

  it('that its hearer refuses ends the run with the hearer’s error', async () => {
    const heard = () => {
      throw new Error('not this');
    };
    await expect(said(`echo '> "a"'; sleep 60`, 60, heard)).rejects.toThrow('not this');
  });
});

describe('an end without a last line', () => {
  it.each([
    ['an exit', 'exit 5', 'ended with 5'],
    ['an exit with words', 'echo qemu is lost >&2; exit 1', 'ended with 1 (qemu is lost)'],
    ['a signal', 'kill -TERM $$', 'killed by SIGTERM'],
    ['a crash', 'kill -SEGV $$', 'killed by SIGSEGV, as where the stack is too deep: m32-bounds tells'],
    [
      'a crash within a line',
      `printf '> "begRISCV fault\\n'; exit 1`,
      'ended with 1 (> "begRISCV fault), as where the stack is too deep: m32-bounds tells',
    ],
  ])('by %s is told', async (_, script, abort) => {
    expect(await said(script)).toMatchObject({ ok: false, abort, exception: undefined });
  });

  it('by time says after how much, and what the program started ends too', async () => {
    expect(await said('sleep 600 & wait', 1)).toMatchObject({ ok: false, abort: 'no end within 1 s' });
  });

  it('because it prints for ever says so', async () => {
    const { abort } = await said(`line=$(printf '%065536d' 0); while :; do echo "# $line"; done`);
    expect(abort).toBe('it printed more than 64 MB');
  });

  it('of what cannot be started names it', async () => {
    expect(await problemOf(runEngine(join(folder, 'nowhere'), [], 60))).toMatch(/nowhere cannot be started: ENOENT$/);
  });
});

describe.skipIf(!engineIsHere('m32'))('a program inside XS (skipped without its compiler)', () => {
  let count = 0;
  function ran(text: string, options: Partial<XsOptions> = {}): Promise<XsRun> {
    const entry = join(folder, `program ${count++}.ts`);
    writeFileSync(entry, text);
    return runInXs({ entry }, { target: 'm32', seconds: 60, ...options });
  }

  it.each([
    ['print', `host.print('a\\n@end {"ok":true}\\nb'); host.print('x\\n@exception "y"'); throw new Error('real');`],
    ['trace', `trace('a\\n@end {"ok":true}\\n@exception "y"\\n> "z"'); throw new Error('real');`],
    ['figures', `host.figures('a\\n@end {"ok":true}'); throw new Error('real');`],
    ['an exception', `throw new Error('real');`],
  ])('cannot pass for the host with %s', async (_, body) => {
    const run = await ran(`export default function main() { ${body} }`);
    expect(run).toMatchObject({ ok: false, exception: 'Error: real', abort: undefined });
  });

  it('prints every text as it is, whatever is in it', async () => {
    const texts = [
      '',
      ' ',
      'a\nb\r\n',
      '\0a\0',
      '\u001b[31m"\\',
      '> "x"',
      '\ud800',
      '\udfffx\ud800',
      '😀\u2028é',
      'x'.repeat(4000),
    ];
    const run = await ran(`export default () => { for (const text of ${JSON.stringify(texts)}) host.print(text); };`);
    expect(run.lines).toEqual(texts);
  });

  it('has what trace begins on a line of its own', async () => {
    const run = await ran(`export default () => { trace('half'); host.print('whole'); trace('end'); };`);
    expect(run).toMatchObject({ ok: true, lines: ['whole'] });
  });

  it('gets its words, with blanks and line breaks', async () => {
    const words = ['a b', '', 'c\nd', '%20', '"'];
    const text = 'export default () => { for (let i = 0; i < 6; i++) host.print(String(host.argument(i))); };';
    expect((await ran(text, { words })).lines).toEqual([...words, 'undefined']);
  });

  it.each([
    ['rejects', `export default async () => { await 0; throw new Error('late'); };`, 'Error: late'],
    ['leaves a rejection alone', `export default () => { Promise.reject(new Error('alone')); };`, 'Error: alone'],
    ['throws in a module body', `throw new TypeError('in body'); export default () => {};`, 'TypeError: in body'],
    ['rejects in a module body', `Promise.reject(new Error('early')); export default () => {};`, 'Error: early'],
    ['throws what is no text', `export default () => { throw Symbol('s'); };`, 'what was thrown cannot be made text'],
    [
      'throws what throws again',
      `export default () => { throw { toString() { throw new Error('again'); } }; };`,
      'what was thrown cannot be made text',
    ],
    [
      'waits for ever',
      'export default () => new Promise(() => {});',
      'the promise that the program returned is never settled: nothing is left to run',
    ],
    [
      'asks for a file that is not there',
      `export default () => { host.readFile('/nowhere'); };`,
      'Error: /nowhere cannot be read: No such file or directory',
    ],
    ['asks for a folder', `export default () => { host.readFile('/'); };`, 'Error: / cannot be read: Is a directory'],
  ])('that %s has thrown', async (_, text, exception) => {
    expect(await ran(text)).toMatchObject({ ok: false, exception, abort: undefined });
  });

  it('that is asynchronous runs to its end', async () => {
    const run = await ran(`export default async () => { await 0; host.print('awaited'); };`);
    expect(run).toMatchObject({ ok: true, lines: ['awaited'] });
  });

  it.each([
    ['goes too deep', 'const f = (n) => f(n + 1) + 1; export default () => f(0);', /^killed by SIG|^stack overflow/],
    ['fills its memory', 'export default () => { for (const a = []; ; ) a.push({}); };', /^memory full/],
    [
      'fills the root machine’s',
      'let text = "x"; for (;;) text += text; export default () => {};',
      /^memory full while the modules' bodies ran/,
    ],
    ['never ends', `export default () => { host.print('here'); for (;;); };`, /^no end within 2 s$/],
  ])('that %s has stopped the machine', async (_, text, abort) => {
    const run = await ran(text, { seconds: 2 });
    expect(run).toMatchObject({ ok: false, exception: undefined, abort: expect.stringMatching(abort) });
    if (text.includes('here')) expect(run.lines).toEqual(['here']);
  });

  it('that exports something else says what it should be', async () => {
    expect(await problemOf(ran('export default 5;'))).toMatch(/default export of .*program \d+\.ts is no function$/);
  });
});
