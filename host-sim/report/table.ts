// A table of a report.

import { type Content, html, type Markup } from './markup.ts';

/** A table. A cell of a column of numbers is set to the right. */
export interface TableTerms {
  /** Says what it shows; it is the table's heading too. */
  readonly caption: string;
  readonly columns: readonly Column[];
  /** The first cell of each is its heading. */
  readonly rows: readonly (readonly Content[])[];
  /** Instead of rows, where there are none. */
  readonly empty?: string;
  /** Names it for whoever reads the page by program. */
  readonly name?: string;
}

/** A column's heading, and whether there are numbers under it. */
export type Column = string | { readonly name: string; readonly numbers: true };

/** See the head of the file. */
export function table({ caption, columns, rows, empty, name }: TableTerms): Markup {
  const isNumbers = (i: number) => typeof columns[i] === 'object';
  const heading = (column: Column, i: number) =>
    html`<th scope="col"${isNumbers(i) && html` class="number"`}>${typeof column === 'string' ? column : column.name}</th>`;
  const cell = (content: Content, i: number) => {
    if (i === 0) return html`<th scope="row">${content}</th>`;
    return html`<td${isNumbers(i) && html` class="number"`}>${content}</td>`;
  };
  const body =
    rows.length === 0 && empty !== undefined
      ? html`<tr><td colspan="${columns.length}">${empty}</td></tr>`
      : rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`);
  // A table that is wider than the page is moved on its own, with the keyboard too.
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table${name !== undefined && html` data-table="${name}"`}>
<caption>${caption}</caption>
<thead><tr>${columns.map(heading)}</tr></thead>
<tbody>
${body}</tbody>
</table></div>
`;
}
