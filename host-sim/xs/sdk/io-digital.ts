// Stands for `embedded:io/digital` inside XS: pins of the C host.

import './sdk.ts';

interface DigitalOptions {
  readonly pin: number;
  readonly mode: number;
  readonly initialValue?: number;
  readonly edge?: number;
  onReadable?(): void;
}

const OUTPUT = 8;

export default class Digital {
  static readonly Input = 0;
  static readonly InputPullUp = 1;
  static readonly InputPullDown = 2;
  static readonly Output = OUTPUT;
  static readonly Rising = 1;
  static readonly Falling = 2;
  readonly #pin: number;

  constructor({ pin, mode, initialValue, edge, onReadable }: DigitalOptions) {
    this.#pin = pin;
    sdk.openPin(pin, mode === OUTPUT, initialValue ?? 0, edge ?? 0, onReadable);
  }

  read(): number {
    return sdk.readPin(this.#pin);
  }

  write(level: number): void {
    sdk.writePin(this.#pin, level);
  }

  close(): void {
    sdk.closePin(this.#pin);
  }
}
