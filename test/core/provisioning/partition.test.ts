// The provisioning partition: which slot is in force, what a new image replaces, and what power cuts, damage and failing flash
// leave.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConfiguration } from '../../../core/configuration.ts';
import type { Flash } from '../../../core/ports/ports.ts';
import { readProvisioning, writeProvisioning } from '../../../core/provisioning/partition.ts';
import { ProvisioningProblem } from '../../../core/provisioning/provisioning.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { cbor, document, partition, slotBytes } from '../../fixtures/provisioning.ts';

const named = (deviceId: string) => cbor(document({ deviceId }));
const old = named('old');
const fresh = named('new');

/** The id and the counter of the device that a partition makes, or why it makes none. */
function made(flash: Flash): string {
  const found = readProvisioning(flash);
  if (found instanceof ProvisioningProblem) return found.fault;
  return `${found.provisioning.deviceId} ${found.provisioning.counter}`;
}

const flashOf = (size = 16_384) =>
  new SimulatedFlash(new MemoryStore(size), { geometry: { blockSize: 4096, programSize: 16 } });

describe('the slot in force', () => {
  it('is the one with the higher counter, whichever it is', () => {
    const [low, high] = [slotBytes(old, { counter: 1 }), slotBytes(fresh, { counter: 2 })];
    expect(made(partition(low, high))).toBe('new 2');
    expect(made(partition(high, low))).toBe('new 2');
    expect(made(partition(undefined, low))).toBe('old 1');
  });

  it('is told by numbers, and not by their first bytes', () => {
    expect(made(partition(slotBytes(old, { counter: 0x00ff }), slotBytes(fresh, { counter: 0x0100 })))).toBe('new 256');
    expect(made(partition(slotBytes(old, { counter: 0x7fff_ffff }), slotBytes(fresh, { counter: 0xffff_ffff })))).toBe(
      'new 4294967295',
    );
  });

  it('is the other one where the newer is not as it was written, which is told', () => {
    const flash = partition(slotBytes(old, { counter: 1 }), slotBytes(fresh, { counter: 2, crc: 1 }));
    expect(made(flash)).toBe('old 1');
    expect(readProvisioning(flash)).toMatchObject({ damage: expect.stringContaining('slot 1 (counter 2)') });
    expect(readProvisioning(partition(slotBytes(old)))).toMatchObject({ slot: 0, damage: undefined });
  });

  it('is never an older one because the newer says what cannot be: that is a mistake, and no damage', () => {
    const wrong = slotBytes(cbor({ deviceId: 'x' }), { counter: 2 });
    expect(made(partition(slotBytes(old, { counter: 1 }), wrong))).toBe('invalid');
  });

  it('cannot be told where both have one counter', () => {
    expect(readProvisioning(partition(slotBytes(old), slotBytes(fresh)))).toMatchObject({
      fault: 'invalid',
      message: 'provisioning: both slots have the counter 1',
    });
  });
});

describe('a partition without an image', () => {
  it.each<[string, MemoryFlash, string]>([
    ['that is erased', partition(), 'missing'],
    ['with a header of counter 0', partition(slotBytes(old, { counter: 0 })), 'missing'],
    ['with a header of a document without bytes', partition(slotBytes(old, { length: 0 })), 'missing'],
    ['with a header of a document beyond its slot', partition(slotBytes(old, { length: 4097 })), 'missing'],
    ['whose only image is damaged', partition(slotBytes(old, { crc: 7 })), 'damaged'],
    ['with an image of another format', partition(slotBytes(old, { format: 2 })), 'format'],
    ['with a later format in the other slot', partition(slotBytes(old), slotBytes(fresh, { format: 9 })), 'format'],
    ['that is a spend ledger', partition(slotBytes(old, { store: 1 })), 'format'],
    ['of one block', new MemoryFlash({ size: 4096 }), 'format'],
  ])('%s', (_, flash, fault) => expect(made(flash)).toBe(fault));

  it('is refused by the format’s name', () => {
    expect(readProvisioning(partition(slotBytes(old, { format: 2 })))).toMatchObject({
      message: 'provisioning: slot 0 has an image of format 2, this firmware reads 1',
    });
  });

  it('that cannot be read says so', () => {
    const flash = partition(slotBytes(old));
    flash.fail('read');
    expect(made(flash)).toBe('store');
  });

  it('whose document is no CBOR names the slot', () => {
    const found = readProvisioning(partition(slotBytes(Uint8Array.of(0xa1, 0x61))));
    expect(found).toMatchObject({ fault: 'invalid', message: expect.stringContaining('the document of slot 0: ') });
  });
});

it('any bit of an image that turns is noticed', () => {
  const image = slotBytes(old);
  // Behind the document, and in bytes of the header that say nothing beside its CRC, a bit is no matter.
  for (let bit = 0; bit < (32 + old.length) * 8; bit += 37) {
    const flash = partition(image);
    flash.cells[bit >> 3] = (flash.cells[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(['missing', 'damaged'], `bit ${bit}`).toContain(made(flash));
  }
});

it('whatever a partition holds, it is an image that can be used or a refusal, and reading ends', () => {
  const bytesOrCells = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((bytes) => slotBytes(bytes.length === 0 ? Uint8Array.of(0xa0) : bytes)),
    fc.tuple(fc.nat(old.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 })).map(([at, bytes]) => {
      const changed = old.slice();
      changed.set(bytes.subarray(0, old.length - at), at);
      return slotBytes(changed);
    }),
    fc.uint8Array({ maxLength: 400 }),
  );
  fc.assert(
    fc.property(bytesOrCells, bytesOrCells, (first, second) => {
      const found = readProvisioning(partition(first, second));
      if (found instanceof ProvisioningProblem) expect(found.message).toMatch(/^provisioning: ./);
      else expect(() => readConfiguration(found.provisioning.site)).not.toThrow();
    }),
    { numRuns: 500 },
  );
});

describe('a new image', () => {
  it('goes to the slot that is not in force, and is in force then', () => {
    const flash = flashOf();
    expect(writeProvisioning(flash, old, 1)).toBe(0);
    expect(made(flash)).toBe('old 1');
    expect(writeProvisioning(flash, fresh, 2)).toBe(1);
    expect(made(flash)).toBe('new 2');
    expect(writeProvisioning(flash, old, 9)).toBe(0);
    expect(made(flash)).toBe('old 9');
  });

  it('is on flash as FORMAT has it', () => {
    const flash = new MemoryFlash({ size: 16_384 });
    writeProvisioning(flash, old, 3);
    expect(Buffer.compare(flash.cells, partition(slotBytes(old, { counter: 3 })).cells)).toBe(0);
  });

  it('of the largest size is read again', () => {
    const issuers = (last: number) => ({
      site: { ...(document().site as object), grantIssuers: [...Array(3).fill('x'.repeat(900)), 'y'.repeat(last)] },
    });
    const whole = cbor(document(issuers(300 + 4096 - cbor(document(issuers(300))).length)));
    expect(whole).toHaveLength(4096);
    const flash = flashOf();
    writeProvisioning(flash, whole, 1);
    expect(made(flash)).toBe('charger-7 1');
  });

  it('is not taken where its counter is not above the one in force', () => {
    const flash = flashOf();
    writeProvisioning(flash, old, 5);
    const { operations } = flash;
    for (const counter of [5, 4, 1])
      expect(writeProvisioning(flash, fresh, counter)).toMatchObject({ fault: 'rollback' });
    expect(flash.operations).toBe(operations);
    for (const counter of [0, -1, 1.5, 2 ** 32])
      expect(() => writeProvisioning(flash, fresh, counter)).toThrow(RangeError);
    for (const length of [0, 4097])
      expect(() => writeProvisioning(flash, new Uint8Array(length), 6)).toThrow(RangeError);
    expect(made(flash)).toBe('old 5');
  });

  it('does not overwrite what a later firmware has written, or another store', () => {
    for (const shape of [{ format: 2 }, { store: 2 }]) {
      const flash = partition(slotBytes(old, shape));
      expect(writeProvisioning(flash, fresh, 2)).toMatchObject({ fault: 'format' });
      expect(flash.done).toMatchObject({ program: 0, erase: 0 });
    }
  });

  it('leaves what was in force where flash fails at any operation', () => {
    for (const [operation, count] of [
      ['erase', 2],
      ['program', 3],
    ] as const) {
      for (let after = 0; after < count; after++) {
        const flash = partition(slotBytes(old, { counter: 1 }));
        flash.fail(operation, after, 8);
        expect(writeProvisioning(flash, fresh, 2)).toMatchObject({ fault: 'store' });
        flash.recover();
        expect(made(flash), `${operation} ${after}`).toBe('old 1');
      }
    }
  });

  it('is not in force where flash keeps something else than it was given', () => {
    for (const wrong of [32, 256, 0]) {
      const flash = partition(slotBytes(old, { counter: 1 }));
      const program = flash.program.bind(flash);
      flash.program = (offset, bytes) => {
        program(offset, bytes);
        if (offset === 8192 + wrong) flash.cells[offset + 4] = (flash.cells[offset + 4] as number) ^ 4;
      };
      expect(writeProvisioning(flash, fresh, 2)).toMatchObject({
        fault: 'store',
        message: 'provisioning: an image reads back differently',
      });
      expect(made(flash)).toBe('old 1');
    }
  });

  it('leaves the old one or is in force, after a power cut at any operation in any form, and can be written then', () => {
    const cut = (
      before: number,
      slots: readonly [Uint8Array, number][],
      operation: number,
      landed: number | undefined,
    ) => {
      const flash = flashOf();
      for (const [bytes, counter] of slots) writeProvisioning(flash, bytes, counter);
      const at = flash.operations + operation;
      flash.cutAt(at, landed === undefined ? 'before' : 'torn', landed);
      let wasCut = false;
      try {
        writeProvisioning(flash, fresh, before + 1);
      } catch (error) {
        expect(error).toBeInstanceOf(PowerCut);
        wasCut = true;
        flash.restart();
        expect([`old ${before}`, `new ${before + 1}`]).toContain(made(flash));
        writeProvisioning(flash, fresh, before + 2);
        expect(made(flash)).toBe(`new ${before + 2}`);
      }
      return wasCut;
    };
    for (const slots of [
      [[old, 1]],
      [
        [named('older'), 1],
        [old, 2],
      ],
    ] as readonly [Uint8Array, number][][]) {
      const before = slots.length;
      let operation = 0;
      for (; cut(before, slots, operation, undefined); operation++)
        for (const landed of [1, 15, 16, 31]) cut(before, slots, operation, landed);
      expect(operation).toBeGreaterThan(4);
    }
  });

  it('needs nothing of what erased cells read as', () => {
    const flash = new SimulatedFlash(new MemoryStore(16_384), {
      geometry: { blockSize: 4096, programSize: 16 },
      erasedReads: 'scrambled',
    });
    expect(made(flash)).toBe('missing');
    writeProvisioning(flash, old, 1);
    writeProvisioning(flash, fresh, 2);
    expect(made(flash)).toBe('new 2');
  });
});
