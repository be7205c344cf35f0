// Which pins of each board a wiring may name: those that the chip has, less what its flash, the reader's line and the log's line
// take. The lines are those of manifests/device.json.

/** First and last pin of a range. */
type Range = readonly [number, number];

interface BoardPins {
  readonly chip: string;
  readonly pins: readonly Range[];
  /** With what feeds it. */
  readonly flash: readonly Range[];
  readonly inputOnly: readonly Range[];
  /** Receive, transmit. */
  readonly reader: readonly [number, number];
  /** Transmit. */
  readonly log: number;
}

export const BOARD_PINS = Object.freeze({
  esp32: {
    chip: 'ESP32',
    pins: [
      [0, 19],
      [21, 23],
      [25, 27],
      [32, 39],
    ],
    flash: [[6, 11]],
    inputOnly: [[34, 39]],
    reader: [16, 17],
    log: 1,
  },
  esp32c3: { chip: 'ESP32-C3', pins: [[0, 21]], flash: [[11, 17]], inputOnly: [], reader: [4, 5], log: 21 },
  esp32s3: {
    chip: 'ESP32-S3',
    pins: [
      [0, 21],
      [26, 48],
    ],
    flash: [[26, 32]],
    inputOnly: [],
    reader: [18, 17],
    log: 43,
  },
} as const satisfies { readonly [board: string]: BoardPins });

export type Board = keyof typeof BOARD_PINS;
export const BOARDS = Object.freeze(Object.keys(BOARD_PINS)) as readonly Board[];

/** Why a device on this board cannot use a pin, or undefined. */
export function boardPinProblem(board: Board, pin: number, isOutput: boolean): string | undefined {
  const { chip, pins, flash, inputOnly, reader, log }: BoardPins = BOARD_PINS[board];
  const isIn = (ranges: readonly Range[]) => ranges.some(([first, last]) => pin >= first && pin <= last);
  if (!isIn(pins)) return `an ${chip} has no pin ${pin}`;
  if (isIn(flash)) return `pin ${pin} is for the flash of an ${chip}`;
  if (reader.includes(pin)) return `pin ${pin} is the reader’s line on an ${chip}`;
  if (pin === log) return `pin ${pin} is the log’s line on an ${chip}`;
  return isOutput && isIn(inputOnly) ? `pin ${pin} of an ${chip} is an input only` : undefined;
}
