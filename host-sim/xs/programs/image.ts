// What a device with the core's own Ed25519 has in flash: for the size of an image. It is never called.

import { KeyTables } from '../../../core/ed25519/key-tables.ts';
import { cryptoWithHashes, type NativeHashes } from '../../../core/ports/own-ed25519.ts';
import { type DeviceParts, deviceOf } from './image-parts.ts';

export default function main(parts: DeviceParts, hashes: NativeHashes) {
  const keyTables = new KeyTables(parts.flash.keyTables);
  return deviceOf(parts, cryptoWithHashes(hashes, keyTables), keyTables);
}
