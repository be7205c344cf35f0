// What the benchmark in XS works on: the artifacts of vector p-spa-01 and what follows from them, and partitions of a device
// that has been in use, written by the core itself on a simulated flash. The same bytes in every run.

import { join } from 'node:path';
import { Encoder } from 'cbor-x/encode';
import { ArtifactProblem } from '../../core/artifacts/members.ts';
import { hashedIntent } from '../../core/artifacts/settlement-intent.ts';
import { KeyTables } from '../../core/ed25519/key-tables.ts';
import { canonicalText } from '../../core/json/canonical.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { Journal } from '../../core/ledger/journal.ts';
import { ledgerKey } from '../../core/ledger/keys.ts';
import type { SpendLedger } from '../../core/ledger/ledger.ts';
import { BundlePartition, bundlePartitionBytes } from '../../core/trust/bundle-partition.ts';
import { Verifier, type VerifierParts } from '../../core/verifier.ts';
import { SimulatedFlash } from '../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../host-sim/flash/store.ts';
import { SimulatedClock } from '../../host-sim/ports/clock.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { signSba, signSpa } from '../../host-sim/signing/artifacts.ts';
import { keyFromSeed, type SigningKey } from '../../host-sim/signing/keys.ts';
import {
  type BenchFile,
  type FloorInput,
  INPUT_PARTS,
  type InputPart,
  PART_ENTRY_BYTES,
  type SiteInput,
} from '../../host-sim/xs/bench-input.ts';
import { projectFolder } from '../../host-sim/xs/project.ts';
import { fixturesOf, type Json, readVectorFiles } from '../conform/vector-files.ts';
import { BENCH_NOW_MS, BENCH_REQUEST, BENCH_SITE, benchBundle, benchPayments, benchRoot } from './payments.ts';

/** The vector whose artifacts are paid with. */
const VECTOR = 'p-spa-01';
/** Payments of other payers that ledger and journal have: they are in the way, as in any device that is in use. */
export const EARLIER_PAYMENTS = 100;
/** More than a journal holds. */
const MOST_PAYMENTS = 500;
const LEDGER_BYTES = 65_536;
const JOURNAL_BYTES = 262_144;
/** Eight tables. */
const KEY_TABLES_BYTES = 229_376;
const BLOCK_BYTES = 4096;
/** Maps as other encoders write them. */
const PLAIN_CBOR = new Encoder({ useRecords: false, variableMapSize: true });

/** The files for the program, by what they are. */
export type BenchInput = { readonly [file in BenchFile]: Uint8Array };

/** Bytes of the presentation that everything is measured on, and all files. */
export interface MadeInput {
  readonly files: BenchInput;
  readonly presentationBytes: number;
}

/** Makes the files. @throws Error where the core does not accept what it is about to be measured on */
export function makeInput(): MadeInput {
  const vector = readVector();
  const parts = partsOf(vector);
  return { files: { input: fileOf(parts), ...partitionsOf(vector) }, presentationBytes: parts.full.length };
}

/** The vector, and the keys it was signed with. */
interface Vector {
  readonly data: Json;
  readonly bundle: JsonObject;
  readonly root: Json;
  readonly keys: { readonly [name in 'pa' | 'fleet' | 'spa']: SigningKey };
}

function readVector(): Vector {
  const folder = join(projectFolder(), 'test', 'vectors', 'interop');
  const files = readVectorFiles(folder);
  const { keys, bundles } = fixturesOf(files);
  const data = files.find(({ kind }) => kind === 'spa-chains')?.data.cases.find((one: Json) => one.id === VECTOR);
  const signer = (name: string) => keyFromSeed(keys[name].kid, Buffer.from(keys[name].secretHex, 'hex'));
  return {
    data,
    bundle: bundles[data.trustBundles[0]],
    root: keys.root,
    keys: { pa: signer('pa'), fleet: signer('fleet'), spa: signer('spa') },
  };
}

function siteOf({ data, root }: Vector): SiteInput {
  const { rail, asset, destination } = data.settlement;
  return {
    nowMs: data.nowMs,
    configuration: {
      grantIssuers: [data.grant.issuer],
      sbaIssuers: { [data.grant.issuer]: [data.sba.issuer] },
      budgetUse: 'reuse',
      terminal: { rail, asset, destination, merchant: 'did:web:plugpoint.example', purpose: 'transport:charging' },
    },
    rootKid: root.kid,
    rootKey: Buffer.from(root.jwk.x, 'base64url').toString('hex'),
  };
}

function partsOf(vector: Vector): { readonly [part in InputPart]: Uint8Array } {
  const { data, keys } = vector;
  const { grant, sba, spa, settlementIntent } = data;
  const nextSpa = signSpa(
    { ...spa.authorization, decisionId: 'dec_901', nonce: 'n-p-1' },
    { key: keys.spa, issuer: spa.issuer },
  );
  const nextSba = signSba(
    { ...sba.authorization, budgetId: '550e8400-e29b-41d4-a716-446655440083' },
    { key: keys.fleet, issuer: sba.issuer },
  );
  return {
    site: bytesOf(siteOf(vector)),
    full: bytesOf({ grant, sba, spa, settlementIntent }),
    second: bytesOf({ grant, sba, spa: nextSpa, settlementIntent }),
    pair: bytesOf({ grant, sba }),
    pairAgain: bytesOf({ grant, sba: nextSba }),
    floor: bytesOf(floorOf(vector)),
    fullCbor: PLAIN_CBOR.encode({ grant, sba, spa, settlementIntent }),
  };
}

function floorOf({ data, keys }: Vector): FloorInput {
  const { grant, sba, spa, settlementIntent } = data;
  const signed = (domain: string, value: JsonObject, signature: string, key: SigningKey) => ({
    text: `MPCP:${domain}:1.0:${canonicalText(value)}`,
    key: Buffer.from(key.publicKey).toString('hex'),
    signature: Buffer.from(signature, 'base64').toString('hex'),
  });
  const intent = hashedIntent(settlementIntent);
  if (intent instanceof ArtifactProblem) throw new Error(`the settlement intent of ${VECTOR}: ${intent.message}`);
  return {
    signed: [
      signed('PolicyGrant', grant.grant, grant.signature, keys.pa),
      signed('SBA', sba.authorization, sba.signature, keys.fleet),
      signed('SPA', spa.authorization, spa.signature, keys.spa),
    ],
    intent: `MPCP:SettlementIntent:1.0:${canonicalText(intent)}`,
  };
}

/** Ledger and journal after earlier payments, the vector's bundle, and tables of its keys. */
function partitionsOf(vector: Vector): Omit<BenchInput, 'input'> {
  const crypto = createNodeCrypto();
  const flashes = { ledger: flashOf(LEDGER_BYTES), journal: flashOf(JOURNAL_BYTES) };
  const bundles = flashOf(bundlePartitionBytes(BLOCK_BYTES));
  const ledger = new FlashLedger(flashes.ledger, crypto);
  const journal = new Journal(flashes.journal, crypto);
  const stores = { ledger, journal, crypto };
  const earlier = verifierOf({ ...stores, configuration: { ...BENCH_SITE, rootKeys: [benchRoot()] } });
  accepted(earlier.admit(benchBundle()), 'the bundle of the earlier payments');
  for (const { presentation } of benchPayments(EARLIER_PAYMENTS, true)) {
    accepted(earlier.authorize(presentation, BENCH_REQUEST), 'an earlier payment');
    while (earlier.step());
  }
  const { configuration, rootKid, rootKey } = siteOf(vector);
  const verifier = verifierOf({
    ...stores,
    bundles: new BundlePartition(bundles, crypto),
    configuration: { ...configuration, rootKeys: [{ kid: rootKid, publicKey: Buffer.from(rootKey, 'hex') }] },
  });
  const intake = verifier.beginBundles();
  if ('ok' in intake) throw new Error(`no bundle can be taken in: ${intake.detail}`);
  intake.write(bytesOf({ bundles: [vector.bundle] }));
  const admissions = intake.end();
  for (const admission of 'ok' in admissions ? [admissions] : admissions)
    accepted(admission, 'the bundle of the vector');
  while (verifier.step());
  const used = {
    ledger: flashes.ledger.contents(),
    journal: flashes.journal.contents(),
    bundles: bundles.contents(),
    keyTables: keyTablesOf(vector).contents(),
  };
  fillStores(earlier, ledger, journal);
  return { ...used, fullLedger: flashes.ledger.contents(), fullJournal: flashes.journal.contents() };
}

/** Payments until the journal has no room, then ids until the ledger has none. */
function fillStores(verifier: Verifier, ledger: FlashLedger, journal: Journal): void {
  for (const { presentation } of benchPayments(MOST_PAYMENTS, true).slice(EARLIER_PAYMENTS)) {
    if (!verifier.authorize(presentation, BENCH_REQUEST).ok) break;
    while (verifier.step());
  }
  const crypto = createNodeCrypto();
  const grant = ledgerKey(crypto, 'grant', new Uint8Array(0), 'full');
  const keepUntilMs = BENCH_NOW_MS + 86_400_000;
  for (let i = 0; ; i++) {
    const budget = ledgerKey(crypto, 'budget', new Uint8Array(0), `full ${i}`);
    const ids = { grant, budget, replay: budget, idempotency: undefined, content: budget };
    if ('code' in ledger.authorize({ ...ids, amount: 10n, timeMs: BENCH_NOW_MS, keepUntilMs })) break;
    while (ledger.step());
  }
  if (journal.problem?.code !== 'STORE_FULL')
    throw new Error(`the journal is not full: ${JSON.stringify(journal.fill)}`);
}

/** A partition on which the keys of the vector have their tables. */
function keyTablesOf({ keys }: Vector): SimulatedFlash {
  const flash = flashOf(KEY_TABLES_BYTES);
  const tables = new KeyTables(flash);
  tables.wanted([keys.pa.publicKey, keys.fleet.publicKey, keys.spa.publicKey]);
  while (tables.step());
  if (tables.tables !== 3) throw new Error(`${tables.tables} keys have tables`);
  return flash;
}

function verifierOf(parts: Omit<VerifierParts, 'clock'> & { readonly ledger: SpendLedger }): Verifier {
  return new Verifier({ ...parts, clock: new SimulatedClock(BENCH_NOW_MS), earliestMs: 0 });
}

function accepted(answer: { readonly ok: boolean }, what: string): void {
  if (!answer.ok) throw new Error(`${what} was refused: ${JSON.stringify(answer)}`);
}

function flashOf(size: number): SimulatedFlash {
  return new SimulatedFlash(new MemoryStore(size));
}

/** The input file: where each part is, then the parts. */
function fileOf(parts: { readonly [part in InputPart]: Uint8Array }): Uint8Array {
  const head = new DataView(new ArrayBuffer(PART_ENTRY_BYTES * INPUT_PARTS.length));
  let at = head.byteLength;
  INPUT_PARTS.forEach((part, i) => {
    head.setUint32(PART_ENTRY_BYTES * i, at, true);
    head.setUint32(PART_ENTRY_BYTES * i + 4, parts[part].length, true);
    at += parts[part].length;
  });
  return Buffer.concat([new Uint8Array(head.buffer), ...INPUT_PARTS.map((part) => parts[part])]);
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
