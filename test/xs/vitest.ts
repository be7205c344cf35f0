// What stands for 'vitest' when spec files run inside XS: tests are gathered while modules load, and run one by one in the
// device's machine. A matcher that is not here fails its test, so nothing passes unlooked at.

import '../../host-sim/xs/programs/host.ts';
import { describeValue, equals, matches } from './equality.ts';

interface Test {
  readonly name: string;
  readonly run: () => unknown;
}

/** Thrown where a test asks for what XS does not have; it is skipped by name. */
export class Skip extends Error {}

const tests: Test[] = [];
let prefix = '';

type Body = (...values: never[]) => unknown;

/** Runs the body at once: it registers what it holds. */
export function describe(name: string, body: () => void): void {
  const before = prefix;
  prefix = `${prefix}${name} > `;
  body();
  prefix = before;
}

/** Registers a test. */
export function it(name: string, run: () => unknown): void {
  tests.push({ name: prefix + name, run });
}

function each(register: (name: string, body: () => void) => void) {
  return (table: readonly unknown[]) => (name: string, body: Body) => {
    const areRows = table.every((row) => Array.isArray(row));
    table.forEach((row, i) => {
      const values = areRows ? (row as unknown[]) : [row];
      register(titleOf(name, values, i), () => (body as (...values: unknown[]) => unknown)(...values));
    });
  };
}

/** `%s` and its like become the values in turn. */
function titleOf(name: string, values: readonly unknown[], index: number): string {
  let next = 0;
  const title = name.split(/%[sdijo]/).reduce((text, part) => `${text}${describeValue(values[next++])}${part}`);
  return `${title} #${index}`;
}

it.each = each(it);
describe.each = each(describe);
describe.skipIf = (skipped: boolean) => (name: string, body: () => void) =>
  skipped ? it(name, () => skip('skipped under Node too')) : describe(name, body);
it.skipIf = (skipped: boolean) => (name: string, run: () => unknown) =>
  it(name, skipped ? () => skip('skipped under Node too') : run);
export const test = it;

function skip(reason: string): never {
  throw new Skip(reason);
}

/** Clocks that are turned belong to Node. */
export const vi = new Proxy({}, { get: () => () => skip("replaces a module or a clock with vitest's means") });
export const beforeAll = () => skip('beforeAll');
export const afterAll = () => {};

const cleanings: (() => void)[] = [];

/** Runs behind each test of the file. */
export function afterEach(clean: () => void): void {
  cleanings.push(clean);
}

/** Matchers that compare what came with what was wanted. */
const MATCHERS: { readonly [name: string]: (got: never, want: never, more?: never) => boolean } = {
  toBe: (got: unknown, want: unknown) => (typeof got === 'bigint' ? equals(got, want) : Object.is(got, want)),
  toEqual: (got: unknown, want: unknown) => equals(got, want),
  toStrictEqual: (got: unknown, want: unknown) => equals(got, want),
  toMatchObject: (got: unknown, want: unknown) => matches(got, want),
  toBeUndefined: (got: unknown) => got === undefined,
  toBeDefined: (got: unknown) => got !== undefined,
  toBeNull: (got: unknown) => got === null,
  toBeTruthy: (got: unknown) => Boolean(got),
  toBeFalsy: (got: unknown) => !got,
  toHaveLength: (got: { length: number }, want: number) => got.length === want,
  toBeGreaterThan: (got: number, want: number) => got > want,
  toBeGreaterThanOrEqual: (got: number, want: number) => got >= want,
  toBeLessThan: (got: number, want: number) => got < want,
  toBeLessThanOrEqual: (got: number, want: number) => got <= want,
  toBeInstanceOf: (got: unknown, want: new () => unknown) => got instanceof want,
  toBeTypeOf: (got: unknown, want: string) => typeof got === want,
  toSatisfy: (got: unknown, want: (value: unknown) => boolean) => want(got),
  toContain: (got: string | readonly unknown[], want: never) => got.includes(want),
  toContainEqual: (got: readonly unknown[], want: unknown) => got.some((one) => equals(one, want)),
  toMatch: (got: string, want: string | RegExp) => (typeof want === 'string' ? got.includes(want) : want.test(got)),
  toHaveProperty: (got: object, name: string, value?: unknown) =>
    name in got && (value === undefined || equals((got as { [name: string]: unknown })[name], value)),
  toThrow: (got: () => unknown, want?: unknown) => throws(got, want),
};

function throws(body: () => unknown, want: unknown): boolean {
  try {
    body();
  } catch (error) {
    if (want === undefined) return true;
    const { message } = error as Error;
    if (typeof want === 'string') return message.includes(want);
    if (want instanceof RegExp) return want.test(message);
    return typeof want === 'function' ? error instanceof want : message === (want as Error).message;
  }
  return false;
}

type Assertion = { readonly [name: string]: (want?: unknown, more?: unknown) => void };

/** The assertions on a value. */
export function expect(got: unknown, about = ''): Assertion & { readonly not: Assertion } {
  return { ...assertions(got, about, true), not: assertions(got, about, false) } as never;
}

function assertions(got: unknown, about: string, wanted: boolean): Assertion {
  return new Proxy(
    {},
    {
      ownKeys: () => Object.keys(MATCHERS),
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
      get: (_, name: string) => (want?: unknown, more?: unknown) => {
        const matcher = MATCHERS[name] as unknown as ((...values: unknown[]) => boolean) | undefined;
        if (matcher === undefined) throw new Error(`there is no matcher ${name} in XS`);
        if (matcher(got, want, more) === wanted) return;
        const not = wanted ? '' : 'not ';
        throw new Error(`${about} expected ${describeValue(got)} ${not}${name} ${describeValue(want)}`.trim());
      },
    },
  ) as Assertion;
}

expect.any = (type: unknown) => ({ asymmetric: (got: unknown) => Object(got) instanceof (type as new () => unknown) });
expect.anything = () => ({ asymmetric: (got: unknown) => got !== undefined && got !== null });
expect.objectContaining = (want: object) => ({ asymmetric: (got: unknown) => matches(got, want) });
expect.stringContaining = (want: string) => ({ asymmetric: (got: unknown) => String(got).includes(want) });
expect.stringMatching = (want: RegExp | string) => ({
  asymmetric: (got: unknown) => new RegExp(want).test(String(got)),
});
expect.toSatisfy = (want: (value: unknown) => boolean) => ({ asymmetric: want });

/** A part of a test's name, and why it is not run inside. */
type LeftOut = readonly [part: string, reason: string];

let leftOut: readonly LeftOut[] = [];

/** Names tests that are skipped. */
export function leaveOut(tests: readonly LeftOut[]): void {
  leftOut = tests;
}

/**
 * Runs the gathered tests from one on: for each a line `begin`, then `ok`, `skip` or `fail`. Words: the first test, and how
 * many; without a number, all.
 */
export function runTests(): void {
  const first = Number(host.argument(0) ?? '0');
  const end = Math.min(tests.length, first + Number(host.argument(1) ?? tests.length));
  for (let i = first; i < end; i++) {
    const { run, ...test } = tests[i] as Test;
    const name = test.name.split('\n').join(' ');
    host.print(`begin ${i} ${name}`);
    const reason = leftOut.find(([part]) => name.includes(part))?.[1];
    host.print(reason === undefined ? outcome(run) : `skip ${reason}`);
  }
}

function outcome(run: () => unknown): string {
  try {
    const result = run();
    return result instanceof Promise ? 'skip asynchronous' : 'ok';
  } catch (error) {
    if (error instanceof Skip) return `skip ${error.message}`;
    return `fail ${String(error).split('\n').join(' ')}`;
  } finally {
    for (const clean of cleanings) clean();
  }
}
