// One payment at a time, with an issuer who is asked in between, and a reader's line that waits for it.

import { describe, expect, it } from 'vitest';
import { SerialEndpoint } from '../../../core/intake/serial-endpoint.ts';
import { FRAME_TYPES, FrameReader, writeFrame } from '../../../core/intake/serial-frame.ts';
import { refuse } from '../../../core/reason-codes.ts';
import type { RevocationQuestion } from '../../../core/refresh/revocation.ts';
import type { Decision } from '../../../core/verifier.ts';
import { Till } from '../../../device/firmware/till.ts';

const GOOD = { ok: true, amountMinor: '1000', receiptId: 1, repeated: false } as unknown as Decision;
const UNKNOWN = refuse('policyGrant', 'grant.revoked', 'REVOCATION_UNKNOWN', 'ask first');
const QUESTION = { host: 'issuer.example' } as RevocationQuestion;

class Bench {
  decisions: (Decision | undefined)[] = [];
  readonly presented: string[] = [];
  readonly attended: boolean[] = [];
  readonly told: (Decision | undefined)[] = [];
  readonly events: string[] = [];
  /** What fails from now on. */
  failing: 'present' | 'told' | 'ask' | 'attend' | undefined;
  question: RevocationQuestion | undefined = QUESTION;
  answered: (() => void) | undefined;
  readonly till = new Till({
    seller: {
      present: (bytes) => {
        this.#mayFail('present');
        this.presented.push(Buffer.from(bytes).toString());
        return this.decisions.shift();
      },
      told: (decision) => {
        this.told.push(decision);
        this.#mayFail('told');
      },
    },
    log: { emit: ({ event, detail }) => void this.events.push(`${event} ${detail}`) },
    revocation: {
      get question() {
        return bench().question;
      },
    },
    ask: (_, done) => {
      this.#mayFail('ask');
      this.answered = done;
    },
    attend: (busy) => {
      this.attended.push(busy);
      this.#mayFail('attend');
    },
  });

  constructor() {
    current = this;
  }

  #mayFail(what: string): void {
    if (this.failing === what) throw new Error(`no ${what}`);
  }

  present(text: string): { decision: Decision | undefined } {
    const answer: { decision: Decision | undefined } = { decision: undefined };
    const bytes = new Uint8Array(Buffer.from(text));
    this.till.present(bytes, (decision) => {
      answer.decision = decision;
    });
    // What was presented is good until then.
    bytes.fill(0);
    return answer;
  }
}

let current: Bench;
const bench = () => current;

describe('a till', () => {
  it('answers at once where nobody is to be asked', () => {
    const one = new Bench();
    one.decisions = [GOOD];
    expect(one.present('a').decision).toBe(GOOD);
    expect(one.attended).toEqual([true, false]);
  });

  it('asks an issuer, and decides again on the same bytes', () => {
    const one = new Bench();
    one.decisions = [UNKNOWN, GOOD];
    const answer = one.present('a');
    expect([answer.decision, one.till.busy, one.attended]).toEqual([undefined, true, [true]]);
    one.answered?.();
    expect([answer.decision, one.till.busy, one.presented]).toEqual([GOOD, false, ['a', 'a']]);
  });

  it('shows the payer what came of it when that is known, and not before an issuer was asked', () => {
    const one = new Bench();
    one.decisions = [UNKNOWN, GOOD, undefined];
    one.present('a');
    expect(one.told).toEqual([]);
    one.answered?.();
    expect(one.told).toEqual([GOOD]);
    one.present('b');
    expect(one.told).toEqual([GOOD, undefined]);
  });

  it('asks once: what is not known then is refused', () => {
    const one = new Bench();
    one.decisions = [UNKNOWN, UNKNOWN];
    const answer = one.present('a');
    one.answered?.();
    expect(answer.decision).toBe(UNKNOWN);
  });

  it('tells whoever presents meanwhile to wait, and decides nothing on that', () => {
    const one = new Bench();
    one.decisions = [UNKNOWN, GOOD];
    one.present('a');
    expect(one.present('b').decision).toMatchObject({ ok: false, code: 'DEVICE_BUSY' });
    expect(one.presented).toEqual(['a']);
  });

  it('refuses where there is nothing to ask, or the seller cannot sell', () => {
    const one = new Bench();
    one.question = undefined;
    one.decisions = [UNKNOWN];
    expect(one.present('a').decision).toBe(UNKNOWN);
    one.decisions = [undefined];
    expect(one.present('b').decision).toMatchObject({ ok: false, code: 'DEVICE_BUSY' });
  });

  describe('in which something fails', () => {
    const FAILED = { ok: false, artifact: 'device', code: 'STORE_FAILED', check: 'device.failed' };

    it('refuses a payment whose decision fails, says why, and takes the next one', () => {
      const one = new Bench();
      one.failing = 'present';
      expect(one.present('a').decision).toMatchObject(FAILED);
      expect([one.till.busy, one.attended, one.events]).toEqual([false, [true, false], ['till.failed no present']]);
      one.failing = undefined;
      one.decisions = [GOOD];
      expect(one.present('b').decision).toBe(GOOD);
    });

    it('does the same when an issuer was asked: it is not busy for ever, nor is the network put off', () => {
      const one = new Bench();
      one.decisions = [UNKNOWN];
      const answer = one.present('a');
      one.failing = 'present';
      one.answered?.();
      expect(answer.decision).toMatchObject(FAILED);
      expect([one.till.busy, one.attended, one.events]).toEqual([false, [true, false], ['till.failed no present']]);
    });

    it('answers what was decided where that cannot be shown', () => {
      const one = new Bench();
      one.decisions = [GOOD, UNKNOWN, GOOD];
      one.failing = 'told';
      expect(one.present('a').decision).toBe(GOOD);
      const answer = one.present('b');
      one.answered?.();
      expect([answer.decision, one.till.busy]).toEqual([GOOD, false]);
      expect(one.events).toEqual(['till.failed no told', 'till.failed no told']);
    });

    it('refuses where the issuer cannot be asked: the grant is as unknown as it was', () => {
      const one = new Bench();
      one.decisions = [UNKNOWN];
      one.failing = 'ask';
      expect(one.present('a').decision).toBe(UNKNOWN);
      expect([one.till.busy, one.attended, one.presented]).toEqual([false, [true, false], ['a']]);
    });

    it('goes on where its answer cannot be sent, or the network cannot be put off', () => {
      const one = new Bench();
      one.decisions = [GOOD, GOOD];
      one.till.present(new Uint8Array(1), () => {
        throw new Error('no room');
      });
      expect([one.till.busy, one.attended, one.events]).toEqual([false, [true, false], ['till.failed no room']]);
      one.failing = 'attend';
      expect([one.present('b').decision, one.till.busy]).toEqual([GOOD, false]);
    });
  });
});

describe('a reader’s line that waits for a decision', () => {
  function line(decisions: (Decision | undefined)[]) {
    const told: { sequence: number; ok: unknown }[] = [];
    const asked: string[] = [];
    const reader = new FrameReader(
      ({ sequence, payload }) => told.push({ sequence, ok: JSON.parse(Buffer.from(payload).toString()).ok }),
      () => {},
    );
    const endpoint = new SerialEndpoint({
      authorize: (bytes) => {
        asked.push(Buffer.from(bytes).toString());
        return decisions.shift();
      },
      state: () => new Uint8Array(0),
      send: (frame) => reader.push(frame, 0),
    });
    const send = (sequence: number, text: string) =>
      endpoint.push(writeFrame(FRAME_TYPES.authorize, sequence, Buffer.from(text)), 0);
    return { told, asked, endpoint, send };
  }

  it('is answered when there is one; the request repeated before that asks nobody', () => {
    const { told, asked, endpoint, send } = line([undefined]);
    send(7, 'a');
    send(7, 'a');
    expect([told, asked]).toEqual([[], ['a']]);
    endpoint.decided(GOOD, 100);
    expect(told).toEqual([{ sequence: 7, ok: true }]);
    send(7, 'a');
    expect([told.length, asked]).toEqual([2, ['a']]);
  });

  it('answers another request meanwhile, and the one that waits under its own number', () => {
    const { told, endpoint, send } = line([undefined, UNKNOWN]);
    send(7, 'a');
    send(8, 'b');
    endpoint.decided(GOOD, 100);
    expect(told).toEqual([
      { sequence: 8, ok: false },
      { sequence: 7, ok: true },
    ]);
  });

  it('takes no decision that nobody waits for', () => {
    const { told, endpoint, send } = line([GOOD]);
    endpoint.decided(GOOD, 0);
    send(7, 'a');
    endpoint.decided(UNKNOWN, 0);
    expect(told).toEqual([{ sequence: 7, ok: true }]);
  });
});
