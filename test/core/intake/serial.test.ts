// The serial line: every sentence of docs/SERIAL.md, and any bytes at all.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SessionEvent } from '../../../core/charging/session.ts';
import { crc32 } from '../../../core/encoding/crc32.ts';
import { SerialEndpoint } from '../../../core/intake/serial-endpoint.ts';
import {
  FRAME_TYPES,
  type FrameFault,
  FrameReader,
  type SerialFrame,
  writeFrame,
} from '../../../core/intake/serial-frame.ts';
import { SERIAL_GAP_MS, SERIAL_MESSAGE_BYTES, SERIAL_REPEAT_MS } from '../../../core/limits.ts';
import { refuse } from '../../../core/reason-codes.ts';
import type { Decision } from '../../../core/verifier.ts';
import { hexBytes, utf8 } from '../../fixtures/text.ts';

/** What a reader made of bytes: messages as [type, sequence, payload], faults as text. */
function heard(): { reader: FrameReader; all: (readonly [number, number, number[]] | FrameFault)[] } {
  const all: (readonly [number, number, number[]] | FrameFault)[] = [];
  const take = ({ type, sequence, payload }: SerialFrame) => void all.push([type, sequence, [...payload]]);
  return { reader: new FrameReader(take, (fault) => void all.push(fault)), all };
}

/** The same of bytes that come at once. */
function read(...parts: readonly Uint8Array[]): readonly (readonly [number, number, number[]] | FrameFault)[] {
  const { reader, all } = heard();
  for (const part of parts) reader.push(part, 0);
  return all;
}

/** A frame of these bytes before its CRC, stuffed as the document says, for frames that no device writes. */
function handMade(bytes: readonly number[], crc?: number): Uint8Array {
  const sum = crc ?? crc32(Uint8Array.from(bytes));
  const all = [...bytes, sum & 255, (sum >> 8) & 255, (sum >> 16) & 255, sum >>> 24];
  const out = [0];
  let run: number[] = [];
  for (const byte of [...all, 0]) {
    if (byte !== 0) run.push(byte);
    if (byte === 0) out.push(run.length + 1, ...run);
    else if (run.length === 254) out.push(255, ...run);
    if (byte === 0 || run.length === 254) run = [];
  }
  return Uint8Array.from([...out, 0]);
}

const HELLO = [104, 105];
const good = writeFrame(1, 9, Uint8Array.from(HELLO));
const GOOD = [1, 9, HELLO] as const;

describe('a frame', () => {
  it('has the bytes that the document says', () => {
    expect(good).toEqual(handMade([1, 1, 9, 0, 2, 0, ...HELLO]));
    expect(read(good)).toEqual([GOOD]);
  });

  it('stands between zeros, has none within, and more zeros mean nothing', () => {
    expect(good[0]).toBe(0);
    expect(good.indexOf(0, 1)).toBe(good.length - 1);
    expect(read(new Uint8Array(9), good, new Uint8Array(9), good)).toEqual([GOOD, GOOD]);
  });

  it('shares the zero between it and the next', () => {
    expect(read(good, good.subarray(1), good.subarray(1))).toEqual([GOOD, GOOD, GOOD]);
  });

  it('is stuffed: 11 00 22 is 02 11 02 22', () => {
    const frame = writeFrame(1, 9, hexBytes('110022'));
    // Behind the header, whose last byte is a zero.
    expect([...frame.subarray(frame.indexOf(0x11) - 1)].slice(0, 3)).toEqual([2, 0x11, expect.any(Number)]);
    expect(read(frame)).toEqual([[1, 9, [0x11, 0, 0x22]]]);
  });

  it.each([0, 1, 2, 245, 246, 247, 248, 249, 250, 253, 254, 255, 256, 508, 509, 510, 1024, SERIAL_MESSAGE_BYTES])(
    'has a payload of %i bytes, whatever they are',
    (length) => {
      for (const fill of [0, 1, 255]) {
        const payload = new Uint8Array(length).fill(fill);
        const frame = writeFrame(1, 9, payload);
        expect(frame.indexOf(0, 1)).toBe(frame.length - 1);
        const [message] = read(frame);
        expect(message?.[2]).toHaveLength(length);
        expect(message).toEqual([1, 9, [...payload]]);
      }
    },
  );

  it('may come in pieces of any size', () => {
    for (const size of [1, 2, 3, 7]) {
      const { reader, all } = heard();
      for (let at = 0; at < good.length; at += size) reader.push(good.subarray(at, at + size), at);
      expect(all).toEqual([GOOD]);
    }
  });

  it('is not written for more than a message', () => {
    expect(() => writeFrame(1, 0, new Uint8Array(SERIAL_MESSAGE_BYTES + 1))).toThrow(RangeError);
    expect(() => writeFrame(1, 0, new Uint8Array(1), 128)).toThrow(RangeError);
  });
});

describe('fragments', () => {
  const part = (number: number, more: boolean, bytes: number[], type = 1, sequence = 9) =>
    writeFrame(type, sequence, Uint8Array.from(bytes), number, more);

  it('make a message', () => {
    expect(read(part(0, true, [1, 2]), part(1, true, [3]), part(2, false, [0, 4]))).toEqual([[1, 9, [1, 2, 3, 0, 4]]]);
  });

  it('are at most a message together, and as many as 128', () => {
    const size = SERIAL_MESSAGE_BYTES / 128;
    const parts = Array.from({ length: 128 }, (_, i) => part(i, i < 127, Array(size).fill(i)));
    const [message] = read(...parts);
    expect(message?.[2]).toHaveLength(SERIAL_MESSAGE_BYTES);
    const large = Array(SERIAL_MESSAGE_BYTES / 2).fill(7);
    expect(read(part(0, true, large), part(1, true, large), part(2, false, [1]), good)).toEqual(['too-long', GOOD]);
  });

  it.each([
    ['that is missing', part(2, false, [3])],
    ['that comes before its turn', part(3, false, [3])],
    ['of another type', part(1, false, [3], 2)],
    ['of another sequence', part(1, false, [3], 1, 8)],
  ])('one %s spoils the message, and not the next', (_, odd) => {
    expect(read(part(0, true, [1]), odd, good)).toEqual(['fragment', GOOD]);
  });

  it('0 begins a new message', () => {
    expect(read(part(0, true, [1]), part(0, true, [5]), part(1, false, [6]))).toEqual([[1, 9, [5, 6]]]);
    expect(read(part(0, true, [1]), good)).toEqual([GOOD]);
  });

  it('that go on with nothing are no message', () => {
    expect(read(part(1, false, [1]), good)).toEqual(['fragment', GOOD]);
  });
});

describe('what is dropped', () => {
  it.each([
    ['crc', 'a CRC that is another', handMade([1, 1, 9, 0, 2, 0, ...HELLO], 1)],
    ['version', 'another version', handMade([2, 1, 9, 0, 2, 0, ...HELLO])],
    ['length', 'a length that is not that of the payload', handMade([1, 1, 9, 0, 3, 0, ...HELLO])],
    ['short', 'less than a frame', Uint8Array.of(0, 3, 1, 2, 0)],
    ['stuffing', 'a run that goes beyond the frame', Uint8Array.of(0, 9, 1, 2, 0)],
  ])('%s: %s; the next frame is read', (fault, _, bytes) => {
    expect(read(bytes, good)).toEqual([fault, GOOD]);
  });

  it('garbage before a frame, which the zero before it ends', () => {
    expect(read(hexBytes('55aa55aa55aa'), good)).toHaveLength(2);
    expect(read(hexBytes('55aa55aa55aa'), good)[1]).toEqual(GOOD);
  });

  it('what is longer than a device with less memory takes', () => {
    const all: (number | FrameFault)[] = [];
    const reader = new FrameReader(
      ({ payload }) => void all.push(payload.length),
      (fault) => void all.push(fault),
      20,
    );
    for (const length of [20, 21, 5000, 20]) reader.push(writeFrame(1, 9, new Uint8Array(length).fill(1)), 0);
    expect(all).toEqual([20, 'too-long', 'too-long', 20]);
  });

  it('anything longer than a message, without memory for it', () => {
    const long = new Uint8Array(50_000).fill(1);
    expect(read(long, long, good)).toEqual(['too-long', GOOD]);
  });

  it('fragments before a frame that is damaged', () => {
    const first = writeFrame(1, 9, Uint8Array.of(1), 0, true);
    const last = writeFrame(1, 9, Uint8Array.of(2), 1);
    expect(read(first, Uint8Array.of(0, 3, 1, 2, 0), last, good)).toEqual(['short', 'fragment', GOOD]);
  });

  it('half a message that is not gone on with', () => {
    for (const half of [good.subarray(0, 6), writeFrame(1, 9, Uint8Array.of(1), 0, true)]) {
      const { reader, all } = heard();
      reader.push(half, 1000);
      reader.push(good, 1000 + SERIAL_GAP_MS + 1);
      expect(all).toEqual(['timeout', GOOD]);
    }
  });

  it('but not what goes on in time, and silence between messages is none', () => {
    const { reader, all } = heard();
    reader.push(good.subarray(0, 6), 1000);
    reader.push(good.subarray(6), 1000 + SERIAL_GAP_MS);
    reader.push(good, 900_000);
    expect(all).toEqual([GOOD, GOOD]);
  });
});

describe('any bytes', () => {
  it('do not stop the line: the next good frame is read', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }), (pieces) => {
        const { reader, all } = heard();
        for (const piece of pieces) reader.push(Uint8Array.from(piece), 0);
        reader.push(good, 0);
        expect(all.at(-1)).toEqual(GOOD);
      }),
      { numRuns: 3000 },
    );
  });

  it('that a frame became by one bit are no message', () => {
    for (let bit = 8; bit < 8 * (good.length - 1); bit++) {
      const turned = good.slice();
      turned[bit >> 3] = (turned[bit >> 3] as number) ^ (1 << (bit & 7));
      const all = read(turned, good);
      expect(all.filter((one) => typeof one !== 'string')).toEqual([GOOD]);
    }
  });

  it('that are messages come out as they went in, whatever they are and however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(255), fc.nat(255), fc.uint8Array({ maxLength: 600 })), { maxLength: 4 }),
        fc.integer({ min: 1, max: 300 }),
        (messages, size) => {
          const { reader, all } = heard();
          for (const [type, sequence, payload] of messages) {
            const frame = writeFrame(type, sequence, Uint8Array.from(payload));
            for (let at = 0; at < frame.length; at += size) reader.push(frame.subarray(at, at + size), 0);
          }
          expect(all).toEqual(messages.map(([type, sequence, payload]) => [type, sequence, [...payload]]));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a device on the line', () => {
  const YES: Decision = {
    ok: true,
    receiptId: 7,
    repeated: false,
    amountMinor: '250',
    grantId: 'g',
    budgetId: 'b',
    sessionId: 's',
    actorId: 'a',
    timeMs: 1,
  };

  /** A device that gives these decisions, with what it was asked and what it sent: type, sequence, data. */
  function endpoint(...decisions: readonly Decision[]) {
    const ends: (SessionEvent | undefined)[] = [];
    const stops: number[] = [];
    const others = { pay: false };
    const asked: string[] = [];
    const sent: Uint8Array[] = [];
    const answers: (readonly [number, number, unknown])[] = [];
    const device = new SerialEndpoint({
      authorize: (bytes) => {
        asked.push(new TextDecoder().decode(bytes));
        return decisions[asked.length - 1] ?? YES;
      },
      state: () => utf8('{"state":"serving"}'),
      stop: () => {
        stops.push(ends.length);
        return ends.shift();
      },
      busy: () => others.pay,
      send: (frame) => {
        sent.push(frame);
        for (const one of read(frame)) {
          if (typeof one === 'string') throw new Error(one);
          const [type, sequence, payload] = one;
          answers.push([type, sequence, JSON.parse(new TextDecoder().decode(Uint8Array.from(payload)))]);
        }
      },
    });
    return { device, asked, sent, answers, ends, stops, others };
  }

  const stop = (sequence: number) => writeFrame(FRAME_TYPES.stop, sequence, new Uint8Array(0));
  const closing = { ok: true, receiptId: 7, amountMinor: '250', timeMs: 1 } as const;
  const END: SessionEvent = { kind: 'ended', why: 'stopped', receiptId: 7, closing, amountMinor: '250' };

  const pay = (sequence: number, text = '{"sba":{}}') => writeFrame(FRAME_TYPES.authorize, sequence, utf8(text));

  it('answers a payment', () => {
    const { device, asked, answers } = endpoint();
    device.push(pay(7), 0);
    expect(asked).toEqual(['{"sba":{}}']);
    expect(answers).toEqual([[0x81, 7, { ok: true, amountMinor: '250', receiptId: 7, repeated: false }]]);
  });

  it('says so where a relay did not move for a payment that was accepted', () => {
    const { device, answers } = endpoint({ ...YES, relay: 'failed' });
    device.push(pay(7), 0);
    expect(answers).toEqual([
      [0x81, 7, { ok: true, amountMinor: '250', receiptId: 7, repeated: false, relay: 'failed' }],
    ]);
  });

  it('answers a refusal with its code', () => {
    const refusal = {
      ok: false,
      artifact: 'sba',
      check: 'sba.expiry',
      code: 'ARTIFACT_EXPIRED',
      detail: 'it expired',
    } as const;
    const { device, answers } = endpoint(refusal, { ...refusal, detail: 'cut \ud83d' });
    device.push(pay(7), 0);
    device.push(pay(8), 0);
    const { code: error, ...rest } = refusal;
    expect(answers).toEqual([
      [0x81, 7, { ...rest, error }],
      [0x81, 8, { ...rest, error, detail: null }],
    ]);
  });

  it('answers a refusal that quotes a payer at length: it fits a message, whatever has to be escaped in it', () => {
    const refusal = { ok: false, artifact: 'sba', check: 'sba.shape', code: 'ARTIFACT_INVALID' } as const;
    const { device, answers } = endpoint({ ...refusal, detail: '\u0001'.repeat(5000) });
    device.push(pay(7), 0);
    expect(answers).toMatchObject([[0x81, 7, { ok: false, detail: '\u0001'.repeat(512) }]]);
  });

  it('says its state, and that it does not know a type', () => {
    const { device, answers } = endpoint();
    device.push(writeFrame(FRAME_TYPES.state, 3, new Uint8Array(0)), 0);
    device.push(writeFrame(0x44, 4, new Uint8Array(0)), 0);
    expect(answers).toEqual([
      [0x82, 3, { state: 'serving' }],
      [0xff, 4, { error: 'type' }],
    ]);
  });

  it('ends a session, and says what it came to; asked again, the same', () => {
    const { device, answers, ends } = endpoint();
    ends.push(END, END);
    device.push(stop(3), 0);
    device.push(stop(4), 9);
    const told = { ok: true, why: 'stopped', receiptId: 7, amountMinor: '250' };
    expect(answers).toEqual([
      [0x83, 3, told],
      [0x83, 4, told],
    ]);
  });

  it('ends nothing where a stop is repeated whose answer was lost: that may be another driver’s', () => {
    const { device, sent, ends, stops } = endpoint();
    ends.push(END, { ...END, receiptId: 8 });
    for (const now of [0, 300, SERIAL_REPEAT_MS]) device.push(stop(3), now);
    expect([stops, sent[1], sent[2]]).toEqual([[2], sent[0], sent[0]]);
    device.push(stop(4), SERIAL_REPEAT_MS);
    device.push(stop(4), 2 * SERIAL_REPEAT_MS + 1);
    expect(stops).toEqual([2, 1, 0]);
  });

  it('also where there was none to end, and another driver’s has begun since', () => {
    const { device, answers, ends, stops } = endpoint();
    device.push(stop(3), 0);
    ends.push(END);
    device.push(stop(3), 300);
    expect([stops.length, answers[1]]).toEqual([1, [0x83, 3, { ok: false, error: 'RESERVATION_NOT_FOUND' }]]);
  });

  it('takes a stop for no repeat where the reader has paid since', () => {
    const { device, ends, stops } = endpoint();
    device.push(stop(3), 0);
    device.push(pay(4), 100);
    ends.push(END);
    device.push(stop(3), 200);
    expect(stops).toEqual([0, 1]);
  });

  it('ends nothing, and says so, while another who came over the network is decided on', () => {
    const { device, answers, ends, stops, others } = endpoint();
    ends.push(END);
    others.pay = true;
    device.push(stop(3), 0);
    expect([stops, answers]).toEqual([[], [[0x83, 3, { ok: false, error: 'DEVICE_BUSY' }]]]);
    others.pay = false;
    device.push(stop(4), 100);
    expect(answers[1]).toMatchObject([0x83, 4, { ok: true }]);
  });

  it('says where a session could not be settled yet, and where there was none', () => {
    const { device, answers, ends } = endpoint();
    const failed = refuse('device', 'ledger.commit', 'STORE_FAILED', 'the flash failed');
    ends.push({ kind: 'unsettled', why: 'stopped', receiptId: 7, closing: failed }, undefined);
    device.push(writeFrame(FRAME_TYPES.stop, 3, new Uint8Array(0)), 0);
    device.push(writeFrame(FRAME_TYPES.stop, 4, new Uint8Array(0)), 0);
    expect(answers).toEqual([
      [0x83, 3, { ok: false, why: 'stopped', receiptId: 7, error: 'STORE_FAILED' }],
      [0x83, 4, { ok: false, error: 'RESERVATION_NOT_FOUND' }],
    ]);
  });

  it('that has no sessions knows no stop', () => {
    const answers: Uint8Array[] = [];
    const send = (frame: Uint8Array) => void answers.push(frame);
    const device = new SerialEndpoint({ authorize: () => YES, state: () => new Uint8Array(0), send });
    device.push(writeFrame(FRAME_TYPES.stop, 3, new Uint8Array(0)), 0);
    expect(read(...answers)).toEqual([[0xff, 3, [...utf8('{"error":"type"}')]]]);
  });

  it('knows when a message is coming in, until it is whole, damaged or not gone on with', () => {
    const { device } = endpoint();
    const frame = pay(7);
    const states = [device.receiving(0)];
    const then = (bytes: Uint8Array, now: number) => {
      device.push(bytes, now);
      states.push(device.receiving(now));
    };
    then(frame.subarray(0, 5), 0);
    then(frame.subarray(5), 10);
    expect(states).toEqual([false, true, false]);
    then(writeFrame(FRAME_TYPES.authorize, 8, utf8('{'), 0, true), 20);
    expect([device.receiving(20 + SERIAL_GAP_MS), device.receiving(21 + SERIAL_GAP_MS)]).toEqual([true, false]);
    then(hexBytes('05112200'), 2000);
    expect(device.receiving(2000)).toBe(false);
  });

  it('gives the same answer, byte for byte, to a request that is repeated, and decides once', () => {
    const { device, asked, sent } = endpoint();
    for (const now of [0, 300, SERIAL_REPEAT_MS]) device.push(pay(7), now);
    expect(asked).toHaveLength(1);
    expect(sent[1]).toEqual(sent[0]);
    expect(sent[2]).toEqual(sent[0]);
  });

  it('also where the state was asked for and noise came in between', () => {
    const { device, asked } = endpoint();
    device.push(pay(7), 0);
    device.push(writeFrame(FRAME_TYPES.state, 8, new Uint8Array(0)), 1);
    device.push(hexBytes('00112200'), 2);
    device.push(pay(7), 3);
    expect(asked).toHaveLength(1);
  });

  it('asks again for another sequence, for other bytes, and after ten seconds', () => {
    const { device, asked } = endpoint();
    device.push(pay(7), 0);
    device.push(pay(8), 0);
    device.push(pay(8, '{"sba":[]}'), 0);
    device.push(pay(8, '{"sba":[]}'), SERIAL_REPEAT_MS + 1);
    expect(asked).toHaveLength(4);
  });

  it('complains of noise once for all bytes that came together', () => {
    const { device, answers } = endpoint();
    device.push(hexBytes('00112200112200112200'), 0);
    expect(answers).toEqual([[0xff, 0, { error: 'stuffing' }]]);
    device.push(hexBytes('0301020005'), 0);
    expect(answers).toHaveLength(2);
  });

  describe('whose issuer is asked first', () => {
    /** A device that decides later, and refuses whoever comes meanwhile. */
    function waiting() {
      const asked: string[] = [];
      const answers: (readonly [number, number, number[]] | FrameFault)[] = [];
      const busy: Decision = refuse('device', 'device.busy', 'DEVICE_BUSY', 'another payer is served');
      const device: SerialEndpoint = new SerialEndpoint({
        authorize: (bytes) => (asked.push(new TextDecoder().decode(bytes)) === 1 ? undefined : busy),
        state: () => new Uint8Array(0),
        stop: () => END,
        send: (frame) => void answers.push(...read(frame)),
      });
      const told = () =>
        answers.map((answer) => {
          const [type, sequence, payload] = answer as readonly [number, number, number[]];
          return [type, sequence, JSON.parse(new TextDecoder().decode(Uint8Array.from(payload)))];
        });
      return { device, asked, told };
    }

    it('answers when it is decided, with the sequence of the request; said again later, the same', () => {
      const { device, asked, told } = waiting();
      device.push(pay(7), 0);
      expect(told()).toEqual([]);
      device.decided(YES, 4000);
      expect(told()).toMatchObject([[0x81, 7, { ok: true, receiptId: 7 }]]);
      device.push(pay(7), 4000 + SERIAL_REPEAT_MS);
      expect(told()[1]).toEqual(told()[0]);
      expect(asked).toHaveLength(1);
    });

    it('passes over the same request sent meanwhile', () => {
      const { device, asked, told } = waiting();
      for (const now of [0, 1000, 2000]) device.push(pay(7), now);
      expect([asked.length, told()]).toEqual([1, []]);
    });

    it('tells a stop that nothing is ended: the payment may begin a session yet', () => {
      const { device, told } = waiting();
      device.push(pay(7), 0);
      device.push(stop(8), 1000);
      device.decided(YES, 2000);
      device.push(stop(9), 3000);
      expect(told()).toMatchObject([
        [0x83, 8, { ok: false, error: 'DEVICE_BUSY' }],
        [0x81, 7, { ok: true }],
        [0x83, 9, { ok: true, receiptId: 7 }],
      ]);
    });

    it('refuses another one, which takes nobody’s place', () => {
      const { device, told } = waiting();
      device.push(pay(7), 0);
      device.push(pay(8), 1000);
      device.decided(YES, 2000);
      device.decided(YES, 3000);
      expect(told()).toMatchObject([
        [0x81, 8, { ok: false, error: 'DEVICE_BUSY' }],
        [0x81, 7, { ok: true }],
      ]);
    });
  });
});
