// The core's canonical text for spec files inside XS: of copies, since XS writes no object that is in flash as JSON.

import * as core from '../../core/json/canonical.ts';
import type { JsonValue } from '../../core/json/value.ts';
import { copied } from './node-globals.ts';

export { canonicalPieces, compareUtf16, hasUtf8, textInOrder } from '../../core/json/canonical.ts';

export function canonicalText(value: JsonValue): string {
  return core.canonicalText(copied(value) as JsonValue);
}

export function canonicalBytes(value: JsonValue): Uint8Array | undefined {
  return core.canonicalBytes(copied(value) as JsonValue);
}
