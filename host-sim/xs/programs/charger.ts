// A charger in the engine: all of the core that its firmware holds between the payer's reader and the network. It does what it is
// told, command by command; its flash and its network are outside, and its clock is what a command says.

import './host.ts';
import { Boot } from '../../../core/boot/boot.ts';
import type { PaymentRequest } from '../../../core/chain/request.ts';
import { crc32 } from '../../../core/encoding/crc32.ts';
import type { Journal } from '../../../core/ledger/journal.ts';
import { type Clock, type Flash, FlashError, type Log } from '../../../core/ports/ports.ts';
import { admitCounter } from '../../../core/provisioning/counter.ts';
import { readProvisioning } from '../../../core/provisioning/partition.ts';
import { type Provisioning, ProvisioningProblem } from '../../../core/provisioning/provisioning.ts';
import type { BundleFetch, FetchResult } from '../../../core/refresh/bundle-fetch.ts';
import { BundleRefresh } from '../../../core/refresh/bundle-refresh.ts';
import type { RevocationQuestion } from '../../../core/refresh/revocation.ts';
import { Uploader, type UploadResult } from '../../../core/refresh/upload.ts';
import type { HeldBundle } from '../../../core/trust/held-bundle.ts';
import type { Decision, Verifier } from '../../../core/verifier.ts';
import { SeededRandom } from '../../flash/random.ts';
import { COMMAND, NOTE, PARTITION, QUESTION } from '../../xs-device/protocol.ts';
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

/** What it was started with, and what exists since. */
interface Running {
  /** Firmware holds it, too. */
  readonly provisioning: Provisioning;
  readonly verifier: Verifier;
  readonly uploader: Uploader | undefined;
  readonly refresh: BundleRefresh;
  /** Held for whoever has the network. */
  fetch: BundleFetch | undefined;
  question: RevocationQuestion | undefined;
  /** The bundles in force, as they were told. A trust set never changes its list, it takes another. */
  told: readonly HeldBundle[] | undefined;
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
  const { verifier } = device;
  const refresh = new BundleRefresh({ verifier, crypto: CRYPTO, random: chanceOf(provisioning), log });
  const uploader = uploaderOf(device.journal, provisioning);
  idle(verifier);
  return {
    provisioning,
    verifier,
    uploader,
    refresh,
    fetch: undefined,
    question: undefined,
    told: undefined,
  };
}

const CRYPTO = chosenCrypto('native');

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

function tellBundles(running: Running): void {
  const { bundles } = running.verifier.trust;
  if (bundles === running.told) return;
  running.told = bundles;
  host.tell(NOTE.bundles);
  for (const { bundleId } of bundles) host.tell(bundleId);
  host.tell();
}

function perform(command: number, running: Running, clock: Clock): void {
  const { verifier, refresh } = running;
  switch (command) {
    case COMMAND.pay:
      pay(running);
      return;
    case COMMAND.idle:
      idle(verifier);
      return;
    case COMMAND.refreshNext:
      refreshNext(running, clock);
      return;
    case COMMAND.refreshGaveUp:
      putFetched(refresh.gaveUp(clock.monotonicMs(), host.next() as string));
      return;
    case COMMAND.hasTime:
      host.put(typeof verifier.now() === 'number');
      return;
    case COMMAND.urgent:
      host.put(refresh.urgent(clock.monotonicMs(), host.next() as string));
      return;
    case COMMAND.uploadNext:
    case COMMAND.uploadAnswered:
    case COMMAND.uploadUnanswered:
      upload(command, running.uploader as Uploader, clock.monotonicMs());
      return;
    case COMMAND.revocationAnswered:
    case COMMAND.revocationFailed:
      revocation(command, running);
      return;
    default:
      fetched(command, running.fetch as BundleFetch, clock);
  }
}

function pay(running: Running): void {
  const { verifier } = running;
  const linkUp = host.next() as boolean;
  const presentation = new Uint8Array(host.next() as ArrayBuffer);
  const request = JSON.parse(host.next() as string) as PaymentRequest;
  // They may have waited for a clock.
  if (!verifier.bundlesLoaded) verifier.loadBundles();
  if (verifier.revocation) verifier.revocation.linkUp = linkUp;
  const decision = verifier.authorize(presentation, request);
  running.question = verifier.revocation?.question;
  putDecision(decision);
  const { question } = running;
  if (question !== undefined) host.put(question.url, question.timeoutMs, question.maxBytes);
}

function putDecision(decision: Decision): void {
  if (!decision.ok) {
    host.put(false, decision.artifact, decision.check, decision.code, decision.detail);
    return;
  }
  const { receiptId, repeated, amountMinor, grantId, budgetId, sessionId, actorId, timeMs } = decision;
  host.put(true, receiptId, repeated, amountMinor, grantId, budgetId, sessionId, actorId, timeMs);
}

function refreshNext(running: Running, clock: Clock): void {
  const linkUp = host.next() as boolean;
  const busy = host.next() as boolean;
  const clockSet = clock.wallMs() !== undefined;
  const step = running.refresh.next({ nowMs: clock.monotonicMs(), linkUp, clockSet, busy });
  if (step.kind === 'wait') host.put('wait', step.ms);
  else if (step.kind !== 'fetch') host.put(step.kind);
  else {
    running.fetch = step.fetch;
    const { path, timeoutMs, maxBytes, headers } = step.fetch.order;
    host.put('fetch', path, timeoutMs, maxBytes);
    for (const name of Object.keys(headers)) host.put(name, headers[name]);
  }
}

function header(name: string): string | undefined {
  host.put(QUESTION.header, name);
  return host.ask() as string | undefined;
}

function fetched(command: number, fetch: BundleFetch, clock: Clock): void {
  const nowMs = clock.monotonicMs();
  switch (command) {
    case COMMAND.fetchAnswered:
      host.put(fetch.answered(nowMs, host.next() as number, header, clock.wallMs()));
      return;
    case COMMAND.fetchTake:
      host.put(fetch.take(nowMs, new Uint8Array(host.next() as ArrayBuffer)));
      return;
    case COMMAND.fetchFailed:
      putFetched(fetch.failed(nowMs, host.next() as 'link-down' | 'unreachable' | 'timeout', host.next() as string));
      return;
    case COMMAND.fetchEnded:
      putFetched(fetch.ended(nowMs));
      return;
    default:
      throw new Error(`there is no command ${command}`);
  }
}

function putFetched(result: FetchResult | undefined): void {
  if (result === undefined) return;
  host.put(result.kind);
  if (result.kind === 'failed') host.put(result.failure, result.detail);
}

function upload(command: number, uploader: Uploader, nowMs: number): void {
  if (command === COMMAND.uploadUnanswered) {
    putUploaded(uploader.unanswered(nowMs, host.next() as string));
    return;
  }
  if (command === COMMAND.uploadAnswered) {
    const status = host.next() as number;
    putUploaded(uploader.answered(nowMs, status, new Uint8Array(host.next() as ArrayBuffer)));
    return;
  }
  const step = uploader.next(nowMs);
  host.put(step.kind);
  if (step.kind === 'send') host.put(step.batch.body);
  else if (step.kind === 'wait') host.put(step.ms);
  else if (step.kind === 'stopped') host.put(step.detail);
}

function putUploaded(result: UploadResult): void {
  host.put(result.ok, result.receipts);
  if (!result.ok) host.put(result.failure, result.detail);
}

function revocation(command: number, { verifier, question }: Running): void {
  const { revocation: checks } = verifier;
  if (checks === undefined || question === undefined) return;
  if (command === COMMAND.revocationFailed) {
    checks.failed(question, host.next() as string);
    return;
  }
  const status = host.next() as number;
  checks.answered(question, status, header, new Uint8Array(host.next() as ArrayBuffer));
}
