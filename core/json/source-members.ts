// Canonical text without writing it again: where an object came compact and without escapes, each of its members stands in
// the text it was read from as canonical text has it, and only their order may differ.

import type { JsonObject } from './value.ts';

/** The members of an object that are not null, by their places in the text. */
export interface SourceMembers {
  /** The object that was read from there. */
  readonly object: JsonObject;
  /** The whole text, ASCII. */
  readonly text: string;
  /** Member by member: its name, and where `"name":value` begins and ends. */
  readonly names: readonly string[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** The canonical text of the object (INTEROP §2): the same as `canonicalText` gives, from slices. */
export function sourceText(source: SourceMembers): string {
  const { text, names, starts, ends } = source;
  const order: number[] = [];
  for (let i = 0; i < names.length; i++) {
    // Names are ASCII, so the operator's order is that of UTF-16 on every engine.
    const name = names[i] as string;
    let j = i - 1;
    while (j >= 0 && (names[order[j] as number] as string) > name) {
      order[j + 1] = order[j] as number;
      j--;
    }
    order[j + 1] = i;
  }
  let canonical = '{';
  for (let i = 0; i < order.length; i++) {
    const member = order[i] as number;
    canonical += (i > 0 ? ',' : '') + text.slice(starts[member], ends[member]);
  }
  return `${canonical}}`;
}
