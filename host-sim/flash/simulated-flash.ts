// NOR flash as a device has it: programming clears bits of erased cells, erasing sets a block, blocks wear. Power can be
// cut at any program or erase, in every form of torn-forms.ts; what else can be wrong with it is in faults.ts.

import { type Flash, FlashError } from '../../core/ports/ports.ts';
import { type CellCoding, CIPHER_BLOCK, type ErasedReads, PlainCoding, ScrambledCoding } from './cell-coding.ts';
import { type CellStates, DenseCellStates } from './cell-states.ts';
import { FlashFaults } from './faults.ts';
import { PowerCut } from './power-cut.ts';
import { mix, SeededRandom } from './random.ts';
import { SparseStore, type Store } from './store.ts';
import { bitsProgrammed, describeForm, partErased, type TornForm } from './torn-forms.ts';

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

/** A program or an erase that is about to be carried out. */
export interface FlashOperation {
  /** Its number, as `cutAt` takes it. */
  readonly number: number;
  readonly kind: 'program' | 'erase';
  /** Where it begins, in bytes. */
  readonly offset: number;
  /** Bytes it programs, or those of the block. */
  readonly length: number;
  /** What it programs; valid during the call. */
  readonly bytes: Uint8Array | undefined;
}

/** How a simulated flash behaves. */
export interface SimulatedFlashOptions {
  /** Default DEVICE_GEOMETRY. With `scrambled` units are whole cipher blocks of 16 bytes. */
  readonly geometry?: FlashGeometry;
  /**
   * Decides how much of a torn operation lands where no length is given, what unstable bits read, which bits wear out or
   * flip, and with `scrambled` what erased cells read: a store has one seed for life then. Default 1.
   */
  readonly seed?: number;
  /** What erased cells read as. Default `ones`. */
  readonly erasedReads?: ErasedReads;
  /**
   * Hears of every operation before any of it is carried out, and before cuts and faults; it may call `snapshot`, `cutAt`
   * and `failAt`. What was refused as no operation (alignment, range, cells that are not erased) is not heard of.
   */
  readonly onOperation?: (operation: FlashOperation) => void;
}

/** What a flash was asked to do since it was made, or since the statistics were reset. */
export interface FlashStatistics {
  /** Programs begun, those that broke off or failed included; calls that were refused as no operation are not. */
  readonly programs: number;
  /** Erases begun, likewise. */
  readonly erases: number;
  /** Reads that gave something. */
  readonly reads: number;
  /** Bytes that were programmed, wholly or in part. */
  readonly bytesProgrammed: number;
  /** Bytes that reads gave. */
  readonly bytesRead: number;
}

/** A flash at one moment: cells, what is known of them, the number of the next operation. To be handed to `restore`. */
export interface FlashSnapshot {
  readonly cells: Uint8Array;
  readonly states: Uint8Array;
  readonly operations: number;
  readonly flipped: boolean;
  readonly random: readonly number[];
}

/** How an operation breaks off. */
interface Ending {
  readonly form: CutForm | TornForm;
  readonly landed: number | undefined;
}

/** See the head of the file. Operations are programs and erases, numbered from 0 over the life of the object. */
export class SimulatedFlash implements Flash {
  readonly size: number;
  readonly blockSize: number;
  readonly programSize: number;
  /** What is wrong with it besides power; nothing at first. */
  readonly faults: FlashFaults;
  readonly #store: Store;
  readonly #coding: CellCoding;
  readonly #states: CellStates;
  readonly #onOperation: SimulatedFlashOptions['onOperation'];
  readonly #cuts = new Map<number, Ending>();
  readonly #failures = new Map<number, Ending>();
  /** Lengths of torn operations, unstable bits, and places of bits that flip or wear out: they do not move each other. */
  readonly #tearing: SeededRandom;
  readonly #noise: SeededRandom;
  readonly #places: SeededRandom;
  #operations = 0;
  #powered = true;
  /** True once read-disturb has flipped a bit: cells that are erased may then not look so. */
  #flipped = false;
  #programs = 0;
  #erases = 0;
  #reads = 0;
  #bytesProgrammed = 0;
  #bytesRead = 0;

  /**
   * A flash over a store, which knows of an earlier one's cells what the store has kept beside them.
   *
   * @throws RangeError where the store does not hold whole blocks, or a block whole units; FlashError where the store fails
   */
  constructor(store: Store, options: SimulatedFlashOptions = {}) {
    const { blockSize, programSize } = options.geometry ?? DEVICE_GEOMETRY;
    if (!isMultiple(programSize, 1) || !isMultiple(blockSize, programSize) || !isMultiple(store.size, blockSize)) {
      throw new RangeError(`${store.size} bytes are not whole blocks of ${blockSize}, or those not whole units`);
    }
    const scrambled = options.erasedReads === 'scrambled';
    if (scrambled && !isMultiple(programSize, CIPHER_BLOCK)) {
      throw new RangeError(`units of ${programSize} bytes are not whole cipher blocks of ${CIPHER_BLOCK}`);
    }
    const seed = options.seed ?? 1;
    this.size = store.size;
    this.blockSize = blockSize;
    this.programSize = programSize;
    this.faults = new FlashFaults(store.size, blockSize);
    this.#store = store;
    this.#coding = scrambled ? new ScrambledCoding(store.size, seed) : new PlainCoding(blockSize);
    const isSparse = store instanceof SparseStore;
    this.#states = isSparse ? store.statesOf(blockSize) : new DenseCellStates(store, store.size / blockSize);
    this.#onOperation = options.onOperation;
    this.#tearing = new SeededRandom(seed);
    this.#noise = new SeededRandom(mix(seed, 1));
    this.#places = new SeededRandom(mix(seed, 2));
    // Whoever keeps a sparse store keeps what is known of its cells too.
    if (isSparse && !scrambled) return;
    const cells = this.#cellsOf(0, this.size);
    if (this.#coding.takeOver(cells, this.#states)) this.#store.write(0, cells);
  }

  /** Programs and erases begun so far; the number the next one will have. */
  get operations(): number {
    return this.#operations;
  }

  /** False between a power cut and `restart`. */
  get powered(): boolean {
    return this.#powered;
  }

  /** True where a bit is unstable, so that what reads one way now may read another way next. */
  get isUnstable(): boolean {
    return this.#states.anyWeak;
  }

  /** Erases per block over the life of the store, those that broke off after they had begun to land included. */
  wear(): readonly number[] {
    return [...this.#states.wear];
  }

  /** What was asked of it since the last `resetStatistics`. */
  statistics(): FlashStatistics {
    return {
      programs: this.#programs,
      erases: this.#erases,
      reads: this.#reads,
      bytesProgrammed: this.#bytesProgrammed,
      bytesRead: this.#bytesRead,
    };
  }

  /** Statistics begin at zero again. Wear stays. */
  resetStatistics(): void {
    this.#programs = 0;
    this.#erases = 0;
    this.#reads = 0;
    this.#bytesProgrammed = 0;
    this.#bytesRead = 0;
  }

  /**
   * A copy of all cells, taken from outside: it works without power and counts as no read. Stuck bits show in it; unstable
   * bits look erased.
   */
  contents(): Uint8Array {
    const cells = new Uint8Array(this.size);
    this.look(0, cells);
    return cells;
  }

  /** Fills `target` with what `contents` would give from `offset` on. Both are whole blocks. */
  look(offset: number, target: Uint8Array): void {
    this.#store.read(offset, target);
    if (this.faults.stuck.size > 0) this.#coding.disturb(offset, target, this.#states, this.faults.stuck, undefined);
  }

  /** The flash as it is now, faults and statistics apart. */
  snapshot(): FlashSnapshot {
    return {
      cells: this.#cellsOf(0, this.size),
      states: this.#states.copy(),
      operations: this.#operations,
      flipped: this.#flipped,
      random: [this.#tearing.state, this.#noise.state, this.#places.state],
    };
  }

  /**
   * Becomes what a flash of the same size, geometry, seed and reading of erased cells was, with power and without cuts or
   * failures to come. Faults and statistics stay its own.
   *
   * @throws RangeError where the snapshot is of another size or geometry
   */
  restore(snapshot: FlashSnapshot): void {
    if (snapshot.cells.length !== this.size || snapshot.states.length !== this.#states.byteLength) {
      throw new RangeError('the snapshot is of a flash of another size');
    }
    this.#store.write(0, snapshot.cells);
    this.#states.restore(snapshot.states);
    this.#operations = snapshot.operations;
    this.#flipped = snapshot.flipped;
    [this.#tearing, this.#noise, this.#places].forEach((random, i) => {
      random.state = snapshot.random[i] ?? 0;
    });
    this.#cuts.clear();
    this.#failures.clear();
    this.#powered = true;
  }

  /**
   * Cuts the power at an operation. Cuts at several operations may be set at once.
   *
   * @param operation its number, not below `operations`
   * @param form a form of `tornForms` or `tornErases`; or a name, where `torn` lands bytes from the front. A form that does
   *   not fit the operation makes it throw RangeError
   * @param landed for `torn`: how many bytes of it land; left out, the seed decides
   * @throws RangeError where the operation is not ahead
   */
  cutAt(operation: number, form: CutForm | TornForm, landed?: number): void {
    this.#needAhead(operation);
    this.#cuts.set(operation, { form, landed });
  }

  /**
   * Makes an operation throw FlashError, with that much of it landed; the power stays. Where a cut is set at the same
   * operation the power goes instead.
   *
   * @param form as for `cutAt`; default `before`: nothing lands
   * @throws RangeError where the operation is not ahead
   */
  failAt(operation: number, form: CutForm | TornForm = 'before', landed?: number): void {
    this.#needAhead(operation);
    this.#failures.set(operation, { form, landed });
  }

  /** Brings the power back. What was on flash is what was on flash. */
  restart(): void {
    this.#powered = true;
  }

  read(offset: number, target: Uint8Array): void {
    this.#needPower();
    this.#needRange(offset, target.length);
    const { faults } = this;
    if (faults.onRead || this.#isWeak(offset, target.length)) this.#readDisturbed(offset, target);
    else this.#store.read(offset, target);
    this.#reads++;
    this.#bytesRead += target.length;
  }

  program(offset: number, bytes: Uint8Array): void {
    const { length } = bytes;
    this.#needPower();
    this.#needRange(offset, length);
    if (length === 0 || length % this.programSize !== 0 || offset % this.programSize !== 0) {
      throw new FlashError(`programming ${length} bytes at ${offset} is not in units of ${this.programSize}`);
    }
    const cell = this.#states.firstProgrammed(offset, length);
    if (cell >= 0) throw new FlashError(`the cell at ${cell} is not erased`);
    const number = this.#begin('program', offset, length, bytes);
    this.#programs++;
    const refusal = this.faults.refusal(offset, length, undefined);
    const ending = this.#endingOf(number);
    if (refusal !== undefined) this.#refuse(number, refusal);
    if (ending === undefined && !this.#flipped && !this.#states.anyWeak) {
      this.#bytesProgrammed += length;
      // First the flags: after a write that fails nobody knows what landed. In the store the cells are first, so that a
      // process that is killed in between leaves nothing that looks erased and is not.
      this.#states.mark(offset, length, true);
      this.#store.write(offset, bytes);
      this.#states.save(offset, length);
      return;
    }
    const form = ending === undefined ? WHOLE : this.#formOf(ending, 'program', length);
    const landed = this.#programBits(offset, bytes, bitsProgrammed(form, bytes, this.programSize));
    if (ending !== undefined) this.#end(number, form, landed, length);
  }

  erase(offset: number): void {
    const length = this.blockSize;
    this.#needPower();
    this.#needRange(offset, length);
    if (offset % length !== 0) throw new FlashError(`no block begins at ${offset}`);
    const before = this.#states.wear[offset / length];
    const number = this.#begin('erase', offset, length, undefined);
    this.#erases++;
    const refusal = this.faults.refusal(offset, length, before);
    const ending = this.#endingOf(number);
    if (refusal !== undefined) this.#refuse(number, refusal);
    const form = ending === undefined ? WHOLE : this.#formOf(ending, 'erase', length);
    const { from, to, weak } = partErased(form, length);
    if (to > from) {
      this.#states.wear[offset / length] = before + 1;
      if (to - from === length && weak === undefined) this.#eraseBlock(offset, before);
      else this.#erasePart(offset, from, to, weak);
      this.#states.saveWorn();
    }
    if (ending !== undefined) this.#end(number, form, to - from, length);
  }

  /** Numbers an operation, and lets it be heard of. */
  #begin(kind: FlashOperation['kind'], offset: number, length: number, bytes: Uint8Array | undefined): number {
    const number = this.#operations;
    this.#onOperation?.({ number, kind, offset, length, bytes });
    this.#operations = number + 1;
    return number;
  }

  #endingOf(number: number): Ending | undefined {
    if (this.#cuts.size === 0 && this.#failures.size === 0) return undefined;
    return this.#cuts.get(number) ?? this.#failures.get(number);
  }

  /** A fault keeps the operation from landing; where the power goes at it, that is what the caller gets to see. */
  #refuse(number: number, refusal: FlashError): never {
    if (this.#cuts.has(number)) this.#end(number, { kind: 'before' }, 0, 0);
    this.#failures.delete(number);
    throw refusal;
  }

  #end(number: number, form: TornForm, landed: number, length: number): never {
    const where = `flash operation ${number} (${describeForm(form)}), ${landed} of ${length} bytes landed`;
    this.#failures.delete(number);
    if (!this.#cuts.delete(number)) throw new FlashError(`write failure at ${where}`);
    this.#powered = false;
    throw new PowerCut(`power cut at ${where}`);
  }

  #formOf({ form, landed }: Ending, kind: FlashOperation['kind'], length: number): TornForm {
    if (typeof form !== 'string') return form;
    if (form !== 'torn') return { kind: form };
    const count =
      landed === undefined ? 1 + this.#tearing.below(length - 1) : Math.max(0, Math.min(length, Math.floor(landed)));
    return kind === 'program' ? { kind: 'prefix', landed: count } : { kind: 'part', end: 'front', erased: count };
  }

  /** Programs those bits. Returns how many cells they are in. */
  #programBits(offset: number, bytes: Uint8Array, landed: Uint8Array): number {
    const count = landed.reduce((sum, bits) => sum + (bits === 0 ? 0 : 1), 0);
    if (count === 0) return 0;
    this.#bytesProgrammed += count;
    const cells = this.#cellsOf(offset, bytes.length);
    this.#coding.program(offset, cells, bytes, landed, this.#states);
    this.#store.write(offset, cells);
    this.#states.save(offset, bytes.length);
    if (!this.#states.anyWeak) return count;
    this.#states.saveWorn();
    this.#states.findWeak();
    return count;
  }

  #eraseBlock(offset: number, erasesBefore: number): void {
    // In the store the flags are first: what still looks programmed then counts so.
    this.#states.clear(offset, this.blockSize);
    try {
      this.#store.write(offset, this.#coding.erased(offset, this.blockSize));
    } catch (error) {
      // Nobody knows what landed; only another erase makes the block one to program.
      this.#states.mark(offset, this.blockSize, true);
      throw error;
    }
    const block = offset / this.blockSize;
    this.faults.erased(block, erasesBefore, () => this.#places.below(this.blockSize * 8));
  }

  #erasePart(offset: number, from: number, to: number, weak: Uint8Array | undefined): void {
    const { unit } = this.#coding;
    const states = this.#states;
    const cells = this.#cellsOf(offset, this.blockSize);
    const torn = [from, to].filter((edge) => edge % unit !== 0).map((edge) => edge - (edge % unit));
    cells.set(this.#coding.erased(offset + from, to - from), from);
    states.mark(offset + from, to - from, false);
    for (const at of torn) this.#coding.spoil(offset, cells, at, states);
    this.#store.write(offset, cells);
    for (let i = from; i < to; i++) {
      const bits = weak?.[i - from] ?? 0;
      if (bits !== 0) states.setWeak(offset + i, states.weakBits(offset + i) | bits);
    }
    states.findWeak();
    states.save(offset, this.blockSize);
  }

  /** True where a bit of what is read is unstable. */
  #isWeak(offset: number, length: number): boolean {
    if (!this.#states.anyWeak) return false;
    const { unit } = this.#coding;
    const end = Math.ceil((offset + length) / unit) * unit;
    for (let cell = offset - (offset % unit); cell < end; cell++) if (this.#states.weakBits(cell) !== 0) return true;
    return false;
  }

  #readDisturbed(offset: number, target: Uint8Array): void {
    const { faults } = this;
    if (faults.readsFail) throw new FlashError('the flash cannot be read');
    const { unit } = this.#coding;
    const from = offset - (offset % unit);
    const cells = this.#cellsOf(from, Math.ceil((offset + target.length) / unit) * unit - from);
    this.#coding.disturb(from, cells, this.#states, faults.stuck, this.#noise);
    target.set(cells.subarray(offset - from, offset - from + target.length));
    faults.wasRead(offset, target.length, (block) => this.#flip(block));
  }

  /** Read-disturb: one bit of the block is another from now on. */
  #flip(block: number): void {
    const offset = block * this.blockSize;
    const bit = this.#places.below(this.blockSize * 8);
    const cells = this.#cellsOf(offset, this.blockSize);
    this.#coding.flip(offset, cells, bit >> 3, bit & 7);
    this.#store.write(offset, cells);
    this.#flipped = true;
  }

  #cellsOf(offset: number, length: number): Uint8Array {
    const cells = new Uint8Array(length);
    this.#store.read(offset, cells);
    return cells;
  }

  #needPower(): void {
    if (!this.#powered) throw new PowerCut('the flash has no power');
  }

  #needRange(offset: number, length: number): void {
    if (!Number.isInteger(offset) || offset < 0 || offset + length > this.size) {
      throw new FlashError(`${length} bytes at ${offset} are not inside ${this.size}`);
    }
  }

  #needAhead(operation: number): void {
    if (!Number.isInteger(operation) || operation < this.#operations) {
      throw new RangeError(`operation ${operation} is not ahead; the next one is ${this.#operations}`);
    }
  }
}

const WHOLE: TornForm = Object.freeze({ kind: 'after' });

function isMultiple(value: number, of: number): boolean {
  return Number.isInteger(value) && value > 0 && of > 0 && value % of === 0;
}
