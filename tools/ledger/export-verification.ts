// Checks an export, receipt by receipt: every hash is worked out again, and the chain is followed, from what the caller
// knows of it already or from the export's own first receipt on.

import { JsonProblem, readJson } from '../../core/json/reader.ts';
import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { type ChainedReceipt, ReceiptChain } from '../../core/ledger/receipt-chain.ts';
import { readReceipt } from '../../core/ledger/receipt-document.ts';
import { ARTIFACT_LIMITS } from '../../core/limits.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';

/** Something that is wrong in an export. */
export interface ExportFault {
  /** From 1. */
  readonly line: number;
  /** Where the line says which one it is. */
  readonly receiptId?: number;
  readonly detail: string;
}

/** What somebody has of the chain already: the last receipt of an earlier export, or what the backend has. */
export interface KnownReceipt {
  /** 0: nothing yet, the chain must begin with receipt 1. */
  readonly receiptId?: number | undefined;
  /** 32 hexadecimal digits. */
  readonly hash?: string | undefined;
}

/**
 * What the first receipt of an export was held against. `none`: it says that none was before it, in this chain. `known`: what
 * the caller knows. `not given`: nothing, so that receipts before it may have been left out.
 */
export type Predecessor = 'none' | 'known' | 'not given';

/** What an export is worth. */
export interface VerifiedExport {
  readonly receipts: number;
  /** 0 where there are none. */
  readonly first: number;
  readonly last: number;
  /** Where there are receipts. */
  readonly predecessor?: Predecessor;
  /** The hash of the last: whoever keeps it can tell later that what is before it is unchanged. */
  readonly lastHash?: string;
  /** In the order of the lines. */
  readonly faults: readonly ExportFault[];
}

/** A line that is no JSON. */
export class LineProblem extends Error {}

const LINE_LIMITS = { ...ARTIFACT_LIMITS, bytes: 65_536, values: 4096, depth: ARTIFACT_LIMITS.depth + 2 };
/** What the first receipt of a chain carries as the hash of the one before. */
const NOTHING_BEFORE = '0'.repeat(32);
const crypto = createNodeCrypto();

/**
 * Verifies the lines of an export.
 *
 * @param text NDJSON: one receipt a line
 * @param known what the chain must go on from, or go through: what was left out at the beginning shows by nothing else
 * @param committed the ledger's last receipt, where it is known: what was cut off at the end shows by nothing else
 * @throws LineProblem where a line is no JSON
 */
export function verifyExport(text: string, known: KnownReceipt = {}, committed?: number): VerifiedExport {
  const beginning = new Beginning(known);
  const chain = new ReceiptChain();
  const faults: ExportFault[] = [];
  let receipts = 0;
  let first = 0;
  let last = 0;
  let lastHash: string | undefined;
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 1 && lines[0] === '') lines.pop();
  lines.forEach((one, i) => {
    const line = i + 1;
    const document = readLine(one, line);
    const read = readReceipt(crypto, document);
    if ('fault' in read) {
      const { receiptId } = document as JsonObject;
      faults.push({ line, ...(typeof receiptId === 'number' ? { receiptId } : {}), detail: read.detail });
      // An altered one keeps its place by what it states, so that what follows is compared with that.
      if (read.fault !== 'altered') return;
    }
    const { receiptId, previous, hash } = document as { receiptId: number; previous: string; hash: string };
    const receipt = { receiptId, previous, hash };
    for (const detail of [beginning.check(receipt), chain.next(receipt)])
      if (detail !== undefined) faults.push({ line, receiptId, detail });
    if (!('fault' in read) && read.problem !== undefined)
      faults.push({ line, receiptId, detail: `receipt ${receiptId}: ${read.problem}` });
    receipts++;
    if (first === 0) first = receiptId;
    last = receiptId;
    lastHash = hash;
  });
  const { missing, predecessor } = beginning;
  if (missing !== undefined) faults.push({ line: 1, detail: missing });
  // Where there are no receipts, what is known already need not be in the export.
  const reached = receipts === 0 ? (known.receiptId ?? 0) : last;
  const end = Math.max(lines.length, 1);
  const wanted = Math.max(committed ?? 0, known.receiptId ?? 0);
  if (reached < wanted) faults.push({ line: end, detail: `${missingText(reached + 1, wanted)} at the end` });
  if (committed !== undefined && last > committed)
    faults.push({ line: end, detail: `the ledger has committed no receipt after ${committed}` });
  return {
    receipts,
    first,
    last,
    ...(predecessor === undefined ? {} : { predecessor }),
    ...(lastHash === undefined ? {} : { lastHash }),
    faults,
  };
}

/** Holds an export against what is known of its chain already. */
class Beginning {
  readonly #receiptId: number | undefined;
  readonly #hash: string | undefined;
  #first: ChainedReceipt | undefined;
  #isMet = false;

  constructor({ receiptId, hash }: KnownReceipt) {
    this.#receiptId = receiptId;
    this.#hash = receiptId === 0 ? (hash ?? NOTHING_BEFORE) : hash;
  }

  /** Takes the next receipt. @returns what is wrong with it */
  check(receipt: ChainedReceipt): string | undefined {
    const isFirst = this.#first === undefined;
    this.#first ??= receipt;
    const { receiptId, previous, hash } = receipt;
    if (this.#receiptId === undefined) this.#isMet ||= hash === this.#hash || (isFirst && previous === this.#hash);
    else if (isFirst && receiptId > this.#receiptId) return this.#between(this.#receiptId, receipt);
    else if (receiptId === this.#receiptId && this.#hash !== undefined && hash !== this.#hash)
      return `receipt ${receiptId} has another hash than the one given`;
    return undefined;
  }

  #between(known: number, first: ChainedReceipt): string | undefined {
    if (this.#hash !== undefined)
      return new ReceiptChain({ receiptId: known, previous: '', hash: this.#hash }).next(first);
    return first.receiptId === known + 1
      ? undefined
      : `${missingText(known + 1, first.receiptId - 1)} at the beginning`;
  }

  /** What the first receipt was held against. */
  get predecessor(): Predecessor | undefined {
    if (this.#first === undefined) return undefined;
    if (this.#receiptId !== undefined || this.#hash !== undefined) return 'known';
    return this.#first.previous === NOTHING_BEFORE ? 'none' : 'not given';
  }

  /** Why the export does not go on from what is known, although nothing is wrong with a receipt of it. */
  get missing(): string | undefined {
    if (this.#first === undefined || this.#receiptId !== undefined || this.#hash === undefined || this.#isMet)
      return undefined;
    return `no receipt has the hash ${this.#hash}, and the first, ${this.#first.receiptId}, does not follow one that has it`;
  }
}

function missingText(from: number, to: number): string {
  return from === to ? `receipt ${to} is missing` : `receipts ${from} to ${to} are missing`;
}

function readLine(text: string, line: number): JsonValue {
  const value = readJson(Buffer.from(text), LINE_LIMITS);
  if (value instanceof JsonProblem) throw new LineProblem(`line ${line}: ${value.message}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new LineProblem(`line ${line} is no JSON object`);
  return value;
}
