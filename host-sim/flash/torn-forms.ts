// What a program or an erase can leave behind when it is broken off, as values: which forms there are, the lists that a
// power-cut harness walks, and which bits each form lands.

import { mix, SeededRandom } from './random.ts';

/** Nothing of the operation lands, or all of it does and only its return is lost. */
export type WholeForm = { readonly kind: 'before' } | { readonly kind: 'after' };

/** The ways a program breaks off. Cells outside the programmed range never change. */
export type TornProgram =
  | WholeForm
  /** The first `landed` bytes are programmed, the rest is as erased as before. */
  | { readonly kind: 'prefix'; readonly landed: number }
  /**
   * The first `units` units of programSize bytes are programmed, of the next one some bits are. Of the bits that are to
   * be cleared at least one is and, where there are several, at least one is not; `seed` chooses.
   */
  | { readonly kind: 'bits'; readonly units: number; readonly seed: number };

/** The end of a block that an erase reached: `front` is that of the lower addresses. */
export type BlockEnd = 'front' | 'back';

/** The ways an erase breaks off. Cells of other blocks never change. */
export type TornErase =
  | WholeForm
  /** `erased` bytes at one end are erased, the rest is old. */
  | { readonly kind: 'part'; readonly end: BlockEnd; readonly erased: number }
  /**
   * `erased` bytes at one end look erased but have unstable bits, which read as 0 or 1, anew at every read, until an
   * erase of the block is carried out whole. The rest is old. `seed` chooses the bits and, by its remainder of 3, how many:
   * 0, a bit in one cell of 64 (one at least); 1, a bit in every fourth cell; 2, several bits in every cell.
   */
  | { readonly kind: 'unstable'; readonly end: BlockEnd; readonly erased: number; readonly seed: number };

/** How an operation breaks off. */
export type TornForm = TornProgram | TornErase;

/** How much of the possible forms a list takes in. */
export interface TornFormOptions {
  /**
   * Units of a program whose boundaries are tried: all of them, or at most this many (2 or more), evenly spread with the
   * first and the last among them. Default 'all'.
   */
  readonly units?: 'all' | number;
  /** How often each form that has a seed is listed, with seeds from 0 on. Default 2 for `bits`, 3 for `unstable`. */
  readonly seeds?: number;
}

/**
 * Every torn form of a program of `length` bytes, without doubles, in this order:
 *
 * 1. `before`
 * 2. `prefix`, by length: one byte of the first unit; every unit boundary (or as `units` says); one byte of the last
 *    unit; all but the last byte
 * 3. `bits` in every unit (or as `units` says), each with every seed
 * 4. `after`
 *
 * With 8 units of 16 bytes and 2 seeds these are 28.
 *
 * @param length bytes, a multiple of `programSize`, more than 0
 * @param programSize bytes in a unit
 * @throws RangeError where the numbers are no such numbers
 */
export function tornForms(length: number, programSize: number, options: TornFormOptions = {}): readonly TornProgram[] {
  const count = length / programSize;
  if (!(Number.isInteger(count) && count > 0 && Number.isInteger(programSize) && programSize > 0)) {
    throw new RangeError(`${length} bytes are not whole units of ${programSize}`);
  }
  const units = chosen(count, options.units ?? 'all');
  const prefixes = new Set([1, ...units.map((unit) => unit * programSize), length - programSize + 1, length - 1]);
  return [
    { kind: 'before' },
    ...[...prefixes]
      .filter((landed) => landed > 0 && landed < length)
      .sort((a, b) => a - b)
      .map((landed): TornProgram => ({ kind: 'prefix', landed })),
    ...units.flatMap((unit) =>
      seedsUpTo(options.seeds ?? 2).map((seed): TornProgram => ({ kind: 'bits', units: unit, seed })),
    ),
    { kind: 'after' },
  ];
}

/**
 * Every torn form of an erase, without doubles, in this order:
 *
 * 1. `before`
 * 2. `part`: from the front, then from the back: one unit; half of the block; all but one unit
 * 3. `unstable`: the whole block; its front half; its back half; each with every seed
 * 4. `after`
 *
 * With 3 seeds these are 17.
 *
 * @param blockSize bytes in a block
 * @param programSize bytes in a unit
 * @throws RangeError where the block does not hold two or more whole units
 */
export function tornErases(
  blockSize: number,
  programSize: number,
  options: Pick<TornFormOptions, 'seeds'> = {},
): readonly TornErase[] {
  const count = blockSize / programSize;
  if (!(Number.isInteger(count) && count > 1)) {
    throw new RangeError(`a block of ${blockSize} bytes is not two or more units of ${programSize}`);
  }
  const half = Math.floor(count / 2) * programSize;
  const parts = [...new Set([programSize, half, blockSize - programSize])];
  const ends: readonly BlockEnd[] = ['front', 'back'];
  const unstable: readonly (readonly [BlockEnd, number])[] = [
    ['front', blockSize],
    ['front', half],
    ['back', half],
  ];
  return [
    { kind: 'before' },
    ...ends.flatMap((end) => parts.map((erased): TornErase => ({ kind: 'part', end, erased }))),
    ...unstable.flatMap(([end, erased]) =>
      seedsUpTo(options.seeds ?? 3).map((seed): TornErase => ({ kind: 'unstable', end, erased, seed })),
    ),
    { kind: 'after' },
  ];
}

/** A form in a few words, for a harness to print: `prefix 17`, `bits of unit 3, seed 1`, `front 2048 unstable, seed 0`. */
export function describeForm(form: TornForm): string {
  switch (form.kind) {
    case 'prefix':
      return `prefix ${form.landed}`;
    case 'bits':
      return `bits of unit ${form.units}, seed ${form.seed}`;
    case 'part':
      return `${form.end} ${form.erased} erased`;
    case 'unstable':
      return `${form.end} ${form.erased} unstable, seed ${form.seed}`;
    default:
      return form.kind;
  }
}

/**
 * Which bits of a program land, byte by byte: 0xFF all, 0 none.
 *
 * @throws RangeError where the form is none of a program, or reaches beyond it
 */
export function bitsProgrammed(form: TornForm, bytes: Uint8Array, programSize: number): Uint8Array {
  const landed = new Uint8Array(bytes.length);
  switch (form.kind) {
    case 'before':
      return landed;
    case 'after':
      return landed.fill(0xff);
    case 'prefix':
      needCount(form.landed, bytes.length, form);
      return landed.fill(0xff, 0, form.landed);
    case 'bits': {
      needCount(form.units, bytes.length / programSize - 1, form);
      const from = form.units * programSize;
      landed.fill(0xff, 0, from);
      const unit = bytes.subarray(from, from + programSize);
      landed.set(someBits(unit, new SeededRandom(mix(form.seed, form.units))), from);
      return landed;
    }
    default:
      throw new RangeError(`${describeForm(form)} is no form of a program`);
  }
}

/** What is left of an erase: which bytes of the block are erased, and which of their bits are unstable. */
export interface ErasedPart {
  /** Bytes from the block's beginning. */
  readonly from: number;
  readonly to: number;
  /** For each byte of the part the bits that are unstable; undefined where all are sound. */
  readonly weak: Uint8Array | undefined;
}

/** @throws RangeError where the form is none of an erase, or reaches beyond the block */
export function partErased(form: TornForm, blockSize: number): ErasedPart {
  switch (form.kind) {
    case 'before':
      return { from: 0, to: 0, weak: undefined };
    case 'after':
      return { from: 0, to: blockSize, weak: undefined };
    case 'part':
    case 'unstable': {
      needCount(form.erased, blockSize, form);
      const from = form.end === 'front' ? 0 : blockSize - form.erased;
      return {
        from,
        to: from + form.erased,
        weak: form.kind === 'part' ? undefined : weakBits(form.erased, form.seed),
      };
    }
    default:
      throw new RangeError(`${describeForm(form)} is no form of an erase`);
  }
}

/** At least one of the bits to be cleared, and not all of several. Bytes of ones have no bit to clear and never land whole. */
function someBits(unit: Uint8Array, random: SeededRandom): Uint8Array {
  const landed = unit.map((byte) => random.below(256) & (byte === 0xff ? 0x7f : 0xff));
  const toClear: number[] = [];
  for (let i = 0; i < unit.length * 8; i++) if (!bitAt(unit, i)) toClear.push(i);
  if (toClear.length === 0) {
    landed[random.below(unit.length)] |= 1;
    return landed;
  }
  const cleared = toClear.filter((i) => bitAt(landed, i)).length;
  const one = toClear[random.below(toClear.length)] ?? 0;
  if (cleared === 0) landed[one >> 3] |= 1 << (one & 7);
  else if (cleared === toClear.length && cleared > 1) landed[one >> 3] &= ~(1 << (one & 7));
  return landed;
}

function bitAt(bytes: Uint8Array, index: number): boolean {
  return (((bytes[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

function weakBits(length: number, seed: number): Uint8Array {
  const random = new SeededRandom(mix(seed, length));
  const weak = new Uint8Array(length);
  const oneBit = () => 1 << random.below(8);
  if (seed % 3 === 2) return weak.map(() => random.below(256) | oneBit());
  const every = seed % 3 === 1 ? 4 : 64;
  for (let i = random.below(Math.min(every, length)); i < length; i += every) weak[i] = oneBit();
  return weak;
}

function chosen(count: number, units: 'all' | number): readonly number[] {
  if (units !== 'all' && !(Number.isInteger(units) && units >= 2))
    throw new RangeError(`${units} units cannot be chosen`);
  const taken = units === 'all' ? count : Math.min(units, count);
  if (taken === 1) return [0];
  return Array.from({ length: taken }, (_, i) => Math.round((i * (count - 1)) / (taken - 1)));
}

function seedsUpTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, seed) => seed);
}

function needCount(count: number, most: number, form: TornForm): void {
  if (!Number.isInteger(count) || count < 0 || count > most) {
    throw new RangeError(`${describeForm(form)} reaches beyond the operation`);
  }
}
