// A YAML file whose values know their lines, so that whatever is found wrong is told with its place.

import {
  type Alias,
  type ErrorCode,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { z } from 'zod';
import type { InputProblem } from '../provision/problems.ts';

/** How many values the aliases of a file may stand for together. */
const MOST_VALUES = 100_000;

/** What keeps a file from being YAML, and what would be right. What is not among them is told in the words of the parser. */
const FAULTS: { readonly [code in ErrorCode]?: string } = {
  TAB_AS_INDENT: 'the line begins with a tab; members are indented with blanks',
  MULTIPLE_DOCS: 'a second document begins here; a file has one',
  DUPLICATE_KEY: 'this member stands there twice',
  NON_STRING_KEY: 'a list or an object stands where the name of a member is meant',
  TAG_RESOLVE_FAILED: 'it has a tag (!…), which is nothing here; text with ! is put in quotes',
  BAD_SCALAR_START: 'text that begins with this character is put in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a second colon stands in the line, or the next line is indented too far; text with a colon is put in quotes',
  MULTILINE_IMPLICIT_KEY: 'a colon is missing after the name of a member',
  BAD_INDENT: 'it is not indented as what it belongs to, or a bracket is not closed',
  MISSING_CHAR: 'a bracket or a quote is not closed, or a colon or a comma is missing',
  BAD_DQ_ESCAPE:
    'a backslash in double quotes stands before something that it means nothing with; single quotes take it as it is',
  RESOURCE_EXHAUSTION: 'lists and objects stand in one another too deeply',
  UNEXPECTED_TOKEN: 'it does not belong to what stands before it: indentation, a bracket or a quote is wrong',
};

/** See the head of the file. */
export class LinedYaml {
  readonly file: string;
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;

  constructor(file: string, text: string) {
    this.file = file;
    // Every scalar is a number, a truth value, nothing, or text: no dates, and no `yes`.
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      version: '1.2',
      uniqueKeys: true,
      stringKeys: true,
      merge: false,
    });
  }

  /** What keeps it from being read. Where one thing is wrong, the parser finds others that are not: only the first is told. */
  get problems(): readonly InputProblem[] {
    const found = [...this.#document.errors, ...this.#document.warnings];
    const members = found.filter(({ code }) => code === 'DUPLICATE_KEY');
    const told = members.length === found.length ? members : [found.find(isTab) ?? found[0]];
    return told.flatMap((fault) => {
      if (fault === undefined) return [];
      const { code, message, linePos } = fault;
      const words = FAULTS[code] ?? message.split(' at line ')[0];
      return { file: this.file, line: linePos?.[0].line ?? 1, reason: `it is no YAML as it is meant: ${words}` };
    });
  }

  /** What it says, or why that is not to be had: aliases may make a file of a line a gigabyte. */
  get value(): { readonly value: unknown } | { readonly problems: readonly InputProblem[] } {
    const problem = this.#versionProblem() ?? this.#aliasProblem();
    return problem === undefined ? { value: this.#document.toJS({ maxAliasCount: -1 }) } : { problems: [problem] };
  }

  #versionProblem(): InputProblem | undefined {
    const { explicit = false, version = '1.2' } = this.#document.directives?.yaml ?? {};
    if (!explicit || version === '1.2') return undefined;
    return { file: this.file, line: 1, reason: `it says that it is YAML ${version}; a scenario is YAML 1.2` };
  }

  /** Why aliases cannot be followed: one stands for nothing or for itself, or they stand for too much. */
  #aliasProblem(): InputProblem | undefined {
    const anchors = new Map<string, Node>();
    const sizes = new Map<Node, number>();
    let values = 0;
    let problem: InputProblem | undefined;
    visit(this.#document, (_, node) => {
      if (isNode(node) && !isAlias(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
      if (!isAlias(node)) return undefined;
      const meant = anchors.get(node.source);
      if (meant !== undefined) sizes.set(node, isWithin(node, meant) ? 0 : sizeOf(meant, sizes));
      values += sizes.get(node) ?? 0;
      const reason = reasonAgainst(node, meant, values);
      if (reason === undefined) return undefined;
      problem = { file: this.file, line: this.#lines.linePos(node.range?.[0] ?? 0).line, reason };
      return visit.BREAK;
    });
    return problem;
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
        found.some(({ code, path }) => path.length > 0 || (code !== 'invalid_type' && code !== 'invalid_value')),
      );
      if (meant !== undefined) return meant.flatMap((one) => this.#findingsOf(one, [...path, ...one.path]));
    }
    const isMissing = path.length > 0 && this.#offsetOf(path) === undefined;
    const reason = isMissing ? 'is missing' : issue.message;
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

function isTab({ code }: { readonly code: ErrorCode }): boolean {
  return code === 'TAB_AS_INDENT';
}

/** Why an alias cannot be followed. @param values what aliases up to this one stand for */
function reasonAgainst(alias: Alias, meant: Node | undefined, values: number): string | undefined {
  const { source } = alias;
  if (meant === undefined) return `*${source} stands for nothing: there is no &${source} above it`;
  if (isWithin(alias, meant)) return `*${source} stands within what it stands for`;
  return values > MOST_VALUES ? `aliases up to here stand for more than ${MOST_VALUES} values` : undefined;
}

function isWithin(inner: Node, outer: Node): boolean {
  const [begin, end] = outer.range ?? [0, 0];
  const at = inner.range?.[0] ?? -1;
  return at >= begin && at < end;
}

/** How many values a node comes to. What aliases in it stand for has been counted: they come before. */
function sizeOf(node: Node, sizes: Map<Node, number>): number {
  const known = sizes.get(node);
  if (known !== undefined) return known;
  let size = 1;
  const count = (part: unknown) => {
    if (isNode(part)) size += sizeOf(part, sizes);
  };
  if (isCollection(node))
    for (const item of node.items)
      if (isPair(item)) {
        count(item.key);
        count(item.value);
      } else count(item);
  if (!isAlias(node)) sizes.set(node, size);
  return size;
}

/** `wallets[0].grant`. */
function nameOf(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text === '' ? '' : '.'}${String(part)}`;
  return text === '' ? 'the file' : text;
}
