// Input that is made to do harm, and the largest that is allowed: what a device in XS must refuse, with which code, and what it
// must accept. Nothing of it may stop the machine, and nothing of it may stay.

import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import {
  ARTIFACT_LIMITS,
  BUNDLE_ISSUERS,
  BUNDLE_KEYS_PER_ISSUER,
  BUNDLE_LIMITS,
  BUNDLE_REVOKED_GRANTS,
  BUNDLES_PER_ANSWER,
  HEADER_CHARACTERS,
  PRESENTATION_BYTES,
} from '../../core/limits.ts';
import { publicJwk } from '../../host-sim/signing/keys.ts';
import type { Step } from '../../host-sim/xs/steps.ts';
import { cborOf, type HeadForm, hostileCbor } from './hostile-cbor.ts';
import { answerOf, bundleOf, bytesOf, chainOf, signingKey } from './scene.ts';

/** One input, and what must come of it: `ok`, or a reason code; left out, what comes of it under Node. */
export interface Trial {
  readonly name: string;
  readonly step: Step;
  readonly expected?: string;
}

const encoder = new TextEncoder();
const REFUSED = 'SBA_INVALID';
const LIMIT = 'LIMIT_EXCEEDED';

function paying(name: string, input: string | Uint8Array, expected?: string): Trial {
  const bytes = typeof input === 'string' ? encoder.encode(input) : input;
  return { name, step: { kind: 'payment', bytes }, ...(expected === undefined ? {} : { expected }) };
}

function header(name: string, value: string, expected: string): Trial {
  return { name, step: { kind: 'header', bytes: Buffer.from(value, 'latin1') }, expected };
}

/** Places in a payment's text at which a member can be put. */
const PLACES = {
  presentation: '{',
  grant: '"grant":{"grant":{',
  envelope: '"sba":{',
  sba: '"sba":{"authorization":{',
  intent: '"settlementIntent":{',
} as const;

/** The text of a good payment with one more member, as it is given. */
function withMember(place: keyof typeof PLACES, member: string, text = JSON.stringify(chainOf(0))): string {
  return text.replace(PLACES[place], () => `${PLACES[place]}${member},`);
}

/** Payments and headers that are refused. */
export function hostilePayments(): readonly Trial[] {
  return [
    ...nested(),
    ...long(),
    ...many(),
    ...numbers(),
    ...text(),
    ...twice(),
    ...names(),
    ...cut(),
    ...headers(),
    ...wrongTypes(),
    ...hostileCbor(),
  ];
}

function nested(): readonly Trial[] {
  const open = (n: number) => '['.repeat(n);
  const lists = (n: number) => `${open(n)}${']'.repeat(n)}`;
  const objects = (n: number) => `${'{"a":'.repeat(n)}1${'}'.repeat(n)}`;
  const around = JSON.stringify(chainOf(0)).length;
  return [
    paying('8000 open lists', open(8000), REFUSED),
    paying('1600 open objects', '{"a":'.repeat(1600), LIMIT),
    paying('open lists as the grant', `{"grant":${open(4000)}`, LIMIT),
    paying('open objects as the SBA', `{"sba":${'{"authorization":'.repeat(400)}`, LIMIT),
    ...(['presentation', 'grant', 'envelope', 'sba', 'intent'] as const).flatMap((place) => [
      paying(`lists too deep in the ${place}`, withMember(place, `"x":${lists(17)}`), LIMIT),
      paying(`lists far too deep in the ${place}`, withMember(place, `"x":${lists(2500)}`), LIMIT),
      paying(`objects too deep in the ${place}`, withMember(place, `"x":${objects(17)}`), LIMIT),
      paying(`open lists in the ${place}`, withMember(place, `"x":${open(PRESENTATION_BYTES - around - 10)}`), LIMIT),
    ]),
  ];
}

function long(): readonly Trial[] {
  const most = ARTIFACT_LIMITS.stringBytes;
  return [
    ...(['grant', 'sba', 'intent'] as const).flatMap((place) => [
      paying(`a string too long in the ${place}`, withMember(place, `"x":"${'x'.repeat(most + 1)}"`), LIMIT),
      paying(`a name too long in the ${place}`, withMember(place, `"${'x'.repeat(most + 1)}":1`), LIMIT),
      paying(`an escaped string too long in the ${place}`, withMember(place, `"x":"${'\\n'.repeat(most + 1)}"`), LIMIT),
      paying(`a wide string too long in the ${place}`, withMember(place, `"x":"${'\u{1f600}'.repeat(257)}"`), LIMIT),
    ]),
    paying('a string that does not end', withMember('grant', `"x":"${'x'.repeat(6000)}`), LIMIT),
    paying(
      'an idempotency key as long as a string may be',
      withMember('presentation', `"idempotencyKey":"${'k'.repeat(most)}"`),
      LIMIT,
    ),
    paying(
      'a wide idempotency key',
      withMember('presentation', `"idempotencyKey":"${'\u{1f511}'.repeat(256)}"`),
      LIMIT,
    ),
    paying('a presentation one byte too long', JSON.stringify(chainOf(0)).padEnd(PRESENTATION_BYTES + 1), LIMIT),
    paying('a presentation of 12 000 bytes', JSON.stringify(chainOf(0)).padEnd(12_000), LIMIT),
    paying(
      'an artifact one byte too long',
      withMember('envelope', `"x":"${'x'.repeat(ARTIFACT_LIMITS.bytes)}"`),
      LIMIT,
    ),
    ...['issuer', 'issuerKeyId', 'signature'].map((name) =>
      paying(
        `1024 characters of ${name}`,
        bytesOf({ ...chainOf(0), sba: { ...chainOf(0).sba, [name]: 'x'.repeat(most) } }),
      ),
    ),
  ];
}

function many(): readonly Trial[] {
  const { elements, members } = ARTIFACT_LIMITS;
  const list = (n: number) => `[${Array(n).fill('0').join()}]`;
  const object = (n: number) => `{${Array.from({ length: n }, (_, i) => `"m${i}":0`).join()}}`;
  return (['grant', 'sba', 'intent', 'envelope'] as const).flatMap((place) => [
    paying(`a list too long in the ${place}`, withMember(place, `"x":${list(elements + 1)}`), LIMIT),
    paying(`an object with too many members in the ${place}`, withMember(place, `"x":${object(members + 1)}`), LIMIT),
    paying(`too many values in the ${place}`, withMember(place, `"x":[${Array(5).fill(list(60)).join()}]`), LIMIT),
    paying(`too much weight in the ${place}`, withMember(place, `"x":[${Array(60).fill('{"a":[]}').join()}]`), LIMIT),
    paying(`a list of commas in the ${place}`, withMember(place, `"x":[${','.repeat(2000)}]`), REFUSED),
  ]);
}

function numbers(): readonly Trial[] {
  const number = (name: string, digits: string, expected?: string) => [
    paying(`${name} in the grant`, withMember('grant', `"x":${digits}`), expected),
    paying(`${name} in what is dropped`, withMember('envelope', `"x":${digits}`), expected),
  ];
  const amount = (name: string, value: JsonValue) =>
    paying(
      `${name} as an amount`,
      bytesOf({ ...chainOf(0, { inSba: { maxAmountMinor: value } }) } as JsonObject),
      'ARTIFACT_INVALID',
    );
  return [
    ...number('1025 digits', '9'.repeat(1025), LIMIT),
    ...number('5000 digits', '9'.repeat(5000), LIMIT),
    ...number('400 digits', '9'.repeat(400), REFUSED),
    ...number('1e400', '1e400', REFUSED),
    ...number('-1e999999999', '-1e999999999', REFUSED),
    ...number('an exponent of 1000 digits', `1e${'9'.repeat(1000)}`, REFUSED),
    ...['-', '01', '1.', '.5', '+1', '1e', '1e+', '0x10', 'NaN', 'Infinity', '1_0', '--1', '1.e1'].flatMap((odd) =>
      number(`the number ${odd}`, odd, REFUSED),
    ),
    paying('the smallest numbers in the grant', withMember('grant', `"x":[1e-400,5e-324,-0,1e-${'0'.repeat(900)}1]`)),
    ...(['9'.repeat(39), '9'.repeat(1000), '-1', '1e3', ' 1', '1.5', '', '0', '٣'] as const).map((value) =>
      amount(JSON.stringify(value.slice(0, 40)), value),
    ),
    amount('a number', 2500),
  ];
}

function text(): readonly Trial[] {
  const bytes: { readonly [name: string]: readonly number[] } = {
    'an overlong slash': [0xc0, 0xaf],
    'an overlong zero': [0xc0, 0x80],
    'an overlong form of three bytes': [0xe0, 0x80, 0x80],
    'an overlong form of four bytes': [0xf0, 0x80, 0x80, 0x80],
    'a surrogate': [0xed, 0xa0, 0x80],
    'a pair of surrogates': [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
    'a point past U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
    'five bytes': [0xf8, 0x88, 0x80, 0x80, 0x80],
    'a continuation alone': [0x80],
    'a lead alone': [0xc3],
    'a sequence cut short': [0xe2, 0x82],
    'a sequence cut by another': [0xf0, 0x9f, 0xc3, 0xa9],
    'the byte FE': [0xfe],
    'the byte FF': [0xff],
    'a raw zero': [0x00],
    'a raw line end': [0x0a],
  };
  const put = (place: 'grant' | 'envelope', odd: readonly number[], asName: boolean) => {
    const [before, after] = withMember(place, asName ? '"§":1' : '"x":"§"').split('§') as [string, string];
    return Buffer.concat([encoder.encode(before), Uint8Array.from(odd), encoder.encode(after)]);
  };
  const good = JSON.stringify(chainOf(0));
  const escapes = [
    '\\ud800',
    '\\udc00',
    '\\ud800\\ud800',
    '\\udc00\\ud800',
    '\\ud83d',
    '\\ud83dx',
    '\\ud83d\\n',
    '\\u12',
    '\\u12g4',
    '\\x41',
    '\\u{41}',
    '\\',
    '\\ud83d\\u',
    '\\U0041',
    "\\'",
  ];
  return [
    ...Object.entries(bytes).flatMap(([name, odd]) => [
      paying(`${name} in the grant`, put('grant', odd, false), REFUSED),
      paying(`${name} in what is dropped`, put('envelope', odd, false), REFUSED),
      paying(`${name} in a name`, put('grant', odd, true), REFUSED),
      paying(
        `${name} in a text of 4 KB`,
        Buffer.concat([put('envelope', [...Array(2500).fill(0x78), ...odd], false)]),
        REFUSED,
      ),
    ]),
    ...escapes.flatMap((odd) => [
      paying(`the escape ${odd} in the grant`, withMember('grant', `"x":"${odd}"`), REFUSED),
      paying(`the escape ${odd} in what is dropped`, withMember('envelope', `"x":"${odd}"`), REFUSED),
    ]),
    paying('a lone surrogate in a name', withMember('grant', '"\\ud800":1'), REFUSED),
    paying('a byte-order mark', `\ufeff${good}`, REFUSED),
    paying('UTF-16', Buffer.from(good, 'utf16le'), REFUSED),
    paying('escaped zeros in a session', good.replaceAll('sess-grant_1', 'sess\\u0000grant_1')),
    paying(
      '8 KB of escapes in what is dropped',
      withMember('envelope', `"x":"${'\\u0041'.repeat(1000)}\\ud800"`),
      REFUSED,
    ),
  ];
}

function twice(): readonly Trial[] {
  const appears = (place: keyof typeof PLACES, name: string, again = name) =>
    paying(`${again} twice in the ${place}`, withMember(place, `"${name}":1,"${again}":1`), REFUSED);
  return [
    paying('two SBAs', withMember('presentation', '"sba":{}'), REFUSED),
    paying('two grants', withMember('presentation', '"grant":null'), REFUSED),
    paying('two grant ids', withMember('grant', '"grantId":"grant_2"'), REFUSED),
    paying('a grant id that is escaped', withMember('grant', '"\\u0067rantId":"grant_2"'), REFUSED),
    paying('two signatures', withMember('envelope', '"signature":"x"'), REFUSED),
    ...(['presentation', 'grant', 'envelope', 'sba', 'intent'] as const).flatMap((place) =>
      ['x', '__proto__', 'constructor', 'other members', '', '0'].map((name) => appears(place, name)),
    ),
    appears('grant', 'é', '\\u00e9'),
    paying(
      '60 names twice',
      withMember('grant', `"x":{${[0, 1].flatMap(() => Array.from({ length: 30 }, (_, i) => `"d${i}":1`)).join()}}`),
      REFUSED,
    ),
  ];
}

/** New names each time: an engine that keeps them would be full soon. */
function names(): readonly Trial[] {
  const fresh = (from: number, count: number) => Array.from({ length: count }, (_, i) => `"n${from + i}":1`).join();
  return [
    ...[
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'other members',
      'length',
      '',
      '0',
      '4294967295',
      '-1',
      'é',
      '\u{1f600}',
    ].flatMap((name) => [
      paying(
        `the member ${JSON.stringify(name)} of the presentation`,
        withMember('presentation', `${JSON.stringify(name)}:1`),
        'ARTIFACT_INVALID',
      ),
      paying(
        `the member ${JSON.stringify(name)} of the intent`,
        withMember('intent', `${JSON.stringify(name)}:1`),
        'ARTIFACT_INVALID',
      ),
      paying(
        `the member ${JSON.stringify(name)} of the grant`,
        withMember('grant', `${JSON.stringify(name)}:1`),
        'POLICY_GRANT_SIGNATURE_INVALID',
      ),
      paying(
        `the member ${JSON.stringify(name)} of the SBA`,
        withMember('sba', `${JSON.stringify(name)}:1`),
        'SBA_SIGNATURE_INVALID',
      ),
    ]),
    ...Array.from({ length: 12 }, (_, i) => [
      paying(
        `40 new names in the presentation (${i})`,
        withMember('presentation', fresh(1000 + 40 * i, 40)),
        'ARTIFACT_INVALID',
      ),
      paying(
        `25 new names in the grant (${i})`,
        withMember('grant', fresh(2000 + 25 * i, 25)),
        'POLICY_GRANT_SIGNATURE_INVALID',
      ),
      paying(`40 new names in the intent (${i})`, withMember('intent', fresh(3000 + 40 * i, 40))),
    ]).flat(),
  ];
}

function cut(): readonly Trial[] {
  const good = encoder.encode(JSON.stringify(chainOf(0)));
  const cuts = Array.from({ length: 24 }, (_, i) => Math.floor((good.length * (i + 1)) / 25));
  return [
    ...[
      '',
      ' ',
      'null',
      'true',
      '1',
      '"x"',
      '[]',
      '{}',
      '{"sba":null}',
      '{"sba":1}',
      '{"sba":[]}',
      '{"sba":{}}',
      ']',
      '}',
      '{"',
      '\u0000',
    ].map((whole) => paying(`the presentation ${JSON.stringify(whole)}`, whole)),
    ...cuts.map((length) => paying(`a payment cut after ${length} bytes`, good.slice(0, length), REFUSED)),
    paying('a payment and another', Buffer.concat([good, good]), REFUSED),
    paying('a payment and a zero', Buffer.concat([good, Uint8Array.of(0)]), REFUSED),
  ];
}

function headers(): readonly Trial[] {
  const base64 = (value: string | Uint8Array) => `MPCP ${Buffer.from(value).toString('base64')}`;
  const good = JSON.stringify(chainOf(0));
  return [
    header('an empty header', '', REFUSED),
    header('a header with a scheme alone', 'MPCP ', REFUSED),
    header('a header of another scheme', `Bearer ${Buffer.from(good).toString('base64')}`, REFUSED),
    header('a header one character too long', `MPCP ${'A'.repeat(HEADER_CHARACTERS + 1)}`, REFUSED),
    header('a header of 12 000 characters', `MPCP ${'A'.repeat(12_000)}`, REFUSED),
    header('8192 blanks', ' '.repeat(HEADER_CHARACTERS), REFUSED),
    header('a header of zeros as long as may be', `MPCP ${'A'.repeat(HEADER_CHARACTERS)}`, REFUSED),
    header('a header of both alphabets', `${base64(good).slice(0, -8)}+-_/AAAA`, REFUSED),
    header('a header with a character that is none', `${base64(good).slice(0, -8)}AA§AAAAA`, REFUSED),
    header('a header padded in the middle', `${base64(good)}AA==`, REFUSED),
    header('a header of JSON itself', `MPCP ${good}`, REFUSED),
    header('a header of deep lists', base64('['.repeat(6000)), REFUSED),
    header('a header of bytes that are no text', base64(new Uint8Array(6000).fill(0xff)), REFUSED),
  ];
}

/** Every member of a good payment as something that it is not. */
function wrongTypes(): readonly Trial[] {
  const chain = chainOf(0) as unknown as JsonObject;
  const values: readonly JsonValue[] = [null, true, 1, '', 'x', [], [[]], {}, { a: 1 }];
  return pathsOf(chain).flatMap((path) =>
    values.map((value) =>
      paying(`${JSON.stringify(value)} as ${path.join('.')}`, bytesOf(replaced(chain, path, value))),
    ),
  );
}

function pathsOf(value: JsonValue, path: readonly string[] = []): readonly (readonly string[])[] {
  const own = path.length === 0 ? [] : [path];
  if (typeof value !== 'object' || value === null) return own;
  return [...own, ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner as JsonValue, [...path, name]))];
}

function replaced(value: JsonValue, [name, ...rest]: readonly string[], by: JsonValue): JsonValue {
  if (name === undefined) return by;
  if (Array.isArray(value)) return value.map((inner, i) => (String(i) === name ? replaced(inner, rest, by) : inner));
  const object = value as JsonObject;
  return { ...object, [name]: replaced(object[name] as JsonValue, rest, by) };
}

/** What many values are made of, in payments as large as may be: `n` says how many. */
const SHAPES: { readonly [name: string]: (n: number) => JsonObject } = {
  'empty objects': (n) => ({ x: Array(Math.min(60, n)).fill({}) }),
  'objects of an unknown member': (n) => ({ x: Array(Math.min(60, n >> 1)).fill({ a: 1 }) }),
  'unknown names': (n) => Object.fromEntries(Array.from({ length: Math.min(n, 50) }, (_, i) => [`n${i}`, 'v'])),
  'unknown names within': (n) => ({
    y: Object.fromEntries(Array.from({ length: Math.min(n, 62) }, (_, i) => [`n${i}`, 'v'])),
  }),
  'short strings': (n) => ({
    x: Array(Math.min(n, 60)).fill('s'),
    y: Array(Math.max(0, Math.min(n - 60, 60))).fill('s'),
  }),
  destinations: (n) => ({
    destinationAllowlist: [...Array.from({ length: Math.min(60, n) }, (_, i) => `r${i}`), 'rPlugPointBay17'],
  }),
  assets: (n) => ({
    allowedAssets: [
      { kind: 'XRP' },
      ...Array.from({ length: n >> 2 }, (_, i) => ({ kind: 'IOU', currency: `C${i}`, issuer: `r${i}` })),
    ],
  }),
  'deep objects': (n) => ({
    x: Array.from({ length: Math.floor(n / 12) }, () => within(12, (inner) => ({ a: inner }))),
  }),
  'deep lists': (n) => ({ x: Array.from({ length: Math.floor(n / 12) }, () => within(12, (inner) => [inner])) }),
  numbers: (n) => ({ x: Array(Math.min(n, 60)).fill(1.5), y: Array(Math.max(0, Math.min(n - 60, 60))).fill(-0.1) }),
};

function within(depth: number, put: (inner: JsonValue) => JsonValue): JsonValue {
  let value: JsonValue = 1;
  for (let i = 0; i < depth; i++) value = put(value);
  return value;
}

/** What the rest of it is filled with, `n` bytes of it: members that are signed. */
const FILLINGS: { readonly [name: string]: (n: number) => JsonObject } = {
  'long strings': (n) => pieces(n, (size) => 'q'.repeat(size)),
  'wide strings': (n) => pieces(n, (size) => '\u{1f600}'.repeat(size >> 2)),
  'escaped strings': (n) => pieces(n, (size) => '"'.repeat(size >> 1)),
  'zeros in strings': (n) => pieces(n, (size) => '\u0000'.repeat(Math.floor(size / 6))),
  'long names': (n) =>
    Object.fromEntries(
      Object.values(pieces(n, (size) => 'x'.repeat(size))).map((name, i) => [`${i}${String(name).slice(1)}`, 1]),
    ),
};

/** The same in envelopes, where nothing of it is signed. */
const DROPPED: { readonly [name: string]: (n: number) => JsonObject } = {
  'a string that is dropped': (n) => ({ note: 'x'.repeat(n) }),
  'a wide string that is dropped': (n) => ({ note: '\u{1f600}'.repeat(n >> 2) }),
  'an escaped string that is dropped': (n) => ({ note: '"'.repeat(n >> 1) }),
  'a name that is dropped': (n) => ({ note: { [`"${'x'.repeat(n)}`]: 1 } }),
  'names that are dropped': (n) => ({
    note: Object.fromEntries(
      Array.from({ length: Math.min(60, Math.floor(n / 100)) }, (_, i) => [`${'x'.repeat(95)}${i}`, 1]),
    ),
  }),
};

function pieces(bytes: number, piece: (size: number) => string): JsonObject {
  const count = Math.ceil(bytes / 1000);
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`p${i}`, piece(Math.min(1000, bytes - 1000 * i))]),
  );
}

/** How many values of a shape there are, so that some have much text and others little. */
const COUNTS = [12, 30, 60, 120];

/**
 * Payments in the worst shapes, each as long as is still read: they are good.
 *
 * @param isRead whether a presentation is within the limits
 */
export function largestPayments(isRead: (presentation: Uint8Array) => boolean): readonly Trial[] {
  const trials: Trial[] = [];
  const add = (name: string, made: (bytes: number) => Uint8Array) => {
    const longest = asLongAsRead(made, isRead);
    if (longest !== undefined) trials.push(paying(name, longest, 'ok'));
  };
  for (const [shape, values] of Object.entries(SHAPES)) {
    for (const count of COUNTS) {
      const number = () => 10_000 + trials.length;
      for (const [filling, fill] of Object.entries(FILLINGS)) {
        add(`${count} ${shape} and ${filling} in the grant`, (n) =>
          presented(number(), { inGrant: { ...values(count), ...fill(n) } }),
        );
        add(`${count} ${shape} in the SPA and ${filling} in the grant`, (n) =>
          presented(number(), { inGrant: fill(n), inSpa: values(count) }),
        );
      }
      for (const [filling, fill] of Object.entries(DROPPED))
        add(`${count} ${shape} and ${filling}`, (n) =>
          presented(number(), { inGrant: values(count), around: fill(Math.floor(n / 3)) }),
        );
    }
    for (const form of ['short', 'long'] as const) {
      const number = () => 10_000 + trials.length;
      const heads = `CBOR with ${form} heads: 60 ${shape}`;
      for (const [filling, fill] of Object.entries(FILLINGS))
        add(`${heads} and ${filling} in the grant`, (n) =>
          inCbor(form, number(), { inGrant: { ...values(60), ...fill(n) } }),
        );
      for (const [filling, fill] of Object.entries(DROPPED))
        add(`${heads} and ${filling}`, (n) =>
          inCbor(form, number(), { inGrant: values(60), around: fill(Math.floor(n / 3)) }),
        );
    }
  }
  return trials;
}

function inCbor(form: HeadForm, number: number, options: Parameters<typeof chainOf>[1]): Uint8Array {
  return cborOf(chainOf(number, options) as unknown as JsonObject, form);
}

/** What is made with the most bytes with which it is still read; undefined where it never is. */
export function asLongAsRead(
  made: (bytes: number) => Uint8Array,
  isRead: (presentation: Uint8Array) => boolean,
): Uint8Array | undefined {
  let [good, bad] = [0, PRESENTATION_BYTES];
  if (!isRead(made(good))) return undefined;
  while (bad - good > 4) {
    const middle = (good + bad) >> 1;
    if (isRead(made(middle))) good = middle;
    else bad = middle;
  }
  return made(good);
}

function presented(number: number, options: Parameters<typeof chainOf>[1]): Uint8Array {
  return bytesOf(chainOf(number, options) as unknown as JsonObject);
}

/** Answers with bundles that are refused. */
export function hostileAnswers(): readonly Trial[] {
  const answer = (name: string, bytes: Uint8Array, expected: string): Trial => ({
    name,
    step: { kind: 'answer', bytes },
    expected,
  });
  const bundle = (name: string, members: JsonObject, expected: string) =>
    answer(name, answerOf(bundleOf(2, members)), expected);
  const textOf = (members: JsonObject = {}) => JSON.stringify({ bundles: [bundleOf(2, members)] });
  const raw = (name: string, changed: string, expected: string) => answer(name, encoder.encode(changed), expected);
  const member = (inserted: string) => textOf().replace('{"bundles":[{', () => `{"bundles":[{${inserted},`);
  const wallet = signingKey('wallet');
  const lists = (n: number) => `${'['.repeat(n)}${']'.repeat(n)}`;
  const good = encoder.encode(textOf());
  return [
    bundle('161 issuers', { issuers: issuers(BUNDLE_ISSUERS + 1) }, LIMIT),
    bundle('161 approved issuers', { approvedIssuers: [...approved(BUNDLE_ISSUERS + 1)] }, LIMIT),
    bundle(
      '5 keys of an issuer',
      { issuers: [{ issuer: 'i', keys: Array(BUNDLE_KEYS_PER_ISSUER + 1).fill(publicJwk(wallet)) }] },
      LIMIT,
    ),
    bundle(
      '513 revoked grants',
      { revokedGrantIds: Array.from({ length: BUNDLE_REVOKED_GRANTS + 1 }, (_, i) => `g${i}`) },
      LIMIT,
    ),
    bundle('a string too long', { x: 'x'.repeat(BUNDLE_LIMITS.stringBytes + 1) }, LIMIT),
    bundle('a bundle one byte too long', padded(2, BUNDLE_LIMITS.bytes + 1), LIMIT),
    bundle('65 members', Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`x${i}`, 1])), LIMIT),
    bundle(
      '1000 names that are new',
      {
        x: Array.from({ length: 20 }, (_, i) =>
          Object.fromEntries(Array.from({ length: 51 }, (_, j) => [`b${51 * i + j}`, 1])),
        ),
        version: '2.0',
      },
      'VERSION_UNSUPPORTED',
    ),
    raw('a bundle with lists too deep', member(`"x":${lists(17)}`), LIMIT),
    raw('a bundle with lists far too deep', member(`"x":${lists(8000)}`), LIMIT),
    raw(
      'a bundle with 9000 values',
      member(
        `"x":[${Array(18)
          .fill(`[${Array(500).fill(0).join()}]`)
          .join()}]`,
      ),
      LIMIT,
    ),
    raw('a bundle with 1e400', member('"x":1e400'), 'ARTIFACT_INVALID'),
    raw('a bundle with 30 000 digits', member(`"x":${'9'.repeat(30_000)}`), LIMIT),
    raw('a bundle with two issuers members', member('"issuers":[]'), 'ARTIFACT_INVALID'),
    raw('a bundle with __proto__ twice', member('"__proto__":1,"__proto__":2'), 'ARTIFACT_INVALID'),
    raw('a bundle with a lone surrogate', member('"x":"\\ud800"'), 'ARTIFACT_INVALID'),
    raw('a bundle that was changed', textOf().replace('ev-charging', 'ev-chargins'), 'TRUST_BUNDLE_SIGNATURE_INVALID'),
    answer(
      'a bundle with bytes that are no text',
      Buffer.concat([good.subarray(0, 200), Uint8Array.of(0xff), good.subarray(200)]),
      'ARTIFACT_INVALID',
    ),
    answer('an answer cut short', good.subarray(0, good.length - 40), 'ARTIFACT_INVALID'),
    answer('an empty answer', new Uint8Array(0), 'ARTIFACT_INVALID'),
    raw('an answer of open lists', '['.repeat(20_000), 'ARTIFACT_INVALID'),
    raw('an answer with lists of lists', `{"bundles":${lists(20_000)}}`, LIMIT),
    answer('an answer with 17 bundles', answerOf(...Array(BUNDLES_PER_ANSWER + 1).fill(bundleOf(2))), LIMIT),
    answer('an answer of 200 KB', encoder.encode(textOf().padEnd(200_000)), LIMIT),
  ];
}

/**
 * Answers with the largest bundles there may be: they are admitted. Each has the issuers of a good payment; their numbers go up
 * by two, so that the usual one can come after each.
 */
export function largestAnswers(): readonly Trial[] {
  const revokedGrantIds = Array.from({ length: BUNDLE_REVOKED_GRANTS }, (_, i) => `g${i}`);
  const trial = (name: string, number: number, members: JsonObject): Trial => ({
    name,
    step: { kind: 'answer', bytes: answerOf(bundleOf(number, members)) },
    expected: 'ok',
  });
  return [
    trial('160 issuers and 512 revoked grants', 101, {
      issuers: issuers(BUNDLE_ISSUERS),
      approvedIssuers: approved(BUNDLE_ISSUERS),
      revokedGrantIds,
    }),
    trial('32 KB of long strings', 103, padded(103, BUNDLE_LIMITS.bytes)),
    trial('many names that are new', 105, {
      x: Array.from({ length: 20 }, (_, i) =>
        Object.fromEntries(Array.from({ length: 60 }, (_, j) => [`c${60 * i + j}`, `v\u{1f600}"`])),
      ),
    }),
    trial('8000 values', 107, { x: Array.from({ length: 16 }, () => Array(490).fill(0)) }),
    trial('lists as deep as may be', 109, { x: within(13, (inner) => [inner]) }),
    trial('long names', 111, Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}${'x'.repeat(1000)}`, 1]))),
  ];
}

function issuers(count: number): readonly JsonObject[] {
  const { issuers: own } = bundleOf(1) as { issuers: readonly JsonObject[] };
  return [...own, ...Array.from({ length: count - own.length }, (_, i) => ({ issuer: `i${i}`, keys: [] }))];
}

function approved(count: number): readonly string[] {
  const { approvedIssuers: own } = bundleOf(1) as unknown as { approvedIssuers: readonly string[] };
  return [...own, ...Array.from({ length: count - own.length }, (_, i) => `i${i}`)];
}

/** Members with which a bundle has just so many bytes. */
function padded(number: number, bytes: number): JsonObject {
  const piece = BUNDLE_LIMITS.stringBytes;
  const members: Record<string, JsonValue> = { x: Array(28).fill('x'.repeat(piece)), y: '', z: '' };
  const left = bytes - bytesOf(bundleOf(number, members)).length;
  members.y = 'y'.repeat(Math.min(left, piece));
  members.z = Array(Math.max(0, Math.ceil((left - piece) / piece)))
    .fill('')
    .map((_, i) => 'z'.repeat(Math.min(piece - 3, left - piece - piece * i)));
  const missing = bytes - bytesOf(bundleOf(number, members)).length;
  members.y = 'y'.repeat((members.y as string).length + missing);
  return members;
}
