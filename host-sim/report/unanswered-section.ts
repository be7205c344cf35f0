// What a report says of payments that had no answer: what devices had decided about them, and what came of who presented them again.

import { spanText } from './axis.ts';
import { type Content, html } from './markup.ts';
import type { DeviceRecord } from './record.ts';
import { table } from './table.ts';
import type { Attempt, UnansweredRecord } from './unanswered-log.ts';
import { numbers, percent, plural } from './words.ts';

/** Payments that are told one by one. */
const TOLD = 200;

/** See the head of the file. */
export function unansweredSection(devices: readonly DeviceRecord[]): Content {
  const payments = devices
    .flatMap(({ device, withoutAnswer }) => withoutAnswer.map((payment) => ({ device, payment })))
    .sort((a, b) => firstOf(a.payment).ms - firstOf(b.payment).ms);
  if (payments.length === 0) return html`<p>Every payer had an answer.</p>\n`;
  const unanswered = payments.flatMap(({ payment }) => payment.attempts.filter(({ isAnswered }) => !isAnswered));
  const byDecision = new Map<string, number>();
  for (const attempt of unanswered)
    byDecision.set(decidedText(attempt), (byDecision.get(decidedText(attempt)) ?? 0) + 1);
  const rows = [...byDecision].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const shown = payments.slice(0, TOLD);
  return [
    html`<p>A payer gets no answer where the device has no power, where that goes meanwhile, or where the reader's line loses what was decided. Who then presents the same again is told what was decided before, and it counts once; where a session runs meanwhile, that the device is busy.</p>
`,
    table({
      caption: `${plural(unanswered.length, 'time')} without an answer, by what the device had decided`,
      name: 'unanswered',
      columns: ['decided', ...numbers('how often', 'share')],
      rows: rows.map(([decided, count]) => [decided, count, percent(count / unanswered.length)]),
    }),
    table({
      caption: 'Payments that had no answer at first',
      name: 'unanswered-payments',
      columns: [
        'device',
        'payer',
        ...numbers('after', 'amount'),
        'what the device had decided',
        { name: 'presented', numbers: true },
        'told in the end',
      ],
      rows: shown.map(({ device, payment }) => [
        device,
        payment.cheat === undefined ? payment.payer : `${payment.payer} (${payment.cheat})`,
        spanText(firstOf(payment).ms),
        payment.amountMinor,
        decidedTexts(payment.attempts),
        payment.attempts.length,
        toldText(payment),
      ]),
    }),
    payments.length > shown.length &&
      html`<p>These are the first ${shown.length} of ${payments.length}.</p>
`,
  ];
}

function firstOf({ attempts }: UnansweredRecord): Attempt {
  return attempts[0] as Attempt;
}

/** What a device decided about an attempt, told or not. */
function decidedText({ decided, code, isCutOff }: Attempt): string {
  switch (decided) {
    case 'approved':
      return 'approved';
    case 'repeated':
      return 'answered again';
    case 'refused':
      return `refused with ${code}`;
    default:
      return isCutOff ? 'its power went' : 'it had no power';
  }
}

/** Those that follow each other are told once. */
function decidedTexts(attempts: readonly Attempt[]): string {
  const texts: { readonly text: string; count: number }[] = [];
  for (const attempt of attempts.filter(({ isAnswered }) => !isAnswered)) {
    const text = decidedText(attempt);
    const last = texts.at(-1);
    if (last?.text === text) last.count++;
    else texts.push({ text, count: 1 });
  }
  return texts.map(({ text, count }) => (count === 1 ? text : `${text} (${count} times)`)).join(', then ');
}

/** A payer stands out who has paid, and was not told so. */
function toldText(payment: UnansweredRecord): Content {
  const { attempts } = payment;
  const last = attempts.at(-1) as Attempt;
  const told = last.isAnswered ? `${decidedText(last)} after ${spanText(last.ms - firstOf(payment).ms)}` : 'nothing';
  const isApproved = attempts.some(({ decided }) => decided === 'approved' || decided === 'repeated');
  const isTold = last.isAnswered && last.decided !== 'refused';
  return isApproved && !isTold ? html`<strong class="alarm">${told}, and it was approved</strong>` : told;
}
