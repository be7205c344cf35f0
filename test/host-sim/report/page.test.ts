// The page of a report: what it is put together from stays text, and the same contents are the same bytes.

import { describe, expect, it } from 'vitest';
import { spanAxis, spanText } from '../../../host-sim/report/axis.ts';
import { barChart, laneChart, lineChart } from '../../../host-sim/report/chart.ts';
import { escaped, html } from '../../../host-sim/report/markup.ts';
import { reportPage } from '../../../host-sim/report/page.ts';
import { table } from '../../../host-sim/report/table.ts';

const HOSTILE = `"><script>alert('x')</script><img src=x onerror=alert(1)>&$&$'$1`;
/** Elements and attributes that load or run something. */
const DANGEROUS =
  /^<(script|img|iframe|object|embed|link|base|form|foreignObject|use|image)\b|\s(on\w+|href|src|srcset|xlink:href|data|action)=/i;

const x = spanAxis('time', 3_600_000);
const charts = (name: string) => [
  lineChart({
    title: name,
    description: name,
    x,
    y: { name },
    series: [
      {
        name,
        points: [
          [0, 1],
          [3_600_000, 2],
        ],
      },
    ],
  }),
  barChart({ title: name, description: name, value: { name }, bars: [{ name, value: 3 }] }),
  laneChart({
    title: name,
    description: name,
    x,
    lanes: [{ name, spans: [{ from: 0, to: 1000, tone: 'warn' }], moments: [{ at: 5, tone: 'bad' }] }],
    y: { name },
    series: [
      {
        name,
        points: [
          [0, 1],
          [3_600_000, null],
        ],
      },
    ],
    legend: [[name, 'warn']],
  }),
];
const pageOf = (name: string) =>
  reportPage({
    title: name,
    lead: html`<p title="${name}">${name}</p>`,
    sections: [
      { heading: name, id: 'one', content: [table({ caption: name, columns: [name], rows: [[name]] }), charts(name)] },
    ],
  });

/** Everything of a page but its own styles. */
const written = (page: string) => page.replace(/<style>[\s\S]*?<\/style>/, '').replace(/<meta [^>]*>/g, '');
/** Its tags; what attributes say is left out, but where they lead on the page itself. */
const tags = (page: string) =>
  (written(page).match(/<[^>]*>/g) ?? []).map((tag) => tag.replace(/ href="#[\w-]+"/, '').replace(/="[^"]*"/g, '=""'));

describe('a page', () => {
  it('has whatever text it is given as text: in elements, attributes, tables and charts', () => {
    expect(tags(pageOf(HOSTILE)).filter((tag) => DANGEROUS.test(tag))).toEqual([]);
    expect(pageOf(HOSTILE)).toContain('&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;');
    const label = escaped(`${HOSTILE}. ${HOSTILE}`);
    const labels = [...pageOf(HOSTILE).matchAll(/<svg [^>]*aria-label="([^"]*)"/g)].map(([, said]) => said);
    expect(new Set(labels)).toEqual(new Set([label]));
  });

  it('shows characters that nobody sees, and those that turn the direction of reading', () => {
    expect(html`${'a\u0000b\u202ec\nd'}`.text).toBe('a\ufffdb\ufffdc\nd');
  });

  it('forbids itself to load, to run and to send anything', () => {
    expect(pageOf('plain')).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"`,
    );
    expect(written(pageOf('plain')).replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|\/\//);
  });

  it('is the same bytes each time, whatever was drawn before', () => {
    const once = pageOf('plain');
    charts('other');
    expect(pageOf('plain')).toBe(once);
  });

  it('has an id once', () => {
    const ids = [...pageOf('plain').matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.length).toBeGreaterThan(1);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('a span', () => {
  it.each([
    [0, '0'],
    [40, '40ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [10_500, '10s'],
    [125_000, '2m 5s'],
    [3_600_000, '1h'],
    [108_000_000, '1d 6h'],
    [86_399_999, '23h 59m'],
    [-1500, '-1.5s'],
  ])('of %d ms is %s', (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });

  it('has marks that are read with ease', () => {
    for (const [most, step] of [
      [100_800_000, 21_600_000],
      [3_600_000, 600_000],
      [1_209_600_000, 172_800_000],
    ] as const)
      expect(spanAxis('time', most)).toMatchObject({ least: 0, most, step });
  });
});
