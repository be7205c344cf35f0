// docs/FORMAT.md, "Bundle set", statement by statement: bytes made here by hand are read by the device, and bytes that the
// device writes are looked at here. Nothing of the code under test makes or reads bytes in this file.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BlockLog } from '../../../core/ledger/block-log.ts';
import { bundlePartitionBytes } from '../../../core/trust/bundle-partition.ts';
import type { SetAdmission } from '../../../core/verifier.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { bundle, type Changes, inSeconds, NOW } from '../../fixtures/artifacts.ts';
import { Device } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';

const BLOCK = 4096;
/** Two copies of four blocks. */
const SIZE = 8 * BLOCK;
const COPY = SIZE / 2;

const u8 = (...values: number[]) => Buffer.from(values);
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const numbered = (n: number, changes: Changes = {}) =>
  Buffer.from(bundle({ bundleIssuer: `operator-${n}`, bundleId: `bundle-${n}`, ...changes }));
const answer = (...bundles: readonly Uint8Array[]) =>
  Buffer.from(`{"bundles":[${bundles.map((one) => Buffer.from(one).toString()).join(',')}]}`);

interface Record {
  readonly sequence: number;
  readonly bundles: readonly { readonly at: number; readonly bytes: Uint8Array; readonly length?: number }[];
  readonly id?: number;
  readonly format?: number;
  readonly count?: number;
}

function record({ sequence, bundles, id = 3, format = 1, count = bundles.length }: Record): Buffer {
  const places = Buffer.alloc(64);
  bundles.forEach(({ at, bytes, length = bytes.length }, i) => {
    Buffer.concat([u32(at), u32(length), sha256(bytes).subarray(0, 8)]).copy(places, 16 * i);
  });
  const head = Buffer.concat([u8(0x4d, id, format, count), u32(sequence), u32(crc32(places)), Buffer.alloc(16)]);
  return Buffer.concat([head, u32(crc32(head)), places]);
}

/** A copy with bundles right behind one another, each at a whole unit. */
function copyOf(sequence: number, ...bundles: readonly Uint8Array[]): Buffer {
  let at = 96;
  const places = bundles.map((bytes) => {
    const place = { at, bytes };
    at += Math.ceil(bytes.length / 16) * 16;
    return place;
  });
  const copy = Buffer.alloc(COPY, 0xff);
  record({ sequence, bundles: places }).copy(copy);
  for (const place of places) copy.set(place.bytes, place.at);
  return copy;
}

/** A device on a partition with these cells. */
function deviceOn(...copies: readonly Uint8Array[]): Device {
  const flash = new MemoryFlash({ size: SIZE });
  copies.forEach((copy, i) => {
    flash.cells.set(copy, i * COPY);
  });
  return new Device({ bundles: [], bundleFlash: flash });
}

function loaded(device: Device): unknown {
  const result = device.verifier.loadBundles();
  return 'ok' in result ? result.code : held(device);
}

function held(device: Device): readonly string[] {
  return device.verifier.trust.bundles.map((one) => one.bundleId).sort();
}

function fresh(options: ConstructorParameters<typeof SimulatedFlash>[1] = {}) {
  const operations: { kind: string; offset: number; length: number }[] = [];
  const flash = new SimulatedFlash(new MemoryStore(SIZE), {
    ...options,
    onOperation: ({ kind, offset, length }) => operations.push({ kind, offset, length }),
  });
  return { flash, operations, device: new Device({ bundles: [], bundleFlash: flash }) };
}

const ok = (result: SetAdmission) => expect(result).not.toMatchObject({ ok: false });

describe('the copies', () => {
  it('are halves of the partition’s blocks, rounded down: copy 0 at 0, copy 1 behind it', () => {
    const flash = new MemoryFlash({ size: SIZE + BLOCK });
    const device = new Device({ bundles: [], bundleFlash: flash });
    ok(device.take(answer(numbered(1))));
    ok(device.take(answer(numbered(1))));
    expect([flash.cells[0], flash.cells[COPY]]).toEqual([0x4d, 0x4d]);
    expect(flash.cells.subarray(2 * COPY).every((byte) => byte === 0xff)).toBe(true);
  });

  it('take turns, and the one in force is never touched', () => {
    const { device, operations } = fresh();
    for (let turn = 0; turn < 4; turn++) {
      operations.length = 0;
      ok(device.take(answer(numbered(1))));
      const copies = new Set(operations.map(({ offset }) => Math.floor(offset / COPY)));
      expect([...copies]).toEqual([turn % 2]);
    }
  });
});

describe('the record', () => {
  it('is what the table says, byte for byte', () => {
    const { device, flash } = fresh();
    const [one, two] = [numbered(1), numbered(2)];
    ok(device.take(answer(one, two)));
    const at = 96 + '{"bundles":['.length;
    const bundles = [
      { at, bytes: one },
      { at: at + one.length + 1, bytes: two },
    ];
    expect(Buffer.from(flash.contents().subarray(0, 96))).toEqual(record({ sequence: 1, bundles }));
  });

  it('is programmed last, in one operation, and read back', () => {
    const { device, operations } = fresh();
    ok(device.take(answer(numbered(1))));
    expect(operations.filter(({ offset, length }) => offset < 96 && offset + length > 0 && length < BLOCK)).toEqual([
      { kind: 'program', offset: 0, length: 96 },
    ]);
    expect(operations.at(-1)).toEqual({ kind: 'program', offset: 0, length: 96 });
  });

  it('made by hand is read', () => {
    expect(loaded(deviceOn(copyOf(7, numbered(1), numbered(2), numbered(3), numbered(4))))).toEqual(
      [1, 2, 3, 4].map((n) => `bundle-${n}`),
    );
  });

  it('has a sequence number one more than the highest there is', () => {
    const device = deviceOn(copyOf(7, numbered(1)), copyOf(9, numbered(1)));
    expect(loaded(device)).toEqual(['bundle-1']);
    const { flash, device: other } = fresh();
    flash.program(0, copyOf(41, numbered(1)));
    ok(other.take(answer(numbered(2))));
    expect(flash.contents().subarray(COPY + 4, COPY + 8)).toEqual(new Uint8Array(u32(42)));
  });

  it('is none with a byte changed anywhere', () => {
    const good = copyOf(1, numbered(1));
    for (let at = 0; at < 96; at++) {
      const copy = Buffer.from(good);
      copy[at] = (copy[at] as number) ^ 0x10;
      expect([at, loaded(deviceOn(copy))]).toEqual([at, []]);
    }
  });

  it('is none of five bundles, nor of one that begins in the record or ends outside the copy', () => {
    const bytes = numbered(1);
    const made = (bundles: Record['bundles'], count?: number) => {
      const copy = copyOf(1, bytes);
      record({ sequence: 1, bundles, ...(count === undefined ? {} : { count }) }).copy(copy);
      return loaded(deviceOn(copy));
    };
    expect(made([{ at: 96, bytes }])).toEqual(['bundle-1']);
    expect(made([{ at: 96, bytes }], 5)).toEqual([]);
    expect(made([{ at: 80, bytes }])).toEqual([]);
    expect(made([{ at: 96, bytes, length: COPY - 95 }])).toEqual([]);
    expect(made([{ at: 0xffff_fff0, bytes, length: 32 }])).toEqual([]);
  });

  it('of another log or format refuses the partition, and nothing is written there', () => {
    for (const changes of [{ id: 1 }, { id: 2 }, { format: 2 }, { format: 0 }]) {
      const copy = Buffer.alloc(COPY, 0xff);
      record({ sequence: 1, bundles: [], ...changes }).copy(copy);
      for (const copies of [[copy], [copyOf(1, numbered(1)), copy]]) {
        const flash = new MemoryFlash({ size: SIZE });
        copies.forEach((cells, i) => {
          flash.cells.set(cells, i * COPY);
        });
        const device = new Device({ bundles: [], bundleFlash: flash });
        const before = flash.snapshot();
        expect(loaded(device)).toBe('STORE_FAILED');
        expect(device.take(answer(numbered(2)))).toMatchObject({ code: 'STORE_FAILED' });
        expect(flash.snapshot()).toEqual(before);
      }
    }
  });

  it('is not taken for a log’s', () => {
    const flash = new MemoryFlash({ size: SIZE });
    flash.cells.set(copyOf(1, numbered(1)));
    const log = new BlockLog(flash, { store: 1, format: 3, longest: 26 });
    expect(() => log.open(() => {})).toThrow('the partition holds something else');
  });
});

describe('behind the record', () => {
  it('is the answer as it came, refused bundles and all', () => {
    const { device, flash } = fresh();
    const whole = Buffer.from(` {"x":[1], "bundles" : [ {"a":1} , ${numbered(1)} ] }\n`);
    ok(device.take(whole));
    expect(Buffer.from(flash.contents().subarray(96, 96 + whole.length))).toEqual(whole);
  });

  it('come the bundles that stay, each at the next whole unit, with zeros between', () => {
    const { device, flash } = fresh();
    const [one, two] = [numbered(1), numbered(2)];
    ok(device.take(answer(one, two)));
    const whole = answer(numbered(3));
    ok(device.take(whole));
    const cells = Buffer.from(flash.contents().subarray(COPY));
    const end = 96 + whole.length;
    const first = Math.ceil(end / 16) * 16;
    const second = Math.ceil((first + one.length) / 16) * 16;
    expect(cells.subarray(first, first + one.length)).toEqual(one);
    expect(cells.subarray(second, second + two.length)).toEqual(two);
    for (const [from, to] of [
      [end, first],
      [first + one.length, second],
      [second + two.length, Math.ceil((second + two.length) / 16) * 16],
    ] as const)
      expect(cells.subarray(from, to)).toEqual(Buffer.alloc(to - from));
    const at = 96 + '{"bundles":['.length;
    const bundles = [
      { at, bytes: numbered(3) },
      { at: first, bytes: one },
      { at: second, bytes: two },
    ];
    expect(cells.subarray(0, 96)).toEqual(record({ sequence: 2, bundles }));
  });

  it('pages of 256 bytes are programmed in one operation, and none crosses one; none is programmed twice', () => {
    const { device, operations } = fresh();
    ok(device.take(answer(numbered(1), numbered(2)), 11));
    ok(device.take(answer(numbered(3)), 1000));
    const programs = operations.filter(({ kind }) => kind === 'program');
    expect(programs.every(({ offset, length }) => offset % 256 === 0 || (offset % 256) + length <= 256)).toBe(true);
    expect(programs.filter(({ length }) => length === 256).length).toBeGreaterThan(programs.length / 2);
  });

  it('a block is erased before the first byte in it, the first one before anything else', () => {
    const { device, operations } = fresh();
    ok(device.take(answer(numbered(1), numbered(2), numbered(3), numbered(4))));
    const used = new Set<number>();
    const erased = new Set<number>();
    for (const { kind, offset, length } of operations) {
      if (kind === 'erase') {
        expect(used.has(offset / BLOCK)).toBe(false);
        erased.add(offset / BLOCK);
      } else {
        for (const block of [Math.floor(offset / BLOCK), Math.floor((offset + length - 1) / BLOCK)]) {
          expect(erased.has(block)).toBe(true);
          used.add(block);
        }
      }
    }
    expect(operations[0]).toEqual({ kind: 'erase', offset: 0, length: BLOCK });
  });

  it('nothing depends on what erased cells read as', () => {
    const { device, flash } = fresh({ erasedReads: 'scrambled' });
    ok(device.take(answer(numbered(1))));
    ok(device.take(answer(numbered(2))));
    const again = new Device({ bundles: [], bundleFlash: flash });
    expect(loaded(again)).toEqual(['bundle-1', 'bundle-2']);
  });
});

describe('a start', () => {
  const newer = numbered(1, { bundleId: 'newer', issuedAt: inSeconds(-1) });

  it('takes the copy with the higher sequence number, whichever it is', () => {
    expect(loaded(deviceOn(copyOf(1, numbered(1)), copyOf(2, newer)))).toEqual(['newer']);
    expect(loaded(deviceOn(copyOf(2, newer), copyOf(1, numbered(1))))).toEqual(['newer']);
    expect(loaded(deviceOn(Buffer.alloc(0), copyOf(5, newer)))).toEqual(['newer']);
  });

  it('takes the other one where a bundle is not what its record says, and none where both are not', () => {
    const damaged = (copy: Buffer) => {
      copy[500] = (copy[500] as number) ^ 1;
      return copy;
    };
    const good = () => copyOf(1, numbered(1));
    expect(loaded(deviceOn(good(), damaged(copyOf(2, newer))))).toEqual(['bundle-1']);
    expect(loaded(deviceOn(damaged(good()), copyOf(2, newer)))).toEqual(['newer']);
    expect(loaded(deviceOn(damaged(good()), damaged(copyOf(2, newer))))).toEqual([]);
  });

  it('verifies every bundle again, rollback included', () => {
    const forged = Buffer.from(newer.toString().replace('newer', 'other'));
    expect(loaded(deviceOn(copyOf(1, numbered(2), forged)))).toEqual(['bundle-2']);
    const device = deviceOn(copyOf(1, numbered(1)));
    expect(device.verifier.admit(newer)).toMatchObject({ ok: true });
    expect(device.verifier.loadBundles()).toMatchObject([{ code: 'BUNDLE_ROLLBACK' }]);
  });

  it('keeps one that has expired, and has the ledger remember each', () => {
    const device = deviceOn(copyOf(1, numbered(1, { issuedAt: inSeconds(-9), expiresAt: inSeconds(-1) })));
    expect(loaded(device)).toEqual(['bundle-1']);
    expect(device.ledger.newestBundle(JSON.stringify(['operator-1', '', '', '']))).toMatchObject({
      issuedAtMs: NOW - 9000,
    });
  });

  it('waits without a clock', () => {
    const device = deviceOn(copyOf(1, numbered(1)));
    device.nowMs = undefined;
    expect(loaded(device)).toBe('CLOCK_UNTRUSTED');
    device.nowMs = NOW;
    expect(loaded(device)).toEqual(['bundle-1']);
  });
});

describe('the table of capacities', () => {
  const text = readFileSync('docs/FORMAT.md', 'utf8');

  it.each([
    ['456 KB', bundlePartitionBytes(BLOCK)],
    ['264 KB', bundlePartitionBytes(BLOCK, 1)],
    ['8 KB', bundlePartitionBytes(BLOCK, 1, 0, 4000)],
  ])('has a line for %s', (size, bytes) => {
    expect(bytes).toBe(Number.parseInt(size, 10) * 1024);
    expect(text).toContain(`| ${size} | `);
  });
});
