// Whose a TLS server's certificate is, by the rules of the firmware (device/network/server-certificate.ts): there is no chain, no
// authority but the provisioned certificate, and no key but RSA's.

import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** SHA-256 with RSA, PKCS #1 1.5, in DER. */
const SHA256_RSA = Buffer.from('06092a864886f70d01010b', 'hex');
const EXPONENT = 65_537n;
const MOST_BITS = 4096;

/**
 * True where a certificate is the provisioned one, byte for byte; or is signed by it, valid now, of an RSA key, and names the host.
 *
 * @param own the server's own
 * @param provisioned in DER
 * @param nowMs what the device's clock shows; undefined where it was never set
 */
export function isServer(
  own: X509Certificate,
  host: string,
  provisioned: Uint8Array,
  nowMs: number | undefined,
): boolean {
  if (own.raw.equals(provisioned)) return true;
  try {
    return isSigned(own, host, provisioned, nowMs);
  } catch {
    // What is no certificate that can be read knows nobody, and is known to nobody.
    return false;
  }
}

/** @throws Error where one of both cannot be read */
function isSigned(own: X509Certificate, host: string, provisioned: Uint8Array, nowMs: number | undefined): boolean {
  const signer = new X509Certificate(provisioned);
  if (!isRsa(signer) || !isRsa(own) || !signatureAlgorithm(own.raw).equals(SHA256_RSA)) return false;
  const isValid = nowMs !== undefined && Date.parse(own.validFrom) < nowMs && nowMs < Date.parse(own.validTo);
  const named = isIP(host) === 0 ? own.checkHost(host, { subject: 'never' }) : own.checkIP(host);
  return isValid && named !== undefined && own.verify(signer.publicKey);
}

function isRsa({ publicKey }: X509Certificate): boolean {
  const { publicExponent, modulusLength = 0 } = publicKey.asymmetricKeyDetails ?? {};
  return publicKey.asymmetricKeyType === 'rsa' && publicExponent === EXPONENT && modulusLength <= MOST_BITS;
}

/** The object identifier of a certificate's signature, which stands behind what is signed. */
function signatureAlgorithm(der: Buffer): Buffer {
  const signed = contentAt(der, 0);
  const algorithm = contentAt(der, signed + lengthAt(der, signed));
  return der.subarray(algorithm, algorithm + lengthAt(der, algorithm));
}

/** Where the content of what stands at a place begins, and how long all that stands there is. */
function contentAt(der: Buffer, at: number): number {
  const first = der[at + 1] as number;
  return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
}

function lengthAt(der: Buffer, at: number): number {
  const content = contentAt(der, at);
  const first = der[at + 1] as number;
  return content - at + (first < 0x80 ? first : der.readUIntBE(at + 2, first & 0x7f));
}
