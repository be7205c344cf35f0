// What stops something from being signed or used, and how zod's findings are put into one line that names the member.

import type { z } from 'zod';

/** Members that must not be signed as they are; the message names the member and says why. */
export class IssueProblem extends Error {
  /** The outermost members that the problem is about, where it is about members. */
  readonly members: readonly string[];
  constructor(message: string, members: readonly string[] = []) {
    super(message);
    this.members = members;
  }
}

/**
 * Checks data against a schema.
 *
 * @param what how a problem names the data
 * @returns what the schema makes of it
 * @throws IssueProblem with every finding in one line, each after the member it is about
 */
export function shaped<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = checked(schema, value);
  if (result.success) return result.data;
  const members = result.error.issues.flatMap((issue) => {
    if (issue.path[0] !== undefined) return [String(issue.path[0])];
    return issue.code === 'unrecognized_keys' ? issue.keys : [];
  });
  throw new IssueProblem(`${what}: ${result.error.issues.map(issueText).join('; ')}`, [...new Set(members)]);
}

/** What could be read of an object of which some members cannot be used. */
export interface PartlyRead<T> {
  /** Without the members that are wrong, and those that there are none of. */
  readonly value: Partial<T>;
  /** Each after the member it is about. */
  readonly findings: readonly string[];
  /** The outermost members in which something is wrong. */
  readonly wrong: ReadonlySet<string>;
}

/** Checks an object, and goes on with the members that are right. */
export function partlyShaped<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  value: { readonly [name: string]: unknown },
): PartlyRead<z.infer<z.ZodObject<Shape>>> {
  const issues = checked(schema, value).error?.issues ?? [];
  const wrong = new Set<string>();
  const rest = structuredClone(value) as { [name: string]: unknown };
  for (const { code, path, ...issue } of issues) {
    if (code === 'unrecognized_keys') {
      let part: unknown = rest;
      for (const name of path) part = (part as { readonly [name: PropertyKey]: unknown })[name];
      for (const key of 'keys' in issue ? issue.keys : []) delete (part as { [name: string]: unknown })[key];
    } else wrong.add(String(path[0]));
  }
  for (const name of wrong) delete rest[name];
  const read = checked(schema.partial(), rest);
  return { value: (read.data ?? {}) as never, findings: issues.map(issueText), wrong };
}

function checked<T>(schema: z.ZodType<T>, value: unknown) {
  return schema.safeParse(value, {
    error: (issue) => {
      if (issue.input === undefined) return 'is missing';
      // zod tells types by constructor, which a member of that name in the data would mislead.
      return issue.code === 'invalid_type' ? `expected ${issue.expected}, received ${kindOf(issue.input)}` : undefined;
    },
  });
}

function issueText(issue: z.core.$ZodIssue): string {
  const path = memberPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => (path === '' ? key : `${path}.${key}`));
    return `${names.join(', ')}: there is no such member`;
  }
  if (issue.code === 'invalid_union' && issue.message !== 'is missing') {
    // The finding of the branch that was meant says more than "Invalid input": the one that got past the value's type.
    const meant = issue.errors.find((found) =>
      found.some((inner) => inner.path.length > 0 || inner.code !== 'invalid_type'),
    );
    const first = meant?.[0];
    if (first !== undefined) return issueText({ ...first, path: [...issue.path, ...first.path] });
    const types = issue.errors.map((found) =>
      found[0] !== undefined && 'expected' in found[0] ? String(found[0].expected) : '',
    );
    const known = types.filter((type) => type !== '');
    if (known.length > 0) return `${path}: expected ${known.join(' or ')}`;
  }
  const message = issue.message.replace(/^Invalid (input|option): /, '');
  if (path === '') return message;
  return message.startsWith('is ') ? `${path} ${message}` : `${path}: ${message}`;
}

/** `issuers[0].keys[1].kid`. */
function memberPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text === '' ? '' : '.'}${String(part)}`;
  return text;
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}
