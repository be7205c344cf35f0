// Which walks there are, as data, so that they can be shared out among workers, and what they have found put together.

import type { ErasedReads } from '../../host-sim/flash/cell-coding.ts';
import { mix } from '../../host-sim/flash/random.ts';
import { type PairOptions, type Part, type Walk, walkPairs, walkRandom, walkSingle } from './explore.ts';
import { namedWorkloads } from './workloads.ts';

/** One walk, or a part of one. */
export type WalkOrder =
  | {
      readonly kind: 'single';
      readonly workload: string;
      readonly erased: ErasedReads;
      readonly seed: number;
      /** The rest of the workload is run after one form of so many. */
      readonly restOf: number;
      readonly part: Part;
    }
  | {
      readonly kind: 'pairs';
      readonly workload: string;
      readonly erased: ErasedReads;
      readonly seed: number;
      readonly pairs: PairOptions;
    }
  | {
      readonly kind: 'random';
      readonly seed: number;
      readonly untilMs: number;
      readonly modes: readonly ErasedReads[];
    };

/** How much is walked. */
export interface Extent {
  /** Workloads that are walked with single cuts, and those with pairs. */
  readonly single: readonly string[];
  readonly paired: readonly string[];
  readonly modes: readonly ErasedReads[];
  readonly seed: number;
  readonly restOf: number;
  /** First cuts of pairs: one of so many in every form is tried, those with ones and those scrambled in turn. */
  readonly oneOf: number;
  readonly secondForms: PairOptions['secondForms'];
  /** Random workloads until then. */
  readonly untilMs: number;
}

/**
 * Parts that walks are taken apart into, so that the workers end at about the same time and one can see how far it is. Of pairs
 * where every form of the second cut is tried there are more.
 */
const PARTS = 8;
const PARTS_OF_ALL = 48;

/** The walks in parts: one of each walk first, for what they tell of how long the others take. */
export function ordersOf(extent: Extent): readonly WalkOrder[] {
  const firsts = new Set<string>();
  const isFirst = (order: WalkOrder) => {
    const name = describeWalk(order);
    return !firsts.has(name) && firsts.add(name);
  };
  const [first, others]: [WalkOrder[], WalkOrder[]] = [[], []];
  for (const order of partsOf(extent)) (isFirst(order) ? first : others).push(order);
  return [...first, ...others];
}

function partsOf(extent: Extent): readonly WalkOrder[] {
  const { modes, seed, restOf, oneOf, secondForms } = extent;
  const orders: WalkOrder[] = [];
  const parts = secondForms === 'all' ? PARTS_OF_ALL : PARTS;
  for (const workload of extent.paired)
    for (const [turn, erased] of modes.entries())
      for (let part = 0; part < parts; part++) {
        const pairs = { oneOf: oneOf * parts, which: (part * oneOf + (turn % oneOf)) % (oneOf * parts), secondForms };
        orders.push({ kind: 'pairs', workload, erased, seed, pairs });
      }
  for (const workload of extent.single)
    for (const erased of modes)
      for (let which = 0; which < PARTS; which++)
        orders.push({ kind: 'single', workload, erased, seed, restOf, part: { of: PARTS, which } });
  return orders;
}

/** What a walk is called that an order is a part of. */
export function describeWalk(order: WalkOrder): string {
  if (order.kind === 'random') return 'random workloads';
  return `${order.workload}, ${order.kind === 'single' ? 'one cut' : 'two cuts'}, erased cells read ${order.erased}`;
}

/** Random walks for so many workers: they run until a time, all other walks must be over by then. */
export function randomOrders({ modes, seed, untilMs }: Extent, workers: number): readonly WalkOrder[] {
  return Array.from({ length: workers }, (_, worker) => ({
    kind: 'random',
    seed: worker === 0 ? seed : mix(seed, worker),
    untilMs,
    modes,
  }));
}

/** Carries one out. */
export function walk(order: WalkOrder): Walk {
  if (order.kind === 'random') return walkRandom(order.seed, order.untilMs, order.modes, Date.now);
  const workload = namedWorkloads().find(({ name }) => name === order.workload);
  if (workload === undefined) throw new Error(`there is no workload ${order.workload}`);
  return order.kind === 'single'
    ? walkSingle(workload, order.erased, order.seed, order.restOf, order.part)
    : walkPairs(workload, order.erased, order.seed, order.pairs);
}

/** Puts parts of the same walk together. */
export function together(walks: readonly Walk[]): readonly Walk[] {
  const byName = new Map<string, Walk>();
  for (const walk of walks) {
    const before = byName.get(walk.name);
    const isRandom = before !== undefined && before.operations !== walk.operations;
    byName.set(
      walk.name,
      before === undefined
        ? walk
        : {
            ...before,
            // Parts of a walk have all of the workload's operations; random walks have each their own.
            operations: before.operations + (isRandom ? walk.operations : 0),
            compactions: before.compactions + (isRandom ? walk.compactions : 0),
            givenUp: before.givenUp + (isRandom ? walk.givenUp : 0),
            cases: before.cases + walk.cases,
            violations: [...before.violations, ...walk.violations],
            seconds: before.seconds + walk.seconds,
          },
    );
  }
  return [...byName.values()];
}
