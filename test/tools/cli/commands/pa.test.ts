// `pa serve` as a process: what it answered is there after a kill -9 and a restart from its file, whoever calls the published
// service can call it, and what keeps it from starting is told in one line.

import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../../core/json/value.ts';
import { receiptDocument } from '../../../../core/ledger/receipt-document.ts';
import { generateKey, privatePem, publicJwk } from '../../../../host-sim/signing/keys.ts';
import { Database } from '../../../../host-sim/sqlite/database.ts';
import { append, opened, payment, unsent } from '../../../core/ledger/journal-entries.ts';
import { MemoryFlash } from '../../../fixtures/memory-flash.ts';
import { Program } from '../program.ts';
import { Bench, run } from '../run.ts';

const bench = new Bench();
const program = new Program();
afterAll(() => {
  program.remove();
  bench.remove();
});

const key = generateKey('pa-key-1');
const ADMIN_KEY = 'the administrator of the test';
const ENVIRONMENT = {
  MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM: privatePem(key),
  MPCP_POLICY_GRANT_SIGNING_KEY_ID: 'pa-key-1',
  MPCP_ISSUER_DOMAIN: 'pa.example',
  MPCP_ADMIN_KEY: ADMIN_KEY.replaceAll(' ', '-'),
};
const EXPIRES = '2099-01-01T00:00:00Z';
const GRANT = { allowedRails: ['xrpl'], expiresAt: EXPIRES, budgetMinor: '5000000', budgetCurrency: 'XRP' };
const BUNDLE = {
  bundleId: 'named-by-the-caller',
  category: 'ev-charging',
  approvedIssuers: ['pa.example'],
  issuers: [{ issuer: 'pa.example', keys: [publicJwk(key)] }],
  expiresAt: EXPIRES,
};

function receiptDocuments(): readonly JsonObject[] {
  const journal = opened(new MemoryFlash());
  append(journal, payment(1), payment(2));
  return unsent(journal).map((receipt) => receiptDocument(receipt));
}

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

/** A service under test. */
class Service {
  readonly process: ChildProcess;
  stderr = '';
  authority = '';
  operator = '';
  /** Where it has made one. */
  adminKey = '';

  constructor(environment: NodeJS.ProcessEnv, words: readonly string[]) {
    const all = ['pa', 'serve', '--port', '0', '--operator-port', '0', '--json', ...words];
    this.process = program.start(all, bench.folder, environment);
    this.process.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
  }

  static async start(words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Service> {
    const service = new Service({ ...ENVIRONMENT, ...environment }, words);
    let text = '';
    for await (const chunk of service.process.stdout as AsyncIterable<Buffer>) {
      text += chunk;
      if (text.endsWith('}\n')) break;
    }
    if (text === '') throw new Error(service.stderr);
    Object.assign(service, JSON.parse(text));
    return service;
  }

  async call(method: string, path: string, body?: object, apiKey = ENVIRONMENT.MPCP_ADMIN_KEY): Promise<Answer> {
    const url = new URL(path, path.startsWith('/v1') ? this.operator : this.authority);
    const headers = { authorization: `Bearer ${apiKey}`, ...(body && { 'content-type': 'application/json' }) };
    const response = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return { status: response.status, body: (await response.json()) as JsonObject };
  }

  /** Ends it. @returns its exit code, or the signal */
  async end(signal: NodeJS.Signals): Promise<number | string | null> {
    const gone = once(this.process, 'exit');
    this.process.kill(signal);
    const [code, by] = await gone;
    return code ?? by;
  }
}

describe('pa serve', () => {
  it('holds after a kill -9 all that it had answered: policies, grants, revocations, keys, bundles, receipts', async () => {
    const words = ['--file', bench.path('kept.db')];
    const first = await Service.start(words);
    const { policyHash } = (await first.call('POST', '/policies', { policyDocument: { name: 'x' } })).body;
    // As a client of the published service does it.
    const made = await first.call('POST', '/admin/keys', { scopes: ['grants:write', 'grants:revoke'] });
    expect(made).toMatchObject({ status: 201, body: { key: expect.stringMatching(/^mpcp_/) } });
    const apiKey = String(made.body.key);
    const [kept, revoked] = await Promise.all(
      [1, 2].map(async () => (await first.call('POST', '/grants', { ...GRANT, policyHash }, apiKey)).body),
    );
    const idOf = (envelope: JsonObject = {}) => String((envelope.grant as JsonObject).grantId);
    const bundle = await first.call('POST', '/trust-bundles', BUNDLE);
    expect(bundle).toMatchObject({ status: 201, body: { bundleId: 'named-by-the-caller', bundleKeyId: 'pa-key-1' } });
    const device = (await first.call('POST', '/v1/devices/charger-1/keys')).body;
    const state = {
      format: 1,
      state: 'serving',
      reasons: [],
      bundles: [{ id: 'b', ageSeconds: 5, expiresInSeconds: 9 }],
    };
    expect((await first.call('POST', '/v1/devices/charger-1/state', state, String(device.key))).status).toBe(200);
    const receipts = receiptDocuments();
    const handIn = () =>
      ['POST', '/v1/devices/charger-1/receipts', { format: 1, receipts }, String(device.key)] as const;
    expect(await first.call(...handIn())).toEqual({ status: 200, body: { acknowledged: 2, added: 2 } });
    expect(await first.call('POST', '/revoke', { grantId: idOf(revoked) }, apiKey)).toMatchObject({ status: 200 });
    expect(await first.end('SIGKILL')).toBe('SIGKILL');

    const second = await Service.start(words);
    const answers = await Promise.all([
      second.call('GET', `/revoke?grantId=${idOf(revoked)}`),
      second.call('GET', `/revoke?grantId=${idOf(kept)}`),
      second.call('GET', `/grants/${idOf(kept)}`),
      second.call('GET', '/trust-bundles?category=ev-charging'),
      second.call('POST', '/grants', { ...GRANT, policyHash }, apiKey),
      second.call('GET', '/v1/devices'),
    ]);
    expect(answers).toMatchObject([
      { body: { revoked: true, revokedAt: expect.any(String) } },
      { body: { revoked: false } },
      { body: { grant: kept, status: 'active' } },
      { body: { bundles: [bundle.body] } },
      { status: 201 },
      { body: { devices: [{ deviceId: 'charger-1', state: 'serving', bundles: [{ id: 'b' }] }] } },
    ]);
    expect(await second.call(...handIn())).toEqual({ status: 200, body: { acknowledged: 2, added: 0 } });
    expect(await second.end('SIGTERM')).toBe(0);
  });

  it('says why it cannot answer, without --log too: a disk that is full', async () => {
    const service = await Service.start(['--file', bench.path('full.db')]);
    const { policyHash } = (await service.call('POST', '/policies', { policyDocument: {} })).body;
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(service.process.pid), `--fsize=${bytes}:`]);
    limit('1');
    expect(await service.call('POST', '/policies', { policyDocument: { name: 'x' } })).toMatchObject({
      status: 500,
      body: { error: 'internal_error' },
    });
    expect((await service.call('GET', '/revoke?grantId=x')).status).toBe(200);
    limit('unlimited');
    expect((await service.call('POST', '/grants', { ...GRANT, policyHash })).status).toBe(201);
    expect(await service.end('SIGTERM')).toBe(0);
    const [first, ...more] = service.stderr.trim().split('\n');
    expect(JSON.parse(first as string)).toMatchObject({
      event: 'authority.error',
      detail: expect.stringMatching(/disk/),
    });
    expect(more).toEqual([expect.stringContaining('SIGTERM')]);
  });

  it('takes keys back, and the administrator goes by the environment of each start', async () => {
    const words = ['--file', bench.path('keys.db')];
    const first = await Service.start(words);
    const { key: apiKey } = (await first.call('POST', '/admin/keys', { keyId: 'fleet', scopes: ['admin'] })).body;
    expect(await first.call('POST', '/admin/keys', { keyId: 'fleet', scopes: ['admin'] })).toMatchObject({
      status: 409,
    });
    expect(await first.call('POST', '/admin/keys', { scopes: ['everything'] })).toMatchObject({ status: 400 });
    await first.end('SIGINT');
    const second = await Service.start(words, { MPCP_ADMIN_KEY: 'another-administrator' });
    expect((await second.call('DELETE', '/admin/keys/fleet')).status).toBe(401);
    expect(await second.call('DELETE', '/admin/keys/fleet', undefined, String(apiKey))).toEqual({
      status: 200,
      body: { keyId: 'fleet', revoked: true },
    });
    expect((await second.call('DELETE', '/admin/keys/fleet', undefined, String(apiKey))).status).toBe(401);
    expect((await second.call('DELETE', '/admin/keys/fleet', undefined, 'another-administrator')).status).toBe(404);
    await second.end('SIGTERM');
  });

  it('without MPCP_ADMIN_KEY makes one for this run; grants name the place of MPCP_REVOCATION_BASE_URL', async () => {
    const service = await Service.start([], { MPCP_ADMIN_KEY: '', MPCP_REVOCATION_BASE_URL: 'https://pa.example/' });
    const { adminKey } = service;
    const { policyHash } = (await service.call('POST', '/policies', { policyDocument: {} }, adminKey)).body;
    const { body } = await service.call('POST', '/grants', { ...GRANT, policyHash }, adminKey);
    expect(body.grant).toMatchObject({ revocationEndpoint: 'https://pa.example/revoke' });
    await service.end('SIGTERM');
  });
});

describe('what keeps pa serve from starting', () => {
  beforeEach(() => {
    for (const [name, value] of Object.entries(ENVIRONMENT)) vi.stubEnv(name, value);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  const serve = (...words: readonly string[]) => run('pa', 'serve', '--port', '0', '--operator-port', '0', ...words);

  it.each<[string, Record<string, string>, RegExp]>([
    ['no key', { MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM: '' }, /PRIVATE_KEY_PEM is not set/],
    [
      'a PEM that is none',
      { MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM: 'x' },
      /PRIVATE_KEY_PEM: the text is not a private key/,
    ],
    ['no issuer', { MPCP_ISSUER_DOMAIN: ' ' }, /MPCP_ISSUER_DOMAIN is not set/],
    ['a short administrator key', { MPCP_ADMIN_KEY: 'short' }, /MPCP_ADMIN_KEY is not 16 visible characters/],
    [
      'a revocation address that is none',
      { MPCP_REVOCATION_BASE_URL: 'pa.example' },
      /MPCP_REVOCATION_BASE_URL is not an http/,
    ],
  ])('%s', async (_, variables, reason) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    const { code, stdout, stderr } = await serve();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(reason);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  const told = (reason: RegExp) => ({ code: 2, stdout: '', stderr: expect.stringMatching(reason) });

  it('a file that cannot be written, is no database, or is in use', async () => {
    mkdirSync(bench.path('folder'));
    writeFileSync(bench.path('text'), 'no database');
    const database = await Database.open(bench.path('used.db'));
    expect(await serve('--file', bench.path('nowhere/x.db'))).toMatchObject(
      told(/cannot write .*: no such file or folder\n/),
    );
    expect(await serve('--file', bench.path('folder'))).toMatchObject(told(/it is a folder\n/));
    expect(await serve('--file', bench.path('text'))).toMatchObject(told(/is not a database/));
    expect(await serve('--file', bench.path('used.db'))).toMatchObject(told(/in use by process \d+/));
    database.close();
  });

  it('a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { code, stderr } = await run('pa', 'serve', '--port', String(port), '--operator-port', '0');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `mpcp-embedded pa serve: --port: cannot listen on 127.0.0.1 port ${port}: it is taken\n`,
    });
    server.close();
  });
});
