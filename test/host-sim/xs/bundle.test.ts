// The one module a device has in flash: what it exports does what the files do, in forms that take few slots; what cannot be
// written in these forms is refused, not changed.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeBundle, withFewerSlots } from '../../../host-sim/xs/bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'mpcp-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;

/** The text of the bundle of a module with this text. */
async function bundled(text: string): Promise<string> {
  const path = join(folder, `module-${count++}.ts`);
  writeFileSync(path, text);
  return makeBundle(path);
}

/** What the module exports as default, called. */
async function result(text: string): Promise<unknown> {
  const code = await bundled(text);
  const loaded = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`);
  return loaded.default();
}

const COUNTER = `
class Counter {
  readonly name: string;
  #count = 1;
  #most: number | undefined;
  static #made = 0;
  constructor(name: string) { this.name = name; Counter.#made++; }
  get #double() { return this.#count * 2; }
  #add(n: number) { this.#count += n; this.#most = this.#count; }
  add(n: number) { this.#add(n); return [this.#double, this.#most, Counter.#made, this.name]; }
}
`;

describe('a device’s module', () => {
  it('does what the files do: private members, functions before they are made', async () => {
    expect(await result(`${COUNTER} export default () => new Counter('a').add(4);`)).toEqual([10, 5, 1, 'a']);
    expect(await result('const two = one() + 1; function one() { return 1; } export default () => two;')).toBe(2);
  });

  it('has no private member: each would be a variable of every method, and each private method a slot of every instance', async () => {
    const code = await bundled(`${COUNTER} export default () => new Counter('a');`);
    expect(code).not.toContain('#');
  });

  it('has no function with a prototype of its own, but one that makes instances', async () => {
    const code = await bundled(
      'function Bare() {}\nfunction plain() { return 1; }\nexport default () => [new (Bare as any)(), plain()];',
    );
    expect(code.match(/\bfunction\b/g)).toHaveLength(1);
    expect(await result('function f() { return f; } export default () => "prototype" in f();')).toBe(false);
  });

  it('sets no memory aside for constants', async () => {
    const code = await bundled('const list = [1, 2]; export class A {} export default () => [list, A];');
    expect(code).not.toMatch(/^(?:var|let) /m);
  });

  it('has the numbers of modules where they are used: a function has a slot for each variable that it refers to', async () => {
    const text = `
const UNIT = 16;
const LARGE = (UNIT + 1) * 4;
const KIND = Object.freeze({ first: 2, second: LARGE });
const LIMITS = Object.freeze({ bytes: UNIT });
function inner(UNIT: number) { return { UNIT }; }
export default () => [LARGE >= UNIT, KIND.first, KIND.second, inner(3), LIMITS, { kind: UNIT, text: 'UNIT KIND.first' }];`;
    const code = await bundled(text);
    expect(await result(text)).toEqual([
      true,
      2,
      68,
      { UNIT: 3 },
      { bytes: 16 },
      { kind: 16, text: 'UNIT KIND.first' },
    ]);
    // What is left at module level: the object that is used whole, the functions, and what they are taken from.
    expect(code.match(/Object\.freeze\(\{/g)).toHaveLength(1);
    expect(code).toContain('[!0, 2, 68, ');
  });

  it('keeps a variable that has no value yet', async () => {
    const text = 'let kept: number | undefined; export default () => { kept = (kept ?? 0) + 1; return kept; };';
    expect(await result(text)).toBe(1);
  });

  it('keeps the first value of an Error’s members: its prototype cannot be written in flash', () => {
    const text = 'var Problem = class extends Error {\n  name = "Problem";\n  code;\n};\n';
    expect(withFewerSlots(text)).toBe('const Problem = class extends Error {\n  name = "Problem";\n  code;\n};\n');
  });
});

describe('refused', () => {
  it('an import that is not there', async () => {
    const text = "import { limit } from './nowhere.ts'; export default () => limit;";
    await expect(bundled(text)).rejects.toThrow(/cannot be made one module: .*Could not resolve ".\/nowhere.ts"/);
  });

  it('a variable that has a value and gets another: it would be a constant', async () => {
    const text = 'let first = 1; export default () => { first++; return first; };';
    await expect(bundled(text)).rejects.toThrow(/module-\d+\.ts cannot be made one module: .*constant/);
  });

  it('a class whose base has a private member of the same name: they would be one property', async () => {
    const text =
      'class Base { #at = 1; at() { return this.#at; } }\nclass Other extends Base { #at = 2; it() { return this.#at; } }\nexport default () => new Other().at();';
    await expect(bundled(text)).rejects.toThrow('Other and Base, its base, both have #at');
  });
});
