// What the benchmark gives to its program in XS: one file with the artifacts, and images of a device's partitions. Both sides
// know the places of the parts by this file.

import type { SiteConfiguration } from '../../core/configuration.ts';

/** Parts of the input file, in their order. The file begins with offset and length of each, 32 bits, little-endian. */
export const INPUT_PARTS = ['site', 'full', 'second', 'pair', 'pairAgain', 'floor', 'fullCbor'] as const;

/** One of them; `site` and `floor` are JSON, the others are presentations, `fullCbor` the CBOR of `full`. */
export type InputPart = (typeof INPUT_PARTS)[number];

/** Bytes of a part's entry at the beginning of the file. */
export const PART_ENTRY_BYTES = 8;

/** The part `site`: what the verifier is made of, apart from its ports. */
export interface SiteInput {
  readonly nowMs: number;
  readonly configuration: Omit<SiteConfiguration, 'rootKeys'>;
  readonly rootKid: string;
  /** 64 hexadecimal digits. */
  readonly rootKey: string;
}

/** The part `floor`: what native code would be asked to do, and nothing else. */
export interface FloorInput {
  /** Of the grant, the SBA and the SPA: prefix and canonical text, then key and signature in hexadecimal digits. */
  readonly signed: readonly {
    readonly text: string;
    readonly key: string;
    readonly signature: string;
  }[];
  /** Prefix and canonical text of the settlement intent. */
  readonly intent: string;
}

/** The files that the program is given as words, in this order, after task, form and crypto. */
export const BENCH_FILES = [
  ...(['input', 'ledger', 'journal', 'bundles', 'keyTables'] as const),
  // The same device after it has taken payments until nothing more had room.
  ...(['fullLedger', 'fullJournal'] as const),
] as const;

/** One of them. All but `input` are images of partitions. */
export type BenchFile = (typeof BENCH_FILES)[number];

/** What is measured: all of a device, or the verifier alone, without a journal and with a ledger that memory keeps. */
export type Form = 'device' | 'verifier';

/** What hashes and verifies: as programs/crypto.ts names it, or `tables`: native hashes, and tables of the keys. */
export type BenchCryptoName = 'native' | 'tables' | 'hashes' | 'core';
