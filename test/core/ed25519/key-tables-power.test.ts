// Power cuts while tables are made: at every program and erase, in every form either can be torn. What is found afterwards is a
// table as it should be, or none; verdicts stay, and the next run makes what is missing.

import { describe, expect, it } from 'vitest';
import { combTable } from '../../../core/ed25519/comb.ts';
import { type AffinePoint, negate } from '../../../core/ed25519/curve.ts';
import { KeyTables } from '../../../core/ed25519/key-tables.ts';
import { decompressPublicKey } from '../../../core/ed25519/verify.ts';
import type { ErasedReads } from '../../../host-sim/flash/cell-coding.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { type FlashSnapshot, SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { type TornForm, tornErases, tornForms } from '../../../host-sim/flash/torn-forms.ts';
import { entriesOf, PLACE, type Signed, settle, signed } from './table-fixtures.ts';

const [one, two] = [signed(1), signed(2)];
const tableFor = ({ publicKey }: Signed) => combTable(negate(decompressPublicKey(publicKey) as AffinePoint));
const TABLES = new Map([one, two].map((key) => [key, tableFor(key)]));

interface Operation {
  readonly number: number;
  readonly kind: 'program' | 'erase';
  readonly length: number;
}

function flashOf(erasedReads: ErasedReads, from?: FlashSnapshot, operations: Operation[] = []): SimulatedFlash {
  const flash = new SimulatedFlash(new MemoryStore(PLACE), {
    erasedReads,
    onOperation: ({ number, kind, length }) => operations.push({ number, kind, length }),
  });
  if (from) flash.restore(from);
  return flash;
}

/** Makes the table of the second key in place of the first one's. False where the power went. */
function replace(flash: SimulatedFlash): boolean {
  try {
    const tables = new KeyTables(flash);
    tables.wanted([two.publicKey]);
    settle(tables);
    return true;
  } catch (error) {
    if (error instanceof PowerCut) return false;
    throw error;
  }
}

/** What is found at a start: the tables of which keys. */
function found(flash: SimulatedFlash): string {
  const tables = new KeyTables(flash);
  settle(tables);
  return [one, two]
    .map((key) => {
      const table = tables.find(key.publicKey);
      if (table === undefined) return '-';
      expect(entriesOf(table)).toEqual(TABLES.get(key));
      return key === one ? 'old' : 'new';
    })
    .join(' ');
}

function formsOf(kind: 'program' | 'erase', length: number): readonly TornForm[] {
  return kind === 'erase' ? tornErases(4096, 16, { seeds: 3 }) : tornForms(length, 16, { units: 5, seeds: 2 });
}

describe.each<ErasedReads>(['ones', 'scrambled'])('erased cells read as %s', (erasedReads) => {
  const made = flashOf(erasedReads);
  const first = new KeyTables(made);
  first.wanted([one.publicKey]);
  settle(first);
  const before = made.snapshot();
  const operations: Operation[] = [];
  expect(replace(flashOf(erasedReads, before, operations))).toBe(true);

  it('takes seven erases, 33 programs of entries and one of the header', () => {
    expect(operations.map(({ kind }) => kind)).toEqual([...Array(7).fill('erase'), ...Array(34).fill('program')]);
  });

  /** Erases, programs of entries and that of the header: the first and the last of each kind, and some between. */
  const cut = operations.filter((_, i) => [0, 1, 6, 7, 8, 20, 39, 40].includes(i));

  it('a cut at any kind of operation leaves the old table, or the new one, or none, as it should be', () => {
    const seen = new Set<string>();
    for (const { number, kind, length } of cut) {
      for (const form of formsOf(kind, length)) {
        const flash = flashOf(erasedReads, before);
        flash.cutAt(number, form);
        expect(replace(flash)).toBe(false);
        flash.restart();
        // Unstable bits read anew each time.
        for (let start = 0; start < 3; start++) seen.add(found(flash));
        expect(replace(flash)).toBe(true);
        expect(found(flash)).toBe('- new');
      }
    }
    expect([...seen].sort()).toEqual(['- -', '- new', 'old -']);
  });

  it('a second cut, while the table is made again, changes nothing about that', () => {
    for (const { number, kind, length } of [cut[1], cut[4], cut[7]] as Operation[]) {
      const forms = formsOf(kind, length);
      for (let later = 0; ; later += later === 0 || later > 37 ? 1 : 3) {
        const flash = flashOf(erasedReads, before);
        flash.cutAt(number, forms[(later * 5 + 1) % forms.length] as TornForm);
        expect(replace(flash)).toBe(false);
        flash.restart();
        flash.cutAt(flash.operations + later, later % 2 === 0 ? 'torn' : 'after');
        const isWhole = replace(flash);
        if (!flash.powered) flash.restart();
        expect(['- -', '- new', 'old -']).toContain(found(flash));
        if (isWhole) break;
      }
    }
  });
});
