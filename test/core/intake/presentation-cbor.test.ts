// The CBOR form of a presentation: the same artifacts as the JSON form, the same verdicts, and what is refused there.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ReadPresentation, readCarefully, readPresentation } from '../../../core/intake/presentation.ts';
import type { Refusal } from '../../../core/reason-codes.ts';
import { fullPayment, grant, sba } from '../../fixtures/artifacts.ts';
import { cbor } from '../../fixtures/cbor.ts';
import { ASKED, Device } from '../../fixtures/device.ts';
import { onDevice } from '../../fixtures/device-built-ins.ts';
import { jsonBytes, utf8 } from '../../fixtures/text.ts';

const FULL = fullPayment();

/** What was read, without where it stood in the text; or why not. */
function said(read: ReadPresentation | Refusal): unknown {
  if ('ok' in read) return [read.artifact, read.check, read.code];
  const { sources: _, ...artifacts } = read;
  return artifacts;
}

function agrees(value: unknown, form: 'compact' | 'wide' = 'compact'): void {
  const text = JSON.stringify(value);
  expect(said(readPresentation(cbor(value, form))), text).toEqual(said(readCarefully(utf8(text))));
  const device = onDevice(() => said(readPresentation(cbor(value, form))));
  expect(device, text).toEqual(onDevice(() => said(readCarefully(utf8(text)))));
}

describe('as CBOR', () => {
  it('a payment says what it says as JSON, in whatever form the encoder writes maps', () => {
    for (const form of ['compact', 'wide'] as const)
      for (const payment of [FULL, { grant: grant(), sba: sba() }, { sba: sba() }, sba()]) agrees(payment, form);
  });

  it('every payment of the vectors says what it says as JSON', () => {
    let count = 0;
    const look = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      const { grant, sba, spa, settlementIntent, fleetPolicyAuthorization, authorization } = value as never;
      const parts = { grant, sba, spa, settlementIntent, fleetPolicyAuthorization };
      for (const payment of [sba && parts, authorization && value]) {
        if (!payment) continue;
        count++;
        agrees(payment);
      }
      for (const inner of Object.values(value)) look(inner);
    };
    for (const file of ['chains', 'spa-chains', 'mutations', 'sbas', 'merchant-sdk', 'stateful', 'fpa'])
      look(JSON.parse(readFileSync(join('test/vectors/interop', `${file}.json`), 'utf8')));
    expect(count).toBeGreaterThan(100);
  });

  it('a payment pays, and is the same payment as its JSON', () => {
    const device = new Device();
    device.approves(() => device.authorize(cbor(FULL)));
    const first = device.authorize(cbor(FULL));
    expect(first).toMatchObject({ ok: true, repeated: true });
    expect(device.authorize(jsonBytes(FULL))).toEqual(first);
  });

  it('a forged payment is refused as its JSON is', () => {
    const forged = { ...sba({ maxAmountMinor: '999999' }), signature: sba().signature };
    const device = new Device();
    const refusal = device.verifier.check(cbor({ grant: grant(), sba: forged }), ASKED);
    expect(refusal).toMatchObject({ ok: false, code: 'SBA_SIGNATURE_INVALID' });
    expect(device.verifier.check(jsonBytes({ grant: grant(), sba: forged }), ASKED)).toEqual(refusal);
  });
});

describe('refused as JSON would be', () => {
  const long = (n: number) => 'x'.repeat(n);
  it.each([
    ['no SBA', { grant: grant() }],
    ['an SBA that is null', { sba: null, grant: grant() }],
    ['a member that a presentation does not have', { sba: sba(), x: 1 }],
    ['such a member that is null', { sba: sba(), x: null }],
    ['a member that a presentation does not have, and is in an envelope', { sba: sba(), signature: 's' }],
    ['a grant alone', grant()],
    ['an idempotency key that is no text', { ...FULL, idempotencyKey: 1 }],
    ['an empty one', { ...FULL, idempotencyKey: '' }],
    ['one that is too long', { ...FULL, idempotencyKey: 'k'.repeat(129) }],
    ['members of an envelope that nobody uses', { sba: { ...sba(), note: { a: [long(1100), 1.5, null] } } }],
    ['such members that are too long', { sba: { ...sba(), note: long(6200) } }],
    ['a string that is signed and too long', { sba: { authorization: { a: long(1025) } } }],
    ['a string of a grant that is too long', { sba: sba(), grant: { note: long(1025) } }],
    ['too many values', { sba: sba(), grant: { a: Array(64).fill(0), b: Array(64).fill(0), c: Array(64).fill(0) } }],
    ['too many elements', { sba: sba(), grant: { a: Array(65).fill(0) } }],
    ['too many lists', { sba: sba(), grant: { a: Array(64).fill([]) } }],
    ['too deep', { sba: sba(), grant: JSON.parse(`${'['.repeat(17)}${']'.repeat(17)}`) }],
    ['numbers that take a device long', { sba: sba(), grant: { a: Array(20).fill(1.2345678901234568e-300) } }],
    ['a few of those', { sba: sba(), grant: { a: Array(3).fill(1.2345678901234568e-300) } }],
    ['members that look like places of a list', { sba: { authorization: { 2: 'a', 1: 'b', 10: 'c' } } }],
  ])('%s', (_, payment) => {
    agrees(payment);
  });

  it('control characters, each of which JSON writes as six: an artifact is as long as its JSON text', () => {
    const controls = (n: number) => ({ sba: sba(), grant: { a: '\u0001'.repeat(n), b: '\u0002'.repeat(500) } });
    expect(JSON.stringify(controls(521).grant).length).toBe(6141);
    expect(said(readPresentation(cbor(controls(521))))).toMatchObject({ inPieces: true });
    expect(said(readPresentation(cbor(controls(522))))).toEqual([
      'presentation',
      'presentation.read',
      'LIMIT_EXCEEDED',
    ]);
  });
});

describe('what is no presentation', () => {
  const code = (bytes: Uint8Array) => {
    const read = readPresentation(bytes);
    return 'ok' in read ? read.code : undefined;
  };

  it('is SBA_INVALID: what CBOR has and JSON has not', () => {
    const one = cbor({ sba: sba() });
    expect(code(Uint8Array.of(0xd9, 0xd9, 0xf7, ...one))).toBe('SBA_INVALID');
    expect(code(Uint8Array.of(0xbf, ...one.subarray(1), 0xff))).toBe('SBA_INVALID');
    expect(code(cbor({ sba: { ...sba(), signature: new Uint8Array(64) } }))).toBe('SBA_INVALID');
    expect(code(cbor({ sba: sba(), grant: { a: Number.NaN } }))).toBe('SBA_INVALID');
    expect(code(cbor({ sba: sba(), grant: { a: 2n ** 60n } }))).toBe('SBA_INVALID');
    expect(code(Uint8Array.of(...one, 0))).toBe('SBA_INVALID');
    expect(code(Uint8Array.of(0xa2, ...one.subarray(1), ...one.subarray(1)))).toBe('SBA_INVALID');
    expect(code(cbor([{ sba: sba() }]))).toBe('SBA_INVALID');
  });

  it('is SBA_INVALID wherever it is cut', () => {
    const one = cbor(FULL);
    for (let length = 0; length < one.length; length++) expect(code(one.subarray(0, length))).toBe('SBA_INVALID');
  });
});
