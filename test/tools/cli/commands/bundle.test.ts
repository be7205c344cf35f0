// `bundle create`, `sign`, `inspect` and `samples`, from keys to payments under a sample's bundle.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deploymentProblems, readConfiguration } from '../../../../core/configuration.ts';
import { completeSite, readSiteFile } from '../../../../tools/cli/site-file.ts';
import { type Bench, NOW, paymentBench, run } from '../run.ts';

let bench: Bench;
let at: (name: string) => string;

beforeAll(async () => {
  bench = await paymentBench();
  at = (name) => bench.path(name);
});
afterAll(() => bench.remove());

describe('bundle create', () => {
  it('reads key files of a template from its folder, and marks keys as revoked', async () => {
    mkdirSync(at('templates/keys'), { recursive: true });
    bench.write('templates/keys/pa.jwk', bench.json('pa.pub.jwk'));
    bench.write('templates/site.json', {
      bundleIssuer: 'pa.example',
      category: 'parking',
      issuers: [{ issuer: 'pa.example', keys: [{ file: 'keys/pa.jwk', kid: 'named' }] }],
      valid: '1d',
    });
    const words = [
      'bundle',
      'create',
      '--template',
      at('templates/site.json'),
      '--issuer',
      `wallet.example#w=${at('wallet.jwk')}`,
    ];
    const made = JSON.parse((await bench.ok(...words, '--revoke-key', 'pa.example#named', '--now', NOW)).stdout);
    expect(made.issuers).toEqual([
      { issuer: 'pa.example', keys: [{ ...bench.json('pa.pub.jwk'), kid: 'named', active: false }] },
      { issuer: 'wallet.example', keys: [{ ...bench.json('wallet.pub.jwk'), kid: 'w' }] },
    ]);
    expect(made).not.toHaveProperty('signature');
    expect(JSON.stringify(made)).not.toContain(bench.json('wallet.jwk').d);
  });

  it('says which key file of a template it could not read', async () => {
    bench.write('broken.json', {
      bundleIssuer: 'pa.example',
      issuers: [{ issuer: 'pa.example', keys: [{ file: 'nowhere.jwk' }] }],
      valid: '1d',
    });
    const result = await run('bundle', 'create', '--template', at('broken.json'));
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(`cannot read ${at('nowhere.jwk')}`);
  });
});

describe('bundle create, past a limit of the devices', () => {
  const keyFile = () => at('pa.pub.jwk');
  const words = (...more: readonly string[]) => [
    ...['bundle', 'create', '--bundle-issuer', 'pa.example', '--issuer', `pa.example=${keyFile()}`, '--valid', '1d'],
    ...['--out', at('past.json'), ...more],
  ];
  it.each([
    ['a long bundle id', () => words('--bundle-id', 'b'.repeat(2000)), 'of more than 1024 bytes'],
    ['a long category', () => words('--category', 'c'.repeat(2000)), 'of more than 1024 bytes'],
    ['a long kid of the root', () => words('--bundle-key-id', 'k'.repeat(2000)), 'of more than 1024 bytes'],
    [
      'five keys of an issuer',
      () => words(...[1, 2, 3, 4, 5].flatMap((n) => ['--issuer', `x.example#k${n}=${keyFile()}`])),
      'LIMIT_EXCEEDED',
    ],
    [
      'more issuers than 160',
      () => words(...Array.from({ length: 160 }, (_, i) => ['--approve', `i${i}.example`]).flat()),
      'LIMIT_EXCEEDED',
    ],
    [
      'more than 32 KB',
      () => words(...Array.from({ length: 40 }, (_, i) => ['--revoke-grant', `${i}`.padEnd(1000, 'g')]).flat()),
      '32768 bytes',
    ],
  ])('refuses %s, as bundle sign would, and writes nothing', async (_, call, why) => {
    const result = await run(...call());
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(/^mpcp-embedded bundle create: bundle: /);
    expect(result.stderr).toContain(why);
    expect(existsSync(at('past.json'))).toBe(false);
  });
});

describe('bundle inspect', () => {
  it('shows issuers, keys, states, expiry and scope', async () => {
    const { stdout } = await bench.ok('bundle', 'inspect', at('bundle.json'), '--now', NOW);
    expect(stdout).toMatch(/^scope +did:web:volt\.example · ev-charging · EU$/m);
    expect(stdout).toMatch(/^expires +2026-03-08T12:00:00Z$/m);
    expect(stdout).toMatch(/^pa\.example +pa-1 +usable$/m);
    expect((await bench.ok('bundle', 'inspect', at('bundle.json'), '--now', '2027-01-01T00:00:00Z')).stdout).toContain(
      '(expired)',
    );
    expect((await bench.ok('bundle', 'inspect', at('unsigned.json'))).stdout).toMatch(/^signature +none$/m);
  });

  it('takes control characters out of what it shows', async () => {
    bench.write('evil.json', {
      ...bench.json('bundle.json'),
      approvedIssuers: ['\u001b[2Jevil\nissuer'],
      merchant: 'a\u0007b',
    });
    const { stdout } = await bench.ok('bundle', 'inspect', at('evil.json'));
    expect(stdout).toContain('[2Jevil issuer');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is about these
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it('gives the same as JSON, also for an answer with several', async () => {
    expect(JSON.parse((await bench.ok('bundle', 'inspect', at('bundle.json'), '--json')).stdout)).toMatchObject({
      signed: true,
      keys: [{ state: 'usable' }, {}, {}],
    });
    bench.write('answer.json', { bundles: [bench.json('bundle.json'), bench.json('unsigned.json')] });
    expect(JSON.parse((await bench.ok('bundle', 'inspect', at('answer.json'), '--json')).stdout).bundles).toHaveLength(
      2,
    );
  });
});

describe('bundle samples', () => {
  let signed: string;
  const keys = (kid: string) => join(signed, 'keys', `${kid}.jwk`);

  beforeAll(async () => {
    signed = at('signed');
    await bench.ok('bundle', 'samples', '--out', signed);
  });

  it('writes a bundle and a site configuration for every template, the root key, and private keys for their owner only', async () => {
    const templates = readdirSync('bundles')
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.replace('.json', ''));
    expect(templates).toEqual(['charging-site', 'gate-line', 'meter-district']);
    const files = readdirSync(signed);
    for (const name of templates)
      expect(files).toEqual(expect.arrayContaining([`${name}.bundle.json`, `${name}.site.json`]));
    expect(files).toEqual(expect.arrayContaining(['root.pem', 'root.pub.jwk']));
    for (const name of readdirSync(join(signed, 'keys')))
      expect(statSync(join(signed, 'keys', name)).mode & 0o777).toBe(0o600);
  });

  it.each([['charging-site'], ['gate-line'], ['meter-district']])(
    '%s: its devices start, and accept its bundle',
    async (name) => {
      const site = join(signed, `${name}.site.json`);
      expect(deploymentProblems(readConfiguration(completeSite(readSiteFile(site))))).toEqual([]);
      for (const root of [
        ['--config', site],
        ['--root', join(signed, 'root.pem')],
        ['--root', join(signed, 'root.pub.jwk')],
      ]) {
        expect(await run('bundle', 'verify', join(signed, `${name}.bundle.json`), ...root)).toMatchObject({
          stdout: 'accepted\n',
        });
      }
    },
  );

  it('are not written at all where one of them cannot be: no bundle, no key', async () => {
    for (const name of ['meter-district.site.json', 'root.pem', 'keys/harbor-grants.jwk']) {
      const folder = mkdtempSync(at('blocked-'));
      mkdirSync(join(folder, name), { recursive: true });
      const before = readdirSync(folder, { recursive: true });
      const result = await run('bundle', 'samples', '--out', folder, '--new-keys');
      expect(result).toMatchObject({ code: 2, stdout: '' });
      expect(result.stderr).toContain(`cannot write ${join(folder, name)}: it is a folder`);
      expect(readdirSync(folder, { recursive: true })).toEqual(before);
    }
  });

  it.each([
    ['', 'the folder has no name'],
    ['-', 'a folder is needed'],
    [resolve('bundles'), 'is the folder of the templates'],
    [`${resolve('bundles')}/.`, 'is the folder of the templates'],
  ])('are not written to --out %j', async (out, why) => {
    const result = await run('bundle', 'samples', '--out', out);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(why);
    expect(existsSync('-') || existsSync('root.pem') || existsSync('bundles/root.pem')).toBe(false);
  });

  describe('made again', () => {
    let folder: string;
    /** Every private key of the folder by its file. */
    const keyFiles = () =>
      Object.fromEntries(
        readdirSync(join(folder, 'keys')).map((name) => [name, readFileSync(join(folder, 'keys', name), 'utf8')]),
      );
    const textOf = (name: string) => readFileSync(join(folder, name), 'utf8');
    const samples = (...words: readonly string[]) => run('bundle', 'samples', '--out', folder, ...words);

    beforeEach(async () => {
      folder = mkdtempSync(at('again-'));
      expect(await samples('--now', '2026-03-01T00:00:00Z')).toMatchObject({ code: 0, stderr: '' });
    });

    it('keep the keys, so that a device with the old root admits the new bundles', async () => {
      const keys = keyFiles();
      const site = join(folder, 'old.site.json');
      copyFileSync(join(folder, 'gate-line.site.json'), site);
      const again = await samples('--now', NOW, '--json');
      expect(again.stderr).toMatch(/^note: 9 keys were there and are kept \(--new-keys replaces them\)\n$/);
      expect(
        JSON.parse(again.stdout)
          .keptKeys.map((kid: string) => `${kid}.jwk`)
          .sort(),
      ).toEqual(Object.keys(keys));
      expect(keyFiles()).toEqual(keys);
      const bundle = join(folder, 'gate-line.bundle.json');
      expect(JSON.parse(readFileSync(bundle, 'utf8')).issuedAt).toBe(NOW);
      expect(await run('bundle', 'verify', bundle, '--config', site, '--now', NOW)).toMatchObject({ code: 0 });
    });

    it('make the keys that are not there', async () => {
      const keys = keyFiles();
      rmSync(join(folder, 'keys', 'roam-wallet.jwk'));
      expect(await samples()).toMatchObject({ code: 0 });
      const { 'roam-wallet.jwk': made, ...others } = keyFiles();
      const { 'roam-wallet.jwk': lost, ...kept } = keys;
      expect(others).toEqual(kept);
      expect(JSON.parse(made as string).x).not.toBe(JSON.parse(lost as string).x);
    });

    it('replace them all with --new-keys, the root too', async () => {
      const keys = keyFiles();
      const root = textOf('root.pem');
      expect(await samples('--new-keys', '--json')).toMatchObject({ code: 0, stderr: '' });
      for (const [name, text] of Object.entries(keyFiles())) expect(text, name).not.toBe(keys[name]);
      expect(textOf('root.pem')).not.toBe(root);
    });

    it.each([
      ['a public key', (jwk: { d?: string }) => ({ ...jwk, d: undefined }), 'the JWK is a public key'],
      ['a key of another name', (jwk: object) => ({ ...jwk, kid: 'other' }), 'its kid is other, not roam-wallet'],
      ['half a key', (jwk: object) => ({ ...jwk, d: 'AAAA' }), 'not 32 bytes'],
    ])('refuse %s in the place of one, and write nothing', async (_, change, why) => {
      const path = join(folder, 'keys', 'roam-wallet.jwk');
      writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))));
      const before = keyFiles();
      const bundle = textOf('gate-line.bundle.json');
      const result = await samples();
      expect(result).toMatchObject({ code: 2, stdout: '' });
      expect(result.stderr).toContain(`development key: ${path}: `);
      expect(result.stderr).toContain(why);
      expect(result.stderr).toContain('(--new-keys makes all keys anew)');
      expect(keyFiles()).toEqual(before);
      expect(textOf('gate-line.bundle.json')).toBe(bundle);
      expect(await samples('--new-keys')).toMatchObject({ code: 0 });
    });
  });

  it('charging-site: a payment as the README has it', async () => {
    await bench.ok(
      ...[
        'grant',
        'issue',
        '--key',
        keys('fleetpass-grants'),
        '--issuer',
        'pa.fleetpass.example',
        '--policy',
        at('policy.json'),
        '--rail',
        'xrpl',
      ],
      ...[
        '--asset',
        'IOU:RLUSD:r4opss57dpjJvbKCVaRcyssXudmZ2r5GRs',
        '--purpose',
        'transport:charging',
        '--budget-minor',
        '20000',
        '--valid',
        '7d',
      ],
      ...['--out', at('c-grant.json')],
    );
    await bench.ok(
      ...[
        'sba',
        'issue',
        '--key',
        keys('roam-wallet'),
        '--issuer',
        'wallets.roam.example',
        '--grant',
        at('c-grant.json'),
        '--actor-id',
        'ev:4711',
      ],
      ...['--currency', 'EUR', '--max-amount-minor', '5000', '--valid', '4h', '--out', at('c-sba.json')],
    );
    const words = ['verify', 'chain', '--grant', at('c-grant.json'), '--sba', at('c-sba.json'), '--amount', '1800'];
    const site = [
      '--config',
      join(signed, 'charging-site.site.json'),
      '--bundle',
      join(signed, 'charging-site.bundle.json'),
    ];
    expect(await run(...words, ...site)).toMatchObject({ code: 0, stdout: 'accepted\n' });
  });

  it('charging-site: a grant by the key that was rotated out is refused by name', async () => {
    await bench.ok(
      ...[
        'grant',
        'issue',
        '--key',
        keys('fleetpass-grants-2025'),
        '--issuer',
        'pa.fleetpass.example',
        '--policy',
        at('policy.json'),
        '--rail',
        'xrpl',
      ],
      ...['--valid', '7d', '--out', at('old-grant.json')],
    );
    const site = [
      '--config',
      join(signed, 'charging-site.site.json'),
      '--bundle',
      join(signed, 'charging-site.bundle.json'),
    ];
    expect((await run('verify', 'grant', at('old-grant.json'), ...site)).stdout).toMatch(
      /^refused KEY_REVOKED policyGrant /,
    );
  });

  it("gate-line: the operator's card key signs SBAs, and no grants", async () => {
    const site = ['--config', join(signed, 'gate-line.site.json'), '--bundle', join(signed, 'gate-line.bundle.json')];
    await bench.ok(
      ...[
        'sba',
        'issue',
        '--key',
        keys('riviera-cards'),
        '--issuer',
        'pa.metro-riviera.example',
        '--grant-id',
        'card-1',
        '--policy-hash',
        'abcdef012345',
      ],
      ...[
        '--actor-id',
        'card:1',
        '--currency',
        'EUR',
        '--max-amount-minor',
        '900',
        '--budget-scope',
        'TRIP',
        '--rail',
        'xrpl',
        '--valid',
        '1h',
        '--out',
        at('card.json'),
      ],
    );
    expect(await run('verify', 'chain', '--sba', at('card.json'), '--amount', '300', ...site)).toMatchObject({
      stdout: 'accepted\n',
    });
    expect((await run('verify', 'chain', '--sba', at('card.json'), '--amount', '301', ...site)).stdout).toContain(
      'AMOUNT_EXCEEDED policyGrant policyGrant.presented',
    );
    await bench.ok(
      ...[
        'grant',
        'issue',
        '--key',
        keys('riviera-cards'),
        '--issuer',
        'pa.metro-riviera.example',
        '--policy-hash',
        'abcdef012345',
        '--rail',
        'xrpl',
      ],
      ...['--valid', '1h', '--out', at('card-grant.json')],
    );
    expect((await run('verify', 'grant', at('card-grant.json'), ...site)).stdout).toContain('ISSUER_NOT_PERMITTED');
  });

  it('meter-district: a full payment with intent, to the letter of MPCP v1', async () => {
    const site = [
      '--config',
      join(signed, 'meter-district.site.json'),
      '--bundle',
      join(signed, 'meter-district.bundle.json'),
    ];
    const district = 'r4NJMwWYc3JhESCX178xyqUv66TZwfRGxv';
    await bench.ok(
      ...[
        'grant',
        'issue',
        '--key',
        keys('harbor-grants'),
        '--issuer',
        'pa.harbor-city.example',
        '--policy',
        at('policy.json'),
        '--rail',
        'xrpl',
      ],
      ...[
        '--authorized-gateway',
        'rha59r5myHXTZLzdpf63TQmHi5LBna8Nsg',
        '--velocity',
        '5/1h',
        '--valid',
        '1d',
        '--out',
        at('m-grant.json'),
      ],
    );
    await bench.ok(
      ...[
        'sba',
        'issue',
        '--key',
        keys('roam-wallet'),
        '--issuer',
        'wallets.roam.example',
        '--grant',
        at('m-grant.json'),
        '--actor-id',
        'car:7',
      ],
      ...['--currency', 'USD', '--max-amount-minor', '9000000', '--valid', '1h', '--out', at('m-sba.json')],
    );
    await bench.ok(
      'intent',
      'create',
      '--rail',
      'xrpl',
      '--asset',
      'XRP',
      '--amount',
      '2500000',
      '--destination',
      district,
      '--out',
      at('m-intent.json'),
    );
    await bench.ok(
      'spa',
      'issue',
      '--key',
      keys('roam-wallet'),
      '--sba',
      at('m-sba.json'),
      '--intent',
      at('m-intent.json'),
      '--valid',
      '5m',
      '--out',
      at('m-spa.json'),
    );
    const words = [
      'verify',
      'chain',
      '--grant',
      at('m-grant.json'),
      '--sba',
      at('m-sba.json'),
      '--amount',
      '2500000',
      ...site,
    ];
    expect(await run(...words, '--spa', at('m-spa.json'), '--intent', at('m-intent.json'))).toMatchObject({
      stdout: 'accepted\n',
    });
    expect((await run(...words)).stdout).toContain('ARTIFACT_INVALID spa spa.presented');
  });
});
