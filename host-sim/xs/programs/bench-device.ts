// The device that the benchmark measures: the core with spend ledger, journal and bundles on partitions that the host holds in
// memory, as they are in flash: reads copy bytes into the machine, and nothing of a partition stays there.

import './host.ts';
import { KeyTables } from '../../../core/ed25519/key-tables.ts';
import { fromHex } from '../../../core/hash/hex.ts';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { Journal } from '../../../core/ledger/journal.ts';
import type { BeforeRecord, LedgerRefusal, Receipt, Spend } from '../../../core/ledger/ledger.ts';
import { MemoryLedger } from '../../../core/ledger/memory-ledger.ts';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import type { Crypto } from '../../../core/ports/ports.ts';
import { BundlePartition } from '../../../core/trust/bundle-partition.ts';
import { Verifier } from '../../../core/verifier.ts';
import {
  BENCH_FILES,
  type BenchCryptoName,
  type BenchFile,
  type Form,
  INPUT_PARTS,
  type InputPart,
  PART_ENTRY_BYTES,
  type SiteInput,
} from '../bench-input.ts';
import { chosenCrypto } from './crypto.ts';
import { HostFlash } from './host-flash.ts';

/** Words before the files: task, form, crypto. */
const FILES_FROM = 3;

/** The path of a file that the program was given. */
function pathOf(file: BenchFile): string {
  return host.argument(FILES_FROM + BENCH_FILES.indexOf(file)) as string;
}

/** The bytes of a part of the input. */
export function partBytes(part: InputPart): Uint8Array {
  const [offset, length] = rangeOf(part);
  return new Uint8Array(host.readFile(pathOf('input'), offset, length));
}

/** The JSON of a part of the input. */
export function partData<Data>(part: InputPart): Data {
  const [offset, length] = rangeOf(part);
  return JSON.parse(host.readText(pathOf('input'), offset, length)) as Data;
}

function rangeOf(part: InputPart): readonly [offset: number, length: number] {
  const entry = host.readFile(pathOf('input'), PART_ENTRY_BYTES * INPUT_PARTS.indexOf(part), PART_ENTRY_BYTES);
  const view = new DataView(entry);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}

/** A ledger that can put off a record, so that a decision and what commits it are measured apart. */
class PuttingOffLedger extends FlashLedger {
  putsOff = false;
  #spend: Spend | undefined;
  #before: BeforeRecord | undefined;

  override authorize(spend: Spend, before?: BeforeRecord): Receipt | LedgerRefusal {
    if (!this.putsOff) return super.authorize(spend, before);
    this.#spend = spend;
    this.#before = before;
    return { receiptId: 0, amount: spend.amount, timeMs: spend.timeMs };
  }

  /** Does what was put off: the journal's entry, then the ledger's record. */
  commit(): Receipt | LedgerRefusal {
    return super.authorize(this.#spend as Spend, this.#before);
  }
}

/** What hashes and verifies: a crypto, and tables of keys where it has some. */
export interface BenchCrypto {
  readonly crypto: Crypto;
  readonly keyTables?: KeyTables;
}

/** The crypto of that name. */
export function benchCrypto(name: BenchCryptoName): BenchCrypto {
  if (name !== 'tables') return { crypto: chosenCrypto(name) };
  const keyTables = new KeyTables(new HostFlash(pathOf('keyTables')));
  return { crypto: createPortableCrypto(chosenCrypto('native'), keyTables), keyTables };
}

/** A device that has started. */
export interface BenchDevice {
  readonly verifier: Verifier;
  /** Puts records off from here on; nothing where memory keeps them. */
  putOff(): void;
  /** Does what was put off last. */
  commit(): Receipt | LedgerRefusal | undefined;
  /** Does all the work of idle time. */
  idle(): void;
}

/** Starts: opens ledger and journal, verifies the bundles and puts them in force. */
export function start(
  form: Form,
  site: SiteInput,
  ports: BenchCrypto,
  clockMs: number = site.nowMs,
  stores: readonly [ledger: BenchFile, journal: BenchFile] = ['ledger', 'journal'],
): BenchDevice {
  const { crypto } = ports;
  const publicKey = fromHex(site.rootKey) as Uint8Array;
  const common = {
    configuration: { ...site.configuration, rootKeys: [{ kid: site.rootKid, publicKey }] },
    ...ports,
    clock: { wallMs: () => clockMs, monotonicMs: () => clockMs },
    // The artifacts are of a fixed day.
    earliestMs: 0,
    bundles: new BundlePartition(new HostFlash(pathOf('bundles')), crypto),
  };
  if (form === 'verifier') return withBundles(new Verifier({ ...common, ledger: new MemoryLedger(crypto) }));
  const ledger = new PuttingOffLedger(new HostFlash(pathOf(stores[0])), crypto);
  const journal = new Journal(new HostFlash(pathOf(stores[1])), crypto);
  return withBundles(new Verifier({ ...common, ledger, journal }), ledger);
}

function withBundles(verifier: Verifier, ledger?: PuttingOffLedger): BenchDevice {
  const admissions = verifier.loadBundles();
  if ('ok' in admissions) throw new Error(`the bundles were not loaded: ${admissions.detail}`);
  for (const admission of admissions) if (!admission.ok) throw new Error(`a bundle was refused: ${admission.detail}`);
  if (verifier.trust.bundles.length === 0) throw new Error('there is no bundle');
  return {
    verifier,
    putOff() {
      if (ledger !== undefined) ledger.putsOff = true;
    },
    commit: () => ledger?.commit(),
    idle() {
      while (verifier.step());
    },
  };
}
