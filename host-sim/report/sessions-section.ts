// What a report says of charging sessions: how many each device had and how they ended, and each that did not end as it began.

import { spanText } from './axis.ts';
import { type Content, html } from './markup.ts';
import type { DeviceRecord } from './record.ts';
import { courseOf, type SessionCourse, type SessionRecord } from './session-log.ts';
import { table } from './table.ts';
import { numbers, sumOf } from './words.ts';

/** Sessions that are told one by one. */
const TOLD = 200;

const COURSES: { readonly [course in Exclude<SessionCourse, 'ended'>]: string } = {
  untold: 'its driver was not told: given back',
  'broken-off': 'broken off as power went',
  refused: 'its end was refused by the store for a while',
  open: 'open when the run was over',
};

/** See the head of the file. */
export function sessionsSection(devices: readonly DeviceRecord[]): Content {
  const all = devices.flatMap(({ device, sessions }) => sessions.map((session) => ({ device, session })));
  if (all.length === 0) return html`<p>No session has begun.</p>\n`;
  const odd = all
    .filter(({ session }) => courseOf(session) !== 'ended')
    .sort((a, b) => a.session.fromMs - b.session.fromMs);
  const shown = odd.slice(0, TOLD);
  return [
    html`<p>What a session may cost at most is reserved when it begins, and what was delivered is settled when it ends. A session that power has broken off is settled in full at the next start, where the site says so. Amounts are in the unit of the terminals.</p>
`,
    table({
      caption: 'Sessions of each device',
      name: 'sessions',
      columns: [
        'device',
        ...numbers(
          'begun',
          'ended as they should',
          'not told',
          'broken off',
          'end refused',
          'open',
          'time in all',
          'reserved',
          'settled',
        ),
      ],
      rows: devices.map(({ device, sessions }) => [device, ...countsOf(sessions)]),
    }),
    shown.length > 0 &&
      table({
        caption: 'Sessions that went otherwise',
        name: 'odd-sessions',
        columns: [
          'device',
          ...numbers('began after', 'lasted'),
          'what happened',
          ...numbers('settled after', 'reserved', 'settled'),
        ],
        rows: shown.map(({ device, session }) => [device, ...oddRow(session)]),
      }),
    odd.length > shown.length &&
      html`<p>These are the first ${shown.length} of ${odd.length}.</p>
`,
  ];
}

function countsOf(sessions: readonly SessionRecord[]): readonly Content[] {
  const courses = sessions.map(courseOf);
  const count = (course: SessionCourse) => courses.filter((one) => one === course).length;
  const chargedMs = sumOf(sessions.map(chargedMsOf));
  const reserved = sessions.reduce((sum, { reservedMinor }) => sum + reservedMinor, 0n);
  const settled = sessions.reduce((sum, { end }) => sum + (end?.amountMinor ?? 0n), 0n);
  return [
    sessions.length,
    ...(['ended', 'untold', 'broken-off', 'refused', 'open'] as const).map(count),
    spanText(chargedMs),
    String(reserved),
    String(settled),
  ];
}

/** Until its end, or until power went. */
function chargedMsOf({ fromMs, brokenOffMs, end }: SessionRecord): number {
  return Math.max((brokenOffMs ?? end?.ms ?? fromMs) - fromMs, 0);
}

function oddRow(session: SessionRecord): readonly Content[] {
  const { fromMs, brokenOffMs, isTold, reservedMinor, end } = session;
  const course = courseOf(session) as keyof typeof COURSES;
  const more = !isTold && brokenOffMs !== undefined ? ', and its driver was not told' : '';
  return [
    spanText(fromMs),
    spanText(chargedMsOf(session)),
    `${COURSES[course]}${more}`,
    end === undefined ? '' : spanText(end.ms),
    String(reservedMinor),
    settledText(session),
  ];
}

function settledText({ end }: SessionRecord): string {
  if (end === undefined) return 'open';
  return end.amountMinor === undefined ? 'as power went' : String(end.amountMinor);
}
