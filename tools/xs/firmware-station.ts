// A sample's firmware on a board in XS, as somebody finds it in the field: provisioned by the tools, with a reader at its serial line
// and an access point or none. Wallets and the Policy Authority are those of scene.ts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FRAME_TYPES, FrameReader, writeFrame } from '../../core/intake/serial-frame.ts';
import type { JsonObject } from '../../core/json/value.ts';
import type { Wiring, WiringKind } from '../../core/provisioning/provisioning.ts';
import { imageOf } from '../../host-sim/provisioning/image.ts';
import { makeBundle } from '../../host-sim/xs/bundle.ts';
import { type Board, type DeviceMoment, firmwareArchive } from '../../host-sim/xs/firmware-run.ts';
import { projectFolder } from '../../host-sim/xs/project.ts';
import { manifest } from '../../host-sim/xs/sample-memory.ts';
import { bundleOptions } from '../build/device-modules.ts';
import { type InspectedLedger, inspectLedger } from '../ledger/inspection.ts';
import { type InspectedJournal, inspectJournal } from '../ledger/journal-inspection.ts';
import { readPartitionTable } from '../provision/partition-table.ts';
import { NOW_MS, signingKey, siteInput } from './scene.ts';

/** When the firmware was built. */
const BUILT_MS = NOW_MS - 8 * 86_400_000;
/** The partitions of a firmware with native code. */
const PARTITIONS = ['mpcp_prov', 'mpcp_bundles', 'mpcp_ledger', 'mpcp_journal'] as const;
type Partition = (typeof PARTITIONS)[number];
const BLOCK_BYTES = 4096;
const LOG = 0;
const READER = 1;
const RELAY = 4;
const METER = 5;
/** The driver's button, which ends a session. */
const STOP = 6;
/** For a request over the reader's line, in milliseconds of the device. */
const ANSWER_MS = 5000;
const STEP_MS = 100;
/** Until all is logged that a start has to say. */
const START_MS = 600;

/** What the samples ask, in their terms (device/<kind>/terms.ts). */
export const ASKED: { readonly [kind in WiringKind]: string } = {
  charger: '20000000',
  gate: '2400000',
  meter: '500000',
};

/**
 * The module that a board gets, as `npm run build:device` makes it: with the project's C code.
 *
 * @param askedMinor what it asks, where that is another amount than the sample's
 */
export async function sampleArchive(kind: WiringKind, askedMinor = ASKED[kind]): Promise<Uint8Array> {
  const bundle = await makeBundle(`device/${kind}/main.ts`, bundleOptions('native', BUILT_MS));
  return firmwareArchive(bundle.replace(`"${ASKED[kind]}"`, `"${askedMinor}"`));
}

/** How a station differs from the usual one. */
export interface StationOptions {
  readonly kind: WiringKind;
  readonly policyAuthorityUrl: string;
  readonly operator?: { readonly url: string; readonly apiKey: string };
  readonly reservationsLeft?: 'hold' | 'settle';
}

/** What a device answers: a decision, or its state. */
export interface Answer {
  readonly [member: string]: JsonObject[string];
}

/** What an event says. */
export interface Event {
  readonly event: string;
  readonly [member: string]: JsonObject[string];
}

/** All that a device has on flash. */
export type FlashImage = { readonly [name in Partition]: Uint8Array };

/** A device that was never on. */
export function newFlash({ kind, policyAuthorityUrl, operator, reservationsLeft }: StationOptions): FlashImage {
  const root = signingKey('root');
  const wiring: Wiring = {
    kind,
    relay: RELAY,
    active: 'high',
    ...(kind === 'charger' && { meter: METER, stop: STOP }),
  };
  const image = imageOf(
    {
      deviceId: `${kind}-7`,
      siteId: 'station-1',
      site: {
        ...siteInput().configuration,
        bundleScope: { category: 'ev-charging' },
        rootKeys: [{ kid: root.kid, publicKey: root.publicKey }],
        ...(reservationsLeft !== undefined && { reservationsLeft }),
      },
      policyAuthorityUrl,
      ...(operator !== undefined && { operator }),
      wifi: { ssid: 'station', password: 'correct horse' },
      wiring,
    },
    1,
  );
  const table = join(
    projectFolder(),
    'manifests',
    kind,
    manifest(`${kind}/manifest.json`).build?.PARTITIONS_FILE ?? '',
  );
  const sizes = new Map(readPartitionTable(readFileSync(table, 'utf8')).map(({ name, size }) => [name, size]));
  const erased = (name: Partition) => new Uint8Array(sizes.get(name) ?? 0).fill(0xff);
  return {
    mpcp_prov: image,
    mpcp_bundles: erased('mpcp_bundles'),
    mpcp_ledger: erased('mpcp_ledger'),
    mpcp_journal: erased('mpcp_journal'),
  };
}

/** See the head of the file. */
export class Station {
  readonly board: Board;
  /** Since the last start. */
  readonly events: Event[] = [];
  #line = '';
  #sequence = 0;

  constructor(board: Board) {
    this.board = board;
  }

  /** Puts a chip's flash into the board. */
  async mount(flash: FlashImage): Promise<void> {
    for (const name of PARTITIONS) await this.board.flash(name, flash[name]);
  }

  /** What the board has on flash now. */
  async unmount(): Promise<FlashImage> {
    const cells = (name: Partition) => readFileSync(this.board.pathOf(name));
    return {
      mpcp_prov: cells('mpcp_prov'),
      mpcp_bundles: cells('mpcp_bundles'),
      mpcp_ledger: cells('mpcp_ledger'),
      mpcp_journal: cells('mpcp_journal'),
    };
  }

  /** Power comes, and what a device does at once is done. @param wallMs of a clock that has lasted */
  async start(wallMs: number): Promise<DeviceMoment> {
    this.events.length = 0;
    this.#line = '';
    await this.board.start(wallMs);
    return this.pass(START_MS);
  }

  /** Time passes. */
  async pass(ms: number): Promise<DeviceMoment> {
    const moment = await this.board.pass(ms);
    this.#hear();
    return moment;
  }

  /** Whether an event was told since the start, with these members. */
  told(event: string, members: JsonObject = {}): boolean {
    return this.events.some(
      (one) => one.event === event && Object.entries(members).every(([name, value]) => one[name] === value),
    );
  }

  /** A payer presents: the decision, undefined where none has come. */
  pay(presentation: Uint8Array): Promise<Answer | undefined> {
    return this.#ask(FRAME_TYPES.authorize, presentation);
  }

  /** What the device says of itself. */
  state(): Promise<Answer | undefined> {
    return this.#ask(FRAME_TYPES.state, new Uint8Array(0));
  }

  /** Levels of the relay since the start. */
  relay(): readonly number[] {
    return this.board.pins.filter(({ pin }) => pin === RELAY).map(({ level }) => level);
  }

  /** The meter counts. */
  async pulses(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.#contact(METER, 40);
    this.#hear();
  }

  /** The driver ends the session. */
  async stop(): Promise<void> {
    await this.#contact(STOP, 400);
    this.#hear();
  }

  async #contact(pin: number, ms: number): Promise<void> {
    await this.board.drive(pin, 0);
    await this.board.pass(ms);
    await this.board.drive(pin, 1);
    await this.board.pass(200);
  }

  async #ask(type: number, payload: Uint8Array): Promise<Answer | undefined> {
    this.#sequence = (this.#sequence + 1) % 256;
    this.board.serialOut(READER);
    let answer: Answer | undefined;
    const reader = new FrameReader(({ sequence, payload: bytes }) => {
      if (sequence === this.#sequence) answer = JSON.parse(Buffer.from(bytes).toString());
    });
    await this.board.serialIn(READER, writeFrame(type, this.#sequence, payload));
    for (let ms = 0; ms < ANSWER_MS && answer === undefined && this.board.on; ms += STEP_MS) {
      await this.pass(STEP_MS);
      reader.push(this.board.serialOut(READER), ms);
    }
    return answer;
  }

  #hear(): void {
    const lines = (this.#line + this.board.serialOut(LOG).toString()).split('\n');
    this.#line = lines.pop() as string;
    for (const line of lines) this.events.push(JSON.parse(line));
  }
}

/** What a device's ledger has on flash. */
export function ledgerOn({ mpcp_ledger: cells }: FlashImage): InspectedLedger {
  return inspectLedger(cells, { blockSize: BLOCK_BYTES });
}

/** And its journal, of what the ledger has committed. */
export function journalOn({ mpcp_journal: cells, mpcp_ledger: ledger }: FlashImage): InspectedJournal {
  return inspectJournal(
    cells,
    { blockSize: BLOCK_BYTES },
    inspectLedger(ledger, { blockSize: BLOCK_BYTES }).nextReceiptId - 1,
  );
}
