// Runs a sample: its log, its start, what it sells, idle work, the reader's line, and its network. Whatever the reader or the
// network sends, and whatever fails, ends in an answer.

import config from 'mc/config';
import type { SessionEvent } from '../../core/charging/session.ts';
import type { Log } from '../../core/ports/ports.ts';
import type { Wiring, WiringKind } from '../../core/provisioning/provisioning.ts';
import { Network } from '../network/network.ts';
import { firmwareGood } from './board.ts';
import { openEventLine } from './event-line.ts';
import { workWhenIdle } from './idle.ts';
import { openReader } from './reader.ts';
import type { Running } from './running.ts';
import { setUp } from './set-up.ts';
import { type Device, StartProblem, startDevice } from './start.ts';
import { type Decider, Till } from './till.ts';

/** What a kind of device does with payments. */
export interface Seller extends Decider {
  /** Ends a session. @returns what it came to, or the last one where none is under way */
  stop?(): SessionEvent | undefined;
  /** Every second. */
  tick(): void;
}

/**
 * Starts a device of a kind, its idle work, its reader's line and its network.
 *
 * @returns undefined where it does not sell, or is to be set up first: the log says why
 */
export function run(
  kind: WiringKind,
  sellerOf: (device: Device, wiring: Wiring, log: Log) => Seller,
): Running | undefined {
  const log = openEventLine();
  if (setUp(log)) return undefined;
  const device = startDevice(kind, log);
  if (device instanceof StartProblem) {
    log.emit({ event: 'device.stopped', detail: device.message });
    return undefined;
  }
  try {
    return running(device, kind, sellerOf, log);
  } catch (error) {
    // The SDK's words for a pin that the chip has not, or that is taken.
    log.emit({ event: 'device.stopped', detail: `its wiring: ${(error as Error).message}` });
    return undefined;
  }
}

function running(
  device: Device,
  kind: WiringKind,
  sellerOf: (device: Device, wiring: Wiring, log: Log) => Seller,
  log: Log,
): Running {
  const { verifier, clock, provisioning } = device;
  const seller = sellerOf(device, device.wiring, log);
  const network = new Network(device, log, config.mpcp.network);
  let isPaying = false;
  let isReading = false;
  // A fetch, and what TLS takes of the engine, waits for whoever pays, from the first byte on.
  const attend = () => network.attend(isPaying || isReading);
  const till = new Till({
    seller,
    ...(verifier.revocation !== undefined && { revocation: verifier.revocation }),
    ask: (question, done) => network.ask(question, done),
    attend: (busy) => {
      isPaying = busy;
      attend();
    },
    log,
  });
  const running = { device, seller, till, log, linkUp: () => network.linkUp };
  const receiving = openReader(running, (is) => {
    if (is === isReading) return;
    isReading = is;
    attend();
  });
  network.serve(running);
  log.emit({ event: 'device.started', deviceId: provisioning.deviceId, kind, reservationsLeft: device.left.length });
  // It has read its provisioning and both stores, and moved its pins: this firmware works.
  if (device.storesRead) log.emit({ event: 'firmware.good', told: firmwareGood() });
  // The clock's ticks begin anew; asked each second, it notices.
  const now = () => clock.monotonicMs();
  workWhenIdle(verifier, { receiving, now }, (isPutOff) => {
    now();
    seller.tick();
    if (isPutOff) return;
    if (isReading) {
      isReading = false;
      attend();
    }
    if (!verifier.bundlesLoaded && clock.wallMs() !== undefined) verifier.loadBundles();
    network.tick();
  });
  return running;
}
