// What a device's flash holds, read from a copy of its cells as a device would find it after its power went now.

import { FlashLedger, type LedgerFill } from '../../core/ledger/flash-ledger.ts';
import { Journal, type JournalFill } from '../../core/ledger/journal.ts';
import { ledgerKey } from '../../core/ledger/keys.ts';
import type { Crypto, Flash } from '../../core/ports/ports.ts';
import type { SimulatedFlash } from '../flash/simulated-flash.ts';
import { ERASED } from '../flash/store.ts';
import type { Recorded } from './model.ts';

/**
 * A flash as it is now, for as long as nobody writes to it; what is written here is written nowhere else. Blocks are copied when they
 * are looked at: of thousands of devices most of the flash is erased.
 */
class CellsCopy implements Flash {
  readonly size: number;
  readonly blockSize: number;
  readonly programSize: number;
  readonly #flash: SimulatedFlash;
  readonly #blocks: (Uint8Array | undefined)[] = [];

  constructor(flash: SimulatedFlash) {
    this.size = flash.size;
    this.blockSize = flash.blockSize;
    this.programSize = flash.programSize;
    this.#flash = flash;
  }

  read(offset: number, target: Uint8Array): void {
    for (let done = 0; done < target.length; ) {
      const at = (offset + done) % this.blockSize;
      const count = Math.min(target.length - done, this.blockSize - at);
      target.set(this.#block(offset + done - at).subarray(at, at + count), done);
      done += count;
    }
  }

  program(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = (offset + done) % this.blockSize;
      const count = Math.min(bytes.length - done, this.blockSize - at);
      this.#block(offset + done - at).set(bytes.subarray(done, done + count), at);
      done += count;
    }
  }

  erase(offset: number): void {
    this.#blocks[offset / this.blockSize] = new Uint8Array(this.blockSize).fill(ERASED);
  }

  #block(offset: number): Uint8Array {
    const known = this.#blocks[offset / this.blockSize];
    if (known !== undefined) return known;
    const block = new Uint8Array(this.blockSize);
    this.#flash.look(offset, block);
    this.#blocks[offset / this.blockSize] = block;
    return block;
  }
}

/** See the head of the file. */
export class FlashReading {
  readonly #crypto: Crypto;
  readonly #ledger: FlashLedger;
  readonly #journal: Journal;

  constructor(crypto: Crypto, flashes: { readonly ledger: SimulatedFlash; readonly journal: SimulatedFlash }) {
    this.#crypto = crypto;
    this.#ledger = new FlashLedger(new CellsCopy(flashes.ledger), crypto);
    this.#journal = new Journal(new CellsCopy(flashes.journal), crypto);
    const last = this.#ledger.lastReceipt();
    // What the ledger does not know of was never committed.
    if (last !== undefined) this.#journal.reconcile(last);
  }

  /** How full its stores are. */
  get fills(): { readonly ledger: LedgerFill; readonly journal: JournalFill } {
    return { ledger: this.#ledger.fill, journal: this.#journal.fill };
  }

  /** What was accepted under a grant. */
  totalOf(grantId: string): bigint {
    return this.#ledger.grantTotal(ledgerKey(this.#crypto, 'grant', new Uint8Array(0), grantId));
  }

  /** What there is of a receipt that is not acknowledged yet. */
  recorded(receiptId: number, grantId: string): Recorded {
    let amount: bigint | undefined;
    this.#journal.unsent(receiptId - 1, 1, (receipt) => {
      if (receipt.receiptId === receiptId) amount = receipt.entry?.amount;
    });
    return { amount, grantTotal: this.totalOf(grantId) };
  }
}
