// The bundles of a device on their partition: taken in as an answer arrives, admitted one by one from where they are written,
// put in force in one write, remembered by the ledger, and only then used. A start verifies them again.

import type { BundleFacts } from '../artifacts/trust-bundle.ts';
import { Utf8Check } from '../encoding/utf8-check.ts';
import { JsonProblem } from '../json/tokens.ts';
import type { SpendLedger } from '../ledger/ledger.ts';
import { BUNDLE_SET_BYTES, BUNDLES_HELD } from '../limits.ts';
import { FlashError, type Log } from '../ports/ports.ts';
import { type Refusal, refuse } from '../reason-codes.ts';
import {
  type Admission,
  type AdmissionContext,
  type NewestBundle,
  newestOf,
  refuseBundle,
  type SetAdmission,
} from './admission.ts';
import type { BundlePartition } from './bundle-partition.ts';
import { type BundleRange, type BundleRanges, rangesFrom } from './bundle-set.ts';
import { FlashBundle } from './flash-bundle.ts';
import { type AdmittedStream, admitStream } from './streamed-bundle.ts';
import { TrustSet } from './trust-set.ts';

/** An answer that arrives. Another one that is begun ends it. */
export interface BundleIntake {
  /** Takes the next bytes, as many as there are. @returns why no more are wanted: `end` says the same */
  write(chunk: Uint8Array): Refusal | undefined;
  /** The answer is whole: its bundles are admitted, one that is refused stops no other. */
  end(): SetAdmission;
  /** The answer broke off: what came of it is nothing, and its memory is given back. */
  drop(): void;
}

/** What stored bundles are admitted with. */
export interface StoredBundlesParts {
  readonly partition: BundlePartition;
  /** What payments ask. Bundles of it that are not on the partition are left alone. */
  readonly trust: TrustSet;
  readonly ledger: SpendLedger;
  readonly log: Log | undefined;
  /** Effective time, or why there is none. */
  now(): number | Refusal;
  readonly context: Pick<AdmissionContext, 'crypto' | 'rootKeys' | 'scope'>;
}

/** A bundle on the partition, and what is to be remembered of it. */
interface Stored {
  readonly facts: BundleFacts;
  readonly bundle: FlashBundle;
  readonly newest: NewestBundle;
  /** True once the ledger has it: until then no payment may use it. */
  recorded: boolean;
}

/** See the head of the file. No input and no failing flash makes it throw. */
export class StoredBundles {
  readonly #parts: StoredBundlesParts;
  /** What the copy in force holds; undefined until it was read. */
  #stored: readonly Stored[] | undefined;
  /** Why loading has to wait, as it was logged last. */
  #waitsFor: string | undefined;
  #intake: BundleIntake | undefined;

  constructor(parts: StoredBundlesParts) {
    this.#parts = parts;
  }

  /** True once the stored bundles are loaded. Without a clock, or while flash cannot be read, they wait. */
  get loaded(): boolean {
    return this.#stored !== undefined;
  }

  /** Bytes of memory that the indexes of the bundles in force take. */
  get indexBytes(): number {
    return (this.#stored ?? []).reduce((sum, { bundle }) => sum + bundle.memoryBytes, 0);
  }

  /**
   * Verifies what the partition holds and puts it in force; what is loaded already stays as it is. An expired bundle is kept
   * for what it revokes.
   *
   * @returns what became of each bundle that was not in force; CLOCK_UNTRUSTED without a time to verify by, STORE_FAILED
   *   where flash fails. Then nothing has changed, and it is to be called again
   */
  load(): SetAdmission {
    if (this.#stored?.every(({ recorded }) => recorded)) return [];
    const now = this.#parts.now();
    if (typeof now !== 'number') return this.#waits(now);
    const admissions: Admission[] = [];
    const stored = this.#stored ?? onFlash(() => this.#readAll(now, admissions));
    // Where nothing was read here, its buffers may be those of an answer that is coming in.
    if (this.#stored === undefined) this.#parts.partition.rest();
    if ('ok' in stored) return this.#waits(stored);
    this.#waitsFor = undefined;
    this.#stored = stored;
    return [...admissions, ...this.#recordAll(stored, now)];
  }

  /** Begins to take in an answer. @returns why none can be taken in */
  begin(): BundleIntake | Refusal {
    const loaded = this.load();
    if ('ok' in loaded) return loaded;
    // Whether or not it can be begun, what another one has written is gone.
    this.#intake = undefined;
    const begun = onFlash(() => {
      this.#parts.partition.begin();
      return this.#intakeOf();
    });
    if ('ok' in begun) return this.#refused(begun);
    this.#intake = begun;
    return begun;
  }

  #readAll(nowMs: number, admissions: Admission[]): readonly Stored[] {
    const { partition, context, ledger } = this.#parts;
    const source = 'store';
    const stored: Stored[] = [];
    const { ranges, damage } = partition.open();
    for (const [start, end] of ranges) {
      const newest = (identity: string) => ledger.newestBundle(identity);
      const admitted = admitStream(partition.reader, start, end, { ...context, nowMs, source, newest });
      if ('ok' in admitted) admissions.push(this.#refused(admitted));
      else stored.push(this.#storedOf([start, end], admitted));
    }
    // Now that all is read: else the next attempt would tell it again.
    if (damage !== undefined) this.#parts.log?.emit({ event: 'bundles.damaged', detail: damage });
    return stored;
  }

  #storedOf([start, end]: BundleRange, { facts, index, newest }: AdmittedStream): Stored {
    const bundle = new FlashBundle(this.#parts.partition.reader, start, end - start, facts, index);
    return { facts, bundle, newest, recorded: false };
  }

  /** Has the ledger remember what it does not yet, and puts that in force. */
  #recordAll(stored: readonly Stored[], now: number): readonly Admission[] {
    const { trust } = this.#parts;
    const admissions: Admission[] = [];
    let nowMs = now;
    for (const one of stored) {
      if (one.recorded) continue;
      const refusal = trust.objection(one.bundle, nowMs) ?? this.#record(one, true);
      if (refusal === undefined) {
        // The time floor is there now.
        nowMs = Math.max(nowMs, one.bundle.issuedAtMs ?? 0);
        trust.put(one.bundle, nowMs);
      }
      admissions.push(refusal === undefined ? this.#admitted(one) : this.#refused(refusal));
    }
    return admissions;
  }

  /** Records that the ledger has room for, this bundle's with those promised before, or why it has not. */
  #recordsWith({ bundle, newest }: Stored, promised: number): number | Refusal {
    const records = this.#parts.ledger.bundleRecords(bundle.identity, newest, promised);
    return typeof records === 'number' ? records : refuseBundle('bundle.record', records.code, records.detail);
  }

  #record(one: Stored, isStored: boolean): Refusal | undefined {
    const unrecorded = this.#parts.ledger.admitted(one.bundle.identity, one.newest, isStored);
    if (unrecorded) return refuseBundle('bundle.record', unrecorded.code, unrecorded.detail);
    one.recorded = true;
    return undefined;
  }

  #intakeOf(): BundleIntake {
    const { partition } = this.#parts;
    const utf8 = new Utf8Check();
    let bytes = 0;
    let refusal: Refusal | undefined;
    const take = (chunk: Uint8Array): Refusal | undefined => {
      bytes += chunk.length;
      if (bytes > BUNDLE_SET_BYTES)
        return refuseBundle('bundle.read', 'LIMIT_EXCEEDED', `more than ${BUNDLE_SET_BYTES} bytes`);
      utf8.update(chunk);
      const fits = onFlash(() => ({ written: partition.write(chunk) }));
      if ('ok' in fits) return fits;
      return fits.written ? undefined : full(partition.capacity, 'the answer has more');
    };
    const intake: BundleIntake = {
      write: (chunk) => {
        if (this.#intake !== intake) return OVERTAKEN;
        refusal ??= take(chunk);
        return refusal;
      },
      end: () => {
        if (this.#intake !== intake) return OVERTAKEN;
        this.#intake = undefined;
        if (refusal === undefined && !utf8.valid)
          refusal = refuseBundle('bundle.read', 'ARTIFACT_INVALID', 'the text is not valid UTF-8');
        const taken = refusal ?? onFlash(() => this.#take(partition.flush()));
        partition.rest();
        return 'ok' in taken ? this.#refused(taken) : taken;
      },
      drop: () => {
        if (this.#intake !== intake) return;
        this.#intake = undefined;
        partition.rest();
      },
    };
    return intake;
  }

  /** Admits the bundles of an answer that is written, and puts them in force together with those that stay. */
  #take([start, end]: BundleRange): SetAdmission {
    const { trust } = this.#parts;
    const { stream } = this.#parts.partition.reader;
    const ranges = rangesFrom(() => {
      stream.open(start, end, BUNDLE_SET_BYTES);
      return stream;
    });
    if (ranges instanceof JsonProblem) return refuseBundle('bundle.read', ranges.code, ranges.message);
    const now = this.#parts.now();
    if (typeof now !== 'number') return now;
    const planned = TrustSet.of(trust.bundles);
    const outcomes = this.#admitAll(ranges, planned, now);
    const fresh = outcomes.filter((outcome): outcome is Stored => !('ok' in outcome));
    if (fresh.length > 0) {
      const refusal = this.#switchTo(fresh, planned);
      if (refusal) return refusal;
      trust.replace(planned.bundles.filter((held) => fresh.every(({ bundle }) => bundle !== held)));
    }
    // First durable, then remembered, then used: what is remembered is there after a cut, and what is used is remembered.
    return outcomes.map((outcome) => {
      const refusal = 'ok' in outcome ? outcome : this.#record(outcome, false);
      if (refusal) return this.#refused(refusal);
      const { bundle } = outcome as Stored;
      if (planned.bundles.includes(bundle)) trust.replace([...trust.bundles, bundle]);
      return this.#admitted(outcome as Stored);
    });
  }

  /** What is to become of each bundle, as if each were in force and remembered before the next is looked at. */
  #admitAll(ranges: BundleRanges, planned: TrustSet, now: number): readonly (Stored | Refusal)[] {
    const { context, ledger, partition } = this.#parts;
    const remembered = new Map<string, NewestBundle>();
    const newest = (identity: string) => remembered.get(identity) ?? ledger.newestBundle(identity);
    const outcomes: (Stored | Refusal)[] = [];
    let nowMs = now;
    let promised = 0;
    for (const [start, end] of ranges) {
      const admitted = admitStream(partition.reader, start, end, { ...context, nowMs, newest }, true);
      if ('ok' in admitted) {
        outcomes.push(admitted);
        continue;
      }
      const one = this.#storedOf([start, end], admitted);
      const { identity, issuedAtMs } = one.bundle;
      // What cannot be remembered is not put in force, now or at the next start.
      const records = planned.objection(one.bundle, nowMs) ?? this.#recordsWith(one, promised);
      if (typeof records !== 'number') {
        outcomes.push(records);
        continue;
      }
      outcomes.push(one);
      promised = records;
      planned.put(one.bundle, nowMs);
      remembered.set(identity, newestOf(newest(identity), one.newest));
      // The time floor will be there.
      nowMs = Math.max(nowMs, issuedAtMs ?? 0);
    }
    return outcomes;
  }

  /** Carries over what stays, and switches. STORE_FULL where there is no room for it all. */
  #switchTo(fresh: readonly Stored[], planned: TrustSet): Refusal | undefined {
    const { partition } = this.#parts;
    const taken = fresh.filter(({ bundle }) => planned.bundles.includes(bundle));
    const stays = ({ bundle, recorded }: Stored) =>
      planned.bundles.includes(bundle) ||
      (!recorded && planned.bundles.every((held) => held.identity !== bundle.identity));
    const kept = (this.#stored ?? []).filter(stays).slice(0, BUNDLES_HELD - taken.length);
    const needed = kept.reduce((sum, { bundle }) => sum + partition.room(rangeOf(bundle)), 0);
    if (needed > partition.left)
      return full(partition.capacity, `the answer and ${kept.length} kept bundles have more`);
    const moved = kept.map(({ bundle }) => partition.carry(rangeOf(bundle)));
    partition.commit([...taken.map(({ bundle }) => rangeOf(bundle)), ...moved]);
    kept.forEach(({ bundle }, i) => {
      bundle.moveTo((moved[i] as BundleRange)[0]);
    });
    this.#stored = [...taken, ...kept];
    return undefined;
  }

  #admitted({ facts }: Stored): Admission {
    this.#parts.log?.emit({ event: 'bundle.admitted', bundleId: facts.bundleId, expiresAtMs: facts.expiresAtMs });
    return { ok: true, bundle: facts };
  }

  /** Loading has to wait. Logged once until that changes: a charger tries again at every payment. */
  #waits(refusal: Refusal): Refusal {
    if (refusal.detail !== this.#waitsFor) this.#refused(refusal);
    this.#waitsFor = refusal.detail;
    return refusal;
  }

  #refused(refusal: Refusal): Refusal {
    const { check, code, detail } = refusal;
    const event = code === 'STORE_FAILED' ? 'bundles.failed' : 'bundle.refused';
    this.#parts.log?.emit({ event, check, code, detail });
    return refusal;
  }
}

const OVERTAKEN = refuse('device', 'device.store', 'STORE_FAILED', 'another answer is being taken in');

function full(capacity: number, what: string): Refusal {
  return refuseBundle('bundle.room', 'STORE_FULL', `the partition holds ${capacity} bytes of bundles; ${what}`);
}

function rangeOf({ start, length }: FlashBundle): BundleRange {
  return [start, start + length];
}

/** What work on flash comes to. */
function onFlash<T>(work: () => T): T | Refusal {
  try {
    return work();
  } catch (error) {
    if (error instanceof FlashError) return refuse('device', 'device.store', 'STORE_FAILED', error.message);
    throw error;
  }
}
