// Flash contents in memory and in a file that outlives the process, killed or not.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FlashError } from '../../../core/ports/ports.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { FileStore, MemoryStore } from '../../../host-sim/flash/store.ts';
import { tornErases, tornForms } from '../../../host-sim/flash/torn-forms.ts';

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

  it.each(['ones', 'scrambled'] as const)('keeps beside it which cells were programmed (erased: %s)', (erasedReads) => {
    const open = () => {
      const store = new FileStore(path, { size: 8192 });
      return { store, flash: new SimulatedFlash(store, { erasedReads }) };
    };
    const first = open();
    const blank = first.flash.contents();
    first.flash.program(16, new Uint8Array(16).fill(0xff));
    first.flash.cutAt(1, { kind: 'unstable', end: 'front', erased: 4096, seed: 2 });
    expect(() => first.flash.erase(4096)).toThrow(PowerCut);
    first.store.close();
    expect(readdirSync(folder).sort()).toEqual(['flash', 'flash.cells']);
    const second = open();
    expect(second.flash.contents().subarray(32)).toEqual(blank.subarray(32));
    expect(second.flash.wear()).toEqual([0, 1]);
    const target = new Uint8Array(4096);
    second.flash.read(4096, target);
    expect(target).not.toEqual(blank.subarray(4096));
    expect(() => second.flash.program(16, new Uint8Array(16))).toThrow(FlashError);
    second.flash.program(32, new Uint8Array(16));
    second.flash.erase(0);
    second.flash.erase(4096);
    second.store.close();
    const third = open();
    expect(third.flash.contents()).toEqual(blank);
    third.flash.program(16, new Uint8Array(16));
    third.flash.read(4096, target);
    expect(target).toEqual(blank.subarray(4096));
    third.store.close();
  });

  it('whatever was done, and broken off, the next process knows what this one knew', () => {
    const geometry = { blockSize: 64, programSize: 16 };
    const step = fc.record({ erase: fc.nat(3).map((n) => n === 0), at: fc.nat(15), form: fc.option(fc.nat(99)) });
    const data = new Uint8Array(16).fill(0xff).fill(0x0f, 8);
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        rmSync(path, { force: true });
        const store = new FileStore(path, { size: 256, sync: false });
        let broken: number | null = null;
        const flash: SimulatedFlash = new SimulatedFlash(store, {
          geometry,
          onOperation: ({ number, kind }) => {
            const forms = kind === 'erase' ? tornErases(64, 16) : tornForms(16, 16);
            if (broken !== null) flash.failAt(number, forms[broken % forms.length]);
          },
        });
        for (const { erase, at, form } of steps) {
          broken = form;
          try {
            if (erase) flash.erase((at % 4) * 64);
            else flash.program(at * 16, data);
          } catch (error) {
            expect(error).toBeInstanceOf(FlashError);
          }
        }
        const known = flash.snapshot();
        store.close();
        const again = new FileStore(path, { size: 256 });
        const later = new SimulatedFlash(again, { geometry }).snapshot();
        again.close();
        expect(later.cells.join()).toBe(known.cells.join());
        expect(later.states.join()).toBe(known.states.join());
      }),
    );
  });

  it('is only read by a flash that is only read', () => {
    const store = new FileStore(path, { size: 4096 });
    new SimulatedFlash(store).read(0, new Uint8Array(64));
    store.close();
    expect(readdirSync(folder)).toEqual(['flash']);
  });

  it('notes of a file that was there before do not speak for a new one', () => {
    const first = new FileStore(path, { size: 4096 });
    new SimulatedFlash(first).program(0, new Uint8Array(16).fill(0xff));
    first.close();
    rmSync(path);
    const second = new FileStore(path, { size: 4096 });
    new SimulatedFlash(second).program(0, new Uint8Array(16));
    second.close();
  });

  it('a file without notes, or with notes of another length, holds programmed what does not look erased', () => {
    const image = new Uint8Array(4096).fill(0xff);
    image[100] = 0;
    writeFileSync(path, image);
    writeFileSync(`${path}.cells`, 'of something else');
    const store = new FileStore(path, { size: 4096 });
    const flash = new SimulatedFlash(store);
    expect(() => flash.program(96, new Uint8Array(16))).toThrow(FlashError);
    flash.program(112, new Uint8Array(16));
    store.close();
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
