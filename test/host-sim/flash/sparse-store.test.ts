// A sparse store is to a flash what a dense one is, whatever is done with it, and keeps what is not erased.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore, SparseStore } from '../../../host-sim/flash/store.ts';

const BLOCK = 4096;
const SIZE = 2 * BLOCK;

type Step =
  | { readonly kind: 'program'; readonly unit: number; readonly units: number; readonly byte: number }
  | { readonly kind: 'erase'; readonly block: number }
  | { readonly kind: 'read'; readonly offset: number; readonly length: number }
  | { readonly kind: 'again' };
type Torn = Step & { readonly torn?: boolean };

const torn = { torn: fc.boolean() };
const program = fc.record({
  kind: fc.constant('program' as const),
  unit: fc.nat(SIZE / 16 - 1),
  units: fc.integer({ min: 1, max: 60 }),
  // With many that look erased.
  byte: fc.oneof(fc.constant(0xff), fc.nat(255)),
  ...torn,
});
const step: fc.Arbitrary<Torn> = fc.oneof(
  program,
  fc.record({ kind: fc.constant('erase' as const), block: fc.nat(1), ...torn }),
  fc.record({ kind: fc.constant('read' as const), offset: fc.nat(SIZE - 1), length: fc.nat(600) }),
  fc.record({ kind: fc.constant('again' as const) }),
);

/** A flash that is gone over step by step; what each step came to can be compared. */
class Walk {
  readonly #store: MemoryStore | SparseStore;
  #flash: SimulatedFlash;

  constructor(store: MemoryStore | SparseStore) {
    this.#store = store;
    this.#flash = this.#made();
  }

  take(step: Torn): string {
    try {
      return Buffer.from(this.#taken(step)).toString('latin1');
    } catch (error) {
      if (error instanceof PowerCut) this.#flash.restart();
      return (error as Error).message;
    }
  }

  /** All of a flash, as text. */
  get snapshot(): string {
    const { cells, states, ...rest } = this.#flash.snapshot();
    return [cells, states].map((bytes) => Buffer.from(bytes).toString('latin1')).join() + JSON.stringify(rest);
  }

  /** It becomes what it is, by its snapshot. */
  restored(): void {
    this.#flash.restore(this.#flash.snapshot());
  }

  #taken(step: Torn): Uint8Array {
    if ('torn' in step && step.torn) this.#flash.cutAt(this.#flash.operations, 'torn');
    if (step.kind === 'again') this.#flash = this.#made();
    else if (step.kind === 'erase') this.#flash.erase(step.block * BLOCK);
    else if (step.kind === 'program') {
      const bytes = new Uint8Array(step.units * 16).map((_, i) => (i % 7 === 0 ? 0xff : step.byte));
      this.#flash.program(step.unit * 16, bytes);
    } else {
      const target = new Uint8Array(step.length);
      this.#flash.read(step.offset, target);
      return target;
    }
    return new Uint8Array(0);
  }

  #made(): SimulatedFlash {
    return new SimulatedFlash(this.#store, { seed: 5 });
  }
}

it('is the same flash as over a dense store: reads, refusals, power cuts, wear, and what a later one finds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const [dense, sparse] = [new Walk(new MemoryStore(SIZE)), new Walk(new SparseStore(SIZE))];
      for (const step of steps) expect(sparse.take(step)).toBe(dense.take(step));
      expect(sparse.snapshot === dense.snapshot).toBe(true);
      sparse.restored();
      expect(sparse.snapshot === dense.snapshot).toBe(true);
    }),
    { numRuns: 60 },
  );
});

it('keeps what is not erased, and nothing of a block that was erased', () => {
  const store = new SparseStore(64 * BLOCK);
  const flash = new SimulatedFlash(store);
  expect(store.keptBytes).toBe(0);
  flash.program(5 * BLOCK, new Uint8Array(160));
  expect(store.keptBytes).toBeGreaterThanOrEqual(160);
  expect(store.keptBytes).toBeLessThanOrEqual(256);
  flash.erase(5 * BLOCK);
  expect(store.keptBytes).toBe(0);
});
