// A device is stolen and its operator hears of it: from then on its key hands nothing in and is acknowledged nothing, whoever has it.

import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../core/json/value.ts';
import type { Journal } from '../../../core/ledger/journal.ts';
import { Uploader } from '../../../core/refresh/upload.ts';
import { OperatorBackend } from '../../../host-sim/operator-backend/server.ts';
import { SimulatedClock } from '../../../host-sim/ports/clock.ts';
import { append, opened, payment, unsentIds } from '../../core/ledger/journal-entries.ts';
import { NOW } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';

const ADMINISTRATOR = 'change-me-16-characters';
const clock = new SimulatedClock(NOW);
const server = new OperatorBackend({ crypto, clock, adminKey: ADMINISTRATOR });
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
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', connection: 'close' };
  const sent = body === undefined ? { headers: { authorization: headers.authorization } } : { headers, body };
  const response = await fetch(new URL(path, server.url), { method, ...sent });
  return { status: response.status, body: (await response.json()) as JsonObject };
}

let devices = 0;

/** A device with payments in its journal that it has not handed in. */
class Seller {
  readonly id = `seller-${++devices}`;
  readonly journal: Journal = opened(new MemoryFlash());
  readonly #uploader = new Uploader(this.journal, { random: () => 0 });
  key = '';

  static async with(payments: number): Promise<Seller> {
    const seller = new Seller();
    seller.key = await seller.freshKey();
    seller.sell(1, payments);
    return seller;
  }

  sell(from: number, count: number): void {
    append(this.journal, ...Array.from({ length: count }, (_, i) => payment(from + i)));
  }

  async freshKey(): Promise<string> {
    return String((await call('POST', `/v1/devices/${this.id}/keys`, ADMINISTRATOR)).body.key);
  }

  /** The batch that is next. */
  get batch(): string {
    const step = this.#uploader.next(Number.MAX_SAFE_INTEGER);
    if (step.kind !== 'send') throw new Error(step.kind);
    return Buffer.from(step.batch.body).toString();
  }

  /** Hands in as a device does. @returns the status */
  async handIn(): Promise<number> {
    const { status, body } = await call('POST', `/v1/devices/${this.id}/receipts`, this.key, this.batch);
    this.#uploader.answered(0, status, Buffer.from(JSON.stringify(body)));
    return status;
  }

  /** What the operator has of it. */
  async kept(): Promise<readonly unknown[]> {
    const { body } = await call('GET', `/v1/devices/${this.id}/receipts`, operatorKey);
    return (body.receipts as readonly JsonObject[]).map(({ receiptId }) => receiptId);
  }

  async seen(): Promise<unknown> {
    const { body } = await call('GET', '/v1/devices', operatorKey);
    return (body.devices as readonly JsonObject[]).find(({ deviceId }) => deviceId === this.id)?.lastSeenAt;
  }

  withdraw(by = ADMINISTRATOR): Promise<Answer> {
    return call('DELETE', `/v1/devices/${this.id}/keys`, by);
  }
}

describe('attack: a stolen device', () => {
  it('hands in with its key after that was withdrawn: nothing is kept, nothing acknowledged, and it was not seen', async () => {
    const device = await Seller.with(2);
    expect(await device.handIn()).toBe(200);
    device.sell(3, 2);
    const seen = await device.seen();
    expect(await device.withdraw()).toEqual({ status: 200, body: { deviceId: device.id, withdrawn: 1 } });
    clock.advance(60_000);
    expect(await device.handIn()).toBe(401);
    expect(unsentIds(device.journal)).toEqual([3, 4]);
    expect([await device.kept(), await device.seen()]).toEqual([[1, 2], seen]);
  });

  it('asks again for the acknowledgement of what it had handed in before: it gets none', async () => {
    const device = await Seller.with(2);
    const { batch } = device;
    const path = `/v1/devices/${device.id}/receipts`;
    expect(await call('POST', path, device.key, batch)).toMatchObject({ status: 200, body: { acknowledged: 2 } });
    await device.withdraw();
    expect(await call('POST', path, device.key, batch)).toEqual({
      status: 401,
      body: { error: 'unauthorized', detail: `API key device-${device.id} was withdrawn` },
    });
  });

  it('says what it likes of itself: nobody hears it', async () => {
    const device = await Seller.with(1);
    await device.withdraw();
    const state = JSON.stringify({ format: 1, state: 'serving', reasons: [], bundles: [] });
    expect((await call('POST', `/v1/devices/${device.id}/state`, device.key, state)).status).toBe(401);
    expect(await device.seen()).toBeUndefined();
  });

  it('has begun to send before, and goes on after: it is refused all the same', async () => {
    const device = await Seller.with(2);
    const body = device.batch;
    const headers = {
      authorization: `Bearer ${device.key}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      expect: '100-continue',
    };
    const sending = request(new URL(`/v1/devices/${device.id}/receipts`, server.url), { method: 'POST', headers });
    const status = new Promise((resolve, reject) => {
      sending.on('response', ({ statusCode }) => resolve(statusCode));
      sending.on('error', reject);
    });
    sending.flushHeaders();
    // The server wants the body: it has let the request in.
    await new Promise((resolve) => sending.once('continue', resolve));
    await device.withdraw();
    sending.end(body);
    expect(await status).toBe(401);
    expect(await device.kept()).toEqual([]);
  });
});

describe('a withdrawal', () => {
  it('takes every key that the device was ever given', async () => {
    const device = await Seller.with(1);
    const earlier = device.key;
    const later = await device.freshKey();
    expect(await device.withdraw()).toMatchObject({ body: { withdrawn: 2 } });
    for (const key of [earlier, later])
      expect((await call('POST', `/v1/devices/${device.id}/receipts`, key, device.batch)).status).toBe(401);
  });

  it('concerns no other device, and takes nothing away that was handed in', async () => {
    const [stolen, other] = [await Seller.with(1), await Seller.with(1)];
    await stolen.handIn();
    await stolen.withdraw();
    expect(await other.handIn()).toBe(200);
    expect(await stolen.kept()).toEqual([1]);
  });

  it('ends with a new key: the board that stands in its place hands in with that', async () => {
    const device = await Seller.with(1);
    await device.withdraw();
    const stolen = device.key;
    device.key = await device.freshKey();
    expect(await device.handIn()).toBe(200);
    expect((await call('POST', `/v1/devices/${device.id}/receipts`, stolen, '{}')).status).toBe(401);
  });

  it('is the administrator’s alone', async () => {
    const [device, other] = [await Seller.with(1), await Seller.with(1)];
    const by = await Promise.all([operatorKey, other.key, device.key].map((key) => device.withdraw(key)));
    expect(by.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect((await device.withdraw('mpcp_guessed')).status).toBe(401);
    expect(await device.handIn()).toBe(200);
  });

  it.each([
    ['that has none', 'nobody'],
    ['whose keys were withdrawn before', 'twice'],
  ])('from a device %s is told so', async (_, id) => {
    const path = `/v1/devices/${id}/keys`;
    if (id === 'twice') {
      await call('POST', path, ADMINISTRATOR);
      await call('DELETE', path, ADMINISTRATOR);
    }
    expect(await call('DELETE', path, ADMINISTRATOR)).toEqual({
      status: 404,
      body: { error: 'key_not_found', detail: `device ${id} has no API key that is good` },
    });
  });
});
