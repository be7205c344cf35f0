// The cache of the engine: a folder that cannot be made is told in one sentence, at once, and an empty name is none.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cacheFolder, EngineProblem } from '../../../host-sim/xs/project.ts';
import { run } from '../../tools/cli/run.ts';

afterEach(() => vi.unstubAllEnvs());

describe('the cache of the engine', () => {
  it.each(['/dev/null', '/dev/null/deeper', '/proc/none'])(
    'that cannot be made in %s is a problem that names it',
    (root) => {
      vi.stubEnv('MPCP_XS_CACHE', root);
      expect(() => cacheFolder('objects')).toThrow(EngineProblem);
      expect(() => cacheFolder('objects')).toThrow(`${root}/objects cannot be made: `);
    },
  );

  it('has a path that holds wherever a program is started', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mpcp-project-'));
    try {
      vi.stubEnv('MPCP_XS_CACHE', relative(process.cwd(), folder));
      expect(cacheFolder('objects')).toBe(join(folder, 'objects'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is the usual one where MPCP_XS_CACHE is empty', () => {
    vi.stubEnv('MPCP_XS_CACHE', '');
    expect(cacheFolder('objects')).toMatch(/node_modules.*objects$/);
  });
});

describe('test-xs', () => {
  it('refuses a spec that is in no name: nothing would run, and pass', async () => {
    const { code, stderr } = await run('test-xs', 'json/', 'json/nowhere');
    expect(code).toBe(2);
    expect(stderr).toContain('json/nowhere: no spec file of test/core has this in its name');
  });
});
