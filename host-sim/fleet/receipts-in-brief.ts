// An operator's storage for a fleet: of each receipt it keeps what a report is made from, not the payment itself. Receipts are
// verified before they come here, as for every other storage.

import type { JsonValue } from '../../core/json/value.ts';
import { type ChainOf, MemoryStorage, type StoredReceipt } from '../operator-backend/storage.ts';

const KEPT = ['kind', 'mode', 'amountMinor', 'reservation', 'doubt', 'problem'];

/** See the head of the file. */
export class ReceiptsInBrief extends MemoryStorage {
  /** The same grant comes with every payment under it. */
  override async putGrant(grantKey: string, grant: JsonValue): Promise<void> {
    if ((await this.grant(grantKey)) !== undefined) return;
    await super.putGrant(copied(grantKey), JSON.parse(copied(JSON.stringify(grant))));
  }

  override putReceipt(of: ChainOf, receipt: StoredReceipt): Promise<void> {
    const document: Record<string, JsonValue> = {};
    for (const name of KEPT) {
      const value = receipt.document[name];
      if (value !== undefined) document[name] = typeof value === 'string' ? copied(value) : value;
    }
    const { hash, previous } = receipt;
    return super.putReceipt(of, { ...receipt, hash: copied(hash), previous: copied(previous), document });
  }
}

/** A text that was cut out of a batch would keep the whole batch in memory. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}
