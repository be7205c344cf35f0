// Stands for the SDK's pins: each pin's level, and every level it ever had.

/** The pins that are open, by number. */
export const pins = new Map<number, Digital>();

/** Pins that the chip has not, and pins that cannot be written just now. */
export const absent = new Set<number>();
export const stuck = new Set<number>();

interface DigitalOptions {
  readonly pin: number;
  readonly mode: number;
  readonly initialValue?: number;
  readonly edge?: number;
  onReadable?(): void;
}

export default class Digital {
  static readonly Input = 0;
  static readonly InputPullUp = 1;
  static readonly InputPullDown = 2;
  static readonly Output = 8;
  static readonly Rising = 1;
  static readonly Falling = 2;
  readonly options: DigitalOptions;
  /** From the first moment on. */
  readonly levels: number[];

  constructor(options: DigitalOptions) {
    if (absent.has(options.pin)) throw new Error('invalid pin');
    this.options = options;
    this.levels = [options.initialValue ?? 0];
    pins.set(options.pin, this);
  }

  get level(): number {
    return this.levels.at(-1) as number;
  }

  /** The other side changes the level of an input. */
  drive(level: number): void {
    const edge = level > this.level ? Digital.Rising : level < this.level ? Digital.Falling : 0;
    this.levels.push(level);
    if (((this.options.edge ?? 0) & edge) !== 0) this.options.onReadable?.();
  }

  read(): number {
    return this.level;
  }

  write(value: number): void {
    if (stuck.has(this.options.pin)) throw new Error('no answer');
    this.levels.push(value);
  }

  close(): void {
    pins.delete(this.options.pin);
  }
}
