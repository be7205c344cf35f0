// What the firmware uses of the SDK's storage. Mirrors modules/io/flash/esp32/flash-esp32.js and typings/embedded/storage/flash.d.ts
// of the Moddable SDK 8.2.

declare module 'embedded:storage/flash' {
  /** A data partition. Nothing is checked: neither alignment nor that cells were erased. */
  export interface FlashPartition {
    /** Erases blocks from `start` on, up to and without `end`. Numbers of blocks, not offsets. */
    eraseBlock(start: number, end: number): void;
    /** Fills the buffer; answers how many bytes that were. */
    read(target: Uint8Array, byteOffset: number): number;
    write(bytes: Uint8Array, byteOffset: number): void;
    status(): { readonly size: number; readonly blockLength: number; readonly blocks: number };
    close(): void;
  }

  const flash: {
    /** @throws where there is no data partition with that label */
    open(options: { readonly path: string; readonly mode: 'r' | 'r+' }): FlashPartition;
  };
  export default flash;
}
