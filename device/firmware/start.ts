// What every sample does at its start: open the partitions, read the provisioning, build the verifier on them. What is missing is
// said in a sentence, and nothing is sold.

import { deploymentProblems } from '../../core/configuration.ts';
import { KeyTables } from '../../core/ed25519/key-tables.ts';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { Journal } from '../../core/ledger/journal.ts';
import { type Crypto, FlashError, type Log } from '../../core/ports/ports.ts';
import { admitCounter } from '../../core/provisioning/counter.ts';
import { readProvisioning } from '../../core/provisioning/partition.ts';
import {
  type Provisioning,
  ProvisioningProblem,
  type Wiring,
  type WiringKind,
} from '../../core/provisioning/provisioning.ts';
import { BundlePartition } from '../../core/trust/bundle-partition.ts';
import { type ReservationLeft, Verifier } from '../../core/verifier.ts';
import { DeviceClock } from '../ports/clock.ts';
import { createDeviceCrypto } from '../ports/crypto.ts';
import { PartitionFlash } from '../ports/flash.ts';
import { random32 } from './board.ts';
import { PARTITION } from './partitions.ts';

/** A device that may sell. */
export interface Device {
  readonly provisioning: Provisioning;
  readonly wiring: Wiring;
  readonly verifier: Verifier;
  readonly journal: Journal;
  readonly crypto: Crypto;
  readonly clock: DeviceClock;
  /** What the run before had reserved and neither settled nor released. */
  readonly left: readonly ReservationLeft[];
}

/** Why a device does not sell. */
export class StartProblem extends Error {
  override name = 'StartProblem';
}

/**
 * Starts a device of one kind. Reservations of the run before are dealt with as the site has it; outputs are not touched, and are
 * to be open before this is called.
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
  const clock = new DeviceClock();
  const keyTables = MPCP_NATIVE ? undefined : new KeyTables(new PartitionFlash(PARTITION.keyTables));
  const crypto = createDeviceCrypto(keyTables);
  const options = { log, salt: random32() };
  const ledger = new FlashLedger(new PartitionFlash(PARTITION.ledger), crypto, options);
  const counter = admitCounter(ledger, provisioning.counter);
  if (counter !== undefined) return new StartProblem(counter.message);
  const journal = new Journal(new PartitionFlash(PARTITION.journal), crypto, options);
  const bundles = new BundlePartition(new PartitionFlash(PARTITION.bundles), crypto);
  const configuration = provisioning.site;
  const stores = { ledger, journal, bundles, ...(keyTables && { keyTables }) };
  const verifier = new Verifier({ configuration, crypto, clock, log, ...stores });
  const problems = deploymentProblems(verifier.site);
  if (problems.length > 0) return new StartProblem(`the site is not complete: ${problems.join('; ')}`);
  const left = verifier.takeUpReservations();
  verifier.loadBundles();
  return { provisioning, wiring, verifier, journal, crypto, clock, left };
}
