// Checks an export, receipt by receipt: every hash is worked out again, and the chain is followed.

import { JsonProblem, readJson } from '../../core/json/reader.ts';
import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { ReceiptChain } from '../../core/ledger/receipt-chain.ts';
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

/** What an export is worth. */
export interface VerifiedExport {
  readonly receipts: number;
  /** 0 where there are none. */
  readonly first: number;
  readonly last: number;
  /** The hash of the last: whoever keeps it can tell later that what is before it is unchanged. */
  readonly lastHash?: string;
  /** In the order of the lines. */
  readonly faults: readonly ExportFault[];
}

/** A line that is no JSON. */
export class LineProblem extends Error {}

const LINE_LIMITS = { ...ARTIFACT_LIMITS, bytes: 65_536, values: 4096, depth: ARTIFACT_LIMITS.depth + 2 };
const crypto = createNodeCrypto();

/**
 * Verifies the lines of an export.
 *
 * @param text NDJSON: one receipt a line
 * @param committed the ledger's last receipt, where it is known: what was cut off at the end shows by nothing else
 * @throws LineProblem where a line is no JSON
 */
export function verifyExport(text: string, committed?: number): VerifiedExport {
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
    const gap = chain.next({ receiptId, previous, hash });
    if (gap !== undefined) faults.push({ line, receiptId, detail: gap });
    if (!('fault' in read) && read.problem !== undefined)
      faults.push({ line, receiptId, detail: `receipt ${receiptId}: ${read.problem}` });
    receipts++;
    if (first === 0) first = receiptId;
    last = receiptId;
    lastHash = hash;
  });
  if (committed !== undefined && last < committed)
    faults.push({ line: lines.length, detail: `receipts ${last + 1} to ${committed} are missing at the end` });
  if (committed !== undefined && last > committed)
    faults.push({ line: lines.length, detail: `the ledger has committed no receipt after ${committed}` });
  return { receipts, first, last, ...(lastHash === undefined ? {} : { lastHash }), faults };
}

function readLine(text: string, line: number): JsonValue {
  const value = readJson(Buffer.from(text), LINE_LIMITS);
  if (value instanceof JsonProblem) throw new LineProblem(`line ${line}: ${value.message}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new LineProblem(`line ${line} is no JSON object`);
  return value;
}
