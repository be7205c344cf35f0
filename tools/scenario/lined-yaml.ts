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
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import type { z } from 'zod';
import type { InputProblem } from '../provision/problems.ts';

/** How many values the aliases of a file may stand for together. */
const MOST_VALUES = 100_000;

/** What keeps a file from being YAML, and what would be right. What is not among them is told in the words of the parser. */
const FAULTS: { readonly [code in ErrorCode]?: string } = {
  TAB_AS_INDENT: 'the line begins with a tab; members are indented with blanks',
  MULTIPLE_DOCS: 'a second document begins here; a file has one',
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

/** How a reason begins whose subject is the member that is named before it. */
const CONTINUES = /^(is|has) /;
const TWICE = 'this member stands there twice';
/** An object would take it for what it inherits from, and nobody would see it. */
const PROTO = '__proto__';

/** See the head of the file. */
export class LinedYaml {
  readonly file: string;
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;
  /** What each alias stands for. */
  readonly #meant = new Map<Alias, Node | undefined>();
  /** The members of each object that was looked into, by their names. */
  readonly #members = new Map<YAMLMap, ReadonlyMap<unknown, Pair>>();
  /** The names of members that cannot be: they stand in their object already, or no member is called so. */
  readonly #misnamed: { readonly name: Node; readonly words: string }[] = [];

  constructor(file: string, text: string) {
    this.file = file;
    // Every scalar is a number, a truth value, nothing, or text: no dates, and no `yes`.
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      version: '1.2',
      // Looked for below: the parser holds each member against all others of its object.
      uniqueKeys: false,
      stringKeys: true,
      merge: false,
    });
    this.#lookThrough();
  }

  #lookThrough(): void {
    const anchors = new Map<string, Node>();
    visit(this.#document, (_, node) => {
      if (isAlias(node)) this.#meant.set(node, anchors.get(node.source));
      else if (isNode(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
      if (!isMap(node)) return;
      const names = new Set<unknown>();
      for (const { key } of node.items) {
        if (!isScalar(key)) continue;
        if (names.has(key.value)) this.#misnamed.push({ name: key, words: TWICE });
        else if (key.value === PROTO) this.#misnamed.push({ name: key, words: `no member is called ${PROTO}` });
        names.add(key.value);
      }
    });
  }

  /** What keeps it from being read. Where one thing is wrong, the parser finds others that are not: only the first is told. */
  get problems(): readonly InputProblem[] {
    const found = [...this.#document.errors, ...this.#document.warnings];
    const fault = found.find(isTab) ?? found[0];
    if (fault === undefined)
      return this.#misnamed.map(({ name, words }) => this.#unreadable(this.#lineAt(name), words));
    const { code, message, linePos } = fault;
    return [this.#unreadable(linePos?.[0].line ?? 1, FAULTS[code] ?? (message.split(' at line ')[0] as string))];
  }

  #unreadable(line: number, words: string): InputProblem {
    return { file: this.file, line, reason: `it is no YAML as it is meant: ${words}` };
  }

  /** What it says, or why that is not to be had: aliases may make a file of a line a gigabyte. */
  get value(): { readonly value: unknown } | { readonly problems: readonly InputProblem[] } {
    const problem = this.#versionProblem() ?? this.#aliasProblem();
    return problem === undefined
      ? { value: this.#valueOf(this.#document.contents, new Map()) }
      : { problems: [problem] };
  }

  #versionProblem(): InputProblem | undefined {
    const { explicit = false, version = '1.2' } = this.#document.directives?.yaml ?? {};
    if (!explicit || version === '1.2') return undefined;
    return { file: this.file, line: 1, reason: `it says that it is YAML ${version}; a scenario is YAML 1.2` };
  }

  /** Not by the parser's own way, which looks for what an alias stands for from the beginning of the file, for each of them. */
  #valueOf(node: unknown, known: Map<Node, unknown>): unknown {
    if (isAlias(node)) return this.#valueOf(this.#meant.get(node), known);
    if (isScalar(node)) return node.value;
    if (!isCollection(node)) return null;
    if (known.has(node)) return known.get(node);
    const value = isMap(node)
      ? Object.fromEntries(
          node.items.map(({ key, value }) => [isScalar(key) ? String(key.value) : '', this.#valueOf(value, known)]),
        )
      : node.items.map((item) => this.#valueOf(item, known));
    known.set(node, value);
    return value;
  }

  /** Why aliases cannot be followed: one stands for nothing or for itself, or they stand for too much. */
  #aliasProblem(): InputProblem | undefined {
    const sizes = new Map<Node, number>();
    let values = 0;
    for (const [alias, meant] of this.#meant) {
      if (meant !== undefined) sizes.set(alias, isWithin(alias, meant) ? 0 : sizeOf(meant, sizes));
      values += sizes.get(alias) ?? 0;
      const reason = reasonAgainst(alias, meant, values);
      if (reason !== undefined) return { file: this.file, line: this.#lineAt(alias), reason };
    }
    return undefined;
  }

  #lineAt(node: Node): number {
    return this.#lines.linePos(node.range?.[0] ?? 0).line;
  }

  /** The line of a value, or of the nearest one around it. */
  lineOf(path: readonly PropertyKey[]): number {
    const { last } = this.#find(path);
    return last === undefined ? 1 : this.#lineAt(last);
  }

  /** A finding at a place, which it names. */
  problem(path: readonly PropertyKey[], reason: string): InputProblem {
    return this.#told(path, `${nameOf(path)}${CONTINUES.test(reason) ? ' ' : ': '}${reason}`);
  }

  #told(path: readonly PropertyKey[], reason: string): InputProblem {
    return { file: this.file, line: this.lineOf(path), reason };
  }

  /** What a schema has found, each with the place it is about. @param at where that stands which the schema is of */
  findings(issues: readonly z.core.$ZodIssue[], at: readonly PropertyKey[] = []): readonly InputProblem[] {
    return issues.flatMap((issue) => this.#findingsOf(issue, [...at, ...issue.path]));
  }

  #findingsOf(issue: z.core.$ZodIssue, path: readonly PropertyKey[]): readonly InputProblem[] {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => this.#told([...path, key], `there is no member ${nameOf([...path, key])}`));
    if (issue.code === 'invalid_union') {
      // The branch that got past the value's type is the one that was meant.
      const meant = issue.errors.find((found) =>
        found.some(({ code, path }) => path.length > 0 || (code !== 'invalid_type' && code !== 'invalid_value')),
      );
      if (meant !== undefined) return meant.flatMap((one) => this.#findingsOf(one, [...path, ...one.path]));
    }
    return [this.problem(path, this.#find(path).isThere ? issue.message : 'is missing')];
  }

  /**
   * Goes along a path, where need be to what an alias stands for.
   *
   * @returns the name of the member where it leads, or the item; or the last there is on the way
   */
  #find(path: readonly PropertyKey[]): { readonly isThere: boolean; readonly last: Node | undefined } {
    let last: Node | undefined;
    let node: unknown = this.#document.contents;
    for (const part of path) {
      if (isAlias(node)) node = this.#meant.get(node);
      const pair = isMap(node) ? this.#membersOf(node).get(part) : undefined;
      const item = isSeq(node) ? node.items[Number(part)] : undefined;
      const named = pair === undefined ? item : pair.key;
      if (!isNode(named)) return { isThere: false, last };
      last = named;
      node = pair === undefined ? item : pair.value;
    }
    return { isThere: true, last };
  }

  #membersOf(map: YAMLMap): ReadonlyMap<unknown, Pair> {
    const known = this.#members.get(map);
    if (known !== undefined) return known;
    const members = new Map(map.items.map((pair) => [isScalar(pair.key) ? pair.key.value : undefined, pair]));
    this.#members.set(map, members);
    return members;
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

/** A member as findings name it: `wallets[0].grant`. */
export function nameOf(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text === '' ? '' : '.'}${String(part)}`;
  return text === '' ? 'the file' : text;
}
