// What is missing from a journal: receipts that are lost, cannot be read, or are in doubt. Known once the ledger's last receipt
// is; it keeps nothing from being written.

import { JOURNAL_DAMAGE_TOLD } from '../limits.ts';
import type { Log } from '../ports/ports.ts';
import type { LogRecord } from './block-log.ts';
import type { JournalReader } from './journal-reader.ts';
import type { JournalState } from './journal-state.ts';

/** What is missing from the journal. */
export interface JournalDamage {
  /** The receipts that are lost or in doubt, from `first` to `last`; both 0 where it is records that no receipt needs. */
  readonly first: number;
  readonly last: number;
  readonly detail: string;
}

/** See the head of the file. */
export class MissingReceipts {
  readonly #state: JournalState;
  readonly #log: Log | undefined;
  readonly #damage: JournalDamage[] = [];
  /** Why something may be missing; what it is comes out when the ledger's last receipt is known. */
  #suspicion = '';

  constructor(state: JournalState, log: Log | undefined) {
    this.#state = state;
    this.#log = log;
  }

  /** What is missing, as far as it was found. */
  get list(): readonly JournalDamage[] {
    return this.#damage;
  }

  /** Something is missing. The first reason is kept. */
  suspect(why: string): void {
    this.#suspicion ||= why;
  }

  /**
   * Goes through the journal and says what is missing, where anything may be.
   *
   * @param upTo the receipt up to which there should be all; 0 where nothing was promised
   */
  survey(reader: JournalReader, upTo: number): void {
    if (this.#suspicion === '') return;
    const { acknowledged } = this.#state;
    let last: LogRecord | undefined;
    let before = 0;
    for (;;) {
      const found = reader.after(last);
      if (found === undefined) break;
      const { receiptId } = found;
      this.noteMissing(before === 0 && reader.isFirstOfChain ? receiptId : before + 1, receiptId - 1);
      // What can be read need not be decoded: that would take long.
      if (receiptId > acknowledged && (found.standing === 'doubtful' || !reader.hasGrant(found))) {
        const { problem } = reader.receiptOf(found);
        if (problem !== undefined) this.note(receiptId, receiptId, `receipt ${receiptId}: ${problem}`);
      }
      last = found.last;
      before = receiptId;
    }
    this.noteMissing(before + 1, upTo);
    if (this.#damage.length === 0) this.note(0, 0, `${this.#suspicion}; all receipts concerned are acknowledged`);
  }

  /** Receipts that are not there, those that are acknowledged apart. */
  noteMissing(from: number, to: number): void {
    const first = Math.max(from, this.#state.acknowledged + 1);
    if (first > to) return;
    this.note(first, to, first === to ? `receipt ${to} is missing` : `receipts ${first} to ${to} are missing`);
  }

  private note(first: number, last: number, detail: string): void {
    const damage = this.#damage;
    if (damage.some((one) => one.first <= first && last <= one.last)) return;
    const widest = damage[JOURNAL_DAMAGE_TOLD - 1];
    const all = { first: Math.min(widest?.first ?? first, first), last: Math.max(widest?.last ?? last, last) };
    const note =
      widest === undefined
        ? { first, last, detail }
        : { ...all, detail: `of receipts ${all.first} to ${all.last} more than one is lost or in doubt` };
    damage[Math.min(damage.length, JOURNAL_DAMAGE_TOLD - 1)] = note;
    this.#log?.emit({ event: 'journal.damage', ...note });
  }
}
