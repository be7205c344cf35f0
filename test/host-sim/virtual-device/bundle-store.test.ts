// Stored Trust Bundles: what is in force stays whole, whatever becomes of the set beside it.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type BundleStore,
  BundleStoreError,
  FileBundleStore,
  MemoryBundleStore,
} from '../../../host-sim/virtual-device/bundle-store.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const parent = mkdtempSync(join(tmpdir(), 'mpcp-bundles-'));
  folders.push(parent);
  return join(parent, 'made', 'by', 'the store');
}

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();
const bytes = (value: string) => new TextEncoder().encode(value);

describe.each<[string, () => BundleStore]>([
  ['MemoryBundleStore', () => new MemoryBundleStore()],
  ['FileBundleStore', () => new FileBundleStore(folder())],
])('%s', (_, make) => {
  it('is empty at first, and discarding nothing is fine', () => {
    const store = make();
    store.discard();
    expect([store.current(), store.incoming()]).toEqual([undefined, undefined]);
  });

  it('a staged set stands beside the one in force until it is committed or discarded', () => {
    const store = make();
    store.stage(bytes('1'));
    store.commit(bytes('one'));
    store.stage(bytes('2'));
    expect([text(store.current()), text(store.incoming())]).toEqual(['one', '2']);
    store.discard();
    expect([text(store.current()), store.incoming()]).toEqual(['one', undefined]);
    store.stage(bytes('3'));
    store.commit(bytes('three'));
    expect([text(store.current()), store.incoming()]).toEqual(['three', undefined]);
  });
});

describe('FileBundleStore', () => {
  it('keeps its sets for the next one, and passes over what a kill left half written', () => {
    const where = folder();
    const first = new FileBundleStore(where);
    first.commit(bytes('one'));
    first.stage(bytes('two'));
    writeFileSync(join(where, 'bundles.json.new'), 'ha');
    const second = new FileBundleStore(where);
    expect([text(second.current()), text(second.incoming())]).toEqual(['one', 'two']);
    second.commit(bytes('three'));
    expect(readdirSync(where)).toEqual(['bundles.json']);
  });

  it.each<[string, string, (store: BundleStore) => unknown]>([
    ['bundles.json', 'bundles.json cannot be read: EISDIR', (store) => store.current()],
    ['incoming.json', 'incoming.json cannot be read: EISDIR', (store) => store.incoming()],
    ['incoming.json.new', 'incoming.json cannot be written: EISDIR', (store) => store.stage(bytes('1'))],
    ['bundles.json.new', 'bundles.json cannot be written: EISDIR', (store) => store.commit(bytes('1'))],
    ['incoming.json', 'incoming.json cannot be removed: ERR_FS_EISDIR', (store) => store.discard()],
  ])('where %s is a folder it says which file cannot be used: %s', (name, message, use) => {
    const where = folder();
    mkdirSync(join(where, name), { recursive: true });
    const store = new FileBundleStore(where);
    expect(() => use(store)).toThrow(BundleStoreError);
    expect(() => use(store)).toThrow(message);
  });

  it('in a place where no folder can be made nothing happens until it is used', () => {
    const where = folder();
    mkdirSync(where, { recursive: true });
    writeFileSync(join(where, 'file'), '');
    const store = new FileBundleStore(join(where, 'file'));
    expect(() => store.current()).toThrow(BundleStoreError);
    expect(() => store.stage(bytes('1'))).toThrow(BundleStoreError);
  });
});
