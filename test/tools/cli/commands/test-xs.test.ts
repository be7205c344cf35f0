// `test-xs` called wrongly: what would run nothing, or not what was asked for, is refused before an engine is built.

import { mkdirSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { Bench, run } from '../run.ts';

const bench = new Bench();
afterAll(() => bench.remove());

async function refusal(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('test-xs', ...words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^mpcp-embedded test-xs: [^\n]*\n$/);
  return stderr;
}

it('vectors in a folder that is not there', async () => {
  expect(await refusal('--vectors', bench.path('nowhere'))).toMatch(
    /: cannot read .*nowhere: no such file or folder\n$/,
  );
});

it('vectors in a file', async () => {
  const file = bench.write('file', 'text');
  expect(await refusal('--vectors', file)).toMatch(/file: a part of the path is not a folder\n$/);
});

it('vectors in a folder that has none: nothing would run, and pass', async () => {
  mkdirSync(bench.path('empty'));
  bench.write('empty/other.json', { format: 'other' });
  expect(await refusal('--vectors', bench.path('empty'))).toMatch(/: there is no vector file in .*empty\n$/);
});

it.each(['nowhere', 'test/vectors/interop'])(
  'vectors in %s beside spec files, where they are not run',
  async (folder) => {
    const message = await refusal('json/', '--vectors', folder);
    expect(message).toContain('--vectors is for the conformance run, which is not run where spec files are named');
  },
);
