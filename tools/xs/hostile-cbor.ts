// Payments in CBOR that are made to do harm: heads that lie, that nest, that never end, that say one thing in several ways, and
// what CBOR has and JSON has not. And the same payments as CBOR that are good.

import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { ARTIFACT_LIMITS, PRESENTATION_BYTES } from '../../core/limits.ts';
import type { Trial } from './hostile.ts';
import { chainOf } from './scene.ts';

/** A value, or bytes that stand in its place as they are. */
type Item = JsonValue | Uint8Array | readonly Item[] | { readonly [name: string]: Item };

/** How long heads are: as short as may be, or nine bytes each, which says the same. */
export type HeadForm = 'short' | 'long';

const REFUSED = 'SBA_INVALID';
const LIMIT = 'LIMIT_EXCEEDED';
const [UNSIGNED, NEGATIVE, BYTES, TEXT, LIST, MAP, TAG] = [0, 1, 2, 3, 4, 5, 6];
const NOTHING = new Uint8Array(0);

/** A value as CBOR. */
export function cborOf(value: Item, form: HeadForm = 'short'): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value === null) return Uint8Array.of(0xf6);
  if (typeof value === 'boolean') return Uint8Array.of(value ? 0xf5 : 0xf4);
  if (typeof value === 'string') return text(value, form);
  if (typeof value === 'number') return number(value, form);
  if (Array.isArray(value))
    return joined(head(LIST, value.length, form), ...value.map((inner: Item) => cborOf(inner, form)));
  const members = Object.entries(value as { readonly [name: string]: Item });
  return joined(
    head(MAP, members.length, form),
    ...members.flatMap(([name, inner]) => [text(name, form), cborOf(inner, form)]),
  );
}

function head(major: number, count: number, form: HeadForm = 'short'): Uint8Array {
  const first = major << 5;
  if (form === 'long' || count > 0xffff_ffff) {
    const bytes = Buffer.alloc(9);
    bytes[0] = first | 27;
    bytes.writeBigUInt64BE(BigInt(count), 1);
    return Uint8Array.from(bytes);
  }
  if (count < 24) return Uint8Array.of(first | count);
  if (count < 0x100) return Uint8Array.of(first | 24, count);
  if (count < 0x1_0000) return Uint8Array.of(first | 25, count >> 8, count & 0xff);
  return Uint8Array.of(first | 26, ...[24, 16, 8, 0].map((shift) => (count >>> shift) & 0xff));
}

function text(value: string, form: HeadForm = 'short'): Uint8Array {
  const bytes = Buffer.from(value);
  return joined(head(TEXT, bytes.length, form), bytes);
}

function number(value: number, form: HeadForm): Uint8Array {
  if (Number.isSafeInteger(value)) return head(value < 0 ? NEGATIVE : UNSIGNED, value < 0 ? -1 - value : value, form);
  const bytes = Buffer.alloc(9, 0xfb);
  bytes.writeDoubleBE(value, 1);
  return Uint8Array.from(bytes);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

function times(bytes: Uint8Array, count: number): Uint8Array {
  return joined(...Array<Uint8Array>(count).fill(bytes));
}

/** Where something is put into a good payment. */
const PLACES = {
  presentation: [],
  grant: ['grant', 'grant'],
  envelope: ['sba'],
  sba: ['sba', 'authorization'],
  intent: ['settlementIntent'],
} as const;
type Place = keyof typeof PLACES;
const ALL_PLACES = Object.keys(PLACES) as Place[];

/** The CBOR of a good payment with one more member, or so many, whose name and value are as given. */
function withMember(place: Place, name: Uint8Array, value: Uint8Array, count = 1): Uint8Array {
  const put = (object: { readonly [name: string]: Item }, [next, ...rest]: readonly string[]): Uint8Array => {
    const members = Object.entries(object);
    const here = next === undefined;
    return joined(
      head(MAP, members.length + (here ? count : 0)),
      here ? joined(name, value) : NOTHING,
      ...members.flatMap(([own, inner]) => [
        text(own),
        own === next ? put(inner as { readonly [name: string]: Item }, rest) : cborOf(inner),
      ]),
    );
  };
  return put(chainOf(0) as unknown as { readonly [name: string]: Item }, PLACES[place]);
}

/** Payments in CBOR that are refused. */
export function hostileCbor(): readonly Trial[] {
  return [
    ...nested(),
    ...lying(),
    ...endless(),
    ...many(),
    ...foreign(),
    ...numbers(),
    ...names(),
    ...texts(),
    ...cut(),
  ];
}

function trial(name: string, bytes: Uint8Array, expected: string): Trial {
  return { name: `CBOR: ${name}`, step: { kind: 'payment', bytes }, expected };
}

/** The same value in every place of a payment. */
function everywhere(name: string, value: Uint8Array, expected: string): readonly Trial[] {
  return ALL_PLACES.map((place) => trial(`${name} in the ${place}`, withMember(place, text('x'), value), expected));
}

function nested(): readonly Trial[] {
  const lists = (depth: number) => joined(times(Uint8Array.of(0x81), depth), Uint8Array.of(0));
  const maps = (depth: number) => joined(times(Uint8Array.of(0xa1, 0x61, 0x61), depth), Uint8Array.of(0));
  const around = cborOf(chainOf(0) as unknown as JsonObject).length;
  return [
    trial('8000 open maps', times(Uint8Array.of(0xa1), PRESENTATION_BYTES), REFUSED),
    trial('2000 maps within each other', maps(2000), LIMIT),
    trial('4000 tags', times(Uint8Array.of(0xc1), 4000), REFUSED),
    ...['grant', 'sba', 'settlementIntent'].flatMap((name) => [
      trial(`8000 open lists as ${name}`, joined(head(MAP, 1), text(name), times(Uint8Array.of(0x81), 8000)), LIMIT),
      trial(`maps far too deep as ${name}`, joined(head(MAP, 1), text(name), maps(2000)), LIMIT),
    ]),
    ...everywhere('lists too deep', lists(17), LIMIT),
    ...everywhere('maps too deep', maps(17), LIMIT),
    ...everywhere('lists far too deep', lists(PRESENTATION_BYTES - around - 10), LIMIT),
  ];
}

/** Heads that promise what is not there. */
function lying(): readonly Trial[] {
  const counts: readonly (readonly [string, number])[] = [
    ['2^53 − 1', Number.MAX_SAFE_INTEGER],
    ['2^32 − 1', 0xffff_ffff],
    ['2^31', 0x8000_0000],
    ['65 535', 65_535],
  ];
  const kinds: readonly (readonly [string, number])[] = [
    ['elements', LIST],
    ['members', MAP],
    ['bytes of text', TEXT],
  ];
  const most = Uint8Array.of(...Array(8).fill(0xff));
  const cutHead = (length: number) => Uint8Array.of(0x9b, ...Array(length).fill(0));
  return [
    ...counts.flatMap(([words, count]) =>
      kinds.flatMap(([what, major]) => everywhere(`${words} ${what}`, head(major, count), LIMIT)),
    ),
    ...kinds.flatMap(([what, major]) =>
      everywhere(`2^64 − 1 ${what}`, joined(Uint8Array.of((major << 5) | 27), most), LIMIT),
    ),
    ...counts.map(([words, count]) => trial(`a presentation of ${words} members`, head(MAP, count), LIMIT)),
    ...[1, 3, 7].map((length) =>
      trial(
        `a head of which ${length} of 8 bytes are there`,
        joined(head(MAP, 1), text('sba'), cutHead(length)),
        REFUSED,
      ),
    ),
    trial(
      'a text one byte longer than all',
      joined(head(MAP, 1), text('sba'), head(TEXT, 4), Buffer.from('abc')),
      REFUSED,
    ),
    trial('a list of one element more', joined(head(MAP, 1), text('sba'), head(LIST, 2), Uint8Array.of(0)), REFUSED),
    trial('a map of one member more', joined(head(MAP, 2), text('sba'), cborOf({})), REFUSED),
    trial(
      'a map of one member fewer',
      joined(head(MAP, 1), text('sba'), cborOf({}), text('grant'), cborOf({})),
      REFUSED,
    ),
  ];
}

function endless(): readonly Trial[] {
  const end = Uint8Array.of(0xff);
  const one = Uint8Array.of(0x61, 0x61);
  return [
    ...everywhere('a list without a length', joined(Uint8Array.of(0x9f), Uint8Array.of(0, 1, 2), end), REFUSED),
    ...everywhere('a map without a length', joined(Uint8Array.of(0xbf), one, Uint8Array.of(0), end), REFUSED),
    ...everywhere('a text without a length', joined(Uint8Array.of(0x7f), one, one, end), REFUSED),
    ...everywhere('lists without lengths, open', times(Uint8Array.of(0x9f), 3000), REFUSED),
    ...everywhere('an end of nothing', end, REFUSED),
    trial('a presentation without a length', joined(Uint8Array.of(0xbf), text('sba'), cborOf({}), end), REFUSED),
    trial('8000 texts without lengths', joined(head(MAP, 1), times(Uint8Array.of(0x7f), 8000)), REFUSED),
  ];
}

function many(): readonly Trial[] {
  const { elements, members, stringBytes } = ARTIFACT_LIMITS;
  const zeros = (count: number) => cborOf(Array<number>(count).fill(0));
  const object = (count: number) => cborOf(Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, 0])));
  const inArtifacts = (name: string, value: Uint8Array) =>
    (['grant', 'sba', 'intent', 'envelope'] as const).map((place) =>
      trial(`${name} in the ${place}`, withMember(place, text('x'), value), LIMIT),
    );
  return [
    ...inArtifacts('a list too long', zeros(elements + 1)),
    ...inArtifacts('an object with too many members', object(members + 1)),
    ...inArtifacts('257 values', joined(head(LIST, 5), times(zeros(60), 5))),
    ...inArtifacts('too much weight', joined(head(LIST, 60), times(cborOf({ a: [] }), 60))),
    ...inArtifacts('a string far too long', text('x'.repeat(5000))),
    trial('a string too long', withMember('grant', text('x'), text('x'.repeat(stringBytes + 1))), LIMIT),
    trial('a name too long', withMember('grant', text('x'.repeat(stringBytes + 1)), Uint8Array.of(0)), LIMIT),
    trial('one byte too many in all', cborOf({ sba: 'x'.repeat(PRESENTATION_BYTES) }), LIMIT),
  ];
}

/** What CBOR has and JSON has not. */
function foreign(): readonly Trial[] {
  const values: { readonly [name: string]: readonly number[] } = {
    'a byte string': [0x43, 1, 2, 3],
    'an empty byte string': [0x40],
    undefined: [0xf7],
    'a simple value': [0xe0],
    'a simple value of two bytes': [0xf8, 0xff],
    'false in two bytes': [0xf8, 20],
    'a time': [0xc0, 0x61, 0x61],
    'a big number': [0xc2, 0x42, 1, 0],
    'a negative big number': [0xc3, 0x48, ...Array(8).fill(0xff)],
    'a decimal fraction': [0xc4, 0x82, 0x20, 0x01],
    'CBOR in CBOR': [0xd8, 24, 0x41, 0xa0],
    'a tag of eight bytes': [0xdb, ...Array(8).fill(0xff), 0],
    'a reserved length': [0x1c],
    'a reserved length of a text': [0x7d],
    'a reserved length of a map': [0xbe],
    'a NaN': [0xf9, 0x7e, 0],
    'an infinity': [0xf9, 0x7c, 0],
    'an infinity of four bytes': [0xfa, 0xff, 0x80, 0, 0],
    'a NaN of eight bytes': [0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 1],
    'a number past 2^53': [0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0],
    'the largest number': [0x1b, ...Array(8).fill(0xff)],
    'the least number': [0x3b, ...Array(8).fill(0xff)],
  };
  const good = cborOf(chainOf(0) as unknown as JsonObject);
  return [
    ...Object.entries(values).flatMap(([name, bytes]) => everywhere(name, Uint8Array.from(bytes), REFUSED)),
    trial('a payment that says it is CBOR', joined(Uint8Array.of(0xd9, 0xd9, 0xf7), good), REFUSED),
    trial('a payment in a byte string', joined(head(BYTES, good.length), good), REFUSED),
    trial('a payment in a tag', joined(head(TAG, 1000), good), REFUSED),
    trial('a list with a payment', joined(head(LIST, 1), good), REFUSED),
  ];
}

/** Numbers in more bytes than they need say the same: what was added is what is refused. */
function numbers(): readonly Trial[] {
  const forms: { readonly [name: string]: readonly number[] } = {
    '1 in two bytes': [0x18, 1],
    '1 in nine bytes': [0x1b, 0, 0, 0, 0, 0, 0, 0, 1],
    '-1 in five bytes': [0x3a, 0, 0, 0, 0],
    '1 as a half': [0xf9, 0x3c, 0],
    '1 as a double': [0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0],
    '-0': [0xf9, 0x80, 0],
    'the least double': [0xfb, 0, 0, 0, 0, 0, 0, 0, 1],
    'the largest double': [0xfb, 0x7f, 0xef, ...Array(6).fill(0xff)],
  };
  return Object.entries(forms).flatMap(([name, bytes]) => [
    trial(
      `${name} in the grant`,
      withMember('grant', text('x'), Uint8Array.from(bytes)),
      'POLICY_GRANT_SIGNATURE_INVALID',
    ),
    trial(
      `${name} in the presentation`,
      withMember('presentation', text('x'), Uint8Array.from(bytes)),
      'ARTIFACT_INVALID',
    ),
  ]);
}

function names(): readonly Trial[] {
  const zero = Uint8Array.of(0);
  const odd: { readonly [name: string]: Uint8Array } = {
    'a number': zero,
    null: Uint8Array.of(0xf6),
    'a byte string': Uint8Array.of(0x41, 0x61),
    'a list': Uint8Array.of(0x80),
    'a map': Uint8Array.of(0xa0),
    'no text': Uint8Array.of(0x61, 0xff),
  };
  const twice = (place: Place, name: string, form: HeadForm) =>
    withMember(place, joined(text(name), zero, text(name, form)), zero, 2);
  return [
    ...ALL_PLACES.flatMap((place) => [
      ...Object.entries(odd).map(([what, name]) =>
        trial(`${what} as a name in the ${place}`, withMember(place, name, zero), REFUSED),
      ),
      ...(['x', '__proto__', 'constructor', ''] as const).map((name) =>
        trial(`the name ${JSON.stringify(name)} twice in the ${place}`, twice(place, name, 'short'), REFUSED),
      ),
      trial(`a name twice in two forms in the ${place}`, twice(place, 'x', 'long'), REFUSED),
    ]),
    trial('two SBAs', joined(head(MAP, 2), text('sba'), cborOf({}), text('sba'), cborOf({})), REFUSED),
    trial(
      '40 new names in the presentation',
      joined(head(MAP, 40), ...Array.from({ length: 40 }, (_, i) => joined(text(`cb${i}`), zero))),
      'ARTIFACT_INVALID',
    ),
  ];
}

function texts(): readonly Trial[] {
  const bytes: { readonly [name: string]: readonly number[] } = {
    'an overlong slash': [0xc0, 0xaf],
    'a lone surrogate': [0xed, 0xa0, 0x80],
    'a character cut off': [0xf0, 0x9f, 0x98],
    'a byte that is none': [0xff],
    'past the last character': [0xf4, 0x90, 0x80, 0x80],
  };
  return Object.entries(bytes).flatMap(([name, value]) =>
    everywhere(name, joined(head(TEXT, value.length), Uint8Array.from(value)), REFUSED),
  );
}

function cut(): readonly Trial[] {
  const good = cborOf(chainOf(0) as unknown as JsonObject);
  const lengths = Array.from({ length: 24 }, (_, i) => Math.floor((good.length * (i + 1)) / 25));
  return [
    ...lengths.map((length) => trial(`a payment cut after ${length} bytes`, good.slice(0, length), REFUSED)),
    trial('an empty map', Uint8Array.of(0xa0), REFUSED),
    trial('a payment and another', joined(good, good), REFUSED),
    trial('a payment and a zero', joined(good, Uint8Array.of(0)), REFUSED),
    trial('a payment and a blank', joined(good, Uint8Array.of(0x20)), REFUSED),
  ];
}
