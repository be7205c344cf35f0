// A scenario file that cannot be used is told with file, line and reason, all of it at once, and nothing is run.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { wholeImage } from '../../../host-sim/provisioning/image.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { run } from '../cli/run.ts';
import { changedScenario, ScenarioBench, SMALL } from './bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterAll(() => bench.remove());

/** What is told of a file, a line each. */
async function told(text: string): Promise<readonly string[]> {
  const { code, stdout, stderr } = await bench.sim(text);
  expect([code, stdout]).toEqual([2, '']);
  return stderr
    .replaceAll(`${bench.folder}/`, '')
    .split('\n')
    .map((line) => line.replace(/^mpcp-embedded sim run: /, '').replace(/; nothing was run$/, ''))
    .filter((line) => line !== '' && !line.endsWith('findings, nothing was run'));
}

/** The small scenario with a text in place of another. */
function with_(before: string, after: string): string {
  expect(SMALL).toContain(before);
  return SMALL.replace(before, after);
}

function lineWith(text: string, part: string): number {
  return text.split('\n').findIndex((line) => line.includes(part)) + 1;
}

describe('what is no scenario', () => {
  it.each([['a text'], [''], ['- a\n- list\n']])('is told plainly: %j', async (text) => {
    const { code, stderr } = await bench.sim(text);
    expect(code).toBe(2);
    expect(stderr).toContain('it is no scenario: one has members such as format, title and fleet; nothing was run');
  });

  it('gets a hint where it is the name of a ready one', async () => {
    const { code, stderr } = await run('sim', 'run', 'transit-rush');
    expect(code).toBe(2);
    expect(stderr).toContain('there is no file transit-rush; a ready scenario is host-sim/scenarios/transit-rush.yaml');
  });
});

describe('a scenario file is refused with its line where', () => {
  it.each([
    ['a member is unknown', 'title: A small one', 'titel: x\ntitle: y', 'titel', 'there is no member titel'],
    [
      'an inner member is unknown',
      "    grant: { budget: '60000000' }",
      "    grant:\n      budget: '1'\n      bugdet: '2'",
      'bugdet',
      'there is no member wallets[0].grant.bugdet',
    ],
    [
      'a member is missing',
      "    grant: { budget: '60000000' }",
      '    grant: {}',
      'grant: {}',
      'wallets[0].grant.budget is missing',
    ],
    [
      'a span has no unit',
      'duration: 1h',
      "duration: '60'",
      'duration',
      'duration: "60" is not a whole number with its unit: ms, s, m, h or d, such as 90s or 7d',
    ],
    [
      'a span has a wrong unit',
      'duration: 1h',
      'duration: 5 parsecs',
      'duration',
      'duration: "5 parsecs" is not a whole number with its unit: ms, s, m, h or d, such as 90s or 7d',
    ],
    [
      'a number stands where a span is meant',
      'duration: 1h',
      'duration: 60',
      'duration',
      'duration: 60 is not a whole number with its unit: ms, s, m, h or d, such as 90s or 7d',
    ],
    [
      'a partition has a wrong unit',
      'wallets:\n',
      'hardware: { ledger: 64KB }\nwallets:\n',
      'hardware',
      'hardware.ledger: "64KB" is not a whole number with its unit: B, KiB or MiB, such as 64KiB',
    ],
    [
      'a partition is not whole blocks',
      'wallets:\n',
      'hardware: { ledger: 5000B }\nwallets:\n',
      'hardware',
      'hardware.ledger: must be whole blocks of 4KiB',
    ],
    [
      'a ledger has fewer blocks than a device starts with',
      'wallets:\n',
      'hardware: { ledger: 12KiB }\nwallets:\n',
      'hardware',
      'hardware.ledger: must be from 16KiB to 64MiB',
    ],
    [
      'a journal has fewer blocks than a device starts with',
      'wallets:\n',
      'hardware: { journal: 24KiB }\nwallets:\n',
      'hardware',
      'hardware.journal: must be from 28KiB to 64MiB',
    ],
    [
      'a journal has more than there is flash',
      'wallets:\n',
      'hardware: { journal: 65MiB }\nwallets:\n',
      'hardware',
      'hardware.journal: must be from 28KiB to 64MiB',
    ],
    [
      'a rate has no unit',
      '{ every: 10m }',
      '{ poisson: 12 }',
      'poisson',
      'arrivals[0].pattern.poisson: 12 is not a rate above zero with its unit: /m, /h or /d, such as 12/h',
    ],
    [
      'two patterns are given',
      '{ every: 10m }',
      '{ every: 10m, rush: 3 }',
      'rush',
      'arrivals[0].pattern: every and rush exclude each other',
    ],
    [
      'no pattern is given',
      '{ every: 10m }',
      '{}',
      'pattern: {}',
      'arrivals[0].pattern: one of every, poisson, rush, each is missing',
    ],
    [
      'a session delivers more than it reserves',
      "    amount: '1000000'",
      "    amount: '1000000'\n    session: { lasts: 1h, delivered: { least: 0.9, most: 0.1 } }",
      'session: { lasts: 1h',
      'arrivals[0].session.delivered: least is more than most',
    ],
    [
      'a payer comes again after no time',
      "    amount: '1000000'",
      "    amount: '1000000'\n    retry: { after: 0s }",
      'retry: { after: 0s }',
      'arrivals[0].retry.after: must be more than no time',
    ],
    [
      'what only requests have is said of a reader',
      'arrivals:\n',
      'faults:\n  - { devices: gate-1, answersLost: true, to: operator }\narrivals:\n',
      '- { devices: gate-1, answersLost',
      'faults[0].to is for what is wrong with a network',
    ],
    [
      'a share is given for a clock',
      'arrivals:\n',
      'faults:\n  - { devices: gate-1, clockReset: true, share: 0.5 }\narrivals:\n',
      '- { devices: gate-1, clockReset',
      'faults[0].share is for what is wrong with a network, and for answersLost',
    ],
    [
      'an amount is none',
      "amount: '1000000'",
      "amount: '1.5'",
      'amount',
      `arrivals[0].amount: "1.5" is not an amount: decimal digits above zero, in quotes, such as '2500000'`,
    ],
    [
      'an amount has more digits than amounts have',
      "amount: '1000000'",
      `amount: '${'1'.repeat(60)}'`,
      'amount',
      'arrivals[0].amount is too long: it has 60 digits, and an amount has 38 at most',
    ],
    [
      'a number stands where an amount is meant',
      "budget: '60000000'",
      'budget: 60000000',
      'budget',
      "wallets[0].grant.budget: 60000000 is not an amount: decimal digits above zero, in quotes, such as '2500000'",
    ],
    [
      'a number stands where one amount or two are meant',
      "amount: '1000000'",
      'amount: 1000000',
      'amount',
      "arrivals[0].amount: 1000000 is not an amount in quotes, such as '2500000', or {least, most} of them",
    ],
    ['the seed is text', 'seed: 1', 'seed: one', 'seed', 'seed: "one" is not a whole number from 0 to 999999'],
    ['the seed is empty', 'seed: 1', 'seed:', 'seed', 'seed is empty: it is to be a whole number from 0 to 999999'],
    [
      'a span is longer than any',
      'bundles: { every: 8h, lifetime: 3d }',
      'bundles: { every: 8h, lifetime: 36501d }',
      'bundles',
      'authority.bundles.lifetime is too long: a span is 36500d at most',
    ],
    [
      'a span has more digits than numbers',
      'bundles: { every: 8h, lifetime: 3d }',
      `bundles: { every: 8h, lifetime: ${'9'.repeat(400)}d }`,
      'bundles',
      'authority.bundles.lifetime is too long: a span is 36500d at most',
    ],
    [
      'it lasts longer than ten years',
      'duration: 1h',
      'duration: 3661d',
      'duration',
      'duration is too long: 3660d of simulated time are the most',
    ],
    [
      'it begins when clocks do that forget the time',
      'begins: 2026-06-01T05:00:00Z',
      'begins: 1970-06-01T05:00:00Z',
      'begins',
      'begins is too early: clocks that forget the time say 1970; 1971-01-01T00:00:00Z is the first',
    ],
    [
      'it begins when certificates have no years any more',
      'begins: 2026-06-01T05:00:00Z',
      'begins: 9999-12-31T05:00:00Z',
      'begins',
      'begins is too late: it is to be before 2100-01-01T00:00:00Z',
    ],
    [
      'a pattern comes to more payments than can be kept',
      '{ every: 10m }',
      '{ every: 1ms }',
      'every: 1ms',
      'arrivals[0].pattern: it comes to 3300000 payments, and 1000000 are the most',
    ],
    [
      'bundles are issued without end',
      'bundles: { every: 8h, lifetime: 3d }',
      'bundles: { every: 1ms, lifetime: 3d }',
      'bundles',
      'authority.bundles.every: bundles would be issued 3600000 times, and 100000 are the most',
    ],
    [
      'a key is neither seeded nor in a file',
      'root-1: seeded',
      'root-1: sown',
      'root-1',
      'keys.root-1: "sown" is not seeded, or {file: …} with a private key',
    ],
    [
      'a fault is not as there are',
      'wallets:\n',
      'faults: [{ devices: gate-1, forged: twice }]\nwallets:\n',
      'faults',
      'faults[0].forged: "twice" is not one of stranger, altered',
    ],
    [
      'a share is more than all',
      'wallets:\n',
      'faults: [{ devices: gate-1, lost: true, share: 2 }]\nwallets:\n',
      'faults',
      'faults[0].share: 2 is not a number above 0, and 1 at most',
    ],
    [
      'an object is empty',
      '    grant: {',
      '    grant:\n    # {',
      'grant:',
      'wallets[0].grant is empty: it is to be an object',
    ],
    [
      'text is longer than is to be told',
      'duration: 1h',
      `duration: ${'x'.repeat(1000)}`,
      'duration',
      `duration: "${'x'.repeat(30)}…" (1000 characters) is not a whole number with its unit: ms, s, m, h or d, such as 90s or 7d`,
    ],
    [
      'more grants are revoked than there are wallets',
      'wallets:\n',
      'actions: [{ at: 1m, revokeGrants: { wallets: riders, count: 3 } }]\nwallets:\n',
      'actions',
      'actions[0].revokeGrants.count is 3, and there is 1 wallet called riders',
    ],
    [
      'the file of a fleet is missing',
      '    - { deviceId: gate-1, merchant: did:web:metro.example, category: transit, region: EU }\n',
      '    nowhere.csv\n',
      'devices:',
      'fleet.devices: fleet file: cannot read nowhere.csv: no such file or folder',
    ],
    [
      'a time has no zone',
      'begins: 2026-06-01T05:00:00Z',
      'begins: 2026-06-01',
      'begins',
      'begins: "2026-06-01" is not an RFC 3339 time with a zone, such as 2026-06-01T06:00:00Z',
    ],
    [
      'a key is not there',
      'rootKey: root-1',
      'rootKey: root-9',
      'rootKey: root-9',
      'authority.rootKey: there is no key root-9 among keys',
    ],
    [
      'wallets are not there',
      'wallets: riders',
      'wallets: drivers',
      'wallets: drivers',
      'arrivals[0].wallets: there are no wallets called drivers',
    ],
    [
      'a device is not there',
      'devices: gate-1',
      'devices: door-*',
      'devices: door',
      'arrivals[0].devices: there is no device door-*',
    ],
    [
      'an image is missing',
      '  devices:\n    - { deviceId: gate-1, merchant: did:web:metro.example, category: transit, region: EU }\n',
      '',
      'fleet:',
      'fleet: either images are needed, or policy and devices',
    ],
    [
      'a column of a device is unknown',
      'region: EU }',
      'region: EU, colour: red }',
      'colour',
      /^fleet\.devices\[0\]\.colour: there is no column "colour" \(deviceId, /,
    ],
    [
      'a device lacks what the provisioning wants',
      'category: transit, ',
      '',
      'gate-1',
      'fleet.devices[0]: category is missing',
    ],
    [
      'a device shares its id',
      'region: EU }',
      'region: EU, count: 2 }',
      'gate-1',
      'fleet.devices[0].deviceId has no {n}, and there are several',
    ],
    [
      'the site has an unknown member',
      '      profile: full',
      '      profil: full',
      'profil',
      'there is no member fleet.policy.site.profil',
    ],
    [
      'a payer pays between more and less',
      "amount: '1000000'",
      "amount: { least: '5', most: '4' }",
      'amount:',
      'arrivals[0].amount: least is more than most',
    ],
    [
      'payers come until before they come',
      'from: 5m',
      'from: 5m\n    until: 4m',
      'until',
      'arrivals[0].until is not after from',
    ],
    [
      'a fault begins after the end',
      'wallets:\n',
      'faults: [{ devices: gate-1, at: 2h, lost: true }]\nwallets:\n',
      'faults',
      'faults[0].at is after the end of the scenario',
    ],
    [
      'something is done to wallets that are not there',
      'wallets:\n',
      'actions:\n  - { at: 1m, issueBundles: true }\n  - { at: 1m, revokeGrants: { wallets: nobody } }\nwallets:\n',
      'nobody',
      'actions[1].revokeGrants.wallets: there are no wallets called nobody',
    ],
    [
      'sessions are to end, and there are none',
      'wallets:\n',
      'expect:\n  settledAtLeast: 1\nwallets:\n',
      'settledAtLeast',
      'expect.settledAtLeast is 1, and no session ever ends: no arrivals have a session',
    ],
    [
      'a cut that is torn is to last for a time',
      'wallets:\n',
      'faults: [{ devices: gate-1, powerCuts: { rate: 1/h, off: 1h, torn: true } }]\nwallets:\n',
      'faults',
      'faults[0].powerCuts.off is for cuts that are not torn: after a torn one a device is back after a minute',
    ],
    [
      'a value of the site is none of those there are',
      'rail: xrpl',
      'rail: sepa',
      'rail',
      /^fleet\.policy\.site\.terminal\.rail: "sepa" is not one of xrpl, /,
    ],
    [
      'a value of the site is of another type',
      'grantIssuers: [pa.metro.example]',
      'grantIssuers: pa.metro.example',
      'grantIssuers',
      'fleet.policy.site.grantIssuers: "pa.metro.example" is not a list',
    ],
    [
      'a number of the site is too large',
      'profile: full',
      'driftMs: 600001',
      'driftMs',
      /^fleet\.policy\.site\.driftMs: 600001 is more than \d+$/,
    ],
    [
      'an issuer of the site is none',
      'grantIssuers: [pa.metro.example]',
      'grantIssuers: [pa.metro.example, 5]',
      'grantIssuers',
      'fleet.policy.site.grantIssuers[1]: 5 is not text or an object',
    ],
    [
      'the unit of the site is of no kind',
      'unit: { kind: atomic }',
      'unit: { kind: whole }',
      'unit',
      'fleet.policy.site.terminal.unit.kind: "whole" is not one of atomic, fiat',
    ],
    [
      'the unit of the site lacks its currency',
      'unit: { kind: atomic }',
      'unit: { kind: fiat }',
      'unit',
      'fleet.policy.site.terminal.unit.currency is missing',
    ],
    [
      'nobody has time to hand in',
      'title: A small one',
      'title: A small one\nsettle: 1s',
      'settle',
      'settle is too short: a device hands in ten seconds after a payment, 1m is the least',
    ],
    [
      'a code is none',
      'wallets:\n',
      'expect: { never: [STORE_FUL] }\nwallets:\n',
      'expect',
      'expect.never[0]: "STORE_FUL" is not a reason code, such as KEY_REVOKED',
    ],
  ])('%s', async (_, before, after, at, reason) => {
    const text = with_(before, after);
    const [only, ...more] = await told(text);
    expect(more).toEqual([]);
    const place = `scenario.yaml, line ${lineWith(text, at)}: `;
    expect(only?.slice(0, place.length)).toBe(place);
    if (typeof reason === 'string') expect(only?.slice(place.length)).toBe(reason);
    else expect(only?.slice(place.length)).toMatch(reason);
  });

  it('devices are named with many stars, which takes no longer than with one', () => {
    const deviceId = 'a'.repeat(62);
    const text = (devices: string) =>
      changedScenario((scenario) => {
        scenario.fleet.devices[0].deviceId = deviceId;
        scenario.arrivals[0].devices = devices;
      });
    const found = (text: string) => {
      const read = readScenario(bench.write('stars.yaml', text));
      return 'problems' in read ? read.problems.map(({ reason }) => reason) : [];
    };
    const devices = `${'*a'.repeat(14)}z`;
    expect(found(text(devices))).toEqual([expect.stringContaining(`there is no device ${devices}`)]);
    for (const named of ['*', 'a*', '*a', 'a*a*a', `${'*a'.repeat(14)}*`, deviceId])
      expect(found(text(named)), named).toEqual([]);
    for (const named of [`${deviceId}*a`, 'b*', '*b', 'a*b*a']) expect(found(text(named)), named).toHaveLength(1);
  });

  it('an image file is missing', async () => {
    const text = changedScenario((scenario) => {
      scenario.fleet = { images: ['nowhere.img'] };
    });
    expect(await told(text)).toEqual([
      `scenario.yaml, line ${lineWith(text, 'nowhere.img')}: fleet.images[0]: image: cannot read nowhere.img: no such file or folder`,
    ]);
  });

  it('an image has another key by the name of one of its keys', async () => {
    const read = readScenario(bench.write('other.yaml', SMALL), 7);
    if (!('scenario' in read)) throw new Error('it was refused');
    bench.write('gate-1.img', wholeImage(read.scenario.devices[0]?.image as Uint8Array));
    const text = changedScenario((scenario) => {
      scenario.fleet = { images: ['gate-1.img'] };
    });
    expect(await told(text)).toEqual([
      `scenario.yaml, line ${lineWith(text, 'gate-1.img')}: fleet.images[0]: gate-1.img: its root key root-1 is another key than root-1 of this scenario`,
    ]);
  });

  it('a key file is missing', async () => {
    const text = with_('root-1: seeded', 'root-1: { file: nowhere.jwk }');
    expect((await told(text))[0]).toBe(
      `scenario.yaml, line ${lineWith(text, 'nowhere.jwk')}: keys.root-1: key: cannot read nowhere.jwk: no such file or folder`,
    );
  });

  it('it is no YAML', async () => {
    expect((await told(with_('keys:', 'keys: {')))[0]).toMatch(
      /^scenario\.yaml, line \d+: it is no YAML as it is meant: /,
    );
  });

  it('its aliases stand for more than memory holds', async () => {
    const nested = Array.from({ length: 8 }, (_, i) => {
      const items = Array.from({ length: 9 }, () => (i === 0 ? 'x' : `*a${i - 1}`));
      return `a${i}: &a${i} [${items.join(', ')}]`;
    });
    expect(await told(`${nested.join('\n')}\n${SMALL}`)).toEqual([
      'scenario.yaml, line 6: aliases up to here stand for more than 100000 values',
    ]);
  });

  it('what an alias stands for is wrong, with the line where that stands', async () => {
    const text = with_("    grant: { budget: '60000000' }", '    grant: &terms\n      budget: 5').replace(
      'arrivals:\n',
      '  - { name: others, issuer: riders.example, key: riders-1, grant: *terms }\narrivals:\n',
    );
    const reason = "5 is not an amount: decimal digits above zero, in quotes, such as '2500000'";
    expect(await told(text)).toEqual(
      [0, 1].map((i) => `scenario.yaml, line ${lineWith(text, 'budget')}: wallets[${i}].grant.budget: ${reason}`),
    );
  });

  it('several devices of one line are wrong, each by its place', async () => {
    const row = '{ deviceId: gate-N, category: transit, region: EU }';
    const rows = ['1', '2'].map((n) => row.replace('N', n)).join(', ');
    const text = changedScenario(() => undefined).replace(/ {2}devices:\n( {4}.*\n)+/, `  devices: [${rows}]\n`);
    expect(await told(text)).toEqual(
      [0, 1].map((i) => `scenario.yaml, line ${lineWith(text, 'gate-1')}: fleet.devices[${i}]: merchant is missing`),
    );
  });

  it('a device of several has no image, which is all that is told', async () => {
    const read = readScenario(bench.write('other.yaml', SMALL));
    if (!('scenario' in read)) throw new Error('it was refused');
    bench.write('gate-1.img', wholeImage(read.scenario.devices[0]?.image as Uint8Array));
    const text = changedScenario((scenario) => {
      scenario.fleet = { images: ['gate-1.img', 'gate-2.img'] };
      scenario.arrivals[0].devices = ['gate-1', 'gate-2'];
    });
    expect(await told(text)).toEqual([
      `scenario.yaml, line ${lineWith(text, 'gate-2.img')}: fleet.images[1]: image: cannot read gate-2.img: no such file or folder`,
    ]);
  });

  it('a member is called __proto__, which an object would hide', async () => {
    const text = with_('root-1: seeded', '__proto__: { root-1: seeded }');
    expect(await told(text)).toEqual([
      `scenario.yaml, line ${lineWith(text, '__proto__')}: it is no YAML as it is meant: no member is called __proto__`,
    ]);
  });

  it('two images are of one device', async () => {
    const read = readScenario(bench.write('other.yaml', SMALL));
    if (!('scenario' in read)) throw new Error('it was refused');
    const image = wholeImage(read.scenario.devices[0]?.image as Uint8Array);
    bench.write('gate-1.img', image);
    bench.write('copy.img', image);
    const text = changedScenario((scenario) => {
      scenario.fleet = { images: ['gate-1.img', 'copy.img'] };
    });
    expect(await told(text)).toEqual([
      `scenario.yaml, line ${lineWith(text, 'copy.img')}: fleet.images[1]: copy.img: device gate-1 has an image already, gate-1.img`,
    ]);
  });

  it('the file of a policy is missing', async () => {
    const text = changedScenario((scenario) => {
      scenario.fleet.policy = 'nowhere.json';
    });
    expect(await told(text)).toEqual([
      `scenario.yaml, line ${lineWith(text, 'nowhere.json')}: fleet.policy: policy: cannot read nowhere.json: no such file or folder`,
    ]);
  });

  it('a key file holds no key', async () => {
    bench.write('root.jwk', '{}');
    const text = with_('root-1: seeded', 'root-1: { file: root.jwk }');
    expect(await told(text)).toEqual([
      `scenario.yaml, line ${lineWith(text, 'root.jwk')}: keys.root-1: root.jwk: the JSON is no JWK: it has no kty`,
    ]);
  });

  it.each([
    [
      'a second document begins',
      `${SMALL}---\ntitle: Another\n`,
      '---',
      'a second document begins here; a file has one',
    ],
    [
      'lines are indented with tabs, which is told once',
      SMALL.replaceAll('\n      ', '\n\t'),
      '\tprofile',
      'the line begins with a tab; members are indented with blanks',
    ],
    ['a bracket is not closed', SMALL.replace('3d }', '3d'), 'fleet:', /a bracket is not closed$/],
    [
      'the name of a member is a list',
      SMALL.replace('title:', '? [a, b]\n: 1\ntitle:'),
      '? [a',
      'a list or an object stands where the name of a member is meant',
    ],
    ['a value has a tag', SMALL.replace('seed: 1', 'seed: !int 1'), 'seed', /^it has a tag/],
  ])('it is no YAML as it is meant: %s', async (_, text, at, reason) => {
    const [only, ...more] = await told(text);
    expect(more).toEqual([]);
    const begins = `scenario.yaml, line ${lineWith(text, at)}: it is no YAML as it is meant: `;
    expect(only?.slice(0, begins.length)).toBe(begins);
    if (typeof reason === 'string') expect(only?.slice(begins.length)).toBe(reason);
    else expect(only?.slice(begins.length)).toMatch(reason);
  });

  it('lists stand in one another without end', async () => {
    const findings = await told(`${SMALL}links: ${'['.repeat(100_000)}${']'.repeat(100_000)}\n`);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatch(/lists and objects stand in one another too deeply$/);
  });

  it.each([
    ['stands for nothing', '[*nobody]', '*nobody stands for nothing: there is no &nobody above it'],
    ['stands within itself', '&all [*all]', '*all stands within what it stands for'],
  ])('an alias %s', async (_, links, reason) => {
    const text = `${SMALL}links: ${links}\n`;
    expect(await told(text)).toEqual([`scenario.yaml, line ${lineWith(text, 'links')}: ${reason}`]);
  });

  it('it says that it is of another YAML', async () => {
    expect(await told(`%YAML 1.1\n---\n${SMALL}`)).toEqual([
      'scenario.yaml, line 1: it says that it is YAML 1.1; a scenario is YAML 1.2',
    ]);
  });

  it('a fleet file has thousands of lines of junk, of which it tells the first', async () => {
    bench.write('junk.csv', `deviceId,merchant,category\n${'junk\n'.repeat(5000)}`);
    const { code, stderr } = await bench.sim(
      changedScenario((scenario) => {
        scenario.fleet.devices = 'junk.csv';
      }),
    );
    expect(code).toBe(2);
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(22);
    expect(lines[0]).toContain('junk.csv, line 2: ');
    expect(lines.at(-2)).toBe('and 4980 more');
    expect(lines.at(-1)).toBe('mpcp-embedded sim run: 5000 findings, nothing was run');
  });

  it('members are there twice, each of which is told', async () => {
    const text = with_('duration: 1h', 'duration: 1h\nduration: 2h').replace(
      'key: riders-1',
      'key: riders-1\n    key: riders-2',
    );
    expect(await told(text)).toEqual(
      [6, lineWith(text, 'key: riders-2')].map(
        (line) => `scenario.yaml, line ${line}: it is no YAML as it is meant: this member stands there twice`,
      ),
    );
  });

  it('a member is there twice', async () => {
    const text = with_('duration: 1h', 'duration: 1h\nduration: 2h');
    expect((await told(text))[0]).toBe(
      'scenario.yaml, line 6: it is no YAML as it is meant: this member stands there twice',
    );
  });
});

describe('what is run, and noted with its line:', () => {
  it.each([
    [
      'a key that nobody uses',
      'root-1: seeded',
      'root-1: seeded\n  root-2: seeded',
      'root-2',
      'keys.root-2: nobody uses it',
    ],
    [
      'an issuer of grants that no site lists',
      'grantIssuers: [pa.metro.example]',
      'grantIssuers: [pa.other.example]',
      'issuer: pa',
      'authority.issuer: no site lists pa.metro.example with key grants-1 among its grantIssuers: every grant will be refused',
    ],
    [
      'an issuer of budgets that no site lists',
      '[riders.example] }',
      '[others.example] }',
      'issuer: riders',
      'wallets[0].issuer: no site lists riders.example with key riders-1 among its sbaIssuers of pa.metro.example: all that riders pay will be refused',
    ],
    [
      'an issuer that sites list with another key',
      'grantIssuers: [pa.metro.example]',
      'grantIssuers: [{ issuer: pa.metro.example, kids: [grants-2] }]',
      'issuer: pa',
      'authority.issuer: no site lists pa.metro.example with key grants-1 among its grantIssuers: every grant will be refused',
    ],
  ])('%s', async (_, before, after, at, reason) => {
    const text = with_(before, after);
    const { code, stdout, stderr } = await bench.sim(text);
    expect(stderr).toBe(`note: ${bench.path('scenario.yaml')}, line ${lineWith(text, at)}: ${reason}\n`);
    expect([code, stdout]).toEqual([0, expect.stringContaining('payments')]);
  });

  it('nothing of the small scenario', async () => {
    expect((await bench.sim(SMALL)).stderr).toBe('');
  });
});

it('tells all that is wrong at once', async () => {
  const findings = await told(with_('duration: 1h', 'duration: 1x').replace('seed: 1', 'seed: one'));
  expect(findings).toHaveLength(2);
});

describe('whatever stands in the place of a value', () => {
  const whole = changedScenario((scenario) => {
    scenario.settle = '2h';
    scenario.hardware = { ledger: '64KiB', journal: '256KiB', clockBattery: true };
    scenario.wallets[0] = {
      ...scenario.wallets[0],
      count: 2,
      grant: {
        budget: '60000000',
        single: '60000000',
        cumulative: '60000000',
        velocity: { payments: 9, within: '1h' },
        lifetime: '3d',
      },
    };
    scenario.arrivals[0] = {
      ...scenario.arrivals[0],
      until: '50m',
      hostile: { share: 0.5, classes: ['late'] },
      retry: { after: '1m', times: 2 },
    };
    scenario.links = [
      { devices: 'gate-1', pattern: { cycle: { up: '10m', down: '1m' } } },
      { devices: ['gate-1'], pattern: { outage: { at: '1m', for: '1m' } } },
    ];
    scenario.faults = [
      { devices: 'gate-1', at: '1m', for: '9m', share: 0.5, to: 'authority', status: { code: 503, retryAfter: '1m' } },
      { devices: 'gate-1', drip: { bytes: '1B', every: '1s' } },
      { devices: 'gate-1', flash: { partition: 'ledger', what: 'bad-block', blocks: 2 } },
      { devices: 'gate-1', powerCuts: { rate: '1/h', off: '1m', torn: false } },
      { devices: 'gate-1', clockDrift: { ppm: 5 } },
      { devices: 'gate-1', forged: 'stranger' },
    ];
    scenario.actions = [
      { at: '9m', revokeGrants: { wallets: 'riders', count: 1 } },
      { at: '9m', provision: { devices: '*', rootKeys: ['root-1'], within: '1m' } },
    ];
    scenario.expect = { approvedAtLeast: 0, refusedAtLeast: 0, never: ['STORE_FULL'], some: ['KEY_REVOKED'] };
  });
  const places: (readonly (string | number)[])[] = [];
  const walk = (value: unknown, path: readonly (string | number)[]): void => {
    if (path.length > 0) places.push(path);
    if (typeof value !== 'object' || value === null) return;
    for (const [name, part] of Object.entries(value)) walk(part, [...path, Array.isArray(value) ? Number(name) : name]);
  };
  walk(parse(whole), []);

  it('is taken in itself', () => {
    expect(readScenario(bench.write('whole.yaml', whole))).not.toHaveProperty('problems');
    expect(places.length).toBeGreaterThan(100);
  });

  it.each([[null], [5], [-1], [1.5], [1e30], ['x'], [''], [true], [[]], [[null]], [{}], [{ x: 1 }]])(
    'as %j, a finding has its line, names a member, and is in words of its own',
    (wrong) => {
      for (const path of places) {
        const scenario = parse(whole);
        const last = path[path.length - 1] as string;
        const parent = path.slice(0, -1).reduce((value, name) => value[name], scenario);
        parent[last] = wrong;
        const read = readScenario(bench.write('scenario.yaml', stringify(scenario)));
        if (!('problems' in read)) continue;
        for (const { line, reason } of read.problems) {
          const told = `${path.join('.')}, line ${line}: ${reason}`;
          expect(line, told).toBeGreaterThan(0);
          expect(Object.keys(parse(whole)), told).toContain(/^(?:there is no member )?(\w+)/.exec(reason)?.[1]);
          expect(told).not.toMatch(/invalid|expected|received|undefined|NaN|\[object|infinity|unrecognized/i);
        }
      }
    },
  );
});
