// The timeline of a device in a report: what happened to it in lanes, and under them how old its newest bundle was.

import { spanAxis, spanText } from './axis.ts';
import { type Lane, type LineSeries, laneChart, type Tone } from './chart.ts';
import type { Markup } from './markup.ts';
import type { DeviceRecord, Stretch } from './record.ts';
import { courseOf, type SessionRecord } from './session-log.ts';
import type { Attempt } from './unanswered-log.ts';
import { percent, plural, sumOf, times } from './words.ts';

/** What is drawn beside the lanes that every device has. */
export interface TimelineTerms {
  readonly endedMs: number;
  /** For how long a bundle is good. */
  readonly bundleLifetimeMs: number;
  /** Whether any device of the run had such: timelines of a run have the same lanes. */
  readonly has: { readonly sessions: boolean; readonly unanswered: boolean; readonly repeated: boolean };
}

/** A tone of a lane, and what it says. */
type Key = readonly [name: string, tone: Tone];

const SESSION: Key = ['session', 'good'];
const UNTOLD: Key = ['approved, and the payer not told', 'series-5'];
const END_REFUSED: Key = ['its end refused by the store', 'bad'];
const BROKEN_OFF: Key = ['broken off as power went, until it is settled', 'warn'];
const SETTLED: Key = ['end of a session', 'ink'];
const REFUSED_UNTOLD: Key = ['refused, and the payer not told', 'bad'];
const AGAIN_UNTOLD: Key = ['answered again, and the payer not told', 'series-6'];
const UNDECIDED: Key = ['no power, or it went', 'series-1'];

/** See the head of the file. */
export function deviceTimeline(of: DeviceRecord, terms: TimelineTerms): Markup {
  const { device, approvedAtMs, refusedAtMs, repeatedAtMs, linkUp, powered, faults } = of;
  const { endedMs, has } = terms;
  const spans = (stretches: readonly Stretch[], tone: Tone) =>
    stretches.map(({ fromMs, toMs }) => ({ from: fromMs, to: toMs, tone }));
  const moments = (at: readonly number[], tone: Tone) => at.map((ms) => ({ at: ms, tone }));
  const unanswered = of.withoutAnswer
    .flatMap(({ attempts }) => attempts)
    .filter(({ isAnswered }) => !isAnswered)
    .map((attempt) => ({ at: attempt.ms, key: keyOf(attempt) }))
    // Approvals are drawn last: whoever comes again soon is not to hide them.
    .sort((a, b) => Number(a.key === UNTOLD) - Number(b.key === UNTOLD) || a.at - b.at);
  const sessions = of.sessions.flatMap((session) => sessionSpans(session, endedMs));
  const isAnyEnd = of.sessions.some(({ end, brokenOffMs }) => end !== undefined && brokenOffMs === undefined);
  const lanes: (Lane | false)[] = [
    { name: 'link up', spans: spans(linkUp, 'series-1') },
    { name: 'powered', spans: spans(powered, 'off') },
    { name: 'faults', spans: spans(faults, 'warn') },
    has.sessions && {
      name: 'sessions',
      spans: sessions.map(({ from, to, key: [, tone] }) => ({ from, to, tone })),
      moments: of.sessions.flatMap(({ end, brokenOffMs }) =>
        end === undefined ? [] : [{ at: end.ms, tone: (brokenOffMs === undefined ? SETTLED : BROKEN_OFF)[1] }],
      ),
    },
    { name: 'approved', moments: moments(approvedAtMs, 'good') },
    { name: 'refused', moments: moments(refusedAtMs, 'bad') },
    has.unanswered && { name: 'no answer', moments: unanswered.map(({ at, key: [, tone] }) => ({ at, tone })) },
    has.repeated && { name: 'again', moments: moments(repeatedAtMs, 'good') },
  ];
  const shown = [...sessions, ...unanswered].map(({ key }) => key);
  const keys = [SESSION, UNTOLD, BROKEN_OFF, END_REFUSED, SETTLED, UNDECIDED, REFUSED_UNTOLD, AGAIN_UNTOLD];
  return laneChart({
    title: device,
    description: descriptionOf(of, terms),
    x: spanAxis('time', endedMs),
    lanes: lanes.filter((lane) => lane !== false),
    legend: keys.filter((key) => shown.includes(key) || (key === SETTLED && isAnyEnd)),
    ...ageOfBundles(of, terms),
  });
}

function keyOf({ decided }: Attempt): Key {
  if (decided === undefined) return UNDECIDED;
  if (decided === 'refused') return REFUSED_UNTOLD;
  return decided === 'approved' ? UNTOLD : AGAIN_UNTOLD;
}

/** A session while the car charges, while its store refuses its end, and while it waits for the next start to settle it. */
function sessionSpans(
  { fromMs, isTold, brokenOffMs, refusedMs, end }: SessionRecord,
  endedMs: number,
): readonly { readonly from: number; readonly to: number; readonly key: Key }[] {
  const toMs = end?.ms ?? endedMs;
  const poweredToMs = brokenOffMs ?? toMs;
  const chargedToMs = Math.min(refusedMs ?? poweredToMs, poweredToMs);
  const stretches = [
    { from: fromMs, to: chargedToMs, key: isTold ? SESSION : UNTOLD },
    { from: chargedToMs, to: poweredToMs, key: END_REFUSED },
    { from: poweredToMs, to: toMs, key: BROKEN_OFF },
  ];
  return stretches.filter(({ from, to }, i) => to > from || (i === 0 && toMs === fromMs));
}

function ageOfBundles(
  { bundles, oldestBundleMs }: DeviceRecord,
  { endedMs, bundleLifetimeMs: lifetimeMs }: TimelineTerms,
) {
  const age = bundles.flatMap(({ fromMs, toMs, issuedMs }): LineSeries['points'] =>
    issuedMs === undefined
      ? [[fromMs, null]]
      : [
          [fromMs, fromMs - issuedMs],
          [toMs, toMs - issuedMs],
        ],
  );
  const oldest = Math.max(oldestBundleMs ?? 0, 60_000);
  const isLifetimeNear = lifetimeMs < 3 * oldest;
  const name = 'age of the newest bundle in force';
  const lifetime: LineSeries = {
    name: 'lifetime of a bundle',
    tone: 'warn',
    dashed: true,
    points: [
      [0, lifetimeMs],
      [endedMs, lifetimeMs],
    ],
  };
  const line: LineSeries = { name, points: age, tone: 'series-4' };
  return {
    y: spanAxis(name, Math.max(oldest, isLifetimeNear ? lifetimeMs : 0) * 1.05, 4),
    series: isLifetimeNear ? [line, lifetime] : [line],
  };
}

function descriptionOf(of: DeviceRecord, { endedMs, has }: TimelineTerms): string {
  const { linkUp, powerLosses, faults, approved, refused, unanswered, repeatedAtMs, oldestBundleMs } = of;
  const upMs = sumOf(linkUp.map(({ fromMs, toMs }) => toMs - fromMs));
  const brokenOff = of.sessions.filter((session) => courseOf(session) === 'broken-off').length;
  const said = [
    `Link up ${percent(upMs / Math.max(endedMs, 1))} of the time`,
    `power lost ${times(powerLosses)}`,
    plural(faults.length, 'fault'),
    ...(has.sessions ? [`${plural(of.sessions.length, 'session')}, ${brokenOff} of them broken off`] : []),
    `${approved} approved`,
    `${refused} refused`,
    ...(has.unanswered ? [`${unanswered} without an answer`] : []),
    ...(has.repeated ? [`${repeatedAtMs.length} answered again`] : []),
  ];
  const newest = oldestBundleMs === undefined ? 'never there' : `${spanText(oldestBundleMs)} old at most`;
  return `${said.join(', ')}; the newest bundle in force was ${newest}. The figures are in the table of devices.`;
}
