// A root key that was confirmed, on flash: as an image of its own, and nothing in between.

import { describe, expect, it } from 'vitest';
import { readProvisioning } from '../../../core/provisioning/partition.ts';
import { ProvisioningProblem } from '../../../core/provisioning/provisioning.ts';
import { ImageRootKeyKeeper } from '../../../core/provisioning/root-key-keeper.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { type CutForm, SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { root } from '../../fixtures/keys.ts';
import { cbor, document, partition, slotBytes } from '../../fixtures/provisioning.ts';
import { site } from '../../fixtures/site.ts';

const KEY = { kid: root.kid, publicKey: root.publicKey };
const SITE = { ...site(), rootKeys: undefined, refresh: { marginShare: 0.3 }, reservationsLeft: 'hold' } as never;
const unkeyed = (changes = {}) => cbor(document({ site: SITE, rootKey: 'fetch', madeAt: 1_780_000_000, ...changes }));
const keyed = () => partition(slotBytes(unkeyed(), { counter: 5 }));

function provisioned(flash: ReturnType<typeof keyed>) {
  const found = readProvisioning(flash);
  if (found instanceof ProvisioningProblem) throw found;
  return found.provisioning;
}

describe('a root key that is kept', () => {
  it('is in the next image, with everything that was in the one before', () => {
    const flash = keyed();
    const before = provisioned(flash);
    expect(new ImageRootKeyKeeper(flash).keep(KEY)).toBeUndefined();
    const after = provisioned(flash);
    expect(after).toEqual({
      ...before,
      counter: 6,
      fetchesRootKey: false,
      site: { ...before.site, rootKeys: [{ kid: KEY.kid, publicKey: new Uint8Array(KEY.publicKey) }] },
    });
  });

  it('is kept once: the image says no more that one is fetched', () => {
    const flash = keyed();
    const keeper = new ImageRootKeyKeeper(flash);
    keeper.keep(KEY);
    expect(keeper.keep(KEY)).toContain('does not let it fetch');
    expect(provisioned(flash).counter).toBe(6);
  });

  it('is not kept where provisioning lets none be fetched, or there is no counter left, or none at all', () => {
    expect(new ImageRootKeyKeeper(partition(slotBytes(cbor(document())))).keep(KEY)).toContain('does not let it');
    const last = partition(slotBytes(unkeyed(), { counter: 0xffff_ffff }));
    expect(new ImageRootKeyKeeper(last).keep(KEY)).toContain('no counter');
    expect(new ImageRootKeyKeeper(partition()).keep(KEY)).toContain('neither slot');
  });

  it('a power cut at any operation leaves the image of before, or the new one whole', () => {
    const forms: readonly CutForm[] = ['before', 'torn', 'after'];
    const fresh = () => {
      const flash = new SimulatedFlash(new MemoryStore(16_384));
      const bytes = slotBytes(unkeyed(), { counter: 5 });
      flash.erase(0);
      for (let at = 0; at < bytes.length; at += 256)
        flash.program(at, bytes.subarray(at, Math.min(at + 256, bytes.length)));
      return flash;
    };
    const whole = fresh();
    const first = whole.operations;
    expect(new ImageRootKeyKeeper(whole).keep(KEY)).toBeUndefined();
    const count = whole.operations - first;
    expect(count).toBeGreaterThan(2);
    for (let operation = 0; operation < count; operation++)
      for (const form of forms) {
        const flash = fresh();
        flash.cutAt(flash.operations + operation, form);
        expect(() => new ImageRootKeyKeeper(flash).keep(KEY)).toThrow(PowerCut);
        flash.restart();
        const found = readProvisioning(flash);
        expect(found).not.toBeInstanceOf(ProvisioningProblem);
      }
  });
});
