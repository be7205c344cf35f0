// Which keys idle time makes tables for: those of grant issuers as bundles and configuration have them, then payers'.

import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { SiteConfiguration } from '../../../core/configuration.ts';
import { KeyTables } from '../../../core/ed25519/key-tables.ts';
import { MemoryLedger } from '../../../core/ledger/memory-ledger.ts';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import type { LogEvent } from '../../../core/ports/ports.ts';
import { Verifier } from '../../../core/verifier.ts';
import { bundle, entry, inSeconds, NOW, present, revoked } from '../../fixtures/artifacts.ts';
import { ASKED, crypto } from '../../fixtures/device.ts';
import { otherPa, PA, pa, wallet } from '../../fixtures/keys.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { site } from '../../fixtures/site.ts';

const PLACE = 28_672;

function device(
  places: number,
  configuration: Partial<SiteConfiguration> = {},
  flash = new MemoryFlash({ size: places * PLACE }),
) {
  const keyTables = new KeyTables(flash);
  const events: LogEvent[] = [];
  const verifier = new Verifier({
    configuration: site({ budgetUse: 'reuse', ...configuration }),
    crypto: createPortableCrypto(crypto, keyTables),
    clock: { wallMs: () => NOW, monotonicMs: () => 0 },
    ledger: new MemoryLedger(crypto),
    keyTables,
    log: { emit: (event) => events.push(event) },
  });
  const idle = (): void => {
    for (let steps = 0; verifier.step(); steps++) expect(steps).toBeLessThan(500);
  };
  return { verifier, keyTables, flash, events, idle };
}

describe('tables are made in idle time', () => {
  it('for the keys of grant issuers, once a bundle lists them', () => {
    const { verifier, keyTables, idle } = device(4);
    idle();
    expect(keyTables.tables).toBe(0);
    expect(verifier.admit(bundle())).toMatchObject({ ok: true });
    idle();
    expect([pa, wallet].map(({ publicKey }) => keyTables.has(publicKey))).toEqual([true, false]);
  });

  it('but not for those that the bundle marks revoked, or whose kid the configuration leaves out', () => {
    const issuers = [{ issuer: PA, kids: [pa.kid, otherPa.kid] }];
    const listed = entry(PA, pa, revoked(otherPa));
    const { verifier, keyTables, idle } = device(4, { grantIssuers: issuers });
    verifier.admit(bundle({ issuers: [listed] }));
    idle();
    expect([pa, otherPa].map(({ publicKey }) => keyTables.has(publicKey))).toEqual([true, false]);
    const other = device(4, { grantIssuers: [{ issuer: PA, kids: ['another'] }] });
    other.verifier.admit(bundle({ issuers: [listed] }));
    other.idle();
    expect(other.keyTables.tables).toBe(0);
  });

  it('for pinned keys that sign grants', () => {
    const pinnedKeys = [
      { role: 'policyGrant' as const, kid: pa.kid, publicKey: pa.publicKey },
      { role: 'sba' as const, kid: wallet.kid, publicKey: wallet.publicKey },
    ];
    const { keyTables, idle } = device(4, { pinnedKeys });
    idle();
    expect([pa, wallet].map(({ publicKey }) => keyTables.has(publicKey))).toEqual([true, false]);
  });

  it('for a payer’s key from its second payment on; refused payments and looking do not count', () => {
    const { verifier, keyTables, idle } = device(4);
    verifier.admit(bundle());
    const pay = () => verifier.authorize(present(), { ...ASKED, amountMinor: '10' });
    for (let i = 0; i < 3; i++) {
      expect(verifier.check(present(), ASKED)).toMatchObject({ ok: true });
      expect(verifier.authorize(present(), { ...ASKED, amountMinor: '99999999999' })).toMatchObject({ ok: false });
    }
    expect(pay()).toMatchObject({ ok: true });
    idle();
    expect(keyTables.has(wallet.publicKey)).toBe(false);
    expect(pay()).toMatchObject({ ok: true });
    idle();
    expect(keyTables.has(wallet.publicKey)).toBe(true);
    expect(pay()).toMatchObject({ ok: true });
  });

  it('for the keys of a new bundle in place of the old ones', () => {
    const { verifier, keyTables, idle } = device(1);
    verifier.admit(bundle());
    idle();
    verifier.admit(bundle({ issuedAt: inSeconds(-1), issuers: [entry(PA, revoked(pa), otherPa)] }));
    idle();
    expect([pa, otherPa].map(({ publicKey }) => keyTables.has(publicKey))).toEqual([false, true]);
  });
});

describe('a table gives no trust', () => {
  it('a revoked key is refused though it has one', () => {
    const { verifier, keyTables, idle } = device(4);
    verifier.admit(bundle());
    idle();
    verifier.admit(bundle({ issuedAt: inSeconds(-1), issuers: [entry(PA, revoked(pa), otherPa)] }));
    idle();
    expect(keyTables.has(pa.publicKey)).toBe(true);
    expect(verifier.check(present(), ASKED)).toMatchObject({ ok: false, code: 'KEY_REVOKED' });
  });
});

describe('a partition that holds something else', () => {
  it('is told once, left as it is, and payments go on', () => {
    const flash = new MemoryFlash({ size: 2 * PLACE });
    const head = Buffer.concat([Buffer.from([0x4d, 1]), Buffer.alloc(30)]);
    head.writeUInt32LE(crc32(head.subarray(0, 28)), 28);
    flash.cells.set(head);
    const { verifier, events, idle } = device(2, {}, flash);
    const before = flash.snapshot();
    verifier.admit(bundle());
    idle();
    idle();
    expect(events.filter(({ event }) => event === 'keyTables.failed')).toEqual([
      { event: 'keyTables.failed', detail: 'the key table partition holds something else' },
    ]);
    expect(flash.snapshot()).toEqual(before);
    expect(verifier.authorize(present(), ASKED)).toMatchObject({ ok: true });
  });
});
