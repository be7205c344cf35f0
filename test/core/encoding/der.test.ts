// An Ed25519 public key in PEM.

import { describe, expect, it } from 'vitest';
import { ed25519FromSpkiPem } from '../../../core/encoding/der.ts';

/** Written by OpenSSL 3. */
const PEM = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAB7qbge8UXvvS9iAVNMDTfQoCH/vnb+7SU4tLyPUL3QA=
-----END PUBLIC KEY-----
`;
const RAW = new Uint8Array(Buffer.from('07ba9b81ef145efbd2f6201534c0d37d0a021ffbe76feed2538b4bc8f50bdd00', 'hex'));
const DER = new Uint8Array(Buffer.from(PEM.split('\n')[1] as string, 'base64'));

/** Written by OpenSSL 3: the private key of the same, keys of X25519 and of P-256. */
const OTHERS = [
  `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIBZxNX3bbxqwuMNrxZ6Yu948/JI6UIwGzmn3ytcmcmk+
-----END PRIVATE KEY-----
`,
  `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEASlDni7oZk1vmqdYXQaAL48vMo9R8v90FwHe+NVVamzE=
-----END PUBLIC KEY-----
`,
  `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2dckZjdM2LoScgtTogB6rZG3P5mG
ls0eB6eBgb1gZuFDAaJz8QYKsH5cFHkAlLLXdILxrXPT16ucrPhM5aU7ig==
-----END PUBLIC KEY-----
`,
];

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
    for (let i = 0; i < 12; i++) {
      for (const change of [1, 0x80, 0xff]) {
        const changed = DER.slice();
        changed[i] ^= change;
        expect(ed25519FromSpkiPem(pem(changed))).toBeUndefined();
      }
    }
    expect(ed25519FromSpkiPem(pem(DER))).toEqual(RAW);
    expect(ed25519FromSpkiPem(pem(DER.subarray(0, 43)))).toBeUndefined();
    expect(ed25519FromSpkiPem(pem(new Uint8Array([...DER, 0])))).toBeUndefined();
  });

  it('refuses other key types and private keys', () => {
    for (const other of OTHERS) expect(ed25519FromSpkiPem(other)).toBeUndefined();
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
    const special = pem(new Uint8Array([...DER.subarray(0, 12), ...new Array<number>(32).fill(0xfb)]));
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
