// `provision flash`: the right offset from the partition table, the right calls of esptool, and what comes of their failures. A
// program in the place of esptool takes down how it was called.

import { chmodSync } from 'node:fs';
import { delimiter } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readPartitionTable } from '../../../tools/provision/partition-table.ts';
import { run } from '../cli/run.ts';
import { FleetBench } from './scene.ts';

const TABLE = `# Name, Type, SubType, Offset, Size, Flags
nvs,          data, nvs,     0x9000,  24K,
phy_init,     data, phy,     ,        4K
factory,      app,  factory, ,        1M
mpcp_prov,    data, 0x40,    ,        16K   # this one
`;

let bench: FleetBench;
const path = process.env.PATH;
beforeAll(async () => {
  bench = new FleetBench();
  bench.write('partitions.csv', TABLE);
  await bench.ok(
    ...['provision', 'create', bench.path('fleet.csv'), bench.path('policy.json'), '--out', bench.path('images')],
  );
});
afterEach(() => {
  process.env.PATH = path;
});
afterAll(() => bench.remove());

const image = () => bench.path('images/gate-2.img');
const flash = (...words: readonly string[]) =>
  run('provision', 'flash', image(), '--port', '/dev/ttyUSB0', '--table', bench.path('partitions.csv'), ...words);

/** Puts a program in esptool's place that writes its words down, and ends with a code where one of them is `failing`. */
function installEsptool(failing = ''): void {
  const script = `#!/bin/sh
echo "$@" >> '${bench.path('calls.txt')}'
for word in "$@"; do
  if [ "$word" = '${failing}' ]; then echo 'Connecting...'; echo 'A fatal error occurred: no device' >&2; exit 2; fi
done
echo 'Hard resetting...'
`;
  bench.write('calls.txt', '');
  bench.write('esptool', script);
  chmodSync(bench.path('esptool'), 0o755);
  process.env.PATH = `${bench.folder}${delimiter}${path}`;
}

const calls = () =>
  bench
    .text('calls.txt')
    .split('\n')
    .filter((line) => line !== '' && line !== 'version');

describe('provision flash', () => {
  it('writes the image where the table says, and compares it then', async () => {
    installEsptool();
    const { code, stdout, stderr } = await flash('--baud', '460800', '--chip', 'esp32c3');
    expect([code, stdout]).toEqual([0, 'written at 0x110000, and compared\n']);
    expect(stderr).toContain('Hard resetting');
    const common = '--chip esp32c3 --port /dev/ttyUSB0 --baud 460800';
    expect(calls()).toEqual([
      `${common} write_flash 0x110000 ${image()}`,
      `${common} verify_flash 0x110000 ${image()}`,
    ]);
  });

  it('only says what it would do with --dry-run', async () => {
    installEsptool();
    const { code, stdout } = await flash('--dry-run');
    expect(code).toBe(0);
    expect(stdout).toBe(
      `esptool --port /dev/ttyUSB0 write_flash 0x110000 ${image()}\nesptool --port /dev/ttyUSB0 verify_flash 0x110000 ${image()}\n`,
    );
    expect(calls()).toEqual([]);
  });

  it('fails where it cannot be written, and compares nothing', async () => {
    installEsptool('write_flash');
    expect(await flash()).toMatchObject({ code: 1, stdout: 'not written: A fatal error occurred: no device\n' });
    expect(calls()).toHaveLength(1);
  });

  it('fails where what is on the device is not the image', async () => {
    installEsptool('verify_flash');
    const { code, stdout } = await flash('--json');
    expect([code, JSON.parse(stdout)]).toMatchObject([
      1,
      { ok: false, detail: expect.stringContaining('is not the image') },
    ]);
  });

  it('says in one line how to get esptool where there is none', async () => {
    process.env.PATH = bench.path('nowhere');
    expect(await flash()).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'mpcp-embedded provision flash: esptool is not installed: `pipx install esptool` (or `pip install esptool`) gets it\n',
    });
    expect(await flash('--dry-run')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('pipx install esptool'),
    });
  });

  it.each<[string, readonly string[]]>([
    ['there is no partition prov; there are nvs, phy_init, factory, mpcp_prov', ['--label', 'prov']],
    ['line 2: nvs has 24576 bytes, an image 16384', ['--label', 'nvs']],
  ])('%s', async (reason, words) => {
    expect(await flash(...words)).toMatchObject({ code: 2, stderr: expect.stringContaining(reason) });
  });

  it('writes no image that a device would refuse', async () => {
    bench.write('blank.img', Buffer.alloc(16_384, 0xff));
    const words = ['--port', 'x', '--table', bench.path('partitions.csv')];
    expect(await run('provision', 'flash', bench.path('blank.img'), ...words)).toMatchObject({ code: 2 });
  });
});

describe('a partition table', () => {
  const offsets = (text: string) =>
    readPartitionTable(text).map(({ name, offset }) => `${name} ${offset.toString(16)}`);

  it('has offsets as gen_esp32part.py works them out: data in blocks of 4 KB, programs in 64 KB', () => {
    expect(offsets(TABLE)).toEqual(['nvs 9000', 'phy_init f000', 'factory 10000', 'mpcp_prov 110000']);
    expect(offsets('a,data,1,,0x100\nb,data,1,,1K\nc,app,ota_0,,64K\n')).toEqual(['a 9000', 'b a000', 'c 10000']);
  });

  it.each([
    ['it has no partition', '# nothing\n'],
    ['line 1: a partition has a name and a type', 'nvs\n'],
    ['line 1: size "a lot" is no number', 'nvs,data,nvs,,a lot\n'],
    ['line 1: offset 0x9001 is not a whole block', 'nvs,data,nvs,0x9001,4K\n'],
    ['line 2: b begins before the partition above it ends', 'a,data,1,0x9000,8K\nb,data,1,0xa000,4K\n'],
  ])('%s', (reason, text) => expect(() => readPartitionTable(text)).toThrow(reason));
});
