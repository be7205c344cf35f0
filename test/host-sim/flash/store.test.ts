// Flash contents in memory and in a file that outlives the process, killed or not.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FlashError } from '../../../core/ports/ports.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { FileStore, MemoryStore } from '../../../host-sim/flash/store.ts';

describe('MemoryStore', () => {
  it('is erased at first, or begins with a copy of what it is given', () => {
    const given = Uint8Array.of(1, 2, 3);
    const store = new MemoryStore(given);
    given[0] = 9;
    const target = new Uint8Array(3);
    store.read(0, target);
    expect(target).toEqual(Uint8Array.of(1, 2, 3));
    new MemoryStore(3).read(0, target);
    expect(target).toEqual(Uint8Array.of(0xff, 0xff, 0xff));
  });
});

describe('FileStore', () => {
  let folder = '';
  let path = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mpcp-store-'));
    path = join(folder, 'flash');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each([true, false])('makes an erased file where there is none (sync: %s)', (sync) => {
    const store = new FileStore(path, { size: 8192, sync });
    expect(readFileSync(path)).toEqual(Buffer.alloc(8192, 0xff));
    expect(readdirSync(folder)).toEqual(['flash']);
    store.close();
    store.close();
  });

  it('keeps what was written for the next one that opens it', () => {
    const first = new FileStore(path, { size: 4096 });
    new SimulatedFlash(first).program(16, new Uint8Array(16).fill(0x42));
    first.close();
    const second = new FileStore(path, { size: 4096 });
    const target = new Uint8Array(48);
    new SimulatedFlash(second).read(0, target);
    expect(target).toEqual(
      Uint8Array.from([...Array(16).fill(0xff), ...Array(16).fill(0x42), ...Array(16).fill(0xff)]),
    );
    second.close();
  });

  it('refuses a file of another size, and leaves it alone', () => {
    writeFileSync(path, 'short');
    expect(() => new FileStore(path, { size: 4096 })).toThrow(/has 5 bytes, not 4096/);
    expect(readFileSync(path, 'utf8')).toBe('short');
  });

  it('says what cannot be opened', () => {
    expect(() => new FileStore(join(folder, 'no', 'such', 'folder'), { size: 4096 })).toThrow(FlashError);
  });

  it('a store that is closed fails as flash fails', () => {
    const store = new FileStore(path, { size: 4096 });
    store.close();
    expect(() => store.read(0, new Uint8Array(1))).toThrow(FlashError);
    expect(() => store.write(0, new Uint8Array(1))).toThrow(FlashError);
  });

  it('a process that is killed loses nothing it had programmed', () => {
    const module = join(folder, 'flash.mjs');
    const source = `import { SimulatedFlash } from './simulated-flash.ts';
      import { FileStore } from './store.ts';
      const flash = new SimulatedFlash(new FileStore(process.argv[2], { size: 4096 }));
      flash.program(32, new Uint8Array(16).fill(0x33));
      process.kill(process.pid, 'SIGKILL');`;
    const resolveDir = fileURLToPath(new URL('../../../host-sim/flash', import.meta.url));
    buildSync({
      stdin: { contents: source, resolveDir },
      outfile: module,
      bundle: true,
      format: 'esm',
      platform: 'node',
    });
    expect(spawnSync(process.execPath, [module, path]).signal).toBe('SIGKILL');
    const store = new FileStore(path, { size: 4096 });
    const target = new Uint8Array(16);
    store.read(32, target);
    expect(target).toEqual(new Uint8Array(16).fill(0x33));
    store.close();
  });
});
