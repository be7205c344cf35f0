// The C that counts a meter's pulses, compiled on a desk for a chip with a pulse counter and for one without: a line goes up and down
// under it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../../host-sim/xs/project.ts';
import { missingCompiler } from './compiler.ts';

const root = projectFolder();
const folder = mkdtempSync(join(tmpdir(), 'mpcp-pulses-'));

const why = missingCompiler();
const KINDS = [
  ['with a pulse counter (ESP32, ESP32-S3)', 'counter', ['-DSOC_PCNT_SUPPORTED=1']],
  ['without one (ESP32-C3)', 'interrupt', []],
] as const;

/** What a line does. @returns what is printed */
function line(kind: string, ...words: readonly (string | number)[]): readonly string[] {
  return execFileSync(join(folder, kind), words.map(String), { encoding: 'utf8' }).trimEnd().split('\n');
}

const name = `pulses counted in C${why === undefined ? '' : ` (skipped: ${why})`}`;

describe.skipIf(why !== undefined)(name, () => {
  beforeAll(() => {
    const sources = ['device/native/pulses.c', 'test/device/native/line.c'].map((path) => join(root, path));
    for (const [, kind, flags] of KINDS) {
      const stub = ['test/device/native/stub', 'host-sim/xs/c/board'].flatMap((path) => ['-I', join(root, path)]);
      execFileSync(
        'gcc',
        ['-std=gnu17', '-O1', '-Wall', '-Wextra', '-Werror', ...flags, ...stub].concat(
          sources,
          '-o',
          join(folder, kind),
        ),
      );
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  describe.each(KINDS)('on a chip %s', (_, kind) => {
    it('are one for each time that the line is pulled down, whatever the engine is at meanwhile', () => {
      expect(line(kind, 'p', 5, 't', 7)).toEqual(['begun 1 up 1 on 5', 'count 7']);
    });

    it('go on beyond what 16 bits hold', () => {
      expect(line(kind, 'p', 5, 't', 100_000)).toEqual(['begun 1 up 1 on 5', 'count 100000']);
    });

    it('are none on a pin that something else has, or that the chip has not', () => {
      expect(line(kind, 'p', 3, 'p', 70)).toEqual(['begun 0 up 0 on -1', 'begun 0 up 0 on -1', 'count 0']);
    });

    it('are counted on a pin that has no pull-up of its own, as an ESP32’s last ones', () => {
      expect(line(kind, 'p', 35, 't', 7)).toEqual(['begun 1 up 0 on 35', 'count 7']);
    });

    it('come from one line: a second time it is taken', () => {
      expect(line(kind, 'p', 5, 'p', 5)[1]).toBe('begun 0 up 1 on -1');
    });
  });

  it('are one where the contact bounces as it closes and opens, on a chip that counts by interrupt', () => {
    const bouncing = [0, 0, 300, 1, 600, 0, 30_000, 1, 30_400, 0, 30_900, 1];
    expect(line('interrupt', 'p', 5, ...bouncing).at(-1)).toBe('count 1');
    // The counter has no time: FLASHING says what its contact must be like.
    expect(line('counter', 'p', 5, ...bouncing).at(-1)).toBe('count 3');
  });
});
