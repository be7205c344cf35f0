// The installed program as a child process: exit codes, streams, pipes. Needs the build; skipped by name without it.

import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isBuilt } from '../../fixtures/built.ts';
import { type Bench, NOW, paymentBench } from './run.ts';

const BIN = 'tools/bin/mpcp-embedded.mjs';
const built = isBuilt('the program as a child process');

function bin(words: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...words], { input, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

describe.skipIf(!built)('the program, built', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await paymentBench();
  });
  afterAll(() => bench.remove());

  it('prints help and version', () => {
    expect(bin(['--help'])).toMatchObject({ code: 0, stderr: '' });
    expect(bin(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('answers 0, 1 and 2', () => {
    const words = ['verify', 'chain', '--grant', bench.path('grant.json'), '--sba', bench.path('sba.json')];
    const trust = ['--config', bench.path('site.json'), '--bundle', bench.path('bundle.json'), '--now', NOW];
    expect(bin([...words, '--amount', '1800', ...trust])).toEqual({ code: 0, stdout: 'accepted\n', stderr: '' });
    expect(bin([...words, '--amount', '9999', ...trust])).toMatchObject({ code: 1, stderr: '' });
    expect(bin([...words, '--amount', '1800', '--config', '/nowhere'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('reads standard input for -', () => {
    const { code, stdout } = bin(['policy', 'hash', '-'], '{"a": 1}');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect(bin(['policy', 'hash', '-'], '{"a": ')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^mpcp-embedded policy hash: policy: -: the text ends/),
    });
  });

  it('ends quietly where its reader closes early', () => {
    const { status, stderr } = spawnSync('sh', ['-c', `${process.execPath} ${BIN} grant issue --help | head -1`], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
