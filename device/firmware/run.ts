// Runs a sample: its log, its start, what it sells, idle work, and the reader's line. Whatever the reader sends, and whatever fails,
// ends in an answer.

import { RelayError, type SessionEvent } from '../../core/charging/session.ts';
import type { Log } from '../../core/ports/ports.ts';
import type { Wiring, WiringKind } from '../../core/provisioning/provisioning.ts';
import type { Decision } from '../../core/verifier.ts';
import { firmwareGood } from './board.ts';
import { openEventLine } from './event-line.ts';
import { workWhenIdle } from './idle.ts';
import { openReader } from './reader.ts';
import { type Device, StartProblem, startDevice } from './start.ts';

/** What a kind of device does with payments. */
export interface Seller {
  /** @returns undefined where it cannot sell just now. @throws RelayError */
  present(presentation: Uint8Array): Decision | undefined;
  stop?(): SessionEvent | undefined;
  /** Every second. @throws RelayError */
  tick(): void;
}

/** A device that sells, to be given to a reader. */
export interface Running {
  readonly device: Device;
  readonly seller: Seller;
  readonly log: Log;
}

/**
 * Starts a device of a kind, its idle work and its reader's line.
 *
 * @returns undefined where it does not sell: the log says why
 */
export function run(
  kind: WiringKind,
  sellerOf: (device: Device, wiring: Wiring, log: Log) => Seller,
): Running | undefined {
  const log = openEventLine();
  const device = startDevice(kind, log);
  if (device instanceof StartProblem) {
    log.emit({ event: 'device.stopped', detail: device.message });
    return undefined;
  }
  const { verifier, clock, provisioning } = device;
  const seller = guarded(sellerOf(device, device.wiring, log), log);
  log.emit({ event: 'device.started', deviceId: provisioning.deviceId, kind, reservationsLeft: device.left.length });
  // It has read its provisioning and both stores: this firmware works.
  log.emit({ event: 'firmware.good', told: firmwareGood() });
  workWhenIdle(verifier, () => {
    // The clock's ticks begin anew; asked each second, it notices.
    clock.monotonicMs();
    if (!verifier.bundlesLoaded && clock.wallMs() !== undefined) verifier.loadBundles();
    seller.tick();
  });
  const running = { device, seller, log };
  openReader(running);
  return running;
}

/** A relay that does not move is told, and takes nothing else with it. */
function guarded(seller: Seller, log: Log): Seller {
  const carriedOut = <T>(act: () => T): T | undefined => {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      log.emit({ event: 'relay.failed', detail: error.message });
      return undefined;
    }
  };
  return {
    present: (bytes) => carriedOut(() => seller.present(bytes)),
    stop: () => seller.stop?.(),
    tick: () => carriedOut(() => seller.tick()),
  };
}
