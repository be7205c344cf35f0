// Power fails at every flash operation of the journal's day, and again while it recovers. Afterwards every entry that was
// answered and committed is there once, whole, in order; one that was not committed is nothing, and never comes back.

import { describe, expect, it } from 'vitest';
import { Journal, type JournalEntry } from '../../../core/ledger/journal.ts';
import { crypto } from '../../fixtures/device.ts';
import { type Geometry, MemoryFlash } from '../../fixtures/memory-flash.ts';
import { end, exported, fullPayment, grantNumber, largePayment, payment, text } from './journal-entries.ts';

const BLOCKS: Geometry = { size: 10 * 1024, blockSize: 1024 };

/** What happens to the device, as far as the journal is concerned. */
type Act =
  | { readonly append: (receiptId: number) => JournalEntry }
  | 'idle'
  | 'acknowledge'
  | 'restart'
  | 'not committed';

/** A flash whose power fails at one operation; a program may be carried out in part, or whole. */
class CutFlash extends MemoryFlash {
  #cut: { readonly operation: Operation; left: number; readonly keep: number } | undefined;

  cut(operation: Operation, after: number, keep: number): void {
    this.#cut = { operation, left: after, keep };
  }

  override recover(): void {
    this.#cut = undefined;
    super.recover();
  }

  override program(offset: number, bytes: Uint8Array): void {
    if (this.#isHit('program')) this.fail('program', 0, Math.min(this.#cut?.keep ?? 0, bytes.length));
    super.program(offset, bytes);
  }

  override erase(offset: number): void {
    if (this.#isHit('erase')) this.fail('erase');
    super.erase(offset);
  }

  #isHit(operation: Operation): boolean {
    return this.#cut?.operation === operation && this.#cut.left-- <= 0;
  }
}

/** A device: a journal and what is known of it from outside. */
class Trial {
  readonly flash = new CutFlash(BLOCKS);
  /** What the ledger has committed, by receipt id. */
  readonly committed: string[] = [];
  /** The highest acknowledgement that was ever begun: the power may have failed when it was written. */
  #acknowledging = 0;
  #journal: Journal | undefined;

  /** @param waiting payments that are not acknowledged. @returns false where the power failed */
  act(act: Act, waiting = 1): boolean {
    const journal = this.#journal ?? this.#start();
    if (journal === undefined) return false;
    if (act === 'restart') {
      this.#journal = undefined;
      return true;
    }
    if (act === 'idle') {
      while (journal.step());
      return journal.problem?.code !== 'STORE_FAILED';
    }
    if (act === 'acknowledge') {
      const upTo = this.committed.length - waiting;
      if (upTo < 1) return true;
      this.#acknowledging = Math.max(this.#acknowledging, upTo);
      if (journal.acknowledge(upTo)) return false;
      return true;
    }
    const receiptId = this.committed.length + 1;
    const entry = act === 'not committed' ? payment(receiptId, { amount: 666n }) : act.append(receiptId);
    let result = journal.append(entry);
    // Full: what is committed is acknowledged, as a backend would, and it must go then.
    if ('code' in result && result.code === 'STORE_FULL' && this.act('acknowledge', 0) && this.act('idle')) {
      result = journal.append(entry);
      if ('code' in result) expect(result.code).toBe('STORE_FAILED');
    }
    if ('code' in result) return false;
    if (act === 'not committed') this.#journal = undefined;
    else this.committed.push(text(entry));
    return true;
  }

  /** Power comes back: everything must be as it was left. */
  check(): void {
    this.#journal = undefined;
    const journal = this.#start();
    expect(journal).toBeDefined();
    if (journal === undefined) return;
    const upTo = journal.acknowledgedUpTo;
    expect(upTo).toBeLessThanOrEqual(this.#acknowledging);
    const found: string[] = [];
    journal.unsent(0, 1e9, (receipt) => found.push(text(receipt.entry)));
    expect(found).toEqual(this.committed.slice(upTo));
    expect(exported(journal).wrong).toEqual([]);
  }

  #start(): Journal | undefined {
    const journal = new Journal(this.flash, crypto);
    if (journal.reconcile(this.committed.length)) return undefined;
    this.#journal = journal;
    return journal;
  }
}

const small = { append: (id: number) => payment(id) };
const other = { append: (id: number) => payment(id, { grant: grantNumber(id) }) };
const full = { append: (id: number) => fullPayment(id) };
const ended = { append: (id: number) => end(id, id - 1) };
const large = { append: (id: number) => largePayment(id, 2) };

const DAY: readonly Act[] = [
  ...([small, small, 'idle', full, 'acknowledge', other, 'not committed', small, 'restart', ended] as const),
  ...(['idle', large, small, 'acknowledge', 'idle', other, 'idle', full, 'acknowledge', 'idle', 'restart'] as const),
  ...([small, 'not committed', 'acknowledge', 'idle', large, 'idle', ended, 'acknowledge', 'idle', full] as const),
];

const SHORT: readonly Act[] = [
  small,
  full,
  'acknowledge',
  'idle',
  large,
  'not committed',
  'acknowledge',
  'idle',
  small,
];

/** Runs acts until the power fails. @returns the acts that are left */
function run(trial: Trial, acts: readonly Act[]): readonly Act[] {
  for (let i = 0; i < acts.length; i++) if (!trial.act(acts[i] as Act)) return acts.slice(i);
  return [];
}

type Operation = 'program' | 'erase';

/** Operations of a day without a cut. */
function operations(acts: readonly Act[], operation: Operation): number {
  const trial = new Trial();
  expect(run(trial, acts)).toEqual([]);
  return trial.flash.done[operation];
}

/** Bytes of the operation that are carried out: none, some units, part of one, all. */
const KEEPS = [0, 8, 16, 40, 256, 1024];

describe('the power fails at every operation of a day:', () => {
  it('all acts are there that the day needs', () => {
    const trial = new Trial();
    run(trial, DAY);
    // Blocks were made ready one after the other, and an entry went over blocks.
    expect(trial.flash.done.erase).toBeGreaterThan(10);
    trial.check();
  });

  it.each(KEEPS)('programs, of which up to %d bytes are carried out', (keep) => {
    const count = operations(DAY, 'program');
    for (let after = 0; after < count; after++) {
      const trial = new Trial();
      trial.flash.cut('program', after, keep);
      const left = run(trial, DAY);
      trial.flash.recover();
      trial.check();
      // The day goes on.
      expect(run(trial, left), `after ${after}`).toEqual([]);
      trial.check();
    }
  });

  it('erases', () => {
    const count = operations(DAY, 'erase');
    for (let after = 0; after < count; after++) {
      const trial = new Trial();
      trial.flash.cut('erase', after, 0);
      const left = run(trial, DAY);
      trial.flash.recover();
      trial.check();
      expect(run(trial, left), `after ${after}`).toEqual([]);
      trial.check();
    }
  });
});

describe('the power fails again while the device recovers and goes on:', () => {
  it.each([0, 16, 1024])('every pair of programs, of which up to %d bytes are carried out', (keep) => {
    const count = operations(SHORT, 'program');
    for (let first = 0; first < count; first++) {
      for (let second = 0; second < 12; second++) {
        const trial = new Trial();
        trial.flash.cut('program', first, keep);
        let left = run(trial, SHORT);
        trial.flash.recover();
        trial.flash.cut('program', second, keep);
        left = run(trial, left);
        trial.flash.recover();
        trial.check();
        expect(run(trial, left), `after ${first} and ${second}`).toEqual([]);
        trial.check();
      }
    }
  });
});

describe('the power fails over and over while a full journal makes room:', () => {
  it.each([0, 1, 2, 3, 4])('at program %d each time, nothing of it or all of it carried out', (after) => {
    for (const keep of [0, 1024]) {
      const trial = new Trial();
      const journal = new Journal(trial.flash, crypto);
      journal.reconcile(0);
      for (;;) {
        const entry = payment(trial.committed.length + 1, { grant: grantNumber(trial.committed.length) });
        if ('code' in journal.append(entry)) break;
        trial.committed.push(text(entry));
      }
      for (let i = 0; i < 12; i++) {
        trial.flash.cut('program', after, keep);
        run(trial, ['acknowledge', small, 'idle']);
        trial.flash.recover();
        trial.check();
      }
      expect(run(trial, ['acknowledge', small, small, 'idle', 'restart', small])).toEqual([]);
      trial.check();
    }
  });
});
