// What a report says of payers who cheat: how often each class of them did, and with what they were refused.

import type { CheatCounts, CheatsByClass } from '../simulation/cheat-counts.ts';
import { type Content, html, type Markup } from './markup.ts';
import { type Column, table } from './table.ts';
import { countsText, numbers, sumOf } from './words.ts';

type Cheat = readonly [name: string, counts: CheatCounts];

/** Columns beside the class and its attempts; one in which there is nothing is left out. */
const COLUMNS: readonly (readonly [name: string, count: (counts: CheatCounts) => number])[] = [
  ['approved', ({ approved }) => approved],
  ['answered again', ({ repeated }) => repeated],
  ['no power', ({ undecided }) => undecided],
];

/** See the head of the file. */
export function cheatsSection(cheats: CheatsByClass): Content {
  const classes = Object.entries(cheats);
  if (classes.length === 0) return html`<p>Nobody came who cheats.</p>\n`;
  const columns = COLUMNS.filter(([, count]) => classes.some(([, counts]) => count(counts) > 0));
  const others = (counts: CheatCounts) =>
    columns.map(([name, count]) => (name === 'approved' ? alarmed(count(counts)) : count(counts) || ''));
  const headings: Column[] = ['class', ...numbers('attempts', ...columns.map(([name]) => name), 'refused'), 'with'];
  return [
    html`<p>What devices decided about them, whether they were told or not. ${classes.length === 1 ? 'One class' : `${classes.length} classes`} of them came.</p>
`,
    table({
      caption: 'Payers who cheat, by class',
      name: 'cheats',
      columns: headings,
      rows: classes.map(([name, counts]) => [
        html`<code>${name}</code>`,
        counts.attempts,
        ...others(counts),
        sumOf(Object.values(counts.refused)),
        html`<code>${countsText(counts.refused)}</code>`,
      ]),
    }),
  ];
}

/** What stands at the head of a report where a cheat was approved; nothing where none was. */
export function approvedCheats(cheats: CheatsByClass, isRuleBroken: boolean): Markup | undefined {
  const approved = Object.entries(cheats).filter(([, counts]) => counts.approved > 0);
  if (approved.length === 0) return undefined;
  const one = ([name, counts]: Cheat) =>
    html`<li><code>${name}</code>: ${counts.approved} of ${counts.attempts}</li>\n`;
  return html`<div class="outcome bad" data-outcome="cheats"><p>Payers who cheat were approved.</p>
<ul>
${approved.map(one)}</ul>
${!isRuleBroken && html`<p>No rule was broken by it: somebody has signed for each, nothing came above a cap, and nothing had expired by the device's clock.</p>\n`}</div>
`;
}

function alarmed(count: number): Content {
  return count === 0 ? '' : html`<strong class="alarm">${count}</strong>`;
}
