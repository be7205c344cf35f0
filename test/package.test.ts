// What `npm pack` puts into the package: no private key, whatever lies about in the folders it packs from, and a command
// line and a wallet that run without any other package.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signGrant } from '../host-sim/signing/artifacts.ts';
import { generateKey, privateJwk, privatePem } from '../host-sim/signing/keys.ts';
import { isBuilt } from './fixtures/built.ts';
import { SMALL } from './tools/scenario/bench.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = isBuilt('the package, unpacked where nothing is installed');

/** The private member of a JWK, quotes escaped where the JSON stands in a string of other JSON; and PEM, which code may name. */
const PRIVATE = [/\\?"d\\?"\s*:\s*\\?"/, /-----BEGIN [A-Z ]*PRIVATE KEY/];

function holdsPrivateKey(text: string): boolean {
  return PRIVATE.some((pattern) => pattern.test(text));
}

/** Without scripts: `prepare` would build dist/ anew under the tests that run it. */
function pack(...words: readonly string[]): { readonly filename: string; readonly files: { readonly path: string }[] } {
  const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
  const out = execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...words], {
    cwd: root,
    encoding: 'utf8',
    stdio,
  });
  return JSON.parse(out)[0];
}

describe('the package', () => {
  let paths: readonly string[];
  beforeAll(() => {
    paths = pack('--dry-run').files.map((file) => file.path);
  });

  it('is looked through for private keys as JWK, as JSON in a source map, and as PEM', () => {
    const key = generateKey('k-1');
    const jwk = JSON.stringify(privateJwk(key), null, 2);
    for (const text of [
      jwk,
      JSON.stringify(privateJwk(key)),
      JSON.stringify({ sourcesContent: [jwk] }),
      privatePem(key),
    ])
      expect(holdsPrivateKey(text)).toBe(true);
  });

  it('holds no private key', () => {
    expect(paths).toContain('package.json');
    const found = paths.filter((path) => holdsPrivateKey(readFileSync(join(root, path), 'utf8')));
    expect(found).toEqual([]);
  });

  it('takes from dist/ what the build makes, and nothing else', () => {
    const known = /^dist\/([\w-]+\.js(\.map)?|[\w-]+\.wasm|licences\.txt|types\/.+\.d\.ts)$/;
    expect(paths.filter((path) => path.startsWith('dist/') && !known.test(path))).toEqual([]);
  });

  it('takes no signed development bundle', () => {
    expect(paths.filter((path) => path.startsWith('bundles/signed'))).toEqual([]);
  });

  it('needs no other package', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const name of ['dependencies', 'optionalDependencies', 'peerDependencies'])
      expect(manifest[name] ?? {}, name).toEqual({});
  });
});

describe.skipIf(!built)('the package, unpacked where nothing is installed', () => {
  let folder: string;
  const node = (...words: readonly string[]) =>
    execFileSync(process.execPath, words, { cwd: join(folder, 'package'), encoding: 'utf8' });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mpcp-package-'));
    execFileSync('tar', ['-xzf', join(folder, pack('--pack-destination', folder).filename), '-C', folder]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('runs the command line, HTTP server included', () => {
    const bin = 'tools/bin/mpcp-embedded.mjs';
    expect(node(bin, 'verify', '--help')).toContain('verdict');
    expect(node(bin, 'demo')).toMatch(/\n(\d+) of \1 steps as expected\n$/);
  });

  it('draws the charts of a report, whose library is in a file of its own', () => {
    const scenario = join(folder, 'scenario.yaml');
    writeFileSync(scenario, SMALL);
    node('tools/bin/mpcp-embedded.mjs', 'sim', 'run', scenario, '--report', join(folder, 'report.html'));
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('</svg>');
  });

  it('runs SQLite, whose engine is a file of its own', () => {
    const env = { ...process.env, MPCP_ISSUER_DOMAIN: 'pa.example' };
    const MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM = privatePem(generateKey('pa'));
    const { stderr } = spawnSync(
      process.execPath,
      ['tools/bin/mpcp-embedded.mjs', 'pa', 'serve', '--file', 'package.json'],
      {
        cwd: join(folder, 'package'),
        env: { ...env, MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM },
        encoding: 'utf8',
      },
    );
    expect(stderr).toContain('package.json is not a database');
  });

  it('brings the licences of what the command line carries', () => {
    const licences = readFileSync(join(folder, 'package/dist/licences.txt'), 'utf8');
    for (const name of ['commander', 'fastify', 'zod', 'node-sqlite3-wasm', 'echarts', 'zrender'])
      expect(licences).toContain(`== ${name} `);
  });

  describe('offers a wallet', () => {
    const printed =
      /```ts wallet\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/SIMULATOR.md'), 'utf8'))?.[1] ?? '';

    it('whose program in SIMULATOR runs as printed, and goes on after a restart where it was', () => {
      const terms = {
        grantId: 'g',
        policyHash: 'a'.repeat(64),
        allowedRails: ['xrpl'],
        expiresAt: '2099-01-01T00:00:00Z',
      };
      const signedGrant = signGrant(terms, { key: generateKey('pa'), issuer: 'pa.example' }, 'envelope');
      // An import comes before everything, wherever it stands.
      const program = `const signedGrant = ${JSON.stringify(signedGrant)};
        process.env.AGENT_SIGNING_PRIVATE_KEY_PEM = ${JSON.stringify(privatePem(generateKey('agent')))};
        const done = (sba, spa) => process.stdout.write(sba.authorization.maxAmountMinor + ' ' + spa.authorization.amount);
        const tell = (what) => { throw new Error(what); };
        ${printed}
        console.log(' ' + remainingMinor);`;
      writeFileSync(join(folder, 'package/wallet-program.mjs'), program);
      expect([node('wallet-program.mjs'), node('wallet-program.mjs')]).toEqual([
        '2500 2400 77500\n',
        '2500 2400 75000\n',
      ]);
    });

    it('whose types are whole without any other package, and fit that program', () => {
      const program = `declare const signedGrant: { readonly [member: string]: string };
        declare const process: { readonly env: { readonly AGENT_SIGNING_PRIVATE_KEY_PEM: string } };
        declare function done(...signed: object[]): void;
        declare function tell(what: string | undefined): void;
        ${printed}
        export const left: string = remainingMinor;`;
      writeFileSync(join(folder, 'package/wallet-program.mts'), program);
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', ''];
      expect(node(tsc, ...options, 'wallet-program.mts')).toBe('');
    });
  });

  it('offers the core and the guide', () => {
    const code = "await import('mpcp-embedded/guide'); console.log(typeof (await import('mpcp-embedded')).Verifier)";
    expect(node('--input-type=module', '-e', code)).toBe('function\n');
  });
});
