// Stands for the SDK's reader of certificates, by Node's.

import { X509Certificate } from 'node:crypto';

/** Where what a length of DER is of begins, and how long it is. */
function lengthAt(bytes: Uint8Array, at: number): { readonly from: number; readonly length: number } {
  const first = bytes[at] as number;
  if (first < 0x80) return { from: at + 1, length: first };
  let length = 0;
  for (let i = 1; i <= first - 0x80; i++) length = length * 256 + (bytes[at + i] as number);
  return { from: at + 1 + first - 0x80, length };
}

/** The parts of a DER sequence, each with its head. */
function parts(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  if (bytes[0] !== 0x30) throw new Error('x509: malformed input');
  for (let at = lengthAt(bytes, 1).from; at < bytes.length; ) {
    const { from, length } = lengthAt(bytes, at + 1);
    if (from + length > bytes.length) throw new Error('x509: malformed input');
    found.push(bytes.subarray(at, from + length));
    at = from + length;
  }
  return found;
}

const OIDS: { readonly [hex: string]: readonly number[] } = {
  '06092a864886f70d01010b': [1, 2, 840, 113549, 1, 1, 11],
  '06092a864886f70d010105': [1, 2, 840, 113549, 1, 1, 5],
  '06082a8648ce3d040302': [1, 2, 840, 10045, 4, 3, 2],
};

const big = (text: string) => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`);

const X509 = {
  decode(certificate: Uint8Array) {
    const [tbs, algorithm, signature] = parts(certificate) as [Uint8Array, Uint8Array, Uint8Array];
    const [oid] = parts(algorithm) as [Uint8Array];
    const bits = signature.subarray(lengthAt(signature, 1).from + 1);
    return { tbs, algo: OIDS[Buffer.from(oid).toString('hex')] ?? [0], sig: bits, spki: X509.decodeSPKI(certificate) };
  },
  decodeTBS(tbs: Uint8Array) {
    const [from = 0, to = 0] = parts(parts(tbs)[4] as Uint8Array).map((time) => {
      const digits = Buffer.from(time.subarray(2)).toString();
      const [, year, ...rest] =
        /^(....)(..)(..)(..)(..)(..)Z$/.exec(digits.length === 15 ? digits : `20${digits}`) ?? [];
      const [month, day, hour, minute, second] = rest.map(Number) as [number, number, number, number, number];
      return Date.UTC(Number(year), month - 1, day, hour, minute, second);
    });
    return { validity: { from, to } };
  },
  decodeSPKI(certificate: Uint8Array) {
    const { n, e } = new X509Certificate(certificate).publicKey.export({ format: 'jwk' });
    return n === undefined || e === undefined ? {} : { modulus: big(n), exponent: big(e) };
  },
  decodeSAN(certificate: Uint8Array) {
    const { subjectAltName } = new X509Certificate(certificate);
    return subjectAltName?.split(', ').map((name) => {
      const value = name.slice(name.indexOf(':') + 1);
      if (!name.startsWith('IP Address:')) return { tag: name.startsWith('DNS:') ? 2 : 6, value };
      return { tag: 7, value: Uint8Array.from(value.split('.').map(Number)).buffer };
    });
  },
};

export default X509;
