// Writes the report of a run: an HTML page of what was run, what came of it, and how each device fared.

import type { RunResult } from '../simulation/run.ts';
import type { TraceEvent } from '../simulation/trace.ts';
import { spanAxis, spanText } from './axis.ts';
import { barChart, type LineSeries, lineChart } from './chart.ts';
import { approvedCheats, cheatsSection } from './cheats-section.ts';
import { deviceTimeline } from './device-timeline.ts';
import { distributionOf, spanClasses } from './distribution.ts';
import { type Content, html, type Markup } from './markup.ts';
import { keyFigures, reportPage, type Section } from './page.ts';
import type {
  DeviceRecord,
  FlashMoment,
  HandInRecord,
  RequestRecord,
  RevocationRecord,
  RunRecord,
  StoreRecord,
} from './record.ts';
import { sessionsSection } from './sessions-section.ts';
import { table } from './table.ts';
import { unansweredSection } from './unanswered-section.ts';
import { numbers, percent, plural, sumOf, times } from './words.ts';

/** What was run. */
export interface RunTerms {
  readonly title: string;
  readonly seed: number;
  /** The name of the scenario's file. */
  readonly file: string;
  /** What the devices' core ran on. */
  readonly engine: string;
  /** Wall time at which it began. */
  readonly beginsMs: number;
  readonly durationMs: number;
  readonly settleMs: number;
  /** For how long a bundle is good. */
  readonly bundleLifetimeMs: number;
}

/** Of so many devices there is a timeline: of those that most happened to. All are in the tables. */
const TIMELINES = 24;
/** Events that led to a broken rule. */
const EVENTS = 200;

/** See the head of the file. The same run gives the same bytes. */
export function runReport(terms: RunTerms, result: RunResult, record: RunRecord): string {
  const { violation, settled, cheats } = result;
  const sections: (Section | false)[] = [
    violation !== undefined && {
      heading: 'What led to the broken rule',
      id: 'violation',
      content: leadingEvents(violation),
    },
    { heading: 'Devices over time', id: 'devices', content: devicesSection(terms, result, record) },
    settled !== undefined && { heading: 'Sessions', id: 'sessions', content: sessionsSection(record.devices) },
    { heading: 'Refusals', id: 'refusals', content: refusalsSection(record) },
    cheats !== undefined && { heading: 'Payers who cheat', id: 'cheats', content: cheatsSection(cheats) },
    { heading: 'Payments without an answer', id: 'unanswered', content: unansweredSection(record.devices) },
    { heading: 'Latency', id: 'latency', content: latencySection(record) },
    { heading: 'Flash', id: 'flash', content: flashSection(record) },
    { heading: 'Exposure after a revocation', id: 'exposure', content: exposureSection(record) },
  ];
  return reportPage({
    title: terms.title,
    lead: lead(terms, result, record),
    sections: sections.filter((section) => section !== false),
  });
}

function lead(terms: RunTerms, result: RunResult, record: RunRecord): Markup {
  const { payments, approved, repeated, settled, unanswered, unheard, acknowledged, events } = result;
  const { devices, endedMs } = record;
  const begins = new Date(terms.beginsMs).toISOString();
  return html`<p class="soft">${terms.file}, seed ${terms.seed}, engine ${terms.engine}: ${plural(devices.length, 'device')} from ${begins} on, for ${spanText(
    Math.min(terms.durationMs, endedMs),
  )}${record.settlesMs !== undefined && html`, and ${spanText(terms.settleMs)} in which links are up and nobody pays`}. All times are simulated, and count from the beginning.</p>
${outcome(result, endedMs)}${approvedCheats(result.cheats ?? {}, result.violation !== undefined)}${keyFigures([
  ['payments', figure('payments', payments)],
  ['approved', figure('approved', approved)],
  ['approved, at the operator', figure('acknowledged', acknowledged)],
  ['answered again', figure('repeated', repeated)],
  ...(settled === undefined ? [] : [['sessions that have ended', figure('settled', settled)] as const]),
  ['refused', figure('refused', refusedOf(result))],
  ['without an answer', figure('unanswered', unanswered)],
  ...(unheard.approved === 0
    ? []
    : ([
        ['no answer, yet approved', figure('unheard-approved', unheard.approved)],
        ['no answer, at the operator', figure('unheard-acknowledged', unheard.acknowledged)],
      ] as const)),
  ['events', figure('events', events)],
])}`;
}

/** A figure under the name that the result of a run has for it. */
function figure(name: string, value: number): Markup {
  return html`<span data-figure="${name}">${value}</span>`;
}

function outcome({ violation, unmet }: RunResult, endedMs: number): Markup {
  if (violation !== undefined)
    return html`<div class="outcome bad" data-outcome="violation"><p>A rule was broken: “${violation.rule}”.</p>
<p><code>${violation.device}</code>: ${violation.detail}. The run ended with it, after ${spanText(endedMs)}.</p></div>
`;
  if (unmet.length > 0)
    return html`<div class="outcome bad" data-outcome="unmet"><p>Not as the scenario expects. No rule was broken.</p>
<ul>
${unmet.map((what) => html`<li>${what}</li>\n`)}</ul></div>
`;
  return html`<div class="outcome" data-outcome="passed"><p>Passed.</p>
<p>No rule was broken, and everything came that the scenario expects.</p></div>
`;
}

function leadingEvents({ trace, device }: NonNullable<RunResult['violation']>): Content {
  const shown = trace.slice(-EVENTS);
  const left = trace.length - shown.length;
  return [
    html`<p>How <code>${device}</code> came to be as it was, whatever names the same grants, keys and bundles, and the last that happened to it.${
      left > 0 && html` The first ${left} of them are left out.`
    }</p>
`,
    table({
      caption: 'Events, in order',
      name: 'events',
      columns: ['no.', { name: 'after', numbers: true }, 'device', 'event', 'what it says'],
      rows: shown.map(({ n, ms, device: of, event, ...rest }) => [
        n,
        spanText(ms),
        of === undefined ? '' : String(of),
        event,
        long(said(rest)),
      ]),
    }),
  ];
}

function said(rest: Omit<TraceEvent, 'n' | 'ms' | 'event'>): string {
  return Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');
}

function long(text: string): Markup {
  return html`<div class="long">${text}</div>`;
}

function devicesSection(
  { bundleLifetimeMs }: RunTerms,
  { violation, settled }: RunResult,
  { devices, endedMs }: RunRecord,
): Content {
  const shown = mostHappened(devices, violation?.device);
  const has = {
    sessions: settled !== undefined,
    unanswered: devices.some(({ unanswered }) => unanswered > 0),
    repeated: devices.some(({ repeatedAtMs }) => repeatedAtMs.length > 0),
  };
  const share = (stretches: DeviceRecord['linkUp']) => percent(lengthOf(stretches) / Math.max(endedMs, 1));
  return [
    table({
      caption: `${plural(devices.length, 'device')}, and what happened to ${devices.length === 1 ? 'it' : 'them'}`,
      name: 'devices',
      columns: [
        'device',
        ...numbers(
          'approved',
          'refused',
          'no answer',
          'link up',
          'powered',
          'power cuts',
          'starts',
          'faults',
          'oldest bundle',
        ),
      ],
      rows: devices.map((of) => [
        of.device,
        of.approved,
        of.refused,
        of.unanswered,
        share(of.linkUp),
        share(of.powered),
        of.powerLosses,
        of.starts,
        of.faults.length,
        of.oldestBundleMs === undefined ? 'none' : spanText(of.oldestBundleMs),
      ]),
    }),
    shown.length < devices.length &&
      html`<p>Timelines are those of the ${shown.length} devices that most happened to; all are in the table.</p>
`,
    shown.map((device) => deviceTimeline(device, { endedMs, bundleLifetimeMs, has })),
    faultsTable(devices),
  ];
}

/** Those of the same kind and time on many devices are one row. */
function faultsTable(devices: readonly DeviceRecord[]): Content {
  const rows = new Map<string, { readonly of: DeviceRecord['faults'][number]; readonly on: string[] }>();
  for (const { device, faults } of devices)
    for (const of of faults) {
      const name = JSON.stringify([of.fromMs, of.toMs, of.fault]);
      const row = rows.get(name) ?? { of, on: [] };
      rows.set(name, row);
      // Two of the same name may begin at once.
      if (row.on.at(-1) !== device) row.on.push(device);
    }
  if (rows.size === 0) return undefined;
  const inOrder = [...rows.values()].sort((a, b) => a.of.fromMs - b.of.fromMs || a.of.toMs - b.of.toMs);
  return table({
    caption: 'Faults that were made',
    name: 'faults',
    columns: ['fault', 'devices', ...numbers('from', 'for')],
    rows: inOrder.map(({ of, on }) => [
      of.fault,
      on.length > 4 ? `${on[0]} and ${on.length - 1} more` : on.join(', '),
      spanText(of.fromMs),
      of.toMs > of.fromMs ? spanText(of.toMs - of.fromMs) : 'a moment',
    ]),
  });
}

/** In the order of the table. */
function mostHappened(devices: readonly DeviceRecord[], first: string | undefined): readonly DeviceRecord[] {
  if (devices.length <= TIMELINES) return devices;
  const much = ({ device, faults, powerLosses, linkUp, refused, unanswered }: DeviceRecord) =>
    device === first
      ? Number.POSITIVE_INFINITY
      : 10 * (faults.length + powerLosses + linkUp.length) + refused + unanswered;
  const most = new Set([...devices].sort((a, b) => much(b) - much(a)).slice(0, TIMELINES));
  return devices.filter((device) => most.has(device));
}

function refusalsSection({ refusals }: RunRecord): Content {
  const all = refusals.reduce((sum, { count }) => sum + count, 0);
  if (refusals.length === 0) return html`<p>No payment was refused.</p>\n`;
  return [
    barChart({
      title: 'Refused payments by code',
      description: `${all} payments were refused; the most frequent code is ${refusals[0]?.code}. The figures are in the table.`,
      value: { name: 'payments', least: 0, ...wholeSteps(refusals[0]?.count ?? 0) },
      bars: refusals.map(({ code, count }) => ({ name: code, value: count, tone: 'bad' })),
    }),
    table({
      caption: 'Refusals by code',
      name: 'refusals',
      columns: ['code', ...numbers('payments', 'share', 'devices')],
      rows: refusals.map(({ code, count, devices }) => [
        html`<code>${code}</code>`,
        count,
        percent(count / all),
        devices,
      ]),
    }),
  ];
}

const REQUESTS = { refresh: 'Trust Bundles, fetched', 'hand-in': 'receipts, handed in' } as const;

function latencySection({ requests, handedIn }: RunRecord): Content {
  return [
    html`<p>Simulated time: a network answers at once where no fault makes it slow. How long a device computes, and how fast the machine was that ran this, is in none of it.</p>
`,
    acknowledgedChart(handedIn),
    requests.map(requestChart),
    table({
      caption: 'How long it took',
      name: 'latency',
      columns: ['what', ...numbers('how many', 'p50', 'p90', 'p99', 'longest')],
      rows: [
        spread('from an approval until it was handed in', handedIn.sentMs),
        spread('from an approval until its acknowledgement came', handedIn.acknowledgedMs),
        ...requests.flatMap(({ kind, answeredMs, failedMs }) => [
          spread(`${REQUESTS[kind]}: requests that were answered`, answeredMs),
          spread(`${REQUESTS[kind]}: requests that failed`, failedMs),
        ]),
      ],
    }),
    handedIn.open > 0 &&
      html`<p>${plural(handedIn.open, 'approval')} had no acknowledgement in the end.</p>
`,
    table({
      caption: 'Requests over the network',
      name: 'requests',
      columns: [
        'what',
        ...numbers('answered', 'failed', 'cut off by power', 'link known to be down'),
        'why they failed',
      ],
      rows: requests.map(({ kind, answeredMs, failedMs, cutOff, notSent, failures }) => [
        REQUESTS[kind],
        answeredMs.length,
        failedMs.length,
        cutOff,
        notSent,
        failures.map(({ failure, count }) => `${failure} ${count}`).join(', '),
      ]),
    }),
  ];
}

function spread(what: string, spansMs: readonly number[]): readonly Content[] {
  const of = distributionOf(spansMs);
  if (of === undefined) return [what, 0, '', '', '', ''];
  return [what, of.count, spanText(of.p50), spanText(of.p90), spanText(of.p99), spanText(of.most)];
}

function acknowledgedChart({ acknowledgedMs }: HandInRecord): Content {
  return classesChart('From an approval until its acknowledgement', 'approvals', acknowledgedMs);
}

/** Where a network answers at once there is nothing to be seen. */
function requestChart({ kind, answeredMs }: RequestRecord): Content {
  return (
    answeredMs.some((ms) => ms > 0) &&
    classesChart(`Requests that were answered: ${REQUESTS[kind]}`, 'requests', answeredMs)
  );
}

function classesChart(title: string, what: string, spansMs: readonly number[]): Content {
  const of = distributionOf(spansMs);
  if (of === undefined) return undefined;
  const classes = spanClasses(spansMs);
  return barChart({
    title,
    description: `${of.count} ${what}; half of them took ${spanText(of.p50)} at most, the longest ${spanText(of.most)}. The figures are in the table.`,
    value: { name: what, least: 0, ...wholeSteps(Math.max(...classes.map(({ count }) => count))) },
    bars: classes.map(({ name, count }) => ({ name, value: count })),
  });
}

function flashSection({ devices, flash, endedMs }: RunRecord): Content {
  if (flash.length === 0) return html`<p>No flash was read.</p>\n`;
  const x = spanAxis('time', endedMs);
  const isOne = devices.length === 1;
  const lines = (
    of: (moment: FlashMoment) => {
      readonly ledger: readonly [number, number];
      readonly journal: readonly [number, number];
    },
  ) =>
    (['ledger', 'journal'] as const).flatMap((store, i): LineSeries[] => {
      const tone = i === 0 ? 'series-1' : 'series-2';
      const points = (which: 0 | 1) =>
        flash.map((moment): readonly [number, number] => [moment.ms, of(moment)[store][which]]);
      const most: LineSeries = { name: isOne ? store : `${store}, the device with most`, tone, points: points(0) };
      return isOne ? [most] : [most, { name: `${store}, all devices' mean`, tone, dashed: true, points: points(1) }];
    });
  const stores = (store: 'ledger' | 'journal') =>
    devices.flatMap((of) => {
      const found = of[store];
      return found === undefined ? [] : [storeRow(of.device, found)];
    });
  const columns = [
    'device',
    ...numbers(
      'in use at the end',
      'at most',
      'capacity',
      'fill at most',
      'erases of a block, mean',
      'most worn block',
    ),
  ];
  return [
    html`<p>What cannot be given up, against what there is room for. A journal counts whole blocks: what is acknowledged goes when its room is needed. Erases count from the beginning of the run, formatting included.</p>
`,
    lineChart({
      title: 'How full the stores are',
      description: `Ledger ${percent(mostOf(flash, ({ ledger }) => ledger.mostFill))} at most, journal ${percent(mostOf(flash, ({ journal }) => journal.mostFill))} at most. The figures of each device are in the tables.`,
      x,
      y: { name: 'per cent of the capacity', least: 0, text: (value) => `${value} %` },
      series: lines(({ ledger, journal }) => ({
        ledger: [100 * ledger.mostFill, 100 * ledger.meanFill],
        journal: [100 * journal.mostFill, 100 * journal.meanFill],
      })),
    }),
    lineChart({
      title: 'How often blocks were erased',
      description: `The most worn block of a ledger ${times(mostOf(flash, ({ ledger }) => ledger.mostErases))}, of a journal ${times(mostOf(flash, ({ journal }) => journal.mostErases))}. The figures of each device are in the tables.`,
      x,
      y: {
        name: isOne ? 'erases of the most worn block' : 'erases: most worn block, and mean of all blocks',
        least: 0,
        ...wholeSteps(
          Math.max(
            mostOf(flash, ({ ledger }) => ledger.mostErases),
            mostOf(flash, ({ journal }) => journal.mostErases),
            4,
          ),
        ),
      },
      series: lines(({ ledger, journal }) => ({
        ledger: [ledger.mostErases, ledger.meanErases],
        journal: [journal.mostErases, journal.meanErases],
      })),
    }),
    table({ caption: 'Spend ledgers', name: 'ledgers', columns, rows: stores('ledger') }),
    table({ caption: 'Journals', name: 'journals', columns, rows: stores('journal') }),
  ];
}

function storeRow(device: string, { usedBytes, peakBytes, ofBytes, erases }: StoreRecord): readonly Content[] {
  return [
    device,
    kibibytes(usedBytes),
    kibibytes(peakBytes),
    kibibytes(ofBytes),
    percent(ofBytes === 0 ? 0 : peakBytes / ofBytes),
    erases.mean.toFixed(1),
    erases.most,
  ];
}

function exposureSection({ revocations, endedMs }: RunRecord): Content {
  if (revocations.length === 0) return html`<p>Nothing was revoked.</p>\n`;
  return [
    html`<p>From a revocation until a device has a bundle that says so, and what it approved meanwhile by what was revoked. Amounts are in the unit of the terminals.</p>
`,
    table({
      caption: 'Revocations',
      name: 'revocations',
      columns: [
        'what',
        ...numbers('after', 'devices that know', 'p50', 'p90', 'longest', 'approved meanwhile', 'amount'),
      ],
      rows: revocations.map(({ atMs, what, devices, knownAfter }) => [
        revoked(what),
        spanText(atMs),
        `${knownAfter?.count ?? 0} of ${devices.length}`,
        knownAfter === undefined ? '' : spanText(knownAfter.p50),
        knownAfter === undefined ? '' : spanText(knownAfter.p90),
        knownAfter === undefined ? '' : spanText(knownAfter.most),
        sumOf(devices.map(({ approved }) => approved)),
        String(devices.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)),
      ]),
    }),
    revocations.map((revocation) => exposureOf(revocation, endedMs)),
  ];
}

function exposureOf({ atMs, what, devices, knownAfter }: RevocationRecord, endedMs: number): Content {
  const title = `${revoked(what)}, revoked after ${spanText(atMs)}`;
  const lastsMs = endedMs - atMs;
  const times = devices.map(({ knownAfterMs }) => knownAfterMs).filter((ms) => ms !== undefined);
  const points: (readonly [number, number])[] = [[0, 0]];
  for (const ms of [...times].sort((a, b) => a - b)) points.push([ms, points.length]);
  points.push([lastsMs, times.length]);
  return [
    html`<h3>${title}</h3>
`,
    lineChart({
      title: 'Devices that know of it',
      description: `${knownAfter?.count ?? 0} of ${devices.length} devices come to know of it${knownAfter === undefined ? '' : `, the last one after ${spanText(knownAfter.most)}`}. The figures are in the table.`,
      height: 200,
      x: spanAxis('time since the revocation', lastsMs),
      y: { name: 'devices', least: 0, ...wholeSteps(devices.length) },
      series: [{ name: 'devices that know of it', points, stepped: true }],
    }),
    table({
      caption: 'Until each device knew, and what it approved meanwhile',
      name: 'exposure',
      columns: ['device', ...numbers('knew after', 'approved meanwhile', 'amount', 'the last one after')],
      rows: devices.map(({ device, knownAfterMs, approved, amountMinor, lastAfterMs }) => [
        device,
        knownAfterMs === undefined ? 'not by the end' : spanText(knownAfterMs),
        approved,
        String(amountMinor),
        lastAfterMs === undefined ? '' : spanText(lastAfterMs),
      ]),
    }),
  ];
}

function revoked(what: RevocationRecord['what']): string {
  return what.kind === 'key' ? `Key ${what.kid}` : `${plural(what.count, 'grant')} of ${what.wallets}`;
}

function refusedOf({ refused }: RunResult): number {
  return sumOf(Object.values(refused));
}

/** An axis of counts: whole numbers at its marks, and room above the highest. */
function wholeSteps(most: number): { readonly most: number; readonly step: number } {
  const wanted = Math.max(most, 1) / 5;
  const power = 10 ** Math.floor(Math.log10(Math.max(wanted, 1)));
  const step = [1, 2, 5, 10].map((n) => n * power).find((one) => one >= wanted) ?? 10 * power;
  return { most: (Math.floor(most / step) + 1) * step, step };
}

function lengthOf(stretches: DeviceRecord['linkUp']): number {
  return sumOf(stretches.map(({ fromMs, toMs }) => toMs - fromMs));
}

function mostOf(moments: readonly FlashMoment[], of: (moment: FlashMoment) => number): number {
  return Math.max(...moments.map(of));
}

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}
