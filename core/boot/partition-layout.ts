// Whether the partitions are such as the stores need: whole blocks, room for what they must hold, none reaching into another.
// Found out before the first byte is written: a store that begins on a wrong partition destroys what is on it.

import { PAGE, UNIT } from '../encoding/flash-header.ts';
import { LEAST_BLOCKS as LEDGER_BLOCKS } from '../ledger/block-log.ts';
import { LEAST_BLOCKS as JOURNAL_BLOCKS } from '../ledger/journal.ts';
import { KEY_TABLE_BYTES } from '../limits.ts';
import type { Flash } from '../ports/ports.ts';
import { bundlePartitionBytes } from '../trust/bundle-partition.ts';

/** What a device keeps its things on. */
export interface DeviceFlash {
  readonly ledger: Flash;
  readonly bundles: Flash;
  readonly journal?: Flash | undefined;
  readonly keyTables?: Flash | undefined;
}

/** Where a partition lies in the chip, as the partition table says. */
export interface PlacedPartition {
  readonly name: string;
  /** In bytes. */
  readonly offset: number;
  readonly size: number;
}

/** Blocks that each store needs to begin at all. */
const LEAST_BLOCKS: { readonly [name in keyof DeviceFlash]-?: number } = {
  ledger: LEDGER_BLOCKS,
  journal: JOURNAL_BLOCKS,
  bundles: 2,
  keyTables: 1,
};

/** What is wrong, a sentence each; empty where a device may start. */
export function layoutProblems(flash: DeviceFlash, placed: readonly PlacedPartition[] = []): readonly string[] {
  const problems: string[] = [];
  for (const name of Object.keys(LEAST_BLOCKS) as (keyof DeviceFlash)[]) {
    const partition = flash[name];
    if (partition !== undefined) checkPartition(name, partition, problems);
  }
  for (let i = 0; i < placed.length; i++) checkPlace(placed[i] as PlacedPartition, placed.slice(0, i), flash, problems);
  return problems;
}

/** What is less than it should be, and no reason not to start. */
export function layoutWarnings({ bundles }: DeviceFlash): readonly string[] {
  const wanted = bundlePartitionBytes(bundles.blockSize);
  if (bundles.size >= wanted) return [];
  return [`bundles has ${bundles.size} bytes: four bundles of 32 KB need ${wanted}`];
}

function checkPartition(name: keyof DeviceFlash, { size, blockSize, programSize }: Flash, problems: string[]): void {
  if (!(programSize > 0) || UNIT % programSize !== 0) {
    problems.push(`${name} is programmed in ${programSize} bytes: they must divide ${UNIT}`);
    return;
  }
  if (!(blockSize > 0) || blockSize % PAGE !== 0) {
    problems.push(`${name} has blocks of ${blockSize} bytes: they must be whole pages of ${PAGE}`);
    return;
  }
  if (size % blockSize !== 0) problems.push(`${name} has ${size} bytes: they are not whole blocks of ${blockSize}`);
  const least = name === 'keyTables' ? Math.ceil(KEY_TABLE_BYTES / blockSize) : LEAST_BLOCKS[name];
  const needed = least * blockSize;
  if (size < needed) problems.push(`${name} has ${size} bytes: it needs ${needed}`);
}

/** A place of the table: aligned, apart from those before it, and as large as the flash that is opened by its name. */
function checkPlace(
  { name, offset, size }: PlacedPartition,
  before: readonly PlacedPartition[],
  flash: DeviceFlash,
  problems: string[],
): void {
  if (!(offset >= 0 && size > 0)) problems.push(`${name} is at ${offset} with ${size} bytes: it is nowhere`);
  for (const other of before) {
    if (other.name === name) problems.push(`${name} is there twice`);
    else if (offset < other.offset + other.size && other.offset < offset + size)
      problems.push(`${name} and ${other.name} overlap`);
  }
  const opened = flash[name as keyof DeviceFlash];
  if (opened === undefined) return;
  if (offset % opened.blockSize !== 0)
    problems.push(`${name} begins at ${offset}: not at a block of ${opened.blockSize}`);
  if (opened.size !== size) problems.push(`${name} has ${opened.size} bytes, the partition table says ${size}`);
}
