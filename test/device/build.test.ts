// What `npm run build:device` makes: modules that need nothing but the SDK, the same bytes each time, C functions where they belong.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBundle } from '../../host-sim/xs/bundle.ts';
import { projectFolder } from '../../host-sim/xs/project.ts';
import { buildDeviceModules, DEVICE_ENTRIES, SDK_MODULES, VARIANTS } from '../../tools/build/device-modules.ts';

const folder = mkdtempSync(join(tmpdir(), 'mpcp-device-'));
const TIME = Date.UTC(2026, 5, 1);
const MINUTES = 300_000;

beforeAll(async () => {
  await buildDeviceModules(projectFolder(), folder, TIME);
}, MINUTES);
afterAll(() => rmSync(folder, { recursive: true }));

const names = Object.keys(DEVICE_ENTRIES);
const text = (variant: string, name: string) => readFileSync(join(folder, variant, `${name}.js`), 'utf8');
const natives = (code: string) => [...code.matchAll(/native\("(\w+)"\)/g)].map(([, name]) => name).sort();

/** The modules of the SDK that the firmware is written for. A new one is a decision: it takes flash, and may take memory. */
const USED = [
  'crypt',
  'embedded:io/digital',
  'embedded:io/serial',
  'embedded:io/socket/listener',
  'embedded:io/socket/tcp',
  'embedded:io/socket/udp',
  'embedded:network/interface/wifi',
  'embedded:storage/flash',
  'mc/config',
  'net',
  'pkcs1_5',
  'ssl/session',
  'time',
  'timer',
  'x509',
];

describe('the modules of a device', () => {
  it.each(VARIANTS)('import modules of the SDK, and nothing else: %s', async (variant) => {
    for (const name of names) {
      const { metafile } = await build({
        entryPoints: [join(folder, variant, `${name}.js`)],
        bundle: true,
        write: false,
        metafile: true,
        format: 'esm',
        external: [...SDK_MODULES],
      });
      const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
      expect(imports.every(({ external }) => external === true)).toBe(true);
      expect(imports.map(({ path }) => path).filter((path) => !USED.includes(path))).toEqual([]);
    }
  });

  it('each have a declaration beside them, and the licence lies there', () => {
    for (const variant of VARIANTS)
      expect(readdirSync(join(folder, variant)).sort()).toEqual(
        names.flatMap((name) => [`${name}.d.ts`, `${name}.js`]).sort(),
      );
    expect(readdirSync(folder).sort()).toEqual(['LICENSE', 'licences.txt', ...VARIANTS]);
  });

  it('call the C functions of the project, or none: the linker of the SDK refuses what is missing', () => {
    for (const name of ['charger', 'gate', 'meter']) {
      expect(natives(text('native', name))).toEqual([
        'xs_mpcp_ed25519_key_usable',
        'xs_mpcp_ed25519_verify',
        'xs_mpcp_feed',
        'xs_mpcp_firmware_good',
        ...(name === 'charger' ? ['xs_mpcp_pulses', 'xs_mpcp_pulses_begin'] : []),
        'xs_mpcp_random32',
      ]);
      expect(natives(text('own', name))).toEqual([]);
    }
  });

  it('call C in the one form that the SDK’s compiler makes a C function of', () => {
    const all = text('native', 'charger').match(/^.*native\("xs_\w+"\).*$/gm) ?? [];
    expect(all).toHaveLength(7);
    const before = text('native', 'charger').split('\n');
    for (const line of all) {
      const head = before[before.indexOf(line) - 1] as string;
      const parameters = (/\((.*)\) \{$/.exec(head) ?? [])[1] as string;
      const given = ['this', ...(parameters === '' ? [] : [parameters])].join(', ');
      expect(line.trim()).toBe(`return ${line.match(/native\("\w+"\)/)?.[0]}.call(${given});`);
    }
  });

  it('know when they were built, and nothing of where', () => {
    for (const variant of VARIANTS)
      for (const name of names) {
        expect(text(variant, name)).toContain(String(TIME).replace(/0+$/, ''));
        expect(text(variant, name)).not.toContain(projectFolder());
      }
  });

  it(
    'are the same bytes each time',
    async () => {
      const again = await makeBundle('device/gate/main.ts', {
        external: SDK_MODULES,
        define: { MPCP_NATIVE: 'true', MPCP_BUILD_TIME_MS: String(TIME) },
      });
      expect(again).toBe(text('native', 'gate'));
    },
    MINUTES,
  );

  it('have no variable at module level that takes an alias: const, where esbuild writes var', () => {
    for (const name of names) expect(text('native', name)).not.toMatch(/^var /m);
  });
});
