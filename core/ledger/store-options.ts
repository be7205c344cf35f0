// What a site may choose of a store on flash, the spend ledger or the journal.

import type { Log } from '../ports/ports.ts';

/** See the head of the file. */
export interface StoreOptions {
  /**
   * What a payment does where the work of idle time has fallen behind: `step` (the default) takes the steps that are missing,
   * which can cost an erase; `refuse` refuses the payment until `step` was called.
   */
  readonly whenBehind?: 'step' | 'refuse';
  /** `blank` (the default): a partition that reads 0xFF is formatted. `never`: only `format` does it. */
  readonly autoFormat?: 'blank' | 'never';
  /**
   * A random number of 32 bits for a partition that is formatted. Who does not know it can make no bytes that pass for records.
   * Left out it is 0, and what the records of the first blocks begin with can be guessed: docs/FORMAT.md says how far.
   */
  readonly salt?: number;
  readonly log?: Log;
}
