// What stands for 'fast-check' inside XS: properties are for Node, and each test that checks one is skipped by name.

import { Skip } from './vitest.ts';

/** Answers to every name and every call with itself. */
const anything: object = new Proxy(() => anything, {
  get: (_, name) => (name === Symbol.toPrimitive ? () => 0 : anything),
  apply: () => anything,
});

function check(): never {
  throw new Skip('a property of random input: Node checks it');
}

const CHECKS: readonly (string | symbol)[] = ['assert', 'check', 'sample'];

export default new Proxy({}, { get: (_, name) => (CHECKS.includes(name) ? check : anything) });
