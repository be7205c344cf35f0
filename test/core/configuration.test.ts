// A site's configuration: what it needs, what it may not be, and that a mistake in it never loosens anything.

import { describe, expect, it } from 'vitest';
import {
  ConfigurationError,
  deploymentProblems,
  readConfiguration,
  type SiteConfiguration,
} from '../../core/configuration.ts';
import { PA, root, WALLET, wallet } from '../fixtures/keys.ts';
import { site, TERMINAL } from '../fixtures/site.ts';

const circle: Record<string, unknown> = { kind: 'XRP' };
circle.self = circle;

/** The problems of a configuration, as one text; empty where it can be used. */
function problems(changes: Record<string, unknown>): string {
  try {
    readConfiguration({ ...site(), ...changes } as SiteConfiguration);
    return '';
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.join('\n');
    throw error;
  }
}

describe('refreshing', () => {
  it('has its defaults one by one', () => {
    expect(readConfiguration(site({ refresh: { timeoutMs: 5000 } })).refresh).toEqual({
      intervalMs: 21_600_000,
      marginShare: 0.25,
      leastMarginMs: 86_400_000,
      timeoutMs: 5000,
    });
  });

  it.each([
    ['intervalMs', 59_999],
    ['intervalMs', 604_800_001],
    ['intervalMs', '60000'],
    ['marginShare', -0.1],
    ['marginShare', 1],
    ['marginShare', Number.NaN],
    ['leastMarginMs', 2_592_000_001],
    ['timeoutMs', 999],
  ])('%s is not %s: an interval of nothing would be a storm, one of a year no refresh', (name, value) => {
    expect(problems({ refresh: { [name]: value } })).toContain(`refresh.${name} is not a number from`);
  });

  it('has no other members, and is an object', () => {
    expect(problems({ refresh: { interval: 1 } })).toContain('refresh has no member interval');
    expect(problems({ refresh: [] })).toContain('refresh is not an object');
  });
});

describe('asking about revoked grants', () => {
  it('is off unless hosts are listed, and fails closed', () => {
    expect(readConfiguration(site()).revocation).toBeUndefined();
    expect(readConfiguration(site({ revocation: { hosts: ['pa.example'] } })).revocation).toEqual({
      hosts: ['pa.example'],
      onFailure: 'refuse',
      cacheMs: 300_000,
      timeoutMs: 3000,
    });
  });

  it.each([
    [undefined],
    [[]],
    ['pa.example'],
    [['PA.example']],
    [['https://pa.example']],
    [['pa.example/']],
    [['a@b']],
    [['']],
  ])('hosts are not %j', (hosts) => {
    expect(problems({ revocation: { hosts } })).toContain('revocation.hosts is not a list of host names');
  });

  it.each([
    [{ onFailure: 'open' }, 'revocation.onFailure is none of refuse, accept-offline-caps, accept'],
    [{ cacheMs: 14_999 }, 'revocation.cacheMs is not a number from 15000'],
    [{ timeoutMs: 30_001 }, 'revocation.timeoutMs is not a number from 100'],
    [{ onfailure: 'accept' }, 'revocation has no member onfailure'],
  ])('%j is refused', (changes, problem) => {
    expect(problems({ revocation: { hosts: ['pa.example'], ...changes } })).toContain(problem);
  });
});

describe('what is left out', () => {
  it('has the safe default', () => {
    expect(readConfiguration({ grantIssuers: [PA], sbaIssuers: { [PA]: [WALLET] } })).toMatchObject({
      profile: 'lite',
      requireFleetPolicy: false,
      sbaOnlyMax: undefined,
      budgetUse: 'single-use',
      spendRule: 'budget-total',
      reservationsLeft: 'hold',
      driftMs: 300_000,
      scopes: ['SESSION', 'TRIP'],
      allowUnsetClock: false,
      rootKeys: [],
      pinnedKeys: [],
    });
  });
});

describe('what is needed', () => {
  it.each(['grantIssuers', 'sbaIssuers'])('%s', (name) => {
    expect(problems({ [name]: undefined })).toContain(name);
    expect(problems({ [name]: null })).toContain(name);
  });

  it('fleetPolicyIssuers, where a fleet policy is required', () => {
    expect(problems({ requireFleetPolicy: true })).toContain('fleetPolicyIssuers');
    expect(problems({ requireFleetPolicy: true, fleetPolicyIssuers: [PA] })).toBe('');
  });

  it('is named all at once', () => {
    const all = problems({ grantIssuers: undefined, sbaIssuers: undefined, driftMs: -1 });
    for (const name of ['grantIssuers', 'sbaIssuers', 'driftMs']) expect(all).toContain(name);
  });
});

describe('what is refused', () => {
  it.each<[string, unknown]>([
    ['grantIssuers', 'pa.example'],
    ['grantIssuers', ['']],
    ['grantIssuers', [1]],
    ['grantIssuers', [null]],
    ['grantIssuers', [{ issuer: PA }]],
    ['grantIssuers', [{ kids: ['a'] }]],
    ['grantIssuers', [{ issuer: PA, kids: 'a' }]],
    ['sbaIssuers', 'pa.example'],
    ['sbaIssuers', { [PA]: WALLET }],
    ['sbaIssuers', { [PA]: [''] }],
    ['sbaIssuers', { [PA]: null }],
    ['fleetPolicyIssuers', 'x'],
    ['fleetPolicyIssuers', [{}]],
    ['driftMs', -1],
    ['driftMs', 1.5],
    ['driftMs', 600_001],
    ['driftMs', Number.NaN],
    ['driftMs', Number.POSITIVE_INFINITY],
    ['driftMs', '300000'],
    ['sbaOnly', {}],
    ['sbaOnly', { maxAmountMinor: 100 }],
    ['sbaOnly', { maxAmountMinor: '0' }],
    ['sbaOnly', { maxAmountMinor: '-1' }],
    ['terminal', { rail: 'sepa' }],
    ['terminal', { asset: { kind: 'BTC' } }],
    ['terminal', { asset: 'XRP' }],
    ['terminal', { unit: { kind: 'fiat' } }],
    ['terminal', { unit: { kind: 'fiat', currency: 'EURO' } }],
    ['terminal', { unit: { kind: 'fiat', currency: 'eur' } }],
    ['terminal', { unit: { kind: 'fiat', currency: 'EUR', minorUnit: -1 } }],
    ['terminal', { unit: { kind: 'fiat', currency: 'EUR', minorUnit: 256 } }],
    ['terminal', { unit: { kind: 'fiat', currency: 'EUR', minorUnit: 1.5 } }],
    ['terminal', { unit: { kind: 'atomic', currency: 'EUR' } }],
    ['terminal', { unit: { kind: 'barrels' } }],
    ['terminal', { unit: 'EUR' }],
    ['rootKeys', [{ kid: 'k', publicKey: new Uint8Array(31) }]],
    ['rootKeys', [{ kid: 'k' }]],
    ['pinnedKeys', [{ role: 'sba', kid: 'k', publicKey: new Uint8Array(33) }]],
    ['pinnedKeys', [{ role: 'sba', kid: 'k' }]],
    ['pinnedKeys', [{ role: 'sba', publicKey: new Uint8Array(32) }]],
    ['pinnedKeys', { role: 'sba' }],
    ['pinnedKeys', [null]],
    ['rootKeys', 'key'],
    ['rootKeys', [5]],
    ['terminal', 5],
    ['terminal', []],
    ['terminal', { destination: '' }],
    ['terminal', { merchant: 0 }],
    ['terminal', { purpose: {} }],
    ['terminal', { gateway: null }],
    ['bundleScope', 7],
    ['bundleScope', { region: 3 }],
    ['sbaOnly', '100'],
    ['sbaIssuers', null],
    ['sbaIssuers', []],
  ])('%s: %j', (name, value) => {
    expect(problems({ [name]: value })).not.toBe('');
  });
});

describe('a mistake never loosens anything: what is misspelt is refused, not taken for something weaker', () => {
  const mistakes: readonly [string, unknown, string][] = [
    ['profile', 'Full', 'would ask for no SPA'],
    ['profile', 'human_agent', 'would take a payment without a purpose'],
    ['budgetUse', 'single', 'would let a budget pay again and again'],
    ['spendRule', 'grant_total', 'would count by budget'],
    ['reservationsLeft', 'settled', 'would hold them'],
    ['scopes', ['session'], 'would refuse everything, silently'],
    ['scopes', 'SESSION DAY', 'would take text for a list'],
    ['requireFleetPolicy', 'yes', 'is no boolean'],
    ['strictXrpl', 'false', 'is no boolean'],
    ['strictCurrency', 1, 'is no boolean'],
    ['allowUnsetClock', 'false', 'would go on without a clock'],
    ['pinnedKeys', [{ role: 'SBA', kid: 'k', publicKey: new Uint8Array(32) }], 'would never be found'],
  ];
  it.each([
    ['terminal.unit', { terminal: { ...TERMINAL, unit: { kind: 'fiat', currency: 'EUR', minorUnits: 2 } } }],
    ['pinnedKeys', { pinnedKeys: [{ role: 'sba', issuers: PA, kid: 'k', publicKey: new Uint8Array(32) }] }],
    ['rootKeys', { rootKeys: [{ keyId: 'root', publicKey: new Uint8Array(32) }] }],
    ['grantIssuers', { grantIssuers: [{ issuer: PA, kids: ['a'], kid: 'b' }] }],
    ['grantIssuers', { grantIssuers: [{ issuer: PA, kids: [1] }] }],
  ])('a misspelt member in %s is named', (part, changes) => {
    expect(problems(changes as Partial<SiteConfiguration>)).toContain(part);
  });

  it.each([null, undefined, 5, 'x', []])('a configuration that is %j is a ConfigurationError', (nothing) => {
    expect(() => readConfiguration(nothing as never)).toThrow(ConfigurationError);
  });

  it('a scope without a merchant keeps the terminal’s, stated as undefined or not at all', () => {
    const scope = (bundleScope: object) => readConfiguration(site({ bundleScope })).bundleScope.merchant;
    expect(scope({ category: 'x' })).toBe(TERMINAL.merchant);
    expect(scope({ merchant: undefined, category: 'x' })).toBe(TERMINAL.merchant);
    expect(scope({ merchant: 'did:web:other.example' })).toBe('did:web:other.example');
  });

  for (const [name, value, consequence] of mistakes) {
    it(`${name} of another spelling ${consequence}`, () => {
      expect(problems({ [name]: value, fleetPolicyIssuers: [PA] })).toContain(name);
    });
  }

  it('two pinned keys of one role, issuer and kid, of which one would never be found, are refused', () => {
    const pin = (changes: object) => ({ role: 'sba', kid: 'k', publicKey: new Uint8Array(32), ...changes });
    expect(problems({ pinnedKeys: [pin({}), pin({})] })).toContain('pinnedKeys');
    expect(problems({ pinnedKeys: [pin({ issuer: PA }), pin({ issuer: PA })] })).toContain('pinnedKeys');
    const others = [pin({}), pin({ issuer: PA }), pin({ issuer: WALLET }), pin({ role: 'spa' }), pin({ kid: 'l' })];
    expect(problems({ pinnedKeys: others })).toBe('');
  });

  it.each([
    ['a lone surrogate', { kind: 'IOU', currency: 'USD', issuer: '\ud800' }],
    ['what JSON cannot hold', { kind: 'XRP', limit: 5n }],
    ['a string past the limit', { kind: 'IOU', currency: 'USD', issuer: 'r'.repeat(1025) }],
    ['a circle', circle],
  ])('an asset with %s is refused, and does not throw', (_, asset) => {
    expect(problems({ terminal: { ...TERMINAL, asset } })).not.toBe('');
  });

  it('a unit that is null is no unit, and does not throw', () => {
    expect(() => problems({ terminal: { ...TERMINAL, unit: null } })).not.toThrow();
  });
});

describe('a deployed device', () => {
  const deployed = (changes: Partial<SiteConfiguration>) => deploymentProblems(readConfiguration(site(changes)));

  it('may start where its terminal states everything', () => {
    expect(deployed({})).toEqual([]);
  });

  it.each(['rail', 'asset', 'destination', 'merchant', 'unit', 'purpose'] as const)(
    'does not start without terminal.%s',
    (name) => {
      expect(deployed({ terminal: { ...TERMINAL, [name]: undefined } })).toEqual([`terminal.${name} is missing`]);
    },
  );

  it('does not start on fiat amounts whose decimal places it does not state', () => {
    const unit = { kind: 'fiat', currency: 'EUR' } as const;
    expect(deployed({ terminal: { ...TERMINAL, unit } })).toEqual(['terminal.unit.minorUnit is missing']);
  });

  it('does not start where nobody may sign grants, or no root key is there', () => {
    expect(deployed({ grantIssuers: [] }).join()).toContain('grantIssuers');
    expect(deployed({ rootKeys: [] }).join()).toContain('rootKeys');
  });

  it('may start with pinned keys beside its root key', () => {
    expect(
      deployed({
        rootKeys: [{ kid: undefined, publicKey: root.publicKey }],
        pinnedKeys: [{ role: 'sba', kid: wallet.kid, publicKey: wallet.publicKey }],
      }),
    ).toEqual([]);
  });
});

describe('names of issuers', () => {
  it('may be those of Object.prototype', () => {
    const read = readConfiguration({
      grantIssuers: ['constructor'],
      sbaIssuers: JSON.parse('{"__proto__":["w"],"toString":["w"]}'),
    });
    expect([...read.sbaIssuers.keys()].sort()).toEqual(['__proto__', 'toString']);
  });

  it('are not inherited', () => {
    const read = readConfiguration({ grantIssuers: [PA], sbaIssuers: Object.create({ [PA]: [WALLET] }) });
    expect(read.sbaIssuers.size).toBe(0);
  });
});
