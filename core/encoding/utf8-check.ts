// UTF-8, strictly (RFC 3629), over bytes that come in pieces of any size: a sequence may be cut anywhere.

/** Is told all bytes in order, and knows whether they are well-formed so far. */
export class Utf8Check {
  /** Continuation bytes that the sequence under way still needs. */
  #needed = 0;
  /** The range of the next one: it is where overlong forms, surrogates and values past U+10FFFF show. */
  #low = 0x80;
  #high = 0xbf;
  #failed = false;
  #ascii = true;

  /** Takes the next bytes. */
  update(bytes: Uint8Array): void {
    if (this.#failed) return;
    const length = bytes.length;
    for (let i = 0; i < length; i++) {
      const byte = bytes[i] as number;
      if (byte < 0x80 && this.#needed === 0) continue;
      this.#ascii = false;
      if (!this.#takes(byte)) {
        this.#failed = true;
        return;
      }
    }
  }

  /** True where all that came is well-formed and no sequence is left open. */
  get valid(): boolean {
    return !this.#failed && this.#needed === 0;
  }

  /** True where all that came is ASCII. */
  get ascii(): boolean {
    return this.#ascii;
  }

  /** Table 3-7 of the Unicode Standard. */
  #takes(byte: number): boolean {
    if (this.#needed > 0) {
      if (byte < this.#low || byte > this.#high) return false;
      this.#low = 0x80;
      this.#high = 0xbf;
      this.#needed--;
      return true;
    }
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte === 0xe0) this.#low = 0xa0;
    else if (byte === 0xf0) this.#low = 0x90;
    else if (byte === 0xed) this.#high = 0x9f;
    else if (byte === 0xf4) this.#high = 0x8f;
    return true;
  }
}
