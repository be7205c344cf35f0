// The Flash port of a device: what the SDK does not check is refused, and what goes wrong there is a FlashError.

import { afterEach, describe, expect, it } from 'vitest';
import { FlashError } from '../../../core/ports/ports.ts';
import { PartitionFlash } from '../../../device/ports/flash.ts';
import { failWith, makePartition, readShort } from '../sdk/storage-flash.ts';

const BLOCK = 4096;

afterEach(() => {
  failWith(undefined);
  readShort(0);
});

describe('a partition of the SDK as Flash', () => {
  it('has the size and the blocks that the SDK says, and programs units of 16 bytes', () => {
    makePartition('mpcp_ledger', 4 * BLOCK);
    const flash = new PartitionFlash('mpcp_ledger');
    expect([flash.size, flash.blockSize, flash.programSize]).toEqual([4 * BLOCK, BLOCK, 16]);
  });

  it('programs, reads and erases one block', () => {
    const cells = makePartition('p', 4 * BLOCK);
    const flash = new PartitionFlash('p');
    for (const offset of [0, BLOCK, 2 * BLOCK]) flash.program(offset, new Uint8Array(16).fill(7));
    flash.erase(BLOCK);
    const read = new Uint8Array(16);
    flash.read(2 * BLOCK, read);
    expect(read).toEqual(new Uint8Array(16).fill(7));
    expect([cells[0], cells[BLOCK], cells[2 * BLOCK]]).toEqual([7, 0xff, 7]);
  });

  it('is not made of a partition that is not there, or is not whole blocks', () => {
    expect(() => new PartitionFlash('nowhere')).toThrow(FlashError);
    makePartition('odd', 3 * BLOCK + 16);
    expect(() => new PartitionFlash('odd')).toThrow('partition odd has 12304 bytes in blocks of 4096');
  });

  it('refuses what reaches past the partition, where the SDK would reach into the next one', () => {
    const cells = makePartition('p', 2 * BLOCK);
    const flash = new PartitionFlash('p');
    const unit = new Uint8Array(16);
    for (const offset of [-16, 2 * BLOCK, 2 * BLOCK - 8, 2 ** 32, Number.NaN, 0.5]) {
      expect(() => flash.read(offset, unit)).toThrow(FlashError);
      expect(() => flash.program(offset, unit)).toThrow(FlashError);
    }
    for (const offset of [-BLOCK, 2 * BLOCK, BLOCK / 2, 1]) expect(() => flash.erase(offset)).toThrow(FlashError);
    expect(cells.every((cell) => cell === 0xff)).toBe(true);
  });

  it('refuses to program what flash encryption cannot write', () => {
    const cells = makePartition('p', BLOCK);
    const flash = new PartitionFlash('p');
    expect(() => flash.program(8, new Uint8Array(16))).toThrow('not whole units of 16');
    expect(() => flash.program(16, new Uint8Array(8))).toThrow('not whole units of 16');
    expect(cells.every((cell) => cell === 0xff)).toBe(true);
  });

  it('says which operation of which partition failed, as a FlashError', () => {
    makePartition('mpcp_journal', BLOCK);
    const flash = new PartitionFlash('mpcp_journal');
    failWith('write failed');
    const unit = new Uint8Array(16);
    expect(() => flash.program(16, unit)).toThrow(
      new FlashError('cannot program partition mpcp_journal at 16: write failed'),
    );
    expect(() => flash.read(16, unit)).toThrow(FlashError);
    expect(() => flash.erase(0)).toThrow(FlashError);
  });

  it('takes no read for done that brought less', () => {
    makePartition('p', BLOCK);
    const flash = new PartitionFlash('p');
    readShort(1);
    expect(() => flash.read(0, new Uint8Array(16))).toThrow('15 bytes of 16 came');
  });
});
