// The body of an answer, up to a limit that holds while bytes arrive, whatever the other side says about length.

import type { LinkAnswer } from '../virtual-device/link.ts';

/** The body, or undefined as soon as it is longer than it may be. */
export async function readAtMost(
  { body }: Pick<LinkAnswer, 'body'>,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body ?? []) {
    size += part.length;
    if (size > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
