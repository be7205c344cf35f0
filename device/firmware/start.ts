// What every sample does at its start: open the partitions, read the provisioning, build the verifier on them. What is missing is
// said in a sentence, and nothing is sold.

import { Boot } from '../../core/boot/boot.ts';
import { BUILD_TIME_MS } from '../../core/build-time.ts';
import { KeyTables } from '../../core/ed25519/key-tables.ts';
import type { Journal } from '../../core/ledger/journal.ts';
import { type Crypto, FlashError, type Log } from '../../core/ports/ports.ts';
import { admitCounter } from '../../core/provisioning/counter.ts';
import { readProvisioning } from '../../core/provisioning/partition.ts';
import {
  type Provisioning,
  ProvisioningProblem,
  type Wiring,
  type WiringKind,
} from '../../core/provisioning/provisioning.ts';
import type { ReservationLeft, Verifier } from '../../core/verifier.ts';
import { type Relay, relayOf } from '../io/outputs.ts';
import { DeviceClock } from '../ports/clock.ts';
import { createDeviceCrypto } from '../ports/crypto.ts';
import { PartitionFlash } from '../ports/flash.ts';
import { feedWatchdog, random32 } from './board.ts';
import { PARTITION } from './partitions.ts';

/** A device that may sell. */
export interface Device {
  readonly provisioning: Provisioning;
  readonly wiring: Wiring;
  /** At rest. */
  readonly relay: Relay;
  readonly verifier: Verifier;
  readonly journal: Journal | undefined;
  readonly crypto: Crypto;
  readonly clock: DeviceClock;
  /** What its start has found. */
  readonly boot: Boot;
  /** Both stores are of formats that this firmware reads, on flash that works. */
  readonly storesRead: boolean;
  /** What the run before had reserved and neither settled nor released. */
  readonly left: readonly ReservationLeft[];
}

/** Why a device does not sell. */
export class StartProblem extends Error {
  override name = 'StartProblem';
}

/**
 * Starts a device of one kind: its relay is at rest before anything else is done. Reservations of the run before are dealt with as the
 * site has it.
 *
 * @returns the device, or why there is none: a partition that is missing, no provisioning, one for another kind of device, a site
 *   that leaves open what a device must state
 */
export function startDevice(kind: WiringKind, log: Log): Device | StartProblem {
  try {
    return started(kind, log);
  } catch (error) {
    if (error instanceof FlashError || error instanceof RangeError || error instanceof ProvisioningProblem)
      return new StartProblem(error.message);
    throw error;
  }
}

function started(kind: WiringKind, log: Log): Device | StartProblem {
  const found = readProvisioning(new PartitionFlash(PARTITION.provisioning));
  if (found instanceof ProvisioningProblem) return new StartProblem(found.message);
  const { provisioning, damage } = found;
  if (damage !== undefined) log.emit({ event: 'provisioning.damaged', detail: damage });
  const { wiring } = provisioning;
  if (wiring?.kind !== kind)
    return new StartProblem(
      `this is the firmware of a ${kind}, and the provisioning is for ${wiring?.kind ?? 'no kind'}`,
    );
  // A relay's pin that floats while the stores are read may let energy flow. An image that is refused later for its counter was for
  // this board too.
  const relay = restingRelay(wiring);
  if (relay instanceof StartProblem) return relay;
  // No correct clock is behind the firmware's build, or behind the making of the image.
  const earliestMs = Math.max(BUILD_TIME_MS, provisioning.madeAtMs ?? 0);
  const clock = new DeviceClock(earliestMs);
  const flash = {
    ledger: new PartitionFlash(PARTITION.ledger),
    journal: new PartitionFlash(PARTITION.journal),
    bundles: new PartitionFlash(PARTITION.bundles),
    ...(!MPCP_NATIVE && { keyTables: new PartitionFlash(PARTITION.keyTables) }),
  };
  const keyTables = MPCP_NATIVE || flash.keyTables === undefined ? undefined : new KeyTables(flash.keyTables);
  const crypto = createDeviceCrypto(keyTables);
  const configuration = provisioning.site;
  const boot = new Boot({
    configuration,
    crypto,
    clock,
    flash,
    salt: random32(),
    earliestMs,
    log,
    feed: feedWatchdog,
    admits: (ledger) => admitCounter(ledger, provisioning.counter)?.message,
    ...(keyTables && { keyTables }),
  });
  while (boot.step());
  const { device, stoppedBy } = boot;
  if (device === undefined) return new StartProblem(`the start ended at ${stoppedBy?.step}: ${stoppedBy?.detail}`);
  const { verifier, ledger, journal, reservationsLeft } = device;
  const storesRead = [ledger, journal].every((store) => store?.problem?.code !== 'STORE_FAILED');
  return { provisioning, wiring, relay, verifier, journal, crypto, clock, boot, storesRead, left: reservationsLeft };
}

/** The relay of a wiring, at rest; or why there is none. */
export function restingRelay(wiring: Wiring): Relay | StartProblem {
  try {
    return relayOf(wiring);
  } catch (error) {
    // The SDK's words for a pin that the chip has not, or that is taken.
    return new StartProblem(`its wiring: ${(error as Error).message}`);
  }
}
