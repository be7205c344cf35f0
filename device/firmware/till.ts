// Where payments come in, from the reader's line or over HTTP: one at a time. Where the core wants a grant's issuer asked first, it is
// asked, and the payment decided again; whoever else presents meanwhile is told to wait.

import type { Log } from '../../core/ports/ports.ts';
import { refuse } from '../../core/reason-codes.ts';
import type { RevocationChecks, RevocationQuestion } from '../../core/refresh/revocation.ts';
import type { Decision } from '../../core/verifier.ts';
import { wordsOf } from '../ports/thrown.ts';

/** What decides. */
export interface Decider {
  /** @returns undefined where it cannot sell just now */
  present(presentation: Uint8Array): Decision | undefined;
  /** Shows the payer what came of it, once. @param decision undefined where it could not sell */
  told?(decision: Decision | undefined): void;
}

/** What a till is made of. */
export interface TillParts {
  readonly seller: Decider;
  /** Where the site has grants checked online. */
  readonly revocation?: Pick<RevocationChecks, 'question'>;
  /** Asks an issuer, and calls back once. Left out: there is no network. */
  readonly ask?: (question: RevocationQuestion, done: () => void) => void;
  /** Told when a payment begins to be decided, and when it is: in between the network does nothing else. */
  readonly attend?: (busy: boolean) => void;
  readonly log: Log;
}

const NOT_NOW = () => refuse('device', 'device.ready', 'DEVICE_BUSY', 'the device does not sell just now');
const FAILED = () =>
  refuse('device', 'device.failed', 'STORE_FAILED', 'the device failed as it decided; the payment may have counted');

/** See the head of the file. */
export class Till {
  readonly #parts: TillParts;
  #isBusy = false;

  constructor(parts: TillParts) {
    this.#parts = parts;
  }

  get busy(): boolean {
    return this.#isBusy;
  }

  /**
   * Decides on a payment.
   *
   * @param presentation is good until this returns
   * @param answer is called once, perhaps before this returns
   */
  present(presentation: Uint8Array, answer: (decision: Decision) => void): void {
    if (this.#isBusy) {
      answer(NOT_NOW());
      return;
    }
    this.#attend(true);
    const { revocation, ask } = this.#parts;
    const decision = this.#decide(presentation);
    const question = revocation?.question;
    if (decision === undefined || decision.ok || decision.code !== 'REVOCATION_UNKNOWN' || !question || !ask) {
      this.#tell(decision, answer);
      return;
    }
    // A refusal has changed nothing.
    const isAsked = this.#carriedOut(() => {
      const kept = presentation.slice();
      ask(question, () => this.#tell(this.#decide(kept), answer));
    });
    if (!isAsked) this.#tell(decision, answer);
  }

  /** What fails in it may have come after the payment counted. */
  #decide(presentation: Uint8Array): Decision | undefined {
    let decision: Decision | undefined = FAILED();
    this.#carriedOut(() => {
      decision = this.#parts.seller.present(presentation);
    });
    return decision;
  }

  #tell(decision: Decision | undefined, answer: (decision: Decision) => void): void {
    this.#carriedOut(() => this.#parts.seller.told?.(decision));
    this.#carriedOut(() => answer(decision ?? NOT_NOW()));
    this.#attend(false);
  }

  #attend(busy: boolean): void {
    this.#isBusy = busy;
    this.#carriedOut(() => this.#parts.attend?.(busy));
  }

  /** Whatever fails, the next payment is taken. @returns false where it failed, which is told */
  #carriedOut(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      this.#parts.log.emit({ event: 'till.failed', detail: wordsOf(error) });
      return false;
    }
  }
}
