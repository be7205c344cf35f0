// What is said of a value in a file that somebody wrote, a scenario or a site, that is not as it must be: what stands there, and what would be right.

import type { z } from 'zod';

/** More of a value is not told. */
const SHOWN = 40;

/** What stands there, so that it is found again. */
function shown(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= SHOWN
      ? JSON.stringify(value)
      : `${JSON.stringify(`${value.slice(0, SHOWN - 10)}…`)} (${value.length} characters)`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : String(value);
}

/** That a value is not what it must be. @param what with its article */
export function isNot(value: unknown, what: string): string {
  return value === null ? `is empty: it is to be ${what}` : `${shown(value)} is not ${what}`;
}

/** A schema's words for a value that it does not take, instead of those for its type. Of one that is missing nothing is said. */
export function meant(what: string) {
  return { error: ({ input }: { readonly input?: unknown }) => (input === undefined ? undefined : isNot(input, what)) };
}

const TYPES: { readonly [type: string]: string } = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** The words of a schema for shapes that a member of theirs tells apart, where that is not one of those. */
export function meantKind(member: string, kinds: readonly string[]) {
  return {
    error: ({ code, input }: { readonly code?: string | undefined; readonly input?: unknown }) => {
      if (code !== 'invalid_union') return undefined;
      const kind = (input as { readonly [name: string]: unknown })[member];
      return kind === undefined ? 'is missing' : isNot(kind, `one of ${kinds.join(', ')}`);
    },
  };
}

/** The words for what a schema has none of its own for. */
export function findingWords(issue: z.core.$ZodRawIssue): string | undefined {
  const { input } = issue;
  switch (issue.code) {
    case 'invalid_type':
      return isNot(input, TYPES[issue.expected] ?? issue.expected);
    case 'invalid_value': {
      const values = issue.values.map(String);
      return values.length === 1 ? isNot(input, values[0] as string) : isNot(input, `one of ${values.join(', ')}`);
    }
    case 'too_small':
      return `${shown(input)} is ${issue.inclusive === false ? 'not above' : 'less than'} ${issue.minimum}`;
    case 'too_big':
      return `${shown(input)} is more than ${issue.maximum}`;
    case 'invalid_union': {
      const types = issue.errors.flatMap(([first]) =>
        first?.code === 'invalid_type' ? [TYPES[first.expected] ?? first.expected] : [],
      );
      return types.length === 0 ? undefined : isNot(input, types.join(' or '));
    }
    default:
      return undefined;
  }
}
