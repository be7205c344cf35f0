// Bytes outside the machine's memory, where a simulated flash has its cells: a device's flash takes nothing of its heap.

/** So many bytes, all zero. */
export function bytesOutside(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

/** A copy that is outside too. */
export function copyOutside(bytes: ArrayLike<number>): Uint8Array {
  const copy = bytesOutside(bytes.length);
  copy.set(bytes);
  return copy;
}
