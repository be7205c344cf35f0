// `provision inspect`, `verify` and `rotate`: what an image says, whether it is whole, and how root keys come and go.

import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { admitCounter } from '../../../core/provisioning/counter.ts';
import { readProvisioning } from '../../../core/provisioning/partition.ts';
import { type Provisioning, ProvisioningProblem } from '../../../core/provisioning/provisioning.ts';
import { ImageRootKeyKeeper } from '../../../core/provisioning/root-key-keeper.ts';
import { documentBytes, imageOf, readImage } from '../../../host-sim/provisioning/image.ts';
import { keyFromSeed, privateJwk, publicJwk, publicPem, thumbprint } from '../../../host-sim/signing/keys.ts';
import { crypto } from '../../fixtures/device.ts';
import { otherRoot, root } from '../../fixtures/keys.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { certificate } from '../../fixtures/provisioning.ts';
import { site } from '../../fixtures/site.ts';
import { run } from '../cli/run.ts';
import { FleetBench } from './scene.ts';

const benches: FleetBench[] = [];
let bench: FleetBench;
beforeEach(async () => {
  bench = new FleetBench();
  benches.push(bench);
  await bench.ok(
    ...['provision', 'create', bench.path('fleet.csv'), bench.path('policy.json'), '--out', bench.path('images')],
  );
});
afterAll(() => {
  for (const one of benches) one.remove();
});

const at = (name: string) => bench.path(name);

function provisioning(name: string): Provisioning {
  const found = readImage(bench.bytes(name));
  if (found instanceof ProvisioningProblem) throw found;
  return found.provisioning;
}

const rootKids = (name: string) => provisioning(name).site.rootKeys?.map(({ kid }) => kid);

/** Writes an image with a byte of it changed. */
function damaged(name: string, offset: number): void {
  const bytes = bench.bytes(name);
  bytes[offset] = (bytes[offset] as number) ^ 1;
  chmodSync(at(name), 0o600);
  bench.write(name, bytes);
}

describe('provision inspect', () => {
  it('shows what an image says, and hides its secrets', async () => {
    const { stdout } = await bench.ok('provision', 'inspect', at('images/gate-2.img'));
    for (const text of ['gate-2', 'lobby, 2nd', 'did:web:volt.example', 'root-1', thumbprint(root.publicKey)])
      expect(stdout).toContain(text);
    for (const secret of ['s3cret pass', 'mpcp_2']) expect(stdout).not.toContain(secret);
    const json = await bench.ok('provision', 'inspect', at('images/gate-2.img'), '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ format: 1, counter: 1, slot: 0, deviceId: 'gate-2' });
    for (const secret of ['s3cret pass', 'mpcp_2']) expect(json.stdout).not.toContain(secret);
  });

  it('shows them where it is asked to', async () => {
    const { stdout } = await bench.ok('provision', 'inspect', at('images/gate-2.img'), '--show-secrets', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      wifi: { password: 's3cret pass' },
      operator: { apiKey: 'mpcp_2' },
    });
  });

  it('says what it is that it cannot read', async () => {
    bench.write('short.img', 'x');
    expect(await run('provision', 'inspect', at('short.img'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('1 bytes are no provisioning image: one has 16384'),
    });
    bench.write('blank.img', Buffer.alloc(16_384, 0xff));
    expect((await run('provision', 'inspect', at('blank.img'))).stderr).toContain('neither slot');
  });
});

describe('provision verify', () => {
  const verify = (...words: readonly string[]) => run('provision', 'verify', ...words);

  it('finds a folder whole, and an image', async () => {
    expect(await verify(at('images'))).toEqual({ code: 0, stdout: 'whole: 2 images\n', stderr: '' });
    expect(await verify(at('images/gate-2.img'))).toMatchObject({ code: 0, stdout: 'whole: 1 image\n' });
    expect(await verify(at('images/gate-2.img'), '--manifest', at('images/manifest.json'))).toMatchObject({ code: 0 });
  });

  it('tells everything that is not: a bit, a missing image, one more, one that is another’s', async () => {
    damaged('images/charger-1.img', 100);
    expect(await verify(at('images'))).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/charger-1\.img: its SHA-256 is .*\ncharger-1\.img: .*not as it was written/),
    });
    bench.write('images/charger-1.img', bench.bytes('images/gate-2.img'));
    bench.write('images/more.img', bench.bytes('images/gate-2.img'));
    const { stdout } = await verify(at('images'), '--json');
    const reasons = JSON.parse(stdout).findings.map(({ reason }: { reason: string }) => reason);
    expect(reasons).toContain('it is for gate-2, the manifest has charger-1');
    expect(reasons).toContain('the manifest does not have it');
  });

  it('finds an image that was swapped for an older one of the same device', async () => {
    await bench.ok('provision', 'rotate', at('images'), '--add-root', at('root-2.jwk'), '--out', at('newer'));
    bench.write('newer/gate-2.img', bench.bytes('images/gate-2.img'));
    expect(await verify(at('newer'))).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('gate-2.img: its SHA-256'),
    });
  });

  it('refuses what no device starts on', async () => {
    const url = 'https://pa.example';
    const without = { ...site({ rootKeys: [] }) };
    bench.write('rootless.img', imageOf({ deviceId: 'a', site: without, policyAuthorityUrl: url }, 1));
    expect(await verify(at('rootless.img'))).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('rootKeys is empty'),
    });
    const weak = site({ rootKeys: [{ kid: 'w', publicKey: new Uint8Array(32) }] });
    bench.write('weak.img', imageOf({ deviceId: 'a', site: weak, policyAuthorityUrl: url }, 1));
    expect(await verify(at('weak.img'))).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('not a usable point'),
    });
    bench.write(
      'unpinned.img',
      imageOf({ deviceId: 'a', site: without, policyAuthorityUrl: url, rootKey: 'fetch' }, 1),
    );
    expect(await verify(at('unpinned.img'))).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('no certificate is pinned'),
    });
  });

  it('says so where there is no manifest, or one that is none, or one that leaves the folder', async () => {
    expect((await verify(at('images'), '--manifest', at('policy.json'))).stderr).toContain('manifest: format');
    const manifest = bench.json('images/manifest.json');
    manifest.images[0].file = '../policy.json';
    bench.write('bad.json', manifest);
    expect((await verify(at('images'), '--manifest', at('bad.json'))).stderr).toContain('is not a file of its folder');
    expect(await verify(at('nowhere'))).toMatchObject({ code: 2, stderr: expect.stringContaining('no such file') });
    mkdirSync(at('empty'));
    expect(await verify(at('empty'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${at('empty')} is no folder of \`provision create\`: it has no manifest.json`),
    });
  });
});

describe('provision rotate', () => {
  const rotate = (...words: readonly string[]) => run('provision', 'rotate', ...words);

  it('adds a root key to every image of a folder: counter and one, in the other slot, nothing else changed', async () => {
    const { stdout } = await bench.ok(
      'provision',
      'rotate',
      at('images'),
      '--add-root',
      at('root-2.jwk'),
      '--out',
      at('next'),
    );
    expect(stdout).toBe(`2 images with counter 2 in ${at('next')}\n`);
    for (const name of ['charger-1.img', 'gate-2.img']) {
      const [before, after] = [provisioning(`images/${name}`), provisioning(`next/${name}`)];
      expect(after).toEqual({ ...before, counter: 2, site: { ...before.site, rootKeys: after.site.rootKeys } });
      expect(rootKids(`next/${name}`)).toEqual(['root-1', 'root-2']);
      expect(
        bench
          .bytes(`next/${name}`)
          .subarray(0, 8192)
          .every((byte) => byte === 0xff),
      ).toBe(true);
      expect(statSync(at(`next/${name}`)).mode & 0o777).toBe(0o600);
    }
    expect(await run('provision', 'verify', at('next'))).toMatchObject({ code: 0 });
    expect(bench.json('next/manifest.json').inputs[0]).toMatchObject({ role: 'rotated', file: 'manifest.json' });
    expect(provisioning('images/gate-2.img').counter).toBe(1);
  });

  it('goes from an old key over both to the new one, and leaves nothing of the old', async () => {
    const both = [
      'provision',
      'rotate',
      at('images/gate-2.img'),
      '--add-root',
      at('root-2.jwk'),
      '--out',
      at('both.img'),
    ];
    await bench.ok(...both);
    await bench.ok('provision', 'rotate', at('both.img'), '--remove-root', 'root-1', '--out', at('new.img'));
    expect(rootKids('new.img')).toEqual(['root-2']);
    expect(provisioning('new.img').counter).toBe(3);
    expect(Buffer.from(bench.bytes('new.img')).includes(Buffer.from(root.publicKey))).toBe(false);
  });

  it('makes the old image one that a device refuses, once it has run with the new', async () => {
    await bench.ok(
      ...['provision', 'rotate', at('images/gate-2.img'), '--add-root', at('root-2.jwk'), '--out', at('n.img')],
    );
    const flash = new MemoryFlash();
    expect(admitCounter(new FlashLedger(flash, crypto), provisioning('n.img').counter)).toBeUndefined();
    const old = provisioning('images/gate-2.img').counter;
    expect(admitCounter(new FlashLedger(flash, crypto), old)).toMatchObject({ fault: 'rollback' });
  });

  it('goes above what a device has given itself that kept a root key at set-up: that image is refused then', async () => {
    const { rootKeys: _, ...without } = site();
    const fetching = imageOf(
      {
        deviceId: 'a',
        site: without,
        policyAuthorityUrl: 'https://pa.example',
        rootKey: 'fetch',
        certificate: certificate(),
      },
      1,
    );
    bench.write('fetching.img', fetching);
    const kept = new MemoryFlash({ size: fetching.length });
    kept.cells.set(fetching);
    expect(new ImageRootKeyKeeper(kept).keep({ kid: 'shown', publicKey: root.publicKey })).toBeUndefined();
    await bench.ok('provision', 'rotate', at('fetching.img'), '--add-root', at('root-2.jwk'), '--out', at('next.img'));
    const ledger = new FlashLedger(new MemoryFlash(), crypto);
    const found = readProvisioning(kept);
    if (found instanceof ProvisioningProblem) throw found;
    expect([found.provisioning.counter, provisioning('next.img').counter]).toEqual([2, 3]);
    expect(admitCounter(ledger, 3)).toBeUndefined();
    expect(admitCounter(ledger, found.provisioning.counter)).toMatchObject({ fault: 'rollback' });
  });

  it('replaces in one step, and names keys by thumbprint too', async () => {
    const name = thumbprint(root.publicKey);
    const words = ['--add-root', at('root-2.jwk'), '--remove-root', name, '--out', at('one.img')];
    await bench.ok('provision', 'rotate', at('images/gate-2.img'), ...words);
    expect(rootKids('one.img')).toEqual(['root-2']);
  });

  it.each<[string, readonly string[]]>([
    ['that would leave no root key', ['--remove-root', 'root-1']],
    ['no root key is called root-9; there are root-1', ['--remove-root', 'root-9']],
    ['root key root-1 is there already', ['--add-root', 'root.jwk']],
    ['another root key has the kid root-1', ['--add-root', 'twin.jwk']],
    ['root key fresh is there already, as root-1', ['--add-root', 'renamed.jwk']],
    ['the key has no kid, which bundles name it by', ['--add-root', 'root-2.pem']],
    ['the key is a private key', ['--add-root', 'private.jwk']],
    ['the key is not a usable point', ['--add-root', 'weak.jwk']],
    ['nothing is to change', []],
  ])('%s', async (reason, words) => {
    bench.write('twin.jwk', { ...publicJwk(otherRoot), kid: 'root-1' });
    bench.write('renamed.jwk', { ...publicJwk(root), kid: 'fresh' });
    bench.write('root-2.pem', publicPem(otherRoot));
    bench.write('private.jwk', privateJwk(keyFromSeed('p', new Uint8Array(32).fill(99))));
    bench.write('weak.jwk', { ...publicJwk(root), kid: 'w', x: Buffer.alloc(32).toString('base64url') });
    const options = words.map((word, i) => (words[i - 1] === '--add-root' ? at(word) : word));
    for (const path of ['images/gate-2.img', 'images']) {
      const { code, stderr } = await rotate(at(path), ...options, '--out', at('out'));
      expect([code, stderr]).toEqual([2, expect.stringContaining(reason)]);
      expect(existsSync(at('out'))).toBe(false);
    }
    expect(readdirSync(bench.folder).filter((name) => name.startsWith('.mpcp'))).toEqual([]);
  });

  it('says so where an image has no room for another key', async () => {
    const of = (last: number) => {
      const sbaIssuers = {
        'pa.example': [...Array.from({ length: 3 }, (_, i) => `${i}`.repeat(1000)), 'x'.repeat(last)],
      };
      return { deviceId: 'a', site: site({ sbaIssuers }), policyAuthorityUrl: 'https://pa.example' };
    };
    bench.write('full.img', imageOf(of(300 + 4096 - documentBytes(of(300)).length), 1));
    const before = bench.bytes('full.img');
    const words = [at('full.img'), '--add-root', at('root-2.jwk'), '--out', at('fuller.img')];
    const { code, stderr } = await rotate(...words);
    expect([code, existsSync(at('fuller.img'))]).toEqual([2, false]);
    expect(stderr).toContain('a slot holds 1 to 4096');
    expect(Buffer.compare(before, bench.bytes('full.img'))).toBe(0);
  });

  it('writes none of a folder where one image is not the manifest’s', async () => {
    bench.write('images/gate-2.img', bench.bytes('images/charger-1.img'));
    const { code, stderr } = await rotate(at('images'), '--add-root', at('root-2.jwk'), '--out', at('none'));
    expect([code, existsSync(at('none'))]).toEqual([2, false]);
    expect(stderr).toContain('gate-2.img: it is not the one that the manifest was made for');
  });
});
