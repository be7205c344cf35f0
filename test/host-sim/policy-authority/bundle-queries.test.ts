// What a Policy Authority reads of its database for an answer: anybody may ask, so what was issued in all of its time must cost
// nothing. Counted where the database is asked, not by time.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SqliteStorage } from '../../../host-sim/policy-authority/sqlite-storage.ts';
import { Database, type Value } from '../../../host-sim/sqlite/database.ts';

const NOW_MS = 1_000_000;
const MERCHANTS = 30;
const GENERATIONS = 12;

let database: Database;
let storage: SqliteStorage;
/** What the database was asked, and how many rows it gave. */
let asked: { readonly sql: string; readonly values: readonly Value[]; readonly rows: number }[];

beforeEach(async () => {
  database = await Database.open();
  storage = new SqliteStorage(database);
  for (let generation = 0; generation < GENERATIONS; generation++)
    for (let i = 0; i < MERCHANTS; i++)
      await storage.putBundle({
        bundleIssuer: 'pa',
        category: i % 2 === 0 ? 'even' : 'odd',
        merchant: `m${i}`,
        region: i % 3 === 0 ? 'EU' : undefined,
        issuedAtMs: generation * MERCHANTS + i + 1,
        expiresAtMs: i === 7 ? NOW_MS : NOW_MS * 2,
        bundle: { id: `${generation} of m${i}` },
      });
  asked = [];
  const all = database.all.bind(database);
  vi.spyOn(database, 'all').mockImplementation((sql, ...values) => {
    const rows = all(sql, ...values);
    asked.push({ sql, values, rows: rows.length });
    return rows;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  database.close();
});

/** How SQLite finds the rows of what was asked last. */
function plan(): string {
  const { sql, values } = asked.at(-1) as (typeof asked)[number];
  return database
    .all(`EXPLAIN QUERY PLAN ${sql}`, ...values)
    .map(({ detail }) => detail)
    .join('; ');
}

describe('an answer with bundles', () => {
  it.each([
    [{ category: 'even', merchant: 'm4', region: 'US' }, 1],
    [{ merchant: 'm9' }, 1],
    [{ merchant: 'm7' }, 0],
    [{ category: 'odd', region: 'EU' }, 14],
    [{}, 17],
  ])('to %j reads no bundle that is not in it', async (filter, count) => {
    const found = await storage.newestBundles({ filter, afterMs: NOW_MS, most: 17 });
    expect([found.length, asked.map(({ rows }) => rows)]).toEqual([count, [count]]);
    for (const { bundle } of found) expect(bundle.id).toMatch(new RegExp(`^${GENERATIONS - 1} of `));
  });

  it.each([
    [
      { category: 'even', merchant: 'm4', region: 'US' },
      'bundlesByCategory (category=? AND merchant=? AND region=? AND expiresAtMs>?)',
    ],
    [{ category: 'even', merchant: 'm4' }, 'bundlesByCategory (category=? AND merchant=?)'],
    [{ category: 'even' }, 'bundlesByCategory (category=?)'],
    [{ merchant: 'm4', region: 'US' }, 'bundlesByMerchant (merchant=? AND region=? AND expiresAtMs>?)'],
    [{ merchant: 'm4' }, 'bundlesByMerchant (merchant=?)'],
    [{ region: 'US' }, 'bundlesByRegion (region=? AND expiresAtMs>?)'],
    [{}, 'bundlesInForce (expiresAtMs>?)'],
  ])('to %j is looked up by what is asked for, among the newest alone', async (filter, index) => {
    await storage.newestBundles({ filter, afterMs: NOW_MS, most: 17 });
    const told = plan();
    expect(told).not.toContain('SCAN');
    expect(told).toContain(`SEARCH bundles USING COVERING INDEX ${index}`);
  });
});

describe('a bundle that is issued', () => {
  it('has the time of the one before looked up, not all of them read', async () => {
    expect(await storage.newestBundleMs()).toBe(GENERATIONS * MERCHANTS);
    expect(plan()).toContain('USING COVERING INDEX bundlesByTime');
  });
});
