// Payments whose artifacts are nested as deep as may be: what recurses over them takes its stack here, and what does not hold on
// a device shows. Every artifact, every shape of nesting, and at the bottom what is the most to write or read.

import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { ARTIFACT_LIMITS } from '../../core/limits.ts';
import { asLongAsRead, type Trial } from './hostile.ts';
import { bytesOf, type ChainOptions, chainOf } from './scene.ts';

/** Where something deep can be in a payment that is good, and how deep its place is. */
const PLACES: { readonly [name: string]: { readonly around: number; put(deep: JsonValue, n: number): ChainOptions } } =
  {
    grant: { around: 2, put: (nonce, n) => ({ inGrant: { nonce, ...fill(n) } }) },
    'flat grant': { around: 1, put: (nonce, n) => ({ isFlat: true, inGrant: { nonce, ...fill(n) } }) },
    SBA: { around: 2, put: (nonce, n) => ({ inSba: { nonce, ...fill(n) } }) },
    SPA: { around: 2, put: (token, n) => ({ inSpa: { token, ...fill(n) } }) },
    intent: { around: 1, put: (referenceId, n) => ({ inIntent: { referenceId }, inGrant: fill(n) }) },
    // Nobody signs it.
    "intent's own time": { around: 1, put: (createdAt, n) => ({ inIntent: { createdAt }, inGrant: fill(n) }) },
    'fleet policy': { around: 2, put: (nonce, n) => ({ inFleetPolicy: { nonce, ...fill(n) } }) },
  };

/** One level. Known names are what the engine's own parser may read; values beside it come before and behind what is within. */
const SHAPES: { readonly [name: string]: (inner: JsonValue, level: number) => JsonValue } = {
  lists: (inner) => [inner],
  'lists with neighbours': (inner) => [1, inner, 's'],
  objects: (inner) => ({ scope: inner }),
  'objects of unknown names': (inner) => ({ a: inner }),
  'objects with neighbours': (inner) => ({ rail: 's', a: inner, quoteId: 1 }),
  'lists and objects in turn': (inner, level) => (level % 2 === 0 ? [inner] : { a: inner }),
  'objects and lists in turn': (inner, level) => (level % 2 === 0 ? { nonce: inner } : [inner]),
};

/** What is innermost. */
const INNERMOST: { readonly [name: string]: JsonValue } = {
  nothing: [],
  'a small number': 1,
  'a number that takes exact arithmetic': -1.2345678901234568e-300,
  'a known value': 'SESSION',
  'a long text': 'q'.repeat(ARTIFACT_LIMITS.stringBytes),
  'a wide text': '\u{1f600}'.repeat(ARTIFACT_LIMITS.stringBytes / 4),
  'a text of escapes': '"'.repeat(500),
  'hexadecimal digits': 'ab'.repeat(64),
  'a UUID': '550e8400-e29b-41d4-a716-446655440082',
  'a time': '2026-01-09T12:00:00.123Z',
  'what is nearly a time': '2026-01-09T12:00:00.123z',
  digits: '12345678901234567890123456789012345678',
  base64: Buffer.alloc(600, 'base64').toString('base64'),
  'a text that was there before': 'rPlugPointBay17',
};

/** The same shape, once as it is and once with a payment around it that is as long as is still read. */
const FILLED = ['a small number', 'a long text', 'a number that takes exact arithmetic'];

/** Members that take so many bytes. */
function fill(bytes: number): JsonObject {
  const count = Math.ceil(bytes / 1000);
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`p${i}`, 'q'.repeat(Math.min(1000, bytes - 1000 * i))]),
  );
}

/**
 * The deepest payments there are. All of them are good.
 *
 * @param isRead whether a presentation is within the limits
 */
export function deepestPayments(isRead: (presentation: Uint8Array) => boolean): readonly Trial[] {
  const trials: Trial[] = [];
  for (const [place, { around, put }] of Object.entries(PLACES)) {
    for (const [shape, level] of Object.entries(SHAPES)) {
      for (const [innermost, value] of Object.entries(INNERMOST)) {
        const depth = ARTIFACT_LIMITS.depth - around - (typeof value === 'object' ? 1 : 0);
        const deep = nested(depth, level, value);
        const made = (n: number) => bytesOf({ ...chainOf(20_000 + trials.length, put(deep, n)) } as JsonObject);
        const name = `${shape} around ${innermost}, as deep as may be, in the ${place}`;
        const add = (bytes: Uint8Array | undefined, how: string) => {
          if (bytes !== undefined) trials.push({ name: name + how, step: { kind: 'payment', bytes }, expected: 'ok' });
        };
        if (isRead(made(0))) add(made(0), '');
        if (FILLED.includes(innermost)) add(asLongAsRead(made, isRead), ', and as long');
      }
    }
  }
  return trials;
}

function nested(depth: number, put: (inner: JsonValue, level: number) => JsonValue, innermost: JsonValue): JsonValue {
  let value = innermost;
  for (let i = 0; i < depth; i++) value = put(value, i);
  return value;
}
