// A virtual charger with a network of real sockets and a clock that runs: every second it does what its firmware does for its
// network. It is subscribed at its broker, fetches bundles when they are due, and hands in what it has accepted.

import { HAND_IN_PACE_MS } from '../../core/limits.ts';
import { UrgentTopic } from '../../core/network/urgent-topic.ts';
import { PowerCut } from '../flash/power-cut.ts';
import { connectingByNode } from './node-connection.ts';
import { type ChargerParts, VirtualCharger } from './virtual-charger.ts';

/** What it is made of. */
export interface OnlineParts extends ChargerParts {
  /** From 0 up to 1, without 1: spreads the attempts of a fleet. */
  readonly random: () => number;
  /** How often it looks what is due, in milliseconds: a second, as the firmware does, where it says nothing. */
  readonly everyMs?: number;
}

/** See the head of the file. It does nothing until `start`. */
export class OnlineCharger {
  readonly charger: VirtualCharger;
  readonly #parts: OnlineParts;
  #topic: UrgentTopic | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOnErrand = false;
  #handInAtMs = 0;

  constructor(parts: OnlineParts) {
    this.#parts = parts;
    this.charger = new VirtualCharger(parts);
  }

  /** Starts it. @throws what `VirtualCharger.start` throws */
  start(): void {
    this.charger.start();
    this.#topic = this.#topicOf();
    this.#timer = setInterval(() => this.#tick(), this.#parts.everyMs ?? 1000);
  }

  /** Takes its power away. */
  stop(): void {
    clearInterval(this.#timer);
    this.#topic?.tick(false, false);
    this.#topic = undefined;
    this.charger.powerOff();
  }

  #topicOf(): UrgentTopic | undefined {
    const { clock, random, log = { emit: () => undefined } } = this.#parts;
    const { mqtt, certificate, operator, deviceId } = this.charger.provisioning;
    // The broker gets the device's key at its operator.
    const pinned = operator?.certificate ?? certificate;
    if (mqtt === undefined || pinned === undefined) return undefined;
    return new UrgentTopic({
      ...mqtt,
      connect: connectingByNode(() => clock.wallMs()),
      certificate: pinned,
      deviceId,
      ...(operator !== undefined && { password: operator.apiKey }),
      monotonicMs: () => clock.monotonicMs(),
      random,
      log,
      urgent: () => void (this.charger.powered && this.charger.urgent('mqtt')),
      missed: () => this.charger.powered && this.charger.missed(),
    });
  }

  #tick(): void {
    const { powered, link } = this.charger;
    // Without a clock no certificate can be looked at.
    this.#topic?.tick(powered && link.up && this.#parts.clock.wallMs() !== undefined, false);
    if (powered && !this.#isOnErrand) void this.#errand();
  }

  async #errand(): Promise<void> {
    const { clock, journal } = this.#parts;
    const { charger } = this;
    this.#isOnErrand = true;
    try {
      const { kind } = await charger.refreshIfDue();
      const now = clock.monotonicMs();
      const mayHandIn = kind === 'waiting' && journal !== undefined && charger.provisioning.operator !== undefined;
      if (!mayHandIn || !charger.link.up || now < this.#handInAtMs) return;
      const handIn = await charger.handIn();
      this.#handInAtMs = now + (handIn.kind === 'waiting' ? handIn.ms : HAND_IN_PACE_MS);
    } catch (error) {
      // It has no power any more, and whoever gives it back starts it.
      if (!(error instanceof PowerCut)) throw error;
    } finally {
      this.#isOnErrand = false;
    }
  }
}
