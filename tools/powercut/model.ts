// What a device must know after everything it has answered, as a plain model in memory; and the list of what is expected
// of a device that was started again.

import type { JournalEntry, JournalReceipt } from '../../core/ledger/journal.ts';
import type { LedgerKey } from '../../core/ledger/ledger.ts';
import { type ChainedReceipt, ReceiptChain } from '../../core/ledger/receipt-chain.ts';
import type { NewestBundle } from '../../core/trust/admission.ts';
import { keyOf } from './names.ts';
import type { Device } from './operations.ts';
import { isSameEntry, type Papers, papersOf } from './papers.ts';

/** What is known of one grant or budget. */
interface Account {
  total: bigint;
  keepUntilMs: number;
  /** When its payments were made; of budgets empty. */
  readonly times: readonly number[];
  /** False for a grant without a velocity limit. */
  readonly windowed: boolean;
}

/** An answer that was given under an idempotency key. */
interface KnownAnswer {
  readonly receiptId: number;
  readonly amount: bigint;
  readonly timeMs: number;
  readonly content: LedgerKey;
  readonly state: 'paid' | 'reserved' | 'ended';
  readonly keepUntilMs: number;
}

/** A reservation that is open. */
interface KnownReservation {
  readonly receiptId: number;
  readonly grant: string;
  readonly budget: string;
  readonly idempotency: string | undefined;
  readonly amount: bigint;
  readonly timeMs: number;
}

/** A payment or reservation as workloads state it, everything by name. */
export interface NamedSpend {
  /** What settlements and releases call a reservation by. */
  readonly name: string;
  readonly grant: string;
  readonly budget: string;
  /** A decision's id; the budget's own name where the budget is for one payment. */
  readonly replay?: string;
  readonly idempotency?: string;
  readonly amount: bigint;
  readonly timeMs: number;
  readonly keepUntilMs: number;
  /** Payments the grant allows in an hour, where it has a velocity limit. */
  readonly perHour?: number;
  /** What the payer presents; `lean` where it is left out. */
  readonly papers?: Papers;
}

/** An hour, the window of every velocity limit here. */
export const WINDOW_MS = 3_600_000;
/** More payments than this the ledger counts together, always so that too many count. */
const COUNTED_ONE_BY_ONE = 16;

/** See the head of the file. */
export class Model {
  readonly grants = new Map<string, Account>();
  readonly budgets = new Map<string, Account>();
  readonly replays = new Map<string, number>();
  readonly answers = new Map<string, KnownAnswer>();
  readonly reservations = new Map<string, KnownReservation>();
  readonly bundles = new Map<string, NewestBundle>();
  /** When the bundles were issued that are in force, by identity. */
  readonly inForce = new Map<string, number>();
  /** What the journal must hand in, the oldest first, receipt 1 at the beginning. Copies of the model share it. */
  entries: readonly JournalEntry[] = [];
  /** The last receipt that the backend was handed and has acknowledged. */
  acknowledged: ChainedReceipt | undefined;
  floorMs = 0;
  /** The latest time of a payment. */
  nowMs = 0;

  copy(): Model {
    const copy = new Model();
    for (const [name, account] of this.grants) copy.grants.set(name, { ...account });
    for (const [name, account] of this.budgets) copy.budgets.set(name, { ...account });
    for (const [name, keepUntilMs] of this.replays) copy.replays.set(name, keepUntilMs);
    for (const [name, answer] of this.answers) copy.answers.set(name, answer);
    for (const [name, reservation] of this.reservations) copy.reservations.set(name, reservation);
    for (const [name, bundle] of this.bundles) copy.bundles.set(name, bundle);
    for (const [name, issuedAtMs] of this.inForce) copy.inForce.set(name, issuedAtMs);
    copy.entries = this.entries;
    copy.acknowledged = this.acknowledged;
    copy.floorMs = this.floorMs;
    copy.nowMs = this.nowMs;
    return copy;
  }

  /** The newest receipt id. */
  get lastReceipt(): number {
    return this.entries.length;
  }

  spent(spend: NamedSpend, open: boolean): void {
    const { amount, timeMs, keepUntilMs, idempotency } = spend;
    const receiptId = this.lastReceipt + 1;
    const mode = open ? 'reserve' : 'authorize';
    this.#enter({ kind: 'payment', receiptId, mode, amount, timeMs, ...papersOf(spend) });
    this.#add(this.grants, spend.grant, spend, spend.perHour !== undefined);
    this.#add(this.budgets, spend.budget, spend, false);
    if (spend.replay !== undefined) this.replays.set(spend.replay, keepUntilMs);
    if (idempotency !== undefined) {
      const content = keyOf(`${spend.budget} ${amount}`);
      const state = open ? 'reserved' : 'paid';
      this.answers.set(idempotency, { receiptId, amount, timeMs, content, state, keepUntilMs });
    }
    if (open) {
      const { grant, budget } = spend;
      this.reservations.set(spend.name, { receiptId, grant, budget, idempotency, amount, timeMs });
    }
    this.nowMs = Math.max(this.nowMs, timeMs);
  }

  /** A reservation ends with an amount; 0n is a release. */
  ended(name: string, amount: bigint, timeMs: number): void {
    const open = this.reservations.get(name);
    if (open === undefined) return;
    const how = amount === 0n ? 'release' : 'settle';
    const receiptId = this.lastReceipt + 1;
    this.#enter({ kind: 'end', receiptId, how, reservation: open.receiptId, amount, timeMs });
    for (const account of [this.grants.get(open.grant), this.budgets.get(open.budget)]) {
      if (account !== undefined) account.total -= open.amount - amount;
    }
    const answer = open.idempotency === undefined ? undefined : this.answers.get(open.idempotency);
    if (answer !== undefined) this.answers.set(open.idempotency as string, { ...answer, state: 'ended' });
    this.reservations.delete(name);
  }

  admitted(identity: string, bundle: NewestBundle): void {
    const before = this.bundles.get(identity);
    const expiresAtMs = Math.max(before?.expiresAtMs ?? 0, bundle.expiresAtMs);
    const isNewer = (bundle.issuedAtMs ?? 0) >= (before?.issuedAtMs ?? 0);
    this.bundles.set(identity, { ...(isNewer || before === undefined ? bundle : before), expiresAtMs });
    this.floorMs = Math.max(this.floorMs, bundle.issuedAtMs ?? 0);
  }

  /** True where the ledger may have dropped what was kept until then, for this grant or budget. */
  mayBeGone(keepUntilMs: number, grant: string, budget: string = grant): boolean {
    if (keepUntilMs >= this.floorMs) return false;
    for (const open of this.reservations.values()) if (open.grant === grant || open.budget === budget) return false;
    return true;
  }

  /** The next to be entered: ids ascend by one, as each is the ledger's last and one more. */
  #enter(entry: JournalEntry): void {
    this.entries = [...this.entries, entry];
  }

  #add(accounts: Map<string, Account>, name: string, spend: NamedSpend, windowed: boolean): void {
    const before = accounts.get(name);
    accounts.set(name, {
      total: (before?.total ?? 0n) + spend.amount,
      keepUntilMs: Math.max(before?.keepUntilMs ?? 0, spend.keepUntilMs),
      times: windowed ? [...(before?.times ?? []), spend.timeMs] : [],
      windowed,
    });
  }
}

/** One thing a restarted device must have right: says what it has wrong, or nothing. */
interface Expectation {
  readonly rule: string;
  readonly wrong: (device: Device, model: Model) => string | undefined;
}

/** What a device that was started again must have right. */
const EXPECTATIONS: readonly Expectation[] = [
  {
    rule: 'the ledger opens',
    wrong: ({ ledger }) => (ledger.problem?.code === 'STORE_FAILED' ? ledger.problem.detail : undefined),
  },
  {
    rule: 'the journal opens',
    wrong: ({ journal }) => (journal.problem?.code === 'STORE_FAILED' ? journal.problem.detail : undefined),
  },
  {
    rule: 'ledger and journal agree on the last receipt',
    wrong: ({ ledger, journal }, model) => {
      const [recorded, entered] = [ledger.lastReceipt(), journal.newestReceipt];
      if (recorded === model.lastReceipt && entered === model.lastReceipt) return undefined;
      return `it is ${recorded} in the ledger, ${entered} in the journal, and ${model.lastReceipt} was given`;
    },
  },
  {
    rule: 'totals are what was approved',
    wrong: ({ ledger }, model) =>
      first(model.grants, (name, account) =>
        wrongTotal(
          `grant ${name}`,
          ledger.grantTotal(keyOf(name)),
          account,
          model.mayBeGone(account.keepUntilMs, name),
        ),
      ) ??
      first(model.budgets, (name, account) =>
        wrongTotal(
          `budget ${name}`,
          ledger.budgetTotal(keyOf(name)),
          account,
          model.mayBeGone(account.keepUntilMs, name),
        ),
      ),
  },
  {
    rule: 'used budgets are known as used',
    wrong: ({ ledger }, model) =>
      first(model.budgets, (name, { keepUntilMs }) =>
        ledger.budgetUsed(keyOf(name)) || model.mayBeGone(keepUntilMs, name) ? undefined : `budget ${name} is unknown`,
      ),
  },
  {
    rule: 'no replay id is lost',
    wrong: ({ ledger }, model) =>
      first(model.replays, (name, keepUntilMs) =>
        ledger.seen(keyOf(name)) || keepUntilMs < model.floorMs ? undefined : `${name} may be used again`,
      ),
  },
  {
    rule: 'no answer to an idempotency key is lost or another',
    wrong: ({ ledger }, model) =>
      first(model.answers, (name, { keepUntilMs, ...expected }) => {
        const found = ledger.answered(keyOf(name));
        if (found === undefined) return keepUntilMs < model.floorMs ? undefined : `${name} is lost`;
        for (const [member, value] of Object.entries(expected)) {
          const got = found[member as keyof typeof found];
          if (got !== value) return `${name}: ${member} is ${String(got)}, was ${String(value)}`;
        }
        return undefined;
      }),
  },
  {
    rule: 'open reservations are open, ended ones are not',
    wrong: ({ ledger }, model) => {
      const found = new Map(ledger.openReservations().map((one) => [one.receiptId, one]));
      const known = [...model.reservations.values()];
      if (found.size !== known.length) return `${found.size} are open instead of ${known.length}`;
      return first(model.reservations, (name, expected) => {
        const one = found.get(expected.receiptId);
        if (one === undefined) return `${name} (receipt ${expected.receiptId}) is not open`;
        const same = one.amount === expected.amount && one.timeMs === expected.timeMs;
        const linked = one.grant === keyOf(expected.grant) && one.budget === keyOf(expected.budget);
        return same && linked ? undefined : `${name} is of ${one.amount}, was of ${expected.amount}`;
      });
    },
  },
  {
    rule: 'velocity windows count every payment',
    wrong: ({ ledger }, model) =>
      first(model.grants, (name, { windowed, times, keepUntilMs }) => {
        if (!windowed) return undefined;
        const since = model.nowMs - WINDOW_MS;
        const made = times.filter((timeMs) => timeMs > since).length;
        const counted = ledger.paymentsSince(keyOf(name), since);
        if (counted === made || (counted === 0 && model.mayBeGone(keepUntilMs, name))) return undefined;
        if (counted > made && times.length > COUNTED_ONE_BY_ONE) return undefined;
        return `grant ${name}: ${counted} payments in the window, ${made} were made`;
      }),
  },
  {
    rule: 'the time floor is what it was',
    wrong: ({ ledger }, model) =>
      ledger.timeFloorMs() === model.floorMs ? undefined : `it is ${ledger.timeFloorMs()}, was ${model.floorMs}`,
  },
  {
    rule: 'the newest bundle of an identity is what it was',
    wrong: ({ ledger }, model) =>
      first(model.bundles, (identity, expected) => {
        const found = ledger.newestBundle(identity);
        if (
          found?.issuedAtMs === expected.issuedAtMs &&
          found?.digest === expected.digest &&
          found?.expiresAtMs === expected.expiresAtMs
        )
          return undefined;
        return `of ${identity} issued at ${found?.issuedAtMs}, was ${expected.issuedAtMs}`;
      }),
  },
  {
    rule: 'the bundles in force are the old set or the new one',
    wrong: ({ bundles }, model) => {
      if (bundles === undefined || bundles.problem !== undefined) return bundles?.problem;
      const expected = [...model.inForce].map(([identity, issuedAtMs]) => `${identity} ${issuedAtMs}`).sort();
      const found = bundles.inForce;
      return found.join() === expected.join() ? undefined : `${found.join(', ')} instead of ${expected.join(', ')}`;
    },
  },
  {
    rule: 'every receipt is in the journal once, whole and chained, until it is acknowledged',
    wrong: wrongInJournal,
  },
];

/** What is wrong with the journal as it is exported. */
function wrongInJournal({ journal }: Device, model: Model): string | undefined {
  const acknowledged = journal.acknowledgedUpTo;
  const most = model.acknowledged?.receiptId ?? 0;
  if (acknowledged > most) return `up to ${acknowledged} is acknowledged, the backend has ${most}`;
  let wrong: string | undefined;
  let before = 0;
  const gaps = journal.export((receipt) => {
    // What is not there any more is known as acknowledged, or it would be missed.
    if (before === 0 && receipt.receiptId > acknowledged + 1)
      wrong ??= `receipt ${receipt.receiptId} comes first, and ${acknowledged} is acknowledged`;
    wrong ??= wrongReceipt(receipt, model, acknowledged);
    before = receipt.receiptId;
  });
  if ('code' in gaps) return gaps.detail;
  if (gaps.length > 0) return gaps[0];
  if (wrong !== undefined) return wrong;
  return before === model.lastReceipt || model.lastReceipt <= acknowledged
    ? undefined
    : `there is none behind ${before}, ${model.lastReceipt} was given`;
}

/** Compares a receipt that the journal hands out with what was approved, and with what the backend has of it. */
export function wrongReceipt(receipt: JournalReceipt, model: Model, acknowledged: number): string | undefined {
  const { receiptId, entry, problem } = receipt;
  const expected = model.entries[receiptId - 1];
  if (expected === undefined) return `receipt ${receiptId} was never given`;
  // The grant of an acknowledged payment may be gone before the payment is.
  if (!isSameEntry(entry, expected) && (entry !== undefined || receiptId > acknowledged))
    return `receipt ${receiptId} is ${problem ?? 'another one'}`;
  const last = model.acknowledged;
  if (last?.receiptId === receiptId && last.hash !== receipt.hash) return `receipt ${receiptId} has another hash`;
  return last?.receiptId === receiptId - 1 ? new ReceiptChain(last).next(receipt) : undefined;
}

/** What is wrong with a device, by the first rule it breaks. */
export interface Wrong {
  readonly rule: string;
  readonly detail: string;
}

/**
 * Compares a device with what it must know.
 *
 * @param quick leaves out what reads the whole journal, for where that comes next
 */
export function wrongIn(device: Device, model: Model, quick = false): Wrong | undefined {
  for (const { rule, wrong } of EXPECTATIONS) {
    if (quick && wrong === wrongInJournal) continue;
    const detail = wrong(device, model);
    if (detail !== undefined) return { rule, detail };
  }
  return undefined;
}

function wrongTotal(what: string, found: bigint, { total }: Account, mayBeGone: boolean): string | undefined {
  if (found === total || (found === 0n && mayBeGone)) return undefined;
  return `${what}: ${found}, which is ${found < total ? 'less' : 'more'} than the ${total} approved`;
}

function first<T>(entries: Map<string, T>, wrong: (name: string, entry: T) => string | undefined): string | undefined {
  for (const [name, entry] of entries) {
    const detail = wrong(name, entry);
    if (detail !== undefined) return detail;
  }
  return undefined;
}
