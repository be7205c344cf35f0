// The page of an exposure: how long devices take to know a revocation, and what it costs meanwhile, against the refresh interval.

import { spanAxis, spanText } from '../report/axis.ts';
import { lineChart } from '../report/chart.ts';
import { html, type Markup } from '../report/markup.ts';
import { keyFigures, reportPage } from '../report/page.ts';
import { table } from '../report/table.ts';
import type { Excess, Exposure, ExposureRow } from './exposure.ts';
import { excessText, HEADINGS, lateText, rowTexts, type Summary, summaryOf } from './summary.ts';

/** The page, as the text of an HTML file. */
export function exposurePage(exposure: Exposure): string {
  const { title, seeds, devices, revocations, rows, late, excesses, violations } = exposure;
  const broken = late.length + excesses.length + violations.length;
  return reportPage({
    title: `${title}: exposure against refresh interval`,
    lead: html`<p>How long devices take to know that a grant or a key is revoked, measured in simulated time on the core that devices run, and what
they accept meanwhile under what was revoked. The scenario ran with each interval and ${seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds[0]} to ${seeds.at(-1)}`}, without an urgent message and with one.</p>
<div class="outcome${broken > 0 && ' bad'}" data-outcome="${broken > 0 ? 'broken' : 'kept'}"><p>${broken > 0 ? 'A rule is broken' : 'No device is exposed for longer than its bound'}</p>
${late.length > 0 && html`<p>${late.length} took longer: ${lateText(late[0] as Exposure['late'][number])}</p>`}
${excesses.length > 0 && html`<p>${excessText(excesses[0] as Excess)}</p>`}
${violations.length > 0 && html`<p>${violations[0]?.device}: ${violations[0]?.detail}</p>`}</div>
${keyFigures([
  ['devices', devices],
  ['revocations', revocations.length],
  ['runs', rows.length * seeds.length],
])}`,
    sections: [
      {
        heading: 'Until devices know it',
        id: 'time',
        content: html`${timeChart(exposure)}<p class="soft">The bound is of a device that is connected all the time: a request under way that still brings what was
before, the interval, and the request that brings the revocation. A device whose link was down asks within half an hour when it is back.</p>`,
      },
      {
        heading: 'What is accepted meanwhile',
        id: 'amount',
        content: html`${amountChart(exposure)}<p class="soft">The caps of the revoked grants allow ${String(exposure.capMinor)} at most in one run, on all devices together.</p>`,
      },
      {
        heading: 'Figures',
        id: 'figures',
        content: table({
          caption: 'For each interval, all runs and revocations together',
          name: 'exposure',
          columns: HEADINGS.map((name, i) => (i === 0 ? name : { name, numbers: true })),
          rows: rows.map((row) => rowTexts(row, exposure)),
        }),
      },
      {
        heading: 'Revocations',
        id: 'revocations',
        content: table({
          caption: 'What the scenario revokes, and when',
          columns: ['What', { name: 'After', numbers: true }],
          rows: revocations.map(({ what, atMs }) => [what, spanText(atMs)]),
        }),
      },
    ],
  });
}

function timeChart({ rows }: Exposure): Markup {
  const line = (isUrgent: boolean, value: (summary: Summary, row: ExposureRow) => number | undefined) =>
    rows
      .filter((row) => row.isUrgent === isUrgent)
      .map((row) => [row.intervalMs, value(summaryOf(row), row) ?? null] as const);
  const most = Math.max(...rows.map((row) => Math.max(row.connectedMs, summaryOf(row).mostMs ?? 0)));
  return lineChart({
    title: 'Time from a revocation until devices know it',
    description:
      'Percentiles over devices against the refresh interval, with the bound of connected devices; and the same percentiles where an urgent message goes out with the revocation.',
    height: 320,
    x: intervalAxis(rows),
    y: spanAxis('until it is known', most),
    series: [
      { name: 'half of the devices', points: line(false, ({ p50Ms }) => p50Ms), tone: 'series-1', marked: true },
      { name: 'nine of ten', points: line(false, ({ p90Ms }) => p90Ms), tone: 'series-2', marked: true },
      { name: 'the last one', points: line(false, ({ mostMs }) => mostMs), tone: 'series-5', marked: true },
      { name: 'bound, connected', points: line(false, (_, { connectedMs }) => connectedMs), tone: 'off', dashed: true },
      { name: 'urgent: half', points: line(true, ({ p50Ms }) => p50Ms), tone: 'series-3', marked: true },
      { name: 'urgent: nine of ten', points: line(true, ({ p90Ms }) => p90Ms), tone: 'series-4', marked: true },
      { name: 'urgent: the last one', points: line(true, ({ mostMs }) => mostMs), tone: 'series-6', marked: true },
    ],
  });
}

function amountChart({ rows, seeds, capMinor }: Exposure): Markup {
  const line = (isUrgent: boolean) =>
    rows
      .filter((row) => row.isUrgent === isUrgent)
      .map(({ intervalMs, amountMinor }) => [intervalMs, Number(amountMinor) / seeds.length] as const);
  return lineChart({
    title: 'Approved under what was revoked, in one run, in the terminals’ unit',
    description: `Amounts against the refresh interval, without and with an urgent message. The caps of the grants allow ${capMinor} at most.`,
    x: intervalAxis(rows),
    y: { name: 'amount', least: 0 },
    series: [
      { name: 'without a message', points: line(false), tone: 'series-1', marked: true },
      { name: 'with an urgent message', points: line(true), tone: 'series-3', marked: true },
    ],
  });
}

function intervalAxis(rows: readonly ExposureRow[]) {
  return spanAxis('refresh interval', Math.max(...rows.map(({ intervalMs }) => intervalMs)));
}
