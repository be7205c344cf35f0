// What mcconfig does not check, or says nothing about: paths, names, one block a board, settings, C functions both ways.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '../../host-sim/xs/project.ts';
import { DEVICE_ENTRIES, VARIANTS } from '../../tools/build/device-modules.ts';

const root = projectFolder();
const folder = join(root, 'manifests');
const SAMPLES = ['charger', 'gate', 'meter'];
const BOARDS = ['esp32', 'esp32/esp32c3', 'esp32/esp32s3'];
const KINDS = ['manifest.json', 'own.json', 'production.json'];

interface Block {
  readonly build?: { readonly [name: string]: string };
  readonly modules?: { readonly [name: string]: string | readonly string[] };
  readonly preload?: readonly string[];
  readonly error?: string;
  readonly creation?: {
    readonly static: number;
    readonly chunk: { readonly initial: number; readonly incremental: number };
    readonly heap: { readonly initial: number; readonly incremental: number };
    readonly stack: number;
    readonly keys: { readonly initial: number };
  };
  readonly config?: { readonly mpcp?: { readonly [line: string]: { readonly [member: string]: number } } };
  readonly dependency?: readonly {
    readonly name?: string;
    readonly version?: string;
    readonly idf?: string;
    readonly includes?: readonly string[];
  }[];
}
interface Manifest extends Block {
  readonly include?: readonly string[];
  readonly platforms?: { readonly [board: string]: Block };
}

const read = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8')) as Manifest;
const SHARED = ['device.json', 'native.json'];
const OF_SAMPLES = SAMPLES.flatMap((sample) => KINDS.map((kind) => `${sample}/${kind}`));
const ALL = [...SHARED, ...OF_SAMPLES];

/** The project's manifests that one takes in, itself last. */
function withIncluded(path: string): readonly { readonly path: string; readonly manifest: Manifest }[] {
  const manifest = read(path);
  const own = (manifest.include ?? []).filter((one) => !one.startsWith('$('));
  return [...own.flatMap((one) => withIncluded(join(dirname(path), one))), { path, manifest }];
}

/** What a board gets: the first block whose name is its own, then its platform's; never two of one manifest. */
function blockOf({ platforms }: Manifest, board: string): Block | undefined {
  for (let name = board; name !== ''; name = name.split('/').slice(0, -1).join('/'))
    if (platforms?.[name] !== undefined) return platforms[name];
  return platforms?.['...'];
}

const variantOf = (path: string) => (basename(path) === 'own.json' ? 'own' : 'native');

describe('the manifests', () => {
  it('are those of three samples, each native, without native code, and for production', () => {
    const found = SAMPLES.flatMap((sample) => readdirSync(join(folder, sample)).map((name) => `${sample}/${name}`));
    expect(found.sort()).toEqual([...OF_SAMPLES].sort());
  });

  it.each(ALL)('%s names what is there, by paths that are its own', (path) => {
    const manifest = read(path);
    const here = join(folder, dirname(path));
    for (const one of manifest.include ?? [])
      if (!one.startsWith('$(')) expect([one, existsSync(join(here, one))]).toEqual([one, true]);
    for (const one of Object.values(manifest.modules ?? {}).flat()) {
      if (one.startsWith('$(')) continue;
      const relative = join(here, one).slice(root.length + 1);
      const built = /^dist\/device\/(\w+)\/([\w-]+)$/.exec(relative);
      if (built === null) expect([one, existsSync(join(here, `${one}.c`))]).toEqual([one, true]);
      else
        expect(
          [VARIANTS as readonly string[], Object.keys(DEVICE_ENTRIES)].map((list, i) =>
            list.includes(built[i + 1] as string),
          ),
        ).toEqual([true, true]);
    }
    for (const board of BOARDS) {
      const { PARTITIONS_FILE, SDKCONFIGPATH } = blockOf(manifest, board)?.build ?? {};
      if (PARTITIONS_FILE !== undefined) expect(existsSync(join(here, PARTITIONS_FILE))).toBe(true);
      if (SDKCONFIGPATH !== undefined) expect(existsSync(join(here, SDKCONFIGPATH, 'sdkconfig.defaults'))).toBe(true);
    }
  });

  it.each(OF_SAMPLES)('%s preloads every module that it brings, by its name', (path) => {
    for (const { manifest } of withIncluded(path)) {
      const named = Object.keys(manifest.modules ?? {}).filter((name) => name !== '*');
      expect([...(manifest.preload ?? [])].sort()).toEqual(named.sort());
    }
    expect(read(path).modules?.main).toContain(`/${variantOf(path)}/${dirname(path)}`);
  });

  it.each(ALL)('%s has a block for each board or for none, and no other', (path) => {
    const { platforms } = read(path);
    if (platforms === undefined) return;
    // A block of a subplatform replaces the platform's: what stands in one must stand in the others.
    expect(
      Object.keys(platforms)
        .filter((name) => name !== '...')
        .sort(),
    ).toEqual([...BOARDS].sort());
    const shapes = BOARDS.map((board) =>
      Object.keys(blockOf(read(path), board) ?? {})
        .sort()
        .join(),
    );
    expect(new Set(shapes).size).toBe(1);
  });

  it('refuse a board that they do not know', () => {
    expect(blockOf(read('device.json'), 'pico')?.error).toContain('boards are');
  });

  it.each(BOARDS)('give the machine on %s fixed memory, as much as the core was measured with', (board) => {
    const creation = blockOf(read('device.json'), board)?.creation;
    expect(creation?.static).toBe(0);
    expect(creation?.chunk.initial).toBeGreaterThanOrEqual(32_768);
    expect(creation?.heap.initial).toBeGreaterThanOrEqual(2048);
    expect(creation?.stack).toBe(768);
    // What grows for one input would be missing for the next.
    expect([creation?.chunk.incremental, creation?.heap.incremental]).toEqual([0, 0]);
  });

  it.each(BOARDS)('name lines of their own for log and reader on %s', (board) => {
    const { log, reader } = blockOf(read('device.json'), board)?.config?.mpcp ?? {};
    expect([log?.port, reader?.port]).toEqual([0, 1]);
    const pins = [log?.transmit, reader?.receive, reader?.transmit];
    expect(new Set(pins).size).toBe(3);
  });
});

describe('C functions', () => {
  const c = readdirSync(join(root, 'device/native')).filter((name) => name.endsWith('.c'));
  const defined = c
    .flatMap((name) => [
      ...readFileSync(join(root, 'device/native', name), 'utf8').matchAll(/^void (xs_\w+)\(xsMachine \*the\)$/gm),
    ])
    .map(([, name]) => name as string)
    .sort();
  const sources = (readdirSync(join(root, 'device'), { recursive: true }) as string[]).filter((name) =>
    /(?<!\.d)\.ts$/.test(name),
  );
  const called = sources
    .flatMap((name) => [...readFileSync(join(root, 'device', name), 'utf8').matchAll(/\bnative\('(xs_\w+)'\)/g)])
    .map(([, name]) => name as string)
    .sort();

  it('that JavaScript names are there, and each that is there is named', () => {
    expect(defined.length).toBeGreaterThan(0);
    expect(called).toEqual(defined);
  });

  it('come with every manifest of native modules, and with no other', () => {
    const files = c.map((name) => `../device/native/${name.slice(0, -2)}`).sort();
    expect([...(read('native.json').modules?.['*'] ?? [])].sort()).toEqual(files);
    for (const path of OF_SAMPLES)
      expect([path, withIncluded(path).some((one) => one.path === 'native.json')]).toEqual([
        path,
        variantOf(path) === 'native',
      ]);
  });

  it.each(BOARDS)('have libsodium’s headers on %s, those of its curve too', (board) => {
    const sodium = blockOf(read('native.json'), board)?.dependency?.find(({ name }) => name === 'libsodium');
    expect(sodium?.includes).toContain('libsodium/src/libsodium/include/sodium');
    // What an image is made of does not change with the day it is built on.
    expect(sodium?.version).toBe('==1.0.22');
  });
});

describe('the counter of a meter’s pulses', () => {
  it('comes with ESP-IDF’s driver where the chip has one: an ESP32-C3 has none', () => {
    for (const board of BOARDS) {
      const drivers = blockOf(read('native.json'), board)?.dependency?.map(({ idf }) => idf);
      expect([board, drivers?.includes('esp_driver_pcnt')]).toEqual([board, board !== 'esp32/esp32c3']);
    }
  });
});

describe('sdkconfig', () => {
  const FOLDERS = ['4mb', '8mb'].flatMap((size) => [size, `${size}-production`]).concat('4mb-esp32-production');
  const settings = (name: string) => {
    const lines = readFileSync(join(folder, 'sdkconfig', name, 'sdkconfig.defaults'), 'utf8')
      .trimEnd()
      .split('\n');
    return lines.filter((line) => !line.startsWith('#')).map((line) => line.split('=') as [string, string]);
  };

  it('is there for each size of flash, and for production', () => {
    expect(readdirSync(join(folder, 'sdkconfig')).sort()).toEqual(FOLDERS.sort());
  });

  it.each(FOLDERS)('%s has lines that mcconfig takes: NAME=value, each name once', (name) => {
    const all = settings(name);
    for (const [key, value] of all) {
      expect(key).toMatch(/^CONFIG_[A-Z0-9_]+$/);
      expect(value).toMatch(/^(y|n|\d+|0x[0-9a-f]+|"[^"]*")$/);
    }
    expect(new Set(all.map(([key]) => key)).size).toBe(all.length);
  });

  it.each(FOLDERS)(
    '%s: a task watchdog that restarts, images checked, updates on trial, a brownout detector',
    (name) => {
      expect(Object.fromEntries(settings(name))).toMatchObject({
        CONFIG_ESP_TASK_WDT_EN: 'y',
        CONFIG_ESP_TASK_WDT_INIT: 'y',
        CONFIG_ESP_TASK_WDT_PANIC: 'y',
        CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS: 'n',
        CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE: 'y',
        CONFIG_ESP_BROWNOUT_DET: 'y',
        CONFIG_PARTITION_TABLE_OFFSET: '0x10000',
      });
    },
  );

  it.each(['4mb', '8mb'])('%s burns no fuse; its production file differs in what does', (name) => {
    const [plain, production] = [settings(name), settings(`${name}-production`)].map((list) =>
      list.map((one) => one.join('=')),
    );
    expect(plain?.filter((one) => /SECURE|NVS_ENC/.test(one))).toEqual([]);
    expect(production?.slice(0, plain?.length)).toEqual(plain);
    expect(production?.slice(plain?.length)).toContain('CONFIG_SECURE_BOOT_V2_ENABLED=y');
    expect(production?.slice(plain?.length)).toContain('CONFIG_SECURE_FLASH_ENCRYPTION_MODE_RELEASE=y');
    expect(production?.slice(plain?.length)).toContain('CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y');
    expect(plain?.some((line) => line.includes('ANTI_ROLLBACK'))).toBe(false);
  });

  it('in production a plain ESP32 is of a revision that has secure boot v2: else another scheme burns the fuses', () => {
    const [other, plain] = ['4mb-production', '4mb-esp32-production'].map((name) =>
      settings(name).map((one) => one.join('=')),
    );
    expect(plain).toEqual([...(other as string[]), 'CONFIG_ESP32_REV_MIN_3=y']);
    for (const path of OF_SAMPLES.filter((one) => one.endsWith('production.json')))
      expect(blockOf(read(path), 'esp32')?.build?.SDKCONFIGPATH).toContain('4mb-esp32-production');
  });

  it.each(OF_SAMPLES)('%s: the partition table, the size of flash and production go together', (path) => {
    for (const board of BOARDS) {
      const { PARTITIONS_FILE = '', SDKCONFIGPATH = '' } = blockOf(read(path), board)?.build ?? {};
      expect(basename(SDKCONFIGPATH).endsWith('-production')).toBe(basename(path) === 'production.json');
      const size = basename(SDKCONFIGPATH).slice(0, 3);
      expect(basename(PARTITIONS_FILE).startsWith(size)).toBe(true);
      // A firmware without native code keeps tables of keys; the others have the room for themselves.
      if (size === '4mb') expect(PARTITIONS_FILE.includes('-own')).toBe(basename(path) === 'own.json');
      const flash = Object.fromEntries(settings(basename(SDKCONFIGPATH)));
      expect(flash[`CONFIG_ESPTOOLPY_FLASHSIZE_${size.toUpperCase()}`]).toBe('y');
    }
  });
});

describe('trust in servers', () => {
  it('comes from the provisioned certificate alone: no manifest brings one of the SDK’s', () => {
    for (const path of ALL)
      expect([path, /"data"|"resources"|ca\d+\b/.test(readFileSync(join(folder, path), 'utf8'))]).toEqual([
        path,
        false,
      ]);
  });
});
