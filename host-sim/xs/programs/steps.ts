// A device in XS that is put through the steps of a file, all in the same machine. Says what came of each, and at some of them
// what the machine holds after a full collection.

import './host.ts';
import type { PaymentRequest } from '../../../core/chain/request.ts';
import { encodeUtf8 } from '../../../core/encoding/utf8.ts';
import { fromHex, toHex } from '../../../core/hash/hex.ts';
import { presentationFromAuthorizationBytes } from '../../../core/intake/http-authorization.ts';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { Journal } from '../../../core/ledger/journal.ts';
import { Uploader } from '../../../core/refresh/upload.ts';
import { BundlePartition } from '../../../core/trust/bundle-partition.ts';
import { Verifier } from '../../../core/verifier.ts';
import type { Form, SiteInput } from '../bench-input.ts';
import { STEP_ENTRY_BYTES, STEPS_HEAD_BYTES, stepLabel } from '../steps.ts';
import { chosenCrypto } from './crypto.ts';
import { HostFlash } from './host-flash.ts';
import { RenewedLedger } from './renewed-ledger.ts';

const REQUEST: PaymentRequest = { amountMinor: '2500' };
/** Bytes of an answer that arrive at a time. */
const CHUNK_BYTES = 256;

/** How much later it is than at the start. */
interface Time {
  laterMs: number;
}

/** A device and its time. */
interface Device {
  readonly verifier: Verifier;
  readonly time: Time;
  /** What is done behind a payment that was accepted. Gives words for what came of it. */
  accepted(receiptId: number): string;
}

/**
 * Words: the file of steps, the crypto, the form, after how many steps each the heap is told, how many come before that
 * counts, the partition of the bundles;
 * then those of ledger and journal, or after how many payments a ledger in memory begins anew.
 */
export default function main(): void {
  const file = host.argument(0) as string;
  const count = new DataView(host.readFile(file, 0, STEPS_HEAD_BYTES)).getUint32(0, true);
  const told = Number(host.argument(3));
  const device = start(file);
  const before = Number(host.argument(4));
  for (let i = 0; i < count; i++) {
    const isTold = (i + 1 - before) % told === 0 || i === count - 1;
    if (isTold) host.measure();
    take(device, file, i);
    if (!isTold) continue;
    host.figures(stepLabel('work', i));
    const held = stepLabel('held', i);
    // Twice: some variables of calls that ended are given back only with the collection after.
    host.collect();
    host.measure();
    host.figures(held);
  }
}

function entryOf(file: string, i: number): DataView {
  return new DataView(host.readFile(file, STEPS_HEAD_BYTES + STEP_ENTRY_BYTES * i, STEP_ENTRY_BYTES));
}

function start(file: string): Device {
  const entry = entryOf(file, 0);
  const site: SiteInput = JSON.parse(host.readText(file, entry.getUint32(4, true), entry.getUint32(8, true)));
  const crypto = chosenCrypto(host.argument(1));
  const form = host.argument(2) as Form;
  const time = { laterMs: 0 };
  const common = {
    configuration: {
      ...site.configuration,
      rootKeys: [{ kid: site.rootKid, publicKey: fromHex(site.rootKey) as Uint8Array }],
    },
    crypto,
    clock: { wallMs: () => site.nowMs + time.laterMs, monotonicMs: () => time.laterMs },
    // The artifacts are of a fixed day.
    earliestMs: 0,
    bundles: new BundlePartition(new HostFlash(host.argument(5) as string), crypto),
  };
  if (form === 'verifier') {
    const ledger = new RenewedLedger(crypto);
    const every = Number(host.argument(6));
    const verifier = new Verifier({ ...common, ledger });
    return {
      verifier,
      time,
      accepted(receiptId) {
        if (receiptId === every) ledger.renew();
        return '';
      },
    };
  }
  const ledger = new FlashLedger(new HostFlash(host.argument(6) as string), crypto);
  const journal = new Journal(new HostFlash(host.argument(7) as string), crypto);
  const verifier = new Verifier({ ...common, ledger, journal });
  const uploader = new Uploader(journal, { random: () => 0 });
  return {
    verifier,
    time,
    accepted(receiptId) {
      const step = uploader.next(time.laterMs);
      if (step.kind !== 'send' || step.batch.first !== receiptId || step.batch.last !== receiptId)
        throw new Error(`receipt ${receiptId} cannot be handed in: ${step.kind}`);
      const hash = crypto.sha256();
      hash.update(step.batch.body);
      const result = uploader.answered(time.laterMs, 200, encodeUtf8(`{"acknowledged":${receiptId}}`) as Uint8Array);
      if (!result.ok) throw new Error(`receipt ${receiptId} cannot be acknowledged: ${result.detail}`);
      while (verifier.step());
      return ` ${toHex(hash.digest())}`;
    },
  };
}

/** Nothing of a step is left behind it. */
function take(device: Device, file: string, i: number): void {
  const entry = entryOf(file, i + 1);
  device.time.laterMs = 1000 * entry.getUint32(12, true);
  const outcome = outcomeOf(device, file, entry);
  // Behind it, when the payment's own bytes are gone.
  host.print(`${i} ${typeof outcome === 'number' ? `ok${device.accepted(outcome)}` : outcome}`);
}

/** The receipt of a payment that was accepted; or words. */
function outcomeOf(device: Device, file: string, entry: DataView): number | string {
  const at = entry.getUint32(4, true);
  const length = entry.getUint32(8, true);
  switch (entry.getUint32(0, true)) {
    case 0:
      return paid(device, new Uint8Array(host.readFile(file, at, length)));
    case 1: {
      const bytes = presentationFromAuthorizationBytes(new Uint8Array(host.readFile(file, at, length)));
      return 'ok' in bytes ? `${bytes.code} ${bytes.check} ${bytes.detail}` : paid(device, bytes);
    }
    default:
      return answered(device, file, at, length);
  }
}

function paid({ verifier }: Device, bytes: Uint8Array): number | string {
  const decision = verifier.authorize(bytes, REQUEST);
  return decision.ok ? decision.receiptId : `${decision.code} ${decision.check} ${decision.detail}`;
}

function answered({ verifier }: Device, file: string, at: number, length: number): string {
  const intake = verifier.beginBundles();
  if ('ok' in intake) return `${intake.code} ${intake.check} ${intake.detail}`;
  for (let done = 0; done < length; done += CHUNK_BYTES)
    if (intake.write(new Uint8Array(host.readFile(file, at + done, Math.min(CHUNK_BYTES, length - done))))) break;
  const admissions = intake.end();
  if ('ok' in admissions) return `${admissions.code} ${admissions.check} ${admissions.detail}`;
  for (const admission of admissions)
    if (!admission.ok) return `${admission.code} ${admission.check} ${admission.detail}`;
  return 'ok';
}
