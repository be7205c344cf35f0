// docs/FORMAT.md on provisioning images, statement by statement: bytes made by hand are read by the core, and bytes that the
// core writes are looked at here.

import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readConfiguration } from '../../../core/configuration.ts';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { ledgerKey } from '../../../core/ledger/keys.ts';
import type { Flash } from '../../../core/ports/ports.ts';
import { admitCounter } from '../../../core/provisioning/counter.ts';
import { readProvisioning, writeProvisioning } from '../../../core/provisioning/partition.ts';
import { ProvisioningProblem } from '../../../core/provisioning/provisioning.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { crypto } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { cbor, document, type Encodable, partition, slotBytes } from '../../fixtures/provisioning.ts';

const bytes = cbor(document());

function fault(flash: Flash): string | undefined {
  const found = readProvisioning(flash);
  return found instanceof ProvisioningProblem ? found.fault : undefined;
}

function message(flash: Flash): string {
  return (readProvisioning(flash) as ProvisioningProblem).message;
}

const read = (encoded: Uint8Array) => partition(slotBytes(encoded));

describe('the partition', () => {
  it.each([
    [16_384, 8192],
    [5 * 4096, 8192],
    [2 * 4096, 4096],
  ])('of %i bytes has its slots at 0 and %i', (size, second) => {
    const flash = new MemoryFlash({ size });
    expect(writeProvisioning(flash, bytes, 1)).toBe(0);
    expect(writeProvisioning(flash, bytes, 2)).toBe(1);
    expect([flash.cells[0], flash.cells[second]]).toEqual([0x4d, 0x4d]);
    expect(flash.cells.subarray(2 * second).every((cell) => cell === 0xff)).toBe(true);
  });
});

describe('a slot', () => {
  it('has at each offset what the table says', () => {
    const flash = new MemoryFlash({ size: 16_384 });
    writeProvisioning(flash, bytes, 0x0102_0304);
    const head = Array.from(flash.cells.subarray(0, 32));
    const view = new DataView(flash.cells.buffer);
    expect(head.slice(0, 8)).toEqual([0x4d, 5, 1, 0, 4, 3, 2, 1]);
    expect(view.getUint32(8, true)).toBe(crc32(bytes));
    expect(view.getUint32(12, true)).toBe(bytes.length);
    expect(head.slice(16, 28)).toEqual(Array(12).fill(0));
    expect(view.getUint32(28, true)).toBe(crc32(flash.cells.subarray(0, 28)));
    expect(Buffer.compare(flash.cells.subarray(32, 32 + bytes.length), bytes)).toBe(0);
    expect(flash.cells.subarray(32 + bytes.length).every((cell) => cell === 0xff)).toBe(true);
  });

  it('may have anything behind its document', () => {
    const flash = read(bytes);
    flash.cells.fill(0, 32 + bytes.length, 8192);
    expect(fault(flash)).toBeUndefined();
  });

  it('is not taken for its own by a ledger', () => {
    const flash = partition(slotBytes(bytes));
    expect(new FlashLedger(flash, crypto).problem).toMatchObject({ code: 'STORE_FAILED' });
    expect(flash.done).toMatchObject({ program: 0, erase: 0 });
  });

  it('of a document longer than it has room for is none', () => {
    expect(fault(partition(slotBytes(bytes, { length: 4097 })))).toBe('missing');
    const small = new MemoryFlash({ size: 8192 });
    small.cells.set(slotBytes(bytes, { length: 4065 }));
    expect(fault(small)).toBe('missing');
  });
});

describe('the document', () => {
  it('may be in any order, with longer heads', () => {
    const { deviceId, ...rest } = document();
    const reordered = Object.entries({ ...rest, deviceId }).reverse();
    const parts = reordered.flatMap(([name, value]) => [cbor(name), cbor(value as Encodable)]);
    const long = Buffer.concat([Uint8Array.of(0xb9, 0, reordered.length), ...parts]);
    expect(fault(read(Uint8Array.from(long)))).toBeUndefined();
  });

  it.each<[string, Uint8Array]>([
    ['a tag', Uint8Array.of(0xa1, 0x61, 0x61, 0xc1, 0x00)],
    ['an indefinite length', Uint8Array.of(0xbf, 0xff)],
    ['a member twice', Uint8Array.of(0xa2, 0x61, 0x61, 0x00, 0x61, 0x61, 0x00)],
    ['a name that is no text', Uint8Array.of(0xa1, 0x01, 0x01)],
    ['bytes behind the map', Uint8Array.of(...bytes, 0)],
    ['65 elements', cbor(document({ site: { grantIssuers: Array(65).fill('x') } }))],
    ['65 members', cbor(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`${i}`, i])))],
    ['depth 9', cbor([[[[[[[[[0]]]]]]]]])],
    [
      '257 values',
      cbor(document({ site: Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, Array(62).fill(0)])) })),
    ],
  ])('is refused with %s', (_, encoded) => expect(fault(read(encoded))).toBe('invalid'));

  it.each(['deviceId', 'site', 'policyAuthorityUrl'])('is refused without %s', (name) => {
    expect(message(read(cbor(document({ [name]: undefined }))))).toContain(`${name}: it is missing`);
  });

  it.each(['siteId', 'operator', 'certificate', 'wifi', 'wiring', 'mqtt', 'rootKey', 'madeAt'])(
    'does without %s, and not with null for it',
    (name) => {
      expect(fault(read(cbor(document({ [name]: undefined }))))).toBeUndefined();
      expect(fault(read(cbor(document({ [name]: null }))))).toBe('invalid');
    },
  );

  it('has merchant, category and region in its site', () => {
    const found = readProvisioning(read(bytes));
    if (found instanceof ProvisioningProblem) throw found;
    expect(readConfiguration(found.provisioning.site).bundleScope).toEqual({
      merchant: 'did:web:station.example',
      category: 'ev-charging',
      region: 'EU',
    });
  });

  it('is refused with a key that is text', () => {
    const site = { ...(document().site as object), rootKeys: [{ kid: 'r', publicKey: 'A'.repeat(43) }] };
    expect(message(read(cbor(document({ site } as never))))).toContain('is not 32 bytes');
  });
});

describe('a start', () => {
  it('asks the ledger: a lower counter than one it has run with is refused, a higher one is recorded', () => {
    const flash = new MemoryFlash();
    expect(admitCounter(new FlashLedger(flash, crypto), 5)).toBeUndefined();
    expect(admitCounter(new FlashLedger(flash, crypto), 4)).toMatchObject({ fault: 'rollback' });
  });

  it('finds the counter in the ledger as the bundle called provisioning: twice the counter, and zeros', () => {
    const flash = new MemoryFlash({ size: 16_384 });
    admitCounter(new FlashLedger(flash, crypto), 0x0102_0304);
    const name = Buffer.from(ledgerKey(crypto, 'bundle', new Uint8Array(0), 'provisioning'), 'latin1');
    // The first record: 16 bytes of its own, counters, then the part.
    const record = Buffer.from(flash.cells.subarray(32));
    expect([record[0], record.readUInt16LE(2)]).toEqual([7, 0x4000 | 0x100]);
    expect(record.subarray(32, 48)).toEqual(name);
    expect([record.readUIntLE(48, 6), record.readUIntLE(54, 6)]).toEqual([0x0102_0304, 0x0102_0304]);
    expect(record.subarray(60, 80).every((byte) => byte === 0)).toBe(true);
  });
});

it('a new image is written in the order of the table', () => {
  const trace: string[] = [];
  const flash = new SimulatedFlash(new MemoryStore(16_384), {
    geometry: { blockSize: 4096, programSize: 16 },
    onOperation: ({ kind, offset, length }) => trace.push(`${kind} ${offset} ${length}`),
  });
  writeProvisioning(flash, bytes.subarray(0, 500), 1);
  expect(trace).toEqual([
    'erase 0 4096',
    'erase 4096 4096',
    'program 32 224',
    'program 256 256',
    'program 512 32',
    'program 0 32',
  ]);
});
