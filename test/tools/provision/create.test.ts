// `provision create`: a fleet's file and a policy into images. What is wrong is told all at once, with file, line and reason, and
// then nothing is written.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploymentProblems, readConfiguration } from '../../../core/configuration.ts';
import type { FoundProvisioning } from '../../../core/provisioning/partition.ts';
import { ProvisioningProblem } from '../../../core/provisioning/provisioning.ts';
import { readImage } from '../../../host-sim/provisioning/image.ts';
import { generateKey, privateJwk, privatePem, publicJwk } from '../../../host-sim/signing/keys.ts';
import { bundle } from '../../fixtures/artifacts.ts';
import { CERTIFICATE_PEM, EC_CERTIFICATE_PEM } from '../../fixtures/certificate.ts';
import { otherRoot, root } from '../../fixtures/keys.ts';
import { COLUMNS, DEVICE_1, DEVICE_2, FleetBench, NOW, policyOf, sitePart, XRPL_ADDRESS } from './scene.ts';

let bench: FleetBench;
beforeAll(() => {
  bench = new FleetBench();
});
afterAll(() => bench.remove());

const create = (out: string, ...options: readonly string[]) =>
  bench.ok(
    'provision',
    'create',
    bench.path('fleet.csv'),
    bench.path('policy.json'),
    '--out',
    bench.path(out),
    ...options,
  );

function image(path: string): FoundProvisioning {
  const found = readImage(bench.bytes(path));
  if (found instanceof ProvisioningProblem) throw found;
  return found;
}

const GOOD = `${COLUMNS}\n${DEVICE_1}\n${DEVICE_2}\n`;

/** What is told of these files, a line each; nothing may have been written. */
async function told(
  fleet: string,
  policy: unknown = policyOf(),
  ...options: readonly string[]
): Promise<readonly string[]> {
  const { code, stdout, stderr } = await bench.create(fleet, policy, ...options);
  expect([code, stdout, existsSync(bench.path('refused'))]).toEqual([2, '', false]);
  expect(readdirSync(bench.folder).filter((name) => name.startsWith('.mpcp'))).toEqual([]);
  return stderr
    .replaceAll(`${bench.folder}/`, '')
    .split('\n')
    .map((line) => line.replace(/^mpcp-embedded provision create: /, '').replace(/; nothing was written$/, ''))
    .filter((line) => line !== '' && !line.endsWith('findings, nothing was written'));
}

/** One column of a fleet of one good device changed. */
function changed(values: { readonly [column: string]: string }): string {
  const names = [...new Set([...COLUMNS.split(','), ...Object.keys(values)])];
  const usual: { [name: string]: string } = {};
  DEVICE_1.split(',').forEach((cell, i) => {
    usual[names[i] as string] = cell;
  });
  return `${names.join(',')}\n${names.map((name) => values[name] ?? usual[name] ?? '').join(',')}\n`;
}

describe('provision create', () => {
  it('makes an image for each device, that the core reads and a device may start on', async () => {
    await create('images');
    expect(readdirSync(bench.path('images')).sort()).toEqual(['charger-1.img', 'gate-2.img', 'manifest.json']);
    const { provisioning } = image('images/charger-1.img');
    expect(provisioning).toMatchObject({
      deviceId: 'charger-1',
      siteId: 'north',
      counter: 1,
      policyAuthorityUrl: 'https://pa.example',
      operator: { url: 'https://operator.example', apiKey: 'mpcp_1' },
      wifi: { ssid: 'depot', password: 'correct horse' },
      wiring: { kind: 'charger', relay: 4, active: 'high', meter: 5 },
      fetchesRootKey: false,
      madeAtMs: undefined,
    });
    const site = readConfiguration(provisioning.site);
    expect(deploymentProblems(site)).toEqual([]);
    expect(site.bundleScope).toEqual({ merchant: 'did:web:volt.example', category: 'ev-charging', region: 'EU' });
    expect(site.rootKeys).toEqual([{ kid: 'root-1', publicKey: root.publicKey }]);
    expect(image('images/gate-2.img').provisioning).toMatchObject({
      wifi: { ssid: 'lobby, 2nd', password: 's3cret pass' },
      wiring: { kind: 'gate', relay: 7, active: 'low' },
    });
  });

  it('makes the same bytes of the same input, whenever and wherever', async () => {
    await create('once');
    await create('again');
    for (const name of ['charger-1.img', 'gate-2.img', 'manifest.json'])
      expect(Buffer.compare(bench.bytes(`once/${name}`), bench.bytes(`again/${name}`)), name).toBe(0);
  });

  it('has the digests of all images and of what they were made from in the manifest', async () => {
    await create('listed', '--counter', '7');
    const sha256 = (name: string) => createHash('sha256').update(bench.bytes(name)).digest('hex');
    expect(bench.json('listed/manifest.json')).toEqual({
      format: 'mpcp-embedded provisioning manifest 1',
      counter: 7,
      inputs: [
        { role: 'fleet', file: 'fleet.csv', sha256: sha256('fleet.csv') },
        { role: 'policy', file: 'policy.json', sha256: sha256('policy.json') },
        { role: 'certificate', file: 'ca.pem', sha256: sha256('ca.pem') },
      ],
      images: [
        { file: 'charger-1.img', deviceId: 'charger-1', sha256: sha256('listed/charger-1.img') },
        { file: 'gate-2.img', deviceId: 'gate-2', sha256: sha256('listed/gate-2.img') },
      ],
    });
    expect(image('listed/gate-2.img').provisioning.counter).toBe(7);
  });

  it('lets nobody else read what holds passwords', async () => {
    await create('secret');
    expect(statSync(bench.path('secret')).mode & 0o777).toBe(0o700);
    expect(statSync(bench.path('secret/charger-1.img')).mode & 0o777).toBe(0o600);
  });

  it('says when images were made only where it is told', async () => {
    await create('timed', '--made-at', NOW);
    expect(image('timed/gate-2.img').provisioning.madeAtMs).toBe(Date.parse(NOW));
  });

  it('has whatever else a site is configured with', async () => {
    const more = {
      profile: 'full',
      sbaOnly: { maxAmountMinor: '500' },
      refresh: { marginShare: 0.3, intervalMs: 3_600_000 },
      revocation: { hosts: ['pa.example'], onFailure: 'accept-offline-caps' },
    };
    bench.write('more.json', policyOf({ site: sitePart(more) }));
    const words = [bench.path('fleet.csv'), bench.path('more.json'), '--out', bench.path('more')];
    await bench.ok('provision', 'create', ...words);
    expect(image('more/gate-2.img').provisioning.site).toMatchObject(more);
  });

  it('takes lines of JSON for CSV', async () => {
    const lines = [
      {
        deviceId: 'm-1',
        merchant: 'm',
        category: 'parking',
        apiKey: 'k1',
        kind: 'meter',
        relayPin: 3,
        relayActive: 'low',
      },
      { deviceId: 'm-2', merchant: 'm', category: 'parking', apiKey: 'k2' },
    ];
    bench.write('fleet.jsonl', `${lines.map((line) => JSON.stringify(line)).join('\n')}\n\n`);
    await bench.ok(
      'provision',
      'create',
      bench.path('fleet.jsonl'),
      bench.path('policy.json'),
      '--out',
      bench.path('json'),
    );
    expect(image('json/m-1.img').provisioning.wiring).toEqual({ kind: 'meter', relay: 3, active: 'low' });
    expect(image('json/m-2.img').provisioning.siteId).toBeUndefined();
  });

  it('gives a device its stop button by a column, and all of them the broker of the policy', async () => {
    const mqtt = { host: 'broker.example', port: 8883, topic: 'mpcp/bundles' };
    bench.write('button.json', policyOf({ mqtt }));
    const wired = '{"deviceId":"c-1","merchant":"m","category":"ev-charging","apiKey":"k","kind":"charger",';
    bench.write('button.fleet', `${wired}"relayPin":3,"relayActive":"low","meterPin":5,"stopPin":6}\n`);
    await bench.ok(
      'provision',
      'create',
      bench.path('button.fleet'),
      bench.path('button.json'),
      '--out',
      bench.path('button'),
    );
    expect(image('button/c-1.img').provisioning).toMatchObject({
      wiring: { kind: 'charger', relay: 3, active: 'low', meter: 5, stop: 6 },
      mqtt,
    });
  });

  it('makes devices without a root key where the policy has them fetch one', async () => {
    bench.write('fetching.json', policyOf({ rootKey: 'fetch', site: sitePart({ rootKeys: undefined }) }));
    await bench.ok(
      'provision',
      'create',
      bench.path('fleet.csv'),
      bench.path('fetching.json'),
      '--out',
      bench.path('fetch'),
    );
    expect(image('fetch/gate-2.img').provisioning).toMatchObject({ fetchesRootKey: true });
  });

  it('takes a first Trust Bundle of a category that a root key has signed and that is fresh', async () => {
    bench.write('bundled.json', policyOf({ trustBundles: { 'ev-charging': 'bundle.json' } }));
    const words = [bench.path('fleet.csv'), bench.path('bundled.json'), '--out', bench.path('bundled'), '--now', NOW];
    await bench.ok('provision', 'create', ...words);
    expect(bench.json('bundled/manifest.json').inputs.at(-1)).toMatchObject({ role: 'bundle for ev-charging' });
  });

  it('puts nothing where something is already', async () => {
    await create('full');
    const words = [
      'provision',
      'create',
      bench.path('fleet.csv'),
      bench.path('policy.json'),
      '--out',
      bench.path('full'),
    ];
    await expect(bench.ok(...words)).rejects.toThrow('it is not empty');
  });

  it('tells where it cannot write, before anything is made', async () => {
    const words = [bench.path('fleet.csv'), bench.path('policy.json'), '--out'];
    await expect(bench.ok('provision', 'create', ...words, '/proc/images')).rejects.toThrow('/proc/images');
    await expect(bench.ok('provision', 'create', ...words, bench.path('no/images'))).rejects.toThrow('no such file');
  });
});

describe('every bad line is told, with its number and why, and nothing is written', () => {
  it('all of them at once, in the order of the file', async () => {
    const fleet = [COLUMNS, DEVICE_1.replace('charger-1', '../x'), DEVICE_2, DEVICE_1.replace('EU', 'US'), ''].join(
      '\n',
    );
    expect(await told(fleet)).toEqual([
      'a-fleet, line 2: deviceId "../x": it is not letters, digits, ".", "_" and "-" with a letter or digit first',
      'a-fleet, line 4: apiKey: it is good for one device alone, and is in line 2 too',
      'a-fleet, line 4: site north is in region US here, and EU in line 2',
    ]);
  });

  it.each<[string, { readonly [column: string]: string }]>([
    ['deviceId is missing', { deviceId: '' }],
    ['merchant is missing', { merchant: '' }],
    ['category is missing', { category: '' }],
    ['deviceId "a/b": it is not letters', { deviceId: 'a/b' }],
    ['deviceId "..": it is not letters', { deviceId: '..' }],
    ['deviceId "NUL.x": Windows keeps this name for itself', { deviceId: 'NUL.x' }],
    ['deviceId "a.": it ends with a dot', { deviceId: 'a.' }],
    ['it has more than 64 characters', { deviceId: 'a'.repeat(65) }],
    ['deviceId begins or ends with a blank', { deviceId: ' a' }],
    ['wifiPassword: it is neither 8 to 63 characters nor 64', { wifiSsid: 'x', wifiPassword: 'short' }],
    ['wifiPassword: it has a character that is not printable', { wifiSsid: 'x', wifiPassword: 'pässword' }],
    ['wifiPassword is there without wifiSsid', { wifiPassword: 'long enough' }],
    ["wifiSsid: a network's name has 1 to 32 bytes", { wifiSsid: 'x'.repeat(33) }],
    ['relayPin is missing', { kind: 'gate', relayActive: 'low' }],
    ['relayPin "49" is not a pin from 0 to 48', { kind: 'gate', relayActive: 'low', relayPin: '49' }],
    ['relayPin "4x" is not a pin from 0 to 48', { kind: 'gate', relayActive: 'low', relayPin: '4x' }],
    ['kind "pump" is none of charger, gate, meter', { kind: 'pump', relayActive: 'low', relayPin: '1' }],
    ['relayActive "up" is none of high, low', { kind: 'gate', relayActive: 'up', relayPin: '1' }],
    ['relayPin and ledPin are both on pin 1', { kind: 'gate', relayActive: 'low', relayPin: '1', ledPin: '1' }],
    ['apiKey is missing: the policy has an operatorUrl', { apiKey: '' }],
    ['destination: ', { destination: 'rnPiz3CjrgbK9Ztwft6WCWoZUpLLttLyp7' }],
    ['site: it has more than 256 bytes', { site: 'x'.repeat(257) }],
  ])('%s', async (reason, values) => {
    const lines = await told(changed(values));
    expect(lines.join('\n')).toContain(reason);
    for (const line of lines) expect(line).toMatch(/^a-fleet, line 2: /);
  });

  it.each<[string, string]>([
    ['a-fleet, line 2: it has 10 columns, the first line 11', `${COLUMNS}\n${DEVICE_1.slice(0, -1)}\n`],
    ['a-fleet, line 1: column merchant is missing', 'deviceId,category\na,b\n'],
    ['a-fleet, line 1: there is no column "relais"', `${COLUMNS},relais\n${DEVICE_1},1\n`],
    ['a-fleet, line 1: column site is there twice', `${COLUMNS},site\n${DEVICE_1},x\n`],
    ['a-fleet: it has no device', `${COLUMNS}\n`],
    ['a-fleet: it has no device', ''],
    [
      'a-fleet, line 1: columns are separated by commas, and these by semicolons',
      'deviceId;merchant;category\na;b;c\n',
    ],
    ['a-fleet, line 2: ', `{"deviceId":"a"\n{"deviceId":"a"`],
    ['a-fleet, line 1: there is no member relais', '{"deviceId":"a","merchant":"m","category":"c","relais":1}'],
    ['a-fleet, line 1: merchant is not text', '{"deviceId":"a","merchant":7,"category":"c"}'],
  ])('%s', async (line, fleet) => {
    expect((await told(fleet)).join('\n')).toContain(line);
  });

  it('every fault of a line, whichever of its columns it is about', async () => {
    const values = {
      ...{ site: 'x'.repeat(257), category: '', region: ' EU', wifiSsid: 'x', wifiPassword: 'short' },
      ...{ kind: 'charger', relayPin: '99', relayActive: 'up', ledPin: '3', buzzerPin: '3' },
    };
    expect([...(await told(changed(values), policyOf({ policyAuthorityUrl: 7 })))].sort()).toEqual([
      'a-fleet, line 2: category is missing',
      'a-fleet, line 2: ledPin and buzzerPin are both on pin 3',
      'a-fleet, line 2: meterPin is missing: a charger has a meter',
      'a-fleet, line 2: region begins or ends with a blank',
      'a-fleet, line 2: relayActive "up" is none of high, low',
      'a-fleet, line 2: relayPin "99" is not a pin from 0 to 48',
      'a-fleet, line 2: site: it has more than 256 bytes',
      'a-fleet, line 2: wifiPassword: it is neither 8 to 63 characters nor 64 hexadecimal digits',
      'a-policy.json: policyAuthorityUrl: expected string, received number',
    ]);
  });

  it('two devices of one id, also where they differ in case alone', async () => {
    const twice = `${COLUMNS}\n${DEVICE_1}\n${DEVICE_1.replace('charger-1', 'CHARGER-1').replace('mpcp_1', 'mpcp_2')}\n`;
    expect(await told(twice)).toEqual(['a-fleet, line 3: deviceId CHARGER-1 is in line 2 too']);
  });

  it('a merchant that is paid at two places', async () => {
    const names = `${COLUMNS},destination`;
    const other = 'rDz5GKSzpNbtoMzpThWUbX26G1gLMzAzzD';
    const fleet = `${names}\n${DEVICE_1},${XRPL_ADDRESS}\n${DEVICE_2},${other}\n`;
    expect(await told(fleet)).toEqual([
      `a-fleet, line 3: merchant did:web:volt.example is paid at ${other} here, and ${XRPL_ADDRESS} in line 2`,
    ]);
  });

  it('an API key that nobody wants', async () => {
    expect(await told(GOOD, policyOf({ operatorUrl: undefined }))).toEqual([
      'a-fleet, line 2: apiKey is there, and the policy has no operatorUrl it could be for',
      'a-fleet, line 3: apiKey is there, and the policy has no operatorUrl it could be for',
    ]);
  });

  it('a device that a Trust Bundle of its category is not for', async () => {
    bench.write('other.json', bundle({ merchant: 'did:web:other.example', category: 'ev-charging' }));
    expect(await told(GOOD, policyOf({ trustBundles: { 'ev-charging': 'other.json' } }))).toEqual([
      'a-fleet, line 2: merchant did:web:volt.example: the Trust Bundle for ev-charging is for did:web:other.example',
    ]);
  });

  it('a document that no image holds', async () => {
    const kids = Array.from({ length: 64 }, (_, i) => `kid-${i}-${'x'.repeat(140)}`);
    const site = sitePart({ sbaIssuers: { 'pa.example': [{ issuer: 'w.example', kids }] } });
    expect((await told(GOOD, policyOf({ site })))[0]).toMatch(
      /line 2: no device reads its document of \d+ bytes: more than 4096 bytes/,
    );
  });
});

describe('a private key, wherever it is', () => {
  const key = generateKey('k');
  const jwk = JSON.stringify(privateJwk(key));
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

  it.each<[string, { readonly [column: string]: string }]>([
    ['site holds a private key as JWK', { site: quoted(jwk) }],
    ['site holds a private key in PEM', { site: quoted(privatePem(key)) }],
    ['wifiPassword holds an XRPL seed', { wifiSsid: 'x', wifiPassword: 'sEdTM1uX8pu2do5XvTnutH6HsouMaM2' }],
    ['column privateKey says that it holds a private key', { privateKey: 'x' }],
    ['column signing_key says that it holds a private key', { signing_key: '' }],
  ])('in the fleet: %s', async (reason, values) => {
    expect((await told(changed(values))).join('\n')).toContain(reason);
  });

  it.each<[string, unknown]>([
    [
      'site.rootKeys[0].publicKey holds a private key as JWK',
      policyOf({ site: sitePart({ rootKeys: [{ publicKey: privateJwk(key) }] }) }),
    ],
    [
      'site.rootKeys[0].publicKey holds a private key in PEM',
      policyOf({ site: sitePart({ rootKeys: [{ publicKey: privatePem(key) }] }) }),
    ],
    ['note holds a private key as JWK', policyOf({ note: jwk })],
    ['site.secretKey holds a private key, by its name', policyOf({ site: sitePart({ secretKey: 'AAAA' }) })],
    [
      'site.terminal.destination holds an XRPL seed',
      policyOf({ site: sitePart({ terminal: { destination: 'sEdTM1uX8pu2do5XvTnutH6HsouMaM2' } }) }),
    ],
  ])('in the policy: %s', async (reason, policy) => {
    const lines = await told(GOOD, policy);
    expect(lines).toEqual([`a-policy.json: ${reason}`]);
    expect(lines.join()).not.toContain(privateJwk(key).d);
  });

  it('beside the certificate', async () => {
    bench.write('both.pem', CERTIFICATE_PEM + privatePem(key));
    expect(await told(GOOD, policyOf({ certificate: 'both.pem' }))).toEqual([
      'both.pem: it holds a private key in PEM',
    ]);
  });
});

describe('a policy that would not hold', () => {
  const weak = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  const one = new Uint8Array(32);
  one[0] = 1;
  const notCanonical = new Uint8Array(32).fill(0xff);

  it.each<[string, unknown]>([
    [
      'rootKeys[0].publicKey: the key is not a usable point',
      policyOf({ site: sitePart({ rootKeys: [{ publicKey: weak(one) }] }) }),
    ],
    [
      'rootKeys[0].publicKey: the key is not a usable point',
      policyOf({ site: sitePart({ rootKeys: [{ publicKey: weak(notCanonical) }] }) }),
    ],
    [
      'pinned policyGrant key g and root key root-1 are one key',
      policyOf({
        site: sitePart({
          pinnedKeys: [{ role: 'policyGrant', issuer: 'pa.example', kid: 'g', publicKey: publicJwk(root) }],
        }),
      }),
    ],
    [
      'pinned sba key w and pinned policyGrant key g are one key',
      policyOf({
        site: sitePart({
          pinnedKeys: ['policyGrant', 'sba'].map((role, i) => ({
            role,
            issuer: 'x',
            kid: 'gw'[i],
            publicKey: publicJwk(otherRoot),
          })),
        }),
      }),
    ],
    [
      'root key again and root key root-1 are one key',
      policyOf({
        site: sitePart({ rootKeys: [{ publicKey: publicJwk(root) }, { kid: 'again', publicKey: publicJwk(root) }] }),
      }),
    ],
    [
      'two root keys have the kid root-1',
      policyOf({
        site: sitePart({
          rootKeys: [{ publicKey: publicJwk(root) }, { kid: 'root-1', publicKey: publicJwk(otherRoot) }],
        }),
      }),
    ],
    ['site: rootKeys is empty: no Trust Bundle could be admitted', policyOf({ site: sitePart({ rootKeys: [] }) })],
    ['rootKey: a device that has root keys fetches none', policyOf({ rootKey: 'fetch' })],
    ['site: sbaIssuers has nobody for pa.example', policyOf({ site: sitePart({ sbaIssuers: {} }) })],
    [
      'site: sbaIssuers is about pb.example, which grantIssuers does not let sign',
      policyOf({ site: sitePart({ sbaIssuers: { 'pa.example': ['w'], 'pb.example': ['w'] } }) }),
    ],
    [
      'merchant, category and region stand in each device’s line',
      policyOf({ site: sitePart({ bundleScope: { region: 'EU' } }) }),
    ],
    [
      'site: terminal.purpose is missing',
      policyOf({ site: sitePart({ terminal: { ...(sitePart().terminal as object), purpose: undefined } }) }),
    ],
    ['operatorURL: there is no such member', policyOf({ operatorURL: 'https://x.example' })],
    ['sbaonly: there is no such member', policyOf({ site: sitePart({ sbaonly: { maxAmountMinor: '1' } }) })],
    [
      'policyAuthorityUrl: "http://pa.example": http:// is for this machine alone',
      policyOf({ policyAuthorityUrl: 'http://pa.example' }),
    ],
    ['mqtt.host: it is not the name', policyOf({ mqtt: { host: 'mqtts://x', port: 8883, topic: 't' } })],
    ['wifi.password: it is neither', policyOf({ wifi: { ssid: 'x', password: 'short' } })],
    [
      'wiring.relay and wiring.meter are both on pin 4',
      policyOf({ wiring: { kind: 'charger', relay: 4, active: 'low', meter: 4 } }),
    ],
  ])('%s', async (reason, policy) => {
    const lines = await told(GOOD, policy);
    expect(lines.join('\n')).toContain(reason);
    for (const line of lines) expect(line).toMatch(/^a-policy\.json: /);
  });

  it('every fault of the policy, a slip in a name and a broken key too', async () => {
    const { rail, ...terminal } = sitePart().terminal as { readonly [name: string]: unknown };
    const site = sitePart({
      terminal: { ...terminal, rayl: rail },
      rootKeys: [{ publicKey: 'AAAA' }, { publicKey: weak(one) }],
      sbaIssuers: {},
    });
    const wiring = { kind: 'charger', relay: 99, active: 'high', led: 3, buzzer: 3 };
    expect([...(await told(GOOD, policyOf({ site, wiring, certificate: 'none.pem', wify: {} })))].sort()).toEqual([
      expect.stringMatching(/^a-policy\.json: certificate: cannot read .*none\.pem: no such file or folder$/),
      expect.stringMatching(/^a-policy\.json: site: rootKeys\[0\]\.publicKey: /),
      expect.stringMatching(/^a-policy\.json: site: rootKeys\[1\]\.publicKey: the key is not a usable point/),
      'a-policy.json: site: sbaIssuers has nobody for pa.example, so no payment under its grants is accepted',
      'a-policy.json: site: terminal.rail is missing',
      'a-policy.json: site: terminal.rayl: there is no such member',
      'a-policy.json: wify: there is no such member',
      'a-policy.json: wiring.led and wiring.buzzer are both on pin 3',
      'a-policy.json: wiring.relay: 99 is not a pin from 0 to 48',
      'a-policy.json: wiring: a charger has no meter',
    ]);
  });

  it('has no Trust Bundle that is expired, of a stranger, or for another category', async () => {
    const trustBundles = { 'ev-charging': 'bundle.json' };
    const of = (changes: Parameters<typeof bundle>[0], key = root) => {
      bench.write('bad-bundle.json', bundle(changes, key));
      return policyOf({ trustBundles: { 'ev-charging': 'bad-bundle.json' } });
    };
    expect(await told(GOOD, of({ expiresAt: '2026-05-31T00:00:00Z' }))).toEqual([
      'bad-bundle.json: the Trust Bundle for ev-charging: ARTIFACT_EXPIRED: expired at 2026-05-31T00:00:00.000Z',
    ]);
    expect((await told(GOOD, of({}, otherRoot))).join()).toMatch(
      /^bad-bundle\.json: .*(KEY_NOT_FOUND|SIGNATURE_INVALID)/,
    );
    expect((await told(GOOD, of({ category: 'parking' }))).join()).toContain('BUNDLE_SCOPE_MISMATCH');
    expect(
      await bench.create(GOOD, policyOf({ trustBundles: { ...trustBundles, transit: 'none.json' } })),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('none.json: no such file or folder'),
    });
  });

  it('pins no certificate of a key that devices take no signatures of', async () => {
    bench.write('ec.pem', EC_CERTIFICATE_PEM);
    const why =
      'ec.pem: the certificate has not an RSA key with the exponent 65537 and at most 4096 bits: devices take no signature of others';
    expect(await told(GOOD, policyOf({ certificate: 'ec.pem' }))).toEqual([why]);
    expect(await told(GOOD, policyOf({ operatorCertificate: 'ec.pem' }))).toEqual([why]);
  });

  it('pins one for the operator beside the other, where there is an operator', async () => {
    bench.write('own.json', policyOf({ operatorCertificate: 'ca.pem' }));
    await bench.ok(
      ...['provision', 'create', bench.path('fleet.csv'), bench.path('own.json'), '--out', bench.path('own')],
    );
    const { operator, certificate } = image('own/charger-1.img').provisioning;
    expect(operator?.certificate).toEqual(certificate);
    expect(await told(GOOD, policyOf({ operatorCertificate: 'ca.pem', operatorUrl: undefined }))).toContainEqual(
      expect.stringContaining('operatorCertificate: there is no operatorUrl'),
    );
  });

  it('pins one certificate that is one, and is not past', async () => {
    bench.write('two.pem', CERTIFICATE_PEM + CERTIFICATE_PEM);
    bench.write('broken.pem', CERTIFICATE_PEM.replace('MIID', 'AAAA'));
    expect(await told(GOOD, policyOf({ certificate: 'two.pem' }))).toEqual([
      'two.pem: one certificate in PEM is needed, it has 2',
    ]);
    expect(await told(GOOD, policyOf({ certificate: 'broken.pem' }))).toEqual(['broken.pem: it is not a certificate']);
    expect(await told(GOOD, policyOf(), '--now', '2127-01-01T00:00:00Z')).toEqual([
      'ca.pem: the certificate expired at 2126-10-28T20:05:02.000Z',
    ]);
  });

  it('is told together with the lines of the fleet', async () => {
    const lines = await told('deviceId\nx\n', policyOf({ rootKey: 'fetch' }));
    expect(lines).toContain('a-fleet, line 1: column merchant is missing');
    expect(lines).toContain('a-policy.json: rootKey: a device that has root keys fetches none');
  });
});
