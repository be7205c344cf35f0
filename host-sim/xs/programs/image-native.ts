// What a device with a native Ed25519 has in flash: for the size of an image. It is never called.

import type { Crypto } from '../../../core/ports/ports.ts';
import { type DeviceParts, deviceOf } from './image-parts.ts';

export default function main(parts: DeviceParts, crypto: Crypto) {
  return deviceOf(parts, crypto);
}
