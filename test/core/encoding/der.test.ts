// An Ed25519 public key in PEM.

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ed25519FromSpkiPem } from '../../../core/encoding/der.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const RAW = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(12));

const pem = (der: Uint8Array): string =>
  `-----BEGIN PUBLIC KEY-----\n${Buffer.from(der).toString('base64')}\n-----END PUBLIC KEY-----\n`;

describe('ed25519FromSpkiPem', () => {
  it('reads what OpenSSL writes', () => {
    expect(ed25519FromSpkiPem(PEM)).toEqual(RAW);
  });

  it('reads CR LF line ends, and a last line without an end', () => {
    expect(ed25519FromSpkiPem(PEM.replaceAll('\n', '\r\n'))).toEqual(RAW);
    expect(ed25519FromSpkiPem(PEM.trimEnd())).toEqual(RAW);
  });

  it('refuses a change in any byte before the key', () => {
    const der = publicKey.export({ type: 'spki', format: 'der' });
    for (let i = 0; i < 12; i++) {
      for (const change of [1, 0x80, 0xff]) {
        const changed = new Uint8Array(der);
        changed[i] ^= change;
        expect(ed25519FromSpkiPem(pem(changed))).toBeUndefined();
      }
    }
    expect(ed25519FromSpkiPem(pem(der))).toEqual(RAW);
    expect(ed25519FromSpkiPem(pem(der.subarray(0, 43)))).toBeUndefined();
    expect(ed25519FromSpkiPem(pem(new Uint8Array([...der, 0])))).toBeUndefined();
  });

  it('refuses other key types and private keys', () => {
    const others = [
      generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' }),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }),
      privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ];
    for (const other of others) expect(ed25519FromSpkiPem(other.toString())).toBeUndefined();
  });

  it('refuses text around, blanks, missing lines, other labels, base64url and missing padding', () => {
    const body = PEM.split('\n')[1];
    const refused = [
      '',
      body,
      `\n${PEM}`,
      ` ${PEM}`,
      `x\n${PEM}`,
      `${PEM}\n`,
      `${PEM}x`,
      `${PEM}${PEM}`,
      PEM.replace('PUBLIC', 'ED25519 PUBLIC'),
      PEM.replaceAll('PUBLIC KEY', 'CERTIFICATE'),
      PEM.replace('-----END PUBLIC KEY-----', ''),
      PEM.replace(body, `${body.slice(0, 30)}\n${body.slice(30)}`),
      PEM.replace(body, ` ${body}`),
      PEM.replace(body, body.slice(0, -1)),
      PEM.replaceAll('\n', ''),
      PEM.replaceAll('\n', '\r'),
      pem(new Uint8Array([...new Array<number>(44).fill(0xff)])),
    ];
    for (const text of refused) expect(ed25519FromSpkiPem(text), JSON.stringify(text)).toBeUndefined();
    // A key whose base64 needs the last two characters of the alphabet.
    const special = pem(
      new Uint8Array([
        ...publicKey.export({ type: 'spki', format: 'der' }).subarray(0, 12),
        ...new Array<number>(32).fill(0xfb),
      ]),
    );
    expect(ed25519FromSpkiPem(special)).toEqual(new Uint8Array(32).fill(0xfb));
    expect(special).toMatch(/[+/]/);
    expect(
      ed25519FromSpkiPem(
        special
          .split('\n')
          .map((line, i) => (i === 1 ? line.replaceAll('+', '-').replaceAll('/', '_') : line))
          .join('\n'),
      ),
    ).toBeUndefined();
  });
});
