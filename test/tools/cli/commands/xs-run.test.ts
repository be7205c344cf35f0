// `xs-run`: which file runs, what is told where none does, and what is left behind where the command is ended.

import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineIsHere } from '../../../fixtures/engine.ts';
import { Program } from '../program.ts';
import { Bench, run } from '../run.ts';

const bench = new Bench();
let program: Program;

beforeAll(() => {
  program = new Program();
  bench.write('hello.ts', 'export default (): void => host.print("hello");\n');
});
afterAll(() => {
  bench.remove();
  program.remove();
});

describe('what cannot run is a wrong call in one sentence, before an engine is built:', () => {
  it.each([
    ['a file that is not there', 'nowhere.ts', undefined, /: cannot read .*nowhere\.ts: no such file or folder$/],
    ['a folder', '', undefined, /: cannot read .*: it is no file$/],
    ['an empty file', 'empty.ts', '', /empty\.ts exports no function: its default export is what the engine calls$/],
    ['no default export', 'constant.ts', 'export const a = 1;', /constant\.ts exports no function: /],
    ['no TypeScript', 'wrong.ts', 'const = 1;', /wrong\.ts cannot be made into modules: .*wrong\.ts:1: Expected/],
    ['bytes', 'bytes.ts', Uint8Array.of(0, 255, 254), /bytes\.ts cannot be made into modules: .*:1: Unexpected/],
    ['a missing import', 'lost.ts', 'import "./gone.ts"; export default () => 1;', /Could not resolve ".\/gone\.ts"$/],
  ])('%s', async (_, name, content, message) => {
    if (content !== undefined) bench.write(name, content);
    const { code, stdout, stderr } = await run('xs-run', bench.path(name));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trimEnd()).toMatch(message);
    expect(stderr).toMatch(/^mpcp-embedded xs-run: [^\n]*\n$/);
  });

  it('a folder for temporary files that is not there', () => {
    const { code, stderr } = program.shell('TMPDIR=/nowhere mpcp xs-run hello.ts', bench.folder);
    if (stderr.includes('apt-get install')) return;
    expect(code).toBe(2);
    expect(stderr).toMatch(/: no folder for temporary files can be made in \/nowhere: ENOENT\n$/);
  });
});

describe.skipIf(!engineIsHere('m32'))('inside XS (skipped without its compiler)', () => {
  it('runs a file of the folder that it is called in', () => {
    const { code, stdout } = program.shell('mpcp xs-run hello.ts', bench.folder);
    expect({ code, first: stdout.split('\n')[0] }).toEqual({ code: 0, first: 'hello' });
  });

  it.each([
    ['throws', 'throw new Error("no");', 'uncaught: Error: no'],
    ['stops the machine', 'for (const a = []; ; ) a.push({});', 'the machine stopped: memory full'],
    ['has no end', 'for (;;);', 'the machine stopped: no end within 1 s'],
  ])('exit 1 where the program %s', async (_, body, told) => {
    const file = bench.write('body.ts', `export default () => { ${body} };`);
    const { code, stdout } = await run('xs-run', '--seconds', '1', file);
    expect(code).toBe(1);
    expect(stdout).toContain(told);
  });

  it('tells nothing but the exception of a module body', async () => {
    const file = bench.write('throws.ts', 'throw new TypeError("early"); export default () => 1;');
    const { code, stdout } = await run('xs-run', file, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, exception: 'TypeError: early', figures: [] });
  });

  it('a module whose default export is no function is a wrong call', async () => {
    const { code, stderr } = await run('xs-run', bench.write('five.ts', 'export default 5;'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/the default export of .*five\.ts is no function\n$/);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ended by %s it leaves no folder behind, and no program',
    async (signal) => {
      bench.write('loop.ts', 'export default () => { for (;;); };');
      const folder = bench.path(signal);
      mkdirSync(folder);
      const child = program.start(['xs-run', 'loop.ts'], bench.folder, { TMPDIR: folder });
      while (running(folder).length === 0) await new Promise((done) => setTimeout(done, 50));
      child.kill(signal);
      const [, ended] = await once(child, 'close');
      while (running(folder).length > 0) await new Promise((done) => setTimeout(done, 50));
      expect([ended, readdirSync(folder)]).toEqual([signal, []]);
    },
  );
});

/** Programs whose words name the folder. */
function running(folder: string): readonly string[] {
  return program
    .shell(`cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'`, folder)
    .stdout.split('\n')
    .filter((word) => word.startsWith(`${folder}/mpcp-xs-`));
}
