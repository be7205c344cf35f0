// A device of a run: a virtual charger on simulated flash, with a clock and a link of simulated time, and what its firmware does
// when nobody pays. Power may go at any operation of its flash; then somebody brings it back a while later.

import type { SessionEvent } from '../../core/charging/session.ts';
import { HAND_IN_MS, HAND_IN_PACE_MS, HAND_IN_STOPPED_MS } from '../../core/limits.ts';
import type { Crypto, Flash, LogEvent } from '../../core/ports/ports.ts';
import { type Provisioning, ProvisioningProblem } from '../../core/provisioning/provisioning.ts';
import { bundlePartitionBytes } from '../../core/trust/bundle-partition.ts';
import type { Closing, Decision } from '../../core/verifier.ts';
import { PowerCut } from '../flash/power-cut.ts';
import { mix } from '../flash/random.ts';
import { DEVICE_GEOMETRY, SimulatedFlash } from '../flash/simulated-flash.ts';
import { SparseStore, type Store } from '../flash/store.ts';
import { imageFlash, packedImage, readImage, wholeImage } from '../provisioning/image.ts';
import type { DeviceTerms, SaleTerms } from '../scenario/scenario.ts';
import { seededRandom } from '../scenario/seeded.ts';
import type { Refresh } from '../virtual-device/errand-runs.ts';
import { type ChargerParts, StartProblem, VirtualCharger } from '../virtual-device/virtual-charger.ts';
import { DeviceClock, type TrueTime } from './device-clock.ts';
import type { Partition } from './kept-run.ts';
import type { BundleAudience } from './servers.ts';
import { type Network, SimulatedLink } from './simulated-link.ts';
import type { Timeline } from './timeline.ts';

/** A reservation that a start has found open, and its end where the site has such settled. */
export interface LeftOpen {
  readonly reservation: { readonly receiptId: number };
  readonly closing: Closing | undefined;
}

/** What a run needs of a charger. */
export interface Charger
  extends Pick<
    VirtualCharger,
    | 'start'
    | 'powered'
    | 'powerOff'
    | 'bundleIds'
    | 'present'
    | 'begin'
    | 'tick'
    | 'stop'
    | 'disconnect'
    | 'handIn'
    | 'urgent'
    | 'linkCame'
    | 'confirmTime'
  > {
  readonly reservationsLeft: readonly LeftOpen[];
  /** What became of each bundle is the device's own business. */
  refreshIfDue(): Promise<Refresh<{ readonly kind: 'fetched' }>>;
}

/** The machine that a device's code runs in has stopped, and would stop again: nothing that it did is worth going on with. */
export class MachineStopped extends Error {
  override name = 'MachineStopped';
  readonly device: string;
  /** @param detail what it was at, and why it stopped */
  constructor(device: string, detail: string) {
    super(detail);
    this.device = device;
  }
}

/** Makes a charger. */
export type MakeCharger = (parts: ChargerParts) => Charger;

/** A device's flash. */
export interface DeviceFlashes {
  readonly ledger: SimulatedFlash;
  readonly journal: SimulatedFlash;
  readonly bundles: SimulatedFlash;
}

/** What a device of a run is made of. */
export interface SimulatedDeviceParts {
  readonly terms: DeviceTerms;
  readonly seed: number;
  readonly timeline: Timeline;
  readonly trueMs: TrueTime;
  /** When its firmware was built, in wall time. */
  readonly builtMs: number;
  readonly crypto: Crypto;
  readonly network: Network;
  /** Where its flash is. Default: in memory. */
  readonly store?: ((partition: Partition, bytes: number) => Store) | undefined;
  /** Asks a time server: what it says, undefined where it says nothing. */
  readonly askTime: () => number | undefined;
  readonly makeCharger?: MakeCharger | undefined;
  /** Is told what happens to it. */
  readonly tell: (event: LogEvent) => void;
  /** Are called when it has started, when it has got another image, and when something else may have changed that can be seen from outside. */
  readonly started: () => void;
  readonly provisioned: () => void;
  readonly changed: () => void;
}

/** Until somebody has brought the power back, or starts a device again that does not start. */
const POWER_BACK_MS = 60_000;
const START_AGAIN_MS = 600_000;
/** A clock that is off by less is left as it is. */
const CLOCK_CLOSE_MS = 5000;

/** See the head of the file. */
export class SimulatedDevice {
  readonly terms: DeviceTerms;
  readonly clock: DeviceClock;
  readonly link: SimulatedLink;
  readonly flashes: DeviceFlashes;
  readonly #parts: SimulatedDeviceParts;
  readonly #bundlesFlash: Flash;
  /** Packed: most of it is erased. */
  #image: Uint8Array;
  #provisioning: Provisioning;
  #charger: Charger;
  #errandAtMs = Number.POSITIVE_INFINITY;
  #isOnErrand = false;
  /** The receipt of the session that is under way. */
  #session: number | undefined;
  /** Counts starts and ends of power: what was begun before one is not gone on with. */
  #life = 0;

  constructor(parts: SimulatedDeviceParts) {
    const { terms, seed, timeline, trueMs, network, store = (_, bytes) => new SparseStore(bytes) } = parts;
    this.terms = terms;
    this.#parts = parts;
    this.clock = new DeviceClock(trueMs, terms.battery);
    this.link = new SimulatedLink(timeline, network);
    const word = seededRandom(seed, `flash ${terms.deviceId}`).word();
    const flash = (partition: Partition, bytes: number, i: number) =>
      new SimulatedFlash(store(partition, bytes), { seed: mix(word, i) });
    this.flashes = {
      ledger: flash('ledger', terms.ledgerBytes, 0),
      journal: flash('journal', terms.journalBytes, 1),
      bundles: flash('bundles', bundlePartitionBytes(DEVICE_GEOMETRY.blockSize), 2),
    };
    this.#bundlesFlash = this.flashes.bundles;
    this.#image = packedImage(terms.image);
    this.#provisioning = provisioningIn(this.image);
    this.#charger = this.#made();
  }

  get provisioning(): Provisioning {
    return this.#provisioning;
  }

  get powered(): boolean {
    return this.#charger.powered;
  }

  /** The bundles in force; none without power. */
  get bundleIds(): readonly string[] {
    return this.powered ? this.#charger.bundleIds : [];
  }

  /** Which bundles are for it. */
  get audience(): BundleAudience {
    const { bundleScope = {}, terminal } = this.#provisioning.site;
    const { category = 'any', merchant = terminal?.merchant, region } = bundleScope;
    return { category, merchant, region };
  }

  /** What it sells. */
  get sale(): SaleTerms {
    return saleOf(this.#provisioning);
  }

  /** Starts it; where that fails it is tried again later. */
  start(): void {
    const { tell, timeline } = this.#parts;
    this.#life++;
    this.#session = undefined;
    for (const flash of Object.values(this.flashes)) flash.restart();
    this.clock.started();
    try {
      this.#charger.start();
    } catch (error) {
      if (error instanceof PowerCut) {
        this.#powerLost(error.message);
        return;
      }
      if (!(error instanceof StartProblem || error instanceof ProvisioningProblem)) throw error;
      tell({ event: 'device.start-failed', detail: error.message });
      const life = this.#life;
      timeline.after(START_AGAIN_MS, () => this.#life === life && this.start());
      return;
    }
    tell({ event: 'device.started', counter: this.#provisioning.counter });
    this.#parts.started();
    this.#parts.changed();
    this.#errand(0);
  }

  /** Its power goes, for so long. */
  cutPower(offMs: number): void {
    if (!this.powered) return;
    this.#charger.powerOff();
    this.#powerLost('the power was cut', offMs);
  }

  /** Somebody sees to it that it has power. */
  powerUp(): void {
    if (!this.powered) this.start();
  }

  /** Somebody gives it another image, and starts it. */
  provision(image: Uint8Array): void {
    this.#image = packedImage(image);
    this.#provisioning = provisioningIn(image);
    this.#charger.powerOff();
    this.link.drop();
    this.#charger = this.#made();
    this.#parts.provisioned();
    this.#parts.tell({ event: 'device.provisioned', counter: this.#provisioning.counter });
    this.start();
  }

  get image(): Uint8Array {
    return wholeImage(this.#image);
  }

  /** Brings its link up, or takes it down. */
  setLink(up: boolean): void {
    if (this.link.up === up) return;
    this.link.set(up);
    this.#parts.tell({ event: up ? 'link.up' : 'link.down' });
    this.#parts.changed();
    if (!up) return;
    if (this.powered) this.#guarded(() => this.#charger.linkCame());
    this.#errand(0);
  }

  /** Somebody tells it that there are new bundles, where it can be told. */
  urgent(): void {
    if (!this.powered || !this.link.up) return;
    this.#guarded(() => this.#charger.urgent('scenario'));
    this.#errand(0);
  }

  /** A payer presents something. @returns undefined where the device has no power, or loses it */
  pay(presentation: Uint8Array, amountMinor: string): Promise<Decision | undefined> {
    return this.#decided(() => this.#charger.present(presentation, { amountMinor }));
  }

  /** The same to begin a session, for the most that it may cost. */
  reserve(presentation: Uint8Array, amountMinor: string): Promise<Decision | undefined> {
    return this.#decided(async () => {
      const decision = await this.#charger.begin(presentation, amountMinor);
      if (decision.ok && !decision.repeated) this.#session = decision.receiptId;
      return decision;
    });
  }

  /**
   * The session that a receipt began goes on: its meter has counted, and the firmware looks at it.
   *
   * @returns what it has come to, undefined where it goes on, `gone` where it ended with the power, `cut` where power goes meanwhile
   */
  charge(receiptId: number, pulses: number): SessionEvent | 'gone' | 'cut' | undefined {
    return this.#session === receiptId ? this.#sessionEnd(() => this.#charger.tick(pulses)) : 'gone';
  }

  /** Its driver ends it. The same; where its store refuses that, it still `charges`. */
  stopCharging(receiptId: number, pulses: number): SessionEvent | 'gone' | 'cut' | undefined {
    return this.#session === receiptId ? this.#sessionEnd(() => this.#charger.stop(pulses)) : 'gone';
  }

  #sessionEnd(look: () => SessionEvent | undefined): SessionEvent | 'gone' | 'cut' | undefined {
    if (!this.powered) return 'gone';
    try {
      const event = look();
      if (event?.kind === 'ended') this.#session = undefined;
      if (event?.closing.ok) this.#errand(HAND_IN_PACE_MS);
      return event;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.#powerLost(error.message);
      return 'cut';
    }
  }

  /** Whether a session is under way: the charger has not said that it has ended. */
  get charges(): boolean {
    return this.#session !== undefined;
  }

  /** What the last start found open, and what became of it. */
  get reservationsLeft(): readonly LeftOpen[] {
    return this.#charger.reservationsLeft;
  }

  async #decided(decide: () => Promise<Decision>): Promise<Decision | undefined> {
    if (!this.powered) return undefined;
    const life = this.#life;
    try {
      const decision = await decide();
      if (decision.ok) this.#errand(HAND_IN_PACE_MS);
      return decision;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      if (life === this.#life) this.#powerLost(error.message);
      return undefined;
    }
  }

  /** The payer leaves. */
  leave(): void {
    if (this.powered) this.#guarded(() => this.#charger.disconnect());
  }

  /** Starts it anew. */
  restart(): void {
    this.#charger.powerOff();
    this.link.drop();
    this.start();
  }

  /** Somebody says what time it is. */
  #setTime(told: number | undefined): void {
    if (told === undefined) return;
    const shown = this.clock.wallMs();
    if (shown !== undefined && Math.abs(shown - told) < CLOCK_CLOSE_MS) return;
    this.clock.set(told);
    this.#parts.tell({ event: 'clock.set', aheadMs: this.clock.aheadMs as number });
    this.#parts.changed();
  }

  /** What the firmware does for its network, at the latest after so long. */
  #errand(ms: number): void {
    const { timeline } = this.#parts;
    const atMs = timeline.nowMs + ms;
    if (atMs >= this.#errandAtMs) return;
    this.#errandAtMs = atMs;
    timeline.at(atMs, () => {
      if (this.#errandAtMs !== atMs) return undefined;
      this.#errandAtMs = Number.POSITIVE_INFINITY;
      return this.#run();
    });
  }

  async #run(): Promise<void> {
    if (!this.powered || this.#isOnErrand) return;
    const life = this.#life;
    this.#isOnErrand = true;
    let nextMs = Number.POSITIVE_INFINITY;
    try {
      nextMs = Math.min(await this.#refreshed(), await this.#handedIn());
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      if (life === this.#life) this.#powerLost(error.message);
    } finally {
      this.#isOnErrand = false;
    }
    this.#parts.changed();
    if (life !== this.#life) this.#errand(0);
    else if (this.powered) this.#errand(nextMs);
  }

  /** @returns after how long a refresh is due again */
  async #refreshed(): Promise<number> {
    for (;;) {
      const refresh = await this.#charger.refreshIfDue();
      if (refresh.kind === 'waiting') return refresh.ms;
      if (refresh.kind === 'failed' && refresh.failure === 'power-cut') return 0;
      // An answer under TLS says what time it is.
      if (refresh.kind !== 'fetched' && refresh.kind !== 'unchanged') continue;
      this.#setTime(this.#parts.trueMs());
      this.#charger.confirmTime();
    }
  }

  /** @returns after how long there is something to be handed in; infinity where there is nothing */
  async #handedIn(): Promise<number> {
    const isAble = this.powered && this.link.up && this.clock.wallMs() !== undefined;
    if (!isAble || this.#provisioning.operator === undefined) return Number.POSITIVE_INFINITY;
    const handIn = await this.#charger.handIn();
    if (handIn.kind === 'done') return Number.POSITIVE_INFINITY;
    if (handIn.kind === 'waiting') return handIn.ms;
    return handIn.failure === 'journal' ? HAND_IN_STOPPED_MS : HAND_IN_PACE_MS;
  }

  /** Runs what may lose power on the way. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.#powerLost(error.message);
    }
  }

  #powerLost(detail: string, offMs = POWER_BACK_MS): void {
    this.#life++;
    this.link.drop();
    this.#parts.tell({ event: 'device.power-lost', detail });
    this.#parts.changed();
    const life = this.#life;
    this.#parts.timeline.after(offMs, () => this.#life === life && this.start());
  }

  #made(): Charger {
    const { terms, seed, crypto, builtMs, tell, makeCharger } = this.#parts;
    const parts: ChargerParts = {
      provisioning: imageFlash(this.image),
      firmwareBuiltMs: builtMs,
      flash: this.flashes.ledger,
      journal: this.flashes.journal,
      bundles: this.#bundlesFlash,
      clock: this.clock,
      crypto,
      link: this.link,
      salt: seededRandom(seed, `salt ${terms.deviceId}`).word(),
      setTime: async () => this.#setTime(this.#parts.askTime()),
      handInTimeoutMs: HAND_IN_MS,
      log: { emit: (event) => isWorthTelling(event) && tell(event) },
    };
    return makeCharger === undefined ? new VirtualCharger(parts) : makeCharger(parts);
  }
}

/** Each start has a line for each step that went well. */
function isWorthTelling({ event, outcome }: LogEvent): boolean {
  return event !== 'boot.step' || outcome !== 'ok';
}

function provisioningIn(image: Uint8Array): Provisioning {
  const found = readImage(image);
  if (found instanceof ProvisioningProblem) throw found;
  return found.provisioning;
}

function saleOf({ site }: Provisioning): SaleTerms {
  const { terminal = {} } = site;
  const { rail, asset, destination, purpose, gateway, unit } = terminal;
  return {
    rail: rail as string,
    asset: asset as SaleTerms['asset'],
    destination: destination as string,
    purpose: purpose as string,
    gateway,
    ...(unit?.kind === 'fiat'
      ? { currency: unit.currency, minorUnit: unit.minorUnit as number, isFiat: true }
      : { currency: 'XRP', minorUnit: 6, isFiat: false }),
  };
}
