// docs/FORMAT.md, statement by statement: bytes made here by hand are read by the ledger, and bytes that the ledger writes
// are looked at here. Nothing of the code under test makes or reads bytes in this file.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { type LedgerKind, ledgerKey } from '../../../core/ledger/keys.ts';
import type { LedgerKey } from '../../../core/ledger/ledger.ts';
import type { StoreOptions } from '../../../core/ledger/store-options.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { NOW } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { type Geometry, MemoryFlash } from '../../fixtures/memory-flash.ts';
import { key, newest, receipt, spend } from '../../fixtures/spends.ts';

const SIZE = 16_384;
const BLOCK = 1024;
const NEVER = 0xffff_ffff;
const K = { bundle: 7, floor: 8, giveUp: 1, release: 5, reserve: 3, seal: 9, settle: 4, spend: 2, state: 6 };
const F = { answer: 0x1000, budget: 0x400, bundle: 0x4000, counters: 0x100, grant: 0x200, open: 0x2000, replay: 0x800 };
const COPY = 1;
const CLOSED = 2;
const NO_WINDOW_KEPT = 4;
const NO_KEY = Buffer.alloc(16);

const u8 = (...values: number[]) => Buffer.from(values);
const u16 = (value: number) => number(value, 2);
const u32 = (value: number) => number(value, 4);
const time = (ms: number) => number(ms, 6);
const u128 = (value: bigint) => Buffer.from(value.toString(16).padStart(32, '0'), 'hex').reverse();
const keyBytes = (of: LedgerKey) => Buffer.from(of, 'latin1');

function number(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntLE(value, 0, bytes);
  return buffer;
}

interface Header {
  readonly sequence: number;
  readonly erases?: number;
  readonly previous?: number;
  readonly tail?: number;
  readonly next?: number;
  readonly salt?: number;
  readonly log?: number;
  readonly format?: number;
}

function header({
  sequence,
  erases = 1,
  previous = 0,
  tail = sequence,
  next = 1,
  salt = 0,
  log = 1,
  format = 3,
}: Header): Buffer {
  const head = Buffer.concat([
    u8(0x4d, log, format, 0),
    u32(sequence),
    u32(erases),
    u32(previous),
    u32(tail),
    u32(next),
    u32(salt),
  ]);
  return Buffer.concat([head, u32(crc32(head))]);
}

/** Where a record is: the sequence number of the block, and its salt where that is not 0. */
type In = number | { readonly sequence: number; readonly salt: number };

/** What the CRC of a record begins with. */
const seed = (of: In) =>
  typeof of === 'number' ? Buffer.concat([u32(of), u32(0)]) : Buffer.concat([u32(of.sequence), u32(of.salt)]);

/** The block that cells are in, as its header says. */
const inBlock = (cells: Uint8Array, block: number) => {
  const header = Buffer.from(cells.subarray(block * BLOCK, block * BLOCK + 32));
  return { sequence: header.readUInt32LE(4), salt: header.readUInt32LE(24) };
};

/** The CRC of a record. */
const crcOf = (bytes: Uint8Array) => Buffer.from(bytes).readUInt32LE(8);

/** A record of a block, its CRC seeded with the block's sequence number and salt. */
function record(of: In, kind: number, flags: number, no: number, parts: readonly Buffer[], offset12 = NEVER): Buffer {
  const body = Buffer.concat([u32(offset12), ...parts]);
  const head = Buffer.concat([u8(kind, (12 + body.length) / 16), u16(flags), u32(no)]);
  return Buffer.concat([head, u32(crc32(Buffer.concat([seed(of), head, body]))), body]);
}

const counters = (next: number, ends = 0, floorMs = 0) =>
  Buffer.concat([u32(next), u32(ends), time(floorMs), Buffer.alloc(2)]);
const total = (of: LedgerKey, amount: bigint) => Buffer.concat([keyBytes(of), u128(amount)]);
/** A spend under grant g and budget b, without a window. */
const simple = (sequence: number, no: number, amount: bigint, next = no + 1) =>
  record(sequence, K.spend, F.counters | F.grant | F.budget | NO_WINDOW_KEPT, no, [
    counters(next),
    total(key('g'), amount),
    total(key('b'), amount),
  ]);

/** A partition of 16 blocks of 1 KB with these blocks on it. */
function partition(blocks: Readonly<Record<number, readonly Buffer[]>>): MemoryFlash {
  const flash = new MemoryFlash({ size: SIZE, blockSize: BLOCK });
  for (const [block, parts] of Object.entries(blocks))
    flash.cells.set(Buffer.concat([...parts]), Number(block) * BLOCK);
  return flash;
}

const FIRST = header({ sequence: 1 });

const open = (flash: MemoryFlash, options?: StoreOptions) => new FlashLedger(flash, crypto, options);

/** A ledger on a partition that must be whole. */
function sound(flash: MemoryFlash): FlashLedger {
  const ledger = open(flash);
  expect(ledger.problem).toBeUndefined();
  return ledger;
}

function expectFailed(flash: MemoryFlash): void {
  const before = flash.snapshot();
  expect(open(flash).problem).toMatchObject({ code: 'STORE_FAILED' });
  expect(open(flash).authorize(spend())).toMatchObject({ code: 'STORE_FAILED' });
  expect(Buffer.compare(flash.cells, before)).toBe(0);
}

/** Something is missing: only what was paid from since is still paid from, and it counts on from there. */
function expectDamaged(flash: MemoryFlash, sinceTotal: bigint): void {
  const before = flash.snapshot();
  const ledger = open(flash);
  expect(ledger.problem).toBeUndefined();
  expect(ledger.damage).not.toEqual([]);
  for (const changes of [{ grant: key('x') }, { budget: key('x') }, { replay: key('x') }, { idempotency: key('x') }])
    expect(ledger.authorize(spend(changes))).toMatchObject({ code: 'STORE_FAILED' });
  expect(Buffer.compare(flash.cells, before)).toBe(0);
  expect(ledger.grantTotal(key('g'))).toBe(sinceTotal);
  receipt(ledger.authorize(spend()));
}

function blank(): MemoryFlash {
  return new MemoryFlash({ size: SIZE, blockSize: BLOCK });
}

/** What is programmed and erased, by block, while `work` runs. */
function traced(flash: MemoryFlash, work: () => void): string[] {
  const trace: string[] = [];
  const program = flash.program.bind(flash);
  const erase = flash.erase.bind(flash);
  flash.program = (offset, bytes) => {
    trace.push(offset % BLOCK === 0 ? 'header' : `kind ${bytes[0]}`);
    program(offset, bytes);
  };
  flash.erase = (offset) => {
    trace.push('erase');
    erase(offset);
  };
  work();
  Object.assign(flash, { program, erase });
  return trace;
}

/** A partition whose bus fails: so many reads give 0xFF, or all until something is written or erased. */
function flaky(): MemoryFlash & { blankReads: number; blankUntil: 'program' | 'erase' | undefined } {
  const flash = Object.assign(blank(), {
    blankReads: 0,
    blankUntil: undefined as 'program' | 'erase' | undefined,
  });
  const read = flash.read.bind(flash);
  const erase = flash.erase.bind(flash);
  const program = flash.program.bind(flash);
  flash.read = (offset, target) => {
    read(offset, target);
    if (flash.blankUntil !== undefined || flash.blankReads > 0) target.fill(0xff);
    if (flash.blankReads > 0) flash.blankReads--;
  };
  flash.erase = (offset) => {
    if (flash.blankUntil === 'erase') flash.blankUntil = undefined;
    erase(offset);
  };
  flash.program = (offset, bytes) => {
    if (flash.blankUntil === undefined) return program(offset, bytes);
    if (flash.blankUntil === 'program') flash.blankUntil = undefined;
    // What is in the cells only loses bits.
    bytes.forEach((byte, i) => {
      flash.cells[offset + i] = (flash.cells[offset + i] as number) & byte;
    });
  };
  return flash;
}

function idle(ledger: FlashLedger): FlashLedger {
  while (ledger.step());
  return ledger;
}

/** The bytes that `work` leaves behind the first header of a fresh ledger. */
function writtenBy(work: (ledger: FlashLedger) => void): Buffer {
  const flash = blank();
  work(open(flash));
  return Buffer.from(flash.cells.subarray(32, BLOCK));
}

const bytesOf = (flash: MemoryFlash, block: number, from = 0, to = BLOCK) =>
  Buffer.from(flash.cells.subarray(block * BLOCK + from, block * BLOCK + to));

describe('a header', () => {
  it('of the first block is these 32 bytes', () => {
    const flash = blank();
    open(flash);
    expect(bytesOf(flash, 0, 0, 32)).toEqual(header({ sequence: 1, erases: 1, previous: 0, tail: 1 }));
    expect(FIRST.toString('hex')).toMatch(/^4d010300010000000100000000000000010000000100000000000000[0-9a-f]{8}$/);
  });

  it('of the first block has the salt that formatting was given, of a blank partition too; 0 where it was given none', () => {
    const salt = 0xfedc_ba98;
    const flash = blank();
    open(flash, { salt });
    expect(bytesOf(flash, 0, 0, 32)).toEqual(header({ sequence: 1, salt }));
    FlashLedger.format(flash);
    expect(bytesOf(flash, 0, 0, 32)).toEqual(header({ sequence: 1 }));
    FlashLedger.format(flash, salt);
    expect(bytesOf(flash, 0, 0, 32)).toEqual(header({ sequence: 1, salt }));
    receipt(sound(flash).authorize(spend()));
    expect(sound(flash).grantTotal(key('g'))).toBe(10n);
  });

  it('of a later block has the salt of the head, exclusive or the CRC of its first record, where it has one', () => {
    const salt = 0x8000_0001;
    const flash = blank();
    const ledger = open(flash, { salt });
    ledger.step();
    expect(inBlock(flash.cells, 1)).toEqual({ sequence: 2, salt });
    receipt(ledger.authorize(spend()));
    receipt(ledger.authorize(spend()));
    sound(flash).step();
    expect(inBlock(flash.cells, 2)).toEqual({ sequence: 3, salt: (salt ^ crcOf(bytesOf(flash, 0, 32))) >>> 0 });
  });

  it('of the next one names the head and the tail, and counts its erases', () => {
    const flash = blank();
    open(flash).step();
    expect(bytesOf(flash, 1, 0, 32)).toEqual(header({ sequence: 2, erases: 2, previous: 1, tail: 1 }));
    sound(flash).step();
    expect(bytesOf(flash, 2, 0, 32)).toEqual(header({ sequence: 3, erases: 3, previous: 1, tail: 1 }));
  });

  it('with a wrong bit is none', () => {
    for (let bit = 0; bit < 256; bit++) {
      const flash = partition({
        0: [FIRST, simple(1, 1, 10n)],
        1: [header({ sequence: 2, previous: 1, tail: 1 }), simple(2, 2, 20n)],
      });
      const at = BLOCK + (bit >> 3);
      flash.cells[at] = (flash.cells[at] as number) ^ (1 << (bit & 7));
      expect(open(flash).grantTotal(key('g')), `bit ${bit}`).toBe(10n);
    }
  });

  it('of another log or format refuses the partition, wherever it stands', () => {
    for (const other of [{ log: 2 }, { format: 1 }, { format: 2 }, { format: 4 }])
      for (const block of [0, 9])
        expectFailed(partition({ 1: [FIRST, simple(1, 1, 10n)], [block]: [header({ sequence: 1, ...other })] }));
  });
});

describe('a record', () => {
  it('of a payment is these bytes: header, counters, grant, budget', () => {
    expect(writtenBy((ledger) => receipt(ledger.authorize(spend({ window: undefined })))).subarray(0, 96)).toEqual(
      record(
        1,
        K.spend,
        F.counters | F.grant | F.budget | NO_WINDOW_KEPT,
        1,
        [counters(2), total(key('g'), 10n), total(key('b'), 10n)],
        Math.ceil((NOW + 1000) / 1000),
      ),
    );
  });

  it('that is made by hand is read', () => {
    const ledger = sound(partition({ 0: [FIRST, simple(1, 1, 10n), simple(1, 2, 30n)] }));
    expect([ledger.grantTotal(key('g')), ledger.budgetTotal(key('b'))]).toEqual([30n, 30n]);
    expect(receipt(ledger.authorize(spend())).receiptId).toBe(3);
  });

  it('holds the whole state: the newest is all there is to know', () => {
    const flash = partition({
      0: [FIRST, simple(1, 1, 10n), simple(1, 2, 99n)],
    });
    expect(sound(flash).grantTotal(key('g'))).toBe(99n);
  });

  it('has a CRC that begins with the sequence number of its block', () => {
    expect(sound(partition({ 0: [FIRST, simple(1, 1, 10n), simple(2, 2, 99n)] })).grantTotal(key('g'))).toBe(10n);
  });

  it('has its number from the one before, across blocks', () => {
    const next = header({ sequence: 2, previous: 1, tail: 1 });
    expect(sound(partition({ 0: [FIRST, simple(1, 1, 1n)], 4: [next, simple(2, 2, 2n)] })).grantTotal(key('g'))).toBe(
      2n,
    );
    expectDamaged(partition({ 0: [FIRST, simple(1, 1, 1n)], 4: [next, simple(2, 3, 2n)] }), 2n);
    expectFailed(partition({ 0: [FIRST, simple(1, 1, 1n)], 4: [next, simple(2, 1, 2n)] }));
  });

  it('of more than 26 units is none', () => {
    const long = record(1, K.seal, 0, 2, [Buffer.alloc(26 * 16)]);
    expect(sound(partition({ 0: [FIRST, simple(1, 1, 10n), long, Buffer.alloc(16)] })).grantTotal(key('g'))).toBe(10n);
  });

  it('does not cross the end of its block', () => {
    const flash = blank();
    const ledger = open(flash);
    for (let i = 0; i < 10; i++) receipt(ledger.authorize(spend({ window: undefined })));
    // Header 2, room for 60 units, ten records of 6.
    expect(bytesOf(flash, 0, 32 + 10 * 96)).toEqual(Buffer.alloc(32, 0xff));
    receipt(ledger.authorize(spend({ window: undefined })));
    expect(bytesOf(flash, 0, 32 + 10 * 96)).toEqual(Buffer.alloc(32, 0xff));
    expect(flash.cells[BLOCK + 32]).toBe(K.spend);
  });

  it('of any kind from 2 up is read by its parts', () => {
    for (const kind of [2, 3, 4, 5, 6, 7, 8, 9, 77]) {
      const one = record(1, kind, F.budget, 1, [total(key('b'), 5n)]);
      expect(sound(partition({ 0: [FIRST, one] })).budgetTotal(key('b')), `kind ${kind}`).toBe(5n);
    }
  });

  it('whose kind is 0 is none', () => {
    expect(
      sound(partition({ 0: [FIRST, record(1, 0, F.budget, 1, [total(key('b'), 5n)])] })).budgetTotal(key('b')),
    ).toBe(0n);
  });
});

describe('the parts', () => {
  const content = keyBytes(key('content'));
  const window = Buffer.concat([time(0), u8(1, 0), time(NOW), u16(1)]);
  const answer = (state: number, receiptId = 1) =>
    Buffer.concat([keyBytes(key('i')), content, u128(10n), time(NOW), u32(receiptId), u8(state, 0, 0, 0, 0, 0)]);
  const openPart = Buffer.concat([
    keyBytes(key('g')),
    keyBytes(key('b')),
    keyBytes(key('i')),
    u128(10n),
    time(NOW),
    u32(1),
    Buffer.alloc(6),
  ]);
  const until = Math.ceil((NOW + 1000) / 1000);
  const flags = F.counters | F.grant | F.budget | F.replay | F.answer;
  const reserved = record(
    1,
    K.reserve,
    flags | F.open,
    1,
    [counters(2), total(key('g'), 10n), window, total(key('b'), 10n), keyBytes(key('r')), answer(1), openPart],
    until,
  );
  const order = { replay: key('r'), idempotency: key('i') };

  it('of a reservation are all but a bundle’s, in their order', () => {
    expect(writtenBy((ledger) => receipt(ledger.reserve(spend(order)))).subarray(0, reserved.length)).toEqual(reserved);
  });

  it('that are made by hand are read', () => {
    const ledger = sound(partition({ 0: [FIRST, reserved] }));
    expect(ledger.grantTotal(key('g'))).toBe(10n);
    expect(ledger.seen(key('r'))).toBe(true);
    expect([ledger.paymentsSince(key('g'), NOW - 1), ledger.paymentsSince(key('g'), NOW)]).toEqual([1, 0]);
    expect(ledger.answered(key('i'))).toEqual({
      receiptId: 1,
      amount: 10n,
      timeMs: NOW,
      content: key('content'),
      state: 'reserved',
    });
    expect(ledger.openReservations()).toEqual([
      { receiptId: 1, grant: key('g'), budget: key('b'), amount: 10n, timeMs: NOW },
    ]);
  });

  it('of a settlement name the reservation, and have what is counted now', () => {
    const settled = record(
      1,
      K.settle,
      F.counters | F.grant | F.budget | F.answer,
      2,
      [counters(3, 1), total(key('g'), 4n), window, total(key('b'), 4n), answer(2)],
      until,
    );
    const bytes = writtenBy((ledger) => {
      receipt(ledger.reserve(spend(order)));
      receipt(ledger.settle(1, 4n, NOW));
    });
    expect(bytes.subarray(reserved.length, reserved.length + settled.length)).toEqual(settled);
    const ledger = sound(partition({ 0: [FIRST, reserved, settled] }));
    expect([ledger.grantTotal(key('g')), ledger.openReservations(), ledger.answered(key('i'))?.state]).toEqual([
      4n,
      [],
      'ended',
    ]);
  });

  it('of a release are those of a settlement', () => {
    const released = record(
      1,
      K.release,
      F.counters | F.grant | F.budget | F.answer,
      2,
      [counters(3, 1), total(key('g'), 0n), window, total(key('b'), 0n), answer(2)],
      until,
    );
    const bytes = writtenBy((ledger) => {
      receipt(ledger.reserve(spend(order)));
      receipt(ledger.release(1, NOW));
    });
    expect(bytes.subarray(reserved.length, reserved.length + released.length)).toEqual(released);
  });

  it('of a bundle are counters, without a receipt, and the bundle; never to be dropped', () => {
    const identity = Buffer.from(createHash('sha256').update('bundle:name').digest().subarray(0, 16));
    const digest = Buffer.from(newest(0, 0).digest, 'latin1');
    const bundle = (issuedAt: number) =>
      record(1, K.bundle, F.counters | F.bundle, 1, [
        counters(1, 0, issuedAt === 2 ** 47 - 1 ? 0 : issuedAt),
        Buffer.concat([identity, time(issuedAt), time(NOW + 7), Buffer.alloc(4), digest]),
      ]);
    for (const [issuedAtMs, stored] of [
      [NOW, NOW],
      [undefined, 2 ** 47 - 1],
    ] as const) {
      const bytes = writtenBy((ledger) => ledger.admitted('name', newest(issuedAtMs, NOW + 7)));
      expect(bytes.subarray(0, 80)).toEqual(bundle(stored));
      const ledger = sound(partition({ 0: [FIRST, bundle(stored)] }));
      expect(ledger.newestBundle('name')).toEqual(newest(issuedAtMs, NOW + 7));
      expect(ledger.timeFloorMs()).toBe(issuedAtMs ?? 0);
    }
  });

  it('of a grant outlive the others by the hours in the counters', () => {
    const keep = NOW + 1000;
    const hours = (count: number) => {
      const part = counters(2);
      part.writeUInt16LE(count, 14);
      return part;
    };
    const spent = (count: number) =>
      record(
        1,
        K.spend,
        F.counters | F.grant | F.budget | NO_WINDOW_KEPT,
        1,
        [hours(count), total(key('g'), 10n), total(key('b'), 10n)],
        keep / 1000,
      );
    for (const [grantUntilMs, count] of [
      [keep + 90 * 60_000, 2],
      [keep - 1, 0],
      [2 ** 46, 0xffff],
    ] as const) {
      const bytes = writtenBy((ledger) => receipt(ledger.authorize(spend({ window: undefined, grantUntilMs }))));
      expect(bytes.subarray(0, 96)).toEqual(spent(count));
    }
  });

  it('of a time floor are counters', () => {
    const floor = record(1, K.floor, F.counters, 1, [counters(1, 0, NOW)]);
    expect(writtenBy((ledger) => ledger.raiseTimeFloor(NOW)).subarray(0, 32)).toEqual(floor);
    expect(sound(partition({ 0: [FIRST, floor] })).timeFloorMs()).toBe(NOW);
  });

  it('are none in a seal', () => {
    const bytes = writtenBy((ledger) => {
      ledger.raiseTimeFloor(NOW);
      idle(ledger);
    });
    expect(bytes.subarray(32, 48)).toEqual(record(1, K.seal, 0, 2, [], 0));
  });

  it('of a budget that is closed have its key as a replay id', () => {
    const closed = record(1, K.spend, F.budget | CLOSED, 1, [total(key('b'), 5n)]);
    expect(sound(partition({ 0: [FIRST, closed] })).seen(key('b'))).toBe(true);
    const bytes = writtenBy((ledger) => receipt(ledger.authorize(spend({ replay: key('b') }))));
    expect(bytes.readUInt16LE(2)).toBe(F.counters | F.grant | F.budget | CLOSED);
  });

  it('hold amounts of 128 bits', () => {
    const most = 2n ** 128n - 1n;
    const ledger = sound(partition({ 0: [FIRST, simple(1, 1, most)] }));
    expect(ledger.grantTotal(key('g'))).toBe(most);
    expect(ledger.authorize(spend({ amount: 1n }))).toMatchObject({ code: 'AMOUNT_EXCEEDED' });
  });
});

describe('a window', () => {
  const times = Array.from({ length: 16 }, (_, i) => NOW + i);
  const entries = (list: readonly (readonly [number, number])[], missing = 0) => {
    const bytes = Buffer.concat([time(missing), u8(list.length, 0), ...list.flatMap(([ms, n]) => [time(ms), u16(n)])]);
    return Buffer.concat([bytes, Buffer.alloc((16 - (bytes.length % 16)) % 16)]);
  };
  const windowBytes = (count: number) => {
    const flash = blank();
    const ledger = open(flash);
    for (let i = 0; i < count; i++) receipt(ledger.authorize(spend({ timeMs: NOW + i })));
    const at = Buffer.from(flash.cells).lastIndexOf(Buffer.concat([total(key('g'), BigInt(10 * count))]));
    return Buffer.from(flash.cells.subarray(at + 32, Buffer.from(flash.cells).indexOf(keyBytes(key('b')), at)));
  };

  it('has entries of eight bytes, the oldest first; one unit, and one for every two', () => {
    for (const [count, units] of [
      [1, 1],
      [2, 2],
      [3, 2],
      [16, 9],
    ] as const) {
      const bytes = entries(times.slice(0, count).map((ms) => [ms, 1] as const));
      expect(windowBytes(count)).toEqual(bytes);
      expect(bytes.length / 16).toBe(units);
    }
  });

  it('joins the two oldest beyond 16', () => {
    const joined = [[NOW + 1, 2] as const, ...times.slice(2).map((ms) => [ms, 1] as const), [NOW + 16, 1] as const];
    expect(windowBytes(17)).toEqual(entries(joined));
  });

  it('that says payments may be missing counts as more than any limit until they have left', () => {
    const grant = (bytes: Buffer) =>
      partition({ 0: [FIRST, record(1, K.spend, F.grant, 1, [total(key('g'), 9n), bytes])] });
    const ledger = sound(grant(entries([[NOW + 5, 3]], NOW)));
    expect(ledger.paymentsSince(key('g'), NOW - 1)).toBe(Number.MAX_SAFE_INTEGER);
    expect(ledger.paymentsSince(key('g'), NOW)).toBe(3);
    const later = sound(grant(entries([[NOW, 0xffff], ...times.slice(1).map((ms) => [ms, 1] as const)])));
    receipt(later.authorize(spend({ timeMs: NOW + 20 })));
    expect(later.paymentsSince(key('g'), NOW)).toBe(Number.MAX_SAFE_INTEGER);
    expect(later.paymentsSince(key('g'), NOW + 1)).toBe(15);
  });

  it('that was not kept is more than any limit, and is not begun later', () => {
    const ledger = sound(partition({ 0: [FIRST, simple(1, 1, 10n)] }));
    receipt(ledger.authorize(spend()));
    expect(ledger.paymentsSince(key('g'), NOW)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('a key', () => {
  it('is 16 bytes of a SHA-256 over kind, signer and name', () => {
    const signer = new Uint8Array(32).map((_, i) => i * 8);
    const by = Buffer.from(Array.from(signer, (byte) => String.fromCodePoint(byte)).join(''), 'utf8');
    const expected = (kind: LedgerKind, signerBytes: Buffer) =>
      createHash('sha256')
        .update(Buffer.concat([Buffer.from(`${kind}:`), signerBytes, Buffer.from('näme')]))
        .digest()
        .subarray(0, 16)
        .toString('latin1');
    for (const kind of ['budget', 'decision', 'idempotency', 'content'] as const)
      expect(ledgerKey(crypto, kind, signer, 'näme')).toBe(expected(kind, by));
    for (const kind of ['grant', 'bundle'] as const)
      expect(ledgerKey(crypto, kind, new Uint8Array(0), 'näme')).toBe(expected(kind, Buffer.alloc(0)));
  });

  it('of zeros is none, where one may be missing', () => {
    const bytes = Buffer.concat([keyBytes(key('i')), NO_KEY, u128(1n), time(NOW), u32(1), Buffer.alloc(6)]);
    const ledger = sound(partition({ 0: [FIRST, record(1, K.spend, F.answer, 1, [bytes])] }));
    expect(ledger.answered(key('i'))).toMatchObject({ content: undefined, state: 'paid' });
  });
});

describe('a start', () => {
  const second = header({ sequence: 2, previous: 1, tail: 1 });
  const third = header({ sequence: 3, previous: 2, tail: 1 });
  const givesUp = (sequence: number, no: number, tail: number, next = 9, floorMs = 0) =>
    record(sequence, K.giveUp, 0, no, [counters(next, 0, floorMs)], tail);

  it('follows the chain, in whatever blocks it lies', () => {
    const flash = partition({
      9: [FIRST, simple(1, 1, 1n)],
      3: [second, simple(2, 2, 2n)],
      5: [third, simple(3, 3, 3n)],
    });
    expect(sound(flash).grantTotal(key('g'))).toBe(3n);
  });

  it('passes over blocks that nothing in the log names', () => {
    const stale = header({ sequence: 2, previous: 1, tail: 1 });
    const head = header({ sequence: 3, previous: 1, tail: 1 });
    const flash = partition({
      0: [FIRST, simple(1, 1, 1n)],
      1: [stale, simple(2, 2, 99n)],
      2: [head, simple(3, 2, 2n)],
    });
    expect(sound(flash).grantTotal(key('g'))).toBe(2n);
  });

  it('ends at the tail that the newest record of kind 1 names', () => {
    const flash = partition({
      0: [FIRST, simple(1, 1, 1n)],
      1: [second, record(2, K.state, F.budget, 2, [total(key('b2'), 7n)])],
      2: [third, givesUp(3, 3, 2)],
    });
    const ledger = sound(flash);
    expect([ledger.grantTotal(key('g')), ledger.budgetTotal(key('b2'))]).toEqual([0n, 7n]);
  });

  it('ends without one at the tail that the header of the head names', () => {
    const flash = partition({
      1: [header({ sequence: 8, previous: 7, tail: 8 }), simple(8, 55, 5n)],
      2: [header({ sequence: 9, previous: 8, tail: 8 }), simple(9, 56, 6n)],
    });
    expect(sound(flash).grantTotal(key('g'))).toBe(6n);
  });

  it('takes receipt ids and the time floor from what gives up a block, too', () => {
    const flash = partition({ 0: [FIRST, simple(1, 1, 1n)], 1: [second, givesUp(2, 2, 2, 40, NOW)] });
    const ledger = sound(flash);
    expect([ledger.timeFloorMs(), receipt(ledger.authorize(spend())).receiptId]).toEqual([NOW, 40]);
  });

  it('leaves out newest blocks with nothing, or nothing but copies', () => {
    const copy = (sequence: number) => record(sequence, K.state, F.budget | COPY, 2, [total(key('b'), 99n)]);
    const flash = partition({ 0: [FIRST, simple(1, 1, 1n)], 1: [second, copy(2)], 2: [third] });
    const ledger = sound(flash);
    expect(ledger.budgetTotal(key('b'))).toBe(1n);
    receipt(ledger.authorize(spend()));
    expect(sound(flash).budgetTotal(key('b'))).toBe(11n);
  });

  it('keeps a block of copies that a later one follows', () => {
    const copy = record(2, K.state, F.budget | COPY, 2, [total(key('b2'), 99n)]);
    const flash = partition({ 0: [FIRST, simple(1, 1, 1n)], 1: [second, copy], 2: [third, simple(3, 3, 3n)] });
    expect(sound(flash).budgetTotal(key('b2'))).toBe(99n);
  });

  it('passes over what is torn at the end of a block, and gives its number again', () => {
    const torn = simple(1, 2, 99n).subarray(0, 90);
    const flash = partition({ 0: [FIRST, simple(1, 1, 1n), torn], 1: [second, simple(2, 2, 5n)] });
    expect(sound(flash).grantTotal(key('g'))).toBe(5n);
  });

  it('writes nothing, and no block of the log afterwards', () => {
    const flash = partition({ 0: [FIRST, simple(1, 1, 1n)] });
    const before = flash.snapshot();
    const ledger = sound(flash);
    expect(Buffer.compare(flash.cells, before)).toBe(0);
    receipt(ledger.authorize(spend()));
    expect(Buffer.compare(flash.cells.subarray(0, BLOCK), before.subarray(0, BLOCK))).toBe(0);
  });

  describe('finds damage', () => {
    it.each<[string, Readonly<Record<number, readonly Buffer[]>>, bigint]>([
      ['where a number is passed over', { 0: [FIRST, simple(1, 1, 1n), simple(1, 3, 3n)] }, 3n],
      ['where the first record of a log has not number 1', { 0: [FIRST, simple(1, 2, 1n)] }, 1n],
      [
        'where a tail does not begin with a record',
        { 0: [header({ sequence: 8, previous: 7, tail: 8 }), Buffer.alloc(96, 0x5a), simple(8, 56, 1n)] },
        1n,
      ],
      [
        'where a tail has no record',
        {
          0: [header({ sequence: 8, previous: 7, tail: 8 })],
          1: [header({ sequence: 9, previous: 8, tail: 8 }), simple(9, 56, 1n)],
        },
        1n,
      ],
      ['where a block that is named is not there', { 2: [third, simple(3, 3, 3n)], 0: [FIRST, simple(1, 1, 1n)] }, 3n],
      [
        'where the chain ends before the tail',
        { 0: [FIRST, simple(1, 1, 1n)], 1: [header({ sequence: 9, previous: 1, tail: 5 }), simple(9, 2, 2n)] },
        2n,
      ],
      ['where a block names itself', { 0: [header({ sequence: 5, previous: 5, tail: 4 }), simple(5, 1, 1n)] }, 1n],
    ])('%s', (_, blocks, total) => expectDamaged(partition(blocks), total));

    it('where a number comes twice: then nothing stands for itself', () => {
      expectFailed(partition({ 0: [FIRST, simple(1, 1, 1n), simple(1, 1, 3n)] }));
      expectFailed(partition({ 0: [FIRST, simple(1, 1, 1n), simple(1, 2, 2n), simple(1, 1, 3n), simple(1, 2, 4n)] }));
    });

    it('with a copy behind it: a copy may be of what is older than what is missing', () => {
      const copy = record(1, K.state, 1 | F.grant | F.budget | NO_WINDOW_KEPT, 3, [
        total(key('g'), 1n),
        total(key('b'), 1n),
      ]);
      const floor = record(1, K.floor, F.counters, 4, [counters(3)]);
      const flash = partition({ 0: [FIRST, simple(1, 1, 1n), copy, floor] });
      const ledger = open(flash);
      expect(ledger.problem).toBeUndefined();
      expect(ledger.authorize(spend())).toMatchObject({ code: 'STORE_FAILED' });
    });

    it('where a header states a newer record than there is: then nothing is recorded', () => {
      const prepared = header({ sequence: 2, previous: 1, tail: 1, next: 3 });
      sound(partition({ 0: [FIRST, simple(1, 1, 1n), simple(1, 2, 2n)], 4: [prepared] }));
      expectFailed(partition({ 0: [FIRST, simple(1, 1, 1n)], 4: [prepared] }));
    });

    it('and goes on finding it: what is prepared then names the tail that there should be', () => {
      const flash = partition({ 2: [third, simple(3, 3, 3n)], 0: [FIRST, simple(1, 1, 1n)] });
      const older = bytesOf(flash, 0);
      for (let i = 0; i < 3; i++) {
        const ledger = idle(open(flash));
        expect(ledger.damage).not.toEqual([]);
        receipt(ledger.authorize(spend()));
        expect(ledger.authorize(spend({ grant: key('x') }))).toMatchObject({ code: 'STORE_FAILED' });
      }
      expect(open(flash).damage).not.toEqual([]);
      expect(bytesOf(flash, 0)).toEqual(older);
    });

    it('with no counters behind it: then nothing is recorded', () => {
      const seal = record(1, K.seal, 0, 3, []);
      expectFailed(partition({ 0: [FIRST, simple(1, 1, 1n), seal] }));
    });

    it('while it runs, when a record is looked up or its block is cleaned', () => {
      const damaged = () => {
        const flash = partition({ 0: [FIRST, simple(1, 1, 1n), simple(1, 2, 2n)] });
        const ledger = sound(flash);
        flash.cells[32 + 96 + 40] = (flash.cells[32 + 96 + 40] as number) ^ 1;
        return { flash, ledger };
      };
      const asked = damaged().ledger;
      asked.grantTotal(key('g'));
      expect(asked.authorize(spend({ grant: key('other'), budget: key('b2') }))).toMatchObject({
        code: 'STORE_FAILED',
      });
      const { ledger } = damaged();
      for (let i = 0; i < 500 && ledger.problem === undefined; i++) {
        ledger.raiseTimeFloor(i);
        idle(ledger);
      }
      expect(ledger.problem).toMatchObject({ code: 'STORE_FAILED' });
    });
  });
});

describe('the order of writes', () => {
  it('at compaction is copies, then what gives up the block, and only later its erase', () => {
    const flash = blank();
    const ledger = open(flash);
    receipt(ledger.authorize(spend({ budget: key('kept'), replay: key('kept-r') })));
    for (let i = 0; ; i++) {
      const trace = traced(flash, () => {
        receipt(ledger.authorize(spend({ grant: key('x'), budget: key('y'), window: undefined })));
        idle(ledger);
      });
      expect(i).toBeLessThan(400);
      if (!trace.includes('kind 1')) continue;
      expect(trace.slice(trace.indexOf('kind 6'), trace.indexOf('kind 1') + 1)).toEqual(['kind 6', 'kind 1']);
      expect(bytesOf(flash, 0, 0, 32)).toEqual(FIRST);
      break;
    }
    const copy = Buffer.from(flash.cells).lastIndexOf(keyBytes(key('kept-r')));
    const at = copy - 16 - 32 - 48;
    expect(flash.cells[at]).toBe(K.state);
    expect(Buffer.from(flash.cells).readUInt16LE(at + 2)).toBe(F.grant | F.budget | F.replay | COPY);
    expect(sound(flash).seen(key('kept-r'))).toBe(true);
  });

  it('gives up a block with a record that has the new tail, the next receipt id and the time floor', () => {
    const flash = blank();
    const ledger = open(flash);
    const found: Buffer[] = [];
    const program = flash.program.bind(flash);
    flash.program = (offset, bytes) => {
      program(offset, bytes);
      if (offset % BLOCK === 0 || bytes[0] !== K.giveUp) return;
      const of = inBlock(flash.cells, Math.floor(offset / BLOCK));
      const no = Buffer.from(bytes).readUInt32LE(4);
      found.push(Buffer.from(bytes));
      expect(found.at(-1)).toEqual(
        record(of, K.giveUp, 0, no, [counters(lastReceipt + 1, 0, NOW + 3)], found.length + 1),
      );
    };
    let lastReceipt = 0;
    ledger.raiseTimeFloor(NOW + 3);
    for (let i = 0; i < 200; i++) {
      lastReceipt = receipt(ledger.authorize(spend({ window: undefined }))).receiptId;
      idle(ledger);
    }
    expect(found.length).toBeGreaterThan(3);
  });

  it('of a payment is one program', () => {
    const flash = blank();
    const ledger = idle(open(flash));
    expect(traced(flash, () => receipt(ledger.authorize(spend())))).toEqual(['kind 2']);
  });

  it('of a block that is made ready is an erase and a header', () => {
    const flash = blank();
    const ledger = open(flash);
    expect(traced(flash, () => ledger.step())).toEqual(['erase', 'header']);
  });

  it('of formatting is all erases, those of a log oldest first, then the first header', () => {
    const flash = partition({
      0: [header({ sequence: 3, previous: 2, tail: 1 }), simple(3, 3, 3n)],
      1: [FIRST, simple(1, 1, 1n)],
      2: [header({ sequence: 2, previous: 1, tail: 1 }), simple(2, 2, 2n)],
    });
    const offsets: number[] = [];
    const erase = flash.erase.bind(flash);
    flash.erase = (offset) => {
      offsets.push(offset / BLOCK);
      erase(offset);
    };
    expect(traced(flash, () => FlashLedger.format(flash))).toEqual([...Array(16).fill('erase'), 'header']);
    expect(offsets.slice(-3)).toEqual([1, 2, 0]);
    expect(bytesOf(flash, 0, 0, 32)).toEqual(FIRST);
  });
});

describe('an entry', () => {
  /** A spend that can matter until then, on a ledger that goes around twice after the floor was raised. */
  function aged(keepUntilMs: number, floorMs: number, reserve = false): FlashLedger {
    const flash = blank();
    const ledger = open(flash);
    const of = spend({ grant: key('old'), budget: key('old-b'), idempotency: key('old-i'), keepUntilMs });
    receipt(reserve ? ledger.reserve(of) : ledger.authorize(of));
    ledger.raiseTimeFloor(floorMs);
    for (let i = 0; i < 300; i++) {
      receipt(ledger.authorize(spend({ keepUntilMs: Number.MAX_SAFE_INTEGER })));
      idle(ledger);
    }
    return sound(flash);
  }

  it('goes once the time floor is past its time, rounded up to seconds', () => {
    expect(aged(NOW + 1, NOW + 1001).grantTotal(key('old'))).toBe(0n);
    expect(aged(NOW + 1, NOW + 1000).grantTotal(key('old'))).toBe(10n);
  });

  it('of an open reservation stays', () => {
    const ledger = aged(NOW + 1, NOW + 1_000_000, true);
    expect([ledger.grantTotal(key('old')), ledger.budgetTotal(key('old-b'))]).toEqual([10n, 10n]);
    expect(ledger.answered(key('old-i'))?.state).toBe('reserved');
  });

  it('whose time is 0xFFFFFFFF stays, however late it gets', () => {
    expect(aged(Number.MAX_SAFE_INTEGER, 2 ** 46).grantTotal(key('old'))).toBe(10n);
  });
});

describe('capacity', () => {
  const geometry: Geometry = { size: 65_536 };

  it('is (blocks − 3) · (units of a block − 30) units', () => {
    for (const [size, blockSize, units] of [
      [65_536, 4096, 2938],
      [655_360, 4096, 35_482],
      [16_384, 1024, 442],
    ] as const)
      expect(open(new MemoryFlash({ size, blockSize })).fill).toMatchObject({ used: 0, of: units });
  });

  it('is used by entries as if each had a record of its own', () => {
    const used = (of: Parameters<typeof spend>[0], reserve = false) => {
      const ledger = open(new MemoryFlash(geometry));
      receipt(reserve ? ledger.reserve(spend(of)) : ledger.authorize(spend(of)));
      return ledger.fill.used;
    };
    const base = { window: undefined };
    expect(used(base)).toBe(3 + 3);
    expect(used({})).toBe(4 + 3);
    expect(used({ ...base, replay: key('r') })).toBe(6 + 2);
    expect(used({ ...base, idempotency: key('i') })).toBe(6 + 5);
    expect(used(base, true)).toBe(6 + 6);
    const ledger = open(new MemoryFlash(geometry));
    ledger.admitted('name', newest(NOW, NOW));
    expect(ledger.fill.used).toBe(4);
    for (let i = 0; i < 20; i++) receipt(ledger.authorize(spend({ timeMs: NOW + i })));
    expect(ledger.fill.used).toBe(4 + 12 + 3);
  });

  it('of 64 KB is as many entries as the table says', () => {
    // One grant or budget is there for all of the others.
    for (const [of, count] of [
      [(i: number) => ({ window: undefined, budget: key(`${i}`) }), 978],
      [(i: number) => ({ window: undefined, grant: key(`${i}`) }), 978],
      [(i: number) => ({ window: undefined, replay: key(`${i}`) }), 1466],
      [(i: number) => ({ grant: key(`${i}`) }), 733],
    ] as const) {
      const ledger = open(new MemoryFlash(geometry));
      let taken = 0;
      while (!('code' in ledger.authorize(spend(of(taken))))) taken++;
      expect(taken).toBe(count);
    }
  }, 30_000);

  it('and what is in the tables above is in the document', () => {
    const text = readFileSync(new URL('../../../docs/FORMAT.md', import.meta.url), 'utf8');
    expect(text).toContain('| 64 KB | 2938 | 979 | 1469 | 734 |');
    expect(text).toContain('| 640 KB | 35,482 | 11,827 | 17,741 | 8870 |');
  });
});

describe('a partition', () => {
  it('is blank where all but its first 32 bytes read 0xFF, and is formatted then', () => {
    const flash = blank();
    flash.cells.fill(0, 0, 32);
    sound(flash);
    expect(bytesOf(flash, 0, 0, 32)).toEqual(FIRST);
    for (const at of [32, SIZE - 1]) {
      const other = blank();
      other.cells[at] = 0xfe;
      expectFailed(other);
    }
    const empty = partition({ 0: [header({ sequence: 1, erases: 9 })] });
    sound(empty);
    expect(empty.done).toMatchObject({ erase: 0, program: 0 });
    expectFailed(partition({ 0: [header({ sequence: 1, log: 2 })] }));
    const never = blank();
    expect(open(never, { autoFormat: 'never' }).problem).toMatchObject({ code: 'STORE_FAILED' });
    expect(never.cells.every((byte) => byte === 0xff)).toBe(true);
  });

  it('that is blank has its first header written, then only its first block erased: the others are when they are made ready', () => {
    const flash = blank();
    expect(traced(flash, () => sound(flash))).toEqual(['header', 'erase', 'header']);
    expect(traced(flash, () => sound(flash).step())).toEqual(['erase', 'header']);
  });

  it('that reads 0xFF once, as a bus that fails for a moment does, keeps its log', () => {
    for (const reads of [0, 1, 2, 5, 17, 40, 41, 64]) {
      const flash = flaky();
      const ledger = open(flash);
      while (ledger.fill.used < 100) receipt(ledger.authorize(spend({ budget: key(`${ledger.fill.used}`) })));
      const before = ledger.grantTotal(key('g'));
      flash.blankReads = reads;
      const during = open(flash);
      if (during.problem === undefined) expect([during.grantTotal(key('g')), reads]).toEqual([before, reads]);
      else expect(during.problem.code).toBe('STORE_FAILED');
      flash.blankReads = 0;
      expect(sound(flash).grantTotal(key('g'))).toBe(before);
    }
  });

  it.each(['program', 'erase'] as const)(
    'that reads 0xFF until the first %s is refused, and nothing is erased',
    (until) => {
      for (const idleFirst of [true, false]) {
        const flash = flaky();
        const ledger = open(flash);
        if (idleFirst) idle(ledger);
        for (let i = 0; i < 10; i++) receipt(ledger.authorize(spend()));
        const before = flash.snapshot();
        flash.blankUntil = until;
        const trace = traced(flash, () => expect(open(flash).problem).toMatchObject({ code: 'STORE_FAILED' }));
        expect(trace).toEqual(['header']);
        expect(Buffer.compare(flash.cells.subarray(32), before.subarray(32))).toBe(0);
        flash.blankUntil = undefined;
        const later = open(flash);
        expect([later.problem?.code ?? later.grantTotal(key('g')), until]).toEqual([100n, until]);
      }
    },
  );

  it('whose header was written over by one with another salt is never an empty ledger', () => {
    for (const idleFirst of [true, false]) {
      const flash = flaky();
      const ledger = open(flash, { salt: 0x1234_5678 });
      if (idleFirst) idle(ledger);
      for (let i = 0; i < 10; i++) receipt(ledger.authorize(spend()));
      flash.blankUntil = 'erase';
      expect(open(flash, { salt: 0x8765_4321 }).problem).toMatchObject({ code: 'STORE_FAILED' });
      flash.blankUntil = undefined;
      const later = open(flash, { salt: 1 });
      expect(['STORE_FAILED', 100n]).toContain(later.problem?.code ?? later.grantTotal(key('g')));
    }
  });

  it('of encrypted flash is formatted by provisioning, and then used as any other', () => {
    const flash = new SimulatedFlash(new MemoryStore(SIZE), {
      geometry: { blockSize: BLOCK, programSize: 16 },
      erasedReads: 'scrambled',
    });
    expect(new FlashLedger(flash, crypto).problem).toMatchObject({ code: 'STORE_FAILED' });
    FlashLedger.format(flash);
    let ledger = new FlashLedger(flash, crypto);
    for (let i = 0; i < 300; i++) {
      receipt(ledger.authorize(spend({ budget: key(`${i % 20}`) })));
      if (i % 7 === 0) ledger = new FlashLedger(flash, crypto);
      if (i % 3 === 0) idle(ledger);
    }
    const later = new FlashLedger(flash, crypto);
    expect([later.problem, later.grantTotal(key('g'))]).toEqual([undefined, 3000n]);
  });

  it.each<[string, Geometry]>([
    ['of three blocks', { size: 3 * 4096 }],
    ['of blocks of 29 units', { size: 29 * 16 * 40, blockSize: 29 * 16 }],
    ['with room for less than 26 units', { size: 12 * 16 * 32, blockSize: 32 * 16 }],
    ['of blocks that are not whole units', { size: 10_000, blockSize: 1000 }],
    ['of half a block more', { size: SIZE + 512, blockSize: BLOCK }],
    ['with program units of 32', { size: SIZE, blockSize: BLOCK, programSize: 32 }],
  ])('%s is refused', (_, geometry) => expectFailed(new MemoryFlash(geometry)));

  it('with room for 26 units is enough', () => {
    receipt(open(new MemoryFlash({ size: 16 * 16 * 32, blockSize: 32 * 16 })).authorize(spend()));
  });

  it('of format 1 is refused whole, and by its name', () => {
    // Its first record, as format 1 wrote it: 0x4D, 1, kind 0, number 0, CRC over 124 bytes; or behind a torn one.
    const bytes = Buffer.concat([u8(0x4d, 1), Buffer.alloc(122)]);
    const first = Buffer.concat([bytes, u32(crc32(bytes))]);
    for (const at of [0, 128]) {
      const flash = blank();
      flash.cells.set(first.subarray(0, 40));
      flash.cells.set(first, at);
      expectFailed(flash);
      expect(open(flash).problem?.detail).toBe('the partition holds format 1, this firmware reads 3');
    }
  });

  it('of format 2 is refused whole, and by its name', () => {
    const flash = partition({ 0: [header({ sequence: 1, format: 2 }), simple(1, 1, 10n)] });
    expectFailed(flash);
    expect(open(flash).problem?.detail).toBe('the partition holds format 2, this firmware reads 3');
  });

  it('of garbage is refused whole', () => {
    for (let seed = 0; seed < 20; seed++) {
      const flash = blank();
      for (let at = 0; at < SIZE; at += 32) flash.cells.set(createHash('sha256').update(`${seed}/${at}`).digest(), at);
      expectFailed(flash);
    }
  });
});

describe('wear', () => {
  it('decides which block is next; a header that cannot be read counts as the most worn', () => {
    const salt = crcOf(simple(30, 100, 1n));
    const flash = partition({
      0: [header({ sequence: 30, erases: 9, previous: 29, tail: 30 }), simple(30, 100, 1n)],
      ...Object.fromEntries(
        Array.from({ length: 14 }, (_, i) => [
          i + 1,
          [header({ sequence: i + 2, erases: i === 6 ? 3 : 5, previous: 1, tail: 1 })],
        ]),
      ),
    });
    const ledger = sound(flash);
    ledger.step();
    expect(bytesOf(flash, 7, 0, 32)).toEqual(
      header({ sequence: 31, erases: 4, previous: 30, tail: 30, next: 101, salt }),
    );
    expect(ledger.wear).toEqual([9, 5, 5, 5, 5, 5, 5, 4, 5, 5, 5, 5, 5, 5, 5, 9]);
  });
});
