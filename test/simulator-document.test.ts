// docs/SIMULATOR.md keeps its word: its commands run as printed, on other ports.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { signGrant } from '../host-sim/signing/artifacts.ts';
import { generateKey, privatePem } from '../host-sim/signing/keys.ts';
import { isBuilt } from './fixtures/built.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const document = readFileSync(join(root, 'docs/SIMULATOR.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'mpcp-simulator-'));
const built = isBuilt('the commands of docs/SIMULATOR.md');
afterAll(() => rmSync(folder, { recursive: true }));

function block(word: string, language = 'sh'): string {
  const found = new RegExp(`\`\`\`${language} ${word}\n([\\s\\S]*?)\`\`\``).exec(document)?.[1];
  if (found === undefined) throw new Error(`docs/SIMULATOR.md has no block "${word}"`);
  return found;
}

it.runIf(built)('sim run runs as printed, from the folder of the project', () => {
  const report = join(folder, 'clock-attack.html');
  const words = block('run').trim().replace('clock-attack.html', report).split(' ').slice(2);
  const out = execFileSync(process.execPath, [join(root, 'tools/bin/mpcp-embedded.mjs'), ...words], { cwd: root });
  expect(out.toString()).toMatch(/, seed 7\n/);
  expect(readFileSync(report, 'utf8')).toContain('seed 7, engine node');
});

it.runIf(built)('the scenario runs as printed, with nothing to be noted, and does what it expects', () => {
  writeFileSync(join(folder, 'first.yaml'), block('scenario', 'yaml'));
  const words = /first\.yaml`, `npx mpcp-embedded (.*?)`/.exec(document)?.[1]?.split(' ') ?? [];
  const program = [join(root, 'tools/bin/mpcp-embedded.mjs'), ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, program, { cwd: folder, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  const count = (what: string) => Number(new RegExp(`${what} +(\\d+)\n`).exec(stdout)?.[1]);
  expect(count('approved')).toBeGreaterThan(0);
  expect(count('of these at the operator')).toBe(count('approved'));
});

/** Runs the block that serves, on a free port, until the block that asks has its answer. */
async function asked(serving: string, asking: string, port: number): Promise<unknown> {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const program = `exec "${process.execPath}" "${join(root, 'tools/bin/mpcp-embedded.mjs')}" "$@"`;
  writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift\n${program}\n`);
  chmodSync(join(bin, 'npx'), 0o755);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const serve = block(serving)
    .replace(/^npx(?=.* serve)/m, 'exec npx')
    .replace(/port \d+/g, 'port 0');
  const server = spawn('sh', ['-e', '-c', serve], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let url: string | undefined;
  for await (const chunk of server.stdout) {
    url ??= /^(?:Policy Authority|Gateway): http:..(\S+)/m.exec(String(chunk))?.[1];
    if (url !== undefined) break;
  }
  const ask = block(asking).replaceAll(`localhost:${port}`, String(url));
  const [, name = '', key] = /(MPCP_\w+_KEY)=(\S+)/.exec(block(serving)) ?? [];
  const client = spawn('sh', ['-e', '-c', ask], { cwd: folder, env: { ...env, [name]: key } });
  let answer = '';
  for await (const chunk of client.stdout) answer += chunk;
  const gone = once(server, 'exit');
  server.kill('SIGTERM');
  expect(await gone).toEqual([0, null]);
  return JSON.parse(answer);
}

it.runIf(built)('sim fleet runs as printed, and its sites end with everything handed in', () => {
  const words = block('fleet').trim().split(' ').slice(2);
  const out = execFileSync(process.execPath, [join(root, 'tools/bin/mpcp-embedded.mjs'), ...words], { cwd: root });
  expect(out.toString()).toMatch(/, seed 7\n/);
  expect(out.toString()).toMatch(/of these at the operator +200\n/);
});

it.runIf(built)('pa serve serves, and the authority it starts issues a grant', async () => {
  expect(await asked('serve', 'grant', 3000)).toMatchObject({
    issuer: 'pa.example',
    issuerKeyId: 'pa-key-1',
    grant: { budgetMinor: '5000000' },
  });
});

it.runIf(built)('gateway serve serves, and opens a session', async () => {
  expect(await asked('gateway', 'session', 3002)).toEqual({
    sessionId: expect.any(String),
    sessionToken: expect.stringMatching(/^gw_sess_/),
    revocationUrl: expect.stringMatching(/^\/sessions\//),
  });
});

it('the wallet signs a budget and a payment under it', async () => {
  const [storage, key] = [join(folder, 'wallet.db'), generateKey('vehicle-sba-key-1')];
  const program = block('wallet', 'ts')
    .replace("from 'mpcp-embedded/wallet'", `from '${root}host-sim/wallet/wallet.ts'`)
    .replace('process.env.AGENT_SIGNING_PRIVATE_KEY_PEM', JSON.stringify(privatePem(key)))
    .replace("'wallet.db'", JSON.stringify(storage));
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const terms = { grantId: 'g', policyHash: 'a'.repeat(64), allowedRails: ['xrpl'], expiresAt };
  const grant = signGrant(terms, { key: generateKey('pa'), issuer: 'pa.example' }, 'envelope');
  const told: unknown[] = [];
  Object.assign(globalThis, {
    signedGrant: grant,
    done: (...signed: unknown[]) => told.push(...signed),
    tell: expect.fail,
  });
  const file = join(root, 'node_modules/.cache', `wallet-example-${process.pid}.ts`);
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  writeFileSync(file, `${program}\nexport const left = remainingMinor;\nstorage.close();\n`);
  try {
    expect(await import(file)).toMatchObject({ left: '77500' });
  } finally {
    rmSync(file);
  }
  expect(told).toMatchObject([
    { authorization: { maxAmountMinor: '2500', sessionId: 'shift-7' }, issuerKeyId: 'vehicle-sba-key-1' },
    { authorization: { amount: '2400' } },
    { amount: '2400', rail: 'xrpl' },
  ]);
});
