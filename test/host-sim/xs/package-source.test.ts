// C sources that come in npm packages: only what hashes to what is pinned is unpacked, nothing outside the package's folder is
// written, and whatever goes wrong leaves the cache as it was. With a program in npm's place that hands out what a test wants.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PinnedPackage, unpackPackage } from '../../../host-sim/xs/package-source.ts';
import { EngineProblem } from '../../../host-sim/xs/project.ts';

let folder: string;
let before: { readonly cache: string | undefined; readonly path: string | undefined };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mpcp-package-'));
  before = { cache: process.env.MPCP_XS_CACHE, path: process.env.PATH };
  process.env.MPCP_XS_CACHE = join(folder, 'cache');
  mkdirSync(join(folder, 'bin'));
  process.env.PATH = `${join(folder, 'bin')}:${before.path}`;
});

afterEach(() => {
  process.env.PATH = before.path;
  if (before.cache === undefined) delete process.env.MPCP_XS_CACHE;
  else process.env.MPCP_XS_CACHE = before.cache;
  rmSync(folder, { recursive: true, force: true });
});

/** A file of a tar archive, as its header says. */
interface Entry {
  readonly name: string;
  readonly text?: string;
  /** A link's target; the file is then a link. */
  readonly link?: string;
  /** What the header says, where it is not the truth. */
  readonly size?: number;
  readonly wrongChecksum?: boolean;
}

function tarOf(...entries: readonly Entry[]): Uint8Array {
  return gzipSync(Buffer.concat([...entries.map(entryBytes), Buffer.alloc(1024)]));
}

function entryBytes({ name, text = '', link, size, wrongChecksum }: Entry): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, digits: number) =>
    header.write(value.toString(8).padStart(digits, '0'), at);
  header.write(name, 0);
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size ?? text.length, 124, 11);
  octal(0, 136, 11);
  header.write('        ', 148);
  header.write(link === undefined ? '0' : '2', 156);
  header.write(link ?? '', 157);
  header.write('ustar\u000000', 257);
  octal(
    header.reduce((sum, byte) => sum + byte, wrongChecksum === true ? 1 : 0),
    148,
    6,
  );
  header[154] = 0;
  return Buffer.concat([header, Buffer.from(text), Buffer.alloc((512 - (text.length % 512)) % 512)]);
}

const GOOD = tarOf({ name: 'package/src/a.c', text: 'int a;\n' }, { name: 'package/package.json', text: '{}' });

function pinnedTo(tarball: Uint8Array): PinnedPackage {
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  return { name: '@scope/sources', version: '1.2.3', integrity };
}

/** What `npm pack` does: puts the tarball where it was told to, and says its name. Each call is written down. */
function npmHandsOut(tarball: Uint8Array, fails = ''): void {
  const file = join(folder, 'tarball');
  writeFileSync(file, tarball);
  const npm = join(folder, 'bin', 'npm');
  writeFileSync(
    npm,
    `#!/bin/sh
echo called >> '${join(folder, 'calls')}'
while [ "$1" != --pack-destination ]; do shift; done
cp '${file}' "$2/scope-sources-1.2.3.tgz"
${fails}
echo '[{"filename":"scope-sources-1.2.3.tgz"}]'
`,
  );
  chmodSync(npm, 0o755);
}

const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n').length;
/** All that is in the cache. */
const cached = () => (existsSync(join(folder, 'cache')) ? readdirSync(join(folder, 'cache', 'packages')) : []);

const TARBALL = '@scope-sources-1.2.3.tgz';
const notes: string[] = [];

/** The folder of an unpacked package; each time in a new one. */
function unpacked(pinned: PinnedPackage): Promise<string> {
  const target = mkdtempSync(join(folder, 'target-'));
  return unpackPackage(pinned, target, (text) => notes.push(text));
}

/** Expects one clear sentence, and nothing left behind but what is in the cache. */
async function refused(pinned: PinnedPackage, stays: readonly string[] = []): Promise<string> {
  const error = await unpacked(pinned).catch((problem: unknown) => problem);
  expect(error).toBeInstanceOf(EngineProblem);
  const { message } = error as EngineProblem;
  expect(message).toContain('@scope/sources@1.2.3');
  expect(message).not.toContain('\n');
  expect(cached()).toEqual(stays);
  return message;
}

describe('a package', () => {
  it('is fetched once, and kept as it came', async () => {
    npmHandsOut(GOOD);
    notes.length = 0;
    const found = await unpacked(pinnedTo(GOOD));
    expect(readFileSync(join(found, 'src', 'a.c'), 'utf8')).toBe('int a;\n');
    expect(existsSync(join(await unpacked(pinnedTo(GOOD)), 'package.json'))).toBe(true);
    expect(calls()).toBe(1);
    expect(notes).toEqual(['fetching @scope/sources@1.2.3 with npm']);
    expect(cached()).toEqual([TARBALL]);
  });

  it('may be fetched by several at once: each has it whole', async () => {
    npmHandsOut(GOOD);
    const folders = await Promise.all([1, 2, 3].map(() => unpacked(pinnedTo(GOOD))));
    for (const one of folders) expect(existsSync(join(one, 'package.json'))).toBe(true);
    expect(cached()).toEqual([TARBALL]);
  });

  it.each([
    ['cut off', GOOD.subarray(0, GOOD.length - 1)],
    ['empty', new Uint8Array(0)],
    ['changed', Uint8Array.from(GOOD, (byte, i) => (i === 40 ? byte ^ 1 : byte))],
  ])('that lies %s in the cache is fetched anew', async (_, damaged) => {
    npmHandsOut(GOOD);
    await unpacked(pinnedTo(GOOD));
    writeFileSync(join(folder, 'cache', 'packages', TARBALL), damaged);
    expect(readFileSync(join(await unpacked(pinnedTo(GOOD)), 'src', 'a.c'), 'utf8')).toBe('int a;\n');
    expect(calls()).toBe(2);
  });

  it('is there without npm where its tarball was put into the cache', async () => {
    mkdirSync(join(folder, 'cache', 'packages'), { recursive: true });
    writeFileSync(join(folder, 'cache', 'packages', TARBALL), GOOD);
    expect(existsSync(await unpacked(pinnedTo(GOOD)))).toBe(true);
  });

  it('comes whatever npm says beside it', async () => {
    npmHandsOut(GOOD, 'echo "update available"; exit 0');
    expect(existsSync(await unpacked(pinnedTo(GOOD)))).toBe(true);
  });
});

describe('where npm fails it is said what failed, and what to do:', () => {
  const JSON_ERROR = `echo '{"error":{"code":"ENOTFOUND","summary":"no host of this name","detail":"more of it"}}'; `;
  const WARNING = `echo 'npm warn Unknown user config "nodedir".' >&2; `;
  const CODE = `echo 'npm error code ENOTFOUND' >&2; echo 'npm error errno ENOTFOUND' >&2; `;
  it.each([
    ['in its JSON', `${WARNING}${JSON_ERROR}exit 1`, 'no host of this name'],
    ['in its errors', `${WARNING}${CODE}echo 'npm error network is down' >&2; exit 1`, 'network is down'],
    ['without a mark', `${WARNING}echo 'Cannot find module npm' >&2; exit 1`, 'Cannot find module npm'],
    ['without a word', `${WARNING}exit 7`, 'it ended with 7'],
    ['by a signal', 'kill -KILL $$', 'killed by SIGKILL'],
  ])('%s', async (_, fails, reason) => {
    npmHandsOut(GOOD, fails);
    const message = await refused(pinnedTo(GOOD));
    expect(message).toContain(`@scope/sources@1.2.3 cannot be fetched with npm: ${reason}; `);
    expect(message).toContain(`put the tarball that "npm pack @scope/sources@1.2.3" makes elsewhere at ${folder}`);
    expect(message).not.toContain('nodedir');
  });
});

describe('nothing stays in the cache', () => {
  it('of a tarball with another hash: it is not even unpacked', async () => {
    const other = tarOf({ name: 'package/src/a.c', text: 'int b;\n' });
    npmHandsOut(other);
    expect(await refused(pinnedTo(GOOD))).toContain('is not what is pinned');
  });

  it('of a tarball that arrived cut off', async () => {
    npmHandsOut(GOOD.subarray(0, GOOD.length - 20));
    expect(await refused(pinnedTo(GOOD))).toContain('is not what is pinned');
  });

  it('where npm fails after it wrote a part, and a later try begins anew', async () => {
    npmHandsOut(GOOD, 'echo "npm error network is down" >&2; exit 1');
    expect(await refused(pinnedTo(GOOD))).toContain('network is down');
    npmHandsOut(GOOD);
    expect(existsSync(join(await unpacked(pinnedTo(GOOD)), 'src', 'a.c'))).toBe(true);
  });

  it('where there is no npm', async () => {
    process.env.PATH = join(folder, 'bin');
    expect(await refused(pinnedTo(GOOD))).toContain('cannot be fetched with npm: npm is not on this machine; ');
  });
});

// A pin could be made of a bad package too. Unpacking is by the system's tar, which must not be talked into more.
describe('a tarball that is pinned, but damaged or hostile', () => {
  it.each<[string, Uint8Array]>([
    ['is no gzip', Buffer.from('not a tarball')],
    ['ends within a file', gzipSync(entryBytes({ name: 'package/a.c', text: 'x'.repeat(600) }).subarray(0, 700))],
    ['says a file has eight gigabytes', tarOf({ name: 'package/a.c', text: 'x', size: 2 ** 33 - 1 })],
    ['has a header with a wrong checksum', tarOf({ name: 'package/a.c', text: 'x', wrongChecksum: true })],
    ['leads outside by its names', tarOf({ name: 'package/a.c' }, { name: 'package/../../outside.c', text: 'x' })],
    [
      'leads outside by a link',
      tarOf({ name: 'package/out', link: '../..' }, { name: 'package/out/outside.c', text: 'x' }),
    ],
    ['has no folder named package', tarOf({ name: 'elsewhere/a.c', text: 'x' })],
  ])('%s: it is refused', async (_, tarball) => {
    npmHandsOut(tarball);
    expect(await refused(pinnedTo(tarball), [TARBALL])).toContain('cannot be unpacked');
    expect(existsSync(join(folder, 'cache', 'outside.c'))).toBe(false);
    expect(existsSync(join(folder, 'outside.c'))).toBe(false);
  });

  it('takes an absolute name for one within', async () => {
    const outside = join(folder, 'outside.c');
    const tarball = tarOf({ name: 'package/a.c', text: 'x' }, { name: outside, text: 'x' });
    npmHandsOut(tarball);
    await unpacked(pinnedTo(tarball)).catch(() => undefined);
    expect(existsSync(outside)).toBe(false);
  });
});

it('the tar of this machine unpacks what these tests make', () => {
  writeFileSync(join(folder, 'a.tgz'), GOOD);
  expect(execFileSync('tar', ['-tzf', join(folder, 'a.tgz')], { encoding: 'utf8' })).toContain('package/src/a.c');
});
