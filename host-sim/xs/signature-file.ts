// Signatures that are verified inside XS: a file with where each one's key, signature and message are. Both sides know its form
// by this file.

/** One signature, and what it is said to be of. */
export interface SignatureCase {
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
}

/** The file begins with the number of cases; each has offset and length of three parts. All of 32 bits, little-endian. */
export const CASES_HEAD_BYTES = 4;
export const CASE_ENTRY_BYTES = 24;

/** The file of cases. */
export function signatureFile(cases: readonly SignatureCase[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = CASES_HEAD_BYTES + CASE_ENTRY_BYTES * cases.length;
  const head = new DataView(new ArrayBuffer(at));
  head.setUint32(0, cases.length, true);
  cases.forEach(({ publicKey, signature, message }, i) => {
    [publicKey, signature, message].forEach((part, j) => {
      const entry = CASES_HEAD_BYTES + CASE_ENTRY_BYTES * i + 8 * j;
      head.setUint32(entry, at, true);
      head.setUint32(entry + 4, part.length, true);
      parts.push(part);
      at += part.length;
    });
  });
  return Buffer.concat([new Uint8Array(head.buffer), ...parts]);
}
