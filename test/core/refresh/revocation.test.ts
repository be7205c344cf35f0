// Asking online whether a grant is revoked: whom a device can be made to ask, what answers it believes, and what it remembers.

import { describe, expect, it } from 'vitest';
import type { PolicyGrant } from '../../../core/artifacts/policy-grant.ts';
import {
  ANSWER_LIMITS,
  REVOCATION_CACHE_MS,
  REVOCATION_RETRY_MS,
  REVOCATIONS_CACHED,
  REVOCATIONS_REMEMBERED,
} from '../../../core/limits.ts';
import type { LogEvent } from '../../../core/ports/ports.ts';
import { RevocationChecks, type RevocationQuestion } from '../../../core/refresh/revocation.ts';
import {
  type RevocationConfiguration,
  type RevocationSettings,
  readRevocation,
} from '../../../core/refresh/settings.ts';
import { grant, present } from '../../fixtures/artifacts.ts';
import { Device } from '../../fixtures/device.ts';

const HOUR_MS = 3_600_000;
const NOW = 1_800_000_000_000;
const DRIFT_MS = 300_000;
const ENDPOINT = 'https://pa.example/revoke';

class Bench {
  readonly events: LogEvent[] = [];
  readonly checks: RevocationChecks;
  monotonicMs = 5000;

  constructor(settings: Partial<RevocationConfiguration> = {}) {
    const read = readRevocation({ hosts: ['pa.example', 'pa.example:8443'], ...settings }, []) as RevocationSettings;
    const log = { emit: (event: LogEvent) => void this.events.push(event) };
    this.checks = new RevocationChecks(read, { monotonicMs: () => this.monotonicMs }, log);
    this.checks.linkUp = true;
  }

  /** What the check says: pass, or the code. */
  check(id = 'g', endpoint = ENDPOINT, key = `key of ${id}`): string {
    const grant = { grantId: id, expiresAtMs: NOW + HOUR_MS } as PolicyGrant;
    const outcome = this.checks.outcome(grant, endpoint, key, DRIFT_MS);
    return outcome.verdict === 'fail' ? outcome.code : outcome.verdict;
  }

  question(id = 'g', endpoint = ENDPOINT): RevocationQuestion {
    this.check(id, endpoint);
    if (this.checks.question === undefined) throw new Error('there is no question');
    return this.checks.question;
  }

  answer(question: RevocationQuestion, body: string, status = 200, type?: string): string {
    const header = (name: string) => (name === 'content-type' ? type : undefined);
    return this.checks.answered(question, status, header, Buffer.from(body));
  }
}

describe('a question', () => {
  it('goes to the endpoint, with the grant', () => {
    expect(new Bench().question()).toMatchObject({
      url: 'https://pa.example/revoke?grantId=g',
      host: 'pa.example',
      path: '/revoke?grantId=g',
      headers: { accept: 'application/json', 'accept-encoding': 'identity' },
      timeoutMs: 3000,
      maxBytes: ANSWER_LIMITS.bytes,
    });
  });

  it.each([
    ['https://pa.example', 'g', 'https://pa.example/?grantId=g'],
    ['https://PA.Example/Revoke', 'g', 'https://pa.example/Revoke?grantId=g'],
    ['https://pa.example:8443/r', 'g', 'https://pa.example:8443/r?grantId=g'],
    ['https://pa.example/r?tenant=7', 'g', 'https://pa.example/r?tenant=7&grantId=g'],
    ['https://pa.example?tenant=7', 'g', 'https://pa.example/?tenant=7&grantId=g'],
    ['https://pa.example?tenant=a/b', 'g', 'https://pa.example/?tenant=a/b&grantId=g'],
    ['https://pa.example/r', 'a&revoked=0#?/ \u00e4', 'https://pa.example/r?grantId=a%26revoked%3D0%23%3F%2F%20%C3%A4'],
  ])('at %s about %s goes to %s', (endpoint, id, url) => {
    expect(new Bench().question(id, endpoint).url).toBe(url);
  });

  it('is none where nothing would come of it', () => {
    const bench = new Bench();
    bench.question();
    bench.check('h', 'https://other.example/');
    expect(bench.checks.question).toBeUndefined();
  });
});

describe('a signer who wants to reach what only the device can:', () => {
  it.each([
    ['plain HTTP', 'http://pa.example/revoke'],
    ['another scheme', 'ftp://pa.example/revoke'],
    ['a scheme that looks alike', 'HTTPS://pa.example/revoke'],
    ['a router', 'https://192.168.0.1/admin?reboot=1'],
    ['the device itself', 'https://localhost/'],
    ['a name that begins like a listed one', 'https://pa.example.evil.example/'],
    ['one that ends like it', 'https://evilpa.example/'],
    ['another port', 'https://pa.example:9000/'],
    ['a dot at the end', 'https://pa.example./'],
    ['a listed name as the user', 'https://pa.example@192.168.0.1/'],
    ['a listed name as the user, with a password', 'https://pa.example:x@192.168.0.1/'],
    ['a backslash, which some take for a slash', 'https://192.168.0.1\\pa.example/'],
    ['a backslash behind the host', 'https://pa.example\\@192.168.0.1/'],
    ['a fragment', 'https://192.168.0.1#pa.example/'],
    ['a tab', 'https://pa.example\t/'],
    ['a line end, and a header', 'https://pa.example/ HTTP/1.1\r\nX: y'],
    ['letters that look alike', 'https://p\u0430.example/'],
    ['a grant of their own choosing', 'https://pa.example/revoke?grantId=other'],
    ['nothing', 'https:///'],
    ['a question mark first', 'https://?pa.example/'],
    ['an address without end', `https://pa.example/${'x'.repeat(600)}`],
  ])('%s is not asked', (_, endpoint) => {
    const bench = new Bench();
    expect(bench.check('g', endpoint)).toBe('REVOCATION_UNKNOWN');
    expect(bench.checks.question).toBeUndefined();
  });
});

describe('an answer', () => {
  it('that says the grant is good is good for a while, and then asked for again', () => {
    const bench = new Bench();
    expect(bench.answer(bench.question(), '{"revoked":false}', 200, 'application/json; charset=utf-8')).toBe('good');
    expect(bench.check()).toBe('pass');
    bench.monotonicMs += REVOCATION_CACHE_MS - 1;
    expect(bench.check()).toBe('pass');
    bench.monotonicMs += 1;
    expect(bench.check()).toBe('REVOCATION_UNKNOWN');
    bench.question();
  });

  it('that says it is revoked holds, with and without a network, whatever is answered later', () => {
    const bench = new Bench();
    const question = bench.question();
    expect(bench.answer(question, '{"revoked":true,"revokedAt":"2026-01-01T00:00:00Z"}')).toBe('revoked');
    bench.answer(question, '{"revoked":false}');
    bench.monotonicMs += 1000 * HOUR_MS;
    expect(bench.check()).toBe('GRANT_REVOKED');
    bench.checks.linkUp = false;
    expect(bench.check()).toBe('GRANT_REVOKED');
  });

  it('of before, that it was good, does not outlive it', () => {
    const bench = new Bench();
    const question = bench.question();
    bench.answer(question, '{"revoked":false}');
    bench.answer(question, '{"revoked":true}');
    expect(bench.check()).toBe('GRANT_REVOKED');
  });

  it.each<[string, string, number, string | undefined]>([
    ['no JSON', 'false', 200, undefined],
    ['a page', '<html>', 200, 'text/html'],
    ['JSON that calls itself a page', '{"revoked":false}', 200, 'text/html'],
    ['nothing', '', 200, undefined],
    ['a list', '[false]', 200, undefined],
    ['a text', '{"revoked":"false"}', 200, undefined],
    ['a number', '{"revoked":0}', 200, undefined],
    ['null', '{"revoked":null}', 200, undefined],
    ['both', '{"revoked":false,"revoked":true}', 200, undefined],
    ['a redirect', '{"revoked":false}', 302, undefined],
    ['an error', '{"revoked":false}', 500, undefined],
    ['not found', '{"revoked":false}', 404, undefined],
    ['too much', `{"revoked":false,"x":"${'y'.repeat(5000)}"}`, 200, undefined],
  ])('of %s is none', (_, body, status, type) => {
    const bench = new Bench();
    expect(bench.answer(bench.question(), body, status, type)).toBe('failed');
    expect(bench.check()).toBe('REVOCATION_UNKNOWN');
  });

  it('that does not come is not waited for again at once', () => {
    const bench = new Bench();
    bench.checks.failed(bench.question(), 'timeout');
    expect(bench.check()).toBe('REVOCATION_UNKNOWN');
    expect(bench.checks.question).toBeUndefined();
    bench.monotonicMs += REVOCATION_RETRY_MS;
    bench.question();
  });

  it('about one signer’s grant says nothing about another’s of the same id', () => {
    const bench = new Bench();
    bench.answer(bench.question('g'), '{"revoked":false}');
    expect(bench.check('g', ENDPOINT, 'key of another signer')).toBe('REVOCATION_UNKNOWN');
    const poison = bench.checks.question as RevocationQuestion;
    bench.answer(poison, '{"revoked":true}');
    expect(bench.check('g')).toBe('pass');
  });

  it('that nobody answers while there is no network is none: grants are taken as offline', () => {
    const bench = new Bench();
    bench.checks.linkUp = false;
    expect(bench.check()).toBe('pass');
    expect(bench.checks.question).toBeUndefined();
  });
});

describe('memory is bounded', () => {
  it('what was good longest ago is asked about again', () => {
    const bench = new Bench();
    for (let i = 0; i <= REVOCATIONS_CACHED; i++) bench.answer(bench.question(`g${i}`), '{"revoked":false}');
    expect([bench.check('g0'), bench.check('g1'), bench.check(`g${REVOCATIONS_CACHED}`)]).toEqual([
      'REVOCATION_UNKNOWN',
      'pass',
      'pass',
    ]);
  });

  it('of too many that are revoked, what expires first goes, by its signer’s word: no clock makes one forgotten', () => {
    const bench = new Bench();
    const revoke = (id: string, untilMs: number) =>
      bench.answer({ ...bench.question(id), untilMs }, '{"revoked":true}');
    for (let i = 0; i < REVOCATIONS_REMEMBERED; i++) revoke(`g${i}`, NOW + 1000 + i);
    revoke('late', NOW + HOUR_MS);
    expect([bench.check('g0'), bench.check('g1'), bench.check('late')]).toEqual([
      'REVOCATION_UNKNOWN',
      'GRANT_REVOKED',
      'GRANT_REVOKED',
    ]);
    revoke('of long ago', 0);
    revoke('later', NOW + HOUR_MS);
    expect([bench.check('of long ago'), bench.check('g2')]).toEqual(['REVOCATION_UNKNOWN', 'GRANT_REVOKED']);
  });

  it('a grant that is found revoked again and again is remembered once', () => {
    const bench = new Bench();
    const question = bench.question();
    for (let i = 0; i < 2 * REVOCATIONS_REMEMBERED; i++) bench.answer(question, '{"revoked":true}');
    const other = bench.question('other');
    bench.answer(other, '{"revoked":true}');
    expect([bench.check(), bench.check('other')]).toEqual(['GRANT_REVOKED', 'GRANT_REVOKED']);
  });

  it('a revocation is remembered until the grant expires, drift included', () => {
    expect(new Bench().question().untilMs).toBe(NOW + HOUR_MS + DRIFT_MS);
  });
});

describe('a payment that is refused before its grant would be asked about', () => {
  it('leaves no question of the payment before it', () => {
    const device = new Device({ configuration: { revocation: { hosts: ['pa.example'] } } });
    const { revocation } = device.verifier;
    if (revocation === undefined) throw new Error('the site has nothing asked');
    revocation.linkUp = true;
    device.authorize(present({ grant: grant({ revocationEndpoint: ENDPOINT }) }));
    expect(revocation.question).toBeDefined();
    device.refuses('SBA_INVALID', () => device.authorize(new Uint8Array(1)));
    expect(revocation.question).toBeUndefined();
  });
});
