// A scenario file that cannot be used is told with file, line and reason, all of it at once, and nothing is run.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
      'duration: expected string, received number',
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
      'a rate has no unit',
      '{ every: 10m }',
      '{ poisson: 12 }',
      'poisson',
      'arrivals[0].pattern.poisson: expected string, received number',
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
      'to is for what is wrong with a network',
    ],
    [
      'a share is given for a clock',
      'arrivals:\n',
      'faults:\n  - { devices: gate-1, clockReset: true, share: 0.5 }\narrivals:\n',
      '- { devices: gate-1, clockReset',
      'share is for what is wrong with a network, and for answersLost',
    ],
    [
      'an amount is none',
      "amount: '1000000'",
      "amount: '1.5'",
      'amount',
      'arrivals[0].amount: "1.5" is not an amount: decimal digits above zero, in quotes',
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
      'there is no key root-9 among keys',
    ],
    [
      'wallets are not there',
      'wallets: riders',
      'wallets: drivers',
      'wallets: drivers',
      'there are no wallets called drivers',
    ],
    ['a device is not there', 'devices: gate-1', 'devices: door-*', 'devices: door', 'there is no device door-*'],
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
      /^there is no column "colour" \(deviceId, /,
    ],
    ['a device lacks what the provisioning wants', 'category: transit, ', '', 'gate-1', 'category is missing'],
    [
      'a device shares its id',
      'region: EU }',
      'region: EU, count: 2 }',
      'gate-1',
      'deviceId has no {n}, and there are several',
    ],
    [
      'the site has an unknown member',
      '      profile: full',
      '      profil: full',
      'profil',
      'site configuration: profil: there is no such member',
    ],
    [
      'a code is none',
      'wallets:\n',
      'expect: { never: [STORE_FUL] }\nwallets:\n',
      'expect',
      'expect.never[0] is no reason code',
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

  it('an image file is missing', async () => {
    const text = changedScenario((scenario) => {
      scenario.fleet = { images: ['nowhere.img'] };
    });
    expect(await told(text)).toEqual([
      `scenario.yaml, line ${lineWith(text, 'nowhere.img')}: image: cannot read nowhere.img: no such file or folder`,
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
      `scenario.yaml, line ${lineWith(text, 'gate-1.img')}: gate-1.img: its root key root-1 is another key than root-1 of this scenario`,
    ]);
  });

  it('a key file is missing', async () => {
    const text = with_('root-1: seeded', 'root-1: { file: nowhere.jwk }');
    expect((await told(text))[0]).toBe(
      `scenario.yaml, line ${lineWith(text, 'nowhere.jwk')}: key root-1: key: cannot read nowhere.jwk: no such file or folder`,
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
    expect((await told(`${nested.join('\n')}\n${SMALL}`))[0]).toMatch(
      /^scenario\.yaml: its aliases cannot be followed: /,
    );
  });

  it('a member is there twice', async () => {
    const text = with_('duration: 1h', 'duration: 1h\nduration: 2h');
    expect((await told(text))[0]).toMatch(
      /^scenario\.yaml, line 6: it is no YAML as it is meant: Map keys must be unique/,
    );
  });
});

it('tells all that is wrong at once', async () => {
  const findings = await told(with_('duration: 1h', 'duration: 1x').replace('seed: 1', 'seed: one'));
  expect(findings).toHaveLength(2);
});
