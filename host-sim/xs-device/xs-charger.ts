// A virtual charger whose core runs inside XS, with a device's memory. Its flash, its clock and its network are those of the
// simulation, so that all that happens to it there, faults and cuts of power included, happens to it as to any other.

import type { PaymentRequest } from '../../core/chain/request.ts';
import { PRESENTATION_BYTES } from '../../core/limits.ts';
import { type Flash, FlashError, type LogEvent } from '../../core/ports/ports.ts';
import { readProvisioning } from '../../core/provisioning/partition.ts';
import { type Provisioning, ProvisioningProblem } from '../../core/provisioning/provisioning.ts';
import type { HeaderOf } from '../../core/refresh/bundle-fetch.ts';
import { bundlePartitionBytes } from '../../core/trust/bundle-partition.ts';
import type { Decision } from '../../core/verifier.ts';
import { PowerCut } from '../flash/power-cut.ts';
import { DEVICE_GEOMETRY, SimulatedFlash } from '../flash/simulated-flash.ts';
import { MemoryStore } from '../flash/store.ts';
import { type Charger, MachineStopped, type MakeCharger } from '../simulation/simulated-device.ts';
import { type FetchUnderWay, fetchBundles } from '../virtual-device/bundle-fetch.ts';
import { type BatchSender, type HandIn, handIn } from '../virtual-device/hand-in.ts';
import { Link } from '../virtual-device/link.ts';
import { PACKET_BYTES } from '../virtual-device/link-client.ts';
import { askRevocation } from '../virtual-device/revocation-ask.ts';
import { receiptsUrl } from '../virtual-device/server-urls.ts';
import { type ChargerParts, StartProblem } from '../virtual-device/virtual-charger.ts';
import type { MachineMemory } from '../xs/runner.ts';
import { sampleMemory } from '../xs/sample-memory.ts';
import { type Engine, type Machine, MachineStop } from './engine.ts';
import { COMMAND, type CommandName, NOTE, QUESTION, type Value } from './protocol.ts';

/** What a refresh came to, as far as somebody outside wants to know. */
type Refreshed = Awaited<ReturnType<Charger['refreshIfDue']>>;
type Ended = Exclude<Refreshed, { readonly kind: 'waiting' | 'busy' }>;

/** A question to a grant's revocation endpoint. */
interface Question {
  readonly url: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** A reader has room for the longest presentation. Of one that is longer it takes what shows that. */
const MOST_TAKEN = PRESENTATION_BYTES + 1;
/** As the core asks; it holds the rest of a question itself. */
const QUESTION_HEADERS = { accept: 'application/json', 'accept-encoding': 'identity' };

/** Makes chargers that run in an engine, with the memory of the sample that has so much of a ledger. */
export function chargersIn(engine: Engine): MakeCharger {
  const memories = { charger: sampleMemory('charger'), gate: sampleMemory('gate') };
  return (parts) =>
    new XsCharger(parts, engine, parts.flash.size <= CHARGER_LEDGER_BYTES ? memories.charger : memories.gate);
}

/** The ledger's partition on a charger and a meter; a gate's is larger. */
const CHARGER_LEDGER_BYTES = 65_536;

/** See the head of the file. Without power every method throws PowerCut; where the machine stops, MachineStopped. */
export class XsCharger implements Charger {
  readonly #parts: ChargerParts;
  readonly #engine: Engine;
  readonly #memory: MachineMemory;
  readonly #link: Link;
  readonly #provisioning: Provisioning | undefined;
  readonly #flashes: readonly (Flash | undefined)[];
  #machine: Machine | undefined;
  /** Partitions that the device has a copy of. */
  readonly #copied = new Set<number>();
  /** There is nothing after it. */
  #stop: MachineStopped | undefined;
  #bundleIds: readonly string[] = [];
  /** Of the answer that the device looks at. */
  #header: HeaderOf = () => undefined;
  #refreshing: Promise<Refreshed> | undefined;
  #handingIn: Promise<HandIn> | undefined;

  constructor(parts: ChargerParts, engine: Engine, memory: MachineMemory) {
    this.#parts = parts;
    this.#engine = engine;
    this.#memory = memory;
    this.#link = parts.link ?? new Link();
    const bundles =
      parts.bundles ?? new SimulatedFlash(new MemoryStore(bundlePartitionBytes(DEVICE_GEOMETRY.blockSize)));
    this.#flashes = [parts.provisioning, parts.flash, parts.journal, bundles];
    const found = readProvisioning(parts.provisioning);
    this.#provisioning = found instanceof ProvisioningProblem ? undefined : found.provisioning;
  }

  get powered(): boolean {
    if (this.#stop !== undefined) throw this.#stop;
    return this.#machine !== undefined;
  }

  get bundleIds(): readonly string[] {
    this.#on();
    return this.#bundleIds;
  }

  start(): void {
    this.powerOff();
    const { firmwareBuiltMs = 0, salt = 0 } = this.#parts;
    this.#machine = this.#engine.start(this.#memory);
    this.#copied.clear();
    const sizes = this.#flashes.map((flash) => flash?.size ?? 0);
    const [what, where, why] = this.#ask('start', firmwareBuiltMs, salt, ...sizes);
    if (what === undefined) return;
    this.powerOff();
    if (what === 'unfit') throw new ProvisioningProblem(where as ProvisioningProblem['fault'], String(why));
    throw new StartProblem(where as StartProblem['step'], String(why));
  }

  powerOff(): void {
    this.#machine?.off();
    this.#machine = undefined;
  }

  async present(presentation: Uint8Array, request: PaymentRequest): Promise<Decision> {
    const { decision, question } = this.#pay(presentation, request);
    if (decision.ok || decision.code !== 'REVOCATION_UNKNOWN' || question === undefined) return decision;
    const machine = this.#machine;
    const device = { link: this.#link, reach: this.#parts.reach ?? ((url: URL) => url) };
    const told = (command: CommandName, ...values: readonly Value[]) => {
      if (this.#machine === machine) this.#ask(command, ...values);
    };
    const checks = {
      answered: (_: Question, status: number, header: HeaderOf, body: Uint8Array) => {
        this.#header = header;
        told('revocationAnswered', status, body);
      },
      failed: (_: Question, detail: string) => told('revocationFailed', detail),
    };
    await askRevocation(device, checks, { ...question, headers: QUESTION_HEADERS });
    return this.#pay(presentation, request).decision;
  }

  disconnect(): void {
    if (this.powered) this.#ask('idle');
  }

  urgent(reason: string): boolean {
    return this.#ask('urgent', reason)[0] === true;
  }

  /** One at a time; a second call gets the first one's result. */
  refreshIfDue(): Promise<Refreshed> {
    this.#on();
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  handIn(): Promise<HandIn> {
    const machine = this.#on();
    const { operator, deviceId } = this.#provisioning as Provisioning;
    if (this.#parts.journal === undefined || operator === undefined)
      throw new Error('the charger has nothing to hand in, or nobody');
    const device = {
      link: this.#link,
      uploader: this.#uploader,
      monotonicMs: () => this.#parts.clock.monotonicMs(),
      run: <T>(work: () => T) => (this.#machine === machine ? work() : undefined),
      urged: () => void (this.#machine === machine && this.urgent('http')),
    };
    const url = receiptsUrl(operator.url, deviceId);
    const order = { url, apiKey: operator.apiKey, timeoutMs: this.#parts.handInTimeoutMs ?? 10_000 };
    this.#handingIn ??= handIn(device, order).finally(() => {
      this.#handingIn = undefined;
    });
    return this.#handingIn;
  }

  #pay(
    presentation: Uint8Array,
    request: PaymentRequest,
  ): { readonly decision: Decision; readonly question: Question | undefined } {
    const values = this.#ask('pay', this.#link.up, presentation.subarray(0, MOST_TAKEN), JSON.stringify(request));
    const [ok, ...rest] = values;
    const [url, timeoutMs, maxBytes] = rest.slice(ok === true ? 8 : 4);
    const question =
      url === undefined ? undefined : { url: String(url), timeoutMs: Number(timeoutMs), maxBytes: Number(maxBytes) };
    return { decision: decisionOf(values), question };
  }

  async #refresh(): Promise<Refreshed> {
    const machine = this.#on();
    for (;;) {
      // Nobody stands at the reader for longer than a payment takes.
      const [kind, ...rest] = this.#ask('refreshNext', this.#link.up, false);
      if (kind === 'wait') return { kind: 'waiting', ms: Number(rest[0]) };
      if (kind === 'nothing') return { kind: 'busy' };
      const result =
        kind === 'fetch' ? await this.#fetched(machine, rest) : await this.#prepared(machine, kind === 'connect');
      if (this.#machine !== machine)
        return { kind: 'failed', failure: 'power-cut', detail: 'the power was cut meanwhile' };
      if (result !== undefined) return result;
    }
  }

  /** Brings about what a request needs. @returns the failure where that cannot be had */
  async #prepared(machine: Machine, needsLink: boolean): Promise<Ended | undefined> {
    // Nobody but whoever switched the link off switches it on.
    if (needsLink) return fetchedIn(this.#ask('refreshGaveUp', 'the link is down'));
    const { clock, setTime } = this.#parts;
    await setTime?.();
    if (this.#machine !== machine) return undefined;
    const isSet = clock.wallMs() !== undefined && this.#ask('hasTime')[0] === true;
    return isSet ? undefined : fetchedIn(this.#ask('refreshGaveUp', 'nobody sets the clock'));
  }

  #fetched(machine: Machine, order: readonly Value[]): Promise<Ended | undefined> {
    const { clock } = this.#parts;
    const device = {
      link: this.#link,
      monotonicMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs(),
      run: <T>(work: () => T) => (this.#machine === machine ? work() : undefined),
      free: () => Promise.resolve(),
    };
    const { policyAuthorityUrl } = this.#provisioning as Provisioning;
    return fetchBundles(device, policyAuthorityUrl, this.#fetchOf(order));
  }

  #fetchOf([path, timeoutMs, maxBytes, ...headers]: readonly Value[]): FetchUnderWay<Ended> {
    return {
      order: {
        path: String(path),
        timeoutMs: Number(timeoutMs),
        maxBytes: Number(maxBytes),
        headers: Object.fromEntries(pairsOf(headers)) as Record<string, string>,
      },
      answered: (_, status, header) => {
        this.#header = header;
        return this.#ask('fetchAnswered', status)[0] === true;
      },
      take: (_, chunk) => {
        for (let at = 0; at < chunk.length; at += PACKET_BYTES)
          if (this.#ask('fetchTake', chunk.subarray(at, at + PACKET_BYTES))[0] !== true) return false;
        return true;
      },
      failed: (_, failure, detail) => fetchedIn(this.#ask('fetchFailed', failure, detail)) as Ended,
      ended: () => fetchedIn(this.#ask('fetchEnded')) as Ended,
    };
  }

  readonly #uploader: BatchSender = {
    next: () => {
      const [kind, more] = this.#ask('uploadNext');
      if (kind === 'send') return { kind, batch: { body: more as Uint8Array } };
      if (kind === 'wait') return { kind, ms: Number(more) };
      return kind === 'done' ? { kind } : { kind: 'stopped', detail: String(more) };
    },
    answered: (_, status, body) => uploadedIn(this.#ask('uploadAnswered', status, body)),
    unanswered: (_, detail) => uploadedIn(this.#ask('uploadUnanswered', detail)),
  };

  #on(): Machine {
    if (this.#machine === undefined) throw new PowerCut('the charger has no power');
    return this.#machine;
  }

  /** Has the device do something. Where it loses its power on the way, all that is left is what is on flash. */
  #ask(command: CommandName, ...values: readonly Value[]): readonly Value[] {
    const machine = this.#on();
    const { clock } = this.#parts;
    const outside = {
      answer: ([question, ...more]: readonly Value[]) => this.#answer(question, more),
      note: ([what, ...more]: readonly Value[]) => this.#note(what, more),
    };
    try {
      return machine.ask([this.#gone(), COMMAND[command], clock.wallMs(), clock.monotonicMs(), ...values], outside);
    } catch (error) {
      this.powerOff();
      if (!(error instanceof MachineStop)) throw error;
      this.#stop = this.#stopped(command, error.message);
      throw this.#stop;
    }
  }

  #stopped(command: CommandName, why: string): MachineStopped {
    const { chunks, slots, stack } = this.#memory;
    const memory = `${chunks / 1024} KB of chunks, ${slots} slots and ${stack} slots of stack`;
    const device = this.#provisioning?.deviceId ?? '';
    return new MachineStopped(device, `its machine in XS stopped at ${WORDS[command]}: ${why}; it has ${memory}`);
  }

  /** Which of the copies are none any more: faults begin between two commands. */
  #gone(): number {
    let gone = 0;
    for (const partition of this.#copied)
      if (!isSteady(this.#flashes[partition])) {
        this.#copied.delete(partition);
        gone |= 1 << partition;
      }
    return gone;
  }

  #answer(question: Value, [first, second, third]: readonly Value[]): readonly Value[] {
    if (question === QUESTION.header) return [this.#header(String(first)) ?? undefined];
    const partition = Number(first);
    const flash = this.#flashes[partition] as Flash;
    const offset = Number(second);
    if (question === QUESTION.read) {
      const bytes = new Uint8Array(Number(third));
      const failure = tried(() => flash.read(offset, bytes));
      if (failure !== undefined || !isSteady(flash)) return [failure ?? bytes];
      this.#copied.add(partition);
      return [bytes, partition, 0, flash.size, flash.contents()];
    }
    const isProgram = question === QUESTION.program;
    const failure = tried(() => (isProgram ? flash.program(offset, third as Uint8Array) : flash.erase(offset)));
    if (!this.#copied.has(partition)) return [failure];
    // What is there now, however far it went.
    const changed = new Uint8Array(isProgram ? (third as Uint8Array).length : flash.blockSize);
    if (isSteady(flash) && tried(() => flash.read(offset, changed)) === undefined)
      return [failure, partition, offset, flash.size, changed];
    this.#copied.delete(partition);
    return [failure, partition, 0, 0, new Uint8Array(0)];
  }

  #note(what: Value, values: readonly Value[]): void {
    if (what === NOTE.bundles) this.#bundleIds = values.map(String);
    else this.#parts.log?.emit(Object.fromEntries(pairsOf(values)) as LogEvent);
  }
}

/** Whether a flash reads as it was written, however often. */
function isSteady(flash: Flash | undefined): flash is SimulatedFlash {
  return flash instanceof SimulatedFlash && !flash.faults.onRead && !flash.isUnstable;
}

/** Why an operation of flash has failed, as a device gets to see it. Without power it gets to see nothing: that is thrown. */
function tried(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof FlashError) return error.message;
    throw error;
  }
}

/** What a device is at when its machine stops. */
const WORDS: { readonly [command in CommandName]: string } = {
  start: 'its start',
  pay: 'a payment',
  idle: 'its idle work',
  hasTime: 'a refresh',
  refreshNext: 'a refresh',
  refreshGaveUp: 'a refresh',
  urgent: 'an urgent message',
  fetchAnswered: 'an answer with bundles',
  fetchTake: 'an answer with bundles',
  fetchFailed: 'a refresh',
  fetchEnded: 'the end of an answer with bundles',
  uploadNext: 'a batch to be handed in',
  uploadAnswered: "the operator's answer",
  uploadUnanswered: 'a hand-in without an answer',
  revocationAnswered: 'an answer about a revocation',
  revocationFailed: 'a question about a revocation',
};

function pairsOf(values: readonly Value[]): readonly (readonly [string, Value])[] {
  return values.flatMap((name, i) => (i % 2 === 0 ? [[String(name), values[i + 1]] as const] : []));
}

function decisionOf(values: readonly Value[]): Decision {
  if (values[0] !== true) {
    const [, artifact, check, code, detail] = values;
    return { ok: false, artifact, check, code, detail } as Decision;
  }
  const [, receiptId, repeated, amountMinor, grantId, budgetId, sessionId, actorId, timeMs] = values;
  return {
    ok: true,
    receiptId,
    repeated,
    amountMinor,
    grantId,
    budgetId,
    sessionId,
    actorId,
    timeMs,
  } as Decision;
}

function fetchedIn([kind, failure, detail]: readonly Value[]): Ended | undefined {
  if (kind === undefined) return undefined;
  return (kind === 'failed' ? { kind, failure, detail } : { kind }) as Ended;
}

function uploadedIn([ok, receipts, failure, detail]: readonly Value[]): ReturnType<BatchSender['answered']> {
  const common = { receipts: Number(receipts) };
  return ok === true ? { ok, ...common } : ({ ok: false, failure, detail, ...common } as never);
}
