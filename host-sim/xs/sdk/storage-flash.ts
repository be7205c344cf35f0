// Stands for `embedded:storage/flash` inside XS: data partitions that the C host keeps in files.

import './sdk.ts';

const BLOCK_BYTES = 4096;

class Partition {
  readonly #number: number;

  constructor(label: string) {
    this.#number = sdk.openFlash(label);
  }

  eraseBlock(start: number, end: number): void {
    sdk.eraseFlash(this.#number, start, end);
  }

  read(target: Uint8Array, offset: number): number {
    return sdk.readFlash(this.#number, target, offset);
  }

  write(bytes: Uint8Array, offset: number): void {
    sdk.writeFlash(this.#number, bytes, offset);
  }

  status(): { readonly size: number; readonly blockLength: number; readonly blocks: number } {
    const size = sdk.flashSize(this.#number);
    return { size, blockLength: BLOCK_BYTES, blocks: size / BLOCK_BYTES };
  }

  close(): void {}
}

export default { open: ({ path }: { readonly path: string }) => new Partition(path) };
