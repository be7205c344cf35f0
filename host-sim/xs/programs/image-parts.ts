// What every device takes of the core, whatever verifies its signatures: for the size of an image.

import { presentationFromAuthorization } from '../../../core/intake/http-authorization.ts';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { Journal } from '../../../core/ledger/journal.ts';
import type { Clock, Crypto, Flash } from '../../../core/ports/ports.ts';
import { Uploader, type UploadOptions } from '../../../core/refresh/upload.ts';
import { BundlePartition } from '../../../core/trust/bundle-partition.ts';
import { Verifier, type VerifierParts } from '../../../core/verifier.ts';

/** What a device has around the core. */
export interface DeviceParts {
  readonly configuration: VerifierParts['configuration'];
  readonly clock: Clock;
  readonly flash: { readonly [partition in 'bundles' | 'keyTables' | 'ledger' | 'journal']: Flash };
  readonly upload: UploadOptions;
}

/** A device that decides on payments in HTTP headers, keeps bundles, ledger and journal in flash, and hands in what it accepted. */
export function deviceOf(parts: DeviceParts, crypto: Crypto, keyTables?: VerifierParts['keyTables']) {
  const { configuration, clock, flash, upload } = parts;
  const ledger = new FlashLedger(flash.ledger, crypto);
  const journal = new Journal(flash.journal, crypto);
  const bundles = new BundlePartition(flash.bundles, crypto);
  const stores = { ledger, journal, bundles };
  const verifier = new Verifier({ configuration, crypto, clock, ...stores, ...(keyTables && { keyTables }) });
  return { verifier, uploader: new Uploader(journal, upload), presentationFromAuthorization };
}
