// The index of addresses: what is added is found, also beside keys that share its place, and what was taken out leaves
// nothing behind.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogError } from '../../../core/ledger/block-log.ts';
import { KeyIndex } from '../../../core/ledger/key-index.ts';
import type { LedgerKey } from '../../../core/ledger/ledger.ts';

/** A key whose home is the place `home` of any table, told from others by `name`. */
function at(home: number, name = ''): LedgerKey {
  return (String.fromCharCode(home >> 16, (home >> 8) & 0xff, home & 0xff) + name).padEnd(16, '.');
}

/** An index beside the keys that a flash would hold at its addresses. */
class Indexed {
  readonly index: KeyIndex;
  readonly #keys = new Map<string, LedgerKey>();
  reads = 0;

  constructor(most = 12, addresses = 100) {
    this.index = new KeyIndex(most, addresses);
  }

  add(key: LedgerKey, part: number, address: number): void {
    this.#keys.set(`${address}/${part}`, key);
    this.index.add(key, part, address);
  }

  find(key: LedgerKey, part: number): number {
    return this.index.find(key, part, (address) => this.#keyAt(address, part) === key);
  }

  move(key: LedgerKey, part: number, from: number, to: number): void {
    this.#keys.set(`${to}/${part}`, key);
    this.index.move(key, part, from, to);
  }

  remove(key: LedgerKey, part: number, address: number): void {
    this.index.remove(key, part, address, (other, of) => this.#keyAt(other, of) as LedgerKey);
  }

  #keyAt(address: number, part: number): LedgerKey | undefined {
    this.reads++;
    return this.#keys.get(`${address}/${part}`);
  }
}

describe('a key', () => {
  it('is nowhere at first', () => {
    expect(new Indexed().find(at(3), 0)).toBe(0);
  });

  it('is found at the address it was added with, and where it was moved to', () => {
    const one = new Indexed();
    one.add(at(3), 2, 7);
    expect(one.find(at(3), 2)).toBe(7);
    one.move(at(3), 2, 7, 90);
    expect([one.find(at(3), 2), one.index.size]).toEqual([90, 1]);
  });

  it('is not moved from an address it is not at', () => {
    const one = new Indexed();
    one.add(at(3), 0, 7);
    one.move(at(3), 0, 8, 9);
    expect(one.find(at(3), 0)).toBe(7);
  });

  it('of one part is none of another, at the same address', () => {
    const one = new Indexed();
    for (let part = 0; part < 8; part++) {
      expect(one.find(at(3), part)).toBe(0);
      one.add(at(3), part, 40);
    }
    one.move(at(3), 5, 40, 41);
    expect([one.find(at(3), 4), one.find(at(3), 5)]).toEqual([40, 41]);
  });

  it('is found beside others with the same home, around the end of the table too', () => {
    const one = new Indexed();
    for (let i = 0; i < 10; i++) one.add(at(15, `${i}`), 0, 10 + i);
    for (let i = 0; i < 10; i++) expect(one.find(at(15, `${i}`), 0)).toBe(10 + i);
  });
});

describe('a key that was taken out', () => {
  it('is nowhere, and those behind it are where they were', () => {
    for (let gone = 0; gone < 10; gone++) {
      const one = new Indexed();
      for (let i = 0; i < 10; i++) one.add(at(14 + (i % 3), `${i}`), 0, 10 + i);
      one.remove(at(14 + (gone % 3), `${gone}`), 0, 10 + gone);
      for (let i = 0; i < 10; i++) expect(one.find(at(14 + (i % 3), `${i}`), 0)).toBe(i === gone ? 0 : 10 + i);
      expect(one.index.size).toBe(9);
    }
  });

  it('at another address than it is at stays', () => {
    const one = new Indexed();
    one.add(at(3), 0, 7);
    one.remove(at(3), 0, 8);
    expect([one.find(at(3), 0), one.index.size]).toEqual([7, 1]);
  });

  it('leaves no place behind that a look-up must pass, after any number of them', () => {
    const one = new Indexed(1000, 4000);
    for (let i = 0; i < 20_000; i++) {
      one.add(at((i * 7919) & 0xffffff), 0, 2 + (i % 4000));
      if (i >= 3) one.remove(at(((i - 3) * 7919) & 0xffffff), 0, 2 + ((i - 3) % 4000));
    }
    one.reads = 0;
    for (let i = 0; i < 100; i++) expect(one.find(at(i * 31, 'other'), 0)).toBe(0);
    expect(one.reads).toBeLessThan(10);
  });
});

describe('the table', () => {
  it.each([
    [0, 100, 32],
    [12, 100, 32],
    [13, 100, 64],
    [1469, 4096, 4096],
    [1469, 8192, 4096],
    [1469, 8193, 8192],
  ])('for %i keys at addresses below %i takes %i bytes', (most, addresses, bytes) => {
    expect(new KeyIndex(most, addresses).bytes).toBe(bytes);
  });

  it('takes half of that where records have one key', () => {
    expect(new KeyIndex(1469, 0x10000, 1).bytes).toBe(4096);
    expect(new KeyIndex(1469, 0x10001, 1).bytes).toBe(8192);
    const index = new KeyIndex(100, 0x10000, 1);
    index.add(at(3), 0, 0xffff);
    expect(index.find(at(3), 0, (address) => address === 0xffff)).toBe(0xffff);
  });

  it('that is full says so', () => {
    const { index } = new Indexed(0);
    for (let i = 0; i < 16; i++) index.add(at(i), 0, 2 + i);
    expect(() => index.add(at(0, 'one more'), 0, 50)).toThrow(LogError);
    index.remove(at(3), 0, 5, (address) => at(address - 2));
    index.add(at(0, 'one more'), 0, 50);
  });
});

it('does what a map does, whatever comes and goes', () => {
  const step = fc.record({ name: fc.nat(30), part: fc.nat(2), to: fc.integer({ min: 2, max: 5000 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const one = new Indexed(93, 5200);
      const map = new Map<string, number>();
      let address = 5000;
      for (const { name, part, to } of steps) {
        const key = at(name % 7, `${name}`);
        const before = map.get(`${name}/${part}`);
        // An address holds one key of a part, as on flash.
        if (before === undefined) {
          address++;
          one.add(key, part, address);
          map.set(`${name}/${part}`, address);
        } else if (to % 2 === 0) {
          one.remove(key, part, before);
          map.delete(`${name}/${part}`);
        } else {
          address++;
          one.move(key, part, before, address);
          map.set(`${name}/${part}`, address);
        }
        for (let i = 0; i <= 30; i++)
          for (let of = 0; of < 3; of++)
            if (one.find(at(i % 7, `${i}`), of) !== (map.get(`${i}/${of}`) ?? 0)) return false;
        if (one.index.size !== map.size) return false;
      }
      return true;
    }),
  );
});
