// Receipts as documents: what is handed in is what was signed, and whoever holds a document can tell that it was changed.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../../core/json/canonical.ts';
import { readJson } from '../../../core/json/reader.ts';
import type { JsonObject, JsonValue } from '../../../core/json/value.ts';
import type { JournalEntry, JournalPayment } from '../../../core/ledger/journal.ts';
import { readReceipt, receiptDocument, receiptHashOf } from '../../../core/ledger/receipt-document.ts';
import { ARTIFACT_LIMITS } from '../../../core/limits.ts';
import { fleetPolicy, grant, intent, NOW, sba, spaFor } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { append, end, fullPayment, largePayment, opened, payment, unsent } from './journal-entries.ts';

const LIMITS = { ...ARTIFACT_LIMITS, bytes: 65_536, values: 65_536 };

/** What comes out of a journal, through JSON text and back. */
function documents(...entries: readonly JournalEntry[]): JsonObject[] {
  const journal = opened(new MemoryFlash());
  append(journal, ...entries);
  return unsent(journal).map((receipt) => throughText(receiptDocument(receipt)));
}

function throughText(document: JsonObject): JsonObject {
  return readJson(Buffer.from(JSON.stringify(document)), LIMITS) as JsonObject;
}

function document(entry: JournalEntry): JsonObject {
  return documents(entry)[0] as JsonObject;
}

/** Expects that a document is taken for what it is, and gives what was read. */
function expectRead(of: JsonValue): void {
  const read = readReceipt(crypto, of);
  expect(read).not.toHaveProperty('fault');
  expect(receiptHashOf(crypto, of)).toBe((of as JsonObject).hash);
}

describe('a document has the hash of the receipt, worked out again from what it holds:', () => {
  it.each<[string, JournalEntry]>([
    ['a payment', payment(1)],
    [
      'one with everything',
      fullPayment(1, { fleetPolicyAuthorization: fleetPolicy(), grant: grant({}, {}, 'envelope') }),
    ],
    ['one without a grant', payment(1, { grant: undefined })],
    ['a reservation of the largest amount', payment(1, { mode: 'reserve', amount: 2n ** 128n - 1n })],
    ['the largest that fits', largePayment(1, 6)],
    ['one at the end of time', payment(1, { timeMs: 0xffff_ffff_ffff })],
    ['one at its beginning', payment(1, { timeMs: 0 })],
    ['a settlement', end(2, 1)],
    ['a release', end(2, 1, { how: 'release', amount: 0n })],
    [
      'one with numbers and names of every kind',
      payment(1, { grant: grant({ odd: [1.5, -0, 1e21, 1e-7, 'ä'], __proto__x: 1 }) }),
    ],
  ])('%s', (_, entry) => expectRead(document(entry)));

  it('with the members in any order', () => {
    const turned = (value: JsonValue): JsonValue =>
      Array.isArray(value)
        ? value.map(turned)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([name, inner]) => [name, turned(inner)]),
            )
          : value;
    expectRead(turned(document(fullPayment(1))));
  });

  it('and the artifacts in it are the signed ones, to the letter', () => {
    const artifacts = {
      grant: grant({}, {}, 'envelope'),
      sba: sba({ '\u{1f600}': 1, '\uff01': 2 }),
      spa: spaFor(intent()),
      settlementIntent: intent(),
      fleetPolicyAuthorization: fleetPolicy(),
    };
    const given = document(payment(1, artifacts));
    for (const [name, artifact] of Object.entries(artifacts))
      expect(canonicalText(given[name] as JsonValue)).toBe(canonicalText(artifact));
  });
});

describe('every payment of the interop vectors', () => {
  const payments = ['chains', 'spa-chains', 'policy-grants', 'sbas', 'fpa'].flatMap((name) => {
    const { cases } = JSON.parse(readFileSync(`test/vectors/interop/${name}.json`, 'utf8')) as { cases: JsonObject[] };
    return cases.map((one, i): [string, Partial<JournalPayment>] => [
      `${name} ${one.id ?? i}`,
      Object.fromEntries(
        Object.entries({
          grant: one.grant ?? one.wire,
          sba: one.sba ?? { authorization: {} },
          spa: one.spa,
          settlementIntent: one.settlementIntent ?? one.intent,
          fleetPolicyAuthorization: one.fpa,
        }).filter(([, artifact]) => typeof artifact === 'object' && artifact !== null),
      ),
    ]);
  });

  it(`comes back whole and with its hash (${payments.length})`, () => {
    let kept = 0;
    for (const [name, artifacts] of payments) {
      const journal = opened(new MemoryFlash());
      const entry = payment(1, { grant: undefined, ...artifacts });
      // What no journal keeps, no device accepts: past a limit.
      if ('code' in journal.append(entry)) continue;
      kept++;
      for (const receipt of unsent(journal)) {
        const given = throughText(receiptDocument(receipt));
        expect(readReceipt(crypto, given), name).not.toHaveProperty('fault');
      }
    }
    expect(kept).toBeGreaterThan(200);
  });
});

describe('an edit shows:', () => {
  const whole = document(fullPayment(3, { fleetPolicyAuthorization: fleetPolicy() }));
  const settled = document(end(4, 3));

  it.each<[string, JsonObject]>([
    ['another amount', { amountMinor: '999' }],
    ['another time', { time: new Date(NOW).toISOString() }],
    ['another receipt id', { receiptId: 4 }],
    ['another predecessor', { previous: 'ab'.repeat(16) }],
    ['another mode', { mode: 'reserve' }],
    ['another idempotency key', { idempotencyKey: 'key 4' }],
    ['another hash', { hash: 'ab'.repeat(16) }],
    ['another key of its grant', { grantKey: 'ab'.repeat(16) }],
    ['another grant', { grant: grant({ grantId: 'grant-2' }) }],
    ['another SBA', { sba: sba({ maxAmountMinor: '3001' }) }],
    ['a byte of a signature', { sba: { ...(whole.sba as JsonObject), signature: 'A'.repeat(88) } }],
    ['a member that no signature covers', { sba: { ...(whole.sba as JsonObject), extra: 1 } }],
  ])('%s', (_, changes) => {
    expect(readReceipt(crypto, { ...whole, ...changes })).toMatchObject({ fault: 'altered' });
  });

  it.each(['idempotencyKey', 'spa', 'settlementIntent', 'fleetPolicyAuthorization'])('%s taken away', (name) => {
    const { [name]: _, ...rest } = whole;
    expect(readReceipt(crypto, rest)).toMatchObject({ fault: 'altered' });
  });

  it('a grant taken away with its key', () => {
    const { grant: _, grantKey: __, ...rest } = whole;
    expect(readReceipt(crypto, rest)).toMatchObject({ fault: 'altered' });
  });

  it.each<[string, JsonObject]>([
    ['a release made of a settlement', { how: 'release' }],
    ['another reservation', { reservation: 2 }],
    ['another amount', { amountMinor: '1' }],
  ])('of an end: %s', (_, changes) => {
    expect(readReceipt(crypto, { ...settled, ...changes })).toMatchObject({ fault: 'altered' });
  });

  it('any member of any artifact', () => {
    let edits = 0;
    const visit = (value: JsonValue, put: (changed: JsonValue) => JsonObject): void => {
      if (typeof value === 'object' && value !== null) {
        for (const [name, inner] of Object.entries(value))
          visit(inner, (changed) =>
            put(
              Array.isArray(value)
                ? value.map((one, i) => (i === Number(name) ? changed : one))
                : { ...value, [name]: changed },
            ),
          );
        return;
      }
      edits++;
      const changed = typeof value === 'string' ? `${value}x` : typeof value === 'number' ? value + 1 : !value;
      expect(readReceipt(crypto, put(changed))).toHaveProperty('fault');
    };
    visit(whole, (changed) => changed as JsonObject);
    expect(edits).toBeGreaterThan(50);
  });
});

describe('a grant that stands elsewhere', () => {
  const [first, second] = documents(payment(1), payment(2)) as [JsonObject, JsonObject];
  const { grant: itsGrant, ...without } = second;

  it('is found by its key', () => {
    const read = readReceipt(crypto, without, (key) => (key === first.grantKey ? first.grant : undefined));
    expect(read).toMatchObject({ receiptId: 2, entry: { grant: itsGrant } });
  });

  it('and is missed', () => {
    expect(readReceipt(crypto, without)).toMatchObject({ fault: 'grant-missing' });
    expect(receiptHashOf(crypto, without)).toMatchObject({ fault: 'grant-missing' });
  });

  it('cannot be replaced by another', () => {
    expect(readReceipt(crypto, without, () => grant({ grantId: 'other' }))).toMatchObject({ fault: 'altered' });
  });
});

describe('what is no receipt is malformed, whatever it is:', () => {
  const whole = document(payment(1));

  it.each<[string, JsonValue]>([
    ['null', null],
    ['a list', [whole]],
    ['text', 'receipt'],
    ['nothing in it', {}],
    ['an id of 0', { ...whole, receiptId: 0 }],
    ['an id as text', { ...whole, receiptId: '1' }],
    ['an id above 32 bits', { ...whole, receiptId: 2 ** 32 }],
    ['a hash in capitals', { ...whole, hash: 'AB'.repeat(16) }],
    ['a short hash', { ...whole, previous: 'ab' }],
    ['a kind that there is not', { ...whole, kind: 'refund' }],
    ['a kind that every object has', { ...whole, kind: 'constructor' }],
    ['an unknown member', { ...whole, note: 'x' }],
    ['a negative amount', { ...whole, amountMinor: '-1' }],
    ['an amount in hexadecimal', { ...whole, amountMinor: '0x10' }],
    ['an amount with a zero before it', { ...whole, amountMinor: '01000' }],
    ['an amount of 2^128', { ...whole, amountMinor: (2n ** 128n).toString() }],
    ['an amount as a number', { ...whole, amountMinor: 1000 }],
    ['a time without milliseconds', { ...whole, time: '2026-06-01T12:00:00Z' }],
    ['a time in another zone', { ...whole, time: '2026-06-01T12:00:00.001+00:00' }],
    ['no time', { ...whole, time: 'soon' }],
    ['a grant without its key', { ...whole, grantKey: null }],
    ['no SBA', { ...whole, sba: null }],
    ['a mode that there is not', { ...whole, mode: 'check' }],
    ['an idempotency key that is no text', { ...whole, idempotencyKey: 1 }],
    ['an end without a reservation', { ...document(end(2, 1)), reservation: null }],
    ['an end that is neither', { ...document(end(2, 1)), how: 'cancel' }],
    [
      'an unreadable one that does not say why',
      { receiptId: 1, previous: 'ab'.repeat(16), hash: 'ab'.repeat(16), kind: 'unreadable' },
    ],
    ['an artifact deeper than there are', { ...whole, sba: JSON.parse('['.repeat(40) + ']'.repeat(40)) }],
    ['a lone surrogate', { ...whole, sba: { authorization: '\ud800' } }],
  ])('%s', (_, value) => {
    expect(readReceipt(crypto, value)).toMatchObject({ fault: 'malformed' });
    expect(receiptHashOf(crypto, value)).not.toBe((whole as JsonObject).hash);
  });
});

describe('a receipt that cannot be read', () => {
  const unreadable = receiptDocument({
    receiptId: 9,
    previous: 'ab'.repeat(16),
    hash: 'cd'.repeat(16),
    entry: undefined,
    problem: 'its grant is lost',
  });

  it('says so, and keeps its place in the chain', () => {
    expect(readReceipt(crypto, unreadable)).toMatchObject({
      receiptId: 9,
      entry: undefined,
      problem: 'its grant is lost',
    });
  });

  it('has no hash that could be worked out', () => {
    expect(receiptHashOf(crypto, unreadable)).toMatchObject({ fault: 'malformed' });
  });
});

describe('a receipt in doubt', () => {
  const journal = opened(new MemoryFlash());
  append(journal, fullPayment(1), end(2, 1));
  const doubtful = unsent(journal).map(({ entry, ...chained }) => ({
    ...chained,
    entry: undefined,
    problem: 'what says whether it was accepted is lost',
    doubtful: entry as JournalEntry,
  }));

  it.each(doubtful)('has its data and its hash, and is no payment', (receipt) => {
    const given = throughText(receiptDocument(receipt));
    const read = readReceipt(crypto, given);
    expect(read).toMatchObject({
      entry: undefined,
      problem: receipt.problem,
      doubtful: { receiptId: receipt.receiptId },
    });
    expect(receiptHashOf(crypto, given)).toBe(receipt.hash);
  });

  it('cannot be edited either', () => {
    const given = receiptDocument(doubtful[0] as (typeof doubtful)[number]);
    expect(readReceipt(crypto, { ...given, amountMinor: '1' })).toMatchObject({ fault: 'altered' });
    expect(readReceipt(crypto, { ...given, doubt: 7 })).toMatchObject({ fault: 'malformed' });
  });
});
