// Tables of keys on flash: who has one, in how many steps, and that nothing that can happen to one changes a verdict.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combTable } from '../../../core/ed25519/comb.ts';
import { type AffinePoint, negate, type Table } from '../../../core/ed25519/curve.ts';
import { KeyTables } from '../../../core/ed25519/key-tables.ts';
import { decompressPublicKey } from '../../../core/ed25519/verify.ts';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { offCurveEncodings, smallOrderEncodings } from './encodings.ts';
import { entriesOf, HEADER, PLACE, type Signed, settle, signed, signedAs, TABLE, tableOf } from './table-fixtures.ts';

const nodeHashes = createNodeCrypto();
const flashFor = (places: number): MemoryFlash => new MemoryFlash({ size: places * PLACE });
/** The entries that a key's table has. */
const tableFor = ({ publicKey }: Signed): Table => {
  const point = decompressPublicKey(publicKey);
  if (point === undefined) throw new Error('not a key');
  return combTable(negate(point));
};

/** A flash on which these keys have tables. */
function flashWith(...keys: readonly Signed[]): MemoryFlash {
  const flash = flashFor(keys.length);
  const tables = new KeyTables(flash);
  tables.wanted(keys.map(({ publicKey }) => publicKey));
  settle(tables);
  return flash;
}

const [one, two, three] = [signed(1), signed(2), signed(3)];

describe('a wanted key', () => {
  it('has its table after 58 steps: one begins, seven erase, 48 make it, one writes its header, one finds no more to do', () => {
    const flash = flashFor(1);
    const tables = new KeyTables(flash);
    expect(tables.find(one.publicKey)).toBeUndefined();
    tables.wanted([one.publicKey]);
    expect(settle(tables)).toBe(58);
    expect(tables.tables).toBe(1);
    expect(entriesOf(tables.find(one.publicKey))).toEqual(tableFor(one));
    expect(tables.has(one.publicKey)).toBe(true);
    expect(tables.has(two.publicKey)).toBe(false);
    expect(flash.done).toMatchObject({ erase: 7, program: 34 });
  });

  it('keeps it over a restart; idle time makes it once more to compare, in 50 steps, and then does nothing', () => {
    const flash = flashWith(one, two);
    const { program, erase } = flash.done;
    const tables = new KeyTables(flash);
    tables.wanted([two.publicKey, one.publicKey]);
    expect(settle(tables)).toBe(101);
    expect(entriesOf(tables.find(two.publicKey))).toEqual(tableFor(two));
    expect(flash.done).toMatchObject({ program, erase });
    const { read } = flash.done;
    expect(tables.step()).toBe(false);
    expect(flash.done.read).toBe(read);
  });

  it('comes before one that is wanted less, and both before used ones', () => {
    const tables = new KeyTables(flashFor(3));
    for (let i = 0; i < 5; i++) tables.used(three.publicKey);
    tables.wanted([one.publicKey, two.publicKey]);
    const order: number[] = [];
    while (tables.step()) {
      [one, two, three].forEach(({ publicKey }, i) => {
        if (tables.has(publicKey) && !order.includes(i)) order.push(i);
      });
    }
    expect(order).toEqual([0, 1, 2]);
  });

  it('takes the place of a key that is wanted no longer, however often that was used', () => {
    const flash = flashWith(one);
    const tables = new KeyTables(flash);
    for (let i = 0; i < 20; i++) tables.used(one.publicKey);
    tables.wanted([two.publicKey]);
    settle(tables);
    expect([tables.has(one.publicKey), tables.has(two.publicKey)]).toEqual([false, true]);
  });

  it('has none where more important ones have taken all places', () => {
    const tables = new KeyTables(flashFor(2));
    tables.wanted([one.publicKey, one.publicKey, two.publicKey, three.publicKey]);
    settle(tables);
    expect([one, two, three].map(({ publicKey }) => tables.has(publicKey))).toEqual([true, true, false]);
  });

  it('that is no key gets no table, and stands in nobody’s way', () => {
    const tables = new KeyTables(flashFor(8));
    const none = [...offCurveEncodings(2n, 1), ...smallOrderEncodings().canonical.slice(0, 2), new Uint8Array(31)];
    for (const key of none) for (let i = 0; i < 3; i++) if (key.length === 32) tables.used(key);
    tables.wanted([...none, one.publicKey]);
    settle(tables);
    expect(tables.tables).toBe(1);
    for (const key of none) expect([tables.has(key), tables.find(key)]).toEqual([false, undefined]);
  });
});

describe('a used key', () => {
  const use = (tables: KeyTables, { publicKey }: Signed, times: number): void => {
    for (let i = 0; i < times; i++) tables.used(publicKey);
    settle(tables);
  };

  it('has a table from its second use on', () => {
    const tables = new KeyTables(flashFor(1));
    use(tables, one, 1);
    expect(tables.has(one.publicKey)).toBe(false);
    use(tables, one, 1);
    expect(tables.has(one.publicKey)).toBe(true);
  });

  it('takes the place of another with two uses more than twice that one’s', () => {
    const tables = new KeyTables(flashFor(1));
    use(tables, one, 3);
    use(tables, two, 7);
    expect(tables.has(one.publicKey)).toBe(true);
    use(tables, two, 1);
    expect([tables.has(one.publicKey), tables.has(two.publicKey)]).toEqual([false, true]);
  });

  it('takes the place of the least used', () => {
    const tables = new KeyTables(flashFor(2));
    use(tables, one, 3);
    use(tables, two, 2);
    use(tables, three, 6);
    expect([one, two, three].map(({ publicKey }) => tables.has(publicKey))).toEqual([true, false, true]);
  });

  it('never takes the place of a wanted one', () => {
    const tables = new KeyTables(flashFor(1));
    tables.wanted([one.publicKey]);
    use(tables, two, 30);
    expect([tables.has(one.publicKey), tables.has(two.publicKey)]).toEqual([true, false]);
  });

  it('that was used often long ago gives way in the end: all counts are halved where one reaches 32', () => {
    const tables = new KeyTables(flashFor(1));
    use(tables, one, 31);
    for (let i = 0; i < 200; i++) use(tables, two, 1);
    expect(tables.has(two.publicKey)).toBe(true);
  });

  it('is forgotten where 24 others were used more', () => {
    const tables = new KeyTables(flashFor(1));
    tables.used(one.publicKey);
    for (let i = 10; i < 34; i++) tables.used(signed(i).publicKey);
    use(tables, one, 1);
    expect(tables.has(one.publicKey)).toBe(false);
  });

  it('an attacker’s keys that are used once each cause no erase', () => {
    const flash = flashFor(2);
    const tables = new KeyTables(flash);
    for (let i = 10; i < 100; i++) use(tables, signed(i), 1);
    expect(flash.done.erase).toBe(0);
  });
});

describe('a table that was found on flash', () => {
  it('is not used before idle time has made it once more: until then its key is as without one', () => {
    const flash = flashWith(one, two);
    const tables = new KeyTables(flash);
    tables.wanted([two.publicKey]);
    const states = () =>
      [one, two].map(({ publicKey }) => [tables.has(publicKey), tables.find(publicKey) !== undefined]);
    for (let i = 0; i < 50; i++) {
      expect(states().flat()).toEqual([false, false, false, false]);
      tables.step();
    }
    // Wanted keys are first.
    expect(states()).toEqual([
      [false, false],
      [true, true],
    ]);
    settle(tables);
    expect(states().flat()).toEqual([true, true, true, true]);
  });

  /** The table of an attacker's key under the name of another. */
  function planted(): MemoryFlash {
    const flash = flashWith(two);
    flash.cells.set(one.publicKey, HEADER - 32);
    return flash;
  }

  it('attack: whoever writes flash puts the table of a key of their own under a trusted key’s name', () => {
    const flash = planted();
    const forged = signedAs(one.publicKey, 2, one.message);
    const tables = new KeyTables(flash);
    const crypto = createPortableCrypto(nodeHashes, tables);
    // The same bytes, believed, would accept it.
    const point = negate(decompressPublicKey(two.publicKey) as AffinePoint);
    const believed = { find: () => tableOf(point), has: () => true, wrong: () => {} };
    expect(createPortableCrypto(nodeHashes, believed).ed25519Verify(one.publicKey, forged, one.message)).toBe(true);
    for (let i = 0; i < 60; i++) {
      expect(crypto.ed25519Verify(one.publicKey, forged, one.message)).toBe(false);
      tables.step();
    }
    expect(tables.tables).toBe(0);
    expect(crypto.ed25519Verify(one.publicKey, one.signature, one.message)).toBe(true);
  });

  it('attack: what was put there is made anew from the key, where the key is wanted', () => {
    const flash = planted();
    const tables = new KeyTables(flash);
    tables.wanted([one.publicKey]);
    settle(tables);
    expect(entriesOf(tables.find(one.publicKey))).toEqual(tableFor(one));
  });

  it('attack: one entry alone is another point, of the last that are compared', () => {
    for (const number of [0, 127, 128, 255, 256]) {
      const flash = flashWith(one);
      const at = HEADER + 96 * number;
      flash.cells.set(flashWith(two).cells.subarray(at, at + 96), at);
      const tables = new KeyTables(flash);
      settle(tables);
      expect(tables.has(one.publicKey)).toBe(false);
    }
  });

  it('under a name that is no key is none, and keeps no other from being checked', () => {
    const flash = flashWith(one, two);
    flash.cells.set(smallOrderEncodings().canonical[0] as Uint8Array, HEADER - 32);
    const tables = new KeyTables(flash);
    settle(tables);
    expect([tables.tables, tables.has(two.publicKey)]).toEqual([1, true]);
  });
});

describe('a damaged table', () => {
  const flash = flashWith(one);
  const good = flash.snapshot();
  const table = tableFor(one);
  const expectRightOrNone = (): boolean => {
    const tables = new KeyTables(flash);
    settle(tables);
    const read = entriesOf(tables.find(one.publicKey));
    if (read === undefined) return false;
    if (read.length !== table.length || read.some((entry, i) => entry !== table[i])) throw new Error('a wrong table');
    return true;
  };

  it('is none: whichever bit turns before it is looked at, there is no table or the right one', () => {
    let used = 0;
    // Of the header one bit of each byte, and some of the entries.
    for (let bit = 0; bit < TABLE * 8; bit += bit < HEADER * 8 ? 9 : 1999) {
      flash.cells[bit >> 3] = (flash.cells[bit >> 3] as number) ^ (1 << (bit & 7));
      if (expectRightOrNone()) used++;
      flash.cells[bit >> 3] = good[bit >> 3] as number;
    }
    // Of the first 32 bytes only the store and the format are looked at here.
    expect(used).toBe(27);
  });

  it('is none, whatever stands anywhere in it', () => {
    const part = fc.tuple(fc.integer({ min: 32, max: TABLE - 1 }), fc.uint8Array({ minLength: 1, maxLength: 400 }));
    fc.assert(
      fc.property(part, ([at, bytes]) => {
        flash.cells.set(good);
        const end = Math.min(at + bytes.length, TABLE);
        flash.cells.set(bytes.subarray(0, end - at), at);
        const isChanged = flash.cells.subarray(at, end).some((byte, i) => byte !== good[at + i]);
        expect(expectRightOrNone()).toBe(!isChanged);
      }),
      { numRuns: 100 },
    );
    flash.cells.set(good);
  });

  it('is none where all of it reads as zeros or as ones, or its entries do', () => {
    for (const from of [0, 32, HEADER]) {
      for (const value of [0, 0xff]) {
        flash.cells.set(good);
        flash.cells.fill(value, from, TABLE);
        expect(expectRightOrNone()).toBe(false);
      }
    }
    flash.cells.set(good);
  });

  it('of which entries have changed places is none', () => {
    for (let i = 0; i < 256; i += 15) {
      flash.cells.set(good);
      flash.cells.copyWithin(HEADER + 96 * i, HEADER + 96 * (i + 1), HEADER + 96 * (i + 2));
      flash.cells.set(good.subarray(HEADER + 96 * i, HEADER + 96 * (i + 1)), HEADER + 96 * (i + 1));
      expect(expectRightOrNone()).toBe(false);
    }
    flash.cells.set(good);
  });

  it('is made again in idle time', () => {
    flash.cells[1000] = (flash.cells[1000] as number) ^ 4;
    const tables = new KeyTables(flash);
    tables.wanted([one.publicKey]);
    settle(tables);
    expect(entriesOf(tables.find(one.publicKey))).toEqual(table);
  });

  it('that was made in this run is not made again before the next start: its flash is no good', () => {
    const worn = flashFor(1);
    const tables = new KeyTables(worn);
    tables.wanted([one.publicKey]);
    settle(tables);
    worn.cells.fill(0, 1000, TABLE);
    const crypto = createPortableCrypto(nodeHashes, tables);
    expect(crypto.ed25519Verify(one.publicKey, one.signature, one.message)).toBe(true);
    settle(tables);
    expect([tables.tables, worn.done.erase]).toEqual([0, 7]);
  });
});

describe('a table that is damaged after it was checked', () => {
  const flash = flashWith(one);
  const good = flash.snapshot();

  /** Checks the table, then damages it. */
  function damagedBy(damage: (cells: Uint8Array) => void): KeyTables {
    flash.cells.set(good);
    const tables = new KeyTables(flash);
    settle(tables);
    expect(tables.has(one.publicKey)).toBe(true);
    damage(flash.cells);
    return tables;
  }

  it.each<[string, (cells: Uint8Array) => void]>([
    [
      'a bit of each entry',
      (cells) => {
        for (let at = HEADER; at < TABLE; at += 96) cells[at] = (cells[at] as number) ^ 1;
      },
    ],
    ['zeros', (cells) => cells.fill(0, HEADER, TABLE)],
    ['ones, as after an erase', (cells) => cells.fill(0xff, HEADER, TABLE)],
    [
      'entries that are all the first one',
      (cells) => {
        for (let at = HEADER; at < TABLE; at += 96) cells.copyWithin(at, HEADER, HEADER + 96);
      },
    ],
    ['the entries of another key', (cells) => cells.set(flashWith(two).cells.subarray(HEADER, TABLE), HEADER)],
  ])('refuses, and the verdict comes without it: %s', (_, damage) => {
    const tables = damagedBy(damage);
    const crypto = createPortableCrypto(nodeHashes, tables);
    for (let i = 0; i < 2; i++) expect(crypto.ed25519Verify(one.publicKey, one.forged, one.message)).toBe(false);
    expect(tables.tables).toBe(1);
    expect(crypto.ed25519Verify(one.publicKey, one.signature, one.message)).toBe(true);
    expect(tables.tables).toBe(0);
    expect(crypto.ed25519Verify(one.publicKey, one.signature, one.message)).toBe(true);
  });

  it('is made again in idle time, as it was made in an earlier run', () => {
    const tables = damagedBy((cells) => cells.fill(0, HEADER, TABLE));
    tables.wanted([one.publicKey]);
    createPortableCrypto(nodeHashes, tables).ed25519Verify(one.publicKey, one.signature, one.message);
    settle(tables);
    expect(flash.snapshot()).toEqual(good);
  });

  it('is not used for a key that its header no longer names', () => {
    const tables = damagedBy((cells) => cells.set(two.publicKey, 32));
    expect([one, two].map(({ publicKey }) => tables.find(publicKey))).toEqual([undefined, undefined]);
  });

  it.each([0x00, 0xff])('makes no key usable that its header names because it was broken off: bytes %i', (cell) => {
    const key = new Uint8Array(32).fill(cell);
    const tables = damagedBy((cells) => cells.set(key, 32));
    expect(createPortableCrypto(nodeHashes, tables).ed25519KeyUsable(key)).toBe(false);
  });

  it('is compared once after a start, eight entries at a time; then a use reads what it needs', () => {
    flash.cells.set(good);
    const tables = new KeyTables(flash);
    const { read } = flash.done;
    settle(tables);
    // The places, the header, and the entries.
    expect(flash.done.read - read).toBe(1 + 1 + 33);
    tables.find(one.publicKey);
    expect(flash.done.read - read).toBe(1 + 1 + 33 + 1);
  });
});

describe('verdicts', () => {
  const flash = flashWith(one, two);
  const good = flash.snapshot();
  const without = createPortableCrypto(nodeHashes);

  it('are the same with a table, without one, and with one that any bits have turned in', () => {
    const keys = [one, two, three];
    const change = fc.tuple(fc.nat(1), fc.nat(TABLE * 8 - 1));
    const part = fc.constantFrom('none', 'R', 'S', 'key', 'message');
    fc.assert(
      fc.property(
        fc.nat(2),
        fc.array(change, { maxLength: 3 }),
        part,
        fc.nat(255),
        fc.boolean(),
        (which, bits, part, bit, isIdle) => {
          flash.cells.set(good);
          for (const [place, at] of bits) {
            const cell = place * PLACE + (at >> 3);
            flash.cells[cell] = (flash.cells[cell] as number) ^ (1 << (at & 7));
          }
          const { publicKey, signature, message } = keys[which] as Signed;
          const [a, s, m] = [publicKey.slice(), signature.slice(), message.slice()];
          const target = { none: new Uint8Array(32), R: s.subarray(0, 32), S: s.subarray(32), key: a, message: m }[
            part
          ];
          target[bit >> 3] = (target[bit >> 3] as number) ^ (1 << (bit & 7));
          const tables = new KeyTables(flash);
          if (isIdle) settle(tables);
          const crypto = createPortableCrypto(nodeHashes, tables);
          expect(crypto.ed25519Verify(a, s, m)).toBe(part === 'none');
          expect(without.ed25519Verify(a, s, m)).toBe(part === 'none');
          expect(crypto.ed25519KeyUsable(a)).toBe(without.ed25519KeyUsable(a));
        },
      ),
      { numRuns: 100 },
    );
    flash.cells.set(good);
  });
});

describe('flash that fails', () => {
  const whole = flashWith(one).cells;

  it.each(['read', 'program', 'erase'] as const)(
    '%s: nothing is thrown, the next start makes the tables',
    (operation) => {
      for (const after of [0, 1, 2, 3, 4, 5, 6, 7, 8, 20, 33, 34, 70]) {
        const flash = flashFor(1);
        flash.cells.set(whole);
        const tables = new KeyTables(flash);
        tables.wanted([two.publicKey]);
        flash.fail(operation, after, 32);
        const crypto = createPortableCrypto(nodeHashes, tables);
        for (let i = 0; i < 70; i++) {
          tables.step();
          for (const { publicKey, signature, forged, message } of i % 19 === 0 ? [one, two] : []) {
            expect(crypto.ed25519Verify(publicKey, signature, message)).toBe(true);
            expect(crypto.ed25519Verify(publicKey, forged, message)).toBe(false);
          }
        }
        flash.recover();
        const again = new KeyTables(flash);
        again.wanted([two.publicKey]);
        settle(again);
        expect(entriesOf(again.find(two.publicKey))).toEqual(tableFor(two));
      }
    },
  );

  it('a place that reads back differently is left alone until the next start; the table goes to another', () => {
    const flash = flashFor(2);
    flash.fail('program', 3, 96);
    const tables = new KeyTables(flash);
    tables.wanted([one.publicKey]);
    for (let i = 0; i < 25; i++) tables.step();
    flash.recover();
    settle(tables);
    expect(entriesOf(tables.find(one.publicKey))).toEqual(tableFor(one));
    expect(flash.done.erase).toBe(14);
  });
});

describe('a partition', () => {
  it('in units or blocks of other sizes, or too small, is told', () => {
    expect(() => new KeyTables(new MemoryFlash({ size: PLACE - 4096 }))).toThrow(
      'the table of a key needs 28672 bytes',
    );
    expect(() => new KeyTables(new MemoryFlash({ size: 24_576, blockSize: 1024 }))).toThrow(RangeError);
    expect(() => new KeyTables(new MemoryFlash({ size: PLACE, programSize: 32 }))).toThrow(RangeError);
    expect(new KeyTables(new MemoryFlash({ size: 51_200, blockSize: 1024 })).places).toBe(2);
    expect(new KeyTables(new MemoryFlash({ size: 70 * PLACE })).places).toBe(64);
  });

  it('in smaller blocks holds tables too', () => {
    const flash = new MemoryFlash({ size: 51_200, blockSize: 1024, programSize: 4 });
    const tables = new KeyTables(flash);
    tables.wanted([one.publicKey, two.publicKey]);
    settle(tables);
    expect(flash.done.erase).toBe(50);
    const again = new KeyTables(flash);
    settle(again);
    expect(entriesOf(again.find(two.publicKey))).toEqual(tableFor(two));
  });
});
