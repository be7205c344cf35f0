// What bundles are read with, wherever they lie. A stream takes two kilobytes, so it is there only while whole bundles are
// read: a payment looks at a few short parts.

import { type ByteSource, JsonStream } from '../json/stream.ts';
import { BUNDLE_LIMITS, BUNDLE_WINDOW_BYTES } from '../limits.ts';
import type { Crypto } from '../ports/ports.ts';
import { Fingerprints } from './bundle-index.ts';

/** See the head of the file. */
export class BundleReader {
  readonly crypto: Crypto;
  readonly prints: Fingerprints;
  readonly #source: ByteSource;
  readonly #window: number;
  #stream: JsonStream | undefined;

  /** @param window bytes that its stream reads at a time */
  constructor(source: ByteSource, crypto: Crypto, window: number = BUNDLE_WINDOW_BYTES) {
    this.crypto = crypto;
    this.prints = new Fingerprints(crypto);
    this.#source = source;
    this.#window = window;
  }

  /** The stream, one for all that read, one after the other. It stays until `rest`. */
  get stream(): JsonStream {
    this.#stream ??= new JsonStream(this.#source, this.crypto, BUNDLE_LIMITS, this.#window);
    return this.#stream;
  }

  /** Gives back the memory of the stream: nothing is read with it at the moment. */
  rest(): void {
    this.#stream = undefined;
  }

  /** Bytes of the stream's buffers, while there is one. */
  get memoryBytes(): number {
    return this.#stream?.memoryBytes ?? 0;
  }

  /** Bytes in memory of their own. */
  bytes(start: number, end: number): Uint8Array {
    const bytes = new Uint8Array(end - start);
    this.#source.read(start, bytes);
    return bytes;
  }
}
