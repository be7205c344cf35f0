// What is missing on a machine: one line that says which Debian package brings it, a skip that is counted, and a failure where
// skips are not accepted. With programs in the places of compilers that can do what a test wants.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineMissing } from '../../../host-sim/xs/project.ts';
import { type TargetName, targetNamed } from '../../../host-sim/xs/targets.ts';
import { run } from '../../tools/cli/run.ts';

let folder: string;
const path = process.env.PATH;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mpcp-targets-'));
  mkdirSync(join(folder, 'bin'));
  process.env.PATH = join(folder, 'bin');
});

afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true, force: true });
});

/** Puts a program there that fails where one of its words is `cannot`. */
function install(name: string, cannot = 'nothing'): void {
  const file = join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\nfor word; do if [ "$word" = '${cannot}' ]; then exit 1; fi; done\n`);
  chmodSync(file, 0o755);
}

function missing(name: TargetName): string {
  try {
    targetNamed(name);
  } catch (error) {
    expect(error).toBeInstanceOf(EngineMissing);
    const { message } = error as EngineMissing;
    expect(message).not.toContain('\n');
    expect(message).toContain(`XS for ${name} `);
    return message;
  }
  return 'nothing';
}

describe.each<TargetName>(['m32', 'm32-bounds'])('%s', (name) => {
  it('without a compiler asks for gcc', () => {
    expect(missing(name)).toMatch(/apt-get install gcc$/);
  });

  it('with a compiler for 64 bits alone asks for gcc-multilib', () => {
    install('gcc', '-m32');
    expect(missing(name)).toMatch(/apt-get install gcc-multilib$/);
  });

  it('has all it needs with both', () => {
    install('gcc');
    expect(missing(name)).toBe('nothing');
  });
});

describe('rv32', () => {
  const COMPILER = 'riscv64-unknown-elf-gcc';

  it('without a compiler asks for the cross compiler', () => {
    expect(missing('rv32')).toMatch(/apt-get install gcc-riscv64-unknown-elf$/);
  });

  it('with a compiler that has no C library asks for picolibc', () => {
    install(COMPILER, '--specs=picolibc.specs');
    expect(missing('rv32')).toMatch(/apt-get install picolibc-riscv64-unknown-elf$/);
  });

  it('without an emulator asks for QEMU', () => {
    install(COMPILER);
    expect(missing('rv32')).toMatch(/apt-get install qemu-system-misc$/);
    install('qemu-system-riscv32');
    expect(missing('rv32')).toBe('nothing');
  });
});

describe.each(['m32', 'rv32'])('test-xs on %s without a compiler', (target) => {
  const words = ['test-xs', 'ledger/block-chain', '--target', target];

  it('skips, says in one line what to install, and counts the skip', async () => {
    const { code, stdout } = await run(...words);
    expect(code).toBe(0);
    const lines = stdout.split('\n').filter((line) => line.includes('apt-get install'));
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^skipped ${target}: .*a Debian package that is not here`)),
    ]);
    const { stdout: json } = await run(...words, '--json');
    expect(JSON.parse(json)).toMatchObject([{ passed: 0, failed: [], skipped: [expect.any(String)] }]);
  });

  it('fails where skips are not accepted', async () => {
    expect((await run(...words, '--no-skip')).code).toBe(1);
  });
});
