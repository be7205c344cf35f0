// The charging sessions of a device, from its events: when each ran, what broke it off, and when it was settled and with how much.

import type { TraceEvent } from '../simulation/trace.ts';

/** A session. */
export interface SessionRecord {
  /** The receipt that began it. */
  readonly reservation: number;
  readonly fromMs: number;
  readonly reservedMinor: bigint;
  /** Whether its payer was told: one who was not plugs nothing in. */
  readonly isTold: boolean;
  /** When its power went. */
  readonly brokenOffMs: number | undefined;
  /** Since when its store refuses its end. */
  readonly refusedMs: number | undefined;
  /** Undefined where it was open when the run was over. */
  readonly end: SessionEnd | undefined;
}

export interface SessionEnd {
  readonly ms: number;
  /** Undefined where power went between the record and whoever could have told. */
  readonly amountMinor: bigint | undefined;
}

/** How a session went. */
export type SessionCourse = 'ended' | 'untold' | 'broken-off' | 'refused' | 'open';

/** What of a session is most worth telling. */
export function courseOf({ isTold, brokenOffMs, refusedMs, end }: SessionRecord): SessionCourse {
  if (end === undefined) return 'open';
  if (brokenOffMs !== undefined) return 'broken-off';
  if (refusedMs !== undefined) return 'refused';
  return isTold ? 'ended' : 'untold';
}

/** A session so far. */
type Known = { -readonly [member in keyof SessionRecord]: SessionRecord[member] };

/** See the head of the file. */
export class SessionLog {
  /** By the receipts that began them. */
  readonly #sessions = new Map<number, Known>();
  #powerLostMs = 0;
  /** What the start that is under way has found open. */
  readonly #found = new Set<number>();

  /** An event of the device. @param isFlashFaulty its flash may not say what is open */
  heard(event: TraceEvent, isFlashFaulty: boolean): void {
    const { ms } = event;
    switch (event.event) {
      case 'payment.reserve':
        if (event.ok === true) this.#begun(Number(event.receiptId), ms, event);
        break;
      case 'payment': {
        const session = this.#sessions.get(Number(event.receiptId));
        if (event.answer === 'none' && event.decided === 'approved' && session !== undefined) session.isTold = false;
        break;
      }
      case 'payment.settle':
      case 'payment.release': {
        const session = this.#sessions.get(Number(event.reservation));
        if (event.ok === true && session !== undefined)
          session.end = { ms, amountMinor: BigInt(String(event.amountMinor)) };
        break;
      }
      case 'session.unsettled': {
        const session = this.#sessions.get(Number(event.reservation));
        if (session !== undefined) session.refusedMs ??= ms;
        break;
      }
      case 'reservation.left':
        this.#left(Number(event.reservation), event);
        break;
      case 'device.power-lost':
        this.#powerLostMs = ms;
        this.#brokenOff(ms);
        break;
      case 'device.started':
        // Somebody may have started it anew, without a loss of power.
        this.#brokenOff(ms);
        if (!isFlashFaulty) this.#notLeft();
        this.#found.clear();
        break;
    }
  }

  /** All of them, in the order in which they began. */
  get sessions(): readonly SessionRecord[] {
    return [...this.#sessions.values()].sort((a, b) => a.fromMs - b.fromMs || a.reservation - b.reservation);
  }

  #begun(reservation: number, fromMs: number, { amountMinor }: TraceEvent): void {
    // One that is given again has begun before.
    if (this.#sessions.has(reservation)) return;
    this.#sessions.set(reservation, {
      reservation,
      fromMs,
      reservedMinor: BigInt(String(amountMinor)),
      isTold: true,
      brokenOffMs: undefined,
      refusedMs: undefined,
      end: undefined,
    });
  }

  /** A start has found it open. */
  #left(reservation: number, event: TraceEvent): void {
    this.#found.add(reservation);
    const known = this.#sessions.get(reservation);
    if (known !== undefined) {
      known.brokenOffMs ??= event.ms;
      known.end = undefined;
      return;
    }
    // Power went between the record and the answer.
    this.#begun(reservation, this.#powerLostMs, event);
    const begun = this.#sessions.get(reservation) as Known;
    begun.isTold = false;
    begun.brokenOffMs = this.#powerLostMs;
  }

  #brokenOff(ms: number): void {
    for (const session of this.#sessions.values()) if (session.end === undefined) session.brokenOffMs ??= ms;
  }

  /** What a start does not find open was settled as power went. */
  #notLeft(): void {
    for (const session of this.#sessions.values())
      if (session.end === undefined && !this.#found.has(session.reservation))
        session.end = { ms: session.brokenOffMs as number, amountMinor: undefined };
  }
}
