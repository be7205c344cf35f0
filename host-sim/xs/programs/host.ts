// What a program in the engine sees of the outside: the global object `host`, whose functions are C (c/functions.c).

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
  /** A full collection. */
  collect(): void;
  /** Figures count from here, after a collection. */
  measure(): void;
  /** Sends what was counted since `measure` to the runner. */
  figures(label: string): void;
  /** Instructions since power-up on rv32; nanoseconds elsewhere. */
  counter(): number;
}

declare global {
  /** There in XS only. */
  const host: Host;
}
