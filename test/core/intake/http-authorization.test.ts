// `Authorization: MPCP <base64>` to the bytes of a presentation (INTEROP §6).

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  presentationFromAuthorization,
  presentationFromAuthorizationBytes,
  presentationFromBase64,
} from '../../../core/intake/http-authorization.ts';
import { present } from '../../fixtures/artifacts.ts';
import { Device } from '../../fixtures/device.ts';

const base64 = (bytes: Uint8Array, encoding: 'base64' | 'base64url' = 'base64') =>
  Buffer.from(bytes).toString(encoding);
const bytes = Uint8Array.of(1, 2, 250, 251, 252, 253, 254, 255);

/** The same value as a device that has no room for a string may have it. */
const asBytes = (value: string) => presentationFromAuthorizationBytes(new Uint8Array(Buffer.from(value, 'utf8')));

function refused(value: string): void {
  for (const result of [presentationFromAuthorization(value), asBytes(value)])
    expect(result, JSON.stringify(value)).toMatchObject({
      ok: false,
      artifact: 'presentation',
      check: 'authorization.header',
      code: 'SBA_INVALID',
    });
}

function carries(value: string, expected: Uint8Array): void {
  expect(presentationFromAuthorization(value)).toEqual(expected);
  expect(asBytes(value)).toEqual(expected);
}

describe('an Authorization header', () => {
  it('that is not there is refused', () => {
    expect(presentationFromAuthorization(undefined)).toMatchObject({ code: 'SBA_INVALID' });
    expect(presentationFromBase64(undefined)).toMatchObject({ code: 'SBA_INVALID' });
  });

  it('carries a presentation', () => {
    const payment = presentationFromAuthorization(`MPCP ${base64(present())}`);
    const device = new Device();
    device.approves(() => device.authorize(payment as Uint8Array));
  });

  it.each(['MPCP', 'mpcp', 'Mpcp', 'mPcP'])('has the scheme in any case: %s', (scheme) => {
    carries(`${scheme} ${base64(bytes)}`, bytes);
  });

  it('may have blanks and tabs around and between', () => {
    for (const value of [`MPCP   ${base64(bytes)}`, ` MPCP\t${base64(bytes)} `, `\tMPCP \t ${base64(bytes)}\t`]) {
      carries(value, bytes);
    }
  });

  it('is base64 or base64url, with or without padding', () => {
    for (const text of [
      base64(bytes),
      base64(bytes).replace(/=+$/, ''),
      base64(bytes, 'base64url'),
      `${base64(bytes, 'base64url')}=`,
    ]) {
      carries(`MPCP ${text}`, bytes);
    }
  });

  it.each([
    '',
    ' ',
    'MPCP',
    'MPCP ',
    'MPC',
    'Bearer AAAA',
    'MPCPAAAA',
    'MPCP2 AAAA',
    'XMPCP AAAA',
    'MPCP\nAAAA',
    'MPCP AA AA',
    'MPCP AAAA\n',
    'MPCP AAAA, MPCP AAAA',
    'MPCP AAAA;q=1',
    'MPCP {"sba":1}',
    'MPCP +-AA',
    'MPCP AAAAA',
    'MPCP AAA==',
    'MPCP AB',
    'MPCP é===',
    'ＭＰＣＰ AAAA',
  ])('is refused as %j', (value) => {
    refused(value);
  });

  it('has at most 8192 characters of base64, blanks and scheme apart', () => {
    carries(`  MPCP   ${'A'.repeat(8192)}  `, new Uint8Array(6144));
    refused(`MPCP ${'A'.repeat(8193)}`);
    refused(`MPCP ${'A'.repeat(8196)}`);
    refused(`MPCP ${'A'.repeat(100_000)}`);
  });

  it('gives bytes or a refusal for any text, and never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.base64String().map((text) => `MPCP ${text}`),
        ),
        (value) => {
          const result = presentationFromAuthorization(value);
          expect(result instanceof Uint8Array || result.code === 'SBA_INVALID').toBe(true);
          const inPlace = asBytes(value);
          if (result instanceof Uint8Array) expect(inPlace).toEqual(result);
          else expect(inPlace).toMatchObject({ code: 'SBA_INVALID' });
        },
      ),
    );
  });
});

describe('an X-Mpcp-Sba header', () => {
  it('is the same base64 without a scheme', () => {
    expect(presentationFromBase64(base64(bytes))).toEqual(bytes);
    expect(presentationFromBase64('A'.repeat(8192))).toHaveLength(6144);
  });

  it('has no blanks', () => {
    expect(presentationFromBase64(` ${base64(bytes)}`)).toMatchObject({ ok: false, code: 'SBA_INVALID' });
  });

  it('is no longer than the other', () => {
    expect(presentationFromBase64('A'.repeat(8193))).toMatchObject({ ok: false, code: 'SBA_INVALID' });
  });
});
