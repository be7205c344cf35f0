// What is asked from the devices of a run for a report, beside its events: the bundles in force, and how full and how worn the
// flash is. Flash is read from a copy, at times that all devices have in common, for that takes a while.

import type { Crypto } from '../../core/ports/ports.ts';
import type { SimulatedFlash } from '../flash/simulated-flash.ts';
import { FlashReading } from '../invariants/flash-reading.ts';
import type { SimulatedDevice } from '../simulation/simulated-device.ts';

/** How a device is at a time. */
export interface DeviceSample {
  readonly device: string;
  /** Milliseconds since the scenario began. */
  readonly ms: number;
  /** Ids of the bundles in force; none without power. */
  readonly bundles: readonly string[];
  /** Where they were read. */
  readonly stores?: { readonly ledger: StoreSample; readonly journal: StoreSample };
}

/** A store on flash. */
export interface StoreSample {
  /** Bytes that cannot be given up, and that there are for such. A journal counts whole blocks. */
  readonly usedBytes: number;
  readonly ofBytes: number;
  /** Since the scenario began. */
  readonly erases: { readonly mean: number; readonly most: number };
}

/** Bytes of a unit of the ledger's fill. */
const UNIT_BYTES = 16;
/** Times at which flash is read, about. */
const READINGS = 48;
/** Devices are looked at so often at least. */
const LOOK_MS = 900_000;

/** See the head of the file. */
export class DeviceSampling {
  readonly #crypto: Crypto;
  readonly #sampled: (sample: DeviceSample) => void;
  readonly #everyMs: number;
  /** When the flash of each is read again. */
  readonly #nextMs = new Map<SimulatedDevice, number>();

  /** @param lastsMs how long the run lasts; @param sampled is given what was found */
  constructor(crypto: Crypto, lastsMs: number, sampled: (sample: DeviceSample) => void) {
    this.#crypto = crypto;
    this.#sampled = sampled;
    this.#everyMs = Math.max(Math.ceil(lastsMs / READINGS / LOOK_MS), 1) * LOOK_MS;
  }

  /** A device may have changed, or some time has passed. */
  observed(device: SimulatedDevice, ms: number): void {
    const isDue = ms >= (this.#nextMs.get(device) ?? 0);
    if (isDue) this.#nextMs.set(device, (Math.floor(ms / this.#everyMs) + 1) * this.#everyMs);
    this.#sample(device, ms, isDue);
  }

  /** The run is over: all are read once more. */
  ended(ms: number): void {
    for (const device of this.#nextMs.keys()) this.#sample(device, ms, true);
  }

  #sample(device: SimulatedDevice, ms: number, readsFlash: boolean): void {
    const sample = { device: device.terms.deviceId, ms, bundles: device.bundleIds };
    this.#sampled(readsFlash ? { ...sample, stores: this.#storesOf(device) } : sample);
  }

  #storesOf({ flashes }: SimulatedDevice): NonNullable<DeviceSample['stores']> {
    const { ledger, journal } = new FlashReading(this.#crypto, flashes).fills;
    return {
      ledger: storeOf(flashes.ledger, ledger, UNIT_BYTES),
      journal: storeOf(flashes.journal, journal, flashes.journal.blockSize),
    };
  }
}

function storeOf(
  flash: SimulatedFlash,
  { used, of }: { readonly used: number; readonly of: number },
  unitBytes: number,
): StoreSample {
  const wear = flash.wear();
  const all = wear.reduce((sum, erases) => sum + erases, 0);
  const erases = { mean: all / wear.length, most: Math.max(...wear) };
  return { usedBytes: used * unitBytes, ofBytes: of * unitBytes, erases };
}
