// docs/FORMAT.md on the journal, statement by statement: bytes made here by hand are read, and bytes that the journal writes
// are looked at here. Nothing of the code under test makes or reads bytes in this file.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../core/json/value.ts';
import { Journal, type JournalPayment, type JournalReceipt } from '../../../core/ledger/journal.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { crypto } from '../../fixtures/device.ts';
import { type Geometry, MemoryFlash } from '../../fixtures/memory-flash.ts';
import { append, end, exported, idle, opened, unsent, unsentIds } from './journal-entries.ts';

const BLOCK = 1024;
const GEOMETRY: Geometry = { size: 16 * BLOCK, blockSize: BLOCK };
const K = { acknowledged: 5, end: 4, giveUp: 1, grant: 2, payment: 3, void: 6 };
const FIRST = 0x100;
const LAST = 0x200;
const WHOLE = FIRST | LAST;
const COPY = 1;
const NONE = Buffer.alloc(16);
const TIME = 1_780_000_000_123;

const u8 = (...values: number[]) => Buffer.from(values);
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

function number(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntLE(value, 0, bytes);
  return buffer;
}

const u16 = (value: number) => number(value, 2);
const u32 = (value: number) => number(value, 4);
const half = (text: string, bytes: Buffer) => createHash('sha256').update(text).update(bytes).digest().subarray(0, 16);

function header(
  sequence: number,
  { previous = 0, tail = sequence, erases = 1, next = 1, salt = 0, log = 2, format = 2 } = {},
): Buffer {
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

/** A record of a block: 12 bytes, then the body, in whole units. */
function record(of: In, kind: number, flags: number, no: number, body: Buffer): Buffer {
  const rest = Buffer.alloc(Math.ceil((12 + body.length) / 16) * 16 - 12);
  body.copy(rest);
  const head = Buffer.concat([u8(kind, (12 + rest.length) / 16), u16(flags), u32(no)]);
  return Buffer.concat([head, u32(crc32(Buffer.concat([seed(of), head, rest]))), rest]);
}

/** SBA, SPA and others of these tests, and their compact form. */
const SBA = { authorization: { budgetId: 'b' }, signature: 's' };
const SBA_BYTES = hex('a2 0a d173 0b a1 0d d162');
const GRANT = { grantId: 'grant-1' };
const GRANT_BYTES = Buffer.concat([hex('a1 01 d7'), Buffer.from('grant-1')]);

interface Made {
  readonly id: number;
  readonly previous?: Buffer;
  readonly grantAt?: number;
  readonly how?: number;
  readonly amount?: Buffer;
  readonly rest?: Buffer;
}

/** An entry: a payment with an SBA where nothing else is said. */
function entry({ id, previous = NONE, grantAt = 0, how = 0, amount = u8(7), rest = SBA_BYTES }: Made): Buffer {
  const parts = [u32(grantAt), u32(id), previous, number(TIME, 6), u8(how, amount.length), amount, rest];
  const bytes = Buffer.concat(parts);
  return Buffer.concat([u16(bytes.length + 2), bytes]);
}

const hashOf = (bytes: Buffer, kind = 'payment') => half(`MPCP-journal:1:${kind}:`, bytes.subarray(6));
const grantKey = half('MPCP-journal:1:grant:', GRANT_BYTES);
const grantEntry = Buffer.concat([u16(18 + GRANT_BYTES.length), grantKey, GRANT_BYTES]);

const payment = (receiptId: number, changes: Partial<JournalPayment> = {}): JournalPayment => ({
  kind: 'payment',
  receiptId,
  mode: 'authorize',
  amount: 7n,
  timeMs: TIME,
  sba: SBA,
  ...changes,
});

/** A partition of 16 blocks of 1 KB with these blocks on it. */
function partition(blocks: Readonly<Record<number, readonly Buffer[]>>): MemoryFlash {
  const flash = new MemoryFlash(GEOMETRY);
  for (const [block, parts] of Object.entries(blocks))
    flash.cells.set(Buffer.concat([...parts]), Number(block) * BLOCK);
  return flash;
}

/** What the first block holds behind its header. */
const firstBlock = (flash: MemoryFlash, from = 0) => Buffer.from(flash.cells.subarray(32 + from, BLOCK));
const one = (records: readonly Buffer[]) => partition({ 0: [header(1), ...records] });
const amounts = (journal: Journal) => unsent(journal).map((receipt) => receipt.entry?.amount);

/** Payments 1 to `count` by hand, each with the hash of the one before; amounts are their receipt ids. */
function chain(count: number): Buffer[] {
  const entries: Buffer[] = [];
  for (let id = 1; id <= count; id++)
    entries.push(entry({ id, amount: u8(id), previous: id === 1 ? NONE : hashOf(entries[id - 2] as Buffer) }));
  return entries;
}

describe('a block', () => {
  it('has the header of a log 2 of format 2', () => {
    const flash = new MemoryFlash(GEOMETRY);
    opened(flash);
    expect(Buffer.from(flash.cells.subarray(0, 32))).toEqual(header(1));
    const salted = new MemoryFlash(GEOMETRY);
    opened(salted, 0, { salt: 77 });
    expect(Buffer.from(salted.cells.subarray(0, 32))).toEqual(header(1, { salt: 77 }));
    Journal.format(salted, 78);
    expect(Buffer.from(salted.cells.subarray(0, 32))).toEqual(header(1, { salt: 78 }));
  });
});

describe('a record', () => {
  const bytes = entry({ id: 1 });

  it('of a payment is these bytes, and read from them', () => {
    const flash = new MemoryFlash(GEOMETRY);
    append(opened(flash), payment(1));
    const made = record(1, K.payment, WHOLE, 1, bytes);
    expect(firstBlock(flash).subarray(0, made.length)).toEqual(made);
    expect(unsent(opened(one([made]), 1))[0]?.entry).toEqual(payment(1));
  });

  it('of an end', () => {
    for (const [how, bit] of [
      ['settle', 0],
      ['release', 1],
    ] as const) {
      const flash = new MemoryFlash(GEOMETRY);
      append(opened(flash), end(9, 5, { how, timeMs: TIME, amount: 0x1234n }));
      const made = record(1, K.end, WHOLE, 1, entry({ id: 9, how: bit, amount: u8(0x34, 0x12), rest: u32(5) }));
      expect(firstBlock(flash).subarray(0, made.length)).toEqual(made);
      expect(unsent(opened(one([made]), 9))[0]).toMatchObject({
        entry: { kind: 'end', receiptId: 9, how, reservation: 5, amount: 0x1234n, timeMs: TIME },
        hash: hashOf(entry({ id: 9, how: bit, amount: u8(0x34, 0x12), rest: u32(5) }), 'end').toString('hex'),
      });
    }
  });

  it('of a grant and a payment under it, which says in which unit the grant begins', () => {
    const flash = new MemoryFlash(GEOMETRY);
    append(opened(flash), payment(1, { grant: GRANT }));
    const grant = record(1, K.grant, WHOLE, 1, grantEntry);
    const under = entry({ id: 1, grantAt: 2, how: 2, rest: Buffer.concat([grantKey, SBA_BYTES]) });
    const made = Buffer.concat([grant, record(1, K.payment, WHOLE, 2, under)]);
    expect(firstBlock(flash).subarray(0, made.length)).toEqual(made);
    expect(unsent(opened(one([made]), 1))[0]?.entry).toEqual(payment(1, { grant: GRANT }));
  });

  it('of what is acknowledged', () => {
    const flash = new MemoryFlash(GEOMETRY);
    const journal = opened(flash);
    append(journal, payment(1), payment(2));
    const before = firstBlock(flash).indexOf(u8(0xff, 0xff, 0xff, 0xff, 0xff));
    journal.acknowledge(1);
    const made = record(1, K.acknowledged, 0, 3, u32(1));
    const at = Math.ceil(before / 16) * 16;
    expect(firstBlock(flash).subarray(at, at + 16)).toEqual(made);
    const [first, second] = chain(2) as [Buffer, Buffer];
    const records = [record(1, K.payment, WHOLE, 1, first), record(1, K.payment, WHOLE, 2, second), made];
    expect(unsentIds(opened(one(records), 2))).toEqual([2]);
  });

  it('of what is void', () => {
    const flash = new MemoryFlash(GEOMETRY);
    append(opened(flash), payment(1), payment(2));
    opened(flash, 1);
    const salt = crcOf(firstBlock(flash));
    const of = { sequence: 2, salt };
    expect(Buffer.from(flash.cells.subarray(BLOCK, BLOCK + 48))).toEqual(
      Buffer.concat([header(2, { previous: 1, tail: 1, erases: 2, next: 3, salt }), record(of, K.void, 0, 3, u32(1))]),
    );
    const [first, second] = chain(2) as [Buffer, Buffer];
    const records = [record(1, K.payment, WHOLE, 1, first), record(1, K.payment, WHOLE, 2, second)];
    expect(amounts(opened(one([...records, record(1, K.void, 0, 3, u32(1))]), 1))).toEqual([1n]);
    expect(amounts(opened(one([...records, record(1, K.void, 0, 3, u32(2))]), 2))).toEqual([1n, 2n]);
  });

  it('that gives up blocks has the new tail and the hash of the newest receipt', () => {
    const flash = new MemoryFlash(GEOMETRY);
    const journal = opened(flash);
    let made = 0;
    const program = flash.program.bind(flash);
    flash.program = (offset, data) => {
      if (offset % BLOCK !== 0 && data[0] === K.giveUp) {
        made++;
        const of = inBlock(flash.cells, Math.floor(offset / BLOCK));
        const body = Buffer.concat([u32(made + 1), newest]);
        const no = Buffer.from(data).readUInt32LE(4);
        expect(Buffer.from(data)).toEqual(record(of, K.giveUp, 0, no, body));
      }
      program(offset, data);
    };
    let newest: Buffer = NONE;
    for (let i = 1; i < 200; i++) {
      append(journal, payment(i));
      newest = Buffer.from(unsent(journal)[0]?.hash ?? '', 'hex');
      journal.acknowledge(i);
      idle(journal);
    }
    expect(made).toBeGreaterThan(3);
  });

  it('that gives up blocks goes on with the chain where no entry is left', () => {
    const hash = half('any', NONE);
    const flash = partition({
      3: [header(7, { previous: 6, tail: 7 }), record(7, K.acknowledged, 0, 50, u32(20))],
      4: [
        header(8, { previous: 7, tail: 7 }),
        record(8, K.giveUp, 0, 51, Buffer.concat([u32(8), hash])),
        record(8, K.acknowledged, 0, 52, u32(20)),
      ],
    });
    const journal = opened(flash, 20);
    expect(journal.acknowledgedUpTo).toBe(20);
    append(journal, payment(21));
    expect(unsent(journal)[0]?.previous).toBe(hash.toString('hex'));
  });

  it('of a kind that is not known is passed over, and so is a record of more than 48 units', () => {
    const [first, second] = chain(2) as [Buffer, Buffer];
    const records = [
      record(1, K.payment, WHOLE, 1, first),
      record(1, 99, 0, 2, NONE),
      record(1, K.payment, WHOLE, 3, second),
    ];
    expect(amounts(opened(one(records), 2))).toEqual([1n, 2n]);
    const long = record(1, K.payment, WHOLE, 2, Buffer.concat([second, Buffer.alloc(49 * 16 - 12 - second.length)]));
    expect(amounts(opened(one([records[0] as Buffer, long]), 1))).toEqual([1n]);
  });
});

describe('parts', () => {
  // No base64, which would be shorter.
  const filler = '.'.repeat(900);
  const text = (bytes: number) => Buffer.concat([hex('c6'), u8((bytes & 127) | 128, bytes >> 7)]);
  const rest = Buffer.concat([hex('a1 0b a1 d1'), Buffer.from('f'), text(900), Buffer.from(filler)]);
  const large = entry({ id: 1, rest });
  const of = payment(1, { sba: { authorization: { f: filler } } });

  it('fill their records: what is left of the block from 16 units on, at most 48', () => {
    const flash = new MemoryFlash(GEOMETRY);
    append(opened(flash), of);
    const made = record(1, K.payment, FIRST, 1, large.subarray(0, 48 * 16 - 12));
    expect(made[1]).toBe(48);
    expect(firstBlock(flash).subarray(0, 48 * 16)).toEqual(made);
    // Twelve units are left, the second part has thirteen.
    expect(Buffer.from(flash.cells.subarray(BLOCK + 32, BLOCK + 32 + 13 * 16))).toEqual(
      record(2, K.payment, LAST, 2, large.subarray(48 * 16 - 12)),
    );
    expect(unsent(opened(flash, 1))[0]?.entry).toEqual(of);
  });

  it('use what is left of a block', () => {
    const flash = new MemoryFlash(GEOMETRY);
    const journal = opened(flash);
    // Ten records of 4 units, which leave 60 - 40 = 20 units.
    for (let i = 1; i <= 10; i++) append(journal, payment(i, { idempotencyKey: '0123456789' }));
    append(journal, payment(11, { sba: { authorization: { f: filler } } }));
    expect(firstBlock(flash)[40 * 16]).toBe(K.payment);
    expect(firstBlock(flash)[40 * 16 + 1]).toBe(20);
    expect(flash.cells[BLOCK + 32 + 2]).toBe(0);
    expect(flash.cells[BLOCK + 32 + 3]).toBe(LAST >> 8);
  });

  it('that are made by hand are read, over blocks; one that is missing, or not the next, makes the entry none', () => {
    const next = header(2, { previous: 1, tail: 1 });
    const cut = [large.subarray(0, 180), large.subarray(180, 360), large.subarray(360)] as const;
    const made = (numbers: readonly number[], kinds = [3, 3, 3]) =>
      partition({
        0: [
          header(1),
          record(1, kinds[0] as number, FIRST, numbers[0] as number, cut[0]),
          record(1, kinds[1] as number, 0, numbers[1] as number, cut[1]),
        ],
        1: [next, record(2, kinds[2] as number, LAST, numbers[2] as number, cut[2])],
      });
    expect(unsent(opened(made([1, 2, 3]), 1))[0]?.entry).toEqual(of);
    expect(unsent(opened(made([1, 2, 4]), 0))).toEqual([]);
    expect(unsent(opened(made([1, 2, 3], [3, 4, 3]), 0))).toEqual([]);
    const torn = partition({ 0: [header(1), record(1, 3, FIRST, 1, cut[0]), record(1, 3, LAST, 2, cut[2])] });
    expect(unsent(opened(torn, 0))).toEqual([]);
  });
});

describe('an entry', () => {
  it('has bits for what it holds, and its parts in their order', () => {
    const artifacts = {
      spa: { authorization: { amount: '7' }, signature: 's' },
      settlementIntent: { rail: 'xrpl' },
      fleetPolicyAuthorization: { authorization: {}, signature: 'f' },
      idempotencyKey: 'k',
    };
    const all = entry({
      id: 1,
      how: 1 | 4 | 8 | 16 | 32,
      rest: Buffer.concat([
        SBA_BYTES,
        hex('a2 0a d173 0b a1 18 cc07'),
        hex('a1 16 01'),
        hex('a2 0a d166 0b a0'),
        hex('d16b'),
      ]),
    });
    const flash = new MemoryFlash(GEOMETRY);
    append(opened(flash), payment(1, { mode: 'reserve', ...artifacts }));
    const made = record(1, K.payment, WHOLE, 1, all);
    expect(firstBlock(flash).subarray(0, made.length)).toEqual(made);
    expect(unsent(opened(one([made]), 1))[0]?.entry).toEqual(payment(1, { mode: 'reserve', ...artifacts }));
  });

  it('has an amount of 0 to 16 bytes', () => {
    for (const [amount, bytes] of [
      [0n, u8()],
      [255n, u8(255)],
      [256n, u8(0, 1)],
      [2n ** 128n - 1n, Buffer.alloc(16, 255)],
    ] as const) {
      const made = record(1, K.payment, WHOLE, 1, entry({ id: 1, amount: bytes }));
      const flash = new MemoryFlash(GEOMETRY);
      append(opened(flash), payment(1, { amount }));
      expect(firstBlock(flash).subarray(0, made.length)).toEqual(made);
      expect(amounts(opened(one([made]), 1))).toEqual([amount]);
    }
  });

  it('goes on with the texts of its grant', () => {
    const flash = new MemoryFlash(GEOMETRY);
    append(opened(flash), payment(1, { grant: GRANT, sba: { authorization: { grantId: 'grant-1' }, signature: 's' } }));
    const under = entry({
      id: 1,
      grantAt: 2,
      how: 2,
      rest: Buffer.concat([grantKey, hex('a2 0a d173 0b a1 01 c500')]),
    });
    expect(firstBlock(flash).includes(record(1, K.payment, WHOLE, 2, under))).toBe(true);
  });

  it('keeps of an envelope what is signed, issuer, key id and signature, and of a grant in one the same', () => {
    const kept = { issuer: 'i', issuerKeyId: 'j', keyId: 'k', signature: 's' };
    const extra = { junk: 1, policyHash: 'p', version: '1.0' };
    const flash = new MemoryFlash(GEOMETRY);
    const sba = { authorization: { a: 1 }, ...kept, ...extra };
    const grant = { grant: { g: 1 }, ...kept, ...extra };
    append(opened(flash), payment(1, { sba, spa: sba, fleetPolicyAuthorization: sba, grant, settlementIntent: extra }));
    const read = unsent(opened(flash, 1))[0]?.entry as JournalPayment;
    expect([read.sba, read.spa, read.fleetPolicyAuthorization]).toEqual(
      Array(3).fill({ authorization: { a: 1 }, ...kept }),
    );
    expect(read.grant).toEqual({ grant: { g: 1 }, ...kept });
    expect(read.settlementIntent).toEqual(extra);
    const flat = { grantId: 'g', ...extra };
    append(opened(flash, 1), payment(2, { grant: flat }));
    expect(unsent(opened(flash, 2))[1]?.entry).toMatchObject({ grant: flat });
  });

  it('has the grant written again once it is further back than an eighth of the blocks, from 2 to 8', () => {
    for (const [blocks, near] of [
      [8, 2],
      [16, 2],
      [32, 4],
      [64, 8],
      [100, 8],
    ] as const) {
      const flash = new MemoryFlash({ size: blocks * BLOCK, blockSize: BLOCK });
      const journal = opened(flash);
      let grants = 0;
      let block = 0;
      const at: number[] = [];
      const program = flash.program.bind(flash);
      flash.program = (offset, data) => {
        if (offset % BLOCK === 0) block++;
        else if (data[0] === K.grant && ++grants > 0) at.push(block);
        program(offset, data);
      };
      for (let i = 1; i < 400; i++) {
        append(journal, payment(i, { grant: GRANT }));
        journal.acknowledge(i);
      }
      const apart = at.slice(1).map((of, i) => of - (at[i] as number));
      expect(
        apart.every((distance) => distance === near),
        `${blocks} blocks: ${apart}`,
      ).toBe(true);
    }
  });

  it('carries the hash of the receipt before', () => {
    const flash = new MemoryFlash(GEOMETRY);
    append(opened(flash), payment(1, { amount: 1n }), payment(2, { amount: 2n }), payment(3, { amount: 3n }));
    const made = chain(3).map((bytes, i) => record(1, K.payment, WHOLE, i + 1, bytes));
    expect(firstBlock(flash).subarray(0, Buffer.concat(made).length)).toEqual(Buffer.concat(made));
    const { receipts, wrong } = exported(opened(one(made), 3));
    expect(receipts.map((receipt) => receipt.hash)).toEqual(chain(3).map((bytes) => hashOf(bytes).toString('hex')));
    expect(wrong).toEqual([]);
  });
});

describe('the order of writes', () => {
  /** What is programmed and erased while `work` runs. */
  function traced(flash: MemoryFlash, work: () => void): string[] {
    const trace: string[] = [];
    const program = flash.program.bind(flash);
    const erase = flash.erase.bind(flash);
    flash.program = (offset, bytes) => {
      trace.push(offset % BLOCK === 0 ? 'header' : `kind ${bytes[0]}${((bytes[2] ?? 0) & COPY) !== 0 ? ' copy' : ''}`);
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

  it('is the grant, then the payment; only the payment where the grant is there', () => {
    const flash = new MemoryFlash(GEOMETRY);
    const journal = opened(flash);
    expect(traced(flash, () => append(journal, payment(1, { grant: GRANT })))).toEqual(['kind 2', 'kind 3']);
    expect(traced(flash, () => append(journal, payment(2, { grant: GRANT })))).toEqual(['kind 3']);
    expect(traced(flash, () => journal.acknowledge(1))).toEqual(['kind 5']);
  });

  it('of an entry after one that was made void begins a block', () => {
    const flash = new MemoryFlash(GEOMETRY);
    append(opened(flash), payment(1), payment(2));
    const journal = opened(flash, 1);
    journal.acknowledge(1);
    expect(traced(flash, () => append(journal, payment(2)))).toEqual(['erase', 'header', 'kind 3']);
    expect(traced(flash, () => append(journal, payment(3)))).toEqual(['kind 3']);
  });

  it('of giving up is what is acknowledged, unless it is in the log behind the block, then kind 1; no erase', () => {
    const flash = new MemoryFlash(GEOMETRY);
    const journal = opened(flash);
    const trace: string[] = [];
    for (let i = 1; i < 300 && !trace.includes('kind 1'); i++) {
      append(journal, payment(i));
      journal.acknowledge(i - 1);
      trace.splice(0, 99, ...traced(flash, () => idle(journal)));
    }
    expect(trace).toEqual(['erase', 'header', 'kind 1']);

    const full = new MemoryFlash(GEOMETRY);
    let count = 0;
    for (const filled = opened(full); !('code' in filled.append(payment(count + 1))); count++);
    const later = opened(full, count);
    later.acknowledge(count);
    const steps = traced(full, () => idle(later));
    expect(steps.slice(0, 4)).toEqual(['erase', 'header', 'kind 5 copy', 'kind 1']);
    expect(new Set(steps.slice(4))).toEqual(new Set(['kind 1', 'erase', 'header']));
  });

  it('of an acknowledgement that would take a block that may be needed is none', () => {
    const flash = new MemoryFlash(GEOMETRY);
    let journal = opened(flash);
    let count = 0;
    while (!('code' in journal.append(payment(count + 1)))) count++;
    journal = opened(flash, count);
    expect(traced(flash, () => journal.acknowledge(3))).toEqual([]);
    expect([journal.acknowledgedUpTo, opened(flash, count).acknowledgedUpTo]).toEqual([3, 0]);
  });
});

describe('a start', () => {
  const [first, second, third] = chain(3) as [Buffer, Buffer, Buffer];
  const block2 = header(2, { previous: 1, tail: 1 });
  const block3 = header(3, { previous: 2, tail: 1 });
  const of = (sequence: number, bytes: Buffer) => record(sequence, K.payment, WHOLE, sequence, bytes);
  const broken = Buffer.alloc(32, 0x5a);

  it('finds a block without a header by its first record, named or newer than all headers', () => {
    expect(
      amounts(
        opened(partition({ 0: [header(1), of(1, first)], 5: [broken, of(2, second)], 7: [block3, of(3, third)] }), 3),
      ),
    ).toEqual([1n, 2n, 3n]);
    expect(amounts(opened(partition({ 0: [header(1), of(1, first)], 5: [broken, of(2, second)] }), 2))).toEqual([
      1n,
      2n,
    ]);
  });

  it('works out the salt of a block without a header from the header before it, or from the one behind it', () => {
    const salt = 0xc0ff_ee00;
    const one = record({ sequence: 1, salt }, K.payment, WHOLE, 1, first);
    const salt2 = (salt ^ crcOf(one)) >>> 0;
    const two = record({ sequence: 2, salt: salt2 }, K.payment, WHOLE, 2, second);
    const salt3 = (salt2 ^ crcOf(two)) >>> 0;
    const three = record({ sequence: 3, salt: salt3 }, K.payment, WHOLE, 3, third);
    const heads = [
      header(1, { salt }),
      header(2, { previous: 1, tail: 1, salt: salt2 }),
      header(3, { previous: 2, tail: 1, salt: salt3 }),
    ] as const;
    for (const lost of [[0], [1], [2], [1, 2], [0, 2]]) {
      const [a, b, c] = heads.map((head, i) => (lost.includes(i) ? broken : head)) as [Buffer, Buffer, Buffer];
      expect(amounts(opened(partition({ 0: [a, one], 5: [b, two], 7: [c, three] }), 3)), `${lost}`).toEqual([
        1n,
        2n,
        3n,
      ]);
    }
    // The second was prepared while the first was empty: it has the same salt.
    const early = record({ sequence: 2, salt }, K.payment, WHOLE, 2, second);
    const behind = header(2, { previous: 1, tail: 1, salt });
    expect(amounts(opened(partition({ 0: [broken, one], 5: [behind, early] }), 2))).toEqual([1n, 2n]);
    expect(amounts(opened(partition({ 0: [heads[0], one], 5: [broken, early] }), 2))).toEqual([1n, 2n]);
    // Under any other salt it is no record.
    const other = record({ sequence: 2, salt: salt2 ^ 1 }, K.payment, WHOLE, 2, second);
    expect(unsentIds(opened(partition({ 0: [heads[0], one], 5: [broken, other], 7: [heads[2], three] }), 3))).toEqual([
      1, 3,
    ]);
  });

  it('up to four numbers above the highest header, so that no number is given twice', () => {
    for (const [sequence, ids] of [
      [5, [1, 3]],
      [6, [1]],
    ] as const) {
      const late = record(sequence, K.payment, WHOLE, 3, third);
      const flash = partition({ 0: [header(1), of(1, first)], 5: [broken, late] });
      expect(unsentIds(opened(flash, 3))).toEqual(ids);
    }
  });

  it('not by a later one', () => {
    const flash = partition({
      0: [header(1), of(1, first)],
      5: [broken, NONE, of(2, second)],
      7: [block3, of(3, third)],
    });
    expect(unsentIds(opened(flash, 3))).toEqual([1, 3]);
  });

  it('reads what is older than a lost block, from the next lower that has a record which is no copy', () => {
    const flash = partition({
      0: [header(1), of(1, first)],
      4: [header(2, { previous: 1, tail: 1 }), record(2, K.acknowledged, COPY, 2, u32(1))],
      7: [header(4, { previous: 3, tail: 1 }), record(4, K.payment, WHOLE, 4, third)],
    });
    const journal = opened(flash, 3);
    expect(unsentIds(journal)).toEqual([1, 3]);
    expect(journal.damage).toEqual([{ first: 2, last: 2, detail: 'receipt 2 is missing' }]);
  });

  it('knows from a header that is newer than a lost block which blocks were given up', () => {
    const flash = partition({
      0: [header(1), of(1, first)],
      1: [block2, of(2, second)],
      2: [header(3, { previous: 2, tail: 2 }), of(3, third)],
      4: [header(5, { previous: 4, tail: 3 })],
    });
    expect(unsentIds(opened(flash, 3))).toEqual([3]);
  });

  it('makes an entry beyond the ledger’s last void, and refuses where there is more than one', () => {
    const blocks = { 0: [header(1), of(1, first)], 5: [block2, of(2, second)], 7: [block3, of(3, third)] };
    expect(amounts(opened(partition(blocks), 2))).toEqual([1n, 2n]);
    const journal = new Journal(partition(blocks), crypto);
    expect(journal.reconcile(1)).toMatchObject({
      code: 'STORE_FAILED',
      detail: expect.stringContaining('format both'),
    });
    expect(unsent(journal).map(({ entry: read, doubtful }) => [read?.amount, doubtful?.amount])).toEqual([
      [1n, undefined],
      [2n, undefined],
      [undefined, 3n],
    ]);
  });
});

describe('an entry', () => {
  const [e1, e2, e3] = chain(3) as [Buffer, Buffer, Buffer];
  /** One of the same receipt id that was not committed. */
  const orphan = entry({ id: 2, amount: u8(99), previous: hashOf(e1) });
  const third = entry({ id: 3, amount: u8(3), previous: hashOf(e2) });
  const fifth = entry({ id: 5, amount: u8(5), previous: half('the fourth', NONE) });
  const anew = entry({ id: 3, amount: u8(3), previous: Buffer.alloc(16, 0xff) });
  type Item = readonly [number, number, Buffer];
  const of = (no: number, bytes: Buffer): Item => [no, K.payment, bytes];
  const word = (no: number, kind: number, id: number): Item => [no, kind, u32(id)];

  it.each<[string, readonly Item[], number, string]>([
    ['with void behind it is nothing', [of(1, e1), of(2, orphan), word(3, K.void, 1)], 1, '1'],
    ['with void of a later one behind it counts', [of(1, e1), of(2, e2), word(3, K.void, 2)], 2, '1 2'],
    ['with its receipt id behind it is nothing', [of(1, e1), of(2, orphan), of(4, e2), of(5, e3)], 3, '1 2 3'],
    ['with its hash behind it counts, whatever is missing between', [of(1, e1), of(2, e2), of(30, e3)], 3, '1 2 3'],
    ['with 0xFF behind it is doubtful', [of(1, e1), of(2, orphan), of(3, anew)], 3, '1 ?99 3'],
    [
      'with 0xFF behind it counts where it is acknowledged',
      [of(1, e1), of(2, e2), word(3, K.acknowledged, 2), of(4, anew)],
      3,
      '1 2 3',
    ],
    ['with another hash in the next receipt is nothing', [of(1, e1), of(2, orphan), of(5, third)], 3, '1 3'],
    [
      'with another hash and no record missing counts: it was put there',
      [of(1, e1), of(2, orphan), of(3, third)],
      3,
      '1 99 3',
    ],
    [
      'with a later receipt and four records missing is doubtful',
      [of(1, e1), of(2, orphan), of(7, fifth)],
      5,
      '1 ?99 5',
    ],
    ['with a later receipt and three records missing counts', [of(1, e1), of(2, e2), of(6, fifth)], 5, '1 2 5'],
    ['with nothing behind it, and the ledger has later ones, is doubtful', [of(1, e1), of(2, e2)], 3, '1 ?2'],
    [
      'with nothing behind it, and two records missing, is doubtful',
      [of(1, e1), of(2, orphan), word(5, K.acknowledged, 1)],
      2,
      '1 ?99',
    ],
    [
      'with nothing behind it, and one record missing, counts',
      [of(1, e1), of(2, e2), word(4, K.acknowledged, 1)],
      2,
      '1 2',
    ],
    ['with nothing behind it counts', [of(1, e1), of(2, e2)], 2, '1 2'],
  ])('%s', (_, items, committed, expected) => {
    const flash = one(items.map(([no, kind, bytes]) => record(1, kind, kind === K.payment ? WHOLE : 0, no, bytes)));
    const read: JournalReceipt[] = [];
    expect(opened(flash, committed).export((receipt) => read.push(receipt))).toBeInstanceOf(Array);
    expect(read.map(({ entry: sure, doubtful }) => (sure ? `${sure.amount}` : `?${doubtful?.amount}`)).join(' ')).toBe(
      expected,
    );
  });

  it('with a part of another of its receipt id behind it is nothing, and the chain goes on from the one before', () => {
    const flash = one([
      record(1, K.payment, WHOLE, 1, e1),
      record(1, K.payment, WHOLE, 2, orphan),
      record(1, K.payment, FIRST, 4, e2),
    ]);
    const journal = opened(flash, 2);
    expect([amounts(journal), journal.newestReceipt]).toEqual([[1n], 1]);
    append(journal, payment(3));
    expect(unsent(journal).at(-1)?.previous).toBe(hashOf(e1).toString('hex'));
  });

  it('behind a doubtful one has 0xFF for a hash', () => {
    const flash = one([e1, e2].map((bytes, i) => record(1, K.payment, WHOLE, i + 1, bytes)));
    const journal = opened(flash, 3);
    append(journal, payment(4));
    expect(unsent(journal).at(-1)).toMatchObject({ receiptId: 4, previous: 'ff'.repeat(16) });
  });

  it('whose grant is lost is read with another copy of it', () => {
    const under = (grantAt: number) => entry({ id: 1, grantAt, how: 2, rest: Buffer.concat([grantKey, SBA_BYTES]) });
    const grant = record(1, K.grant, WHOLE, 1, grantEntry);
    for (const grantAt of [2, 7, 999])
      expect(unsent(opened(one([grant, record(1, K.payment, WHOLE, 2, under(grantAt))]), 1))[0]?.entry).toEqual(
        payment(1, { grant: GRANT }),
      );
    expect(unsent(opened(one([record(1, K.payment, WHOLE, 1, under(2))]), 1))[0]).toMatchObject({
      entry: undefined,
      problem: expect.stringMatching(/^its grant is lost: a payment of 7 at 2026-/),
    });
  });
});

describe('capacity', () => {
  const filled = (
    geometry: Geometry,
    of: (receiptId: number) => JournalPayment,
  ): { journal: Journal; count: number; flash: MemoryFlash } => {
    const flash = new MemoryFlash(geometry);
    const journal = opened(flash);
    let count = 0;
    while (!('code' in journal.append(of(count + 1)))) count++;
    return { journal, count, flash };
  };

  it('is all blocks but three, of which the ends stay empty by up to 47 units', () => {
    for (const blocks of [7, 16, 64]) {
      const { journal, count } = filled({ size: blocks * 4096 }, (id) => payment(id));
      expect(journal.fill).toMatchObject({ used: blocks - 3, of: blocks - 3 });
      // Four units a payment: 63 to a block of 252.
      expect(count).toBe((blocks - 3) * 63);
    }
    const text = { authorization: { f: '.'.repeat(700) } };
    // 48 units each: five to a block, 12 units stay empty.
    expect(filled({ size: 16 * 4096 }, (id) => payment(id, { sba: text })).count).toBe(13 * 5);
  });

  it('and what the tables say stands in the document', () => {
    const document = readFileSync(new URL('../../../docs/FORMAT.md', import.meta.url), 'utf8');
    // journal-figures.test.ts has the figures.
    expect(document).toContain('| grant and SBA | 256 | 831 | 518 |');
    expect(document).toContain('| grant, SBA, SPA and SettlementIntent | 448 | 499 | 366 |');
  });

  it('takes 60 ends and more when it is full of payments; an end takes 64 bytes, with an amount of 2^112 or more 80', () => {
    const { journal, count, flash } = filled({ size: 16 * 4096 }, (id) => payment(id));
    let most = 0;
    const program = flash.program.bind(flash);
    flash.program = (offset, data) => {
      if (data[0] === K.end) most = Math.max(most, data.length);
      program(offset, data);
    };
    let ends = 0;
    while (!('code' in journal.append(end(count + ends + 1, 1, { amount: 2n ** 112n - 1n })))) ends++;
    expect(ends).toBeGreaterThanOrEqual(60);
    expect(most).toBe(64);
    journal.acknowledge(count);
    append(journal, end(count + ends + 1, 1, { amount: 2n ** 112n }));
    expect(most).toBe(80);
  });
});

describe('a partition', () => {
  it.each<[string, Geometry]>([
    ['of six blocks', { size: 6 * 4096 }],
    ['of blocks with room for 47 units', { size: 51 * 16 * 10, blockSize: 51 * 16 }],
    ['of half a block more', { size: 16 * BLOCK + 512, blockSize: BLOCK }],
  ])('%s is refused', (_, geometry) => {
    expect(new Journal(new MemoryFlash(geometry), crypto).problem).toMatchObject({ code: 'STORE_FAILED' });
  });

  it('of seven blocks with room for 48 units is enough', () => {
    const flash = new MemoryFlash({ size: 7 * 52 * 16, blockSize: 52 * 16 });
    append(opened(flash), payment(1));
    expect(unsentIds(opened(flash, 1))).toEqual([1]);
  });

  it('of another log or format is refused, wherever its header stands', () => {
    for (const other of [{ log: 1 }, { log: 3 }, { format: 1 }, { format: 3 }]) {
      const flash = partition({ 0: [header(1)], 9: [header(2, other)] });
      expect(new Journal(flash, crypto).problem).toMatchObject({ code: 'STORE_FAILED' });
    }
    const former = partition({ 0: [header(1, { format: 1 })] });
    expect(new Journal(former, crypto).problem?.detail).toBe('the partition holds format 1, this firmware reads 2');
  });

  it('whose formatting is broken off has lost the oldest blocks, and says so; or it holds no log', () => {
    for (let erases = 0; erases <= 16; erases++) {
      const flash = new MemoryFlash(GEOMETRY);
      const journal = opened(flash);
      let count = 0;
      while (count < 150) append(journal, payment(++count));
      flash.fail('erase', erases);
      if (erases === 16) flash.fail('program');
      expect(() => Journal.format(flash)).toThrow();
      flash.recover();
      const later = new Journal(flash, crypto);
      if (later.problem) {
        expect(later.problem.code).toBe('STORE_FAILED');
        continue;
      }
      expect(later.reconcile(count)).toBeUndefined();
      // All was erased: it is blank, and formatted by this start.
      if (later.newestReceipt === 0) continue;
      const [first = 0] = unsentIds(later);
      expect(unsentIds(later)).toEqual(Array.from({ length: count - first + 1 }, (_, i) => first + i));
      expect(later.damage).toEqual(first === 1 ? [] : [expect.objectContaining({ first: 1, last: first - 1 })]);
    }
  });

  it('of encrypted flash is formatted by provisioning, and then used as any other', () => {
    const geometry = { blockSize: BLOCK, programSize: 16 };
    const flash = new SimulatedFlash(new MemoryStore(16 * BLOCK), { geometry, erasedReads: 'scrambled' });
    expect(new Journal(flash, crypto).problem).toMatchObject({ code: 'STORE_FAILED' });
    Journal.format(flash);
    let journal = new Journal(flash, crypto);
    journal.reconcile(0);
    for (let i = 1; i < 200; i++) {
      append(idle(journal), payment(i, { grant: GRANT as JsonObject }));
      journal.acknowledge(i - 1);
      if (i % 7 !== 0) continue;
      journal = new Journal(flash, crypto);
      expect(journal.reconcile(i)).toBeUndefined();
      expect(journal.damage).toEqual([]);
    }
    expect(unsentIds(journal).at(-1)).toBe(199);
  });
});
