// An archive of modules: what a program imports is in it, each file once, with what every import stands for; what cannot be a
// module in the engine is refused in one sentence before anything runs.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ArchiveOptions, makeArchive } from '../../../host-sim/xs/archive.ts';
import { EngineProblem } from '../../../host-sim/xs/project.ts';

const folder = mkdtempSync(join(tmpdir(), 'mpcp-archive-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

interface Module {
  readonly name: string;
  readonly imports: readonly string[];
  readonly source: string;
}

/** The modules of an archive, read as the engine's host reads them. */
async function modulesOf(options: ArchiveOptions): Promise<readonly Module[]> {
  let rest = Buffer.from(await makeArchive(options));
  const line = (): string => {
    const end = rest.indexOf('\n');
    const text = rest.subarray(0, end).toString('utf8');
    rest = rest.subarray(end + 1);
    return text;
  };
  const modules = Array.from({ length: Number(line()) }, () => {
    const [name = '', imports, size] = line().split('\t');
    const list = Array.from({ length: Number(imports) }, line);
    const source = rest.subarray(0, Number(size)).toString('utf8');
    rest = rest.subarray(Number(size));
    expect(line()).toBe('');
    return { name, imports: list, source };
  });
  expect(rest).toHaveLength(0);
  return modules;
}

async function refusal(options: ArchiveOptions): Promise<string> {
  const error = await makeArchive(options).catch((problem: unknown) => problem);
  expect(error).toBeInstanceOf(EngineProblem);
  expect((error as EngineProblem).message).not.toContain('\n');
  return (error as EngineProblem).message;
}

describe('an archive', () => {
  it('has each module once, the entry last, and says what every import stands for', async () => {
    file('shared.ts', 'export const one: number = 1;\n');
    file('left.ts', "export { one } from './shared.ts';\n");
    const entry = file(
      'entry.ts',
      "import { one } from './left.ts';\nimport * as s from './shared.ts';\nexport default () => one + s.one;\n",
    );
    const modules = await modulesOf({ entry });
    const last = modules.at(-1) as Module;
    expect(modules.map(({ name }) => name.split('/').at(-1)).sort()).toEqual(['entry.ts', 'left.ts', 'shared.ts']);
    expect(last.name).toMatch(/entry\.ts$/);
    expect(last.imports.map((one) => one.split('\t')[0])).toEqual(['./left.ts', './shared.ts']);
    for (const one of last.imports) expect(modules.map(({ name }) => name)).toContain(one.split('\t')[1]);
    expect(modules.find(({ name }) => name.endsWith('shared.ts'))?.source).not.toContain('number');
  });

  it('counts a source in bytes, whatever is in it', async () => {
    const entry = file('unicode.ts', "export default () => 'é😀 1 2 3\\n';\n");
    expect((await modulesOf({ entry }))[0]?.source).toContain('é😀');
  });

  it('has a module in place of another, and text that is no file', async () => {
    const entry = file(
      'replacing.ts',
      "import a from 'a-package';\nimport b from 'made-up';\nexport default () => a + b;\n",
    );
    const modules = await modulesOf({
      entry,
      replaced: { 'a-package': 'core/limits.ts' },
      generated: { 'made-up': 'export default 2;' },
    }).catch((error: EngineProblem) => error.message);
    // The stand-in has no default export, which is found out before anything runs.
    expect(modules).toMatch(/No matching export in "core\/limits\.ts"/);
  });
});

describe('what cannot be a module is refused in one sentence:', () => {
  it('an import of what there is not', async () => {
    expect(await refusal({ entry: file('a.ts', "import './nowhere.ts';\n") })).toMatch(/Could not resolve/);
  });

  it('an import of what Node has and the engine has not', async () => {
    expect(await refusal({ entry: file('b.ts', "import { readFileSync } from 'node:fs';\nreadFileSync;\n") })).toMatch(
      /node:fs/,
    );
  });

  it('a text that is no TypeScript', async () => {
    expect(await refusal({ entry: file('c.ts', 'const = 1;\n') })).toMatch(/cannot be made into modules: .*c\.ts/);
  });

  it('a CommonJS module', async () => {
    file('common.js', 'module.exports = 1;\n');
    const entry = file('d.ts', "import one from './common.js';\nexport default () => one;\n");
    expect(await refusal({ entry })).toMatch(/common\.js is not an ES module/);
  });

  it('an entry without a default export', async () => {
    for (const text of ['', 'export const a = 1;\n', '// nothing\n'])
      expect(await refusal({ entry: file('e.ts', text) })).toMatch(/e\.ts exports no function: its default export is/);
  });

  it('a module that waits at its top: the linker of an image cannot', async () => {
    const entry = file('f.ts', 'await 0;\nexport default () => 1;\n');
    expect(await refusal({ entry })).toMatch(/f\.ts:1: Top-level await is not available/);
  });

  it('a file that is no module by its name', async () => {
    expect(await refusal({ entry: file('g.txt', 'export default () => 1;\n') })).toMatch(/g\.txt is no TypeScript/);
  });

  it('a name that would end its line in an archive', async () => {
    const entry = file('a\tb.ts', 'export default () => 1;\n');
    expect(await refusal({ entry })).toMatch(/a\\tb\.ts": a name with a tab or a line break cannot be a module's$/);
  });

  it('an entry that is not there', async () => {
    expect(await refusal({ entry: join(folder, 'nowhere.ts') })).toMatch(/nowhere\.ts/);
  });
});
