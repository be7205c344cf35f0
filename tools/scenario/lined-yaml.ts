// A YAML file whose values know their lines, so that whatever is found wrong is told with its place.

import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { InputProblem } from '../provision/problems.ts';

/** How many values the aliases of a file may stand for together. */
const MOST_ALIASES = 1000;

/** See the head of the file. */
export class LinedYaml {
  readonly file: string;
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;

  constructor(file: string, text: string) {
    this.file = file;
    // Every scalar is a number, a truth value, nothing, or text: no dates, and no `yes`.
    this.#document = parseDocument(text, { lineCounter: this.#lines, version: '1.2', uniqueKeys: true, merge: false });
  }

  /** What keeps it from being read. */
  get problems(): readonly InputProblem[] {
    return [...this.#document.errors, ...this.#document.warnings].map(({ message, linePos }) => ({
      file: this.file,
      ...(linePos === undefined ? {} : { line: linePos[0].line }),
      reason: `it is no YAML as it is meant: ${message.split(' at line ')[0]}`,
    }));
  }

  /** What it says, or why that is not to be had: aliases may make a file of a line a gigabyte. */
  get value(): { readonly value: unknown } | { readonly problems: readonly InputProblem[] } {
    try {
      return { value: this.#document.toJS({ maxAliasCount: MOST_ALIASES }) };
    } catch (error) {
      return { problems: [{ file: this.file, reason: `its aliases cannot be followed: ${(error as Error).message}` }] };
    }
  }

  /** The line of a value, or of the nearest one around it. */
  lineOf(path: readonly PropertyKey[]): number {
    for (let length = path.length; length > 0; length--) {
      const offset = this.#offsetOf(path.slice(0, length));
      if (offset !== undefined) return this.#lines.linePos(offset).line;
    }
    return 1;
  }

  /** A finding at a place. */
  problem(path: readonly PropertyKey[], reason: string): InputProblem {
    return { file: this.file, line: this.lineOf(path), reason };
  }

  /** What a schema has found, each with the place it is about. */
  findings(issues: readonly z.core.$ZodIssue[]): readonly InputProblem[] {
    return issues.flatMap((issue) => this.#findingsOf(issue, issue.path));
  }

  #findingsOf(issue: z.core.$ZodIssue, path: readonly PropertyKey[]): readonly InputProblem[] {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => this.problem([...path, key], `there is no member ${nameOf([...path, key])}`));
    if (issue.code === 'invalid_union') {
      // The branch that got past the value's type is the one that was meant.
      const meant = issue.errors.find((found) =>
        found.some((one) => one.code !== 'invalid_type' || one.path.length > 0),
      );
      if (meant !== undefined) return meant.flatMap((one) => this.#findingsOf(one, [...path, ...one.path]));
    }
    const isMissing = issue.code === 'invalid_type' && this.#offsetOf(path) === undefined && path.length > 0;
    const reason = isMissing ? 'is missing' : issue.message.replace(/^Invalid (input|option): /, '');
    return [this.problem(path, `${nameOf(path)}${isMissing || reason.startsWith('is ') ? ' ' : ': '}${reason}`)];
  }

  /** Where a member's name stands, or an item. */
  #offsetOf(path: readonly PropertyKey[]): number | undefined {
    const parent = this.#document.getIn(path.slice(0, -1), true);
    const name = path[path.length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && key.value === name);
      return (pair?.key as Node | undefined)?.range?.[0];
    }
    const node = this.#document.getIn(path, true) as Node | undefined;
    return node?.range?.[0];
  }
}

/** `wallets[0].grant`. */
function nameOf(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text === '' ? '' : '.'}${String(part)}`;
  return text === '' ? 'the file' : text;
}
