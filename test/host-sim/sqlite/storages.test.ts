// Both storages of both services, in memory and in a database, keep the same promises.

import { describe, expect, it } from 'vitest';
import * as operator from '../../../host-sim/operator-backend/sqlite-storage.ts';
import { MemoryStorage as OperatorMemory, type OperatorStorage } from '../../../host-sim/operator-backend/storage.ts';
import * as authority from '../../../host-sim/policy-authority/sqlite-storage.ts';
import {
  MemoryStorage as AuthorityMemory,
  type BundleFilter,
  type BundlesAsked,
  type PolicyAuthorityStorage,
  type StoredBundle,
} from '../../../host-sim/policy-authority/storage.ts';
import { Database } from '../../../host-sim/sqlite/database.ts';

const AUTHORITIES: readonly [string, () => Promise<PolicyAuthorityStorage>][] = [
  ['in memory', async () => new AuthorityMemory()],
  ['in a database', async () => new authority.SqliteStorage(await Database.open())],
];
const OPERATORS: readonly [string, () => Promise<OperatorStorage>][] = [
  ['in memory', async () => new OperatorMemory()],
  ['in a database', async () => new operator.SqliteStorage(await Database.open())],
];

describe.each(AUTHORITIES)("an authority's storage %s", (_, open) => {
  it('keeps the first of policies and revocations', async () => {
    const storage = await open();
    const policy = { policyHash: 'a', policyDocument: { name: 'ü\0' }, storedAtMs: 1 };
    expect(await storage.putPolicy(policy)).toEqual(policy);
    expect(await storage.putPolicy({ ...policy, storedAtMs: 2 })).toEqual(policy);
    expect(await storage.policy('a')).toEqual(policy);
    expect(await storage.policy('b')).toBeUndefined();
    await storage.revoke({ grantId: 'z', revokedAtMs: 1 });
    await storage.revoke({ grantId: 'b', revokedAtMs: 2 });
    expect(await storage.revoke({ grantId: 'z', revokedAtMs: 3 })).toEqual({ grantId: 'z', revokedAtMs: 1 });
    expect(await storage.revocation('z')).toEqual({ grantId: 'z', revokedAtMs: 1 });
    expect(await storage.revocation('z\0')).toBeUndefined();
    expect((await storage.revocations()).map(({ grantId }) => grantId)).toEqual(['z', 'b']);
  });

  it('keeps grants', async () => {
    const storage = await open();
    const grant = { grantId: 'g', envelope: { grant: { n: 1e21, text: '"\u2028' } }, issuedAtMs: 1, expiresAtMs: 2 };
    await storage.putGrant(grant);
    expect(await storage.grant('g')).toEqual(grant);
    expect(await storage.grant('h')).toBeUndefined();
  });

  describe('of bundles', () => {
    const stored = (id: number, more: Partial<StoredBundle> = {}): StoredBundle => ({
      bundleIssuer: 'pa',
      category: 'c',
      merchant: undefined,
      region: undefined,
      issuedAtMs: id,
      expiresAtMs: 100,
      bundle: { id },
      ...more,
    });
    const found = async (
      storage: PolicyAuthorityStorage,
      filter: BundleFilter = {},
      more: Partial<BundlesAsked> = {},
    ) => (await storage.newestBundles({ filter, afterMs: 0, most: 9, ...more })).map(({ bundle: { id } }) => id);

    it('gives the newest of each issuer, category, merchant and region, in the order they came', async () => {
      const storage = await open();
      await storage.putBundle(stored(1));
      await storage.putBundle(stored(2, { region: 'EU' }));
      await storage.putBundle(stored(3, { merchant: 'EU' }));
      await storage.putBundle(stored(4, { bundleIssuer: 'other' }));
      await storage.putBundle(stored(5));
      expect(await found(storage)).toEqual([2, 3, 4, 5]);
      expect(await storage.newestBundles({ filter: {}, afterMs: 0, most: 1 })).toEqual([stored(2, { region: 'EU' })]);
    });

    it('takes none that is as old as another for a newer one', async () => {
      const storage = await open();
      await storage.putBundle(stored(7));
      await storage.putBundle(stored(8, { issuedAtMs: 7 }));
      await storage.putBundle(stored(6));
      expect(await found(storage)).toEqual([7]);
      expect(await storage.newestBundleMs()).toBe(7);
    });

    it('gives those that are asked for, and unscoped ones', async () => {
      const storage = await open();
      await storage.putBundle(stored(1));
      await storage.putBundle(stored(2, { merchant: 'm\0' }));
      await storage.putBundle(stored(3, { merchant: 'm' }));
      await storage.putBundle(stored(4, { merchant: 'm', region: 'EU' }));
      await storage.putBundle(stored(5, { category: 'd', region: 'US' }));
      expect(await found(storage, { category: 'c' })).toEqual([1, 2, 3, 4]);
      expect(await found(storage, { merchant: 'm' })).toEqual([1, 3, 4, 5]);
      expect(await found(storage, { region: 'US' })).toEqual([1, 2, 3, 5]);
      expect(await found(storage, { category: 'c', merchant: 'm', region: 'US' })).toEqual([1, 3]);
      expect(await found(storage, { category: 'e' })).toEqual([]);
    });

    it('gives none that has expired, nor an older one for it, and no more than are asked for', async () => {
      const storage = await open();
      await storage.putBundle(stored(1, { merchant: 'm' }));
      await storage.putBundle(stored(2, { merchant: 'm', expiresAtMs: 10 }));
      for (const id of [3, 4, 5]) await storage.putBundle(stored(id, { merchant: `m${id}` }));
      expect(await found(storage, {}, { afterMs: 9 })).toEqual([2, 3, 4, 5]);
      expect(await found(storage, {}, { afterMs: 10 })).toEqual([3, 4, 5]);
      expect(await found(storage, {}, { afterMs: 10, most: 2 })).toEqual([3, 4]);
    });

    it('knows when the newest was issued', async () => {
      const storage = await open();
      expect(await storage.newestBundleMs()).toBe(0);
      await storage.putBundle(stored(4, { merchant: 'm' }));
      await storage.putBundle(stored(3));
      expect(await storage.newestBundleMs()).toBe(4);
    });
  });

  it('has one key of an id, until it is taken back', async () => {
    const storage = await open();
    const key = { keyId: 'k', sha256: 'aa', scopes: ['admin'] as const };
    expect(await storage.putApiKey(key)).toBe(true);
    expect(await storage.putApiKey({ ...key, sha256: 'bb' })).toBe(false);
    expect([await storage.apiKey('aa'), await storage.apiKey('bb')]).toEqual([key, undefined]);
    expect([await storage.deleteApiKey('k'), await storage.deleteApiKey('k')]).toEqual([true, false]);
    expect(await storage.apiKey('aa')).toBeUndefined();
  });
});

describe.each(OPERATORS)("an operator's storage %s", (_, open) => {
  const of = { deviceId: 'd', chain: 1 };
  const receipt = (receiptId: number, document: object = {}) => ({
    receiptId,
    previous: 'p',
    hash: `h${receiptId}`,
    document: { kind: 'payment', ...document },
    receivedAtMs: receiptId,
  });

  it('keeps a receipt once, and one that says more in the place of one in doubt', async () => {
    const storage = await open();
    await storage.putReceipt(of, receipt(7, { doubt: 'damage' }));
    await storage.putReceipt(of, receipt(7));
    await storage.putReceipt(of, receipt(7, { doubt: 'damage' }));
    await storage.putReceipt(of, { ...receipt(7), hash: 'another' });
    expect(await storage.receipt(of, 7)).toEqual(receipt(7));
    expect(await storage.receipt({ ...of, chain: 2 }, 7)).toBeUndefined();
  });

  it('gives receipts back by id, in pages', async () => {
    const storage = await open();
    for (const id of [3, 1, 10, 2]) await storage.putReceipt(of, receipt(id));
    expect((await storage.receipts(of, 1, 2)).map(({ receiptId }) => receiptId)).toEqual([2, 3]);
    expect((await storage.newestReceipt(of))?.receiptId).toBe(10);
    expect(await storage.newestReceipt({ deviceId: 'e', chain: 1 })).toBeUndefined();
  });

  it('keeps grants, evidence once, and chains', async () => {
    const storage = await open();
    await storage.putGrant('k', { a: 1 });
    expect([await storage.grant('k'), await storage.grant('l')]).toEqual([{ a: 1 }, undefined]);
    const evidence = { reason: 'altered', receiptId: 1, detail: 'd', document: { x: 1 }, receivedAtMs: 1 } as const;
    await storage.putEvidence(of, evidence);
    await storage.putEvidence(of, { ...evidence, receivedAtMs: 2 });
    await storage.putEvidence(of, { ...evidence, reason: 'conflict' });
    expect(await storage.evidence(of)).toEqual([evidence, { ...evidence, reason: 'conflict' }]);
    for (const chain of [2, 3]) await storage.putChain('d', { chain, reason: 'new board', begunAtMs: chain });
    expect((await storage.chains('d')).map(({ chain }) => chain)).toEqual([2, 3]);
    expect(await storage.chains('e')).toEqual([]);
  });

  it('withdraws the keys of one device, and keeps that it did', async () => {
    const storage = await open();
    const key = (sha256: string, more: object) => ({ keyId: `of ${sha256}`, sha256, ...more });
    const [one, again, other, reader] = [
      key('aa', { deviceId: 'd' }),
      key('bb', { deviceId: 'd' }),
      key('cc', { deviceId: 'e' }),
      key('dd', {}),
    ];
    for (const made of [one, again, other, reader]) await storage.putApiKey(made);
    expect([await storage.withdrawApiKeys('d'), await storage.withdrawApiKeys('d')]).toEqual([2, 0]);
    const kept = await Promise.all(['aa', 'bb', 'cc', 'dd'].map((sha256) => storage.apiKey(sha256)));
    expect(kept).toEqual([{ ...one, isWithdrawn: true }, { ...again, isWithdrawn: true }, other, reader]);
  });

  it('keeps when a device was seen last, and the last that it said', async () => {
    const storage = await open();
    const state = { document: { state: 'serving' }, receivedAtMs: 1 };
    await storage.putSeen('e', 1, state);
    await storage.putSeen('e', 2);
    await storage.putSeen('d', 3);
    expect(await storage.devices()).toEqual([
      { deviceId: 'd', seenAtMs: 3 },
      { deviceId: 'e', seenAtMs: 2, state },
    ]);
    await storage.putApiKey({ keyId: 'k', sha256: 'aa', deviceId: 'd' });
    expect(await storage.apiKey('aa')).toEqual({ keyId: 'k', sha256: 'aa', deviceId: 'd' });
  });
});
