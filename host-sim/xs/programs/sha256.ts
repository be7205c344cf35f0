// The core's SHA-256 of 1 KB, measured: an example of a program for `xs-run`.

import './host.ts';
import { toHex } from '../../../core/hash/hex.ts';
import { Sha256 } from '../../../core/hash/sha256.ts';

export default function main(): void {
  const bytes = new Uint8Array(1024);
  host.measure();
  const hash = new Sha256();
  hash.update(bytes);
  const digest = hash.digest();
  host.figures('SHA-256 of 1 KB');
  host.print(toHex(digest));
}
