// What the benchmark measures inside XS, task by task: the words are a task, a crypto, and files (bench-input.ts). Each task
// prepares a device as it is before the moment that counts, then hands over the work.

import './host.ts';
import type { PaymentRequest } from '../../../core/chain/request.ts';
import { type Domain, domainDigest } from '../../../core/hash/domains.ts';
import { fromHex } from '../../../core/hash/hex.ts';
import { readPresentation } from '../../../core/intake/presentation.ts';
import { canonicalText } from '../../../core/json/canonical.ts';
import { JsonProblem, readJson } from '../../../core/json/reader.ts';
import type { JsonObject } from '../../../core/json/value.ts';
import { ARTIFACT_LIMITS, PRESENTATION_BYTES } from '../../../core/limits.ts';
import type { Crypto, Hash } from '../../../core/ports/ports.ts';
import type { BenchCryptoName, FloorInput, Form, InputPart, SiteInput } from '../bench-input.ts';
import { type BenchCrypto, type BenchDevice, benchCrypto, partBytes, partData, start } from './bench-device.ts';
import { measured, type Work } from './bench-measure.ts';

/** Prepares, and gives the work. */
type Task = (ports: BenchCrypto, form: Form) => Work;

/** The artifacts as they are presented. */
interface Presented {
  readonly grant: { readonly grant: JsonObject };
  readonly sba: { readonly authorization: JsonObject };
  readonly spa: { readonly authorization: JsonObject };
  readonly settlementIntent: JsonObject;
}

/** A signed text, its key and its signature as bytes. */
interface Signed {
  readonly text: string;
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
}

const ATOMIC: PaymentRequest = { amountMinor: '2500', unit: { kind: 'atomic' } };
const FIAT: PaymentRequest = { amountMinor: '2500', unit: { kind: 'fiat', currency: 'USD', minorUnit: 2 } };
const DAYS_LATER_MS = 3 * 86_400_000;
const HASHED_BYTES = 1024;
/** Places in the part `floor`. */
const GRANT = 0;
const SBA = 1;
const SPA = 2;

const TASKS: { readonly [name: string]: Task } = {
  read: () => reading('full'),
  readCbor: () => reading('fullCbor'),
  canonical: () => {
    const bytes = partBytes('full');
    const limits = { ...ARTIFACT_LIMITS, bytes: PRESENTATION_BYTES };
    return () => {
      const value = readJson(bytes, limits);
      return value instanceof JsonProblem ? value.message : `${canonicalText(value).length}`;
    };
  },
  digests: ({ crypto }) => {
    const { grant, sba, spa, settlementIntent } = partData<Presented>('full');
    const hashed: readonly (readonly [Domain, JsonObject])[] = [
      ['PolicyGrant', grant.grant],
      ['SBA', sba.authorization],
      ['SPA', spa.authorization],
      ['SettlementIntent', settlementIntent],
    ];
    return () => {
      for (const [domain, value] of hashed) domainDigest(crypto, domain, value, false);
      return 'ok';
    };
  },
  sha256: ({ crypto }) => hashing(() => crypto.sha256()),
  sha512: ({ crypto }) => hashing(() => crypto.sha512()),
  verify: ({ crypto, keyTables }) => {
    // As after idle time: tables are checked.
    while (keyTables?.step());
    const { text, key, signature } = signedOf(SBA);
    const digest = digestOf(crypto, text);
    return () => (crypto.ed25519Verify(key, signature, digest) ? 'ok' : 'refused');
  },
  floor: ({ crypto }) => floorOf(crypto, [GRANT, SBA, SPA], true),
  floorAgain: ({ crypto }) => floorOf(crypto, [SBA, SPA], true),
  floorPair: ({ crypto }) => floorOf(crypto, [GRANT, SBA], false),
  floorPairAgain: ({ crypto }) => floorOf(crypto, [SBA], false),
  full: (ports, form) => deciding(started(ports, form), 'full', ATOMIC),
  fullAgain: (ports, form) => deciding(paid(ports, form, 'full', ATOMIC), 'second', ATOMIC),
  pair: (ports, form) => deciding(started(ports, form), 'pair', FIAT),
  pairAgain: (ports, form) => deciding(paid(ports, form, 'pair', FIAT), 'pairAgain', FIAT),
  amount: (ports, form) => deciding(started(ports, form), 'full', { ...ATOMIC, amountMinor: '2501' }),
  expiry: (ports, form) => deciding(started(ports, form, DAYS_LATER_MS), 'full', ATOMIC),
  replay: (ports, form) => deciding(paid(ports, form, 'full', ATOMIC), 'full', ATOMIC),
  commit: (ports, form) => {
    const device = started(ports, form);
    deciding(device, 'full', ATOMIC)();
    return () => codeOf(device.commit() ?? {});
  },
  start: (ports, form) => {
    const site = partData<SiteInput>('site');
    return () => `${start(form, site, ports).verifier.takeUpReservations().length}`;
  },
  startFull: (ports, form) => {
    const site = partData<SiteInput>('site');
    return () =>
      `${start(form, site, ports, site.nowMs, ['fullLedger', 'fullJournal']).verifier.takeUpReservations().length}`;
  },
};

/** Words: task, form, crypto, files. */
export default function main(): void {
  const task = TASKS[host.argument(0) as string];
  if (task === undefined) throw new Error(`there is no task ${host.argument(0)}`);
  measured(task(benchCrypto(host.argument(2) as BenchCryptoName), host.argument(1) as Form));
}

function reading(part: InputPart): Work {
  const bytes = partBytes(part);
  return () => ('ok' in readPresentation(bytes) ? 'refused' : 'ok');
}

function started(ports: BenchCrypto, form: Form, laterMs = 0): BenchDevice {
  const site = partData<SiteInput>('site');
  const device = start(form, site, ports, site.nowMs + laterMs);
  device.idle();
  return device;
}

/** A device that has accepted a payment. */
function paid(ports: BenchCrypto, form: Form, part: InputPart, request: PaymentRequest): BenchDevice {
  const device = started(ports, form);
  const decision = device.verifier.authorize(partBytes(part), request);
  if (!decision.ok) throw new Error(`the first payment was refused: ${decision.detail}`);
  device.idle();
  return device;
}

/** From bytes to the answer; what commits it is put off. */
function deciding(device: BenchDevice, part: InputPart, request: PaymentRequest): Work {
  const bytes = partBytes(part);
  device.putOff();
  return () => codeOf(device.verifier.authorize(bytes, request));
}

function codeOf(answer: object): string {
  return 'code' in answer ? String(answer.code) : 'ok';
}

function hashing(start: () => Hash): Work {
  const bytes = new Uint8Array(HASHED_BYTES);
  return () => {
    const hash = start();
    hash.update(bytes);
    return `${hash.digest().length}`;
  };
}

/** Hashes and signature checks of a payment alone, on bytes that are ready: what no verifier can do without. */
function floorOf(crypto: Crypto, artifacts: readonly number[], withIntent: boolean): Work {
  const signed = artifacts.map(signedOf);
  const intent = withIntent ? partData<FloorInput>('floor').intent : undefined;
  return () => {
    let good = 0;
    for (const { text, key, signature } of signed)
      if (crypto.ed25519Verify(key, signature, digestOf(crypto, text))) good++;
    if (intent !== undefined) digestOf(crypto, intent);
    return good === signed.length ? 'ok' : 'refused';
  };
}

function signedOf(place: number): Signed {
  const { text, key, signature } = partData<FloorInput>('floor').signed[place] as FloorInput['signed'][number];
  return { text, key: fromHex(key) as Uint8Array, signature: fromHex(signature) as Uint8Array };
}

function digestOf(crypto: Crypto, text: string): Uint8Array {
  const hash = crypto.sha256();
  hash.update(text);
  return hash.digest();
}
