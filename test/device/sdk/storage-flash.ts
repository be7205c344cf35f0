// Stands for the SDK's flash: partitions that a test makes. It checks as little as the SDK does; erased cells read 0xFF, and writing
// clears bits.

const partitions = new Map<string, { readonly cells: Uint8Array; readonly blockLength: number }>();
let failure: string | undefined;
let short = 0;

/** Makes a partition, erased. */
export function makePartition(label: string, size: number, blockLength = 4096): Uint8Array {
  const cells = new Uint8Array(size).fill(0xff);
  partitions.set(label, { cells, blockLength });
  return cells;
}

/** Takes a partition away. */
export function forgetPartition(label: string): void {
  partitions.delete(label);
}

/** From now on each operation throws this; undefined: none does. */
export function failWith(message: string | undefined): void {
  failure = message;
}

/** From now on reads bring so many bytes less than asked for. */
export function readShort(bytes: number): void {
  short = bytes;
}

function check(): void {
  if (failure !== undefined) throw new Error(failure);
}

export default {
  open({ path }: { readonly path: string; readonly mode: string }) {
    check();
    const partition = partitions.get(path);
    if (partition === undefined) throw new Error("can't find partition");
    const { cells, blockLength } = partition;
    return {
      eraseBlock(start: number, end: number) {
        check();
        cells.fill(0xff, start * blockLength, end * blockLength);
      },
      read(target: Uint8Array, offset: number) {
        check();
        target.set(cells.subarray(offset, offset + target.length));
        return target.length - short;
      },
      write(bytes: Uint8Array, offset: number) {
        check();
        for (let i = 0; i < bytes.length; i++) cells[offset + i] = (cells[offset + i] as number) & (bytes[i] as number);
      },
      status: () => ({ size: cells.length, blockLength, blocks: cells.length / blockLength }),
      close() {},
    };
  },
};
