// What a program in the engine sees of the outside: the global object `host`, whose functions are C (c/functions.c).

/** A hash that C keeps. */
export type NativeHash = { readonly native: unique symbol };

/** What a program that is asked gets. */
export type HostValue = undefined | boolean | number | string | ArrayBuffer;

/** What C gives to a program. */
export interface Host {
  /** A line on the runner's stdout. */
  print(line: string): void;
  /** A word after the program's name; undefined where there is none. */
  argument(index: number): string | undefined;
  /** Bytes in a file. */
  fileSize(path: string): number;
  /** A part of a file, or all of it. The file stays outside the machine's memory. */
  readFile(path: string, offset?: number, length?: number): ArrayBuffer;
  /** Text of a part of a file, which must be UTF-8. */
  readText(path: string, offset: number, length: number): string;
  /** Fills an array with the bytes of a file from an offset on. */
  readInto(path: string, offset: number, target: Uint8Array): void;
  /** Puts bytes into what was read of a file; the file itself stays as it is. For partitions of a simulated flash. */
  writeInto(path: string, offset: number, bytes: Uint8Array): void;
  /** The same with bytes of 0xFF. */
  eraseIn(path: string, offset: number, length: number): void;
  /** A full collection. */
  collect(): void;
  /** Figures count from here, after a collection. */
  measure(): void;
  /** Sends what was counted since `measure` to the runner. */
  figures(label: string): void;
  /** Instructions since power-up on rv32; nanoseconds elsewhere. */
  counter(): number;
  /** Starts a native SHA-256 or SHA-512. */
  hashStart(bits: 256 | 512): NativeHash;
  /** Adds bytes, or text as UTF-8. */
  hashUpdate(hash: NativeHash, data: Uint8Array | string): void;
  /** Ends a hash. */
  hashDigest(hash: NativeHash): ArrayBuffer;
  /** Native Ed25519 by the strict profile. */
  ed25519Verify(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean;
  /** The same, with SHA-512 of R, A and the message done before. */
  ed25519VerifyDigest(publicKey: Uint8Array, signature: Uint8Array, digest: Uint8Array): boolean;
  ed25519KeyUsable(publicKey: Uint8Array): boolean;
  /** For tests. */
  ed25519PublicKey(seed: Uint8Array): ArrayBuffer;
  /** For tests. */
  ed25519Sign(seed: Uint8Array, message: Uint8Array): ArrayBuffer;
  /** Of a program that is asked (c/asked.c): waits for a command, and gives its first value. Bytes are an ArrayBuffer. */
  receive(): HostValue;
  /** The next value of the command; undefined where there is none. */
  next(): HostValue;
  /** More values for the answer, or the question, that is sent next. */
  put(...values: readonly (HostValue | null | Uint8Array)[]): void;
  /** What was put is the answer to the command. */
  answer(): void;
  /** More values for what is told; without one, that is told. */
  tell(...values: readonly (HostValue | null | Uint8Array)[]): void;
  /** What was put is asked; the first value of the reply. */
  ask(): HostValue;
  /** The same, where the reply may be bytes for all of an array. */
  askBytes(target: Uint8Array): HostValue;
  /** Fills an array from a copy of a partition that came with an earlier reply. False where there is none. */
  readCopy(partition: number, offset: number, target: Uint8Array): boolean;
}

declare global {
  /** There in XS only. */
  const host: Host;
}
