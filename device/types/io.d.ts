// What the firmware uses of the SDK's pins and serial ports. Mirrors modules/io/serial/esp32/serial.c, modules/io/digital/digital.js
// and digitalbank.js of the Moddable SDK 8.2.

declare module 'embedded:io/serial' {
  export interface SerialOptions {
    /** Number of the UART. */
    readonly port: number;
    readonly receive?: number;
    readonly transmit?: number;
    readonly baud: number;
    readonly format: 'buffer';
    /** So many bytes have come. */
    onReadable?(bytes: number): void;
    /** So many bytes can be written. */
    onWritable?(bytes: number): void;
  }

  export default class Serial {
    constructor(options: SerialOptions);
    /** Undefined where nothing has come. */
    read(): ArrayBuffer | undefined;
    /** @throws where more is to be written than there is room for: 128 bytes at most */
    write(bytes: Uint8Array): void;
    close(): void;
  }
}

declare module 'embedded:io/digital' {
  export interface DigitalOptions {
    readonly pin: number;
    readonly mode: number;
    /** 0 for low, 1 for high, as the pin has it from the first moment on. */
    readonly initialValue?: number;
    /** `Rising`, `Falling`, or both added. */
    readonly edge?: number;
    onReadable?(): void;
  }

  export default class Digital {
    static readonly Input: number;
    static readonly InputPullUp: number;
    static readonly InputPullDown: number;
    static readonly Output: number;
    static readonly Rising: number;
    static readonly Falling: number;
    constructor(options: DigitalOptions);
    read(): number;
    write(value: number): void;
    close(): void;
  }
}
