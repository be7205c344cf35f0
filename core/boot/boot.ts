// A start, step by step: known answers, partitions, configuration, ledger, provisioning, journal, bundles, reservations, idle work; then the
// device serves. Whoever starts a device calls `step` until it is over, and a watchdog may be fed in between. What a failing
// step means stands in one table; a start never throws, so that whoever stands before the device can be told.

import { ConfigurationError, deploymentProblems, readConfiguration, type SiteConfiguration } from '../configuration.ts';
import type { KeyTables } from '../ed25519/key-tables.ts';
import { FlashLedger } from '../ledger/flash-ledger.ts';
import { Journal } from '../ledger/journal.ts';
import { BOOT_FLASH_PASSES, BOOT_IDLE_STEPS } from '../limits.ts';
import { type Clock, type Crypto, type Flash, FlashError, type Log } from '../ports/ports.ts';
import { BundlePartition } from '../trust/bundle-partition.ts';
import { type ReservationLeft, Verifier } from '../verifier.ts';
import { FedFlash, Feeder } from './fed-flash.ts';
import { type DeviceFlash, layoutProblems, layoutWarnings, type PlacedPartition } from './partition-layout.ts';
import { SELF_TESTS } from './self-test.ts';

/** What a device is started from. */
export interface BootParts {
  /** Undefined where the device is not provisioned. */
  readonly configuration: SiteConfiguration | undefined;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly flash: DeviceFlash;
  /** The partition table, where there is one to be looked at. */
  readonly placed?: readonly PlacedPartition[];
  /** The tables that `crypto` verifies by, if it does. */
  readonly keyTables?: KeyTables;
  /** A random number of 32 bits for a ledger and a journal that are formatted. */
  readonly salt?: number;
  /** No earlier time is believed, in milliseconds. Left out: the core's build time. */
  readonly earliestMs?: number;
  readonly log?: Log;
  /**
   * Whether the image may be used that the configuration comes from (`admitCounter`), asked before anything of it is: why not, or
   * undefined. Left out: it may.
   */
  readonly admits?: (ledger: FlashLedger) => string | undefined;
  /** Tells a watchdog that the device is alive. */
  readonly feed?: () => void;
}

/** The steps of a start, in their order, and what a device does where one fails. */
export const BOOT_STEPS = Object.freeze({
  /** It cannot compute: nothing that it decides is of any use. */
  'self-test': 'stops',
  /** A store on the wrong partition destroys what is there. */
  layout: 'stops',
  /** It does not know whom to trust. */
  configuration: 'stops',
  /** Payments are refused with STORE_FAILED or STORE_FULL; what can be read is handed in. */
  ledger: 'degrades',
  /** Whom to trust is out of date. */
  provisioning: 'stops',
  journal: 'degrades',
  /** Payments are refused until there is a clock, flash that can be read, or a fresh bundle. */
  bundles: 'degrades',
  reservations: 'degrades',
  /** The next payments take longer. */
  idle: 'degrades',
} as const);

/** A step of a start. */
export type BootStep = keyof typeof BOOT_STEPS;

/** What came of a step. */
export interface BootStepReport {
  readonly step: BootStep;
  readonly outcome: 'ok' | 'degraded' | 'stopped';
  /** All of it, and the longest part that `step` was called for: what a watchdog has to allow. */
  readonly ms: number;
  readonly longestMs: number;
  /** Why, where it is not ok. */
  readonly detail?: string;
}

/** What a start has made. */
export interface BootedDevice {
  readonly verifier: Verifier;
  readonly ledger: FlashLedger;
  readonly journal: Journal | undefined;
  readonly keyTables: KeyTables | undefined;
  /** Reservations that were left open, and what became of them. */
  readonly reservationsLeft: readonly ReservationLeft[];
}

/** See the head of the file. */
export class Boot {
  readonly #parts: BootParts;
  readonly #feeder: Feeder;
  readonly #reports: BootStepReport[] = [];
  /** Which step is under way, and how much of it is done. */
  #at = 0;
  #turn = 0;
  #ms = 0;
  #longestMs = 0;
  #isOver = false;
  #hasThrown = false;
  #ledger: FlashLedger | undefined;
  #journal: Journal | undefined;
  #verifier: Verifier | undefined;
  #left: readonly ReservationLeft[] = [];

  constructor(parts: BootParts) {
    this.#parts = parts;
    this.#feeder = new Feeder(parts.feed ?? (() => undefined));
  }

  /** What came of the steps so far. */
  get reports(): readonly BootStepReport[] {
    return this.#reports;
  }

  /** True once there is nothing more to do. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The step that stopped the start, if one did. */
  get stoppedBy(): BootStepReport | undefined {
    return this.#reports.find(({ outcome }) => outcome === 'stopped');
  }

  /** The device, once the start is over and nothing has stopped it. */
  get device(): BootedDevice | undefined {
    if (!this.#isOver || this.#verifier === undefined || this.#ledger === undefined || this.stoppedBy !== undefined)
      return undefined;
    const { keyTables } = this.#parts;
    const reservationsLeft = this.#left;
    return { verifier: this.#verifier, ledger: this.#ledger, journal: this.#journal, keyTables, reservationsLeft };
  }

  /**
   * Does a bounded piece of the start.
   *
   * @returns whether there is more
   * @throws what no step knows: a simulated power cut, a mistake in the program
   */
  step(): boolean {
    if (this.#isOver) return false;
    const { clock, flash } = this.#parts;
    const step = STEP_NAMES[this.#at] as BootStep;
    const sizes = flash.ledger.size + flash.bundles.size + (flash.journal?.size ?? 0) + (flash.keyTables?.size ?? 0);
    this.#feeder.allow(BOOT_FLASH_PASSES * sizes);
    const beganMs = clock.monotonicMs();
    const result = this.run(step);
    const ms = clock.monotonicMs() - beganMs;
    this.#ms += ms;
    this.#longestMs = Math.max(this.#longestMs, ms);
    if (result === MORE) this.#turn++;
    else this.ended(step, result);
    if (this.#isOver) this.#feeder.allow(0);
    return !this.#isOver;
  }

  private ended(step: BootStep, detail: string | undefined): void {
    // Without a ledger or a verifier there is nothing to go on with.
    const isLost = this.#hasThrown && this.#verifier === undefined;
    const failed = BOOT_STEPS[step] === 'stops' || isLost ? 'stopped' : 'degraded';
    const outcome = detail === undefined ? 'ok' : failed;
    const ms = Math.round(this.#ms);
    const longestMs = Math.round(this.#longestMs);
    this.#reports.push({ step, outcome, ms, longestMs, ...(detail === undefined ? {} : { detail }) });
    this.#parts.log?.emit({ event: 'boot.step', step, outcome, ms, longestMs, detail });
    this.#at++;
    this.#turn = 0;
    this.#ms = 0;
    this.#longestMs = 0;
    if (outcome !== 'stopped' && this.#at < STEP_NAMES.length) return;
    this.#isOver = true;
    this.#parts.log?.emit({ event: 'boot.over', stopped: outcome === 'stopped' });
  }

  /** One piece of a step. @returns MORE, why it has failed, or undefined where it is done and well */
  private run(step: BootStep): string | undefined {
    try {
      return this.piece(step);
    } catch (error) {
      // As everywhere in the core: a flash that fails is a state of the device, and nothing else is taken for one.
      if (!(error instanceof FlashError)) throw error;
      this.#hasThrown = true;
      return error.message;
    }
  }

  private piece(step: BootStep): string | undefined {
    const { crypto, flash, placed, log, salt } = this.#parts;
    const options = { ...(log && { log }), ...(salt === undefined ? {} : { salt }) };
    switch (step) {
      case 'self-test':
        return this.selfTest();
      case 'layout': {
        for (const warning of layoutWarnings(flash)) log?.emit({ event: 'boot.layout', detail: warning });
        return sentence(layoutProblems(flash, placed));
      }
      case 'configuration':
        return this.configurationProblem();
      case 'ledger':
        this.#ledger = new FlashLedger(this.fed(flash.ledger), crypto, options);
        return this.#ledger.problem?.detail;
      case 'provisioning':
        return this.#parts.admits?.(this.#ledger as FlashLedger);
      case 'journal':
        this.#journal = flash.journal && new Journal(this.fed(flash.journal), crypto, options);
        // Takes in what the ledger has committed, too.
        this.#verifier = this.verifierOf(this.#ledger as FlashLedger);
        return this.#journal?.problem?.detail;
      case 'bundles':
        return this.bundlesProblem(this.#verifier as Verifier);
      case 'reservations':
        this.#left = (this.#verifier as Verifier).takeUpReservations();
        return sentence(this.#left.flatMap(({ closing }) => (closing?.ok === false ? [closing.detail] : [])));
      case 'idle':
        return (this.#verifier as Verifier).step() && this.#turn < BOOT_IDLE_STEPS ? MORE : undefined;
    }
  }

  private selfTest(): string | undefined {
    const test = SELF_TESTS[this.#turn];
    if (test === undefined) return undefined;
    try {
      return test.passes(this.#parts.crypto) ? MORE : `${test.name} does not give the known answer`;
    } catch (error) {
      // A machine whose crypto throws, whatever it throws, does not give it either; nothing is written to flash here.
      return `${test.name}: ${(error as Error).message}`;
    }
  }

  private configurationProblem(): string | undefined {
    const { configuration } = this.#parts;
    if (configuration === undefined) return 'the device is not provisioned';
    try {
      return sentence(deploymentProblems(readConfiguration(configuration)));
    } catch (error) {
      if (error instanceof ConfigurationError) return sentence(error.problems);
      throw error;
    }
  }

  private verifierOf(ledger: FlashLedger): Verifier {
    const { configuration, crypto, clock, log, earliestMs, keyTables, flash } = this.#parts;
    return new Verifier({
      configuration: configuration as SiteConfiguration,
      crypto,
      clock,
      ledger,
      bundles: new BundlePartition(this.fed(flash.bundles), crypto),
      ...(this.#journal && { journal: this.#journal }),
      ...(keyTables && { keyTables }),
      ...(log && { log }),
      ...(earliestMs === undefined ? {} : { earliestMs }),
    });
  }

  private bundlesProblem(verifier: Verifier): string | undefined {
    const admissions = verifier.loadBundles();
    if ('ok' in admissions) return admissions.detail;
    return sentence(admissions.flatMap((admission) => (admission.ok ? [] : [admission.detail])));
  }

  private fed(flash: Flash): Flash {
    return this.#parts.feed === undefined ? flash : new FedFlash(flash, this.#feeder);
  }
}

/** What a piece of a step gives that is not the last. */
const MORE = 'more';

const STEP_NAMES = Object.keys(BOOT_STEPS) as BootStep[];

function sentence(problems: readonly string[]): string | undefined {
  return problems.length === 0 ? undefined : problems.join('; ');
}
