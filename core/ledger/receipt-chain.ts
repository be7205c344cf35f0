// Each receipt carries the hash of the one before it. Whoever has them in order sees where one is missing or was changed.

/** A receipt as far as the chain goes. */
export interface ChainedReceipt {
  readonly receiptId: number;
  /** Hexadecimal text: the hash of the receipt before, and its own. */
  readonly previous: string;
  readonly hash: string;
}

/** Follows the chain, receipt by receipt. The first one seen stands for itself: what was before it is not known. */
export class ReceiptChain {
  #before: ChainedReceipt | undefined;

  /** @param before the last receipt of an earlier part of the chain, where there is one */
  constructor(before?: ChainedReceipt) {
    this.#before = before;
  }

  /** Takes the next receipt. @returns what is wrong between the one before and this one, or undefined */
  next(receipt: ChainedReceipt): string | undefined {
    const before = this.#before;
    this.#before = receipt;
    if (before === undefined) return undefined;
    if (receipt.receiptId <= before.receiptId)
      return `receipt ${receipt.receiptId} does not come after ${before.receiptId}`;
    if (receipt.previous === UNKNOWN)
      return `the chain begins anew at receipt ${receipt.receiptId}: what was before it was damaged when it was written`;
    if (receipt.previous !== before.hash)
      return receipt.receiptId === before.receiptId + 1
        ? `receipt ${receipt.receiptId} carries another hash than that of ${before.receiptId}`
        : `receipts between ${before.receiptId} and ${receipt.receiptId} are missing`;
    if (receipt.receiptId !== before.receiptId + 1)
      return `receipts ${before.receiptId + 1} to ${receipt.receiptId - 1} were never written`;
    return undefined;
  }
}

/** What a receipt carries before which the journal has lost what it knew. */
const UNKNOWN = 'f'.repeat(32);
