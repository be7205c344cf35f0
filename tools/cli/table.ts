// Tables for people: columns apart by blanks, no frame, so that they survive copying into an issue.

import Table from 'cli-table3';
import { printable } from './io.ts';

const NO_FRAME = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** What is a part of the row above begins with blanks. */
function cellText(text: string): string {
  return `${/^ */.exec(text)?.[0]}${printable(text)}`;
}

/**
 * A table with a line of headings. What cells hold may come from files, so control characters are taken out.
 *
 * @param figuresFrom the column from which on cells are figures, which stand to the right
 */
export function tableText(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  figuresFrom = headings.length,
): string {
  const table = new Table({
    chars: NO_FRAME,
    head: [...headings],
    colAligns: headings.map((_, i) => (i < figuresFrom ? 'left' : 'right')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) table.push(row.map(cellText));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
