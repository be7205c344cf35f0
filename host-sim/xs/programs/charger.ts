// A charger in the engine: all of the core that its firmware holds between the payer's reader and the network. It does what it is
// told, command by command; its flash and its connections are outside, and its clock is what a command says.

import './host.ts';
import { Boot } from '../../../core/boot/boot.ts';
import type { PaymentRequest } from '../../../core/chain/request.ts';
import type { SessionEvent } from '../../../core/charging/session.ts';
import { crc32 } from '../../../core/encoding/crc32.ts';
import type { Journal } from '../../../core/ledger/journal.ts';
import { ClockDoubt } from '../../../core/network/clock-doubt.ts';
import { Errands, handInOrder, type TimeSource } from '../../../core/network/errands.ts';
import {
  type HttpFailure,
  type HttpOrder,
  type HttpReceiver,
  type HttpTransport,
  type Server,
  serverOf,
} from '../../../core/network/http-client.ts';
import { askRevocation } from '../../../core/network/revocation-ask.ts';
import { type Clock, type Flash, FlashError, type Log } from '../../../core/ports/ports.ts';
import { admitCounter } from '../../../core/provisioning/counter.ts';
import { readProvisioning } from '../../../core/provisioning/partition.ts';
import { type Provisioning, ProvisioningProblem } from '../../../core/provisioning/provisioning.ts';
import type { FetchResult } from '../../../core/refresh/bundle-fetch.ts';
import { BundleRefresh } from '../../../core/refresh/bundle-refresh.ts';
import { Uploader, type UploadResult } from '../../../core/refresh/upload.ts';
import type { HeldBundle } from '../../../core/trust/held-bundle.ts';
import type { Closing, Decision, ReservationLeft, Verifier } from '../../../core/verifier.ts';
import { SeededRandom } from '../../flash/random.ts';
import { ChargingPoint } from '../../virtual-device/charging-point.ts';
import { CLIENT, COMMAND, NOTE, PARTITION, QUESTION } from '../../xs-device/protocol.ts';
import { chosenCrypto } from './crypto.ts';

/** Everything that happens within a command happens at one moment. */
class ToldClock implements Clock {
  wall: number | undefined;
  monotonic = 0;

  wallMs(): number | undefined {
    return this.wall;
  }

  monotonicMs(): number {
    return this.monotonic;
  }
}

/** A partition whose cells the simulation holds. */
class AskedFlash implements Flash {
  readonly size: number;
  readonly blockSize = 4096;
  readonly programSize = 16;
  readonly #number: number;

  constructor(number: number, size: number) {
    this.#number = number;
    this.size = size;
  }

  read(offset: number, target: Uint8Array): void {
    if (host.readCopy(this.#number, offset, target)) return;
    host.put(QUESTION.read, this.#number, offset, target.length);
    done(host.askBytes(target));
  }

  program(offset: number, bytes: Uint8Array): void {
    host.put(QUESTION.program, this.#number, offset, bytes);
    done(host.ask());
  }

  erase(offset: number): void {
    host.put(QUESTION.erase, this.#number, offset);
    done(host.ask());
  }
}

/** @throws FlashError where an operation has failed */
function done(failure: unknown): void {
  if (failure !== undefined) throw new FlashError(failure as string);
}

const log: Log = {
  emit(event) {
    host.tell(NOTE.log);
    for (const name of Object.keys(event)) host.tell(name, event[name]);
    host.tell();
  },
};

/**
 * Has the simulation send requests. It gives up by itself what the link ends, and nobody stands at the reader for longer than a command
 * takes: there is nothing to pause.
 */
class AskedClient implements HttpTransport {
  readonly #number: number;
  #receiver: HttpReceiver | undefined;

  constructor(number: number) {
    this.#number = number;
  }

  get busy(): boolean {
    return this.#receiver !== undefined;
  }

  send({ server, method, path, headers, body, timeoutMs, maxBytes }: HttpOrder, receiver: HttpReceiver): void {
    if (this.#receiver !== undefined) throw new RangeError('a request is under way');
    this.#receiver = receiver;
    host.tell(NOTE.send, this.#number, method, server.host, server.port, server.secure, server.certificate);
    host.tell(path, body, timeoutMs, maxBytes);
    for (const name of Object.keys(headers)) host.tell(name, headers[name]);
    host.tell();
  }

  pause(): void {}
  resume(): void {}
  abort(): void {}

  /** What the simulation says of its answer. */
  hear(command: number): void {
    switch (command) {
      case COMMAND.answered:
        host.put(this.#receiver?.answered(host.next() as number, (name) => this.#header(name)) === true);
        return;
      case COMMAND.take:
        host.put(this.#receiver?.take(new Uint8Array(host.next() as ArrayBuffer)) === true);
        return;
      case COMMAND.ended:
        this.#over()?.ended();
        return;
      case COMMAND.failed:
        this.#over()?.failed(host.next() as HttpFailure, host.next() as string);
        return;
      default:
        throw new Error(`there is no command ${command}`);
    }
  }

  #header(name: string): string | undefined {
    host.put(QUESTION.header, this.#number, name);
    return host.ask() as string | undefined;
  }

  #over(): HttpReceiver | undefined {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    return receiver;
  }
}

/** Has somebody outside set the clock: at once, or not at all. */
class AskedTime implements TimeSource {
  #done: ((problem: string | undefined) => void) | undefined;
  readonly #doubt: ClockDoubt;

  constructor(clock: Clock) {
    this.#doubt = new ClockDoubt(clock);
  }

  get doubtful(): boolean {
    return this.#doubt.isDoubtful;
  }

  get busy(): boolean {
    return this.#done !== undefined;
  }

  doubt(): void {
    this.#doubt.doubt();
  }

  confirm(): void {
    this.#doubt.confirm();
  }

  abort(): void {}

  ask(done: (problem: string | undefined) => void): void {
    this.#done = done;
    host.tell(NOTE.setTime);
    host.tell();
  }

  told(problem: string | undefined): void {
    const done = this.#done;
    this.#done = undefined;
    if (problem === undefined) this.#doubt.wasSet();
    done?.(problem);
  }
}

/** What it was started with, and what exists since. */
interface Running {
  /** Firmware holds it, too. */
  readonly provisioning: Provisioning;
  readonly verifier: Verifier;
  readonly point: ChargingPoint;
  readonly refresh: BundleRefresh;
  readonly errands: Errands;
  /** By their numbers. */
  readonly clients: readonly AskedClient[];
  readonly time: AskedTime;
  readonly network: ToldLink;
  /** The bundles in force, as they were told. A trust set never changes its list, it takes another. */
  told: readonly HeldBundle[] | undefined;
}

/** A link is as a command says. */
interface ToldLink {
  up: boolean;
}

/** Never ends: without power it is gone. */
export default function main(): void {
  const clock = new ToldClock();
  let running: Running | undefined;
  for (;;) {
    const command = host.receive() as number;
    clock.wall = host.next() as number | undefined;
    clock.monotonic = host.next() as number;
    if (command === COMMAND.start) running = started(clock);
    else perform(command, running as Running, clock);
    if (running !== undefined) tellBundles(running);
    host.answer();
  }
}

function started(clock: Clock): Running | undefined {
  const earliestMs = host.next() as number;
  const salt = host.next() as number;
  const timeoutMs = host.next() as number;
  const flash = (number: number) => {
    const size = host.next() as number;
    return size === 0 ? undefined : new AskedFlash(number, size);
  };
  const image = flash(PARTITION.provisioning) as Flash;
  const ledger = flash(PARTITION.ledger) as Flash;
  const journal = flash(PARTITION.journal);
  const bundles = flash(PARTITION.bundles) as Flash;
  const found = readProvisioning(image);
  if (found instanceof ProvisioningProblem) return unfit(found);
  const { provisioning, damage } = found;
  if (damage !== undefined) log.emit({ event: 'provisioning.damaged', detail: damage });
  let older: ProvisioningProblem | undefined;
  const boot = new Boot({
    configuration: provisioning.site,
    crypto: CRYPTO,
    clock,
    flash: { ledger, journal, bundles },
    salt,
    earliestMs: Math.max(earliestMs, provisioning.madeAtMs ?? 0),
    admits: (opened) => {
      older = admitCounter(opened, provisioning.counter);
      return older?.message;
    },
    log,
  });
  while (boot.step());
  const { device, stoppedBy } = boot;
  if (device === undefined) {
    if (older !== undefined) return unfit(older);
    host.put('stopped', stoppedBy?.step, stoppedBy?.detail);
    return undefined;
  }
  const { verifier, reservationsLeft } = device;
  tellLeft(reservationsLeft);
  const point = new ChargingPoint({ verifier, relay: UNSEEN_RELAY, log });
  const refresh = new BundleRefresh({ verifier, crypto: CRYPTO, random: chanceOf(provisioning), log });
  const uploader = uploaderOf(device.journal, provisioning);
  const order = handInOrder(provisioning);
  idle(verifier);
  const clients = [new AskedClient(CLIENT.errands), new AskedClient(CLIENT.questions)];
  const time = new AskedTime(clock);
  const network: ToldLink = { up: false };
  const errands = new Errands({
    refresh,
    // A provisioned URL is one that the core can use.
    authority: serverOf(provisioning.policyAuthorityUrl) as Server,
    ...(uploader !== undefined && order !== undefined && { handIn: { uploader, order: { ...order, timeoutMs } } }),
    client: clients[CLIENT.errands] as AskedClient,
    time,
    clock,
    linkUp: () => network.up,
    hasLink: true,
  });
  return { provisioning, verifier, point, refresh, errands, clients, time, network, told: undefined };
}

const CRYPTO = chosenCrypto('native');

/** Nobody in a run looks at it: what flows is the meter's. */
const UNSEEN_RELAY = Object.freeze({ close: () => undefined, open: () => undefined });

function unfit({ fault, message }: ProvisioningProblem): undefined {
  host.put('unfit', fault, message);
  return undefined;
}

function uploaderOf(journal: Journal | undefined, provisioning: Provisioning): Uploader | undefined {
  if (journal === undefined || provisioning.operator === undefined) return undefined;
  return new Uploader(journal, { random: chanceOf(provisioning), log });
}

/** As every virtual device has it: those that lost the network together must not come back together. */
function chanceOf({ deviceId }: Provisioning): () => number {
  const bytes = new Uint8Array(deviceId.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = deviceId.charCodeAt(i);
  const chance = new SeededRandom(crc32(bytes));
  return () => chance.next();
}

function idle(verifier: Verifier): void {
  while (verifier.step());
}

function tellLeft(left: readonly ReservationLeft[]): void {
  for (const { reservation, closing } of left) {
    host.tell(NOTE.left, reservation.receiptId);
    if (closing !== undefined) host.tell(...valuesOf(closing));
    host.tell();
  }
}

function tellBundles(running: Running): void {
  const { bundles } = running.verifier.trust;
  if (bundles === running.told) return;
  running.told = bundles;
  host.tell(NOTE.bundles);
  for (const { bundleId } of bundles) host.tell(bundleId);
  host.tell();
}

function perform(command: number, running: Running, clock: Clock): void {
  const { verifier, errands, time, clients } = running;
  switch (command) {
    case COMMAND.pay:
      pay(running);
      return;
    case COMMAND.begin:
      begin(running, clock);
      return;
    case COMMAND.tick:
      putEvent(running.point.tick(host.next() as number, clock.monotonicMs()));
      return;
    case COMMAND.stop:
      putEvent(running.point.stop(host.next() as number, clock.monotonicMs()));
      return;
    case COMMAND.askRevocation:
      ask(running);
      return;
    case COMMAND.idle:
      idle(verifier);
      return;
    case COMMAND.urgent:
      host.put(errands.urgent(host.next() as string));
      return;
    case COMMAND.linkCame:
      errands.linkChanged(true);
      return;
    case COMMAND.refresh:
      refresh(running, clock);
      return;
    case COMMAND.handIn:
      handIn(errands);
      return;
    case COMMAND.hasTime:
      host.put(typeof verifier.now() === 'number');
      return;
    case COMMAND.timeTold:
      time.told(host.next() as string | undefined);
      return;
    case COMMAND.timeConfirmed:
      time.confirm();
      return;
    default:
      clients[host.next() as number]?.hear(command);
  }
}

function pay(running: Running): void {
  const { verifier, point } = running;
  const presentation = presented(running);
  const request = JSON.parse(host.next() as string) as PaymentRequest;
  putDecision(running, point.busy ?? verifier.authorize(presentation, request));
}

function begin(running: Running, clock: Clock): void {
  const presentation = presented(running);
  putDecision(running, running.point.begin(presentation, host.next() as string, clock.monotonicMs()));
}

/** What a payer presents; whatever a decision needs has been made ready. */
function presented({ verifier, network }: Running): Uint8Array {
  network.up = host.next() as boolean;
  // They may have waited for a clock.
  if (!verifier.bundlesLoaded) verifier.loadBundles();
  if (verifier.revocation) verifier.revocation.linkUp = network.up;
  return new Uint8Array(host.next() as ArrayBuffer);
}

function putEvent(event: SessionEvent | undefined): void {
  if (event === undefined) return;
  const { kind, why, receiptId, closing } = event;
  host.put(kind, why, receiptId, event.kind === 'ended' ? event.amountMinor : undefined, ...valuesOf(closing));
}

function valuesOf(closing: Closing): readonly (string | number | boolean)[] {
  if (!closing.ok) return [false, closing.artifact, closing.check, closing.code, closing.detail];
  return [true, closing.receiptId, closing.amountMinor, closing.timeMs];
}

function ask({ verifier, clients }: Running): void {
  const number = host.next() as number;
  const { revocation: checks } = verifier;
  const question = checks?.question;
  if (checks === undefined || question === undefined) throw new Error('there is nothing to be asked');
  askRevocation({ client: clients[CLIENT.questions] as AskedClient, checks }, question, () => {
    host.tell(NOTE.asked, number);
    host.tell();
  });
}

function putDecision({ verifier }: Running, decision: Decision): void {
  host.put(verifier.revocation?.question !== undefined);
  if (!decision.ok) {
    host.put(false, decision.artifact, decision.check, decision.code, decision.detail);
    return;
  }
  const { receiptId, repeated, amountMinor, grantId, budgetId, sessionId, actorId, timeMs } = decision;
  host.put(true, receiptId, repeated, amountMinor, grantId, budgetId, sessionId, actorId, timeMs);
}

function refresh({ errands, refresh, network }: Running, clock: Clock): void {
  network.up = host.next() as boolean;
  const step = errands.refresh(tellRefreshed);
  // Nobody but whoever switched the link off switches it on.
  if (step.kind === 'connect') tellRefreshed(refresh.gaveUp(clock.monotonicMs(), 'the link is down'));
  host.put(step.kind);
  if (step.kind === 'wait') host.put(step.ms);
}

function tellRefreshed(result: FetchResult | undefined): void {
  host.tell(NOTE.refreshed);
  if (result !== undefined) host.tell(result.kind);
  if (result?.kind === 'failed') host.tell(result.failure, result.detail);
  host.tell();
}

function handIn(errands: Errands): void {
  const step = errands.handIn(tellHandedIn);
  if (step === undefined) return;
  host.put(step.kind);
  if (step.kind === 'wait') host.put(step.ms);
  else if (step.kind === 'stopped') host.put(step.detail);
}

function tellHandedIn(result: UploadResult, network?: HttpFailure): void {
  host.tell(NOTE.handedIn, result.ok, result.receipts);
  if (!result.ok) host.tell(result.failure, result.detail, network);
  host.tell();
}
