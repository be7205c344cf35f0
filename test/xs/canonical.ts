// The core's canonical text for spec files inside XS: of copies, since XS writes no object that is in flash as JSON.

import * as core from '../../core/json/canonical.ts';
import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { copied } from './node-globals.ts';

export { canonicalPieces, compareUtf16, hasUtf8 } from '../../core/json/canonical.ts';

export function canonicalText(value: JsonValue): string {
  return core.canonicalText(copied(value) as JsonValue);
}

export function canonicalBytes(value: JsonValue): Uint8Array | undefined {
  return core.canonicalBytes(copied(value) as JsonValue);
}

export function textInOrder(object: JsonObject, order: readonly string[]): string | undefined {
  return core.textInOrder(copied(object) as JsonObject, order);
}
