// Whose a TLS server's certificate is. The SDK's own answer is not asked for: it goes through a chain without holding each certificate
// to the next, and its ECDSA does not come back from a signature of zeros. So there is no chain, and no key but RSA's.

import { Digest } from 'crypt';
import PKCS1 from 'pkcs1_5';
import X509, { type AlternativeName, type RsaKey } from 'x509';

/** SHA-256 with RSA, PKCS #1 1.5: the only one. */
const SHA256_RSA = '1,2,840,113549,1,1,11';
/**
 * The only one. Below it a signature with a free end can be made without the key, and the SDK lets ends be free; above it the device
 * computes for as long as the number is, as with the bits of the modulus.
 */
const EXPONENT = 65_537n;
const MOST_BITS = 4096n;
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/**
 * True where a certificate is the provisioned one, byte for byte; or is signed by it, valid now, of an RSA key, and names the host.
 *
 * @param certificate the server's own, in DER
 * @param provisioned in DER
 * @throws what the SDK throws at what is no certificate
 */
export function isServer(certificate: Uint8Array, host: string, provisioned: Uint8Array): boolean {
  if (isSame(certificate, provisioned)) return true;
  const { tbs, algo, sig } = X509.decode(certificate);
  const signer = X509.decodeSPKI(provisioned);
  if (algo.toString() !== SHA256_RSA || !isRsa(signer) || !isRsa(X509.decodeSPKI(certificate))) return false;
  const { from, to } = X509.decodeTBS(tbs).validity;
  const now = Date.now();
  if (!(from < now && now < to) || !names(X509.decodeSAN(certificate) ?? [], host.toLowerCase())) return false;
  const digest = new Digest('SHA256');
  digest.write(tbs);
  return new PKCS1(signer, false, []).verify(digest.close(), sig);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

function isRsa({ modulus, exponent }: Partial<RsaKey>): boolean {
  if (modulus === undefined || exponent === undefined) return false;
  // On a device a number that was computed is never === a constant.
  return exponent >= EXPONENT && exponent <= EXPONENT && modulus >> MOST_BITS < 1n;
}

function names(stated: readonly AlternativeName[], host: string): boolean {
  // A star stands for the first part of a name.
  const wild = `*${host.slice(host.indexOf('.'))}`;
  return stated.some(({ tag, value }) => {
    if (typeof value !== 'string') return tag === IP_ADDRESS && new Uint8Array(value).join('.') === host;
    const name = value.toLowerCase();
    return tag === DNS_NAME && (name === host || name === wild);
  });
}
