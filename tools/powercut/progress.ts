// How far the walks are, in lines for whoever waits. How long the rest takes is taken from parts of the same walk that are done.

import type { Walk } from './explore.ts';
import { describeWalk, type WalkOrder } from './walks.ts';

/** What is known of the parts of one walk. */
interface Part {
  done: number;
  of: number;
  seconds: number;
  cases: number;
  violations: number;
}

/** See the head of the file. */
export class Progress {
  readonly #walks = new Map<string, Part>();
  readonly #startedMs: number;
  readonly #workers: number;

  /** @param workers how many parts are walked at a time */
  constructor(orders: readonly WalkOrder[], workers: number, nowMs: number) {
    this.#workers = workers;
    this.#startedMs = nowMs;
    for (const order of orders) {
      const part = this.#partOf(order);
      part.of++;
    }
  }

  /** A part is walked. @returns what to say: a violation at once, and each walk once all of its parts are done */
  ended(order: WalkOrder, { cases, seconds, violations }: Walk): readonly string[] {
    const part = this.#partOf(order);
    part.done++;
    part.cases += cases;
    part.seconds += seconds;
    part.violations += violations.length;
    const lines = violations.map(({ rule, detail }) => `VIOLATION of "${rule}": ${detail}`);
    if (part.done < part.of) return lines;
    return [...lines, `${describeWalk(order)}: done, ${part.cases} cases, ${violationsOf(part.violations)}`];
  }

  /** How far all of it is: `21 of 80 parts done, 41230 cases, no violation; 3 min so far, about 9 min more`. */
  line(nowMs: number): string {
    const parts = [...this.#walks.values()];
    const sum = (of: (part: Part) => number) => parts.reduce((total, part) => total + of(part), 0);
    const done = `${sum((part) => part.done)} of ${sum((part) => part.of)} parts done, ${sum((part) => part.cases)} cases`;
    // Before a part of each walk is done nobody knows.
    const isKnown = parts.every((part) => part.done > 0);
    const left = sum((part) => ((part.of - part.done) * part.seconds) / Math.max(1, part.done)) / this.#workers;
    const more = isKnown ? `, about ${span(left)} more` : '';
    const violations = violationsOf(sum((part) => part.violations));
    return `${done}, ${violations}; ${span((nowMs - this.#startedMs) / 1000)} so far${more}`;
  }

  #partOf(order: WalkOrder): Part {
    const name = describeWalk(order);
    let part = this.#walks.get(name);
    if (part === undefined) {
      part = { done: 0, of: 0, seconds: 0, cases: 0, violations: 0 };
      this.#walks.set(name, part);
    }
    return part;
  }
}

function violationsOf(count: number): string {
  return count === 0 ? 'no violation' : `${count} violations`;
}

function span(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
