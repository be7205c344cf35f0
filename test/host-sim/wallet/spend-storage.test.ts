// What a wallet has authorized counts after a restart, and two sessions that share an account share its limit.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../core/json/value.ts';
import { PURPOSE } from '../../../host-sim/day/scene.ts';
import { privatePem } from '../../../host-sim/signing/keys.ts';
import { DatabaseProblem } from '../../../host-sim/sqlite/database.ts';
import { MpcpBudgetExceededError, MpcpPurposeNotAllowedError, WalletError } from '../../../host-sim/wallet/errors.ts';
import { createSession } from '../../../host-sim/wallet/session.ts';
import type { SessionOptions } from '../../../host-sim/wallet/session-options.ts';
import { FileSpendStorage, MemorySpendStorage, type SpendStorage } from '../../../host-sim/wallet/spend-storage.ts';
import { TestSite } from '../site.ts';

const folder = mkdtempSync(join(tmpdir(), 'mpcp-wallet-'));
let site: TestSite;
let grant: JsonObject;
beforeAll(async () => {
  site = await TestSite.open();
  grant = await site.grant(site.cast.vehicleA);
});
afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true });
});

function options(changes: Partial<SessionOptions> = {}): SessionOptions {
  const { address, key } = site.cast.vehicleA;
  return {
    actorId: address,
    signingKey: privatePem(key),
    signingKeyId: key.kid,
    scope: 'TRIP',
    sessionId: 'trip-1',
    ceiling: { amount: '1000', currency: 'XRP' },
    clock: site.clock,
    ...changes,
  };
}

const STORAGES: readonly [string, () => Promise<SpendStorage>][] = [
  ['in memory', async () => new MemorySpendStorage()],
  ['in a file', () => FileSpendStorage.at(join(folder, 'wallet.db'))],
];

describe.each(STORAGES)('a storage %s', (_, open) => {
  it('takes up to the limit, exactly, and amounts of 38 digits', async () => {
    const storage = await open();
    expect(storage.account('a')).toBeUndefined();
    expect(storage.take('a', 1n)).toBe(false);
    const limit = 10n ** 38n - 1n;
    storage.open('a', limit);
    expect([
      storage.take('a', limit - 1n),
      storage.take('a', 2n),
      storage.take('a', 1n),
      storage.take('a', 1n),
    ]).toEqual([true, false, true, false]);
    storage.open('a', limit);
    expect(storage.account('a')).toEqual({ limit, taken: limit });
    if (storage instanceof FileSpendStorage) storage.close();
  });
});

describe('a file for spends', () => {
  const wrong: readonly [string, unknown, string][] = [
    ['a folder', folder, `cannot write ${folder}: it is a folder`],
    ['in a folder that is not there', join(folder, 'no', 'x.db'), 'x.db: no such file or folder'],
    ['with a name that is too long', join(folder, 'x'.repeat(300)), 'x: the name is too long'],
    ['whose note would have too long a name', join(folder, 'y'.repeat(252)), 'y: the name is too long'],
    ['without a name', '', '"" is not a path'],
    ['with a zero byte in its name', 'a\0b', "'a\\x00b' is not a path: it holds a zero byte"],
    ['named by a number', 5, '5 is not a path: it is not text'],
    ['of a variable that is not set, which would be memory', undefined, 'undefined is not a path: it is not text'],
  ];

  it.each(wrong)('%s is refused with its path and the reason, and nothing is left behind', async (_, path, reason) => {
    const before = readdirSync(folder);
    const error = await FileSpendStorage.at(path as string).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DatabaseProblem);
    expect((error as Error).message).toContain(reason);
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe('a session', () => {
  it('goes on where it was when the wallet was restarted: ceiling, and budgets that are half spent', async () => {
    const path = join(folder, 'restart.db');
    let storage = await FileSpendStorage.at(path);
    const first = await createSession(grant, options({ storage }));
    const sba = await first.createSba({ amount: '700' });
    first.createSpa({ sba, amount: '500' });
    storage.close();
    storage = await FileSpendStorage.at(path);
    const second = await createSession(grant, options({ storage }));
    expect(second.remaining()).toEqual({ remainingMinor: '300' });
    await expect(second.createSba({ amount: '301' })).rejects.toThrow(MpcpBudgetExceededError);
    expect(() => second.createSpa({ sba, amount: '201' })).toThrow(MpcpBudgetExceededError);
    second.createSpa({ sba, amount: '200' });
    storage.close();
  });

  it('shares its ceiling with another of the same trip, however many ask at once', async () => {
    const storage = new MemorySpendStorage();
    const sessions = await Promise.all([1, 2].map(() => createSession(grant, options({ storage }))));
    const asked = Array.from({ length: 40 }, (_, i) => sessions[i % 2]?.createSba({ amount: '30' }));
    const results = await Promise.allSettled(asked);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(33);
    expect(sessions[0]?.remaining()).toEqual({ remainingMinor: '10' });
  });

  it('signs for no other purpose than the grant allows', async () => {
    const session = await createSession(grant, options());
    await session.createSba({ amount: '1', purpose: PURPOSE });
    await expect(session.createSba({ amount: '1', purpose: 'travel:hotel' })).rejects.toThrow(
      MpcpPurposeNotAllowedError,
    );
    expect(session.remaining()).toEqual({ remainingMinor: '999' });
  });

  it('signs nothing where its storage fails', async () => {
    const storage = new MemorySpendStorage();
    const session = await createSession(grant, options({ storage }));
    storage.take = () => {
      throw new Error('the disk is full');
    };
    await expect(session.createSba({ amount: '1' })).rejects.toThrow('the disk is full');
  });

  it('says what is wrong with a key', async () => {
    await expect(createSession(grant, options({ signingKey: 'x' }))).rejects.toThrow(WalletError);
  });

  it.each<[string, object]>([
    ['answers later, and so with what looks like yes', { take: async () => false }],
    ['answers nothing', { take: () => undefined }],
    ['opens later', { open: async () => undefined }],
    [
      'fails',
      {
        take: () => {
          throw new Error('the disk is full');
        },
      },
    ],
  ])('signs nothing over a storage that %s', async (_, wrong) => {
    const sound = new MemorySpendStorage();
    const storage = {
      open: sound.open.bind(sound),
      account: sound.account.bind(sound),
      take: sound.take.bind(sound),
      ...wrong,
    } as unknown as SpendStorage;
    await expect(
      (async () => (await createSession(grant, options({ storage }))).createSba({ amount: '1' }))(),
    ).rejects.toThrow(/spend storage|the disk is full/);
  });

  it('signs no payment over one that begins to answer later', async () => {
    const storage = new MemorySpendStorage();
    const session = await createSession(grant, options({ storage }));
    const sba = await session.createSba({ amount: '10' });
    storage.take = (async () => false) as unknown as typeof storage.take;
    expect(() => session.createSpa({ sba, amount: '10' })).toThrow(WalletError);
  });
});
