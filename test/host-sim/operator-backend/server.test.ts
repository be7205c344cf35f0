// An operator's backend over real HTTP: every receipt once, whatever is sent how often; what was changed, left out or put
// elsewhere shows.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Boot } from '../../../core/boot/boot.ts';
import { stateDocument } from '../../../core/boot/state.ts';
import { canonicalText } from '../../../core/json/canonical.ts';
import type { JsonObject, JsonValue } from '../../../core/json/value.ts';
import type { JournalEntry } from '../../../core/ledger/journal.ts';
import { receiptDocument, receiptHashOf } from '../../../core/ledger/receipt-document.ts';
import { Uploader } from '../../../core/refresh/upload.ts';
import { OperatorBackend } from '../../../host-sim/operator-backend/server.ts';
import { SimulatedClock } from '../../../host-sim/ports/clock.ts';
import { CollectingLog } from '../../../host-sim/ports/log.ts';
import {
  append,
  end,
  fullPayment,
  grantNumber,
  opened,
  payment,
  text,
  unsent,
} from '../../core/ledger/journal-entries.ts';
import { grant, INTENT, NOW, sba, spaFor } from '../../fixtures/artifacts.ts';
import { ASKED, crypto, Device } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';

const log = new CollectingLog();
const clock = new SimulatedClock(NOW);
const server = new OperatorBackend({ crypto, clock, log });
let operatorKey = '';
beforeAll(async () => {
  await server.listen();
  operatorKey = await server.issueOperatorKey('accounts');
});
afterAll(() => server.close());

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

async function call(method: string, path: string, key: string, body?: string): Promise<Answer> {
  const headers: Record<string, string> = { 'content-type': 'application/json', connection: 'close' };
  if (key !== '') headers.authorization = `Bearer ${key}`;
  const response = await fetch(new URL(path, server.url), { method, headers, ...(body === undefined ? {} : { body }) });
  return { status: response.status, body: (await response.json()) as JsonObject };
}

let devices = 0;

/** A device of its own for a test, as the backend knows it. */
class Known {
  readonly id = `device-${++devices}`;
  readonly #key = server.issueDeviceKey(this.id);

  async post(body: unknown): Promise<Answer> {
    const sent = typeof body === 'string' ? body : JSON.stringify(body);
    return call('POST', `/v1/devices/${this.id}/receipts`, await this.#key, sent);
  }

  /** A batch of documents. */
  send(...receipts: readonly JsonValue[]): Promise<Answer> {
    return this.post({ format: 1, receipts });
  }

  async receipts(query = ''): Promise<readonly JsonObject[]> {
    const { body } = await call('GET', `/v1/devices/${this.id}/receipts${query}`, operatorKey);
    return body.receipts as readonly JsonObject[];
  }

  async ids(): Promise<readonly unknown[]> {
    return (await this.receipts()).map((receipt) => receipt.receiptId);
  }

  async report(): Promise<JsonObject> {
    return (await call('GET', `/v1/devices/${this.id}/report`, operatorKey)).body;
  }

  get key(): Promise<string> {
    return this.#key;
  }
}

function documents(...entries: readonly JournalEntry[]): JsonObject[] {
  const journal = opened(new MemoryFlash());
  append(journal, ...entries);
  return unsent(journal).map((receipt) => receiptDocument(receipt));
}

function payments(count: number, from = 1): JsonObject[] {
  return documents(...Array.from({ length: count }, (_, i) => payment(from + i)));
}

/** A document with changes and the hash that goes with them: what somebody makes who knows how. */
function forged(document: JsonObject, changes: JsonObject): JsonObject {
  const changed = { ...document, ...changes };
  return { ...changed, hash: receiptHashOf(crypto, changed) as string };
}

describe('a batch', () => {
  it('is kept, and acknowledged up to its last receipt', async () => {
    const device = new Known();
    const sent = documents(
      fullPayment(1),
      payment(2, { mode: 'reserve' }),
      end(3, 2),
      payment(4, { grant: undefined }),
    );
    expect(await device.send(...sent)).toEqual({ status: 200, body: { acknowledged: 4, added: 4 } });
    expect((await device.receipts()).map((receipt) => canonicalText(receipt))).toEqual(
      sent.map((receipt) => canonicalText(receipt)),
    );
  });

  it('as an uploader makes it, a grant once: every receipt is whole again when it is read', async () => {
    const device = new Known();
    const journal = opened(new MemoryFlash());
    const entries = [payment(1), payment(2, { grant: grantNumber(2) }), payment(3), fullPayment(4), payment(5)];
    append(journal, ...entries);
    const uploader = new Uploader(journal, { random: () => 0, mostReceipts: 2 });
    for (let step = uploader.next(0); step.kind === 'send'; step = uploader.next(0)) {
      const { status, body } = await device.post(Buffer.from(step.batch.body).toString('utf8'));
      expect(uploader.answered(0, status, Buffer.from(JSON.stringify(body)))).toMatchObject({ ok: true });
    }
    const kept = await device.receipts();
    expect(kept.map((receipt) => canonicalText(receipt.grant as JsonValue))).toEqual(
      entries.map(({ grant: its }) => canonicalText(its as JsonValue)),
    );
    for (const receipt of kept) expect(receiptHashOf(crypto, receipt)).toBe(receipt.hash);
    expect(await device.report()).toMatchObject({ receipts: 5, breaks: [], evidence: [], spentMinor: '5000' });
  });

  it('names a grant that came with an earlier batch', async () => {
    const device = new Known();
    const [first, second] = payments(2) as [JsonObject, JsonObject];
    await device.send(first);
    const { grant: _, ...without } = second;
    expect(await device.send(without)).toMatchObject({ status: 200, body: { acknowledged: 2 } });
  });

  it('names one that never came: it is refused, and what was before it is acknowledged', async () => {
    const device = new Known();
    const [first, second] = documents(payment(1), payment(2, { grant: grant({ grantId: 'never-seen' }) }));
    const { grant: _, ...without } = second as JsonObject;
    expect(await device.send(first as JsonObject, without)).toMatchObject({
      status: 400,
      body: { error: 'grant_missing', acknowledged: 1 },
    });
  });

  it('of one device is nobody else’s: the same ids at another are others', async () => {
    const [one, other] = [new Known(), new Known()];
    await one.send(...payments(2));
    expect(await other.send(...documents(payment(1, { amount: 5n })))).toMatchObject({ status: 200 });
    expect([await one.ids(), await other.ids()]).toEqual([[1, 2], [1]]);
  });
});

describe('every artifact that was handed in still verifies:', () => {
  it('signatures and all, by a verifier that has never seen it', async () => {
    const device = new Known();
    const journal = opened(new MemoryFlash());
    const presented = [
      { grant: grant(), sba: sba() },
      { grant: grant({}, {}, 'envelope'), sba: sba(), spa: spaFor(INTENT), settlementIntent: INTENT },
      { grant: grant(), sba: sba(), spa: spaFor(INTENT), settlementIntent: INTENT, idempotencyKey: 'once' },
    ];
    append(journal, ...presented.map((parts, i) => payment(i + 1, parts)));
    const step = new Uploader(journal, { random: () => 0 }).next(0);
    if (step.kind !== 'send') throw new Error(step.kind);
    await device.post(Buffer.from(step.batch.body).toString('utf8'));
    const kept = await device.receipts();
    expect(kept).toHaveLength(3);
    for (const {
      receiptId: _,
      previous: __,
      hash: ___,
      kind,
      mode,
      amountMinor,
      time,
      grantKey,
      ...artifacts
    } of kept) {
      expect([kind, mode, amountMinor, typeof time, typeof grantKey]).toEqual([
        'payment',
        'authorize',
        '1000',
        'string',
        'string',
      ]);
      expect(new Device().verifier.check(Buffer.from(JSON.stringify(artifacts)), ASKED)).toMatchObject({ ok: true });
      const spoiled = { ...artifacts, sba: { ...(artifacts.sba as JsonObject), signature: 'A'.repeat(86) } };
      expect(new Device().verifier.check(Buffer.from(JSON.stringify(spoiled)), ASKED)).toMatchObject({ ok: false });
    }
  });
});

describe('what is sent twice is there once:', () => {
  it('a batch played back', async () => {
    const device = new Known();
    const sent = payments(3);
    await device.send(...sent);
    expect(await device.send(...sent)).toEqual({ status: 200, body: { acknowledged: 3, added: 0 } });
    expect(await device.ids()).toEqual([1, 2, 3]);
    expect(await device.report()).toMatchObject({ spentMinor: '3000' });
  });

  it('batches that overlap', async () => {
    const device = new Known();
    const sent = payments(5);
    await device.send(...sent.slice(0, 3));
    expect(await device.send(...sent.slice(1))).toEqual({ status: 200, body: { acknowledged: 5, added: 2 } });
    expect(await device.ids()).toEqual([1, 2, 3, 4, 5]);
  });

  it('the same batch many times at once', async () => {
    const device = new Known();
    const sent = payments(4);
    const answers = await Promise.all(Array.from({ length: 8 }, () => device.send(...sent)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(answers.reduce((sum, { body }) => sum + Number(body.added), 0)).toBe(4);
    expect(await device.ids()).toEqual([1, 2, 3, 4]);
  });
});

describe('the same id with another hash', () => {
  it('is a conflict: what was there stays, what came is evidence, and what was before it is acknowledged', async () => {
    const device = new Known();
    const sent = payments(3);
    await device.send(...sent);
    const second = forged(sent[1] as JsonObject, { amountMinor: '1' });
    const answer = await device.send(sent[0] as JsonObject, second, sent[2] as JsonObject);
    expect(answer).toMatchObject({ status: 409, body: { error: 'receipt_conflict', acknowledged: 1 } });
    expect(answer.body.detail).toContain('receipt 2 of');
    expect((await device.receipts())[1]).toMatchObject({ amountMinor: '1000' });
    expect(await device.report()).toMatchObject({
      evidence: [{ receiptId: 2, reason: 'conflict' }],
      breaks: [],
      spentMinor: '3000',
    });
  });

  it('is kept once however often it comes', async () => {
    const device = new Known();
    const [first] = payments(1) as [JsonObject];
    await device.send(first);
    for (let i = 0; i < 3; i++) await device.send(forged(first, { amountMinor: '1' }));
    await device.send(forged(first, { amountMinor: '2' }));
    expect((await device.report()).evidence).toHaveLength(2);
    expect(await server.backend.storage.evidence({ deviceId: device.id, chain: 1 })).toMatchObject([
      { document: { amountMinor: '1' }, receivedAtMs: NOW },
      { document: { amountMinor: '2' } },
    ]);
  });

  it('is what a device shows that was formatted; nothing of it is taken', async () => {
    const device = new Known();
    await device.send(...payments(3));
    expect(await device.send(...formatted)).toMatchObject({ status: 409 });
    expect(log.named('backend.evidence').at(-1)).toMatchObject({ deviceId: device.id, chain: 1, reason: 'conflict' });
  });
});

/** What a device hands in after its ledger and journal were formatted. */
const formatted = documents(payment(1, { timeMs: NOW + 1_000_000, amount: 5n }));

describe('a new chain', () => {
  const begin = (device: Known, body: unknown, key = operatorKey): Promise<Answer> =>
    call('POST', `/v1/devices/${device.id}/chains`, key, JSON.stringify(body));

  it('is begun by the operator: a device that was formatted hands in from 1 again, and the old receipts stay', async () => {
    const device = new Known();
    await device.send(...payments(3));
    expect(await begin(device, { reason: 'board replaced' })).toEqual({ status: 201, body: { chain: 2 } });
    expect(await device.send(...formatted)).toMatchObject({ status: 200, body: { acknowledged: 1, added: 1 } });
    expect(await device.report()).toMatchObject({ chain: 2, receipts: 1, spentMinor: '5', breaks: [] });
    const first = await call('GET', `/v1/devices/${device.id}/report?chain=1`, operatorKey);
    expect(first.body).toMatchObject({ chain: 1, receipts: 3, spentMinor: '3000' });
    expect(await device.receipts('?chain=1')).toHaveLength(3);
    expect(await device.receipts()).toHaveLength(1);
    expect(log.named('backend.chain').at(-1)).toMatchObject({ chain: 2, reason: 'board replaced' });
  });

  it('that was begun though the device goes on shows: what is before is missing', async () => {
    const device = new Known();
    const sent = payments(3);
    await device.send(...sent.slice(0, 2));
    await begin(device, { reason: 'by mistake' });
    await device.send(sent[2] as JsonObject);
    expect(await device.report()).toMatchObject({ breaks: ['receipts before 3 are missing'] });
  });

  it('is begun by nobody else, and for a reason', async () => {
    const device = new Known();
    expect(await begin(device, { reason: 'x' }, await device.key)).toMatchObject({ status: 403 });
    expect(await begin(device, { reason: 'x' }, '')).toMatchObject({ status: 401 });
    expect(await begin(device, {})).toMatchObject({ status: 400 });
    expect(await device.report()).toMatchObject({ chain: 1 });
  });

  it('is not asked for before it was begun', async () => {
    const device = new Known();
    for (const chain of ['0', '2'])
      expect(await call('GET', `/v1/devices/${device.id}/report?chain=${chain}`, operatorKey)).toMatchObject({
        status: 404,
      });
    expect(await call('GET', `/v1/devices/${device.id}/report?chain=x`, operatorKey)).toMatchObject({ status: 400 });
  });
});

describe('an edited receipt', () => {
  it.each<[string, JsonObject]>([
    ['its amount', { amountMinor: '1' }],
    ['its time', { time: '2026-06-01T12:00:00.009Z' }],
    ['its SBA', { sba: sba({ maxAmountMinor: '9999' }) }],
    ['its grant', { grant: grant({ grantId: 'another' }) }],
    ['its predecessor', { previous: '00'.repeat(16) }],
  ])('shows by its hash: %s', async (_, changes) => {
    const device = new Known();
    const [first, second, third] = payments(3) as [JsonObject, JsonObject, JsonObject];
    const answer = await device.send(first, { ...second, ...changes }, third);
    expect(answer).toMatchObject({ status: 422, body: { error: 'receipt_altered', acknowledged: 1 } });
    expect(await device.ids()).toEqual([1]);
    expect(await device.report()).toMatchObject({ evidence: [{ receiptId: 2, reason: 'altered' }] });
  });

  it('whose hash was made anew shows by the next one', async () => {
    const device = new Known();
    const [first, second, third] = payments(3) as [JsonObject, JsonObject, JsonObject];
    await device.send(first, forged(second, { amountMinor: '1' }), third);
    expect((await device.report()).breaks).toEqual(['receipt 3 carries another hash than that of 2']);
  });
});

describe('a receipt that is left out', () => {
  it('shows, and is told when it comes', async () => {
    const device = new Known();
    const [first, , third] = payments(3) as [JsonObject, JsonObject, JsonObject];
    expect(await device.send(first, third)).toMatchObject({ status: 200, body: { acknowledged: 3 } });
    expect((await device.report()).breaks).toEqual(['receipts between 1 and 3 are missing']);
    expect(log.named('backend.break').at(-1)).toMatchObject({ deviceId: device.id, receiptId: 3 });
  });

  it('may come later: the chain is whole then', async () => {
    const device = new Known();
    const [first, second, third] = payments(3) as [JsonObject, JsonObject, JsonObject];
    await device.send(first, third);
    await device.send(second);
    expect(await device.report()).toMatchObject({ receipts: 3, breaks: [] });
    expect(await device.ids()).toEqual([1, 2, 3]);
  });

  it('because the device could not read it keeps its place, and shows', async () => {
    const device = new Known();
    const [first, second, third] = payments(3) as [JsonObject, JsonObject, JsonObject];
    const { receiptId, previous, hash } = second as { receiptId: number; previous: string; hash: string };
    const unreadable = { receiptId, previous, hash, kind: 'unreadable', problem: 'its grant is lost' };
    expect(await device.send(first, unreadable, third)).toMatchObject({ status: 200, body: { acknowledged: 3 } });
    expect(await device.report()).toMatchObject({ breaks: [], incomplete: ['receipt 2: its grant is lost'] });
    await device.send(second);
    expect(await device.report()).toMatchObject({ incomplete: [], spentMinor: '3000' });
    await device.send(unreadable);
    expect(await device.report()).toMatchObject({ incomplete: [], spentMinor: '3000' });
  });
});

describe('a receipt that the device is in doubt about', () => {
  it('is kept and told, and is no money until it comes without the doubt', async () => {
    const device = new Known();
    const [first, second] = payments(2) as [JsonObject, JsonObject];
    await device.send(first, { ...second, doubt: 'what says whether it was accepted is lost' });
    expect(await device.report()).toMatchObject({
      receipts: 2,
      spentMinor: '1000',
      breaks: [],
      incomplete: ['receipt 2: what says whether it was accepted is lost'],
    });
    await device.send(second);
    expect(await device.report()).toMatchObject({ spentMinor: '2000', incomplete: [] });
  });
});

describe('a batch that is not in order is refused whole:', () => {
  it.each<[string, readonly number[]]>([
    ['turned round', [3, 2, 1]],
    ['two exchanged', [1, 3, 2]],
    ['one of them doubled', [1, 2, 2, 3]],
  ])('%s', async (_, order) => {
    const device = new Known();
    const sent = payments(3);
    const answer = await device.send(...order.map((id) => sent[id - 1] as JsonObject));
    expect(answer).toMatchObject({ status: 400, body: { error: 'receipts_out_of_order' } });
    expect(answer.body).not.toHaveProperty('acknowledged');
    expect(await device.ids()).toEqual([]);
  });
});

describe('what is no batch is refused, and nothing is kept:', () => {
  const whole = JSON.stringify({ format: 1, receipts: payments(2) });

  it.each<[string, unknown, number, string]>([
    ['a batch cut off', whole.slice(0, -20), 400, 'invalid_request'],
    [
      'a batch cut off between two receipts',
      `${whole.slice(0, whole.indexOf('},{"receiptId"') + 1)}`,
      400,
      'invalid_request',
    ],
    ['no JSON', 'receipts', 400, 'invalid_request'],
    ['nothing', '', 400, 'invalid_request'],
    ['a list', [], 400, 'invalid_request'],
    ['no receipts in it', { format: 1, receipts: [] }, 400, 'invalid_request'],
    ['another format', { format: 2, receipts: payments(1) }, 400, 'format_unknown'],
    ['an unknown member', { format: 1, receipts: payments(1), more: 1 }, 400, 'invalid_request'],
    ['receipts that are none', { format: 1, receipts: [1, 'x', null] }, 400, 'receipt_invalid'],
    ['a receipt without a hash', { format: 1, receipts: [{ ...payments(1)[0], hash: null }] }, 400, 'receipt_invalid'],
    ['a duplicate member', whole.replace('"format":1', '"format":1,"format":1'), 400, 'invalid_request'],
    ['more than it may be', { format: 1, receipts: ['x'.repeat(70_000)] }, 413, 'body_too_large'],
  ])('%s', async (_, body, status, error) => {
    const device = new Known();
    const answer = await device.post(body);
    expect(answer).toMatchObject({ status, body: { error, detail: expect.any(String) } });
    expect(await device.ids()).toEqual([]);
  });

  it('a receipt is named by the one before it', async () => {
    const device = new Known();
    const [first, second] = payments(2) as [JsonObject, JsonObject];
    const { body } = await device.send(first, { ...second, amountMinor: '-5' });
    expect(body.detail).toBe('the receipt after 1: amountMinor is not decimal digits below 2^128');
  });
});

describe('keys', () => {
  const path = (id: string) => `/v1/devices/${id}/receipts`;
  const sent = JSON.stringify({ format: 1, receipts: payments(1) });

  it('without one, or with an unknown one, nothing is taken and nothing told', async () => {
    const device = new Known();
    for (const key of ['', 'mpcp_guessed']) {
      expect(await call('POST', path(device.id), key, sent)).toMatchObject({ status: 401 });
      expect(await call('GET', path(device.id), key)).toMatchObject({ status: 401 });
      expect(await call('GET', `/v1/devices/${device.id}/report`, key)).toMatchObject({ status: 401 });
    }
    expect(await device.ids()).toEqual([]);
  });

  it('a device hands in for itself alone, and reads nothing', async () => {
    const [one, other] = [new Known(), new Known()];
    expect(await call('POST', path(other.id), await one.key, sent)).toMatchObject({ status: 403 });
    expect(await call('GET', path(one.id), await one.key)).toMatchObject({ status: 403 });
    expect(await other.ids()).toEqual([]);
  });

  it('the operator reads, and hands in nothing', async () => {
    const device = new Known();
    expect(await call('POST', path(device.id), operatorKey, sent)).toMatchObject({ status: 403 });
  });

  it.each(['a%2Fb', 'a%20b', 'x'.repeat(200), '%00'])('a name that is none is refused: %s', async (id) => {
    expect((await call('GET', path(id), operatorKey)).status).toBeGreaterThanOrEqual(400);
  });
});

describe('how stale a device is', () => {
  const state = (changes: JsonObject = {}): JsonObject => ({
    format: 1,
    state: 'serving',
    reasons: [],
    bundles: [
      { id: 'dated', ageSeconds: 100, expiresInSeconds: 50 },
      { id: 'undated', ageSeconds: null, expiresInSeconds: 500 },
    ],
    ...changes,
  });
  const say = async (device: Known, document: JsonObject, key?: string) =>
    call('POST', `/v1/devices/${device.id}/state`, key ?? (await device.key), JSON.stringify(document));
  const told = async (device: Known) => {
    const { body } = await call('GET', '/v1/devices', operatorKey);
    return (body.devices as readonly JsonObject[]).find(({ deviceId }) => deviceId === device.id);
  };
  const iso = () => new Date(clock.wallMs() ?? 0).toISOString();

  it('shows by when it was last heard of, and by the bundles it said it holds, as old as they are by now', async () => {
    const device = new Known();
    expect(await told(device)).toBeUndefined();
    expect((await say(device, state())).status).toBe(200);
    const saidAt = iso();
    clock.advance(60_000);
    const lastSeenAt = iso();
    await device.send(...payments(1));
    clock.advance(90_500);
    expect(await told(device)).toEqual({
      deviceId: device.id,
      lastSeenAt,
      silentSeconds: 90,
      saidAt,
      state: 'serving',
      reasons: [],
      bundles: [
        { id: 'dated', ageSeconds: 250, expiresInSeconds: -100 },
        { id: 'undated', ageSeconds: null, expiresInSeconds: 350 },
      ],
    });
  });

  it('is told of a device that has only handed in, by when it did', async () => {
    const device = new Known();
    await device.send(...payments(1));
    expect(await told(device)).toEqual({ deviceId: device.id, lastSeenAt: iso(), silentSeconds: 0 });
  });

  it('is told of a device whose body is none: it has shown its key', async () => {
    const device = new Known();
    expect((await call('POST', `/v1/devices/${device.id}/receipts`, await device.key, '{}')).status).toBe(400);
    expect(await told(device)).toMatchObject({ lastSeenAt: iso(), silentSeconds: 0 });
  });

  it('is what the document of a device says that the core makes', async () => {
    const device = new Known();
    const flash = { ledger: new MemoryFlash(), bundles: new MemoryFlash() };
    const boot = new Boot({ configuration: undefined, crypto, clock, flash });
    const parts = { deviceId: device.id, firmware: 'test 1', boot, clock, linkUp: true };
    expect((await say(device, JSON.parse(Buffer.from(stateDocument(parts)).toString()))).status).toBe(200);
    expect(await told(device)).toMatchObject({ state: 'starting', reasons: ['STARTING'], bundles: [] });
  });

  it.each<JsonObject>([
    { format: 2 },
    { state: 7 },
    { reasons: 'none' },
    { reasons: [1] },
    { bundles: {} },
    { bundles: [1] },
    { bundles: [{ id: 'x', ageSeconds: '1', expiresInSeconds: 1 }] },
  ])('is not taken from what is no state document: %j', async (changes) => {
    const device = new Known();
    expect(await say(device, state(changes))).toMatchObject({ status: 400, body: { error: 'state_invalid' } });
    expect(await told(device)).not.toHaveProperty('state');
  });

  it('is said by the device itself alone, and read by the operator alone', async () => {
    const [device, other] = [new Known(), new Known()];
    expect((await say(device, state(), await other.key)).status).toBe(403);
    expect((await say(device, state(), operatorKey)).status).toBe(403);
    expect(await told(device)).toBeUndefined();
    expect((await call('GET', '/v1/devices', await other.key)).status).toBe(403);
    expect((await call('POST', `/v1/devices/${device.id}/keys`, operatorKey)).status).toBe(403);
  });
});

describe('reading', () => {
  it('goes page by page', async () => {
    const device = new Known();
    await device.send(...payments(7));
    const pageAfter = async (after: number) =>
      (await call('GET', `/v1/devices/${device.id}/receipts?after=${after}&most=3`, operatorKey)).body;
    const ids = (body: JsonObject) => (body.receipts as JsonObject[]).map((receipt) => receipt.receiptId);
    expect([ids(await pageAfter(0)), (await pageAfter(0)).more]).toEqual([[1, 2, 3], true]);
    expect([ids(await pageAfter(3)), (await pageAfter(3)).more]).toEqual([[4, 5, 6], true]);
    expect([ids(await pageAfter(6)), (await pageAfter(6)).more]).toEqual([[7], false]);
  });

  it('has no pages of none, which would go on for ever', async () => {
    const device = new Known();
    await device.send(...payments(2));
    const page = (most: string) => call('GET', `/v1/devices/${device.id}/receipts?most=${most}`, operatorKey);
    for (const most of ['0', '00', '-1', '']) expect([most, (await page(most)).status]).toEqual([most, 400]);
    expect((await page('1')).body).toMatchObject({ receipts: [{ receiptId: 1 }], more: true });
  });

  it('a device that has handed in nothing has nothing', async () => {
    const report = await new Known().report();
    expect(report).toMatchObject({ receipts: 0, newest: 0, spentMinor: '0', breaks: [] });
    expect(report).not.toHaveProperty('newestHash');
  });

  it('the newest receipt with its hash, from which an export must go on', async () => {
    const device = new Known();
    const sent = documents(payment(1), payment(2));
    await device.send(...sent);
    expect(await device.report()).toMatchObject({ newest: 2, newestHash: sent[1]?.hash });
  });

  it('reservations that are open, and what the others came to', async () => {
    const device = new Known();
    await device.send(
      ...documents(
        payment(1, { mode: 'reserve', amount: 900n }),
        payment(2, { mode: 'reserve', amount: 800n }),
        end(3, 1, { amount: 350n }),
        payment(4, { mode: 'reserve', amount: 700n }),
        end(5, 4, { how: 'release', amount: 0n }),
        payment(6, { amount: 25n }),
      ),
    );
    expect(await device.report()).toMatchObject({
      spentMinor: '375',
      openReservations: [{ receiptId: 2, amountMinor: '800' }],
      incomplete: [],
    });
  });

  it('the end of a reservation that is not here', async () => {
    const device = new Known();
    await device.send(...documents(payment(1), end(2, 1)));
    expect(await device.report()).toMatchObject({
      incomplete: ['receipt 2 ends reservation 1, which is not open here'],
    });
  });

  it('everything, after it was closed and opened again', async () => {
    const device = new Known();
    await device.send(...payments(2));
    const { port } = new URL(server.url);
    await server.close();
    await server.listen(Number(port));
    expect(await device.ids()).toEqual([1, 2]);
    expect(text(payment(1))).toContain('"receiptId":1');
  });
});
