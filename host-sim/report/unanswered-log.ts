// The payments of a device that had no answer at first, from its events: what it had decided, and what came of those who presented
// them again.

import type { TraceEvent } from '../simulation/trace.ts';

/** A payment that had no answer when it was presented first. */
export interface UnansweredRecord {
  readonly payer: string;
  /** How its payer cheated. */
  readonly cheat: string | undefined;
  readonly amountMinor: string;
  /** Each time that it was presented; the first had no answer. */
  readonly attempts: readonly Attempt[];
}

/** A time that a payment was presented. */
export interface Attempt {
  readonly ms: number;
  readonly isAnswered: boolean;
  /** What the device decided, told or not; undefined where nothing is known of it. */
  readonly decided: 'approved' | 'repeated' | 'refused' | undefined;
  /** Of a refusal. */
  readonly code: string | undefined;
  /** Power went while it was presented. */
  readonly isCutOff: boolean;
}

interface Known extends UnansweredRecord {
  readonly attempts: Attempt[];
}

/** See the head of the file. */
export class UnansweredLog {
  /** By the event of the first attempt. */
  readonly #payments = new Map<number, Known>();
  #powerLostMs: number | undefined;

  /** An event of the device. */
  heard(event: TraceEvent): void {
    if (event.event === 'device.power-lost') this.#powerLostMs = event.ms;
    if (event.event === 'payment') this.#presented(event);
  }

  get payments(): readonly UnansweredRecord[] {
    return [...this.#payments.values()];
  }

  #presented(event: TraceEvent): void {
    const { n, ms, answer, decided, code, retryOf } = event;
    const isAnswered = answer !== 'none';
    if (isAnswered && retryOf === undefined) return;
    const payment = this.#payments.get(Number(retryOf)) ?? {
      payer: String(event.payer),
      cheat: event.hostile === undefined ? undefined : String(event.hostile),
      amountMinor: String(event.amountMinor),
      attempts: [],
    };
    this.#payments.set(Number(retryOf ?? n), payment);
    payment.attempts.push({
      ms,
      isAnswered,
      decided: (isAnswered ? answer : decided) as Attempt['decided'],
      code: code === undefined ? undefined : String(code),
      isCutOff: answer === 'none' && decided === undefined && this.#powerLostMs === ms,
    });
  }
}
