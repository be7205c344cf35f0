// `grant`, `sba`, `spa`, `intent`, `fleet-policy`, `policy`, `present`: what is issued is accepted by the verifier.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADDRESS, type Bench, DAMAGED_ADDRESS, GATEWAY, IOU_ISSUER, NOW, paymentBench, run } from '../run.ts';

let bench: Bench;
let at: (name: string) => string;
let trust: string[];

beforeAll(async () => {
  bench = await paymentBench();
  at = (name) => bench.path(name);
  trust = ['--bundle', at('bundle.json'), '--config', at('site.json'), '--now', NOW];
});
afterAll(() => bench.remove());

/** Words of a grant that the bench's verifier accepts. */
const GRANT = [
  'grant',
  'issue',
  '--issuer',
  'pa.example',
  '--policy-hash',
  'abcdef012345',
  '--rail',
  'xrpl',
  '--valid',
  '7d',
  '--now',
  NOW,
];

describe('grant issue', () => {
  it.each([['flat'], ['envelope']])('makes a grant, %s, that the verifier accepts', async (form) => {
    await bench.ok(
      ...GRANT,
      '--key',
      at('pa.jwk'),
      ...(form === 'envelope' ? ['--envelope'] : []),
      '--out',
      at(`${form}.json`),
    );
    expect(Object.keys(bench.json(`${form}.json`))).toContain(form === 'envelope' ? 'grant' : 'grantId');
    expect(await run('verify', 'grant', at(`${form}.json`), ...trust)).toMatchObject({ code: 0, stdout: 'accepted\n' });
  });

  it.each([['flat'], ['envelope']])('makes a grant, %s, that is refused once a member was changed', async (form) => {
    const words = [
      ...GRANT,
      '--key',
      at('pa.jwk'),
      '--budget-minor',
      '20000',
      ...(form === 'envelope' ? ['--envelope'] : []),
    ];
    const { stdout } = await bench.ok(...words);
    bench.write('tampered.json', stdout.replace('20000', '90000'));
    const result = await run('verify', 'grant', at('tampered.json'), ...trust);
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/^refused POLICY_GRANT_SIGNATURE_INVALID policyGrant policyGrant\.signature: /);
  });

  it('has an option for every member', async () => {
    const { stdout } = await bench.ok(
      ...GRANT,
      ...[
        '--key',
        at('pa.jwk'),
        '--grant-id',
        'g-1',
        '--subject-id',
        `did:xrpl:mainnet:${ADDRESS}`,
        '--operator-id',
        'volt',
        '--scope',
        'TRIP',
      ],
      ...[
        '--asset',
        `IOU:RLUSD:${IOU_ISSUER}`,
        '--asset',
        '{"kind":"XRP"}',
        '--purpose',
        'transport:charging',
        '--destination',
        ADDRESS,
      ],
      ...[
        '--budget-minor',
        '20000',
        '--budget-currency',
        'XRP',
        '--budget-escrow-ref',
        'xrpl:escrow:x:1',
        '--max-per-tx',
        '5000',
      ],
      ...[
        '--max-per-session',
        '6000',
        '--max-per-day',
        '7000',
        '--offline-max-single',
        '4000',
        '--offline-max-single-currency',
        'XRP',
      ],
      ...['--offline-max-cumulative', '8000', '--offline-max-cumulative-currency', 'XRP', '--velocity', '10/1h'],
      ...['--authorized-gateway', GATEWAY, '--gateway-credential-issuer', GATEWAY, '--gateway-credential-type', '6d'],
      ...[
        '--merchant-credential-issuer',
        GATEWAY,
        '--merchant-credential-type',
        '6d',
        '--subject-credential-issuer',
        GATEWAY,
      ],
      ...[
        '--subject-credential-type',
        '6d',
        '--active-grant-credential-issuer',
        GATEWAY,
        '--anchor-ref',
        'hcs:0.0.1:2',
      ],
      ...['--revocation-endpoint', 'https://pa.example/revoke', '--require-approval', '--reason', 'within limits'],
    );
    const { signature: _, expiresAt, ...members } = JSON.parse(stdout);
    expect(expiresAt).toBe('2026-03-08T12:00:00Z');
    expect(members).toEqual({
      version: '1.0',
      grantId: 'g-1',
      policyHash: 'abcdef012345',
      subjectId: `did:xrpl:mainnet:${ADDRESS}`,
      operatorId: 'volt',
      scope: 'TRIP',
      allowedRails: ['xrpl'],
      allowedAssets: [{ kind: 'IOU', currency: 'RLUSD', issuer: IOU_ISSUER }, { kind: 'XRP' }],
      allowedPurposes: ['transport:charging'],
      destinationAllowlist: [ADDRESS],
      budgetMinor: '20000',
      budgetCurrency: 'XRP',
      budgetEscrowRef: 'xrpl:escrow:x:1',
      maxSpend: { perTxMinor: '5000', perSessionMinor: '6000', perDayMinor: '7000' },
      offlineMaxSinglePayment: '4000',
      offlineMaxSinglePaymentCurrency: 'XRP',
      offlineMaxCumulativePayment: '8000',
      offlineMaxCumulativePaymentCurrency: 'XRP',
      velocityLimit: { maxPayments: 10, windowSeconds: 3600 },
      authorizedGateway: GATEWAY,
      gatewayCredentialIssuer: GATEWAY,
      gatewayCredentialType: '6d',
      merchantCredentialIssuer: GATEWAY,
      merchantCredentialType: '6d',
      subjectCredentialIssuer: GATEWAY,
      subjectCredentialType: '6d',
      activeGrantCredentialIssuer: GATEWAY,
      revocationEndpoint: 'https://pa.example/revoke',
      anchorRef: 'hcs:0.0.1:2',
      requireApproval: true,
      reasons: ['within limits'],
      issuer: 'pa.example',
      issuerKeyId: 'pa-1',
    });
  });

  it('takes members from a file, and what options say over them', async () => {
    bench.write('members.json', {
      grantId: 'from-file',
      policyHash: 'abcdef012345',
      allowedRails: ['xrpl'],
      maxSpend: { perTxMinor: '1', perDayMinor: '9' },
    });
    const { stdout } = await bench.ok(
      ...[
        'grant',
        'issue',
        '--key',
        at('pa.jwk'),
        '--from',
        at('members.json'),
        '--grant-id',
        'from-option',
        '--max-per-tx',
        '2',
        '--valid',
        '1d',
        '--now',
        NOW,
      ],
    );
    expect(JSON.parse(stdout)).toMatchObject({
      grantId: 'from-option',
      maxSpend: { perTxMinor: '2', perDayMinor: '9' },
      allowedRails: ['xrpl'],
    });
  });

  it('says which option or file a bad member is from', async () => {
    bench.write('bad.json', { policyHash: 'abcdef012345', allowedRails: ['sepa'] });
    const words = ['grant', 'issue', '--key', at('pa.jwk'), '--valid', '1d', '--from', at('bad.json')];
    expect((await run(...words)).stderr).toBe(
      `mpcp-embedded grant issue: --from ${at('bad.json')}: grant: allowedRails[0]: expected one of "xrpl"|"evm"|"stripe"|"hosted"\n`,
    );
    expect((await run(...words, '--rail', 'xrpl', '--destination', DAMAGED_ADDRESS)).stderr).toMatch(
      /^mpcp-embedded grant issue: --destination: grant: destinationAllowlist\[0\]: \S+ is not an XRPL classic address: its checksum is wrong \(--unchecked-addresses takes any\)\n$/,
    );
    expect(
      (await run('grant', 'issue', '--key', at('pa.jwk'), '--rail', 'xrpl', '--policy-hash', 'abcdef012345')).stderr,
    ).toContain('expiresAt is missing (--expires-at)');
  });

  it('notes on stderr what a verifier will make of a grant without issuer, and of members that the reference does not hash', async () => {
    const words = [
      'grant',
      'issue',
      '--key',
      at('pa.jwk'),
      '--policy-hash',
      'abcdef012345',
      '--rail',
      'xrpl',
      '--valid',
      '1d',
      '--envelope',
      '--scope',
      'TRIP',
    ];
    const { stdout, stderr } = await bench.ok(...words);
    expect(stderr.split('\n').filter((line) => line.startsWith('note: '))).toHaveLength(2);
    expect(JSON.parse(stdout).grant.scope).toBe('TRIP');
  });

  it('puts one JSON document on stdout with --json, with and without --out', async () => {
    const words = [...GRANT, '--key', at('pa.jwk'), '--grant-id', 'g-2', '--json'];
    expect(JSON.parse((await bench.ok(...words)).stdout)).toMatchObject({ grantId: 'g-2' });
    expect(JSON.parse((await bench.ok(...words, '--out', at('g2.json'))).stdout)).toEqual({
      written: at('g2.json'),
      artifact: 'policyGrant',
      grantId: 'g-2',
      expiresAt: '2026-03-08T12:00:00Z',
      issuerKeyId: 'pa-1',
    });
  });
});

describe('sba issue', () => {
  it('takes over from the grant what is not given', async () => {
    const { authorization } = bench.json('sba.json');
    const grant = bench.json('grant.json');
    expect(authorization).toMatchObject({
      version: '1.0',
      grantId: grant.grantId,
      policyHash: grant.policyHash,
      allowedRails: ['xrpl'],
      allowedAssets: [{ kind: 'XRP' }],
      destinationAllowlist: [ADDRESS],
      minorUnit: 2,
      budgetScope: 'SESSION',
      expiresAt: '2026-03-01T16:00:00Z',
    });
  });

  it('does not take a bundle for a grant', async () => {
    const result = await run('sba', 'issue', '--key', at('wallet.jwk'), '--grant', at('bundle.json'));
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(`--grant: ${at('bundle.json')}: not a grant: `);
  });
});

describe('spa issue and intent', () => {
  it('bind the intent by its hash', async () => {
    const hash = (await bench.ok('intent', 'hash', at('intent.json'))).stdout.trim();
    expect(bench.json('spa.json').authorization).toMatchObject({
      intentHash: hash,
      amount: '1800',
      destination: ADDRESS,
      asset: { kind: 'XRP' },
      rail: 'xrpl',
    });
    expect(bench.json('spa.json')).not.toHaveProperty('issuer');
    expect(JSON.parse((await bench.ok('intent', 'hash', at('intent.json'), '--json')).stdout)).toEqual({
      intentHash: hash,
    });
  });

  it('hash the same whatever is not hashed', async () => {
    bench.write('later.json', { ...bench.json('intent.json'), createdAt: '2026-04-01T00:00:00Z' });
    expect((await bench.ok('intent', 'hash', at('later.json'))).stdout).toBe(
      (await bench.ok('intent', 'hash', at('intent.json'))).stdout,
    );
  });
});

describe('policy hash', () => {
  it('is prefixed, and does not depend on the order of members or on nulls', async () => {
    bench.write('one.json', '{"b": 1, "a": [1.0, null], "c": null}');
    bench.write('two.json', '{"a":[1,null],"b":1}');
    const one = (await bench.ok('policy', 'hash', at('one.json'))).stdout;
    expect(one).toMatch(/^[0-9a-f]{64}\n$/);
    expect((await bench.ok('policy', 'hash', at('two.json'))).stdout).toBe(one);
    expect(JSON.parse((await bench.ok('policy', 'hash', at('two.json'), '--json')).stdout)).toEqual({
      policyHash: one.trim(),
    });
  });
});

describe('present', () => {
  const artifacts = () => [
    '--grant',
    at('grant.json'),
    '--sba',
    at('sba.json'),
    '--spa',
    at('spa.json'),
    '--intent',
    at('intent.json'),
    '--fpa',
    at('fpa.json'),
  ];

  it('makes a body and a header that the verifier accepts', async () => {
    await bench.ok('present', ...artifacts(), '--idempotency-key', 'k-1', '--out', at('presentation.json'));
    expect(Object.keys(bench.json('presentation.json'))).toEqual([
      'grant',
      'sba',
      'spa',
      'settlementIntent',
      'fleetPolicyAuthorization',
      'idempotencyKey',
    ]);
    expect(
      await run('verify', 'chain', '--presentation', at('presentation.json'), '--amount', '1800', ...trust),
    ).toMatchObject({ stdout: 'accepted\n' });
    const header = (await bench.ok('present', ...artifacts(), '--header')).stdout.trim();
    expect(header).toMatch(/^Authorization: MPCP [A-Za-z0-9+/]+=*$/);
    expect(await run('verify', 'header', header, '--amount', '1800', ...trust)).toMatchObject({ stdout: 'accepted\n' });
    expect(JSON.parse((await bench.ok('present', ...artifacts(), '--header', '--json')).stdout)).toEqual({ header });
  });

  it('refuses a header of more than 8192 characters', async () => {
    const long = JSON.parse(readFileSync(at('sba.json'), 'utf8'));
    for (let i = 0; i < 5; i++) long[`note${i}`] = '.'.repeat(1000);
    long.note = '.'.repeat(6144 - JSON.stringify({ ...long, note: '' }).length);
    bench.write('long.json', long);
    const given = ['--sba', at('long.json'), '--idempotency-key', 'one payment', '--header', '--out', at('header.txt')];
    const result = await run('present', ...given);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain('8192 are allowed');
  });

  it.each([
    ['grant', 'grantId is missing'],
    ['sba', 'authorization is not an object'],
    ['spa', 'authorization is not an object'],
    ['intent', 'rail is missing'],
    ['fpa', 'authorization is not an object'],
  ])('names the file of what is no %s', async (option, why) => {
    bench.write('obj.json', {});
    const given = artifacts();
    given[given.indexOf(`--${option}`) + 1] = at('obj.json');
    const { code, stdout, stderr } = await run('present', ...given);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`mpcp-embedded present: --${option}: ${at('obj.json')}: `);
    expect(stderr).toContain(why);
  });

  it('names the file of what is past a limit', async () => {
    bench.write('long.json', { ...bench.json('grant.json'), operatorId: 'o'.repeat(2000) });
    const { stderr } = await run('present', '--sba', at('sba.json'), '--grant', at('long.json'));
    expect(stderr).toContain(`--grant: ${at('long.json')}: `);
    expect(stderr).toContain('of more than 1024 bytes');
  });
});
