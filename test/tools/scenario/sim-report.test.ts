// `sim run --report`: where it is written, that the same run is the same bytes, and what a browser makes of it.

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumFor } from '../../fixtures/chromium.ts';
import { run } from '../cli/run.ts';
import { changedScenario, ScenarioBench, SMALL } from './bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterAll(() => bench.remove());

const HOSTILE = `<script>document.title='run'</script><img src=https://evil.example/x onerror=alert(1)>"'&`;

/** Two gates, of which one is offline while a grant is revoked, an unsteady network, and names that are no names. */
const EVENTFUL = changedScenario((scenario) => {
  scenario.title = HOSTILE;
  scenario.fleet.devices[0] = { ...scenario.fleet.devices[0], deviceId: 'gate-{n}', count: 2 };
  scenario.wallets[0].name = HOSTILE;
  scenario.arrivals[0] = { ...scenario.arrivals[0], wallets: HOSTILE, devices: 'gate-*', pattern: { every: '4m' } };
  scenario.links = [{ devices: 'gate-2', pattern: { outage: { at: '10m', for: '30m' } } }];
  scenario.faults = [
    { devices: 'gate-*', at: '10m', for: '10m', latency: '2s' },
    { devices: 'gate-1', at: '12m', for: '20m', powerCuts: { rate: '12/h', off: '2m' } },
  ];
  scenario.actions = [
    { at: '20m', revokeGrants: { wallets: HOSTILE } },
    { at: '20m', urgent: 'gate-*' },
  ];
});

/** Two chargers, whose power fails while cars charge and whose readers lose answers, drivers who come again, and cheats. */
const NIGHT = changedScenario((scenario) => {
  scenario.title = HOSTILE;
  scenario.duration = '6h';
  scenario.settle = '1h';
  scenario.fleet.policy.site.reservationsLeft = 'settle';
  scenario.fleet.devices[0] = { ...scenario.fleet.devices[0], deviceId: 'park-{n}', count: 2 };
  scenario.wallets[0] = { ...scenario.wallets[0], name: HOSTILE, grant: { budget: '900000000' } };
  const [some] = scenario.arrivals;
  const session = { lasts: { least: '5m', most: '15m' }, delivered: { least: 0.1, most: 0.9 } };
  const cars = {
    ...some,
    wallets: HOSTILE,
    devices: 'park-1',
    pattern: { every: '12m' },
    retry: { after: '30s', times: 2 },
  };
  const hostile = { share: 1, classes: ['amount-raised', 'signature-zero'] };
  scenario.arrivals = [
    { ...cars, session },
    { ...cars, devices: 'park-2' },
    { ...some, wallets: HOSTILE, devices: 'park-2', pattern: { every: '30m' }, hostile },
  ];
  scenario.faults = [
    { devices: 'park-1', at: '1h', for: '2h', powerCuts: { rate: '6/h', off: '3m' } },
    { devices: 'park-*', at: '3h', for: '1h', answersLost: true, share: 0.7 },
  ];
});

let stdout: string;
beforeAll(async () => {
  ({ stdout } = await bench.sim(EVENTFUL, '--json', '--report', bench.path('report.html')));
});

describe('a report', () => {
  it('is the same bytes each time, and says nothing of when and where it was written', async () => {
    expect((await bench.sim(EVENTFUL, '--report', bench.path('again.html'))).code).toBe(0);
    expect(bench.text('again.html')).toBe(bench.text('report.html'));
    expect(bench.text('report.html')).not.toContain(new Date().toISOString().slice(0, 10));
    expect(bench.text('report.html')).not.toContain(bench.folder);
  });

  it('changes nothing of the run', async () => {
    expect((await bench.sim(EVENTFUL, '--json')).stdout).toBe(stdout);
  });

  it('is written where the run is not as expected too', async () => {
    const text = changedScenario((scenario) => {
      scenario.expect = { approvedAtLeast: 7 };
    });
    expect((await bench.sim(text, '--report', bench.path('unmet.html'))).code).toBe(1);
    expect(bench.text('unmet.html')).toContain('6 payments were approved, 7 are expected');
  });

  it('is refused, and nothing is run, where it cannot be written', async () => {
    mkdirSync(bench.path('folder'));
    bench.write('key.jwk', '{"kty":"OKP","crv":"Ed25519","x":"x","d":"d"}');
    for (const [path, reason] of [
      [bench.path('nowhere/report.html'), 'no such file or folder'],
      [bench.path('folder'), 'it is a folder'],
      [bench.path('key.jwk'), 'it holds a private key'],
      [bench.path('scenario.yaml'), "it is the scenario's file"],
      [bench.write('fleet.csv', 'deviceId,merchant'), 'there is a file that is no report'],
      ['-', 'a report is a file'],
      ['', 'the file has no name'],
    ] as const) {
      const { code, stdout, stderr } = await bench.sim(SMALL, '--report', path);
      expect([code, stdout, stderr.trimEnd().split('\n').length]).toEqual([2, '', 1]);
      expect(stderr).toContain(path);
      expect(stderr).toContain(reason);
    }
    expect(bench.text('scenario.yaml')).toBe(SMALL);
    expect(existsSync(bench.path('nowhere'))).toBe(false);
  });

  it.skipIf(!existsSync('/proc/self'))(
    'is refused, and nothing is run, where no file can be made (skipped without /proc)',
    async () => {
      for (const command of ['run', 'exposure']) {
        const keep = command === 'run' ? ['--keep', bench.path('kept')] : [];
        const { code, stdout, stderr } = await run(
          'sim',
          command,
          'host-sim/scenarios/exposure.yaml',
          '--report',
          '/proc/x',
          ...keep,
        );
        expect([code, stdout]).toEqual([2, '']);
        expect(stderr).toMatch(/cannot write \/proc\/x: no file can be made in \/proc: [^\n]+\n$/);
        expect(stderr.trimEnd().split('\n')).toHaveLength(1);
      }
      expect(existsSync(bench.path('kept'))).toBe(false);
    },
  );

  it('leaves nothing of the trial whether it can be written', async () => {
    mkdirSync(bench.path('tried'));
    const text = changedScenario((scenario) => {
      scenario.seed = 'none';
    });
    expect((await bench.sim(text, '--report', bench.path('tried/report.html'))).code).toBe(2);
    expect(readdirSync(bench.path('tried'))).toEqual([]);
  });
});

const executablePath = chromiumFor('reports of sim run in a browser');

describe.skipIf(executablePath === undefined)('a report in a browser', () => {
  let browser: Browser;
  let page: Page;
  // biome-ignore lint/suspicious/noExplicitAny: as the run prints it
  let result: any;
  const requests: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    result = JSON.parse(stdout.trimEnd().split('\n').at(-1) as string);
    // Chromium's own sandbox does not run under root.
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    browser = await chromium.launch({ executablePath: executablePath as string, args });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => {
      complaints.push(dialog.message());
      return dialog.dismiss();
    });
    await page.goto(pathToFileURL(bench.path('report.html')).href);
  });
  afterAll(() => browser?.close());

  /** What a table has, row by row. */
  const cells = (name: string) =>
    page
      .locator(`[data-table="${name}"] tbody tr`)
      .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')));

  it('loads nothing but itself, and has nothing to complain about', async () => {
    await page.evaluate('document.fonts.ready');
    expect(requests).toEqual([pathToFileURL(bench.path('report.html')).href]);
    expect(complaints).toEqual([]);
  });

  it('has names as text, whatever stands in them', async () => {
    expect(await page.title()).toBe(HOSTILE);
    expect(await page.locator('h1').textContent()).toBe(HOSTILE);
    expect(await page.locator('script, img, iframe, link, form').count()).toBe(0);
    expect((await cells('revocations'))[0]?.[0]).toBe(`1 grant of ${HOSTILE}`);
  });

  it('has the figures of the result', async () => {
    const figure = async (name: string) => Number(await page.locator(`[data-figure="${name}"]`).textContent());
    const refused = Object.values<number>(result.refused).reduce((sum, count) => sum + count, 0);
    expect(refused).toBeGreaterThan(0);
    for (const name of ['payments', 'approved', 'repeated', 'unanswered', 'acknowledged', 'events'])
      expect([name, await figure(name)]).toEqual([name, result[name]]);
    expect(await figure('refused')).toBe(refused);
    const byCode = (await cells('refusals')).map(([code, count]) => [code, Number(count)]);
    expect(Object.fromEntries(byCode)).toEqual(result.refused);
    const devices = await cells('devices');
    const sum = (column: number) => devices.reduce((all, row) => all + Number(row[column]), 0);
    expect(devices.map(([device]) => device)).toEqual(['gate-1', 'gate-2']);
    expect([sum(1), sum(2), sum(3)]).toEqual([result.approved, refused, result.unanswered]);
    expect(await page.locator('[data-outcome="passed"]').count()).toBe(1);
  });

  describe('of a night with sessions, lost answers and cheats', () => {
    // biome-ignore lint/suspicious/noExplicitAny: as the run prints it
    let events: any[];
    // biome-ignore lint/suspicious/noExplicitAny: as the run prints it
    let night: any;

    beforeAll(async () => {
      const ran = await bench.sim(NIGHT, '--json', '--report', bench.path('night.html'));
      expect(ran.code).toBe(0);
      events = ran.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      night = events.pop();
      await page.goto(pathToFileURL(bench.path('night.html')).href);
    });
    afterAll(() => page.goto(pathToFileURL(bench.path('report.html')).href));

    const lanesOf = (device: string) =>
      page.locator(`figure:has(> figcaption:text-is("${device}")) .wide svg text`).allTextContents();
    const sum = (rows: readonly string[][], column: number) => rows.reduce((all, row) => all + Number(row[column]), 0);

    it('has lanes for sessions, for payments without an answer, and for those that were answered again', async () => {
      for (const device of ['park-1', 'park-2'])
        expect(await lanesOf(device)).toEqual(expect.arrayContaining(['sessions', 'no answer', 'again']));
      const legend = await page.locator('figure:has(> figcaption:text-is("park-1")) .legend li').allTextContents();
      for (const name of [
        'session',
        'broken off as power went',
        'end of a session',
        'approved, and the payer not told',
      ])
        expect(legend.map((one) => one.trim())).toContainEqual(expect.stringContaining(name));
    });

    it('has the sessions of each device, and each that went otherwise', async () => {
      const rows = await cells('sessions');
      expect(rows.map(([device]) => device)).toEqual(['park-1', 'park-2']);
      const [begun, ...courses] = [1, 2, 3, 4, 5, 6].map((column) => sum(rows, column));
      expect(courses.reduce((all, one) => all + one)).toBe(begun);
      expect([begun, sum(rows, 6)]).toEqual([night.settled, 0]);
      expect(sum(rows, 3)).toBeGreaterThan(0);
      expect(sum(rows, 4)).toBeGreaterThan(0);
      expect((await cells('odd-sessions')).length).toBe(begun - sum(rows, 2));
    });

    it('has the payments without an answer, and what their payers were told in the end', async () => {
      expect(sum(await cells('unanswered'), 1)).toBe(night.unanswered);
      const rows = await cells('unanswered-payments');
      const first = events.filter(({ event, answer, retryOf }) => event === 'payment' && answer === 'none' && !retryOf);
      expect(rows.map(([device, payer]) => [device, payer])).toEqual(
        first.map(({ device, payer, hostile }) => [device, hostile === undefined ? payer : `${payer} (${hostile})`]),
      );
      const told = rows.map((row) => row.at(-1));
      expect(told.filter((text) => text?.startsWith('answered again after')).length).toBeGreaterThan(0);
      expect(told).toContain('nothing');
    });

    it('has cheats by class, with the codes that they were refused with', async () => {
      const codes = (counts: object) => Object.entries(counts).map(([code, count]) => `${code} ${count}`);
      expect((await cells('cheats')).map((row) => [row[0], Number(row[1]), row.at(-1)])).toEqual(
        // biome-ignore lint/suspicious/noExplicitAny: as the run prints it
        Object.entries<any>(night.cheats).map(([name, one]) => [name, one.attempts, codes(one.refused).join(', ')]),
      );
      expect(await page.locator('[data-outcome="cheats"]').count()).toBe(0);
    });

    it('has approvals that no payer was told of among its figures', async () => {
      const figure = async (name: string) => Number(await page.locator(`[data-figure="${name}"]`).textContent());
      expect(night.unheard.approved).toBeGreaterThan(0);
      expect([await figure('unheard-approved'), await figure('unheard-acknowledged')]).toEqual([
        night.unheard.approved,
        night.unheard.acknowledged,
      ]);
    });

    it('has names as text in all of it, and nothing to complain about', async () => {
      expect(await page.locator('h1').textContent()).toBe(HOSTILE);
      expect(await page.locator('script, img, iframe, link, form').count()).toBe(0);
      expect((await cells('unanswered-payments'))[0]?.[1]).toContain(HOSTILE);
      expect(complaints).toEqual([]);
    });

    it.each([1280, 400])('fits into %d pixels', async (width) => {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    });

    it('is the same bytes each time', async () => {
      await bench.sim(NIGHT, '--report', bench.path('night-again.html'));
      expect(bench.text('night-again.html')).toBe(bench.text('night.html'));
    });
  });

  it('has a heading for each part, and words for each chart and table', async () => {
    expect(await page.locator('h1').count()).toBe(1);
    expect(await page.locator('h2').allTextContents()).toEqual([
      'Devices over time',
      'Refusals',
      'Payments without an answer',
      'Latency',
      'Flash',
      'Exposure after a revocation',
    ]);
    for (const heading of await page.locator('nav a').all())
      expect(await page.locator((await heading.getAttribute('href')) as string).count()).toBe(1);
    for (const one of await page.locator('table').all())
      expect(await one.locator('caption').textContent()).toMatch(/\w/);
    const labels = await page.locator('figure svg[role="img"]').evaluateAll((all) => all.map((svg) => svg.ariaLabel));
    expect(labels.length).toBeGreaterThan(10);
    for (const label of labels) expect(label).toMatch(/\w+\. \w+/);
  });

  it.each([1280, 400])('fits into %d pixels, with every chart in it', async (width) => {
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    const figures = await page.locator('figure').all();
    expect(figures.length).toBeGreaterThan(5);
    for (const figure of figures) {
      const boxes = await figure
        .locator('svg[role="img"]:visible')
        .evaluateAll((all) =>
          all.map((svg) => svg.getBoundingClientRect()).map(({ x, width, height }) => ({ x, width, height })),
        );
      expect(boxes).toHaveLength(1);
      const [{ x, width: drawn, height }] = boxes as [{ x: number; width: number; height: number }];
      expect(drawn).toBeGreaterThan(300);
      expect(height).toBeGreaterThan(50);
      expect(x + drawn).toBeLessThanOrEqual(width);
    }
  });

  it('can be read in the dark', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    const colours = await page.evaluate<string[]>(`(() => {
      const of = (selector) => getComputedStyle(document.querySelector(selector));
      return [of('body').backgroundColor, of('body').color, of('figure .wide svg text').fill];
    })()`);
    await page.emulateMedia({ colorScheme: 'light' });
    const light = (colour: string) =>
      (colour.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
    const [ground, ...inks] = colours.map(light) as [number, ...number[]];
    expect(ground).toBeLessThan(150);
    for (const ink of inks) expect(ink).toBeGreaterThan(400);
  });

  it('tells of a broken rule, and what led there', async () => {
    // A device that nobody serves: what it has approved never gets anywhere.
    const text = changedScenario((scenario) => {
      scenario.settle = '1m';
      scenario.faults = [{ devices: 'gate-1', at: '1m', unreachable: true, to: 'operator' }];
    });
    const { code } = await bench.sim(text, '--report', bench.path('broken.html'));
    expect(code).toBe(1);
    await page.goto(pathToFileURL(bench.path('broken.html')).href);
    expect(await page.locator('[data-outcome="violation"]').textContent()).toContain(
      'every approval is acknowledged in the end',
    );
    const events = await cells('events');
    expect(events.length).toBeGreaterThan(5);
    expect(events.at(-1)?.slice(2, 4)).toEqual(['gate-1', 'violation']);
    expect(complaints).toEqual([]);
  });
});
