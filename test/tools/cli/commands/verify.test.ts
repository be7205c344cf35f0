// `verify`: the verdicts of the core, told in one line, as a table and as JSON.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHAIN } from '../../../../core/chain/chain.ts';
import { type Bench, changed, NOW, paymentBench, run } from '../run.ts';

let bench: Bench;
let at: (name: string) => string;
let trust: string[];
let chain: string[];

beforeAll(async () => {
  bench = await paymentBench();
  at = (name) => bench.path(name);
  trust = ['--bundle', at('bundle.json'), '--root', at('root.pub.jwk'), '--now', NOW];
  chain = [
    'verify',
    'chain',
    '--grant',
    at('grant.json'),
    '--sba',
    at('sba.json'),
    '--bundle',
    at('bundle.json'),
    '--config',
    at('site.json'),
    '--now',
    NOW,
  ];
});
afterAll(() => bench.remove());

describe('verify chain', () => {
  it.each([['node'], ['core']])('accepts a payment, with the crypto of %s', async (crypto) => {
    expect(await run(...chain, '--amount', '1800', '--crypto', crypto)).toEqual({
      code: 0,
      stdout: 'accepted\n',
      stderr: '',
    });
  });

  it('accepts every artifact of a payment together', async () => {
    const all = ['--spa', at('spa.json'), '--intent', at('intent.json'), '--fpa', at('fpa.json')];
    expect(await run(...chain, ...all, '--amount', '1800')).toMatchObject({ code: 0, stdout: 'accepted\n' });
    expect((await run(...chain, ...all, '--amount', '1801')).stdout).toContain('AMOUNT_MISMATCH spa spa.amount');
  });

  it.each([
    [['--amount', '5001'], 'AMOUNT_EXCEEDED sba sba.ceiling'],
    [['--amount', '1800', '--currency', 'USD'], 'CURRENCY_MISMATCH sba sba.currency'],
    [['--amount', '1800', '--rail', 'evm'], 'RAIL_MISMATCH sba sba.rail'],
    [['--amount', '1800', '--asset', 'IOU:RLUSD:r4opss57dpjJvbKCVaRcyssXudmZ2r5GRs'], 'ASSET_MISMATCH sba sba.asset'],
    [
      ['--amount', '1800', '--destination', 'rha59r5myHXTZLzdpf63TQmHi5LBna8Nsg'],
      'DESTINATION_MISMATCH sba sba.destination',
    ],
    [['--amount', '1800', '--session', 'session-2'], 'SESSION_MISMATCH sba sba.session'],
    [['--amount', '1800', '--purpose', 'transport:parking'], 'PURPOSE_NOT_ALLOWED policyGrant policyGrant.purpose'],
    [['--amount', '1800', '--policy-hash', 'abcdef012345'], 'POLICY_HASH_MISMATCH sba sba.policy-hash'],
    [['--amount', '1800', '--actor', 'ev:1'], 'SUBJECT_ACTOR_MISMATCH sba sba.actor'],
    [['--amount', '1800', '--grant-spent', '19000'], 'GRANT_BUDGET_EXCEEDED policyGrant policyGrant.budget-total'],
    [['--amount', '1800', '--budget-spent', '4000'], 'BUDGET_ID_REPLAY sba sba.replay'],
    [['--amount', '1800', '--grant-issuer', 'other.example'], 'ISSUER_NOT_PERMITTED policyGrant policyGrant.signer'],
    [['--amount', '1800', '--grant-issuer', 'pa.example#pa-2'], 'ISSUER_NOT_PERMITTED policyGrant policyGrant.signer'],
    [['--amount', '1800', '--sba-issuer', 'pa.example=fleet.example'], 'ISSUER_NOT_PERMITTED sba sba.signer'],
    [['--amount', '1800', '--profile', 'full'], 'ARTIFACT_INVALID spa spa.presented'],
    [['--amount', '1800', '--now', '2026-03-01T16:05:00Z'], 'ARTIFACT_EXPIRED sba sba.expiry'],
    [['--amount', '1800', '--now', '2026-03-01T16:01:00Z', '--drift', '60s'], 'ARTIFACT_EXPIRED sba sba.expiry'],
    [['--amount', '9'.repeat(39)], 'AMOUNT_EXCEEDED request request.read'],
  ])('with %j says %s', async (words, verdict) => {
    const result = await run(...changed(chain, ...words));
    expect(result.stdout).toMatch(new RegExp(`^refused ${verdict}: .+\\n$`));
    expect(result).toMatchObject({ code: 1, stderr: '' });
  });

  it('lets an artifact be past its expiry by the drift', async () => {
    expect(await run(...changed(chain, '--amount', '1', '--now', '2026-03-01T16:04:59Z'))).toMatchObject({ code: 0 });
  });

  it('takes options for a whole configuration', async () => {
    const words = [
      'verify',
      'chain',
      '--grant',
      at('grant.json'),
      '--sba',
      at('sba.json'),
      '--amount',
      '1800',
      ...trust,
    ];
    expect(
      await run(...words, '--grant-issuer', 'pa.example', '--sba-issuer', 'pa.example=wallet.example'),
    ).toMatchObject({ code: 0 });
    expect(
      await run(...words, '--grant-issuer', 'pa.example', '--sba-issuer', 'wallet.example#wallet-1'),
    ).toMatchObject({ code: 0 });
  });

  it('explains every check, with code and clause', async () => {
    const { stdout, code } = await run(...chain, '--amount', '6000', '--explain');
    const lines = stdout.split('\n');
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/^artifact +check +verdict +code +clause +detail$/);
    expect(lines.at(-2)).toMatch(/^refused AMOUNT_EXCEEDED /);
    expect(lines.filter((line) => / (pass|skip|fail|not-run)( |$)/.test(line))).toHaveLength(CHAIN.length + 1);
    expect(lines.find((line) => line.includes(' fail '))).toMatch(/^sba +ceiling +fail +AMOUNT_EXCEEDED +INTEROP §5 /);
    expect(lines.some((line) => / +not-run +INTEROP/.test(line))).toBe(true);
  });

  it('explains what stopped artifacts from being read', async () => {
    bench.write('no-sba.json', { authorization: {}, issuerKeyId: 'k', signature: 's' });
    const { stdout } = await run(
      'verify',
      'chain',
      '--sba',
      at('no-sba.json'),
      '--amount',
      '1',
      '--config',
      at('site.json'),
      '--explain',
    );
    expect(stdout).toMatch(/^sba +shape +fail +ARTIFACT_INVALID +version is missing$/m);
  });

  it('gives the trace, the bundles and the time as JSON', async () => {
    const document = JSON.parse((await run(...chain, '--amount', '1800', '--explain', '--json')).stdout);
    expect(document).toMatchObject({ ok: true, amountMinor: '1800', sessionId: 'session-1', now: NOW });
    expect(document.trace).toHaveLength(CHAIN.length);
    expect(document.bundles).toEqual([
      expect.objectContaining({ ok: true, name: at('bundle.json'), bundleKeyId: 'root-1' }),
    ]);
    const refused = JSON.parse((await run(...chain, '--amount', '6000', '--json')).stdout);
    expect(refused).toMatchObject({ ok: false, artifact: 'sba', check: 'sba.ceiling', code: 'AMOUNT_EXCEEDED' });
    expect(refused.meaning).toBeTypeOf('string');
  });

  it('says when a bundle is not used, and then has no key', async () => {
    bench.write('forged.json', bench.text('bundle.json').replace('ev-charging', 'ev-parking'));
    const result = await run(
      'verify',
      'chain',
      '--sba',
      at('sba.json'),
      '--grant',
      at('grant.json'),
      '--amount',
      '1',
      '--config',
      at('site.json'),
      '--bundle',
      at('forged.json'),
      '--now',
      NOW,
    );
    expect(result.stdout).toMatch(/^refused NO_TRUST_BUNDLE /);
    expect(result.stderr).toContain('forged.json is not used: refused TRUST_BUNDLE_SIGNATURE_INVALID');
  });

  it('cannot be set back before a bundle was issued', async () => {
    const result = await run(...changed(chain, '--amount', '1800', '--now', '2026-02-01T00:00:00Z'));
    expect(result.stderr).toContain(`so it is at least ${NOW}`);
  });

  it('takes several bundles, and answers with several', async () => {
    bench.write('answer.json', `{"bundles":[${bench.text('bundle.json')}]}`);
    const words = [
      'verify',
      'chain',
      '--grant',
      at('grant.json'),
      '--sba',
      at('sba.json'),
      '--amount',
      '1800',
      '--config',
      at('site.json'),
      '--now',
      NOW,
    ];
    expect(await run(...words, '--bundle', at('answer.json'))).toMatchObject({ code: 0 });
    expect(await run(...words, '--bundle', at('bundle.json'), at('answer.json'))).toMatchObject({ code: 0 });
  });

  it('leaves it to the verifier to refuse what is past a limit', async () => {
    bench.write('long.json', { ...bench.json('sba.json'), note: 'x'.repeat(7000) });
    expect((await run(...changed(chain, '--sba', at('long.json'), '--amount', '1'))).stdout).toMatch(
      /^refused LIMIT_EXCEEDED presentation /,
    );
    bench.write('deep.json', `{"authorization": ${'['.repeat(100)}${']'.repeat(100)}}`);
    expect((await run(...changed(chain, '--sba', at('deep.json'), '--amount', '1'))).stdout).toMatch(
      /^refused LIMIT_EXCEEDED presentation /,
    );
  });

  it('does not take a presentation and artifacts together', async () => {
    const result = await run(...chain, '--presentation', at('sba.json'), '--amount', '1');
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain('--presentation holds all artifacts; --grant cannot be given with it');
  });
});

describe('verify header', () => {
  it('reads the value with and without its name, in any case', async () => {
    const header = (
      await bench.ok('present', '--grant', at('grant.json'), '--sba', at('sba.json'), '--header')
    ).stdout.trim();
    const words = ['--amount', '1800', '--config', at('site.json'), '--bundle', at('bundle.json'), '--now', NOW];
    for (const value of [
      header,
      header.replace('Authorization: ', ''),
      header.replace('Authorization: MPCP', 'authorization:  mpcp'),
    ]) {
      expect(await run('verify', 'header', value, ...words), value.slice(0, 30)).toMatchObject({
        stdout: 'accepted\n',
      });
    }
    expect(await run('verify', 'header', ...header.split(' '), ...words)).toMatchObject({ stdout: 'accepted\n' });
    bench.write('header.txt', `${header}\r\n`);
    expect(await run('verify', 'header', '--file', at('header.txt'), ...words)).toMatchObject({ stdout: 'accepted\n' });
  });

  it('reads a gateway line', async () => {
    const value = Buffer.from(bench.text('sba.json')).toString('base64');
    const words = ['--amount', '300', '--config', at('site.json'), '--bundle', at('bundle.json'), '--now', NOW];
    expect((await run('verify', 'header', `X-Mpcp-Sba: ${value}`, ...words)).stdout).toContain(
      'POLICY_GRANT_NOT_FOUND',
    );
  });

  it.each([
    ['Bearer abc', 'the scheme is not MPCP'],
    ['MPCP ****', 'the value is not base64'],
    [`MPCP ${'A'.repeat(8196)}`, 'more than 8192 characters'],
    ['MPCP e30=', 'there is no SBA'],
  ])('refuses %.12s', async (value, why) => {
    const result = await run('verify', 'header', value, '--amount', '1', '--config', at('site.json'), '--explain');
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('refused SBA_INVALID presentation ');
    expect(result.stdout).toContain(why);
  });
});

describe('verify sba', () => {
  it('looks at an SBA as if the site took it without its grant', async () => {
    expect(
      await run('verify', 'sba', at('sba.json'), '--amount', '5000', ...trust, '--sba-issuer', 'wallet.example'),
    ).toMatchObject({ stdout: 'accepted\n' });
    const config = ['--config', at('site.json'), '--bundle', at('bundle.json'), '--now', NOW];
    expect(await run('verify', 'sba', at('sba.json'), '--amount', '5000', ...config)).toMatchObject({
      stdout: 'accepted\n',
    });
    expect((await run('verify', 'sba', at('sba.json'), '--amount', '5001', ...config)).stdout).toContain(
      'AMOUNT_EXCEEDED sba sba.ceiling',
    );
  });

  it('refuses a grant in its place', async () => {
    const result = await run(
      'verify',
      'sba',
      at('grant.json'),
      '--amount',
      '1',
      ...trust,
      '--sba-issuer',
      'wallet.example',
    );
    expect(result.stdout).toMatch(/^refused [A-Z_]+ (presentation|sba) /);
  });
});

describe('verify grant', () => {
  it.each([
    ['a key that is revoked', 'KEY_REVOKED', ['--revoke-key', 'pa.example#pa-1']],
    ['a grant that is revoked', 'GRANT_REVOKED', ['--revoke-grant', 'GRANT_ID']],
  ])('tells %s', async (_, code, changes) => {
    const words = changes.map((word) => word.replace('GRANT_ID', bench.json('grant.json').grantId));
    await bench.ok(
      ...['bundle', 'create', '--bundle-issuer', 'pa.example', '--issuer', `pa.example=${at('pa.pub.jwk')}`, ...words],
      ...['--valid', '7d', '--now', NOW, '--out', at('u.json')],
    );
    await bench.ok('bundle', 'sign', at('u.json'), '--key', at('root.jwk'), '--now', NOW, '--out', at('revoking.json'));
    const result = await run(
      'verify',
      'grant',
      at('grant.json'),
      '--bundle',
      at('revoking.json'),
      '--root',
      at('root.pub.jwk'),
      '--grant-issuer',
      'pa.example',
      '--now',
      NOW,
    );
    expect(result.stdout).toMatch(new RegExp(`^refused ${code} policyGrant `));
  });
});

describe('verify bundle and bundle verify', () => {
  it.each([
    ['verify', 'bundle'],
    ['bundle', 'verify'],
  ])('%s %s accept a bundle for its own devices only', async (...command) => {
    const words = [...command, at('bundle.json'), '--root', at('root.pub.jwk'), '--now', NOW];
    expect(await run(...words)).toEqual({ code: 0, stdout: 'accepted\n', stderr: '' });
    expect(
      await run(...words, '--merchant', 'did:web:volt.example', '--category', 'ev-charging', '--region', 'EU'),
    ).toMatchObject({ code: 0 });
    for (const scope of [
      ['--merchant', 'did:web:x.example'],
      ['--category', 'parking'],
      ['--region', 'US'],
    ]) {
      expect((await run(...words, ...scope)).stdout).toMatch(
        /^refused BUNDLE_SCOPE_MISMATCH trustBundle bundle\.scope: /,
      );
    }
    expect((await run(...changed(words, '--now', '2026-03-08T12:00:00Z'))).stdout).toMatch(
      /^refused ARTIFACT_EXPIRED /,
    );
  });

  it('refuse a bundle of another root, also one of the same name', async () => {
    expect((await run('bundle', 'verify', at('bundle.json'), '--root', at('pa.pub.jwk'), '--now', NOW)).stdout).toMatch(
      /^refused KEY_NOT_FOUND /,
    );
    bench.write('false-root.jwk', { ...bench.json('pa.pub.jwk'), kid: 'root-1' });
    const result = await run('bundle', 'verify', at('bundle.json'), '--root', at('false-root.jwk'), '--now', NOW);
    expect(result).toMatchObject({ code: 1 });
    expect(result.stdout).toMatch(/^refused TRUST_BUNDLE_SIGNATURE_INVALID /);
  });

  it('tell bundle by bundle of an answer, and refuse one without any', async () => {
    bench.write(
      'mixed.json',
      `{"bundles":[${bench.text('bundle.json')},${bench.text('bundle.json').replace('did:web:volt', 'did:web:bolt')}]}`,
    );
    const words = ['--root', at('root.pub.jwk'), '--now', NOW];
    const result = await run('verify', 'bundle', at('mixed.json'), ...words, '--explain');
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('bundles[0]: accepted\nbundles[1]: refused TRUST_BUNDLE_SIGNATURE_INVALID');
    const document = JSON.parse((await run('verify', 'bundle', at('mixed.json'), ...words, '--json')).stdout);
    expect(document).toMatchObject({
      ok: false,
      bundles: [{ ok: true }, { ok: false, code: 'TRUST_BUNDLE_SIGNATURE_INVALID' }],
    });
    bench.write('none.json', { bundles: [] });
    expect(await run('verify', 'bundle', at('none.json'), ...words)).toMatchObject({ code: 1 });
  });
});
