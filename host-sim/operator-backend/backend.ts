// What an operator's backend does with receipts: works out every hash again, keeps each receipt once, keeps what contradicts
// it as evidence, and says where a device's chain breaks.

import { isObject, type JsonObject, type JsonValue, without } from '../../core/json/value.ts';
import type { JournalReceipt } from '../../core/ledger/journal.ts';
import { JOURNAL_FORMAT } from '../../core/ledger/journal-record.ts';
import { ReceiptChain } from '../../core/ledger/receipt-chain.ts';
import { type ReceiptFault, readReceipt } from '../../core/ledger/receipt-document.ts';
import type { Clock, Crypto, Log } from '../../core/ports/ports.ts';
import { Problem, type ProblemCode } from './problem.ts';
import { type DeviceStaleness, stalenessOf, stateProblem } from './staleness.ts';
import type { ChainOf, OperatorStorage, StoredReceipt } from './storage.ts';

/** The body of a batch. Its receipts may be anything. */
export interface Batch {
  readonly format: number;
  readonly receipts: readonly JsonValue[];
}

/** What a batch is answered with. */
export interface Acknowledgement {
  /** The last receipt of the batch: it and those before it in the batch are kept. */
  readonly acknowledged: number;
  /** How many of them were not known before. */
  readonly added: number;
}

/** What is known of a device's receipts. Amounts are digits in the unit of its terminal. */
export interface DeviceReport {
  readonly deviceId: string;
  /** Which of its chains, from 1. */
  readonly chain: number;
  readonly receipts: number;
  /** 0 where there are none. */
  readonly first: number;
  readonly newest: number;
  /** The hash of that one, hexadecimal text: an export must go on from it. */
  readonly newestHash?: string;
  /** Payments and settled reservations together. */
  readonly spentMinor: string;
  readonly openReservations: readonly { readonly receiptId: number; readonly amountMinor: string }[];
  /** Where the chain breaks, in words: receipts that are missing, hashes that differ. */
  readonly breaks: readonly string[];
  /** Receipts that the device could not read any more or is in doubt about, and ends of reservations that are not here. */
  readonly incomplete: readonly string[];
  /** What was not taken. */
  readonly evidence: readonly { readonly receiptId: number; readonly reason: string; readonly detail: string }[];
}

/** Receipts read from the storage at a time. */
const PAGE = 256;

/** See the head of the file. */
export class Backend {
  readonly storage: OperatorStorage;
  readonly #crypto: Crypto;
  readonly #clock: Clock;
  readonly #log: Log | undefined;
  /** Per device: what is under way. Batches of one device go one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(storage: OperatorStorage, crypto: Crypto, clock: Clock, log?: Log) {
    this.storage = storage;
    this.#crypto = crypto;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Takes a batch. It may come any number of times.
   *
   * @throws Problem: 400 where it is no batch, 409 where another receipt is kept under an id, 422 where a receipt is not what
   *   its hash says. `acknowledged` then names the last receipt before that one
   */
  handIn(deviceId: string, batch: Batch): Promise<Acknowledgement> {
    return this.#inTurn(deviceId, () => this.#take(deviceId, batch));
  }

  /**
   * Begins a new chain: what the device hands in from now on has ids of its own. For a device whose ledger and journal were
   * formatted, or whose board was replaced; the chains before stay as they are.
   *
   * @returns its number
   */
  beginChain(deviceId: string, reason: string): Promise<number> {
    return this.#inTurn(deviceId, async () => {
      const chain = (await this.#newestChain(deviceId)) + 1;
      await this.storage.putChain(deviceId, { chain, reason, begunAtMs: this.#now() });
      this.#log?.emit({ event: 'backend.chain', deviceId, chain, reason });
      return chain;
    });
  }

  /** Receipts of a device's chain with a higher id than `after`, by id, each with its grant. Default: the newest chain. */
  async receipts(deviceId: string, after: number, most: number, chain?: number): Promise<readonly JsonObject[]> {
    const stored = await this.storage.receipts(await this.#chainOf(deviceId, chain), after, most);
    return Promise.all(stored.map((one) => this.#whole(one)));
  }

  /** A device has shown its key. */
  async seen(deviceId: string): Promise<void> {
    const now = this.#clock.wallMs();
    if (now !== undefined) await this.storage.putSeen(deviceId, now);
  }

  /** Keeps what a device says of itself. @throws Problem 400 where it is not a state document */
  async takeState(deviceId: string, document: JsonObject): Promise<void> {
    const problem = stateProblem(document);
    if (problem !== undefined) throw new Problem(400, 'state_invalid', problem);
    const receivedAtMs = this.#now();
    await this.storage.putSeen(deviceId, receivedAtMs, { document, receivedAtMs });
  }

  /** How stale each device is that has been heard of. */
  async devices(): Promise<readonly DeviceStaleness[]> {
    const now = this.#now();
    return (await this.storage.devices()).map((device) => stalenessOf(device, now));
  }

  /** What is known of a device's receipts. Default: of the newest chain. */
  async report(deviceId: string, number?: number): Promise<DeviceReport> {
    const of = await this.#chainOf(deviceId, number);
    const chain = new ReceiptChain();
    const breaks: string[] = [];
    const incomplete: string[] = [];
    const open = new Map<number, bigint>();
    let spent = 0n;
    let receipts = 0;
    let first = 0;
    let newest = 0;
    let newestHash: string | undefined;
    for (let page = await this.storage.receipts(of, 0, PAGE); page.length > 0; ) {
      for (const one of page) {
        const { receiptId, document } = one;
        receipts++;
        if (first === 0) {
          first = receiptId;
          if (receiptId > 1) breaks.push(`receipts before ${receiptId} are missing`);
        }
        newest = receiptId;
        newestHash = one.hash;
        const gap = chain.next(one);
        if (gap !== undefined) breaks.push(gap);
        const amount = BigInt(String(document.amountMinor ?? 0));
        const problem = document.kind === 'unreadable' ? document.problem : document.doubt;
        if (problem !== undefined) {
          incomplete.push(`receipt ${receiptId}: ${problem}`);
          continue;
        }
        if (document.kind === 'payment' && document.mode === 'reserve') open.set(receiptId, amount);
        else spent += amount;
        if (document.kind === 'end' && !open.delete(Number(document.reservation)))
          incomplete.push(`receipt ${receiptId} ends reservation ${document.reservation}, which is not open here`);
      }
      page = await this.storage.receipts(of, newest, PAGE);
    }
    const evidence = await this.storage.evidence(of);
    return {
      deviceId,
      chain: of.chain,
      receipts,
      first,
      newest,
      ...(newestHash === undefined ? {} : { newestHash }),
      spentMinor: spent.toString(),
      openReservations: [...open].map(([receiptId, amount]) => ({ receiptId, amountMinor: amount.toString() })),
      breaks,
      incomplete,
      evidence: evidence.map(({ receiptId, reason, detail }) => ({ receiptId, reason, detail })),
    };
  }

  /** Runs what changes something of a device, one after the other. */
  #inTurn<T>(deviceId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(deviceId) ?? Promise.resolve();
    const turn = before.then(work);
    const done = turn.catch(() => undefined);
    this.#turns.set(deviceId, done);
    void done.then(() => {
      if (this.#turns.get(deviceId) === done) this.#turns.delete(deviceId);
    });
    return turn;
  }

  async #newestChain(deviceId: string): Promise<number> {
    return (await this.storage.chains(deviceId)).at(-1)?.chain ?? 1;
  }

  /** @throws Problem 404 for a chain that was not begun */
  async #chainOf(deviceId: string, chain?: number): Promise<ChainOf> {
    const newest = await this.#newestChain(deviceId);
    if (chain !== undefined && !(chain >= 1 && chain <= newest))
      throw new Problem(404, 'not_found', `device ${deviceId} has no chain ${chain}`);
    return { deviceId, chain: chain ?? newest };
  }

  async #take(deviceId: string, { format, receipts }: Batch): Promise<Acknowledgement> {
    if (format !== JOURNAL_FORMAT)
      throw new Problem(400, 'format_unknown', `format ${format} is not known here, ${JOURNAL_FORMAT} is`);
    checkOrder(receipts);
    const of = await this.#chainOf(deviceId);
    const receivedAtMs = this.#now();
    const grants = new Map<string, JsonValue>();
    let acknowledged: number | undefined;
    let added = 0;
    for (const document of receipts) {
      const read = await this.#read(document, grants);
      if ('fault' in read) {
        if (read.fault === 'altered') await this.#keepEvidence(of, 'altered', document, read.detail);
        throw problemOf(read, acknowledged);
      }
      const grant = grantIn(read);
      if (read.grantKey !== undefined && grant !== undefined) await this.storage.putGrant(read.grantKey, grant);
      if (await this.#keep(of, read, document as JsonObject, receivedAtMs, acknowledged)) added++;
      acknowledged = read.receiptId;
    }
    return { acknowledged: acknowledged as number, added };
  }

  /** Keeps a receipt. @returns whether it was not there before */
  async #keep(
    of: ChainOf,
    { receiptId, previous, hash }: JournalReceipt,
    document: JsonObject,
    receivedAtMs: number,
    acknowledged: number | undefined,
  ): Promise<boolean> {
    const there = await this.storage.receipt(of, receiptId);
    if (there !== undefined && there.hash !== hash) {
      const detail = `receipt ${receiptId} of ${of.deviceId} is kept with hash ${there.hash}, this one has ${hash}`;
      await this.#keepEvidence(of, 'conflict', document, detail);
      throw new Problem(409, 'receipt_conflict', detail, acknowledgedOf(acknowledged));
    }
    const newest = there ?? (await this.storage.newestReceipt(of));
    await this.storage.putReceipt(of, {
      receiptId,
      previous,
      hash,
      document: without(document, ['grant']),
      receivedAtMs,
    });
    if (there !== undefined) return false;
    const gap = newest && newest.receiptId < receiptId && new ReceiptChain(newest).next({ receiptId, previous, hash });
    if (gap) this.#log?.emit({ event: 'backend.break', ...of, receiptId, detail: gap });
    return true;
  }

  /** Reads a receipt, with its grant from the batch or from before. */
  async #read(document: JsonValue, grants: Map<string, JsonValue>): Promise<JournalReceipt | ReceiptFault> {
    const named = isObject(document) ? document.grantKey : undefined;
    const known = typeof named === 'string' ? (grants.get(named) ?? (await this.storage.grant(named))) : undefined;
    const read = readReceipt(this.#crypto, document, () => known);
    const grant = 'fault' in read ? undefined : grantIn(read);
    if (grant !== undefined && typeof named === 'string') grants.set(named, grant);
    return read;
  }

  async #keepEvidence(of: ChainOf, reason: 'conflict' | 'altered', document: JsonValue, detail: string): Promise<void> {
    const whole = document as JsonObject;
    const receiptId = whole.receiptId as number;
    await this.storage.putEvidence(of, { reason, receiptId, detail, document: whole, receivedAtMs: this.#now() });
    this.#log?.emit({ event: 'backend.evidence', ...of, receiptId, reason, detail });
  }

  async #whole({ document }: StoredReceipt): Promise<JsonObject> {
    const { grantKey } = document;
    const grant = typeof grantKey === 'string' ? await this.storage.grant(grantKey) : undefined;
    return grant === undefined ? document : { ...document, grant };
  }

  #now(): number {
    const now = this.#clock.wallMs();
    if (now === undefined) throw new Problem(503, 'clock_not_set', 'nothing can be dated: the clock is not set');
    return now;
  }
}

function grantIn({ entry, doubtful }: JournalReceipt): JsonValue | undefined {
  const payment = entry ?? doubtful;
  return payment?.kind === 'payment' ? payment.grant : undefined;
}

/** Refuses a batch whose ids do not ascend: each receipt comes once, and in its turn. */
function checkOrder(receipts: readonly JsonValue[]): void {
  let before = 0;
  for (const receipt of receipts) {
    const id = isObject(receipt) ? receipt.receiptId : undefined;
    if (typeof id !== 'number') continue;
    if (id <= before)
      throw new Problem(400, 'receipts_out_of_order', `receipt ${id} stands behind receipt ${before} in the batch`);
    before = id;
  }
}

const CODES: { readonly [fault in ReceiptFault['fault']]: readonly [status: number, code: ProblemCode] } = {
  malformed: [400, 'receipt_invalid'],
  'grant-missing': [400, 'grant_missing'],
  altered: [422, 'receipt_altered'],
};

function problemOf({ fault, detail }: ReceiptFault, acknowledged: number | undefined): Problem {
  const [status, code] = CODES[fault];
  const where = acknowledged === undefined ? 'the first receipt of the batch' : `the receipt after ${acknowledged}`;
  return new Problem(
    status,
    code,
    fault === 'malformed' ? `${where}: ${detail}` : detail,
    acknowledgedOf(acknowledged),
  );
}

function acknowledgedOf(acknowledged: number | undefined): JsonObject {
  return acknowledged === undefined ? {} : { acknowledged };
}
