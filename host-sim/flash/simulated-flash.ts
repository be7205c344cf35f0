// NOR flash as a device has it: programming clears bits of erased cells, erasing sets a block, blocks wear. Power can be
// cut at any program or erase: before it, in the middle of it, or right after it.

import { type Flash, FlashError } from '../../core/ports/ports.ts';
import { PowerCut } from './power-cut.ts';
import { ERASED, type Store } from './store.ts';

/** The sizes a part of flash works in, in bytes. */
export interface FlashGeometry {
  /** What one erase sets. */
  readonly blockSize: number;
  /** What programming is aligned to and takes multiples of. */
  readonly programSize: number;
}

/** The devices' flash, with encryption's alignment. */
export const DEVICE_GEOMETRY: FlashGeometry = Object.freeze({ blockSize: 4096, programSize: 16 });

/** When power goes relative to an operation: nothing of it lands, a part does, or all of it does. */
export type CutForm = 'before' | 'torn' | 'after';

/** How a simulated flash behaves. */
export interface SimulatedFlashOptions {
  readonly geometry?: FlashGeometry;
  /** Decides how much of a torn operation lands where no length is given. Default 1. */
  readonly seed?: number;
}

interface Cut {
  readonly form: CutForm;
  readonly landed: number | undefined;
}

/** See the head of the file. Operations are programs and erases, numbered from 0 over the life of the object. */
export class SimulatedFlash implements Flash {
  readonly size: number;
  readonly blockSize: number;
  readonly programSize: number;
  readonly #store: Store;
  /** One flag per byte: programmed since it was last erased. Contents alone would miss programmed 0xFF. */
  readonly #programmed: Uint8Array;
  readonly #wear: number[];
  readonly #cuts = new Map<number, Cut>();
  readonly #random: () => number;
  #operations = 0;
  #powered = true;

  /** @throws RangeError where the store does not hold whole blocks, or a block whole units */
  constructor(store: Store, options: SimulatedFlashOptions = {}) {
    const geometry = options.geometry ?? DEVICE_GEOMETRY;
    if (store.size % geometry.blockSize !== 0 || geometry.blockSize % geometry.programSize !== 0) {
      throw new RangeError(
        `${store.size} bytes are not whole blocks of ${geometry.blockSize}, or those not whole units`,
      );
    }
    this.size = store.size;
    this.blockSize = geometry.blockSize;
    this.programSize = geometry.programSize;
    this.#store = store;
    this.#programmed = new Uint8Array(store.size);
    this.#wear = new Array<number>(store.size / geometry.blockSize).fill(0);
    this.#random = seeded(options.seed ?? 1);
    this.#findProgrammed();
  }

  /** Programs and erases begun so far; the number the next one will have. */
  get operations(): number {
    return this.#operations;
  }

  /** False between a power cut and `restart`. */
  get powered(): boolean {
    return this.#powered;
  }

  /** Erases per block. */
  wear(): readonly number[] {
    return [...this.#wear];
  }

  /** A copy of all cells, taken from outside: it works without power. */
  contents(): Uint8Array {
    const bytes = new Uint8Array(this.size);
    this.#store.read(0, bytes);
    return bytes;
  }

  /**
   * Cuts the power at an operation. Cuts at several operations may be set at once.
   *
   * @param operation its number, not below `operations`
   * @param landed for `torn`: how many bytes of it land, from the front; left out, the seed decides
   */
  cutAt(operation: number, form: CutForm, landed?: number): void {
    if (!Number.isInteger(operation) || operation < this.#operations) {
      throw new RangeError(`operation ${operation} is not ahead; the next one is ${this.#operations}`);
    }
    this.#cuts.set(operation, { form, landed });
  }

  /** Brings the power back. What was on flash is what was on flash. */
  restart(): void {
    this.#powered = true;
  }

  read(offset: number, target: Uint8Array): void {
    this.#needPower();
    this.#needRange(offset, target.length);
    this.#store.read(offset, target);
  }

  program(offset: number, bytes: Uint8Array): void {
    this.#needPower();
    this.#needRange(offset, bytes.length);
    if (bytes.length === 0 || bytes.length % this.programSize !== 0 || offset % this.programSize !== 0) {
      throw new FlashError(`programming ${bytes.length} bytes at ${offset} is not in units of ${this.programSize}`);
    }
    const taken = this.#programmed.subarray(offset, offset + bytes.length).indexOf(1);
    if (taken >= 0) throw new FlashError(`the cell at ${offset + taken} is not erased`);
    this.#operate(bytes.length, (landed) => {
      // First the flags: after a write that fails nobody knows what landed.
      this.#programmed.fill(1, offset, offset + landed);
      this.#store.write(offset, bytes.subarray(0, landed));
    });
  }

  erase(offset: number): void {
    this.#needPower();
    this.#needRange(offset, this.blockSize);
    if (offset % this.blockSize !== 0) throw new FlashError(`no block begins at ${offset}`);
    const block = offset / this.blockSize;
    this.#operate(this.blockSize, (landed) => {
      this.#wear[block] += 1;
      this.#store.write(offset, new Uint8Array(landed).fill(ERASED));
      this.#programmed.fill(0, offset, offset + landed);
    });
  }

  /** Carries out one operation on `length` bytes, or what a cut leaves of it. */
  #operate(length: number, carryOut: (landed: number) => void): void {
    const number = this.#operations++;
    const cut = this.#cuts.get(number);
    this.#cuts.delete(number);
    const landed =
      cut === undefined || cut.form === 'after' ? length : cut.form === 'before' ? 0 : this.#tornAt(cut, length);
    if (landed > 0) carryOut(landed);
    if (cut === undefined) return;
    this.#powered = false;
    throw new PowerCut(`power cut at flash operation ${number} (${cut.form}), ${landed} of ${length} bytes landed`);
  }

  #tornAt(cut: Cut, length: number): number {
    if (cut.landed !== undefined) return Math.max(0, Math.min(length, cut.landed));
    return 1 + Math.floor(this.#random() * (length - 1));
  }

  #needPower(): void {
    if (!this.#powered) throw new PowerCut('the flash has no power');
  }

  #needRange(offset: number, length: number): void {
    if (!Number.isInteger(offset) || offset < 0 || offset + length > this.size) {
      throw new FlashError(`${length} bytes at ${offset} are not inside ${this.size}`);
    }
  }

  /** A store from an earlier run: whatever is not erased was programmed. */
  #findProgrammed(): void {
    const cells = this.contents();
    for (let i = 0; i < cells.length; i++) if (cells[i] !== ERASED) this.#programmed[i] = 1;
  }
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
