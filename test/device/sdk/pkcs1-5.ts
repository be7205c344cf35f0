// Stands for the SDK's PKCS #1 1.5. Like the SDK's it does not look at how long the padding is, nor at what stands behind the hash.

interface Key {
  readonly modulus: bigint;
  readonly exponent: bigint;
}

export default class PKCS1 {
  readonly #key: Key;

  constructor(key: Key) {
    this.#key = key;
  }

  verify(hash: ArrayBuffer, signature: Uint8Array): boolean {
    const { modulus, exponent } = this.#key;
    let result = 1n;
    let base = BigInt(`0x${Buffer.from(signature).toString('hex')}`) % modulus;
    for (let left = exponent; left > 0n; left >>= 1n) {
      if (left & 1n) result = (result * base) % modulus;
      base = (base * base) % modulus;
    }
    const hex = result.toString(16);
    const head = '003031300d060960864801650304020105000420';
    return new RegExp(`^1(ff)*${head}${Buffer.from(hash).toString('hex')}`).test(hex);
  }
}
