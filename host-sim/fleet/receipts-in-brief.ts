// An operator's storage for a fleet: of each receipt it keeps what a report is made from, not the payment itself. Receipts are
// verified before they come here, as for every other storage.

import { type ChainOf, MemoryStorage, type StoredReceipt } from '../operator-backend/storage.ts';

const KEPT = ['kind', 'mode', 'amountMinor', 'reservation', 'doubt', 'problem'];

/** See the head of the file. */
export class ReceiptsInBrief extends MemoryStorage {
  override putReceipt(of: ChainOf, receipt: StoredReceipt): Promise<void> {
    const document = Object.fromEntries(Object.entries(receipt.document).filter(([name]) => KEPT.includes(name)));
    return super.putReceipt(of, { ...receipt, document });
  }
}
