// The log of records: order and numbers, blocks made ready and given up, restarts and cuts at every point, and what is
// missing is said to be missing.

import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNIT } from '../../../core/encoding/flash-header.ts';
import { readU32 } from '../../../core/encoding/little-endian.ts';
import {
  BlockLog,
  COPY,
  FIRST_KIND,
  type LogDamage,
  LogError,
  type LogLayout,
} from '../../../core/ledger/block-log.ts';
import { type Flash, FlashError } from '../../../core/ports/ports.ts';
import type { ErasedReads } from '../../../host-sim/flash/cell-coding.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { type TornForm, tornErases, tornForms } from '../../../host-sim/flash/torn-forms.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';

const LAYOUT = { store: 9, format: 7, longest: 4 };
/** Six blocks of 16 units: 2 for the header, 12 for records, 2 kept for the record that gives up a block. */
const BLOCK = 256;
const SIZE = 6 * BLOCK;
const UNITS = BLOCK / UNIT;
const HEADER = 32;
const GIVE_UP = 1;

/** A record as tests look at it. */
interface Item {
  readonly number: number;
  readonly kind: number;
  readonly copy: boolean;
  readonly text: string;
}

interface Opened {
  readonly log: BlockLog;
  readonly items: readonly Item[];
  readonly damage: readonly LogDamage[];
}

function plain(): MemoryFlash {
  return new MemoryFlash({ size: SIZE, blockSize: BLOCK });
}

function fresh(flash: Flash, layout: LogLayout = LAYOUT): BlockLog {
  const log = new BlockLog(flash, layout);
  log.format();
  return log;
}

function open(flash: Flash, layout: LogLayout = LAYOUT): Opened {
  const log = new BlockLog(flash, layout);
  const items: Item[] = [];
  const damage = log.open(({ number, kind, flags }, bytes) =>
    items.push({ number, kind, copy: (flags & COPY) !== 0, text: kind === GIVE_UP ? '' : textOf(bytes) }),
  );
  return { log, items, damage };
}

/** A record with a text of up to three characters in each unit. */
function append(log: BlockLog, text: string, { units = 1, copy = false } = {}): number {
  const bytes = new Uint8Array(units * UNIT);
  for (let i = 0; i < text.length; i++) bytes[12 + i] = text.charCodeAt(i);
  bytes[bytes.length - 1] = 0x5a;
  return log.append(FIRST_KIND, copy ? COPY : 0, bytes);
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(12, 15)).replaceAll('\0', '');
}

function giveUp(log: BlockLog): void {
  log.giveUpTail(new Uint8Array(UNIT));
}

/** Appends records of four units, three of which fill a block, and prepares blocks as they are needed. */
function fill(log: BlockLog, names: string): void {
  for (const name of names) {
    if (!log.hasRoom(4)) expect(log.prepare()).toBe(true);
    append(log, name, { units: 4 });
  }
}

const texts = ({ items }: Opened) => items.map((item) => item.text).join('');
const flip = (flash: MemoryFlash, at: number, bit = 0) => {
  flash.cells[at] = (flash.cells[at] as number) ^ (1 << bit);
};
describe('a partition', () => {
  it.each([
    ['of fewer than four blocks', { size: 3 * BLOCK, blockSize: BLOCK }],
    ['of blocks without room for the longest record', { size: 16 * 112, blockSize: 112 }],
    ['of blocks that cut units', { size: 8 * 248, blockSize: 248 }],
    ['that cuts a block', { size: SIZE + 16, blockSize: BLOCK }],
    ['with program units that records do not fill', { size: SIZE, blockSize: BLOCK, programSize: 32 }],
  ])('%s is refused', (_, geometry) => {
    expect(() => new BlockLog(new MemoryFlash(geometry), LAYOUT)).toThrow(LogError);
  });

  it('without a log, or with one of another kind or format, is refused', () => {
    expect(() => open(plain())).toThrow('holds no log');
    for (const [change, message] of [
      [{ store: 8 }, 'something else'],
      [{ format: 6 }, 'format 6, this firmware reads 7'],
    ] as const) {
      const flash = plain();
      new BlockLog(flash, { ...LAYOUT, ...change }).format();
      expect(() => open(flash)).toThrow(message);
    }
  });

  it('is blank while all of it but the first header reads 0xFF', () => {
    const flash = plain();
    const log = new BlockLog(flash, LAYOUT);
    expect(log.isBlank()).toBe(true);
    flash.cells.fill(0, 0, HEADER);
    expect(log.isBlank()).toBe(true);
    for (const at of [HEADER, BLOCK, SIZE - 1]) {
      flash.cells[at] = 0x7f;
      expect(log.isBlank(), `${at}`).toBe(false);
      flash.cells[at] = 0xff;
    }
  });
});

describe('records', () => {
  it('come back in order, numbered from 1', () => {
    const flash = plain();
    fill(fresh(flash), 'abcdefgh');
    expect(open(flash)).toMatchObject({
      items: [...'abcdefgh'].map((text, i) => ({ number: i + 1, text })),
      damage: [],
    });
  });

  it('cost one program each, and a block one erase and one program', () => {
    const flash = plain();
    const log = fresh(flash);
    const before = { ...flash.done };
    append(log, 'a');
    expect(flash.done).toMatchObject({ program: before.program + 1, erase: before.erase });
    log.prepare();
    expect(flash.done).toMatchObject({ program: before.program + 2, erase: before.erase + 1 });
  });

  it('go to the block that was prepared when the open one is full, and nowhere without one', () => {
    const log = fresh(plain());
    fill(log, 'abc');
    expect([log.fits(1), log.hasRoom(1)]).toEqual([false, false]);
    expect(() => append(log, 'd')).toThrow(LogError);
    log.prepare();
    expect([log.fits(1), log.hasRoom(4), log.isPrepared]).toEqual([false, true, true]);
    expect(Math.floor(append(log, 'd') / UNITS)).not.toBe(0);
    expect([log.fits(4), log.isPrepared, log.used, log.spare]).toEqual([true, false, 2, 4]);
  });

  it('are read by their address, and one that a bit has turned in is not', () => {
    const flash = plain();
    const log = fresh(flash);
    append(log, 'a', { units: 2 });
    const at = append(log, 'b', { units: 3 });
    expect(textOf(log.read(at))).toBe('b');
    for (let bit = 0; bit < 3 * UNIT * 8; bit++) {
      flip(flash, at * UNIT + (bit >> 3), bit & 7);
      expect(() => log.read(at), `bit ${bit}`).toThrow(FlashError);
      flip(flash, at * UNIT + (bit >> 3), bit & 7);
    }
  });

  it('that read back otherwise than they were written are a failure', () => {
    const flash = plain();
    const log = fresh(flash);
    flash.program = (at, bytes) => {
      flash.cells.set(bytes, at);
      flip(flash, at + 3);
    };
    expect(() => append(log, 'a')).toThrow('reads back differently');
  });

  it('after a restart go to a new block', () => {
    const flash = plain();
    append(fresh(flash), 'a');
    const { log } = open(flash);
    expect(log.hasRoom(1)).toBe(false);
    log.prepare();
    expect(Math.floor(append(log, 'b') / UNITS)).not.toBe(0);
    expect(texts(open(flash))).toBe('ab');
  });
});

describe('giving up the oldest block', () => {
  it('takes its records out of the log, and nothing else', () => {
    const flash = plain();
    const log = fresh(flash);
    fill(log, 'abcdef');
    giveUp(log);
    expect([log.used, log.spare]).toEqual([1, 5]);
    expect(texts(open(flash))).toBe('def');
    expect(open(flash).damage).toEqual([]);
  });

  it('always has room in the block that is full', () => {
    const flash = plain();
    const log = fresh(flash);
    fill(log, 'abcdef');
    expect(log.fits(1)).toBe(false);
    const before = log.spare;
    giveUp(log);
    expect(log.spare).toBe(before + 1);
  });

  it('is refused for the only block', () => {
    expect(() => giveUp(fresh(plain()))).toThrow(LogError);
  });

  it('erases nothing: that comes when the block is made ready again', () => {
    const flash = plain();
    const log = fresh(flash);
    fill(log, 'abcdef');
    const before = { ...flash.done };
    giveUp(log);
    expect(flash.done).toMatchObject({ erase: before.erase, program: before.program + 1 });
  });

  it('visits its records in pieces, while others are appended', () => {
    const flash = plain();
    const log = fresh(flash);
    fill(log, 'abc');
    log.prepare();
    const seen: string[] = [];
    let from: number | undefined = 0;
    for (let pieces = 0; from !== undefined; pieces++) {
      expect(pieces).toBeLessThan(4);
      from = log.visitTail(from, 1, (_, bytes) => {
        seen.push(textOf(bytes));
        append(log, seen.join('').toUpperCase(), { copy: true });
      });
    }
    giveUp(log);
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(texts(open(flash))).toBe('AABABC');
  });

  it('is refused where a record of it has become unreadable since the start', () => {
    for (let record = 0; record < 3; record++) {
      const flash = plain();
      const log = fresh(flash);
      fill(log, 'abcdef');
      flip(flash, HEADER + record * 4 * UNIT + 20);
      const pieces = () => {
        for (let from: number | undefined = 0; from !== undefined; ) from = log.visitTail(from, 2, () => {});
      };
      expect(pieces, `record ${record}`).toThrow('is damaged');
    }
  });
});

describe('blocks', () => {
  it('go around, and all wear alike', () => {
    const flash = plain();
    const log = fresh(flash);
    for (let i = 0; i < 600; i++) {
      fill(log, 'x');
      if (log.used > 2) giveUp(log);
    }
    expect(Math.max(...log.wear) - Math.min(...log.wear)).toBeLessThanOrEqual(1);
    expect(open(flash).log.wear).toEqual(log.wear);
  });

  it('that cannot be erased or written are passed over, until none is left', () => {
    const flash = plain();
    const log = fresh(flash);
    fill(log, 'abc');
    const erase = flash.erase.bind(flash);
    flash.erase = (offset) => {
      if (offset !== 4 * BLOCK) throw new FlashError('worn out');
      erase(offset);
    };
    expect(log.prepare()).toBe(true);
    expect(Math.floor(append(log, 'd') / UNITS)).toBe(4);
    expect(() => log.prepare()).toThrow('worn out');
    expect([log.spare, log.prepare()]).toEqual([0, false]);
  });

  it('are written to only under their own sequence number: a record of an earlier life is none', () => {
    const flash = plain();
    const log = fresh(flash);
    fill(log, 'abc');
    const old = flash.cells.slice(HEADER, BLOCK);
    fill(log, 'def');
    giveUp(log);
    while (flash.done.erase < 20) {
      fill(log, 'x');
      if (log.used > 2) giveUp(log);
    }
    // Every spare block gets back what block 0 once had, as if its erase had left it there.
    const { items } = open(flash);
    for (let block = 0; block < 6; block++) {
      if (flash.cells[block * BLOCK + HEADER] !== 0xff) continue;
      flash.cells.set(old, block * BLOCK + HEADER);
    }
    flash.cells.set(old, 0 * BLOCK + HEADER);
    const later = open(flash);
    expect(later.items.filter((item) => 'abc'.includes(item.text || '?'))).toEqual([]);
    expect(items.length).toBeGreaterThan(0);
  });

  it('of an earlier log are not read after the partition was formatted', () => {
    const flash = plain();
    const log = fresh(flash);
    fill(log, 'abcdefghi');
    append(fresh(flash), 'n');
    expect(open(flash)).toMatchObject({ items: [{ number: 1, text: 'n' }], damage: [] });
  });

  it('that a start has left out are not erased while there are others, and then the newest first', () => {
    const flash = plain();
    fill(fresh(flash), 'abc');
    const erased: number[] = [];
    const erase = flash.erase.bind(flash);
    flash.erase = (offset) => {
      erased.push(offset / BLOCK);
      erase(offset);
    };
    for (let i = 0; i < 8; i++) open(flash).log.prepare();
    expect(erased).toEqual([1, 2, 3, 4, 5, 5, 5, 5]);
    // With a record behind the newest header the others are spare as any.
    const { log } = open(flash);
    log.prepare();
    append(log, 'd');
    log.prepare();
    expect(erased.slice(8)).toEqual([5, 1]);
  });
});

describe('a restart', () => {
  it('drops newest blocks with nothing but copies, and only those', () => {
    const flash = plain();
    let log = fresh(flash);
    fill(log, 'abc');
    log.prepare();
    append(log, 'A', { copy: true });
    append(log, 'B', { copy: true });
    let later = open(flash);
    expect([texts(later), later.log.nextNumber]).toEqual(['abc', 4]);
    log = later.log;
    log.prepare();
    append(log, 'A', { copy: true });
    append(log, 'd');
    later = open(flash);
    expect([texts(later), later.log.nextNumber]).toEqual(['abcAd', 6]);
    later.log.prepare();
    append(later.log, 'B', { copy: true });
    expect(texts(open(flash))).toBe('abcAd');
  });

  it('keeps a block of copies once the block they are from was given up', () => {
    const flash = plain();
    const log = fresh(flash);
    fill(log, 'abc');
    log.prepare();
    append(log, 'A', { copy: true });
    giveUp(log);
    expect(open(flash)).toMatchObject({ damage: [], items: [{ text: 'A', copy: true }, { kind: GIVE_UP }] });
  });

  it('keeps a block of copies before one that is kept', () => {
    const flash = plain();
    const log = fresh(flash);
    fill(log, 'abc');
    log.prepare();
    for (const name of 'ABC') append(log, name, { units: 4, copy: true });
    log.prepare();
    append(log, 'd');
    expect(texts(open(flash))).toBe('abcABCd');
  });

  it('finds what give-up records say wherever they stand, also in front of a block that was prepared before', () => {
    const flash = plain();
    const log = fresh(flash);
    fill(log, 'abcd');
    log.prepare();
    giveUp(log);
    fill(log, 'efgh');
    expect(texts(open(flash))).toBe('defgh');
    expect(open(flash).damage).toEqual([]);
  });

  it('may be broken off while blocks that it left out are made ready: none of them is missed', () => {
    for (const used of [1, 4]) {
      for (let after = 0; after < 6; after++) {
        const flash = plain();
        let log = fresh(flash);
        for (let i = 0; i < used; i++) fill(log, 'abc');
        const whole = texts(open(flash));
        log.prepare();
        append(log, 'A', { copy: true });
        log.prepare();
        // Each time the block is erased, and its header is not written.
        for (let i = 0; i <= after; i++) {
          log = open(flash).log;
          const program = flash.program.bind(flash);
          flash.program = () => {
            throw new PowerCut();
          };
          expect(() => log.prepare()).toThrow(PowerCut);
          flash.program = program;
          const later = open(flash);
          expect([texts(later), later.damage], `${used} blocks, cut ${i}`).toEqual([whole, []]);
        }
      }
    }
  });

  it('any number of times leaves the log as it was', () => {
    const flash = plain();
    fill(fresh(flash), 'abcd');
    for (let i = 0; i < 20; i++) {
      const { log } = open(flash);
      log.prepare();
      expect(texts(open(flash))).toBe('abcd');
    }
  });
});

describe('a header torn at any byte', () => {
  it('of the block that is made ready changes nothing', () => {
    for (let keep = 0; keep <= HEADER; keep++) {
      const flash = plain();
      const log = fresh(flash);
      fill(log, 'abc');
      flash.fail('program', 0, keep);
      expect(() => log.prepare()).toThrow(FlashError);
      flash.recover();
      const later = open(flash);
      expect([texts(later), later.damage], `${keep} bytes`).toEqual(['abc', []]);
      fill(later.log, 'd');
      expect(texts(open(flash))).toBe('abcd');
    }
  });

  it('of the first block leaves no log, or an empty one', () => {
    for (let keep = 0; keep <= HEADER; keep++) {
      const flash = plain();
      flash.fail('program', 0, keep);
      expect(() => fresh(flash)).toThrow(FlashError);
      flash.recover();
      // A CRC that ends in 0xFF is there before it is written; a header that is there is one of an empty log.
      if (keep !== HEADER - 1) expect(new BlockLog(flash, LAYOUT).isBlank()).toBe(keep < HEADER);
      if (keep < HEADER - 1) expect(() => open(flash), `${keep} bytes`).toThrow(LogError);
      else if (keep === HEADER) expect(open(flash)).toMatchObject({ items: [], damage: [] });
    }
  });
});

describe('formatting that is broken off', () => {
  it('leaves no half of a log, whichever block it comes to', () => {
    for (let erased = 0; erased <= 6; erased++) {
      const flash = plain();
      const log = fresh(flash);
      for (let i = 0; i < 10; i++) {
        fill(log, 'xyz');
        if (log.used > 3) giveUp(log);
      }
      log.prepare();
      const before = open(flash).items;
      if (erased < 6) flash.fail('erase', erased);
      else flash.fail('program');
      expect(() => new BlockLog(flash, LAYOUT).format()).toThrow(FlashError);
      flash.recover();
      try {
        const { items, damage } = open(flash);
        if (damage.length === 0) expect(items, `${erased} blocks`).toEqual(before);
      } catch (error) {
        expect(error).toBeInstanceOf(LogError);
      }
    }
  });
});

describe('damage', () => {
  /** Three blocks, the oldest not the partition's first one; the newest has two records, and a block is prepared. */
  function long(): { flash: MemoryFlash; addresses: number[]; whole: string } {
    const flash = plain();
    const log = fresh(flash);
    fill(log, 'xyz');
    const addresses: number[] = [];
    for (const name of 'abcdefgh') {
      if (!log.hasRoom(4)) log.prepare();
      addresses.push(append(log, name, { units: 4 }));
    }
    giveUp(log);
    log.prepare();
    return { flash, addresses, whole: texts(open(flash)) };
  }

  it('is none before', () => {
    const { flash, whole } = long();
    expect([open(flash).damage, whole]).toEqual([[], 'abcdefgh']);
  });

  it('is reported for every record that has one behind it, also for the first and the last of each block', () => {
    const { addresses } = long();
    for (const [i, address] of addresses.entries()) {
      for (let at = 0; at < 4 * UNIT; at += 5) {
        const { flash, whole } = long();
        flip(flash, address * UNIT + at, at % 8);
        const later = open(flash);
        expect(later.damage, `record ${i}, byte ${at}`).not.toEqual([]);
        expect(texts(later)).toBe(whole.slice(0, i) + whole.slice(i + 1));
      }
    }
  });

  it('is reported for the first record of a log that never gave up a block', () => {
    const flash = plain();
    fill(fresh(flash), 'ab');
    flip(flash, HEADER);
    expect(open(flash).damage).toMatchObject([{ first: 1, next: 2 }]);
  });

  it('says which numbers are lost', () => {
    const { flash, addresses } = long();
    for (const i of [3, 4]) flip(flash, (addresses[i] as number) * UNIT);
    expect(open(flash).damage).toMatchObject([{ first: 7, next: 9 }]);
  });

  it('is reported for every block of the log that is lost, erased or by its header', () => {
    const blocks = [...new Set(long().addresses.map((address) => Math.floor(address / UNITS)))];
    expect(blocks).toHaveLength(3);
    for (const block of blocks) {
      const { flash } = long();
      flash.cells.fill(0xff, block * BLOCK, (block + 1) * BLOCK);
      expect(open(flash).damage, `block ${block} erased`).not.toEqual([]);
      for (let at = 0; at < HEADER; at++) {
        const other = long().flash;
        flip(other, block * BLOCK + at);
        expect(open(other).damage, `block ${block}, byte ${at}`).not.toEqual([]);
      }
    }
  });

  it('is none where a block is lost that is not in the log', () => {
    const { flash, addresses, whole } = long();
    const blocks = new Set(addresses.map((address) => Math.floor(address / UNITS)));
    for (let block = 0; block < 6; block++) {
      if (!blocks.has(block)) flash.cells.fill(0x00, block * BLOCK, (block + 1) * BLOCK);
    }
    expect([texts(open(flash)), open(flash).damage]).toEqual([whole, []]);
  });

  it('is reported where a record was put in the place of another', () => {
    const { flash, addresses } = long();
    const [first, second, third] = addresses.map((address) => address * UNIT) as [number, number, number];
    flash.cells.copyWithin(second, first, third);
    expect(open(flash).damage).not.toEqual([]);
  });
});

/** A flash that, once armed, loses power at the next operation or the one after it. */
class CutFlash extends SimulatedFlash {
  /** Chooses the form. */
  armed: number | undefined;
  #spare = 0;

  constructor(erasedReads: ErasedReads, seed: number) {
    super(new MemoryStore(SIZE), {
      geometry: { blockSize: BLOCK, programSize: UNIT },
      erasedReads,
      seed,
      onOperation: ({ number, kind, length }) => {
        if (this.armed === undefined) return;
        if (this.#spare++ % 3 === 2) return;
        const forms: readonly TornForm[] = kind === 'erase' ? tornErases(BLOCK, UNIT) : tornForms(length, UNIT);
        this.cutAt(number, forms[this.armed % forms.length] as TornForm);
        this.armed = undefined;
      },
    });
  }
}

/** What the log has to be, in plain lists. */
class Model {
  /** The blocks of the log, the oldest first. */
  blocks: { readonly first: boolean; readonly at: number; items: Item[] }[] = [{ first: true, at: 0, items: [] }];
  next = 1;

  get items(): Item[] {
    return this.blocks.flatMap((block) => block.items);
  }

  add(item: Item, block: number): void {
    if (this.blocks[this.blocks.length - 1]?.at !== block || this.closed)
      this.blocks.push({ first: false, at: block, items: [] });
    this.closed = false;
    this.blocks[this.blocks.length - 1]?.items.push(item);
    this.next++;
  }

  /** True after a restart: records go to another block. */
  closed = false;

  restart(): void {
    for (;;) {
      const newest = this.blocks[this.blocks.length - 1];
      if (newest === undefined || newest.first || newest.items.some((item) => !item.copy)) break;
      this.next -= newest.items.length;
      this.blocks.pop();
    }
    this.closed = true;
  }
}

type Step =
  | { readonly do: 'append'; readonly units: number; readonly copy: boolean }
  | { readonly do: 'prepare' }
  | { readonly do: 'giveUp' }
  | { readonly do: 'restart' }
  | { readonly do: 'cut'; readonly form: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      units: fc.integer({ min: 1, max: 4 }),
      copy: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.constant({ do: 'prepare' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'giveUp' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cut' as const), form: fc.nat(1000) }) },
);

/** Runs steps on a flash and on the model, and compares the two after every restart and at the end. */
function run(steps: readonly Step[], erased: ErasedReads, seed: number): void {
  const flash = new CutFlash(erased, seed);
  const model = new Model();
  let log = fresh(flash);
  /** The record that was being written when the power went. */
  let inFlight: Item | undefined;
  let givesUp = false;

  const restart = () => {
    flash.restart();
    const later = open(flash);
    expect(later.damage).toEqual([]);
    if (inFlight !== undefined && later.items.some((item) => item.number === inFlight?.number)) {
      const { address } = [...addressesOf(flash)].pop() as { address: number };
      model.add(inFlight, Math.floor(address / UNITS));
      if (givesUp) model.blocks.shift();
    }
    inFlight = undefined;
    givesUp = false;
    model.restart();
    log = later.log;
    expect(later.items).toEqual(model.items);
    expect(log.nextNumber).toBe(model.next);
    expectSequencesApart(flash);
  };

  for (const one of steps) {
    try {
      if (one.do === 'cut') flash.armed = one.form;
      else if (one.do === 'restart') restart();
      else if (one.do === 'prepare') log.prepare();
      else if (one.do === 'giveUp') {
        if (log.used < 2 || !(log.isPrepared || log.fits(0))) continue;
        inFlight = { number: model.next, kind: GIVE_UP, copy: false, text: '' };
        givesUp = true;
        giveUp(log);
        const { address } = [...addressesOf(flash)].pop() as { address: number };
        model.add(inFlight, Math.floor(address / UNITS));
        model.blocks.shift();
        inFlight = undefined;
        givesUp = false;
      } else {
        if (!log.hasRoom(one.units)) continue;
        const text = String(model.next % 1000);
        inFlight = { number: model.next, kind: FIRST_KIND, copy: one.copy, text };
        const address = append(log, text, one);
        expect(textOf(log.read(address))).toBe(text);
        model.add(inFlight, Math.floor(address / UNITS));
        inFlight = undefined;
      }
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      restart();
    }
  }
  restart();
}

/** The records of the log as a fresh start reads them. */
function addressesOf(flash: Flash): { address: number }[] {
  const found: { address: number; number: number }[] = [];
  new BlockLog(flash, LAYOUT).open(({ address, number }) => found.push({ address, number }));
  return found;
}

/** Expects that no two headers have the same sequence number. */
function expectSequencesApart(flash: Flash): void {
  const sequences: number[] = [];
  for (let block = 0; block < 6; block++) {
    const header = new Uint8Array(HEADER);
    flash.read(block * BLOCK, header);
    if (readU32(header, 28) === crc32(header.subarray(0, 28))) sequences.push(readU32(header, 4));
  }
  expect(new Set(sequences).size).toBe(sequences.length);
}

describe('whatever is done, and wherever power is cut,', () => {
  it.each(['ones', 'scrambled'] as const)(
    'the log is what a list would be, with erased cells that read %s',
    (erased) => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), fc.nat(1000), (steps, seed) =>
          run(steps, erased, seed),
        ),
        { numRuns: 300 },
      );
    },
  );
});

describe('what was given up', () => {
  /** Five blocks; what gives up the first stands in the third, written when the fourth was ready already. */
  function written(layout: LogLayout): MemoryFlash {
    const flash = plain();
    const log = fresh(flash, layout);
    fill(log, 'abcdefg');
    log.prepare();
    giveUp(log);
    fill(log, 'hijklm');
    return flash;
  }

  it('stays so although neither the head nor the block before it says it: the header of the head does', () => {
    const opened = open(written(LAYOUT));
    expect([texts(opened), opened.damage]).toEqual(['defghijklm', []]);
  });

  it('stays so where the head has lost its header: the blocks before it are asked', () => {
    const layout = { ...LAYOUT, salvage: true };
    const flash = written(layout);
    const { items, log } = open(flash, layout);
    flip(flash, log.blockOf(addressesOf(flash).at(-1)?.address as number) * BLOCK + 4);
    const opened = open(flash, layout);
    expect(opened.items).toEqual(items);
    expect(opened.damage.map(({ detail }) => detail)).toEqual(['the block with sequence number 5 has lost its header']);
  });
});

describe('a start', () => {
  it('reads no more than three times the partition, also where erased cells read like anything and blocks are salvaged', () => {
    const geometry = { blockSize: 1024, programSize: 16 };
    for (const used of [0.2, 0.5, 0.95]) {
      const flash = new SimulatedFlash(new MemoryStore(512 * 1024), { geometry, erasedReads: 'scrambled' });
      const layout = { ...LAYOUT, longest: 48, salvage: true };
      const log = new BlockLog(flash, layout);
      log.format(7);
      while (log.used < used * log.blocks) {
        if (!log.hasRoom(40)) log.prepare();
        log.append(FIRST_KIND, 0, new Uint8Array(40 * UNIT).fill(5));
      }
      let bytes = 0;
      const counted: Flash = {
        size: flash.size,
        blockSize: flash.blockSize,
        programSize: flash.programSize,
        read: (offset, target) => {
          bytes += target.length;
          flash.read(offset, target);
        },
        program: () => expect.unreachable(),
        erase: () => expect.unreachable(),
      };
      expect(new BlockLog(counted, layout).open(() => {})).toEqual([]);
      expect(bytes / flash.size).toBeLessThan(3);
    }
  });

  it.each([
    { size: 4096, blockSize: 0 },
    { size: -4096, blockSize: 256 },
    { size: Number.NaN, blockSize: 256 },
    { size: 0, blockSize: 256 },
    { size: 1000.5, blockSize: 256 },
    { size: 65_536 * 256, blockSize: 256 },
  ])('on a partition of $size bytes in blocks of $blockSize is refused', (geometry) => {
    const never = () => expect.unreachable();
    const flash: Flash = { ...geometry, programSize: 16, read: never, program: never, erase: never };
    expect(() => new BlockLog(flash, LAYOUT)).toThrow(LogError);
  });
});
