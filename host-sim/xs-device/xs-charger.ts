// A virtual charger whose core runs inside XS, with a device's memory, errands over its network included. Its flash, its clock and its
// link are those of the simulation, so that all that happens to it there, faults and cuts of power, happens to it as to any other.

import type { PaymentRequest } from '../../core/chain/request.ts';
import type { SessionEvent } from '../../core/charging/session.ts';
import { PRESENTATION_BYTES } from '../../core/limits.ts';
import type { HttpFailure, HttpOrder, HttpReceiver } from '../../core/network/http-client.ts';
import { type Flash, FlashError, type LogEvent } from '../../core/ports/ports.ts';
import { readProvisioning } from '../../core/provisioning/partition.ts';
import { type Provisioning, ProvisioningProblem } from '../../core/provisioning/provisioning.ts';
import type { HeaderOf } from '../../core/refresh/bundle-fetch.ts';
import { bundlePartitionBytes } from '../../core/trust/bundle-partition.ts';
import type { Closing, Decision } from '../../core/verifier.ts';
import { PowerCut } from '../flash/power-cut.ts';
import { DEVICE_GEOMETRY, SimulatedFlash } from '../flash/simulated-flash.ts';
import { MemoryStore } from '../flash/store.ts';
import { type Charger, type LeftOpen, MachineStopped, type MakeCharger } from '../simulation/simulated-device.ts';
import { type ChargerClients, chargerClients } from '../virtual-device/charger-clients.ts';
import { askTime } from '../virtual-device/charger-time.ts';
import {
  ErrandRuns,
  type HandedIn,
  type HandIn,
  type HandInBegun,
  type Refresh,
  type RefreshBegun,
  type Requested,
} from '../virtual-device/errand-runs.ts';
import { Link } from '../virtual-device/link.ts';
import type { LinkClient } from '../virtual-device/link-client.ts';
import { type ChargerParts, StartProblem } from '../virtual-device/virtual-charger.ts';
import type { MachineMemory } from '../xs/runner.ts';
import { sampleMemory } from '../xs/sample-memory.ts';
import { type Engine, type Machine, MachineStop } from './engine.ts';
import { CLIENT, COMMAND, type CommandName, NOTE, QUESTION, type Value } from './protocol.ts';

/** Bundles came. What became of each is the device's own business. */
type Brought = { readonly kind: 'fetched' };

/** What exists while there is power. */
interface Running {
  readonly machine: Machine;
  readonly clients: ChargerClients;
  readonly runs: ErrandRuns<Brought>;
  /** Of the answer that each client got last. */
  readonly headers: Map<Value, HeaderOf>;
  /** Who is told what the device tells of its errands: one is under way at a time. */
  refreshed: (result: Requested<Brought> | undefined) => void;
  handedIn: (result: HandedIn, network?: HttpFailure) => void;
  /** Who waits for the answer to a question, by its number. */
  readonly asked: Map<Value, () => void>;
  lastNumber: number;
}

/** A reader has room for the longest presentation. Of one that is longer it takes what shows that. */
const MOST_TAKEN = PRESENTATION_BYTES + 1;

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
  #running: Running | undefined;
  /** Partitions that the device has a copy of. */
  readonly #copied = new Set<number>();
  /** There is nothing after it. */
  #stop: MachineStopped | undefined;
  #bundleIds: readonly string[] = [];
  #left: LeftOpen[] = [];

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
    return this.#running !== undefined;
  }

  get bundleIds(): readonly string[] {
    this.#on();
    return this.#bundleIds;
  }

  get reservationsLeft(): readonly LeftOpen[] {
    return this.#left;
  }

  start(): void {
    this.powerOff();
    this.#left = [];
    const { firmwareBuiltMs = 0, salt = 0, handInTimeoutMs = 10_000 } = this.#parts;
    this.#running = this.#with(this.#engine.start(this.#memory));
    this.#copied.clear();
    const sizes = this.#flashes.map((flash) => flash?.size ?? 0);
    const [what, where, why] = this.#ask('start', firmwareBuiltMs, salt, handInTimeoutMs, ...sizes);
    if (what === undefined) return;
    this.powerOff();
    if (what === 'unfit') throw new ProvisioningProblem(where as ProvisioningProblem['fault'], String(why));
    throw new StartProblem(where as StartProblem['step'], String(why));
  }

  powerOff(): void {
    const running = this.#running;
    this.#running = undefined;
    running?.machine.off();
    running?.clients.errands.drop();
    running?.clients.questions.drop();
  }

  present(presentation: Uint8Array, request: PaymentRequest): Promise<Decision> {
    return this.#presented('pay', presentation, JSON.stringify(request));
  }

  begin(presentation: Uint8Array, amountMinor: string): Promise<Decision> {
    return this.#presented('begin', presentation, amountMinor);
  }

  tick(pulses: number): SessionEvent | undefined {
    return sessionEventIn(this.#ask('tick', pulses));
  }

  stop(pulses: number): SessionEvent | undefined {
    return sessionEventIn(this.#ask('stop', pulses));
  }

  async #presented(command: 'pay' | 'begin', presentation: Uint8Array, terms: string): Promise<Decision> {
    const running = this.#on();
    const { decision, asks } = this.#decide(command, presentation, terms);
    if (decision.ok || decision.code !== 'REVOCATION_UNKNOWN' || !asks) return decision;
    const number = ++running.lastNumber;
    await running.clients.questions.during<true>((done) => {
      running.asked.set(number, () => done(true));
      this.#ask('askRevocation', number);
    });
    return this.#decide(command, presentation, terms).decision;
  }

  disconnect(): void {
    if (this.powered) this.#ask('idle');
  }

  urgent(reason: string): boolean {
    return this.#ask('urgent', reason)[0] === true;
  }

  linkCame(): void {
    this.#ask('linkCame');
  }

  confirmTime(): void {
    this.#ask('timeConfirmed');
  }

  refreshIfDue(): Promise<Refresh<Brought>> {
    return this.#on().runs.refresh();
  }

  handIn(): Promise<HandIn> {
    const { runs } = this.#on();
    if (this.#parts.journal === undefined || this.#provisioning?.operator === undefined)
      throw new Error('the charger has nothing to hand in, or nobody');
    return runs.handIn();
  }

  #decide(
    command: 'pay' | 'begin',
    presentation: Uint8Array,
    terms: string,
  ): { readonly decision: Decision; readonly asks: boolean } {
    const taken = presentation.subarray(0, MOST_TAKEN);
    const [asks, ...decision] = this.#ask(command, this.#link.up, taken, terms);
    return { decision: decisionOf(decision), asks: asks === true };
  }

  /** What a machine that has got power is surrounded by. */
  #with(machine: Machine): Running {
    const { clock, reach } = this.#parts;
    const link = this.#link;
    const isOn = () => this.#running === running;
    const run = <T>(work: () => T) => (isOn() ? work() : undefined);
    const { certificate } = this.#provisioning ?? {};
    const clients = chargerClients({ link, clock, certificate, reach, run });
    const errands = {
      refresh: (done: Running['refreshed']) => {
        running.refreshed = done;
        return refreshBegun(this.#ask('refresh', link.up));
      },
      handIn: (done: Running['handedIn']) => {
        running.handedIn = done;
        return handInBegun(this.#ask('handIn'));
      },
    };
    const running: Running = {
      machine,
      clients,
      runs: new ErrandRuns<Brought>({ errands, client: clients.errands, link, isOn }),
      headers: new Map(),
      refreshed: () => undefined,
      handedIn: () => undefined,
      asked: new Map(),
      lastNumber: 0,
    };
    return running;
  }

  #on(): Running {
    if (this.#running === undefined) throw new PowerCut('the charger has no power');
    return this.#running;
  }

  /** Has the device do something. Where it loses its power on the way, all that is left is what is on flash. */
  #ask(command: CommandName, ...values: readonly Value[]): readonly Value[] {
    const { machine } = this.#on();
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
    if (question === QUESTION.header) return [this.#on().headers.get(first)?.(String(second)) ?? undefined];
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
    const running = this.#on();
    switch (what) {
      case NOTE.log:
        this.#parts.log?.emit(Object.fromEntries(pairsOf(values)) as LogEvent);
        return;
      case NOTE.bundles:
        this.#bundleIds = values.map(String);
        return;
      case NOTE.send:
        this.#send(running, values);
        return;
      case NOTE.setTime:
        this.#setTime(running);
        return;
      case NOTE.refreshed:
        running.refreshed(requestedIn(values));
        return;
      case NOTE.handedIn:
        running.handedIn(handedIn(values), values[4] as HttpFailure | undefined);
        return;
      case NOTE.asked:
        running.asked.get(values[0])?.();
        running.asked.delete(values[0]);
        return;
      case NOTE.left:
        this.#left.push(leftIn(values));
        return;
      default:
        throw new Error(`a device tells what nobody knows: ${what}`);
    }
  }

  /** Has the device's clock set, as it wants: whether it is in doubt is its own business. */
  #setTime({ clients: { errands: client } }: Running): void {
    const { clock, setTime } = this.#parts;
    const isSet = () => clock.wallMs() !== undefined && this.#ask('hasTime')[0] === true;
    askTime({ client, setTime, isSet }, (problem) => this.#ask('timeTold', problem));
  }

  /** Sends a request of the device, which is told what comes back. */
  #send({ clients, headers }: Running, [client, ...order]: readonly Value[]): void {
    const receiver: HttpReceiver = {
      answered: (status, header) => {
        headers.set(client, header);
        return this.#ask('answered', client, status)[0] === true;
      },
      take: (bytes) => this.#ask('take', client, bytes)[0] === true,
      ended: () => void this.#ask('ended', client),
      failed: (failure, detail) => void this.#ask('failed', client, failure, detail),
    };
    const sender: LinkClient = client === CLIENT.questions ? clients.questions : clients.errands;
    sender.send(orderOf(order), receiver);
  }
}

function orderOf(values: readonly Value[]): HttpOrder {
  const [method, host, port, secure, certificate, path, body, timeoutMs, maxBytes, ...headers] = values;
  return {
    method,
    server: { host, port, secure, ...(certificate !== undefined && { certificate }) },
    path,
    ...(body !== undefined && { body }),
    timeoutMs,
    maxBytes,
    headers: Object.fromEntries(pairsOf(headers)),
  } as HttpOrder;
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
  askRevocation: 'a question about a revocation',
  idle: 'its idle work',
  urgent: 'an urgent message',
  linkCame: 'the coming of its link',
  refresh: 'a refresh',
  handIn: 'a batch to be handed in',
  hasTime: 'a refresh',
  timeTold: 'a refresh',
  timeConfirmed: 'the word of a server about the time',
  answered: 'the head of an answer',
  take: 'the bytes of an answer',
  ended: 'the end of an answer',
  failed: 'a request without an answer',
  begin: 'the beginning of a session',
  tick: 'a look at its session',
  stop: 'the end of a session',
};

function pairsOf(values: readonly Value[]): readonly (readonly [string, Value])[] {
  return values.flatMap((name, i) => (i % 2 === 0 ? [[String(name), values[i + 1]] as const] : []));
}

function leftIn([receiptId, ...closing]: readonly Value[]): LeftOpen {
  return {
    reservation: { receiptId: Number(receiptId) },
    closing: closing.length === 0 ? undefined : closingIn(closing),
  };
}

function sessionEventIn([kind, why, receiptId, amountMinor, ...closing]: readonly Value[]): SessionEvent | undefined {
  if (kind === undefined) return undefined;
  const over = { kind, why, receiptId, closing: closingIn(closing) };
  return (kind === 'ended' ? { ...over, amountMinor } : over) as SessionEvent;
}

function closingIn([ok, ...values]: readonly Value[]): Closing {
  if (ok === true) {
    const [receiptId, amountMinor, timeMs] = values;
    return { ok, receiptId, amountMinor, timeMs } as Closing;
  }
  const [artifact, check, code, detail] = values;
  return { ok: false, artifact, check, code, detail } as Closing;
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

function refreshBegun([kind, ms]: readonly Value[]): RefreshBegun {
  return (kind === 'wait' ? { kind, ms } : { kind }) as RefreshBegun;
}

function handInBegun([kind, more]: readonly Value[]): HandInBegun | undefined {
  if (kind === undefined) return undefined;
  return (kind === 'wait' ? { kind, ms: more } : kind === 'stopped' ? { kind, detail: more } : { kind }) as HandInBegun;
}

function requestedIn([kind, failure, detail]: readonly Value[]): Requested<Brought> | undefined {
  if (kind === undefined) return undefined;
  return (kind === 'failed' ? { kind, failure, detail } : { kind }) as Requested<Brought>;
}

function handedIn([ok, receipts, failure, detail]: readonly Value[]): HandedIn {
  return (ok === true ? { ok, receipts } : { ok: false, receipts, failure, detail }) as HandedIn;
}
