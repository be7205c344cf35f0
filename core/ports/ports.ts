// The ports: everything the core asks of the machine it runs on, in one file. A new platform implements these four
// interfaces and nothing else. All calls are synchronous.

/** An incremental hash: any number of `update` calls, then one `digest`. */
export interface Hash {
  /**
   * Adds bytes, or the UTF-8 bytes of text without lone surrogates (platforms convert faster than they are handed bytes).
   * An array is read before the call returns and may be reused by the caller.
   */
  update(data: Uint8Array | string): void;
  /** The digest (32 bytes for SHA-256, 64 for SHA-512) in a fresh array. The object is finished after it. */
  digest(): Uint8Array;
}

/** A message that is too long to hold: calls `sink` with its parts in order. May be asked to run more than once. */
export type MessageStream = (sink: (part: Uint8Array) => void) => void;

/** Hashing and signature verification. Verification handles public data only, so constant time is not asked for. */
export interface Crypto {
  /** Starts a SHA-256. */
  sha256(): Hash;
  /** Starts a SHA-512. */
  sha512(): Hash;
  /**
   * Verifies an Ed25519 signature by the strict profile (INTEROP §3): S < L, canonical A and R, neither of small order,
   * cofactorless equation. Wrong lengths answer false; it never throws.
   *
   * @param publicKey 32 bytes
   * @param signature 64 bytes, R ‖ S
   * @param message the signed bytes, whole or as a stream
   */
  ed25519Verify(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array | MessageStream): boolean;
  /** True where `publicKey` is a canonical encoding of a point that is not of small order. */
  ed25519KeyUsable(publicKey: Uint8Array): boolean;
}

/**
 * One partition of NOR flash. Programming clears bits and erasing sets a whole block; what an erased cell reads as is
 * not defined (with flash encryption it is not 0xFF). Every call is durable when it returns, and throws `FlashError`
 * when it could not be carried out.
 */
export interface Flash {
  /** Size of the partition in bytes, a multiple of `blockSize`. */
  readonly size: number;
  /** Bytes that one `erase` sets (4096 on the devices). */
  readonly blockSize: number;
  /** `program` takes multiples of this many bytes at multiples of it (16 on the devices). */
  readonly programSize: number;
  /** Fills `target` with the bytes from `offset` on. */
  read(offset: number, target: Uint8Array): void;
  /** Writes bytes to cells that are erased. A cell is programmed once between two erases. */
  program(offset: number, bytes: Uint8Array): void;
  /** Erases the block that begins at `offset`, a multiple of `blockSize`. */
  erase(offset: number): void;
}

/** What a `Flash` throws when an operation did not succeed. */
export class FlashError extends Error {
  override name = 'FlashError';
}

/** Time, as far as the machine knows it. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC, or undefined while the clock was never set since power-up. */
  wallMs(): number | undefined;
  /** Milliseconds since some moment before start-up; never steps back. */
  monotonicMs(): number;
}

/** One thing that happened, for serial output or a log collector. Members are plain JSON values. */
export interface LogEvent {
  readonly event: string;
  readonly [member: string]: string | number | boolean | undefined;
}

/** Where events go. */
export interface Log {
  emit(event: LogEvent): void;
}
