// An archive that is not as archive.ts writes it: the engine's host believes no size in it, and refuses it in one sentence before
// anything of it runs.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeArchive } from '../../../host-sim/xs/archive.ts';
import { EngineProblem } from '../../../host-sim/xs/project.ts';
import { runArchive } from '../../../host-sim/xs/runner.ts';
import { engineIsHere } from '../../fixtures/engine.ts';
import { utf8 } from '../../fixtures/text.ts';

describe.skipIf(!engineIsHere('m32'))('an archive (skipped without a compiler for XS)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mpcp-modules-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let good: string;

  beforeAll(async () => {
    writeFileSync(join(folder, 'two words.ts'), 'export const one = 1;\n');
    const entry = join(folder, 'entry.ts');
    writeFileSync(entry, "import { one } from './two words.ts';\nexport default () => host.print(String(one));\n");
    good = Buffer.from(await makeArchive({ entry })).toString('utf8');
  });

  async function refusal(archive: string): Promise<string> {
    const error = await runArchive(utf8(archive), { target: 'm32', seconds: 60 }).catch((problem: unknown) => problem);
    expect(error).toBeInstanceOf(EngineProblem);
    return (error as EngineProblem).message;
  }

  it('that is whole runs, with blanks in names and specifiers', async () => {
    expect(await runArchive(utf8(good), { target: 'm32' })).toMatchObject({ ok: true, lines: ['1'] });
  });

  it('that is cut off anywhere is damaged', async () => {
    for (let length = 0; length < good.length; length += Math.max(1, Math.floor(good.length / 40)))
      expect(await refusal(good.slice(0, length))).toMatch(
        /^the engine: the archive of modules .* is damaged: .*, \d+ bytes before its end$/,
      );
  });

  it.each<[string, (archive: string) => string, string]>([
    ['has no modules', () => '0\n', 'it has no modules'],
    ['counts more modules than it has bytes', (all) => all.replace(/^2/, '4000000000'), 'it counts more than there is'],
    ['has a source longer than itself', (all) => all.replace(/\t0\t\d+\n/, '\t0\t99999\n'), 'it counts more'],
    ['has a source of a length beyond any', (all) => all.replace(/\t0\t\d+\n/, `\t0\t${2 ** 32}1\n`), 'it counts more'],
    ['has a source of a negative length', (all) => all.replace(/\t0\t\d+\n/, '\t0\t-1\n'), 'a number is expected'],
    ['has a source one byte longer', (all) => withLength(all, 1), 'a source is longer or shorter than it says'],
    ['has a source two bytes shorter', (all) => withLength(all, -2), 'a source is longer or shorter than it says'],
    ['has more imports than bytes', (all) => all.replace(/\t0\t/, '\t700000000\t'), 'it counts more than there is'],
    ['has no number of modules', (all) => all.replace(/^2/, ''), 'a number is expected'],
    ['has more behind its end', (all) => `${all}x`, 'something follows its last module'],
  ])('that %s is damaged', async (_, damage, why) => {
    expect(await refusal(damage(good))).toContain(` is damaged: ${why}`);
  });
});

/** The first module's source said to be longer or shorter. */
function withLength(archive: string, more: number): string {
  return archive.replace(/\t0\t(\d+)\n/, (_, length: string) => `\t0\t${Number(length) + more}\n`);
}
