// Frames between a reader (NFC, QR) and a device on a serial line: delimiters, byte stuffing, fragments, CRC-32. What each byte is
// stands in docs/SERIAL.md. Bytes are taken as they come; whatever they are, the next good frame is read.

import { crc32 } from '../encoding/crc32.ts';
import { readU32, writeU32 } from '../encoding/little-endian.ts';
import { SERIAL_GAP_MS, SERIAL_MESSAGE_BYTES } from '../limits.ts';

/** The first byte of every frame. */
export const SERIAL_VERSION = 1;

/** What frames are for. Those of a device have the upper bit. */
export const FRAME_TYPES = Object.freeze({
  authorize: 0x01,
  state: 0x02,
  stop: 0x03,
  decision: 0x81,
  stateIs: 0x82,
  stopped: 0x83,
  error: 0xff,
});

/** A whole message. */
export interface SerialFrame {
  /** One of FRAME_TYPES, or a byte that is none. */
  readonly type: number;
  readonly sequence: number;
  /** A view of the reader's memory, good until the next `push`. */
  readonly payload: Uint8Array;
}

/** Why bytes were no message. */
export type FrameFault = 'stuffing' | 'short' | 'crc' | 'version' | 'length' | 'fragment' | 'too-long' | 'timeout';

const HEADER = 6;
const CRC = 4;
/** Bytes that stuffing puts between two others at most. */
const RUN = 254;
/** In the byte that counts fragments: another follows. */
const MORE = 0x80;

/** Takes bytes of a serial line. Its memory is allocated once. */
export class FrameReader {
  readonly #take: (frame: SerialFrame) => void;
  readonly #fault: (fault: FrameFault) => void;
  /** The fragments so far, then the bytes of the frame that is coming in. */
  readonly #buffer: Uint8Array;
  readonly #most: number;
  #message = 0;
  #end = 0;
  #skipping = false;
  #type = 0;
  #sequence = 0;
  /** The number of the fragment that must come. */
  #next = 0;
  #lastMs = 0;

  /**
   * @param take is given each message
   * @param fault is told what is dropped, and why
   * @param most bytes of a message: a device with little memory may take less than others, and keeps a little more than these
   */
  constructor(
    take: (frame: SerialFrame) => void,
    fault: (fault: FrameFault) => void = () => {},
    most: number = SERIAL_MESSAGE_BYTES,
  ) {
    this.#take = take;
    this.#fault = fault;
    this.#most = most;
    this.#buffer = new Uint8Array(stuffedBytes(most + HEADER + CRC));
  }

  /**
   * Takes bytes as they come, in pieces of any size.
   *
   * @param nowMs monotonic time: half a message that was not gone on with for SERIAL_GAP_MS is dropped
   */
  push(bytes: Uint8Array, nowMs: number): void {
    if ((this.#end > 0 || this.#skipping) && nowMs - this.#lastMs > SERIAL_GAP_MS) this.#drop('timeout');
    this.#lastMs = nowMs;
    const { length } = bytes;
    let at = 0;
    while (at < length) {
      const zero = bytes.indexOf(0, at);
      this.#add(bytes, at, zero < 0 ? length : zero);
      if (zero < 0) return;
      if (this.#skipping) this.#skipping = false;
      else if (this.#end > this.#message) this.#frame();
      at = zero + 1;
    }
  }

  /** Whether a message is coming in: half of one is there, and may be gone on with. */
  within(nowMs: number): boolean {
    return (this.#end > 0 || this.#skipping) && nowMs - this.#lastMs <= SERIAL_GAP_MS;
  }

  #add(bytes: Uint8Array, start: number, end: number): void {
    if (this.#skipping) return;
    if (this.#end + end - start > this.#buffer.length) {
      this.#drop('too-long');
      this.#skipping = true;
      return;
    }
    this.#buffer.set(bytes.subarray(start, end), this.#end);
    this.#end += end - start;
  }

  #drop(fault: FrameFault): void {
    this.#message = 0;
    this.#end = 0;
    this.#next = 0;
    this.#skipping = false;
    this.#fault(fault);
  }

  /** The bytes between two delimiters. */
  #frame(): void {
    const buffer = this.#buffer;
    const start = this.#message;
    const end = unstuffed(buffer, start, this.#end);
    const fault = end < 0 ? 'stuffing' : this.#faultOf(start, end);
    if (fault !== undefined) {
      this.#drop(fault);
      return;
    }
    const part = buffer[start + 3] as number;
    // A first fragment begins anew, whatever was there of another message.
    if ((part & ~MORE) === 0) this.#message = 0;
    this.#type = buffer[start + 1] as number;
    this.#sequence = buffer[start + 2] as number;
    buffer.copyWithin(this.#message, start + HEADER, end - CRC);
    this.#message += end - start - HEADER - CRC;
    this.#end = this.#message;
    if (this.#message > this.#most) {
      this.#drop('too-long');
      return;
    }
    this.#next = (part & ~MORE) + 1;
    if ((part & MORE) !== 0) return;
    const payload = buffer.subarray(0, this.#message);
    this.#message = 0;
    this.#end = 0;
    this.#next = 0;
    this.#take({ type: this.#type, sequence: this.#sequence, payload });
  }

  #faultOf(start: number, end: number): FrameFault | undefined {
    const buffer = this.#buffer;
    if (end - start < HEADER + CRC) return 'short';
    if (crc32(buffer, start, end - CRC) !== readU32(buffer, end - CRC)) return 'crc';
    if (buffer[start] !== SERIAL_VERSION) return 'version';
    const length = (buffer[start + 4] as number) | ((buffer[start + 5] as number) << 8);
    if (length !== end - start - HEADER - CRC) return 'length';
    const number = (buffer[start + 3] as number) & ~MORE;
    if (number === 0) return undefined;
    const goesOn = number === this.#next && buffer[start + 1] === this.#type && buffer[start + 2] === this.#sequence;
    return goesOn ? undefined : 'fragment';
  }
}

/**
 * The bytes of a frame, delimiters included.
 *
 * @param payload all of a message, or a fragment
 * @param part the fragment's number, from 0
 * @param more true where another fragment follows
 * @throws RangeError for a payload that is longer than a message may be, or a number that is none
 */
export function writeFrame(type: number, sequence: number, payload: Uint8Array, part = 0, more = false): Uint8Array {
  const { length } = payload;
  if (length > SERIAL_MESSAGE_BYTES) throw new RangeError(`a payload of more than ${SERIAL_MESSAGE_BYTES} bytes`);
  if (part < 0 || part >= MORE) throw new RangeError(`a message has no fragment ${part}`);
  const frame = new Uint8Array(HEADER + length + CRC);
  frame[0] = SERIAL_VERSION;
  frame[1] = type;
  frame[2] = sequence;
  frame[3] = more ? part | MORE : part;
  frame[4] = length & 0xff;
  frame[5] = length >> 8;
  frame.set(payload, HEADER);
  writeU32(frame, HEADER + length, crc32(frame, 0, HEADER + length));
  return stuffed(frame);
}

/** Bytes that so many take at most between their delimiters. */
function stuffedBytes(length: number): number {
  return length + Math.floor(length / RUN) + 1;
}

/** Without zeros (COBS): each run of other bytes behind a byte that says where the next zero was. */
function stuffed(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const out = new Uint8Array(stuffedBytes(length) + 2);
  let to = 1;
  for (let at = 0; at <= length; ) {
    const zero = bytes.indexOf(0, at);
    const end = zero < 0 ? length : zero;
    for (; end - at >= RUN; at += RUN, to += RUN + 1) {
      out[to] = RUN + 1;
      out.set(bytes.subarray(at, at + RUN), to + 1);
    }
    out[to] = end - at + 1;
    out.set(bytes.subarray(at, end), to + 1);
    to += end - at + 1;
    at = end + 1;
  }
  return out.subarray(0, to + 1);
}

/** Takes stuffing away in place. @returns the end of what it was, or -1 where a run goes beyond the bytes */
function unstuffed(buffer: Uint8Array, start: number, end: number): number {
  let to = start;
  for (let at = start; at < end; ) {
    const run = buffer[at] as number;
    const next = at + run;
    if (next > end) return -1;
    buffer.copyWithin(to, at + 1, next);
    to += run - 1;
    at = next;
    if (run <= RUN && at < end) buffer[to++] = 0;
  }
  return to;
}
