// Verifies the signatures of a file, and says of each whether it is good, and whether its key may be used. Messages stay outside
// the machine and come in pieces.

import './host.ts';
import { KeyTables } from '../../../core/ed25519/key-tables.ts';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import type { MessageStream } from '../../../core/ports/ports.ts';
import { CASE_ENTRY_BYTES, CASES_HEAD_BYTES } from '../signature-file.ts';
import { chosenCrypto } from './crypto.ts';
import { HostFlash } from './host-flash.ts';

/** Bytes of a message that are in memory at a time. */
const PIECE_BYTES = 512;

/** Words: the file, the crypto (`tables`: the core's own, by tables of the keys), the first case, a partition for tables. */
export default function main(): void {
  const file = host.argument(0) as string;
  const named = host.argument(1);
  const native = chosenCrypto('native');
  const tables = named === 'tables' ? new KeyTables(new HostFlash(host.argument(3) as string)) : undefined;
  const crypto = tables === undefined ? chosenCrypto(named) : createPortableCrypto(native, tables);
  const count = new DataView(host.readFile(file, 0, CASES_HEAD_BYTES)).getUint32(0, true);
  for (let i = Number(host.argument(2)); i < count; i++) {
    const entry = new DataView(host.readFile(file, CASES_HEAD_BYTES + CASE_ENTRY_BYTES * i, CASE_ENTRY_BYTES));
    const range = (part: number) => [entry.getUint32(8 * part, true), entry.getUint32(8 * part + 4, true)] as const;
    const bytes = ([at, length]: readonly [number, number]) => new Uint8Array(host.readFile(file, at, length));
    const publicKey = bytes(range(0));
    const isUsable = crypto.ed25519KeyUsable(publicKey);
    if (tables !== undefined && isUsable) {
      tables.wanted([publicKey]);
      while (tables.step());
      if (!tables.has(publicKey)) throw new Error(`case ${i}: its key has no table`);
    }
    const [at, length] = range(2);
    const message: MessageStream = (sink) => {
      for (let done = 0; done < length; done += PIECE_BYTES)
        sink(bytes([at + done, Math.min(PIECE_BYTES, length - done)]));
    };
    const whole = length <= PIECE_BYTES ? bytes([at, length]) : message;
    const isGood = crypto.ed25519Verify(publicKey, bytes(range(1)), whole);
    host.print(`${i} ${isGood ? 'good' : 'bad'} ${isUsable ? 'usable' : 'unusable'}`);
  }
}
