// The one DER structure that the verifier reads: the SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 §4), in PEM (RFC 7468
// §13). It has a single encoding, so it is compared and not parsed.

import { decodeBase64 } from './base64.ts';

const BEGIN = '-----BEGIN PUBLIC KEY-----';
const END = '-----END PUBLIC KEY-----';
/** 44 bytes: 59 characters and one of padding, so one line. */
const BODY_CHARACTERS = 60;

/** SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 33 bytes, the first of them 0: no unused bits. */
const SPKI_PREFIX = Object.freeze([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]);

/**
 * The 32-byte public key of a PEM text: three lines, ended by LF or CR LF (the last may lack it), nothing before or after.
 * Undefined for everything else, other key types included. Whether the bytes are a usable key, `Crypto.ed25519KeyUsable`
 * tells.
 */
export function ed25519FromSpkiPem(pem: string): Uint8Array | undefined {
  // The longest that can be right; then nothing below handles long texts.
  if (pem.length > BEGIN.length + BODY_CHARACTERS + END.length + 6) return undefined;
  const lines = pem.split('\n');
  if (lines.length === 4 ? lines[3] !== '' : lines.length !== 3) return undefined;
  if (withoutReturn(lines[0]) !== BEGIN || withoutReturn(lines[2]) !== END) return undefined;
  const body = withoutReturn(lines[1]);
  // PEM has the standard alphabet only, and padding.
  if (body.length !== BODY_CHARACTERS || body.includes('-') || body.includes('_')) return undefined;
  return ed25519FromSpki(decodeBase64(body));
}

/** The 32-byte public key of a DER encoding, or undefined. */
function ed25519FromSpki(der: Uint8Array | undefined): Uint8Array | undefined {
  if (der === undefined || der.length !== SPKI_PREFIX.length + 32) return undefined;
  for (let i = 0; i < SPKI_PREFIX.length; i++) {
    if (der[i] !== SPKI_PREFIX[i]) return undefined;
  }
  return der.slice(SPKI_PREFIX.length);
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
