// What stands between a store and a flash that fails: a failure is a refusal, not an exception, and a write that fails ends
// all writing until a restart, as only the scan of a start can tell what is on flash then.

import { FlashError, type Log } from '../ports/ports.ts';
import { LogError } from './block-log.ts';

/** Why nothing is recorded any more, or why something cannot be told. */
export interface StoreFailure {
  readonly code: 'STORE_FAILED';
  readonly detail: string;
}

/** See the head of the file. */
export class StoreGuard {
  readonly #event: string;
  readonly #log: Log | undefined;
  #problem: StoreFailure | undefined;

  /** @param event what is logged when writing ends */
  constructor(event: string, log: Log | undefined) {
    this.#event = event;
    this.#log = log;
  }

  /** Why nothing is written any more, or undefined. */
  get problem(): StoreFailure | undefined {
    return this.#problem;
  }

  /** Ends all writing, and says so. */
  end(problem: StoreFailure): StoreFailure {
    this.#problem = problem;
    this.#log?.emit({ event: this.#event, ...problem });
    return problem;
  }

  /** Runs what writes. @returns what it gives, or why nothing is written */
  write<T>(work: () => T): T | StoreFailure {
    if (this.#problem) return this.#problem;
    try {
      return work();
    } catch (error) {
      return this.end(this.failureOf(error));
    }
  }

  /** Runs what only reads. @returns what it gives, or how flash failed: the next time it is asked again */
  read<T>(work: () => T): T | StoreFailure {
    try {
      return work();
    } catch (error) {
      return this.failureOf(error);
    }
  }

  /** Runs what only reads and must have an answer: where flash fails it is `otherwise`, and nothing is written any more. */
  ask<T>(otherwise: T, work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#problem ??= this.failureOf(error);
      return otherwise;
    }
  }

  private failureOf(error: unknown): StoreFailure {
    if (error instanceof FlashError || error instanceof LogError) return storeFailed(error.message);
    // Not the flash's word, so not a decision of ours; but what it has left behind is not known.
    this.#problem = storeFailed('the flash broke off an operation');
    throw error;
  }
}

/** A store that failed, and how. */
export function storeFailed(detail: string): StoreFailure {
  return { code: 'STORE_FAILED', detail };
}
