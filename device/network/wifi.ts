// The provisioned Wi-Fi: joined at the start, and again when it is lost, later each time it fails. A wrong password, a full access
// point and one that is away look alike to a device; all of them are tried again for ever.

import WiFi from 'embedded:network/interface/wifi';
import type { Log } from '../../core/ports/ports.ts';
import type { Wifi } from '../../core/provisioning/provisioning.ts';
import { backoff, spread } from '../../core/refresh/waits.ts';
import { wordsOf } from '../ports/thrown.ts';

/** The SDK's word for a station that has an address. */
const WITH_ADDRESS = 500;
/** And for one that is neither joined nor about to be. */
const AWAY = 200;
/** For an attempt, its address included. */
const ATTEMPT_MS = 30_000;
const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 300_000;

/** What a link is made of. */
export interface WifiLinkParts {
  readonly wifi: Wifi;
  readonly monotonicMs: () => number;
  /** From 0 up to 1, without 1: devices that lost one access point do not come back together. */
  readonly random: () => number;
  readonly log: Log;
  /** The link came up, or went down. */
  readonly changed: (up: boolean) => void;
}

/** See the head of the file. It does nothing until `tick`. */
export class WifiLink {
  readonly #parts: WifiLinkParts;
  #station: WiFi | undefined;
  #up = false;
  #failures = 0;
  /** When the attempt under way is given up; undefined where none is. */
  #untilMs: number | undefined;
  #waitUntilMs = 0;

  constructor(parts: WifiLinkParts) {
    this.#parts = parts;
  }

  get up(): boolean {
    return this.#up;
  }

  /** Its own address, where it has one. */
  get address(): string | undefined {
    return this.#up ? this.#station?.address : undefined;
  }

  /** Every second: begins an attempt that is due, gives up one that takes too long. */
  tick(): void {
    const now = this.#parts.monotonicMs();
    this.#look();
    if (this.#up) return;
    if (this.#untilMs !== undefined) {
      if (now >= this.#untilMs) this.#failed('no address came in time');
    } else if (now >= this.#waitUntilMs) this.#join(now);
  }

  #join(now: number): void {
    const { wifi, log } = this.#parts;
    const { ssid, password } = wifi;
    try {
      this.#station ??= new WiFi({ onChanged: () => this.#look() });
      // An engine that started again finds the station as it was.
      this.#look();
      if (this.#up) return;
      this.#station.connect({ SSID: ssid, ...(password !== undefined && { password }) });
      this.#untilMs = now + ATTEMPT_MS;
      log.emit({ event: 'wifi.joining', failures: this.#failures });
    } catch (error) {
      this.#failed(wordsOf(error));
    }
  }

  /** What the station says of itself. */
  #look(): void {
    const connection = this.#station?.connection ?? 0;
    const isUp = connection >= WITH_ADDRESS;
    if (isUp !== this.#up) {
      this.#up = isUp;
      if (isUp) {
        this.#failures = 0;
        this.#untilMs = undefined;
        this.#parts.log.emit({ event: 'wifi.up', address: this.address ?? '' });
      } else {
        this.#parts.log.emit({ event: 'wifi.down' });
        this.#later();
      }
      this.#parts.changed(isUp);
    } else if (this.#untilMs !== undefined && connection === AWAY) this.#failed('the access point does not let it in');
  }

  #failed(detail: string): void {
    try {
      this.#station?.disconnect();
    } catch {
      // It was not connected.
    }
    const waitMs = this.#later();
    this.#parts.log.emit({ event: 'wifi.failed', detail, waitMs });
  }

  #later(): number {
    const waitMs = spread(backoff(FIRST_WAIT_MS, LONGEST_WAIT_MS, this.#failures), this.#parts.random);
    this.#failures++;
    this.#untilMs = undefined;
    this.#waitUntilMs = this.#parts.monotonicMs() + waitMs;
    return waitMs;
  }
}
