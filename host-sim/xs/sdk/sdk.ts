// What the stand-ins for the SDK's modules have of the C host: the global object `sdk` (c/events.c, c/board.c, c/network.c).

/** What C gives to a firmware. Numbers name what was opened. */
export interface Sdk {
  /** Milliseconds; a timer that repeats does so as often. @returns its number */
  setTimer(callback: () => void, milliseconds: number, repeats: boolean): number;
  clearTimer(timer: number): void;
  /** Milliseconds, in 32 bits with a sign. */
  ticks(): number;
  setTime(seconds: number): void;
  /** @throws where there is no such partition */
  openFlash(label: string): number;
  flashSize(partition: number): number;
  readFlash(partition: number, target: Uint8Array, offset: number): number;
  writeFlash(partition: number, bytes: Uint8Array, offset: number): void;
  /** Blocks, without the last. */
  eraseFlash(partition: number, start: number, end: number): void;
  openSerial(
    port: number,
    baud: number,
    onReadable: ((bytes: number) => void) | undefined,
    onWritable: ((bytes: number) => void) | undefined,
  ): void;
  readSerial(port: number): ArrayBuffer | undefined;
  writeSerial(port: number, bytes: Uint8Array): void;
  closeSerial(port: number): void;
  openPin(pin: number, isOutput: boolean, level: number, edge: number, onReadable: (() => void) | undefined): void;
  readPin(pin: number): number;
  writePin(pin: number, level: number): void;
  closePin(pin: number): void;
  connectTcp(address: string, port: number): number;
  /** Whom a socket tells. */
  heedTcp(
    socket: number,
    onReadable: ((bytes: number) => void) | undefined,
    onWritable: ((bytes: number) => void) | undefined,
    onError: (() => void) | undefined,
  ): void;
  readTcp(socket: number, target: Uint8Array): void;
  writeTcp(socket: number, bytes: Uint8Array): number;
  closeTcp(socket: number): void;
  listenTcp(onReadable: (sockets: number) => void): void;
  acceptTcp(): number | undefined;
  unlistenTcp(): void;
  openUdp(onReadable: (packets: number) => void): void;
  readUdp(): ArrayBuffer;
  writeUdp(bytes: Uint8Array, address: string, port: number): void;
  closeUdp(): void;
  watchLink(onChanged: () => void): void;
  linkUp(): boolean;
}

declare global {
  /** There in XS only, where a firmware runs. */
  const sdk: Sdk;
}

/** The address that every name has, and every packet comes from. */
export const HERE = '127.0.0.1';
