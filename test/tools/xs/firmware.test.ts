// What stands for a board inside XS covers what the firmware asks of one: modules of the SDK, C functions, and what a call of
// `test-xs` names of it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { firmwareArchive } from '../../../host-sim/xs/firmware-run.ts';
import { projectFolder } from '../../../host-sim/xs/project.ts';
import { sampleMemory } from '../../../host-sim/xs/sample-memory.ts';
import { newFlash, sampleArchive } from '../../../tools/xs/firmware-station.ts';
import { FIRMWARE_PARTS } from '../../../tools/xs/suite.ts';

const root = projectFolder();
const c = join(root, 'host-sim', 'xs', 'c');
const text = (...path: readonly string[]) => readFileSync(join(root, ...path), 'utf8');
const MINUTES = 300_000;

describe('a firmware inside XS', () => {
  it(
    'has every module that it imports: each sample becomes an archive',
    async () => {
      for (const kind of ['charger', 'gate', 'meter'] as const)
        expect((await sampleArchive(kind)).length).toBeGreaterThan(100_000);
    },
    MINUTES,
  );

  it('is refused with a module that nothing stands for', async () => {
    const bundle = 'import x from "embedded:io/analog"; export default () => x;';
    await expect(firmwareArchive(bundle)).rejects.toThrow('embedded:io/analog');
  });

  it('keeps an import that it does not use, as a board does', async () => {
    const archive = await firmwareArchive('import x from "timer"; export default () => {};');
    expect(Buffer.from(archive).toString()).toContain('import x from "timer"');
  });

  it('is given by C what the stand-ins declare, and nothing else', () => {
    const sources = ['events.c', 'board.c', 'network.c'].map((name) => readFileSync(join(c, name), 'utf8')).join('');
    const added = [...sources.matchAll(/addFunction\(the, \w+, \d, "(\w+)"\)/g)].map(([, name]) => name as string);
    const declared = [...text('host-sim', 'xs', 'sdk', 'sdk.ts').matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name);
    const own = added.filter((name) => !name.startsWith('xs_') && name !== 'native');
    expect(own.sort()).toEqual(declared.sort());
  });

  it('has every C function of device/native', () => {
    const folder = join(root, 'device', 'native');
    const sources = readdirSync(folder).filter((name) => name.endsWith('.c'));
    const functions = sources.flatMap((name) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/^void (xs_\w+)\(/gm)].map(([, one]) => one as string),
    );
    const board = readFileSync(join(c, 'board.c'), 'utf8');
    expect(functions.length).toBeGreaterThan(5);
    expect(functions.filter((name) => !board.includes(`"${name}"`))).toEqual([]);
    expect(sources.filter((name) => !text('host-sim', 'xs', 'build.ts').includes(`'${name}'`))).toEqual([]);
  });

  it('has the memory and the partitions that the manifests give it on the smallest board', () => {
    const options = { policyAuthorityUrl: 'http://127.0.0.1:1' };
    for (const kind of ['charger', 'gate', 'meter'] as const) {
      const { chunks, slots, stack, chunksMore, slotsMore } = sampleMemory(kind);
      expect([slots, stack, chunksMore, slotsMore]).toEqual([2560, 768, 0, 0]);
      expect(chunks).toBe(kind === 'gate' ? 57_344 : 49_152);
      const flash = newFlash({ ...options, kind });
      expect(flash.mpcp_ledger.length).toBe(1024 * (kind === 'gate' ? 124 : 64));
      expect(flash.mpcp_prov.some((byte) => byte !== 0xff)).toBe(true);
    }
  });

  it('has a part for payments, for the largest, for a refresh and for power cuts', () => {
    expect(Object.keys(FIRMWARE_PARTS)).toEqual([
      'firmware, payments',
      'firmware, largest payments',
      'firmware, refresh',
      'firmware, power cuts',
    ]);
  });
});
