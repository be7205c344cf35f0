// A subscription to one topic of an MQTT broker (3.1.1): each message on it says that there are new bundles. What a message holds is
// not looked at: it brings a request, and a request brings nothing that is not signed. The SDK's own client makes room for names as
// long as a broker says, and throws out of callbacks; this one keeps nothing of what comes.

import { encodeUtf8 } from '../encoding/utf8.ts';
import { MQTT_FIRST_WAIT_MS, MQTT_KEEP_ALIVE_SECONDS, MQTT_LONGEST_WAIT_MS, MQTT_PING_MS } from '../limits.ts';
import type { Log } from '../ports/ports.ts';
import { backoff, spread } from '../refresh/waits.ts';
import type { Connect, Connection } from './connection.ts';

/** What a subscription is made of. */
export interface UrgentTopicParts {
  readonly connect: Connect;
  readonly host: string;
  readonly port: number;
  /** In DER. A broker is asked under TLS, or not at all. */
  readonly certificate: Uint8Array;
  readonly deviceId: string;
  /** The device's own key at its operator. */
  readonly password?: string;
  readonly topic: string;
  readonly monotonicMs: () => number;
  readonly random: () => number;
  readonly log: Log;
  readonly urgent: () => void;
  /** It is subscribed again: what was sent meanwhile nobody tells. */
  readonly missed: () => void;
}

const CONNECT = 0x10;
const SUBSCRIBE = 0x82;
const PING = Uint8Array.of(0xc0, 0);
/** What a broker sends, and how many bytes each of the answers has behind its length. */
const CONNACK = 2;
const PUBLISH = 3;
const SUBACK = 9;
const PINGRESP = 13;
const ANSWER_BYTES: { readonly [type: number]: number } = Object.freeze({ [CONNACK]: 2, [SUBACK]: 3, [PINGRESP]: 0 });
const RETAINED = 1;
/** Bytes that a length has at most, MQTT 3.1.1 §2.2.3. */
const LENGTH_BYTES = 4;
const NO_MQTT = 'the broker sends what is no MQTT';

/** See the head of the file. It does nothing until `tick`. */
export class UrgentTopic {
  readonly #parts: UrgentTopicParts;
  #connection: Connection | undefined;
  #wasSubscribed = false;
  #failures = 0;
  #waitUntilMs = 0;
  #askedMs = 0;
  /** The answer that is due: there is never more than one, so that a broker cannot have answers pile up that it does not take. */
  #due = 0;
  /** Of the packet that is coming in: its first byte, bytes of its length that came, how long it is, and what is left of it. */
  #first: number | undefined;
  #lengthBytes = 0;
  #hasLength = false;
  #length = 0;
  #left = 0;

  constructor(parts: UrgentTopicParts) {
    this.#parts = parts;
  }

  /** Every second. @param isPaying a payment is under way: no connection is begun, which would take its memory and its time */
  tick(linkUp: boolean, isPaying: boolean): void {
    const now = this.#parts.monotonicMs();
    if (!linkUp) {
      this.#connection?.close();
      this.#connection = undefined;
    } else if (this.#connection === undefined) {
      if (!isPaying && now >= this.#waitUntilMs) this.#connect(now);
    } else if (now - this.#askedMs > MQTT_PING_MS) {
      if (this.#due !== 0) this.#failed('the broker is silent');
      else this.#ask(PINGRESP, PING);
    }
  }

  #ask(due: number, bytes: Uint8Array): void {
    this.#askedMs = this.#parts.monotonicMs();
    this.#due = due;
    this.#connection?.write(bytes);
  }

  #connect(now: number): void {
    const { connect, host, port, certificate } = this.#parts;
    this.#askedMs = now;
    this.#due = CONNACK;
    this.#first = undefined;
    const connection = connect({
      host,
      port,
      certificate,
      onOpen: () => connection.write(this.#greeting()),
      onBytes: (bytes) => {
        for (let at = 0; at < bytes.length && this.#connection === connection; ) at = this.#take(bytes, at);
      },
      onEnd: (detail) => this.#failed(detail),
    });
    this.#connection = connection;
  }

  #failed(detail: string): void {
    this.#connection?.close();
    this.#connection = undefined;
    const waitMs = spread(backoff(MQTT_FIRST_WAIT_MS, MQTT_LONGEST_WAIT_MS, this.#failures), this.#parts.random);
    this.#failures++;
    this.#waitUntilMs = this.#parts.monotonicMs() + waitMs;
    this.#parts.log.emit({ event: 'mqtt.failed', detail, waitMs });
  }

  /** @returns where what comes next begins */
  #take(bytes: Uint8Array, at: number): number {
    const byte = bytes[at] as number;
    if (this.#first === undefined) {
      this.#first = byte;
      this.#lengthBytes = 0;
      this.#hasLength = false;
      this.#length = 0;
      return at + 1;
    }
    if (!this.#hasLength) {
      this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes++;
      if (byte < 0x80) {
        this.#hasLength = true;
        this.#left = this.#length;
        if (this.#left === 0) this.#whole(this.#first, 0);
      } else if (this.#lengthBytes === LENGTH_BYTES) this.#failed(NO_MQTT);
      return at + 1;
    }
    const end = Math.min(at + this.#left, bytes.length);
    this.#left -= end - at;
    if (this.#left === 0) this.#whole(this.#first, bytes[end - 1] as number);
    return end;
  }

  /** @param last its last byte: in answers, whether it is yes */
  #whole(first: number, last: number): void {
    this.#first = undefined;
    const { topic, urgent } = this.#parts;
    const type = first >> 4;
    if (type === PUBLISH) {
      // One that the broker has kept is told to everybody who comes, and is no news.
      if ((first & RETAINED) === 0) urgent();
      return;
    }
    if (type !== this.#due || this.#length !== ANSWER_BYTES[type]) {
      this.#failed(NO_MQTT);
      return;
    }
    if (last !== 0) {
      this.#failed('the broker refuses the device');
      return;
    }
    this.#due = 0;
    if (type === CONNACK) this.#ask(SUBACK, packet(SUBSCRIBE, [Uint8Array.of(0, 1), field(topic), Uint8Array.of(0)]));
    else if (type === SUBACK) this.#subscribed();
    // A broker that lets devices in and throws them out at once is tried later each time.
    else this.#failures = 0;
  }

  #subscribed(): void {
    const { log, topic, missed } = this.#parts;
    log.emit({ event: 'mqtt.subscribed', topic });
    if (this.#wasSubscribed) missed();
    this.#wasSubscribed = true;
  }

  #greeting(): Uint8Array {
    const { deviceId, password } = this.#parts;
    const clean = 0x02;
    const named = password === undefined ? 0 : 0xc0;
    const rest = Uint8Array.of(4, clean | named, MQTT_KEEP_ALIVE_SECONDS >> 8, MQTT_KEEP_ALIVE_SECONDS & 0xff);
    const login = password === undefined ? [] : [field(deviceId), field(password)];
    return packet(CONNECT, [field('MQTT'), rest, field(deviceId), ...login]);
  }
}

function field(text: string): Uint8Array {
  const bytes = encodeUtf8(text) ?? new Uint8Array(0);
  const whole = new Uint8Array(2 + bytes.length);
  whole[0] = bytes.length >> 8;
  whole[1] = bytes.length & 0xff;
  whole.set(bytes, 2);
  return whole;
}

/** What a device sends is shorter than 16 KB: its length has two bytes at most. */
function packet(first: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = length < 0x80 ? [first, length] : [first, (length & 0x7f) | 0x80, length >> 7];
  const whole = new Uint8Array(head.length + length);
  whole.set(head);
  let at = head.length;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
