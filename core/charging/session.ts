// A charging session, without input and output: reserve, close the relay, count the meter's pulses, open the relay, settle. The
// relay never closes before the reservation is on flash, and is open before anything is settled.

import { amountFrom } from '../artifacts/amount.ts';
import { ConfigurationError } from '../configuration.ts';
import type { Log } from '../ports/ports.ts';
import type { Closing, Decision, Verifier } from '../verifier.ts';

/** What a site sells. */
export interface ChargingTerms {
  /** Price of a kilowatt-hour in the terminal's unit: decimal digits. */
  readonly pricePerKwhMinor: string;
  /** What the meter gives for a kilowatt-hour. */
  readonly pulsesPerKwh: number;
  /** The most that a session may cost: reserved at its beginning. Decimal digits. */
  readonly reserveMinor: string;
  /** A session without a pulse for so long is over, in milliseconds. */
  readonly idleMs: number;
  /** No session is longer, in milliseconds. */
  readonly longestMs: number;
}

/** What lets energy flow. What it throws ends the session. */
export interface EnergyRelay {
  close(): void;
  open(): void;
}

/** Why a session ended: by the driver, for what was reserved, for want of pulses, for its length, for the relay. */
export type SessionEnd = 'stopped' | 'spent' | 'idle' | 'longest' | 'relay-failed';

/** `closing`: the relay is open, and the store has not taken the end yet. */
export type SessionState = 'idle' | 'charging' | 'closing';

/** What came of a call. */
export type SessionEvent =
  | (SessionOver & { readonly kind: 'ended'; readonly amountMinor: string })
  /** The store failed; the end is tried again by `tick`. The reservation counts as spent meanwhile. */
  | (SessionOver & { readonly kind: 'unsettled' });

interface SessionOver {
  readonly why: SessionEnd;
  /** Of the receipt that began it. */
  readonly receiptId: number;
  readonly closing: Closing;
}

/**
 * See the head of the file. One driver at a time. After a restart there is no session: the relay is open, and the verifier's
 * `takeUpReservations` does with the reservation what the site has configured.
 */
export class ChargingSession {
  readonly #verifier: Pick<Verifier, 'reserve' | 'settle' | 'release'>;
  readonly #relay: EnergyRelay;
  readonly #log: Log | undefined;
  readonly #terms: ChargingTerms;
  readonly #price: bigint;
  readonly #perKwh: bigint;
  #state: SessionState = 'idle';
  #receiptId = 0;
  #reserved = 0n;
  #pulses = 0n;
  #beganMs = 0;
  #pulseMs = 0;
  #why: SessionEnd = 'stopped';
  #last: SessionEvent | undefined;
  /** The relay did not open when it was told to. */
  #isStuck = false;

  /** @throws ConfigurationError for terms that nothing can be sold by */
  constructor(
    verifier: Pick<Verifier, 'reserve' | 'settle' | 'release'>,
    relay: EnergyRelay,
    terms: ChargingTerms,
    log?: Log,
  ) {
    const price = amountFrom(terms.pricePerKwhMinor);
    const reserve = amountFrom(terms.reserveMinor);
    const { pulsesPerKwh, idleMs, longestMs } = terms;
    if (price === undefined || reserve === undefined)
      throw new ConfigurationError(['pricePerKwhMinor and reserveMinor are decimal digits above zero']);
    if (!(Number.isSafeInteger(pulsesPerKwh) && pulsesPerKwh > 0))
      throw new ConfigurationError(['pulsesPerKwh is a whole number above zero']);
    if (!(idleMs > 0 && longestMs > 0)) throw new ConfigurationError(['idleMs and longestMs are above zero']);
    this.#verifier = verifier;
    this.#relay = relay;
    this.#log = log;
    this.#terms = terms;
    this.#price = price;
    this.#perKwh = BigInt(pulsesPerKwh);
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Pulses of the session that is under way, or was last. */
  get pulses(): number {
    return Number(this.#pulses);
  }

  /** What the last session that is over came to; undefined where there was none since the start. */
  get last(): SessionEvent | undefined {
    return this.#last;
  }

  /** What they cost so far, in the terminal's unit: rounded down, and no more than was reserved. */
  get dueMinor(): string {
    return this.#due().toString();
  }

  /**
   * Begins a session. A repeat of an answered request begins none: what was paid for may have been given.
   *
   * @param presentation what the payer presents
   * @returns the decision, or undefined while another session is under way. `relay` where it did not close: the session is over,
   *   and `last` is what it came to
   */
  begin(presentation: Uint8Array, nowMs: number): Decision | undefined {
    if (this.#state !== 'idle') return undefined;
    const decision = this.#verifier.reserve(presentation, { amountMinor: this.#terms.reserveMinor });
    if (!decision.ok || decision.repeated) return decision;
    this.#state = 'charging';
    this.#receiptId = decision.receiptId;
    this.#reserved = BigInt(decision.amountMinor);
    this.#pulses = 0n;
    this.#beganMs = nowMs;
    this.#pulseMs = nowMs;
    if (this.#moved('close')) return decision;
    this.#end('relay-failed');
    return { ...decision, relay: 'failed' };
  }

  /** The meter counted. @returns the end of the session where what was reserved is spent */
  pulse(count: number, nowMs: number): SessionEvent | undefined {
    if (this.#state !== 'charging') {
      // The contacts are welded, or somebody draws energy past them.
      this.#log?.emit({ event: 'energy.unpaid', pulses: count });
      return undefined;
    }
    this.#pulses += BigInt(count);
    this.#pulseMs = nowMs;
    return this.#costs(this.#pulses + 1n) > this.#reserved ? this.#end('spent') : undefined;
  }

  /** Time goes by: to be called every second or so. @returns the end of a session that has lasted, or idled, too long */
  tick(nowMs: number): SessionEvent | undefined {
    if (this.#isStuck) this.#moved('open');
    if (this.#state === 'closing') return this.#end(this.#why);
    if (this.#state === 'idle') return undefined;
    if (nowMs - this.#beganMs >= this.#terms.longestMs) return this.#end('longest');
    return nowMs - this.#pulseMs >= this.#terms.idleMs ? this.#end('idle') : undefined;
  }

  /** The driver ends it. */
  stop(): SessionEvent | undefined {
    return this.#state === 'charging' ? this.#end('stopped') : undefined;
  }

  #end(why: SessionEnd): SessionEvent {
    this.#why = why;
    this.#state = 'closing';
    this.#moved('open');
    const due = this.#due();
    const closing =
      due === 0n ? this.#verifier.release(this.#receiptId) : this.#verifier.settle(this.#receiptId, due.toString());
    const receiptId = this.#receiptId;
    if (!closing.ok && (closing.code === 'STORE_FAILED' || closing.code === 'STORE_FULL')) {
      this.#last = { kind: 'unsettled', why, receiptId, closing };
      return this.#last;
    }
    this.#state = 'idle';
    const amountMinor = due.toString();
    this.#log?.emit({ event: 'session.ended', why, reservation: receiptId, amountMinor, ok: closing.ok });
    this.#last = { kind: 'ended', why, receiptId, closing, amountMinor };
    return this.#last;
  }

  #due(): bigint {
    const costs = this.#costs(this.#pulses);
    return costs > this.#reserved ? this.#reserved : costs;
  }

  #costs(pulses: bigint): bigint {
    return (pulses * this.#price) / this.#perKwh;
  }

  /** False where the relay failed, which is told. */
  #moved(how: 'close' | 'open'): boolean {
    try {
      this.#relay[how]();
      this.#isStuck = false;
      return true;
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      this.#isStuck = how === 'open';
      this.#log?.emit({ event: 'relay.failed', how, detail: error.message });
      return false;
    }
  }
}

/** What an `EnergyRelay` throws when it cannot be moved. */
export class RelayError extends Error {
  override name = 'RelayError';
}
