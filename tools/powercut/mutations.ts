// Proof that the proof can fail: rules of ledger, journal and bundle set are taken out one at a time, and the walk must find
// a violation. The core is bundled together with the walk, changed on the way; no file of it is touched.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BuildOptions, Plugin } from 'esbuild';
import type { proveShort } from './short-proof.ts';

/** A rule, and the text whose replacement takes it out. */
export interface Mutation {
  readonly rule: string;
  /** Within the project. */
  readonly file: string;
  readonly edits: readonly { readonly before: string; readonly after: string }[];
}

/** What became of a mutant. */
export interface MutationResult {
  readonly rule: string;
  readonly cases: number;
  readonly violations: number;
  /** The rule of the first violation. */
  readonly found: string | undefined;
}

const HEADER = 'core/encoding/flash-header.ts';
const LOG = 'core/ledger/block-log.ts';
const LEDGER = 'core/ledger/flash-ledger.ts';
const BUNDLES = 'core/trust/bundle-partition.ts';
const STORED_BUNDLES = 'core/trust/stored-bundles.ts';
const JOURNAL = 'core/ledger/journal.ts';
const JOURNAL_STATE = 'core/ledger/journal-state.ts';
const JOURNAL_START = 'core/ledger/journal-start.ts';

/** The rules that are taken out. */
export const MUTATIONS: readonly Mutation[] = [
  {
    rule: "a record's CRC is checked",
    file: LOG,
    edits: [
      {
        before: 'if (readU32(buffer, CRC_AT) !== this.crcOf(buffer, units * UNIT, block)) return undefined;',
        after: '',
      },
    ],
  },
  {
    rule: "a header's CRC is checked",
    file: HEADER,
    edits: [
      {
        before: 'header[0] === MAGIC && readU32(header, CRC_AT) === crc32(header, 0, CRC_AT)',
        after: 'header[0] === MAGIC',
      },
    ],
  },
  {
    rule: 'a block is given up by a record before it is used again',
    file: LOG,
    edits: [{ before: 'this.append(GIVE_UP, 0, bytes);', after: '' }],
  },
  {
    rule: 'copies are written before their block is given up',
    file: LEDGER,
    edits: [{ before: 'this.keep(record, bytes)', after: '{ void record; void bytes; }' }],
  },
  {
    rule: 'after a start records go to a new block',
    file: LOG,
    edits: [
      {
        before: 'units * UNIT));\n      expected = record.number + 1;\n      at = this.behind(block, record);',
        after:
          'units * UNIT));\n      expected = record.number + 1;\n      at = this.behind(block, record);\n      this.end = at;',
      },
      {
        before: 'this.#next = expected ?? 1;\n',
        after:
          'this.#next = expected ?? 1;\n    this.#openBlock = this.#chain.newest;\n    this.#at = this.end ?? HEADER_UNITS;\n',
      },
    ],
  },
  {
    rule: 'a block is erased before it gets its header',
    file: LOG,
    edits: [
      {
        before:
          'this.#flash.erase(block * this.#flash.blockSize);\n        this.set(ERASES, block, this.get(ERASES, block) + 1);',
        after: '',
      },
    ],
  },
  {
    rule: 'newest blocks with nothing but unfinished copies are dropped',
    file: LOG,
    edits: [{ before: 'if ((record.flags & COPY) === 0) own = true;', after: 'own = true;' }],
  },
  {
    rule: 'a block stays over for cleaning',
    file: LEDGER,
    edits: [{ before: 'Math.floor(blocks.room / units)) >= 1', after: 'Math.floor(blocks.room / units)) >= 0' }],
  },
  {
    rule: 'records of settled reservations say which they end',
    file: LEDGER,
    edits: [{ before: 'this.counters(receiptId), grant: grantPart', after: 'this.counters(0), grant: grantPart' }],
  },
  {
    rule: 'the record is on flash before it is answered',
    file: LOG,
    edits: [
      {
        before: 'this.#flash.program(address * UNIT, bytes);\n    const back',
        after:
          'const late = (this as { late?: () => void }).late; late?.(); const own = bytes.slice(); (this as { late?: () => void }).late = () => this.#flash.program(address * UNIT, own); return ((this.#at += units), this.#next++, address);\n    const back',
      },
    ],
  },
  {
    rule: "the journal's entry is written before the ledger's record",
    file: LEDGER,
    edits: [
      { before: 'const refusal = before?.(this.#nextReceipt);\n    if (refusal) return refusal;', after: '' },
      {
        before: 'const address = this.flashLog.append(kind, this.writer.flags, bytes);\n    this.#unsealed',
        after:
          'const address = this.flashLog.append(kind, this.writer.flags, bytes);\n    before?.(this.#nextReceipt);\n    this.#unsealed',
      },
    ],
  },
  {
    rule: 'an entry that the ledger does not know of is made void',
    file: JOURNAL,
    edits: [{ before: 'if (newest > lastCommitted) {', after: 'if (newest > lastCommitted + 1) {' }],
  },
  {
    rule: 'what comes after a void entry carries the hash of the receipt before it',
    file: JOURNAL_STATE,
    edits: [
      {
        before: 'this.newest = lastCommitted;\n    this.hash.set(this.previous);',
        after: 'this.newest = lastCommitted;',
      },
    ],
  },
  {
    rule: 'a block of the journal is given up only when all it is needed for is acknowledged',
    file: JOURNAL,
    edits: [
      {
        before: 'if (blocks.used < 2) return false;',
        after: 'if (blocks.used < 2) return false;\n    if (blocks.used > 0) return true;',
      },
    ],
  },
  {
    rule: 'an acknowledgement is written again before its block is given up',
    file: JOURNAL,
    edits: [{ before: 'this.writeAcknowledged(blocks, COPY);', after: 'void COPY;' }],
  },
  {
    rule: 'the first receipt after a restart is chained to the one before it',
    file: JOURNAL_START,
    edits: [{ before: 'this.#hashAt = address;', after: '' }],
  },
  {
    rule: 'the copy of the bundle set that is in force is not written to',
    file: BUNDLES,
    edits: [
      {
        before: 'this.#writing = this.#active?.which === 0 ? 1 : 0;',
        after: 'this.#writing = this.#active?.which === 1 ? 1 : 0;',
      },
    ],
  },
  {
    rule: "the CRCs of a bundle set's record are checked",
    file: BUNDLES,
    edits: [
      { before: 'if (!isStoreHeader(head)) return undefined;', after: 'if (head[0] !== 0x4d) return undefined;' },
      {
        before: 'if (readU32(head, 8) !== crc32(record, HEADER_BYTES, RECORD_BYTES) || count > BUNDLES_HELD)',
        after: 'if (count > BUNDLES_HELD)',
      },
    ],
  },
  {
    rule: 'of two copies of the bundle set the newer one counts',
    file: BUNDLES,
    edits: [
      {
        before: 'const newer = (second?.sequence ?? 0) > (first?.sequence ?? 0) ? second : first;',
        after: 'const newer = second ?? first;',
      },
    ],
  },
  {
    rule: 'bundles are in force before the ledger remembers them',
    file: STORED_BUNDLES,
    edits: [
      {
        before: 'const refusal = this.#switchTo(fresh, planned);',
        after:
          'for (const one of fresh) this.#record(one, false);\n      const refusal = this.#switchTo(fresh, planned);',
      },
    ],
  },
  {
    rule: 'a start lets the ledger remember the bundles in force that it does not',
    file: STORED_BUNDLES,
    edits: [
      {
        before: 'trust.objection(one.bundle, nowMs) ?? this.#record(one, true);',
        after: 'trust.objection(one.bundle, nowMs);',
      },
    ],
  },
  {
    rule: 'the bundles of an answer are remembered one and all',
    file: STORED_BUNDLES,
    edits: [
      {
        before: "const refusal = 'ok' in outcome ? outcome : this.#record(outcome, false);",
        after: "const refusal = 'ok' in outcome ? outcome : undefined;",
      },
    ],
  },
];

/** The project's folder, from the sources as from what is built of them. */
function projectFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, LOG))) {
    const above = dirname(folder);
    if (above === folder) throw new Error('mutants are made from the sources of the core, which are not here');
    folder = above;
  }
  return folder;
}

/**
 * Puts one mutant to the proof.
 *
 * @throws Error where the text to be replaced is not in the file exactly once: the mutation is out of date
 */
export async function tryMutation(mutation: Mutation, seed: number): Promise<MutationResult> {
  const root = projectFolder();
  const path = join(root, mutation.file);
  const contents = mutated(readFileSync(path, 'utf8'), mutation);
  const folder = mkdtempSync(join(tmpdir(), 'mpcp-mutant-'));
  try {
    const file = join(folder, 'mutant.mjs');
    writeFileSync(file, await bundled(root, path, contents));
    const mutant = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { proveShort: typeof proveShort };
    const { cases, violations } = mutant.proveShort(seed);
    return { rule: mutation.rule, cases, violations: violations.length, found: violations[0]?.rule };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The text of a file with a rule taken out. */
export function mutated(text: string, { rule, file, edits }: Mutation): string {
  let changed = text;
  for (const { before, after } of edits) {
    if (changed.split(before).length !== 2)
      throw new Error(`${rule}: what is to be replaced is not in ${file} exactly once`);
    changed = changed.replace(before, () => after);
  }
  return changed;
}

async function bundled(root: string, path: string, contents: string): Promise<string> {
  // By a name that a bundler does not follow: esbuild is there where the sources are, and no part of the package.
  const name = 'esbuild';
  const { build } = (await import(name)) as {
    build: (options: BuildOptions) => Promise<{ outputFiles: { text: string }[] }>;
  };
  const change: Plugin = {
    name: 'mutation',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.ts$/ }, (loaded) => (loaded.path === path ? { contents, loader: 'ts' } : undefined));
    },
  };
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['tools/powercut/short-proof.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    plugins: [change],
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}
