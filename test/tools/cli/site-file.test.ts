// Site configurations in files: keys in every form, and a slip in a name is never silently ignored.

import { afterAll, describe, expect, it } from 'vitest';
import { generateKey, privateJwk, publicJwk, publicPem } from '../../../host-sim/signing/keys.ts';
import { UsageError } from '../../../tools/cli/io.ts';
import { completeSite, readSiteFile, siteOf } from '../../../tools/cli/site-file.ts';
import { Bench } from './run.ts';

const bench = new Bench();
afterAll(() => bench.remove());
const key = generateKey('k-1');

describe('a site configuration', () => {
  it('takes keys as JWK, PEM and base64url', () => {
    const site = siteOf({
      grantIssuers: ['pa.example', { issuer: 'city.example', kids: ['a'] }],
      sbaIssuers: { 'pa.example': ['wallet.example'], '*': [] },
      rootKeys: [
        { publicKey: { ...publicJwk(key) } },
        { kid: 'pem', publicKey: publicPem(key) },
        { publicKey: publicJwk(key).x },
      ],
      pinnedKeys: [{ role: 'sba', kid: 'p', publicKey: publicJwk(key).x }],
    });
    expect(site.rootKeys).toEqual([
      { kid: 'k-1', publicKey: key.publicKey },
      { kid: 'pem', publicKey: key.publicKey },
      { kid: undefined, publicKey: key.publicKey },
    ]);
    expect(site.pinnedKeys).toEqual([{ role: 'sba', kid: 'p', publicKey: key.publicKey }]);
    expect(completeSite(site)).toBe(site);
  });

  it('has every member of SiteConfiguration', () => {
    const whole = {
      profile: 'full',
      terminal: {
        rail: 'xrpl',
        asset: { kind: 'XRP' },
        destination: 'd',
        merchant: 'm',
        unit: { kind: 'atomic' },
        purpose: 'p',
        gateway: 'g',
        actorId: 'a',
      },
      grantIssuers: ['pa.example'],
      sbaIssuers: {},
      fleetPolicyIssuers: ['fleet.example'],
      requireFleetPolicy: true,
      rootKeys: [],
      pinnedKeys: [],
      bundleScope: { merchant: 'm', category: 'c', region: 'r' },
      sbaOnly: { maxAmountMinor: '1' },
      budgetUse: 'reuse',
      spendRule: 'grant-total',
      reservationsLeft: 'settle',
      driftMs: 0,
      scopes: ['SESSION'],
      strictXrpl: true,
      strictCurrency: true,
      allowUnsetClock: true,
    };
    expect(siteOf(whole as never)).toEqual(whole);
  });

  it.each([
    [{ grantIssuer: ['x'] }, 'grantIssuer: there is no such member'],
    [{ terminal: { rial: 'xrpl' } }, 'terminal.rial: there is no such member'],
    [{ terminal: { rail: 'sepa' } }, 'terminal.rail: expected one of'],
    [{ terminal: { unit: { kind: 'fiat' } } }, 'terminal.unit.'],
    [{ terminal: 5 }, 'terminal: expected object, received number'],
    [{ grantIssuers: 'pa.example' }, 'grantIssuers: expected array, received string'],
    [{ grantIssuers: [{ issuer: 'pa.example', kid: 'a' }] }, 'grantIssuers[0].kids is missing'],
    [{ sbaIssuers: ['wallet.example'] }, 'sbaIssuers: expected record, received array'],
    [{ sbaIssuers: { 'pa.example': 'wallet.example' } }, 'sbaIssuers.pa.example: expected array, received string'],
    [{ driftMs: '300' }, 'driftMs: expected number, received string'],
    [{ driftMs: -1 }, 'driftMs: '],
    [{ driftMs: 600_001 }, 'driftMs: '],
    [{ profile: 'heavy' }, 'profile: expected one of'],
    [{ budgetUse: 'twice' }, 'budgetUse: expected one of'],
    [{ sbaOnly: { maxAmountMinor: '0' } }, 'sbaOnly.maxAmountMinor: "0" is not an amount'],
    [{ strictXrpl: 'yes' }, 'strictXrpl: expected boolean, received string'],
    [{ rootKeys: [{ key: 'x' }] }, 'rootKeys[0].publicKey is missing'],
    [{ rootKeys: [{ publicKey: 'AAAA' }] }, 'rootKeys[0].publicKey: the text is neither a JWK'],
    [{ rootKeys: [{ publicKey: { ...privateJwk(key) } }] }, 'rootKeys[0].publicKey: the key is a private key'],
    [{ pinnedKeys: [{ role: 'spb', kid: 'p', publicKey: 'x' }] }, 'pinnedKeys[0].role: expected one of'],
  ])('%j is refused', (value, why) => {
    expect(() => siteOf(value as never)).toThrow(why);
  });

  it('is told with the file it is in', () => {
    const path = bench.write('site.json', { grantIssuers: [], typo: 1 });
    expect(() => readSiteFile(path)).toThrow(UsageError);
    expect(() => readSiteFile(path)).toThrow(`--config: ${path}: site configuration: typo: there is no such member`);
  });
});
