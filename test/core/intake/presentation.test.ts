// A presentation: a bare SBA, or one object with the artifacts of a payment; each within its limits, nothing twice.

import { describe, expect, it } from 'vitest';
import { type Presentation, readPresentation } from '../../../core/intake/presentation.ts';
import { canonicalText } from '../../../core/json/canonical.ts';
import type { JsonObject } from '../../../core/json/value.ts';
import { fleetPolicy, grant, intent, present, sba, spa, spaFor } from '../../fixtures/artifacts.ts';
import { ASKED, Device } from '../../fixtures/device.ts';
import { WALLET } from '../../fixtures/keys.ts';
import { bytesOf, jsonBytes, utf8 } from '../../fixtures/text.ts';

/** What was read. */
function read(bytes: Uint8Array): Presentation {
  const result = readPresentation(bytes);
  if ('ok' in result) throw new Error(`${result.code}: ${result.detail}`);
  return result;
}

/** The code of a refusal; undefined where it was read. */
function refusal(bytes: Uint8Array | string): string | undefined {
  const result = readPresentation(typeof bytes === 'string' ? utf8(bytes) : bytes);
  if (!('ok' in result)) return undefined;
  expect(result).toMatchObject({ ok: false, artifact: 'presentation', check: 'presentation.read' });
  return result.code;
}

/** JSON text of so many bytes, white space at the end of an object. */
const padded = (value: unknown, size: number) => {
  const text = JSON.stringify(value);
  return utf8(`${text.slice(0, -1)}${' '.repeat(size - text.length)}}`);
};

describe('one object', () => {
  it('carries the artifacts of a payment', () => {
    const parts = {
      grant: grant(),
      sba: sba(),
      spa: spaFor(intent()),
      settlementIntent: intent(),
      fleetPolicyAuthorization: fleetPolicy(),
      idempotencyKey: 'key',
    };
    expect(read(jsonBytes(parts))).toMatchObject(parts);
  });

  it('needs an SBA and nothing else', () => {
    expect(read(jsonBytes({ sba: sba() }))).toMatchObject({ sba: sba(), grant: undefined, idempotencyKey: undefined });
    expect(refusal(jsonBytes({ grant: grant() }))).toBe('SBA_INVALID');
    expect(refusal('{}')).toBe('SBA_INVALID');
    expect(refusal(jsonBytes({ grant: grant(), sba: null }))).toBe('SBA_INVALID');
  });

  it('has null for what is not there', () => {
    expect(
      read(
        jsonBytes({
          sba: sba(),
          grant: null,
          spa: null,
          settlementIntent: null,
          fleetPolicyAuthorization: null,
          idempotencyKey: null,
        }),
      ),
    ).toEqual(read(jsonBytes({ sba: sba() })));
  });

  it('may have its members in any order', () => {
    expect(read(jsonBytes({ spa: spa(), sba: sba(), grant: grant() }))).toEqual(
      read(jsonBytes({ grant: grant(), sba: sba(), spa: spa() })),
    );
  });

  it('has no other members', () => {
    for (const name of ['x', 'Grant', 'signature', 'authorization', 'issuer', '__proto__', 'constructor']) {
      expect(refusal(`{"sba":${JSON.stringify(sba())},"${name}":{"a":1}}`), name).toBe('ARTIFACT_INVALID');
    }
  });

  it('may have other members that are null: null is absent', () => {
    expect(read(jsonBytes({ sba: sba(), memo: null }))).toEqual(read(jsonBytes({ sba: sba() })));
    expect(read(jsonBytes({ sba: sba(), authorization: null, signature: null }))).toEqual(
      read(jsonBytes({ sba: sba() })),
    );
  });

  it('has no member twice, in whatever spelling and however often it was null', () => {
    const one = JSON.stringify(sba());
    for (const text of [
      `{"sba":${one},"sba":${one}}`,
      `{"sba":null,"sba":${one}}`,
      `{"sba":${one},"s\\u0062a":null}`,
      `{"sba":${one},"grant":null,"grant":null}`,
      `{"sba":${one},"idempotencyKey":"a","idempotencyKey":"b"}`,
      `{"sba":${one},"x":1,"x":2}`,
    ]) {
      expect(refusal(text), text).toBe('SBA_INVALID');
    }
  });
});

describe('a bare SBA', () => {
  it('is a presentation', () => {
    expect(read(jsonBytes(sba())).sba).toMatchObject(sba());
  });

  it('pays like one in an object', () => {
    const configuration = { sbaOnly: { maxAmountMinor: '1000' }, sbaIssuers: { '*': [WALLET] } };
    const bare = new Device({ configuration });
    const carried = new Device({ configuration });
    expect(bare.authorize(jsonBytes(sba()))).toEqual(carried.authorize(jsonBytes({ sba: sba() })));
  });

  it('may have members nobody knows around what is signed', () => {
    expect(read(jsonBytes({ ...sba(), note: { a: [1] } })).sba).toMatchObject(sba());
  });

  it('has no member twice', () => {
    const text = JSON.stringify(sba());
    for (const extra of ['"signature":"x"', '"issuer":null', '"note":1,"note":1', '"authorization":{}']) {
      expect(refusal(`{${extra},${text.slice(1)}`), extra).toBe('SBA_INVALID');
    }
  });

  it('is no grant: a flat grant alone has members a presentation does not have', () => {
    expect(refusal(jsonBytes(grant()))).toBe('ARTIFACT_INVALID');
  });
});

describe('what cannot be read', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['text that is not JSON', utf8('MPCP')],
    ['JSON that is no object', utf8('1')],
    ['a list', jsonBytes([sba()])],
    ['null', utf8('null')],
    ['text after the object', utf8(`${JSON.stringify({ sba: sba() })}{}`)],
    ['a byte-order mark', bytesOf(0xef, 0xbb, 0xbf, ...jsonBytes({ sba: sba() }))],
    ['invalid UTF-8', bytesOf('{"sba":"', 0xff, '"}')],
    ['a duplicate deep inside', utf8('{"sba":{"authorization":{"a":{"b":1,"b":1}}}}')],
    ['a lone surrogate', utf8('{"sba":{"authorization":{"a":"\\ud800"}}}')],
  ])('is SBA_INVALID: %s', (_, bytes) => {
    expect(refusal(bytes)).toBe('SBA_INVALID');
  });
});

describe('limits', () => {
  it('8192 bytes in all', () => {
    const small = { sba: { authorization: {} } };
    expect(refusal(padded(small, 8192))).toBeUndefined();
    expect(refusal(padded(small, 8193))).toBe('LIMIT_EXCEEDED');
  });

  it('9216 bytes of weight: text, what is kept of it, and 24 for a value, 96 for a list or object, 40 for an unknown name', () => {
    const weighing = (note: string, size: number) => padded({ sba: { authorization: { note } } }, size);
    // Three objects, three values, the unknown name `note`, and what the names and the text have.
    const least = 3 * 96 + 3 * 24 + 40 + 'note'.length;
    for (const size of [8192, 7000, 5000]) {
      const most = Math.min(1024, 9216 - least - size);
      expect(refusal(weighing('x'.repeat(most), size))).toBeUndefined();
      if (most < 1024) expect(refusal(weighing('x'.repeat(most + 1), size))).toBe('LIMIT_EXCEEDED');
      // Escaped it is longer on the wire, and kept as it is read.
      if (most > 0 && most < 1024) expect(refusal(weighing('"'.repeat(most), size))).toBeUndefined();
    }
    const objects = (n: number) => jsonBytes({ sba: { authorization: { a: Array(n).fill({}) } } });
    expect(refusal(objects(60))).toBeUndefined();
    const lists = (n: number) => jsonBytes({ sba: { authorization: { a: Array(60).fill({}), b: Array(n).fill([]) } } });
    expect(refusal(lists(8))).toBeUndefined();
    expect(refusal(lists(20))).toBe('LIMIT_EXCEEDED');
  });

  it('nothing of what is dropped weighs more than its bytes, but for names', () => {
    const dropping = (note: unknown) => jsonBytes({ sba: { authorization: {}, note } });
    expect(refusal(dropping('x'.repeat(6000)))).toBeUndefined();
    expect(refusal(dropping({ ['x'.repeat(2800)]: 1 }))).toBeUndefined();
    expect(refusal(dropping({ ['x'.repeat(3200)]: 1 }))).toBe('LIMIT_EXCEEDED');
    expect(refusal(dropping({ ['"'.repeat(2500)]: 1 }))).toBe('LIMIT_EXCEEDED');
  });

  it('6144 bytes for an artifact', () => {
    const carrying = (size: number) => utf8(`{"sba":${new TextDecoder().decode(padded(sba(), size))}}`);
    expect(refusal(carrying(6144))).toBeUndefined();
    expect(refusal(carrying(6145))).toBe('LIMIT_EXCEEDED');
  });

  it('6144 bytes for a bare SBA', () => {
    expect(refusal(padded(sba(), 6144))).toBeUndefined();
    expect(refusal(padded(sba(), 6145))).toBe('LIMIT_EXCEEDED');
  });

  it('256 values for an artifact, in an object and bare', () => {
    const authorization = (n: number) => ({
      a: Array(60).fill(0),
      b: Array(60).fill(0),
      c: Array(60).fill(0),
      d: Array(n).fill(0),
    });
    // 180 elements, 4 lists, the authorization and the signature: 186.
    for (const form of [(value: unknown) => ({ sba: value }), (value: unknown) => value]) {
      const of = (n: number) => jsonBytes(form({ authorization: authorization(n), signature: 's' }));
      expect(refusal(of(60))).toBeUndefined();
      expect(
        refusal(jsonBytes(form({ authorization: { ...authorization(60), e: Array(8).fill(0) }, signature: 's' }))),
      ).toBeUndefined();
      expect(
        refusal(jsonBytes(form({ authorization: { ...authorization(60), e: Array(10).fill(0) }, signature: 's' }))),
      ).toBe('LIMIT_EXCEEDED');
    }
  });

  it('a depth of 16 for an artifact, in an object and bare', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)]);
    for (const form of [(value: unknown) => ({ sba: value }), (value: unknown) => value]) {
      expect(refusal(jsonBytes(form({ authorization: { a: nested(14) } })))).toBeUndefined();
      expect(refusal(jsonBytes(form({ authorization: { a: nested(15) } })))).toBe('LIMIT_EXCEEDED');
    }
  });

  it('256 values for all artifacts together: a device has no memory for more, however short they are', () => {
    const holding = (n: number) => ({ authorization: { a: Array(60).fill(0), b: Array(n).fill(0) } });
    // The member, two lists, 60 elements, and n.
    const all = (n: number) => jsonBytes({ sba: holding(60), spa: holding(n) });
    expect(refusal(all(60))).toBeUndefined();
    expect(
      refusal(jsonBytes({ sba: holding(60), spa: holding(60), settlementIntent: Array(10).fill(0) })),
    ).toBeUndefined();
    expect(refusal(jsonBytes({ sba: holding(60), spa: holding(60), settlementIntent: Array(11).fill(0) }))).toBe(
      'LIMIT_EXCEEDED',
    );
  });

  it('depth counts for each artifact', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)]);
    const deep = { authorization: { a: nested(14) } };
    expect(refusal(jsonBytes({ grant: deep, sba: deep, spa: deep }))).toBeUndefined();
  });

  it('64 members of the object itself', () => {
    const many = (n: number) =>
      jsonBytes({ sba: sba(), ...Object.fromEntries(Array.from({ length: n }, (_, i) => [`x${i}`, 1])) });
    expect(refusal(many(63))).toBe('ARTIFACT_INVALID');
    expect(refusal(many(64))).toBe('LIMIT_EXCEEDED');
  });

  it('1 KB for a string that is signed; what is not signed and not used may be as long as the artifact', () => {
    const signed = (n: number) => jsonBytes({ sba: { authorization: { a: 'x'.repeat(n) } } });
    expect(refusal(signed(1024))).toBeUndefined();
    expect(refusal(signed(1025))).toBe('LIMIT_EXCEEDED');
    expect(refusal(jsonBytes({ sba: { authorization: {}, note: 'x'.repeat(5000) } }))).toBeUndefined();
    expect(refusal(jsonBytes({ grant: { note: 'x'.repeat(1025) }, sba: sba() }))).toBe('LIMIT_EXCEEDED');
  });
});

describe('an idempotency key', () => {
  const keyed = (idempotencyKey: unknown) => jsonBytes({ sba: sba(), idempotencyKey });

  it('is text', () => {
    expect(read(keyed('a')).idempotencyKey).toBe('a');
    for (const value of ['', 1, true, {}, ['a']])
      expect(refusal(keyed(value)), JSON.stringify(value)).toBe('ARTIFACT_INVALID');
  });

  it('has at most 128 characters', () => {
    expect(read(keyed('k'.repeat(128))).idempotencyKey).toHaveLength(128);
    expect(refusal(keyed('k'.repeat(129)))).toBe('LIMIT_EXCEEDED');
  });

  it('has its characters counted alike on engines whose strings are code points: an emoji is one', () => {
    expect(refusal(keyed('\u{1f511}'.repeat(128)))).toBeUndefined();
    expect(refusal(keyed('\u{1f511}'.repeat(129)))).toBe('LIMIT_EXCEEDED');
  });
});

describe('the whole of a presentation', () => {
  it('of every artifact fits and pays', () => {
    const device = new Device();
    device.approves(() =>
      device.authorize(
        present({
          spa: spaFor(intent()),
          settlementIntent: intent(),
          fleetPolicyAuthorization: fleetPolicy(),
          idempotencyKey: 'k',
        }),
      ),
    );
  });
});

describe('a presentation that a caller has as data', () => {
  const check = (value: unknown) => new Device().verifier.check(value as Presentation, ASKED);

  it('is looked at like one that was read', () => {
    expect(check({ grant: grant(), sba: sba() })).toMatchObject({ ok: true, receiptId: 0 });
    expect(check({ ...read(present()) })).toMatchObject({ ok: true });
  });

  it('attack: brings places of its own, which say something else than the data', () => {
    const forged = { ...sba({ maxAmountMinor: '9999999' }), signature: sba().signature };
    const authorization = (forged as JsonObject).authorization as JsonObject;
    const text = canonicalText(sba().authorization as JsonObject);
    const names = ['all'];
    const sources = [{ object: authorization, text, names, starts: [1], ends: [text.length - 1] }];
    expect(check({ grant: grant(), sba: forged, sources })).toMatchObject({ code: 'SBA_SIGNATURE_INVALID' });
  });

  it.each([
    ['nothing', null, 'SBA_INVALID'],
    ['a number', 5, 'SBA_INVALID'],
    ['no SBA', { grant: {} }, 'SBA_INVALID'],
    ['an SBA that JSON cannot hold', { sba: { authorization: { amount: 5n } } }, 'ARTIFACT_INVALID'],
    ['an SBA past the limits', { sba: { a: 'x'.repeat(2000) } }, 'LIMIT_EXCEEDED'],
    ['an idempotency key that is no text', { sba: {}, idempotencyKey: 5 }, 'ARTIFACT_INVALID'],
    ['an idempotency key that is too long', { sba: {}, idempotencyKey: 'x'.repeat(129) }, 'LIMIT_EXCEEDED'],
  ])('and is %s, is refused', (_, value, code) => {
    expect(check(value)).toMatchObject({ ok: false, check: 'presentation.read', code });
  });
});

describe('a payment has a weight', () => {
  const numbers = (count: number, number: string) =>
    `{"sba":${JSON.stringify(sba())},"grant":{"grantId":"g","x":[${Array(count).fill(number).join(',')}]}}`;

  it('of lists and objects: the smallest ones, as many as values allow, are too many', () => {
    const nested = (count: number) =>
      `{"sba":${JSON.stringify(sba())},"grant":{"x":[${Array(count).fill('{}').join(',')}]}}`;
    expect(refusal(nested(20))).toBeUndefined();
    expect(refusal(nested(64))).toBe('LIMIT_EXCEEDED');
  });

  it('of numbers: a payer cannot have a device write many that need exact arithmetic', () => {
    expect(refusal(numbers(60, '1.5'))).toBeUndefined();
    expect(refusal(numbers(3, '1.2345678901234567e-300'))).toBeUndefined();
    expect(refusal(numbers(20, '1.2345678901234567e-300'))).toBe('LIMIT_EXCEEDED');
  });
});
