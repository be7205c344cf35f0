// Partition tables: within the flash, aligned, none over another, and large enough for what goes into each.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KeyTables } from '../../core/ed25519/key-tables.ts';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { Journal } from '../../core/ledger/journal.ts';
import { KeyIndex } from '../../core/ledger/key-index.ts';
import { PROVISIONING_PARTITION_BYTES } from '../../core/limits.ts';
import { BundlePartition, bundlePartitionBytes } from '../../core/trust/bundle-partition.ts';
import { PARTITION } from '../../device/firmware/partitions.ts';
import { projectFolder } from '../../host-sim/xs/project.ts';
import { crypto } from '../fixtures/device.ts';
import { MemoryFlash } from '../fixtures/memory-flash.ts';

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly subtype: string;
  readonly offset: number;
  readonly size: number;
  readonly flags: string;
}

const KB = 1024;
const BLOCK = 4 * KB;
const folder = join(projectFolder(), 'manifests', 'partitions');
const TABLE_AT = 0x10000;
const FLASH: { readonly [table: string]: number } = {
  '4mb': 4 * KB * KB,
  '4mb-gate': 4 * KB * KB,
  '4mb-own': 4 * KB * KB,
  '4mb-gate-own': 4 * KB * KB,
  '8mb': 8 * KB * KB,
};
/** Tables for firmware with native Ed25519 alone: it has no tables of keys. */
const NATIVE_ALONE = ['4mb', '4mb-gate'];

function table(name: string): readonly Entry[] {
  const lines = readFileSync(join(folder, `${name}.csv`), 'utf8').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [label = '', type = '', subtype = '', offset, size, flags = ''] = line
        .split(',')
        .map((cell) => cell.trim());
      return { name: label, type, subtype, offset: Number(offset), size: Number(size), flags };
    });
}

const sizeOf = (name: string, label: string) => table(name).find((entry) => entry.name === label)?.size ?? 0;

it('there is a table for each size of flash, for a gate, and where that makes a difference for a firmware without native code', () => {
  expect(readdirSync(folder).sort()).toEqual(
    Object.keys(FLASH)
      .map((name) => `${name}.csv`)
      .sort(),
  );
});

describe.each(Object.keys(FLASH))('%s', (name) => {
  const entries = table(name);

  it('lies within the flash, behind the table; no partition over another', () => {
    let end = TABLE_AT + BLOCK;
    for (const entry of entries) {
      expect([entry.name, entry.offset >= end]).toEqual([entry.name, true]);
      end = entry.offset + entry.size;
    }
    expect(end).toBeLessThanOrEqual(FLASH[name] as number);
  });

  it('has firmware at 64 KB and data at 4 KB', () => {
    for (const { name: label, type, offset, size } of entries) {
      const unit = type === 'app' ? 64 * KB : BLOCK;
      expect([label, offset % unit, size % unit]).toEqual([label, 0, 0]);
      expect(size).toBeGreaterThan(0);
    }
  });

  it('has labels that fit, each once; types and subtypes that ESP-IDF knows', () => {
    expect(new Set(entries.map((entry) => entry.name)).size).toBe(entries.length);
    for (const { name: label, type, subtype } of entries) {
      expect(label.length).toBeLessThanOrEqual(15);
      expect(
        type === 'app' ? ['ota_0', 'ota_1'] : ['nvs', 'ota', 'phy', '0x40', '0x41', '0x42', '0x43', '0x44'],
      ).toContain(subtype);
    }
  });

  it('has two slots of one size for firmware, what says which is in use, and room for a firmware', () => {
    const apps = entries.filter(({ type }) => type === 'app');
    expect(apps.map(({ subtype }) => subtype)).toEqual(['ota_0', 'ota_1']);
    expect(apps[0]?.size).toBe(apps[1]?.size);
    // Core and device code take some 500 KB of it, 550 KB without native code; engine, SDK and ESP-IDF with Wi-Fi and TLS the rest.
    expect(apps[0]?.size).toBeGreaterThanOrEqual((NATIVE_ALONE.includes(name) ? 1536 : 1408) * KB);
    expect(entries.find(({ subtype }) => subtype === 'ota')?.size).toBe(2 * BLOCK);
    expect(entries.find(({ subtype }) => subtype === 'nvs')?.size).toBeGreaterThanOrEqual(6 * BLOCK);
  });

  it('has the partitions of the project under the labels that the firmware opens', () => {
    const own = entries.filter(({ name: label }) => label.startsWith('mpcp_')).map((entry) => entry.name);
    const labels = Object.values(PARTITION).filter(
      (label) => !NATIVE_ALONE.includes(name) || label !== PARTITION.keyTables,
    );
    expect(own.sort()).toEqual([...labels].sort());
  });

  it('marks what holds payments, keys and passwords as encrypted, for chips that do', () => {
    for (const { name: label, flags } of entries)
      expect([label, flags]).toEqual([label, label.startsWith('mpcp_') ? 'encrypted' : '']);
  });

  it('has the sizes that the core needs', () => {
    expect(sizeOf(name, PARTITION.provisioning)).toBe(PROVISIONING_PARTITION_BYTES);
    expect(sizeOf(name, PARTITION.bundles)).toBe(bundlePartitionBytes(BLOCK));
    expect(sizeOf(name, PARTITION.journal)).toBeGreaterThanOrEqual(248 * KB);
    expect(sizeOf(name, PARTITION.ledger)).toBeGreaterThanOrEqual((['4mb', '4mb-own'].includes(name) ? 64 : 124) * KB);
  });

  it('has no ledger whose table of keys takes more memory than its machine has: FORMAT says how many keys a ledger has', () => {
    const size = sizeOf(name, PARTITION.ledger);
    const keys = Math.ceil(((size / BLOCK - 3) * 226) / 2);
    expect(new KeyIndex(keys, size / 16).bytes).toBeLessThanOrEqual(8 * KB);
  });

  it('is taken by each of the stores', () => {
    const flash = (label: string) => new MemoryFlash({ size: sizeOf(name, label), blockSize: BLOCK });
    expect(new FlashLedger(flash(PARTITION.ledger), crypto).fill).toBeDefined();
    expect(new Journal(flash(PARTITION.journal), crypto).fill).toBeDefined();
    expect(new BundlePartition(flash(PARTITION.bundles), crypto)).toBeDefined();
    if (!NATIVE_ALONE.includes(name)) expect(new KeyTables(flash(PARTITION.keyTables)).places).toBe(8);
  });
});
