// The device's end of a serial line (docs/SERIAL.md): requests of a reader in, answers out. A request that is repeated because its
// answer was lost gets that answer again, and is not asked a second time: it is paid once.

import type { SessionEvent } from '../charging/session.ts';
import { crc32 } from '../encoding/crc32.ts';
import { encodeUtf8, utf8Length } from '../encoding/utf8.ts';
import type { JsonValue } from '../json/value.ts';
import { SERIAL_DETAIL_CHARACTERS, SERIAL_REPEAT_MS } from '../limits.ts';
import type { Decision } from '../verifier.ts';
import { FRAME_TYPES, type FrameFault, FrameReader, type SerialFrame, writeFrame } from './serial-frame.ts';

/** What a device does for a reader. */
export interface SerialDevice {
  /**
   * Decides on a payment; what it decides is done when it returns. The bytes are good until then.
   *
   * @returns undefined where somebody has to be asked first: `decided` is called later
   */
  authorize(presentation: Uint8Array): Decision | undefined;
  /** What the device says of itself: the bytes of `stateDocument`. */
  state(): Uint8Array;
  /**
   * Ends the session that is under way. Left out by a device that has none.
   *
   * @returns what it came to; where none is under way, what the last one did, and undefined where there was none
   */
  stop?(): SessionEvent | undefined;
  /** Whether a payment is being decided on, whichever way it came: none is stopped meanwhile. */
  busy?(): boolean;
  /** Sends the bytes of a frame. */
  send(frame: Uint8Array): void;
}

/** See the head of the file. */
export class SerialEndpoint {
  readonly #device: SerialDevice;
  readonly #reader: FrameReader;
  #nowMs = 0;
  #hasComplained = false;
  /** The payment that was answered last, and its answer. */
  #answered: { readonly sequence: number; readonly length: number; readonly crc: number } | undefined;
  #answer: Uint8Array | undefined;
  #answeredMs = 0;
  /** The stop that was answered last, and its answer. */
  #stopped: { readonly sequence: number; readonly answer: Uint8Array; readonly ms: number } | undefined;
  /** True while the payment that came last waits for its decision. */
  #isDeciding = false;

  /** @param most bytes of a message, SERIAL_MESSAGE_BYTES where left out: see `FrameReader` */
  constructor(device: SerialDevice, most?: number) {
    this.#device = device;
    this.#reader = new FrameReader(
      (frame) => this.#take(frame),
      (fault) => this.#complain(fault),
      most,
    );
  }

  /** Takes bytes of the line. @param nowMs monotonic time */
  push(bytes: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#hasComplained = false;
    this.#reader.push(bytes, nowMs);
  }

  /** Whether a message is coming in: what takes long can wait. @param nowMs monotonic time */
  receiving(nowMs: number): boolean {
    return this.#reader.within(nowMs);
  }

  /** Once for all bytes that came together: a line full of noise is not answered byte by byte. */
  #complain(fault: FrameFault): void {
    if (!this.#hasComplained) this.#send(FRAME_TYPES.error, 0, { error: fault });
    this.#hasComplained = true;
  }

  #take({ type, sequence, payload }: SerialFrame): void {
    if (type === FRAME_TYPES.authorize) this.#pay(sequence, payload);
    else if (type === FRAME_TYPES.state)
      this.#device.send(writeFrame(FRAME_TYPES.stateIs, sequence, this.#device.state()));
    else if (type === FRAME_TYPES.stop && this.#device.stop !== undefined) this.#device.send(this.#stop(sequence));
    else this.#send(FRAME_TYPES.error, sequence, { error: 'type' });
  }

  /** A repeat ends nothing: what is under way may be another driver's by now. @returns the frame that answers */
  #stop(sequence: number): Uint8Array {
    const last = this.#stopped;
    if (last?.sequence === sequence && this.#nowMs - last.ms <= SERIAL_REPEAT_MS) return last.answer;
    const isBusy = this.#isDeciding || this.#device.busy?.() === true;
    const data = isBusy ? { ok: false, error: 'DEVICE_BUSY' } : sessionData(this.#device.stop?.());
    const answer = answerFrame(FRAME_TYPES.stopped, sequence, data);
    this.#stopped = { sequence, answer, ms: this.#nowMs };
    return answer;
  }

  #pay(sequence: number, presentation: Uint8Array): void {
    const { length } = presentation;
    const crc = crc32(presentation);
    const last = this.#answered;
    const isRepeat = last?.sequence === sequence && last.length === length && last.crc === crc;
    if (isRepeat && this.#isDeciding) return;
    if (isRepeat && this.#answer && this.#nowMs - this.#answeredMs <= SERIAL_REPEAT_MS) {
      this.#device.send(this.#answer);
      return;
    }
    // A reader that goes on to another payment repeats no stop from before.
    this.#stopped = undefined;
    const decision = this.#device.authorize(presentation);
    if (this.#isDeciding) {
      // The one that waits keeps its place: this one is told, and not remembered.
      if (decision !== undefined) this.#send(FRAME_TYPES.decision, sequence, decisionData(decision));
      return;
    }
    this.#answered = { sequence, length, crc };
    this.#answer = undefined;
    this.#isDeciding = true;
    if (decision !== undefined) this.decided(decision, this.#nowMs);
  }

  /** The decision on the payment that waits for one. @param nowMs monotonic time */
  decided(decision: Decision, nowMs: number): void {
    if (!this.#isDeciding || this.#answered === undefined) return;
    this.#isDeciding = false;
    this.#answer = answerFrame(FRAME_TYPES.decision, this.#answered.sequence, decisionData(decision));
    this.#answeredMs = nowMs;
    this.#device.send(this.#answer);
  }

  #send(type: number, sequence: number, data: JsonValue): void {
    this.#device.send(answerFrame(type, sequence, data));
  }
}

/** A decision as a reader is told it. */
export function decisionData(decision: Decision): JsonValue {
  if (decision.ok) {
    const { amountMinor, receiptId, repeated, relay } = decision;
    return { ok: true, amountMinor, receiptId, repeated, ...(relay && { relay }) };
  }
  const { artifact, check, code } = decision;
  const detail = decision.detail.slice(0, SERIAL_DETAIL_CHARACTERS);
  // A text of a payer's that is quoted in it and was cut may have no UTF-8 form.
  return { ok: false, error: code, artifact, check, detail: utf8Length(detail) < 0 ? null : detail };
}

/** What a session came to, as a reader is told it. */
export function sessionData(event: SessionEvent | undefined): JsonValue {
  if (event === undefined) return { ok: false, error: 'RESERVATION_NOT_FOUND' };
  const { why, receiptId, closing } = event;
  if (!closing.ok) return { ok: false, why, receiptId, error: closing.code };
  return { ok: true, why, receiptId, amountMinor: closing.amountMinor };
}

function answerFrame(type: number, sequence: number, data: JsonValue): Uint8Array {
  return writeFrame(type, sequence, encodeUtf8(JSON.stringify(data)) as Uint8Array);
}
