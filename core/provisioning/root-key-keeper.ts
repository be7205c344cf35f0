// Keeps the root key that somebody confirmed at set-up: as an image of its own, in the slot that is not in force, with the next
// counter. The image it came with stays until it is written whole.

import type { RootKeyKeeper } from '../boot/root-key-setup.ts';
import { writeCbor } from '../cbor/writer.ts';
import { JsonProblem } from '../json/reader.ts';
import { type Flash, FlashError } from '../ports/ports.ts';
import type { RootKey } from '../trust/configuration.ts';
import { documentOf, imageInForce, LAST_COUNTER, writeProvisioning } from './partition.ts';
import { decodeDocument } from './plain-data.ts';
import { ProvisioningProblem, readDocument } from './provisioning.ts';

type Members = { readonly [name: string]: unknown };

/** See the head of the file. A device that has kept one fetches none any more: its image does not say so. */
export class ImageRootKeyKeeper implements RootKeyKeeper {
  readonly #flash: Flash;

  /** @param flash the partition with the provisioning */
  constructor(flash: Flash) {
    this.#flash = flash;
  }

  keep(key: RootKey): string | undefined {
    try {
      return this.#keep(key);
    } catch (error) {
      if (error instanceof ProvisioningProblem || error instanceof FlashError || error instanceof RangeError)
        return error.message;
      throw error;
    }
  }

  #keep(key: RootKey): string | undefined {
    const { image } = imageInForce(this.#flash);
    if (image.counter >= LAST_COUNTER) return 'provisioning: there is no counter after this one';
    const document = decodeDocument(documentOf(this.#flash, image));
    if (document instanceof JsonProblem) return document.message;
    const { rootKey, ...rest } = document as Members;
    if (rootKey !== 'fetch') return 'the provisioning of the device does not let it fetch a root key';
    const site = { ...(rest.site as Members), rootKeys: [{ kid: key.kid, publicKey: key.publicKey }] };
    const bytes = writeCbor({ ...rest, site });
    const counter = image.counter + 1;
    // What the next start could not read is not written.
    const read = decodeDocument(bytes);
    if (read instanceof JsonProblem) return read.message;
    readDocument(read, counter);
    const slot = writeProvisioning(this.#flash, bytes, counter);
    return typeof slot === 'number' ? undefined : slot.message;
  }
}
