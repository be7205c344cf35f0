// The did:key identifier of an Ed25519 key (W3C CCG "The did:key Method", §2.1), by which a person or an agent is an issuer
// without a domain.

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** `did:key:z6Mk…`. @param publicKey 32 bytes */
export function didKeyOf(publicKey: Uint8Array): string {
  // 0xed 0x01 is the multicodec "ed25519-pub"; it is not zero, so that base58 loses no leading byte.
  let number = BigInt(`0xed01${Buffer.from(publicKey).toString('hex')}`);
  let text = '';
  for (; number > 0n; number /= 58n) text = ALPHABET.charAt(Number(number % 58n)) + text;
  return `did:key:z${text}`;
}
