// docs/MANUFACTURE.md keeps its word: its files and commands work as printed, and its failures come as they are told.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FlashLedger } from '../core/ledger/flash-ledger.ts';
import { admitCounter } from '../core/provisioning/counter.ts';
import { readProvisioning } from '../core/provisioning/partition.ts';
import { BOARD_PINS, BOARDS } from '../tools/provision/board-pins.ts';
import { FLEET_COLUMNS } from '../tools/provision/fleet-file.ts';
import { isBuilt } from './fixtures/built.ts';
import { crypto } from './fixtures/device.ts';
import { MemoryFlash } from './fixtures/memory-flash.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(root, 'docs', 'MANUFACTURE.md'), 'utf8');
const built = isBuilt('the commands of docs/MANUFACTURE.md');
const folder = mkdtempSync(join(tmpdir(), 'mpcp-manufacture-'));
const bin = join(folder, 'bin');

const TABLE = readFileSync(join(root, 'manifests', 'partitions', '4mb.csv'), 'utf8');
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) process.stderr.write('skipped: the commands of docs/MANUFACTURE.md: there is no openssl\n');
const runs = built && hasOpenssl;

beforeAll(() => {
  mkdirSync(bin);
  program('npx', `shift\nexec "${process.execPath}" "${join(root, 'tools/bin/mpcp-embedded.mjs')}" "$@"`);
  program('esptool', 'exit 0');
  write('fleet.csv', block('csv'));
  write('policy.json', block('json'));
  write('partitions.csv', TABLE);
});
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, text: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(bin, name), 0o755);
}

function write(name: string, data: string | Uint8Array): void {
  writeFileSync(join(folder, name), data);
}

/** What stands in the fenced blocks that begin with these words. */
function blocks(info: string): readonly string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${info}\n([\\s\\S]*?)\`\`\``, 'g'))].map((found) => found[1] as string);
}

function block(info: string): string {
  const [only, more] = blocks(info);
  if (only === undefined || more !== undefined) throw new Error(`MANUFACTURE.md has not one block ${info}`);
  return only;
}

/** The first cells of the table under a heading of columns. */
function firstCells(heading: string): readonly string[] {
  const [, rows = ''] = page.split(`${heading}\n`);
  const lines = rows.split('\n').slice(1);
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(0, end).map((line) => /`([^`]+)`/.exec(line)?.[1] as string);
}

const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
/** Nothing else: whoever runs this may have esptool. */
const onlyOurs = { ...process.env, PATH: bin };

function said(...words: readonly string[]): string {
  const { stdout, stderr } = spawnSync('npx', ['mpcp-embedded', 'provision', ...words], {
    cwd: folder,
    env: onlyOurs,
    encoding: 'utf8',
  });
  return stdout + stderr;
}

describe('docs/MANUFACTURE.md', () => {
  it('names the columns there are', () => {
    const [, text = ''] = page.split('The columns are ');
    const named = [...(text.split('. Lines of JSON')[0] as string).matchAll(/`(\w+)`/g)].map((found) => found[1]);
    expect(named).toEqual([...FLEET_COLUMNS]);
  });

  it.runIf(runs)('has commands that work as printed, from the files as printed', () => {
    const commands = block('sh certificate') + blocks('sh manufacture').join('');
    const out = execFileSync('sh', ['-e', '-c', commands], { cwd: folder, env, encoding: 'utf8', stdio: 'pipe' });
    const told = out.split('\n').filter((line) => /^(\d+ images|whole|written)/.test(line));
    expect(told.map((line) => line.replace(/,.*/, ''))).toEqual([
      '2 images with counter 1 in images',
      'whole: 2 images',
      'written at 0x1a000',
      '2 images with counter 2 in images-both',
      '2 images with counter 3 in images-2027',
      'whole: 2 images',
    ]);
  });

  it('names the pins that a board refuses for its flash as FLASHING does', () => {
    const flashing = readFileSync(join(root, 'docs', 'FLASHING.md'), 'utf8');
    const ranges = BOARDS.map((board) => BOARD_PINS[board].flash[0].join(' to '));
    expect(flashing).toContain(`(${ranges[0]} of an ESP32, ${ranges[1]} of a C3, ${ranges[2]} of an S3)`);
  });

  it.runIf(runs)('tells the failures of the line as they come', () => {
    const flash = (image: string) => said('flash', image, '--port', 'p', '--table', 'partitions.csv');
    const image = 'images/charger-0001.img';
    const damaged = readFileSync(join(folder, image));
    damaged[100] = (damaged[100] as number) ^ 1;
    write('damaged.img', damaged);
    write('blank.img', new Uint8Array(16_384).fill(0xff));
    write('other.csv', 'nvs,data,nvs,0x9000,24K\n');
    write(
      'bad.csv',
      block('csv')
        .replace(',lobby,only for doors', ',lobby,short')
        .replace(/charger-0001.*\n/, ''),
    );
    const failing = (word: string) => `for w in "$@"; do [ "$w" = ${word} ] && exit 2; done\nexit 0`;
    const cases: { readonly [message: string]: () => string } = {
      'esptool is not installed': () => {
        program('esptool', 'exit 127');
        return flash(image);
      },
      'not written': () => {
        program('esptool', failing('write_flash'));
        return flash(image);
      },
      'what is on the device is not the image': () => {
        program('esptool', failing('verify_flash'));
        return flash(image);
      },
      'is not as it was written': () => flash('damaged.img'),
      'neither slot of the partition has an image': () => flash('blank.img'),
      'there is no partition mpcp_prov': () => said('flash', image, '--port', 'p', '--table', 'other.csv'),
      'line 2: wifiPassword': () => said('create', 'bad.csv', 'policy.json', '--out', 'bad'),
    };
    expect(firstCells('| It says | It means | Do |')).toEqual(Object.keys(cases));
    for (const [message, run] of Object.entries(cases)) expect(run(), message).toContain(message);
    program('esptool', 'exit 0');
  });

  it('tells what a device says that does not start', () => {
    const flash = new MemoryFlash();
    admitCounter(new FlashLedger(flash, crypto), 2);
    const firmware = readFileSync(join(root, 'device', 'firmware', 'start.ts'), 'utf8');
    const [missing, older, noLog, kind] = firstCells('| It says | It means |') as [string, string, string, string];
    expect(readProvisioning(new MemoryFlash({ size: 16_384 }))).toMatchObject({ message: missing });
    expect(admitCounter(new FlashLedger(flash, crypto), 1)).toMatchObject({ message: older });
    const neither = new MemoryFlash();
    neither.cells[4096] = 0;
    expect(admitCounter(new FlashLedger(neither, crypto), 1)?.message).toContain(noLog);
    expect(firmware).toContain(kind.replace('…', '').trimEnd());
  });
});
