// Bad input at every command: one clear line on stderr that names what is wrong and where, exit code 2, nothing written.

import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicJwk } from '../../../host-sim/signing/keys.ts';
import { wholeNumber } from '../../../tools/cli/option-values.ts';
import { otherRoot } from '../../fixtures/keys.ts';
import { COLUMNS, DEVICE_1, policyOf } from '../provision/scene.ts';
import { type Bench, NOW, paymentBench, run } from './run.ts';

/** A command with a call that works, and where its input comes from. */
interface CommandCase {
  readonly name: string;
  /** Words after the name; `@x` stands for the path of x in the bench. */
  readonly good: readonly string[];
  /** JSON inputs: an option's name, or the place of an argument in `good`. */
  readonly json: readonly (string | number)[];
  readonly privateKeys?: readonly string[];
  readonly publicKeys?: readonly (string | number)[];
  readonly outputs?: readonly string[];
  /** Options that must be there. */
  readonly needed?: readonly string[];
  /** Places of images; what there is for one that is none. */
  readonly images?: readonly number[];
  /** Places of texts that are not JSON. */
  readonly texts?: readonly (string | number)[];
  /** Options that name a folder to be made. */
  readonly folders?: readonly string[];
  /** Exit codes of a good call. Default: 0. */
  readonly exits?: readonly number[];
  /** Options with a value that cannot be read. */
  readonly badValues?: readonly (readonly [option: string, value: string])[];
}

const TRUST = ['--bundle', '@bundle.json', '--root', '@root.pub.jwk', '--now', NOW];
const LOOK = [...TRUST, '--grant-issuer', 'pa.example', '--sba-issuer', 'wallet.example'];
const BAD_LOOK: readonly (readonly [string, string])[] = [
  ['--now', 'yesterday'],
  ['--drift', '5 minutes'],
  ['--profile', 'heavy'],
  ['--crypto', 'openssl'],
  ['--sba-issuer', '*='],
];
const BAD_PAYMENT: readonly (readonly [string, string])[] = [
  ...BAD_LOOK,
  ['--amount', '0x10'],
  ['--amount', '-5'],
  ['--amount', '1.50'],
  ['--amount', ''],
  ['--currency', 'eur'],
  ['--rail', 'sepa'],
  ['--asset', 'GOLD'],
  ['--asset', '{"kind":"NFT"}'],
  ['--grant-spent', '-5'],
  ['--budget-spent', '0x10'],
];
const BAD_ISSUE: readonly (readonly [string, string])[] = [
  ['--now', '2026-13-01T00:00:00Z'],
  ['--expires-at', 'tomorrow'],
  ['--expires-at', '2026-02-30T00:00:00Z'],
  ['--expires-at', '2026-03-02T00:00:00'],
  ['--expires-at', '2020-01-01T00:00:00Z'],
  ['--valid', '7 days'],
];

const COMMANDS: readonly CommandCase[] = [
  {
    name: 'keygen',
    good: ['--out', '@new.jwk', '--public-out', '@new.pub.jwk'],
    json: [],
    outputs: ['--out', '--public-out'],
    badValues: [
      ['--format', 'der'],
      ['--kid', ''],
    ],
  },
  { name: 'jwks', good: ['@pa.jwk', '--out', '@new.json'], json: [], publicKeys: [0], outputs: ['--out'] },
  { name: 'policy hash', good: ['@policy.json'], json: [0] },
  {
    name: 'grant issue',
    good: [
      '--key',
      '@pa.jwk',
      '--issuer',
      'pa.example',
      '--policy-hash',
      'abcdef012345',
      '--from',
      '@grant-members.json',
      '--valid',
      '1d',
      '--now',
      NOW,
      '--out',
      '@new.json',
    ],
    json: ['--from'],
    privateKeys: ['--key'],
    outputs: ['--out'],
    needed: ['--key', '--from', '--valid', '--policy-hash'],
    badValues: [
      ...BAD_ISSUE,
      ['--asset', 'IOU:EUR'],
      ['--velocity', 'often'],
      ['--rail', 'sepa'],
      ['--budget-minor', '1.50'],
      ['--policy-hash', 'XYZ'],
      ['--scope', 'TOWN'],
      ['--issuer', 'did:web:'],
      ['--artifact-version', '2.0'],
    ],
  },
  {
    name: 'sba issue',
    good: [
      '--key',
      '@wallet.jwk',
      '--issuer',
      'w.example',
      '--grant',
      '@grant.json',
      '--actor-id',
      'ev',
      '--currency',
      'EUR',
      '--max-amount-minor',
      '1',
      '--valid',
      '1d',
      '--now',
      NOW,
      '--out',
      '@new.json',
    ],
    json: ['--grant'],
    privateKeys: ['--key'],
    outputs: ['--out'],
    needed: ['--key', '--grant', '--actor-id', '--currency', '--max-amount-minor', '--valid'],
    badValues: [
      ...BAD_ISSUE,
      ['--minor-unit', 'two'],
      ['--currency', 'euro'],
      ['--max-amount-minor', '-5'],
      ['--max-amount-minor', '007'],
      ['--budget-scope', 'YEAR'],
    ],
  },
  {
    name: 'spa issue',
    good: [
      '--key',
      '@wallet.jwk',
      '--sba',
      '@sba.json',
      '--intent',
      '@intent.json',
      '--valid',
      '1d',
      '--now',
      NOW,
      '--out',
      '@new.json',
    ],
    json: ['--sba', '--intent'],
    privateKeys: ['--key'],
    outputs: ['--out'],
    needed: ['--key', '--sba', '--intent', '--valid'],
    badValues: [...BAD_ISSUE, ['--amount', '0'], ['--rail', 'cash'], ['--intent-hash', 'ff']],
  },
  {
    name: 'intent create',
    good: ['--from', '@intent.json', '--now', NOW, '--out', '@new.json'],
    json: ['--from'],
    outputs: ['--out'],
    needed: ['--from'],
    badValues: [
      ['--amount', '1e3'],
      ['--asset', '{"kind":'],
      ['--created-at', 'now'],
    ],
  },
  { name: 'intent hash', good: ['@intent.json'], json: [0] },
  {
    name: 'fleet-policy issue',
    good: [
      '--key',
      '@fleet.jwk',
      '--issuer',
      'f.example',
      '--from',
      '@fpa-members.json',
      '--valid',
      '1d',
      '--now',
      NOW,
      '--out',
      '@new.json',
    ],
    json: ['--from'],
    privateKeys: ['--key'],
    outputs: ['--out'],
    needed: ['--key', '--from', '--valid'],
    badValues: [...BAD_ISSUE, ['--scope', 'TRIP'], ['--currency', 'EU']],
  },
  {
    name: 'present',
    good: [
      '--grant',
      '@grant.json',
      '--sba',
      '@sba.json',
      '--spa',
      '@spa.json',
      '--intent',
      '@intent.json',
      '--fpa',
      '@fpa.json',
      '--out',
      '@new.json',
    ],
    json: ['--grant', '--sba', '--spa', '--intent', '--fpa'],
    outputs: ['--out'],
    needed: ['--sba'],
    badValues: [
      ['--idempotency-key', ''],
      ['--idempotency-key', 'k'.repeat(129)],
    ],
  },
  {
    name: 'bundle create',
    good: [
      '--template',
      '@template.json',
      '--issuer',
      'pa.example=@pa.pub.jwk',
      '--valid',
      '1d',
      '--now',
      NOW,
      '--out',
      '@new.json',
    ],
    json: ['--template'],
    outputs: ['--out'],
    needed: ['--template', '--valid'],
    badValues: [
      ['--issuer', 'pa.example'],
      ['--issuer', 'pa.example=/nowhere.jwk'],
      ['--revoke-key', 'pa.example'],
      ['--revoke-key', 'pa.example#none'],
      ['--country', 'Germany'],
      ['--expires-at', 'never'],
      ['--issued-at', 'ever'],
      ['--valid', 'long'],
      ['--merchant', 'did:no'],
    ],
  },
  {
    name: 'bundle sign',
    good: ['@unsigned.json', '--key', '@root.jwk', '--now', NOW, '--out', '@new.json'],
    json: [0],
    privateKeys: ['--key'],
    outputs: ['--out'],
    needed: ['--key'],
    badValues: [
      ['--now', '2027-01-01T00:00:00Z'],
      ['--kid', ''],
    ],
  },
  {
    name: 'bundle verify',
    good: ['@bundle.json', '--root', '@root.pub.jwk', '--now', NOW],
    json: [0],
    publicKeys: ['--root'],
    needed: ['--root'],
    badValues: [
      ['--now', 'x'],
      ['--crypto', 'x'],
    ],
  },
  { name: 'bundle inspect', good: ['@bundle.json'], json: [0], badValues: [['--now', 'x']] },
  {
    name: 'bundle samples',
    good: ['--out', '@samples'],
    json: [],
    badValues: [
      ['--now', 'x'],
      ['--out', '/dev/null/samples'],
      ['--out', '/proc/samples/of/mine'],
    ],
  },
  {
    name: 'verify bundle',
    good: ['@bundle.json', '--root', '@root.pub.jwk', '--now', NOW],
    json: [0],
    publicKeys: ['--root'],
    needed: ['--root'],
    badValues: [
      ['--now', 'x'],
      ['--crypto', 'x'],
    ],
  },
  {
    name: 'verify grant',
    good: ['@grant.json', ...TRUST, '--grant-issuer', 'pa.example'],
    json: [0, '--bundle'],
    publicKeys: ['--root'],
    needed: ['--grant-issuer', '--root'],
    badValues: BAD_LOOK,
  },
  {
    name: 'verify sba',
    good: ['@sba.json', '--amount', '1800', ...LOOK],
    json: [0, '--bundle'],
    publicKeys: ['--root'],
    needed: ['--amount', '--sba-issuer', '--root'],
    badValues: BAD_PAYMENT,
  },
  {
    name: 'verify chain',
    good: [
      '--grant',
      '@grant.json',
      '--sba',
      '@sba.json',
      '--spa',
      '@spa.json',
      '--intent',
      '@intent.json',
      '--fpa',
      '@fpa.json',
      '--amount',
      '1800',
      '--config',
      '@site.json',
      ...LOOK,
    ],
    json: ['--grant', '--sba', '--spa', '--intent', '--fpa', '--config', '--bundle'],
    publicKeys: ['--root'],
    needed: ['--amount', '--sba'],
    badValues: BAD_PAYMENT,
  },
  {
    name: 'verify header',
    good: ['--file', '@header.txt', '--amount', '1800', '--config', '@site.json', ...LOOK],
    json: ['--config', '--bundle'],
    publicKeys: ['--root'],
    needed: ['--amount', '--file'],
    badValues: [...BAD_PAYMENT, ['--file', '/nowhere.txt']],
  },
  {
    name: 'provision create',
    good: ['@fleet.csv', '@fleet-policy.json', '--out', '@new-images', '--now', NOW],
    json: [1],
    texts: [0],
    folders: ['--out'],
    needed: ['--out'],
    badValues: [
      ['--counter', '0'],
      ['--counter', '4294967296'],
      ['--made-at', 'yesterday'],
      ['--now', '2026-02-30T00:00:00Z'],
    ],
  },
  { name: 'provision inspect', good: ['@charger-1.img'], json: [], images: [0] },
  {
    name: 'provision verify',
    good: ['@images'],
    json: ['--manifest'],
    badValues: [
      ['--manifest', '/nowhere.json'],
      ['--manifest', ''],
    ],
  },
  {
    name: 'provision rotate',
    good: ['@charger-1.img', '--add-root', '@root-2.jwk', '--out', '@new.img'],
    json: [],
    images: [0],
    publicKeys: ['--add-root'],
    outputs: ['--out'],
    needed: ['--out'],
    badValues: [
      ['--remove-root', 'nobody'],
      ['--remove-root', ''],
    ],
  },
  {
    name: 'provision flash',
    good: ['@charger-1.img', '--port', '/dev/ttyUSB0', '--table', '@partitions.csv', '--dry-run'],
    json: [],
    images: [0],
    texts: ['--table'],
    needed: ['--port', '--table'],
    badValues: [
      ['--baud', '0'],
      ['--baud', 'fast'],
      ['--label', 'nvs_'],
    ],
  },
  // What is missing here to build firmware is told as a result.
  { name: 'doctor', good: [], json: [], exits: [0, 1] },
];

let bench: Bench;
let before: string;

beforeAll(async () => {
  bench = await paymentBench();
  const {
    version: _,
    expiresAt: __,
    policyHash: ___,
    issuer: ____,
    issuerKeyId: _____,
    signature: ______,
    ...grant
  } = bench.json('grant.json');
  bench.write('grant-members.json', grant);
  const { expiresAt: _______, ...fleetPolicy } = bench.json('fpa.json').authorization;
  bench.write('fpa-members.json', fleetPolicy);
  bench.write('template.json', {
    bundleIssuer: 'pa.example',
    category: 'parking',
    issuers: [{ issuer: 'pa.example', keys: [{ development: 'x' }] }],
  });
  await bench.ok(
    'present',
    '--grant',
    bench.path('grant.json'),
    '--sba',
    bench.path('sba.json'),
    '--header',
    '--out',
    bench.path('header.txt'),
  );
  mkdirSync(bench.path('folder'));
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  bench.write('ec.pem', ec.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  bench.write('ec.pub.pem', ec.publicKey.export({ type: 'spki', format: 'pem' }));
  bench.write('ec.jwk', ec.privateKey.export({ format: 'jwk' }));
  bench.write('ec.pub.jwk', ec.publicKey.export({ format: 'jwk' }));
  bench.write('garbage.txt', 'no key at all');
  bench.write('not-utf8', Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d));
  bench.write('truncated.json', '{"authorization": {"version": "1.');
  bench.write('twice.json', '{"version": "1.0", "version": "1.0"}');
  bench.write('list.json', '[1, 2]');
  bench.write('text.json', '"text"');
  bench.write('empty', '');
  bench.write('bom.json', '\ufeff{}');
  bench.write('key-set.json', { keys: [bench.json('pa.pub.jwk')] });
  bench.write('torn.jwk', { ...bench.json('pa.jwk'), d: 'AAAA' });
  bench.write('mixed.jwk', { ...bench.json('pa.jwk'), d: bench.json('root.jwk').d });
  bench.write('fleet.csv', `${COLUMNS}\n${DEVICE_1}\n`);
  bench.write('fleet-policy.json', policyOf({ certificate: undefined }));
  bench.write('root-2.jwk', publicJwk(otherRoot));
  bench.write('partitions.csv', 'mpcp_prov, data, 0x40, 0x9000, 16K\n');
  await bench.ok(
    ...['provision', 'create', bench.path('fleet.csv'), bench.path('fleet-policy.json')],
    ...['--out', bench.path('images'), '--now', NOW],
  );
  bench.write('charger-1.img', bench.bytes('images/charger-1.img'));
  const torn = bench.bytes('charger-1.img');
  torn[100] = (torn[100] as number) ^ 1;
  bench.write('torn.img', torn);
  bench.write('row.csv', 'deviceId,merchant,category,relais\n');
  bench.write('zeros.img', new Uint8Array(16_384));
  bench.write('blank.img', new Uint8Array(16_384).fill(0xff));
  bench.write('half.img', torn.subarray(0, 8192));
  writeFileSync(bench.path('huge'), '');
  // A hole: it takes no room.
  truncateSync(bench.path('huge'), 17 * 1024 * 1024);
  before = contents();
});
afterAll(() => bench.remove());

/** Every file of the bench with its content: nothing may change. */
function contents(): string {
  return readdirSync(bench.folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.name} ${readFileSync(join(entry.parentPath ?? bench.folder, entry.name), 'hex')}`)
    .sort()
    .join('\n');
}

/** The words of a call, with paths in place of `@name`. */
function words(command: CommandCase, args: readonly string[]): string[] {
  return [
    ...command.name.split(' '),
    ...args.map((word) => word.replace(/(^|=)@(.+)$/, (_, start, name) => start + bench.path(name))),
  ];
}

/** Another value for an option or an argument. */
function replaced(args: readonly string[], place: string | number, value: string): string[] {
  if (typeof place === 'string' && !args.includes(place)) return [...args, place, value];
  const at = typeof place === 'number' ? place : args.indexOf(place) + 1;
  return [...args.slice(0, at), value, ...args.slice(at + 1)];
}

/** The call without an option and its value. */
function without(args: readonly string[], option: string): string[] {
  const at = args.indexOf(option);
  return args.filter((_, i) => i !== at && i !== at + 1);
}

/** Runs a call that must be refused, with and without `--json`, and gives its line. */
async function refused(command: CommandCase, args: readonly string[]): Promise<string> {
  const call = words(command, args);
  const result = await run(...call);
  expect(result, call.join(' ')).toMatchObject({ code: 2, stdout: '' });
  const lines = result.stderr.split('\n');
  expect(lines.length, result.stderr).toBe(2);
  expect(lines[0], call.join(' ')).toMatch(new RegExp(`^mpcp-embedded ${command.name}: .{10}`));
  expect(result.stderr).not.toMatch(/^\s+at |unexpected|undefined|\[object/m);
  const asJson = await run(...call, '--json');
  expect(asJson).toMatchObject({ code: 2, stderr: result.stderr });
  expect(Object.keys(JSON.parse(asJson.stdout))).toEqual(['error']);
  expect(contents()).toBe(before);
  return lines[0] as string;
}

describe.each(COMMANDS)('$name', (command) => {
  it('refuses an option it does not have', async () => {
    expect(await refused(command, [...command.good, '--bogus'])).toContain("'--bogus'");
  });

  it('refuses an argument too many', async () => {
    if (command.name === 'jwks' || command.name === 'verify header') return;
    expect(await refused(command, ['one', 'two', ...command.good])).toContain('too many arguments');
  });

  it('refuses an option without its value', async () => {
    const option = command.badValues?.[0]?.[0] ?? command.outputs?.[0];
    if (option === undefined) return;
    const result = await run(...words(command, [...without(command.good, option), option]));
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(`option '${option}`);
    expect(contents()).toBe(before);
  });

  it.each((command.needed ?? []).map((option) => [option]))('refuses a call without %s', async (option) => {
    expect(await refused(command, without(command.good, option))).toMatch(
      /missing|needed|not specified|not said|needs/,
    );
  });

  it.each((command.badValues ?? []).map(([option, value]) => [option, value]))(
    'refuses %s %j',
    async (option, value) => {
      expect((await refused(command, replaced(command.good, option, value))).length).toBeGreaterThan(30);
    },
  );

  it.each(command.json.map((place) => [place]))(
    'refuses files at %s that are not there, not readable or not a JSON object',
    async (place) => {
      for (const [name, why] of [
        ['nowhere.json', 'no such file'],
        ['folder', 'it is a folder'],
        ['truncated.json', 'line 1, column'],
        ['not-utf8', 'not UTF-8'],
        ['bom.json', 'byte-order mark'],
        ['twice.json', 'appears twice'],
        ['list.json', 'a JSON object is needed, this is a list'],
        ['text.json', 'a JSON object is needed, this is a string'],
        ['empty', 'the text ends'],
      ] as const) {
        const line = await refused(command, replaced(command.good, place, `@${name}`));
        expect(line).toContain(bench.path(name));
        expect(line).toContain(why);
      }
    },
  );

  it.each((command.privateKeys ?? []).map((place) => [place]))(
    'refuses files at %s that are no private Ed25519 key',
    async (place) => {
      for (const [name, why] of [
        ['nowhere.jwk', 'no such file'],
        ['folder', 'it is a folder'],
        ['pa.pub.jwk', 'public key'],
        ['ec.pem', 'not Ed25519'],
        ['ec.jwk', 'not Ed25519'],
        ['ec.pub.pem', 'public key'],
        ['key-set.json', 'key set'],
        ['torn.jwk', 'not 32 bytes'],
        ['mixed.jwk', 'does not belong'],
        ['truncated.json', 'not JSON'],
        ['garbage.txt', 'not a private key'],
        ['not-utf8', 'not UTF-8'],
        ['empty', 'not a private key'],
      ] as const) {
        const line = await refused(command, replaced(command.good, place, `@${name}`));
        expect(line).toContain(bench.path(name));
        expect(line).toContain(why);
      }
    },
  );

  it.each((command.publicKeys ?? []).map((place) => [place]))(
    'refuses files at %s that are no Ed25519 key',
    async (place) => {
      for (const [name, why] of [
        ['nowhere.jwk', 'no such file'],
        ['folder', 'it is a folder'],
        ['ec.pub.pem', 'not Ed25519'],
        ['ec.pub.jwk', 'not Ed25519'],
        ['truncated.json', 'not JSON'],
        ['twice.json', 'appears twice'],
        ['garbage.txt', 'neither a JWK'],
        ['not-utf8', 'not UTF-8'],
      ] as const) {
        const line = await refused(command, replaced(command.good, place, `@${name}`));
        expect(line).toContain(bench.path(name));
        expect(line).toContain(why);
      }
    },
  );

  it.each((command.outputs ?? []).map((place) => [place]))(
    'refuses a path at %s that cannot be written',
    async (place) => {
      for (const [path, why] of [
        ['@missing/new.json', 'no such file or folder'],
        ['@folder', 'it is a folder'],
        ['@policy.json/new.json', 'not a folder'],
        ['', 'no name'],
      ] as const) {
        expect(await refused(command, replaced(command.good, place, path))).toContain(why);
      }
    },
  );

  it.each((command.images ?? []).map((place) => [place]))(
    'refuses files at %s that are not there, not readable or no provisioning image',
    async (place) => {
      for (const [name, why] of [
        ['nowhere.img', 'no such file'],
        ['empty', '0 bytes are no provisioning image'],
        ['half.img', '8192 bytes are no provisioning image'],
        ['garbage.txt', 'bytes are no provisioning image'],
        ['huge', 'more than 16777216 bytes'],
        ['zeros.img', 'neither slot of the partition has an image'],
        ['blank.img', 'neither slot of the partition has an image'],
        ['torn.img', 'is not as it was written'],
      ] as const) {
        const line = await refused(command, replaced(command.good, place, `@${name}`));
        expect(line).toContain(bench.path(name));
        expect(line).toContain(why);
      }
    },
  );

  it.each((command.texts ?? []).map((place) => [place]))(
    'refuses files at %s that are not there, not readable or no such text',
    async (place) => {
      for (const [name, why] of [
        ['nowhere.csv', 'no such file'],
        ['folder', 'it is a folder'],
        ['not-utf8', 'not UTF-8'],
        ['huge', 'more than 16777216 bytes'],
        ['row.csv', 'line 1'],
        ['empty', ''],
      ] as const) {
        const line = await refused(command, replaced(command.good, place, `@${name}`));
        expect(line).toContain(bench.path(name));
        expect(line).toContain(why);
      }
    },
  );

  it.each((command.folders ?? []).map((place) => [place]))(
    'refuses a folder at %s that cannot be made',
    async (place) => {
      for (const [path, why] of [
        ['@missing/images', 'no such file or folder'],
        ['@images', 'it is not empty'],
        ['@policy.json', 'not a folder'],
        ['@policy.json/images', 'not a folder'],
        ['', ''],
      ] as const) {
        expect(await refused(command, replaced(command.good, place, path))).toContain(why);
      }
    },
  );

  it('works when its input is good', async () => {
    const written = new Set(readdirSync(bench.folder));
    const { code } = await run(...words(command, command.good));
    expect(command.exits ?? [0]).toContain(code);
    const { rmSync } = await import('node:fs');
    for (const name of readdirSync(bench.folder)) if (!written.has(name)) rmSync(bench.path(name), { recursive: true });
  });
});

describe('a number', () => {
  const NUMBERS: readonly (readonly [name: string, option: string])[] = [
    ['bench', '--rounds'],
    ['sba issue', '--minor-unit'],
    ['fleet-policy issue', '--minor-unit'],
  ];
  it.each(
    NUMBERS.flatMap(([name, option]) =>
      ['0x10', '1e3', ' 5', '5.0', '+5', '-5', '', '٣', '007', 'Infinity', '10001'].map(
        (value) => [name, option, value] as const,
      ),
    ),
  )('%s %s is decimal digits only, within its bounds: not %j', async (name, option, value) => {
    const result = await run(...name.split(' '), option, value);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(/argument '.*' is invalid\. It is not a whole number from \d+ to \d+\./);
  });

  it.each([
    ['--velocity', '007/1h'],
    ['--velocity', '0x5/1h'],
    ['--velocity', '5/0x10'],
    ['--velocity', '5/1e3'],
    ['--asset', 'ERC20:0x1:0x0000000000000000000000000000000000000000'],
    ['--asset', 'ERC20:1e3:0x0000000000000000000000000000000000000000'],
    ['--valid', '0x10s'],
    ['--valid', '1e3s'],
  ])('grant issue %s is decimal digits only: not %j', async (option, value) => {
    const result = await run('grant', 'issue', option, value);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(`argument '${value}' is invalid.`);
  });

  it('has bounds that are themselves taken', () => {
    const rounds = wholeNumber(1, 10_000);
    expect([rounds('1'), rounds('10000')]).toEqual([1, 10_000]);
    expect(() => rounds('0')).toThrow('not a whole number from 1 to 10000');
  });
});

describe('the program', () => {
  it.each([
    [['grnat'], "unknown command 'grnat'"],
    [['grant', 'isue'], "unknown command 'isue'"],
    [['help', 'grnat'], "unknown command 'grnat'"],
    [['grant', 'help', 'isue'], "unknown command 'isue'"],
    [['verify', 'everything'], "unknown command 'everything'"],
    [['bundle'], 'one of its commands is needed: create, sign, verify, inspect, samples'],
    [['--bogus'], "unknown option '--bogus'"],
  ])('answers %j in one line', async (args, why) => {
    const result = await run(...args);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr.split('\n')).toHaveLength(2);
    expect(result.stderr).toContain(why);
  });

  it('shows what it can do when it is called with nothing', async () => {
    const result = await run();
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain('Usage: mpcp-embedded');
  });

  it('takes control characters of a file name out of its message', async () => {
    const result = await run('policy', 'hash', 'no\nsuch\u001b[31m file');
    expect(result.stderr).toBe(
      'mpcp-embedded policy hash: policy: cannot read no such [31m file: no such file or folder\n',
    );
  });

  it('does not write an artifact over a private key', async () => {
    const result = await run('jwks', bench.path('pa.pub.jwk'), '--out', bench.path('pa.jwk'));
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain('it holds a private key');
    expect(contents()).toBe(before);
  });
});

describe('--help', () => {
  it.each(COMMANDS.map((command) => [command.name]))('of %s describes it and gives an example', async (name) => {
    const { code, stdout, stderr } = await run(...name.split(' '), '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: mpcp-embedded ${name} `));
    expect(stdout).toContain('Example: ');
    expect(stdout).toContain('--json');
  });
});
