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

/** A table with a line of headings. What cells hold may come from files, so control characters are taken out. */
export function tableText(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: NO_FRAME,
    head: [...headings],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) table.push(row.map(printable));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
