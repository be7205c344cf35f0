// The sizes that docs/STORAGE.md publishes are those of the code.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FlashLedger } from '../core/ledger/flash-ledger.ts';
import { PROVISIONING_LIMITS, PROVISIONING_PARTITION_BYTES } from '../core/limits.ts';
import { bundlePartitionBytes } from '../core/trust/bundle-partition.ts';
import { JOURNAL_BYTES, JOURNAL_ROOM } from '../tools/bench/journal.ts';
import { crypto } from './fixtures/device.ts';
import { MemoryFlash } from './fixtures/memory-flash.ts';

const document = readFileSync(new URL('../docs/STORAGE.md', import.meta.url), 'utf8');

/** Units that a budget and a replay id take, as FORMAT has it. */
const BUDGET = 3;
const REPLAY_ID = 2;

describe('docs/STORAGE.md', () => {
  const rows = [...document.matchAll(/^\| (\d+) KB \| ([\d,]+) \| ([\d,]+) \|$/gm)];
  const number = (text = '') => Number(text.replaceAll(',', ''));

  it('has a table of ledgers', () => expect(rows.length).toBeGreaterThan(2));

  it.each(rows.map(([, size, budgets, ids]) => [number(size), number(budgets), number(ids)]))(
    'a ledger of %d KB has room for %d budgets or %d replay ids',
    (size = 0, budgets, ids) => {
      const { of } = new FlashLedger(new MemoryFlash({ size: size * 1024 }), crypto).fill;
      expect([Math.floor(of / BUDGET), Math.floor(of / REPLAY_ID)]).toEqual([budgets, ids]);
    },
  );

  it('the journal keeps at least what bench:ledger wants of it', () => {
    const [, size] = /^\| Journal of (\d+) KB \|/m.exec(document) ?? [];
    const kept = [...document.matchAll(/^\| (grant .+) \| at least (\d+) \|$/gm)].map(([, name, n]) => [
      name,
      number(n),
    ]);
    expect(number(size) * 1024).toBe(JOURNAL_BYTES);
    expect(kept).toEqual(JOURNAL_ROOM.map(({ name, atLeast }) => [name, atLeast]));
  });

  const needs = [...document.matchAll(/= (\d+) \| (\d+) blocks, (\d+) KB \|$/gm)];

  it('has a table of what a week needs', () => expect(needs).toHaveLength(3));

  it.each(needs.map(([, units, blocks, size]) => [number(units), number(blocks), number(size)]))(
    '%d units fit into %d blocks and into no fewer',
    (units = 0, blocks = 0, size) => {
      const room = (count: number) => new FlashLedger(new MemoryFlash({ size: count * 4096 }), crypto).fill.of;
      expect(blocks * 4).toBe(size);
      expect(room(blocks)).toBeGreaterThanOrEqual(units);
      expect(room(blocks - 1)).toBeLessThan(units);
    },
  );

  it('the provisioning partition has the size it says, in two slots', () => {
    const [, size, slot, most] =
      /partition has (\d+) KB: two slots of (\d+) KB, .* at most (\d+) bytes/.exec(document) ?? [];
    expect([number(size) * 1024, number(slot) * 1024]).toEqual([
      PROVISIONING_PARTITION_BYTES,
      PROVISIONING_PARTITION_BYTES / 2,
    ]);
    expect(number(most)).toBe(PROVISIONING_LIMITS.bytes);
  });

  it('the bundle set for four bundles of 32 KB has the size it says', () => {
    expect(document).toContain(`needs ${bundlePartitionBytes(4096) / 1024} KB for four`);
  });
});
