// What must be true of every device at every moment, checked by a plain model of what was issued, presented, approved and handed
// in. It knows nothing of how a device decides, and it remembers what a device may have forgotten.

import { type BundleFacts, keyName, type PaymentFacts, type Signer } from './facts.ts';

/** The rules. */
export const INVARIANTS = Object.freeze({
  durable: 'no approval without a durable record',
  session: 'a session ends once, with what is due, and on record',
  cap: 'no total above a cap',
  expired: 'nothing that has expired is accepted',
  revoked: 'nothing is accepted that the device knows to be revoked',
  unapproved: 'nothing is accepted whose signer nobody approved, or that nobody has signed',
  'rolled-back': 'no bundle goes that is older than one before',
  acknowledged: 'every approval is acknowledged in the end',
  stuck: 'no device is stuck while a good bundle is within its reach',
  /** Seen by whoever runs the device. */
  runs: 'no device runs out of memory, or throws',
} as const);

export type Invariant = keyof typeof INVARIANTS;

/** A rule that was broken. */
export interface Violation {
  readonly invariant: Invariant;
  readonly device: string;
  readonly detail: string;
  /** Ids of what it is about: grants, budgets, bundles, kids. */
  readonly about: readonly string[];
}

/** A device, as its image has it. */
export interface DeviceFacts {
  readonly roots: readonly string[];
  readonly grantIssuers: readonly string[];
  /** By the issuer of the grant. */
  readonly budgetIssuers: ReadonlyMap<string, readonly string[]>;
  readonly driftMs: number;
  /** No correct clock of it shows an earlier time. */
  readonly earliestMs: number;
  /** A device that can reach a good bundle for so long has one. */
  readonly patienceMs: number;
  /** Whether a start settles what the run before left reserved. */
  readonly settlesLeft: boolean;
}

/** A payment that a device has approved. */
export interface Approval {
  readonly payment: PaymentFacts | undefined;
  /** How its payer cheated, where that makes it nobody's payment. */
  readonly forged: string | undefined;
  readonly amount: bigint;
  readonly receiptId: number;
  /** What was presented and the amount that was asked for, as `unanswered` has them. */
  readonly presented: string;
  /** What the device's clock showed. */
  readonly wallMs: number | undefined;
  /** Bundles in force. */
  readonly inForce: readonly string[];
  /** What can be read back from its flash; undefined where it was not looked at. */
  readonly recorded: Recorded | undefined;
}

/** A payment that a device says it has approved before. */
export type Repetition = Pick<Approval, 'payment' | 'forged' | 'amount' | 'receiptId' | 'presented'>;

/** The end of a reservation, under a receipt of its own. */
export interface Settlement extends Pick<Approval, 'receiptId'> {
  /** The receipt that it ends. */
  readonly reservation: number;
  /** What the device was to end it with; undefined at a start: all of it, where its site has such settled. */
  readonly asked: bigint | undefined;
  /** What it has ended it with: 0 where it was given back. */
  readonly amount: bigint;
  /** What can be read back; undefined where it was not looked at. */
  readonly recorded: Pick<Recorded, 'amount'> | undefined;
}

/** A device has not ended a reservation that it was to end. */
export interface EndRefusal {
  readonly code: string;
  /** Its ledger or its journal could not be read, or has refused a write. */
  readonly isFlashFaulty: boolean;
}

/** What flash holds, whatever a device has in memory. */
export interface Recorded {
  /** The amount of the receipt; undefined where there is none. */
  readonly amount: bigint | undefined;
  /** The total under the grant. */
  readonly grantTotal: bigint;
}

/** What a device has approved under a grant. */
interface GrantTotal {
  readonly expiresAtMs: number;
  total: bigint;
}

/** What a receipt is of. */
interface Receipt {
  readonly amount: bigint;
  readonly grant: GrantTotal;
  readonly budgetId: string;
  /** Of a reservation that has ended: with how much, and whether that is known: power may have gone meanwhile. */
  end?: { readonly amount: bigint; readonly isSure: boolean } | undefined;
  /** Its store has refused its end, as it may. */
  isHeld?: boolean;
}

/** What the model knows of a device. */
interface Known {
  facts: DeviceFacts;
  /** By identity: the newest bundle that was ever in force. */
  readonly newest: Map<string, BundleFacts>;
  readonly grants: Map<string, GrantTotal>;
  readonly budgetTotals: Map<string, bigint>;
  /** Of payments and reservations. */
  readonly receipts: Map<number, Receipt>;
  /** Receipts of ends: with how much. */
  readonly ends: Map<number, bigint>;
  /** What was presented and got no answer. */
  readonly unanswered: Set<string>;
  /**
   * Reservations that a start has found, each of a payer who got no answer, and with how much they have ended since. Whose
   * they are is known when the same is presented again.
   */
  readonly unnamed: Map<number, bigint | undefined>;
  /** Since when it could have fetched a good bundle, and had none. */
  needySinceMs: number | undefined;
}

/** See the head of the file. Every method gives the first rule that is broken, or undefined. */
export class FleetModel {
  readonly #bundles = new Map<string, BundleFacts>();
  readonly #devices = new Map<string, Known>();

  /** The authority has issued a bundle. */
  issued(bundle: BundleFacts): void {
    this.#bundles.set(bundle.bundleId, bundle);
  }

  /** A device is made, or gets another image. */
  made(device: string, facts: DeviceFacts): void {
    const known = this.#devices.get(device);
    if (known !== undefined) known.facts = facts;
    else
      this.#devices.set(device, {
        facts,
        newest: new Map(),
        grants: new Map(),
        budgetTotals: new Map(),
        receipts: new Map(),
        ends: new Map(),
        unanswered: new Set(),
        unnamed: new Map(),
        needySinceMs: undefined,
      });
  }

  /** Bundles that have been issued and are good for a device at a time. */
  isGood(device: string, bundleId: string, nowMs: number): boolean {
    const bundle = this.#bundles.get(bundleId);
    return bundle !== undefined && bundle.expiresAtMs > nowMs && this.#known(device).facts.roots.includes(bundle.root);
  }

  /** These bundles are in force on a device. */
  inForce(device: string, bundleIds: readonly string[]): Violation | undefined {
    const { facts, newest } = this.#known(device);
    for (const bundleId of bundleIds) {
      const bundle = this.#bundles.get(bundleId);
      if (bundle === undefined)
        return broken('unapproved', device, `bundle ${bundleId} is in force, and nobody has issued it`, [bundleId]);
      if (!facts.roots.includes(bundle.root))
        return broken('unapproved', device, `bundle ${bundleId} is in force, and its root key is not the device's`, [
          bundleId,
          bundle.root,
        ]);
      const before = newest.get(bundle.identity);
      if (before !== undefined && before.issuedAtMs > bundle.issuedAtMs)
        return broken('rolled-back', device, `bundle ${bundleId} is in force, and ${before.bundleId} is newer`, [
          bundleId,
          before.bundleId,
        ]);
      newest.set(bundle.identity, bundle);
    }
    return undefined;
  }

  /** A device has approved a payment. */
  approved(device: string, approval: Approval): Violation | undefined {
    const { payment, forged, amount, receiptId, recorded, presented } = approval;
    // It had not approved it when it gave no answer: it would have said so now.
    this.#known(device).unanswered.delete(presented);
    if (payment === undefined || forged !== undefined) return unsigned(device, payment, forged);
    const wrong =
      this.inForce(device, approval.inForce) ??
      this.#trusted(device, approval, payment) ??
      this.#accepted(device, payment, amount, receiptId);
    if (wrong !== undefined || recorded === undefined) return wrong;
    const { grantId, budgetId } = payment;
    if (recorded.amount !== amount) {
      const found = recorded.amount ?? 'nothing';
      return broken('durable', device, `receipt ${receiptId} of ${amount} is on flash as ${found}`, [
        grantId,
        budgetId,
      ]);
    }
    const { total } = this.#known(device).grants.get(grantId) as GrantTotal;
    return recorded.grantTotal < total ? lost(device, grantId, total, recorded.grantTotal) : undefined;
  }

  /** A device that had power has given no answer. It may have approved what was presented, and say so later. */
  unanswered(device: string, presented: string): void {
    this.#known(device).unanswered.add(presented);
  }

  /** A device says that it has approved a payment before. */
  repeated(device: string, { payment, forged, amount, receiptId, presented }: Repetition): Violation | undefined {
    if (payment === undefined || forged !== undefined) return unsigned(device, payment, forged);
    const { grants, receipts, unanswered, unnamed } = this.#known(device);
    const { grantId, budgetId } = payment;
    const known = receipts.get(receiptId);
    const isSame = known?.amount === amount && known.budgetId === budgetId && known.grant === grants.get(grantId);
    if (known !== undefined && isSame) return undefined;
    // Its answer was lost: it counts from now on, as any other does.
    if (unanswered.delete(presented)) {
      const end = unnamed.get(receiptId);
      unnamed.delete(receiptId);
      const wrong = this.#accepted(device, payment, amount, receiptId);
      if (wrong !== undefined || end === undefined) return wrong;
      (receipts.get(receiptId) as Receipt).end = { amount, isSure: true };
      return end === amount ? undefined : endedOtherwise(device, receiptId, amount, end, [grantId, budgetId]);
    }
    return broken('durable', device, `receipt ${receiptId} of ${amount} was given again, and never for this payment`, [
      grantId,
      budgetId,
    ]);
  }

  /** A device has ended a reservation. */
  settled(device: string, { reservation, asked, amount, receiptId, recorded }: Settlement): Violation | undefined {
    const { facts, receipts, budgetTotals, ends, unnamed } = this.#known(device);
    const wrong = (what: string) => broken('session', device, `reservation ${reservation} ${what}`, []);
    if (asked === undefined && !facts.settlesLeft)
      return wrong('was ended at a start, and its site holds what is left open');
    const known = receipts.get(reservation);
    if (known === undefined && !this.#isUnnamed(device, reservation)) return wrong('has ended, and was never given');
    if (known?.end?.isSure || unnamed.get(reservation) !== undefined) return wrong('has ended twice');
    if (known !== undefined && amount > known.amount)
      return broken('cap', device, `reservation ${reservation} of ${known.amount} was settled with ${amount}`, []);
    if (receipts.has(receiptId) || ends.has(receiptId) || unnamed.has(receiptId))
      return wrong(`has ended with receipt ${receiptId}, which is another's`);
    if (recorded !== undefined && recorded.amount !== amount)
      return wrong(`was ended with ${amount}, and flash has ${recorded.amount ?? 'nothing'}`);
    ends.set(receiptId, amount);
    if (known === undefined) {
      unnamed.set(reservation, amount);
      return undefined;
    }
    const due = asked ?? known.amount;
    if (amount !== due) return endedOtherwise(device, reservation, due, amount, []);
    this.#ends(known, budgetTotals, { amount, isSure: true });
    known.isHeld = false;
    return undefined;
  }

  /** Power went while a device ended a reservation: it may be ended. */
  endCut(device: string, reservation: number, amount: bigint): void {
    const { receipts, budgetTotals } = this.#known(device);
    const known = receipts.get(reservation);
    if (known !== undefined) this.#ends(known, budgetTotals, { amount, isSure: false });
  }

  /** A device has not ended a reservation that it was to end. Where its store is why, it may be ended. */
  endRefused(device: string, reservation: number, amount: bigint, refusal: EndRefusal): Violation | undefined {
    if (!isExcused(refusal)) return unended(device, reservation, refusal);
    this.endCut(device, reservation, amount);
    const known = this.#known(device).receipts.get(reservation);
    if (known !== undefined) known.isHeld = true;
    return undefined;
  }

  /** A start has found a reservation open, and could not end it where it tried to (`refusal`). */
  leftOpen(device: string, reservation: number, refusal: EndRefusal | undefined): Violation | undefined {
    const { receipts, budgetTotals, unnamed } = this.#known(device);
    const wrong = (what: string) => broken('session', device, `reservation ${reservation} is open, and ${what}`, []);
    const known = receipts.get(reservation);
    if (known === undefined && !this.#isUnnamed(device, reservation)) return wrong('was never given');
    if (known?.end?.isSure || unnamed.get(reservation) !== undefined) return wrong('has ended before');
    if (refusal !== undefined && !isExcused(refusal)) return unended(device, reservation, refusal);
    if (known === undefined) return undefined;
    this.#ends(known, budgetTotals, undefined);
    known.isHeld = refusal !== undefined;
    return undefined;
  }

  /** Whether a reservation that nobody was told of may be of a payer who got no answer: each of them has one at most. */
  #isUnnamed(device: string, reservation: number): boolean {
    const { unanswered, unnamed } = this.#known(device);
    if (unnamed.has(reservation)) return true;
    if (unnamed.size >= unanswered.size) return false;
    unnamed.set(reservation, undefined);
    return true;
  }

  /** What a reservation counts with from now on. */
  #ends(known: Receipt, budgetTotals: Map<string, bigint>, end: Receipt['end']): void {
    const more = (end?.amount ?? known.amount) - (known.end?.amount ?? known.amount);
    known.end = end;
    known.grant.total += more;
    budgetTotals.set(known.budgetId, (budgetTotals.get(known.budgetId) as bigint) + more);
  }

  /**
   * A device has started.
   *
   * @param nowMs true time: what has expired may be forgotten
   * @param totalOf what its flash has under a grant
   */
  started(device: string, nowMs: number, totalOf: (grantId: string) => bigint): Violation | undefined {
    for (const [grantId, { total, expiresAtMs }] of this.#known(device).grants) {
      if (expiresAtMs <= nowMs) continue;
      const found = totalOf(grantId);
      if (found < total) return lost(device, grantId, total, found);
    }
    return undefined;
  }

  /**
   * How a device stands at a time.
   *
   * @param reach whether a good bundle is within its reach
   */
  observed(device: string, nowMs: number, inForce: readonly string[], reach: boolean): Violation | undefined {
    const known = this.#known(device);
    const isNeedy = reach && !inForce.some((bundleId) => this.isGood(device, bundleId, nowMs));
    if (!isNeedy) known.needySinceMs = undefined;
    else known.needySinceMs ??= nowMs;
    const wrong = this.inForce(device, inForce);
    if (wrong !== undefined || known.needySinceMs === undefined) return wrong;
    const needyMs = nowMs - known.needySinceMs;
    if (needyMs <= known.facts.patienceMs) return undefined;
    return broken('stuck', device, `a good bundle is within its reach for ${needyMs} ms, and none is in force`, []);
  }

  /** What the operator has of a device's receipts in the end, which reservations are open there, and where their chain breaks. */
  ended(
    device: string,
    operator: ReadonlyMap<number, bigint>,
    breaks: readonly string[],
    open: readonly number[] = [],
  ): Violation | undefined {
    const { receipts, ends, facts } = this.#known(device);
    for (const reservation of open) {
      const known = receipts.get(reservation);
      if (known === undefined || known.isHeld) continue;
      if (known.end?.isSure || facts.settlesLeft)
        return broken('acknowledged', device, `the operator has no end of reservation ${reservation}`, []);
    }
    const given = [...receipts].map(([receiptId, { amount }]) => [receiptId, amount] as const);
    for (const [receiptId, amount] of [...given, ...ends]) {
      const handedIn = operator.get(receiptId);
      if (handedIn !== amount)
        return broken(
          'acknowledged',
          device,
          `receipt ${receiptId} of ${amount} was approved, and the operator has ${handedIn ?? 'none'}`,
          [],
        );
    }
    const [first] = breaks;
    return first === undefined
      ? undefined
      : broken('acknowledged', device, `the chain of receipts breaks: ${first}`, []);
  }

  /** Adds a payment to what a device has accepted, under a receipt of its own. */
  #accepted(device: string, payment: PaymentFacts, amount: bigint, receiptId: number): Violation | undefined {
    const { grants, budgetTotals, receipts, ends, unnamed } = this.#known(device);
    const { grantId, budgetId } = payment;
    const grant = grants.get(grantId) ?? { expiresAtMs: payment.grantExpiresAtMs, total: 0n };
    const grantTotal = grant.total + amount;
    const budgetTotal = (budgetTotals.get(budgetId) ?? 0n) + amount;
    const above = (what: string, total: bigint, most: bigint | undefined) =>
      most !== undefined && total > most
        ? broken('cap', device, `${what} comes to ${total}, and ${most} is its cap`, [grantId, budgetId])
        : undefined;
    const tooMuch =
      above('the payment', amount, payment.singleMost) ??
      above(`budget ${budgetId}`, budgetTotal, payment.budgetMost) ??
      above(`grant ${grantId}`, grantTotal, payment.grantMost);
    if (tooMuch !== undefined) return tooMuch;
    if (receipts.has(receiptId) || ends.has(receiptId) || unnamed.has(receiptId))
      return broken('durable', device, `receipt ${receiptId} was given to two payments`, [grantId, budgetId]);
    grant.total = grantTotal;
    grants.set(grantId, grant);
    budgetTotals.set(budgetId, budgetTotal);
    receipts.set(receiptId, { amount, grant, budgetId });
    return undefined;
  }

  /** Who signed may sign, and nothing has expired, as far as the device can know. */
  #trusted(device: string, { wallMs, inForce }: Approval, payment: PaymentFacts): Violation | undefined {
    const { facts, newest } = this.#known(device);
    const { grantId, budgetId, grantSigner, budgetSigner, expiresAtMs } = payment;
    if (wallMs === undefined || wallMs < facts.earliestMs)
      return broken('expired', device, 'a payment was approved by a device that cannot know the time', [grantId]);
    let nowMs = wallMs;
    for (const { issuedAtMs } of newest.values()) nowMs = Math.max(nowMs, issuedAtMs);
    if (nowMs > expiresAtMs + facts.driftMs)
      return broken('expired', device, `a payment was approved ${nowMs - expiresAtMs} ms after its expiry`, [
        grantId,
        budgetId,
      ]);
    const mayGrant = facts.grantIssuers.includes(grantSigner.issuer);
    const mayBudget = facts.budgetIssuers.get(grantSigner.issuer)?.includes(budgetSigner.issuer) === true;
    if (!mayGrant || !mayBudget)
      return broken(
        'unapproved',
        device,
        `its site lets ${mayGrant ? budgetSigner.issuer : grantSigner.issuer} sign nothing`,
        [grantId, budgetId],
      );
    for (const { revokedGrantIds, bundleId } of newest.values())
      if (revokedGrantIds.includes(grantId))
        return broken('revoked', device, `bundle ${bundleId} revokes grant ${grantId}`, [bundleId, grantId]);
    return (
      this.#signer(device, grantSigner, { nowMs, inForce }) ?? this.#signer(device, budgetSigner, { nowMs, inForce })
    );
  }

  #signer(
    device: string,
    signer: Signer,
    { nowMs, inForce }: { readonly nowMs: number; readonly inForce: readonly string[] },
  ): Violation | undefined {
    const name = keyName(signer);
    for (const { keys, bundleId } of this.#known(device).newest.values())
      if (keys.get(name) === false)
        return broken('revoked', device, `bundle ${bundleId} revokes key ${signer.kid}`, [bundleId, signer.kid]);
    const listing = inForce
      .map((bundleId) => this.#bundles.get(bundleId) as BundleFacts)
      .filter((bundle) => bundle.keys.get(name) === true && bundle.approvedIssuers.includes(signer.issuer));
    if (listing.length === 0)
      return broken('unapproved', device, `no bundle in force has key ${signer.kid} of ${signer.issuer}`, [signer.kid]);
    if (listing.some(({ expiresAtMs }) => expiresAtMs > nowMs)) return undefined;
    return broken('expired', device, `every bundle that has key ${signer.kid} has expired`, [
      signer.kid,
      ...listing.map(({ bundleId }) => bundleId),
    ]);
  }

  #known(device: string): Known {
    return this.#devices.get(device) as Known;
  }
}

function broken(invariant: Invariant, device: string, detail: string, about: readonly string[]): Violation {
  return { invariant, device, detail, about };
}

function unsigned(device: string, payment: PaymentFacts | undefined, forged: string | undefined): Violation {
  const about = payment === undefined ? [] : [payment.grantId, payment.budgetId];
  return broken(
    'unapproved',
    device,
    `a payment was approved that nobody has signed (${forged ?? 'no payment'})`,
    about,
  );
}

/** Whether a device may leave a reservation open that it was to end. */
function isExcused({ code, isFlashFaulty }: EndRefusal): boolean {
  return code === 'STORE_FULL' || (code === 'STORE_FAILED' && isFlashFaulty);
}

function unended(device: string, reservation: number, { code }: EndRefusal): Violation {
  return broken('session', device, `reservation ${reservation} was not ended: ${code}`, []);
}

/** With more, or with less. */
function endedOtherwise(
  device: string,
  reservation: number,
  due: bigint,
  amount: bigint,
  about: readonly string[],
): Violation {
  const detail = `reservation ${reservation} was to end with ${due}, and ended with ${amount}`;
  return broken(amount > due ? 'cap' : 'session', device, detail, about);
}

function lost(device: string, grantId: string, approved: bigint, found: bigint): Violation {
  return broken('durable', device, `${approved} was approved under grant ${grantId}, flash has ${found}`, [grantId]);
}
