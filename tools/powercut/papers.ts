// What payers present in workloads, as the journal keeps it. Nothing here is signed: what a torn program can leave behind
// depends on how long an entry is and in how many records, not on whose keys are in it.

import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import type { PresentedArtifacts } from '../../core/ledger/books.ts';
import type { JournalEntry } from '../../core/ledger/journal.ts';
import type { NamedSpend } from './model.ts';

/**
 * How much a payer presents. `lean`: grant and SBA with few members, some hundred bytes, so that walks stay fast. `full`: an
 * SPA, its intent and a fleet policy too, and signatures of full length. `long`: an SBA that takes several records.
 */
export type Papers = 'lean' | 'full' | 'long';

const made = new WeakMap<NamedSpend, PresentedArtifacts>();

/** The artifacts of a payment. The same step is walked again and again. */
export function papersOf(spend: NamedSpend): PresentedArtifacts {
  let papers = made.get(spend);
  if (papers === undefined) {
    papers = makePapers(spend);
    made.set(spend, papers);
  }
  return papers;
}

function makePapers(spend: NamedSpend): PresentedArtifacts {
  const { grant, budget, idempotency, papers = 'lean' } = spend;
  const of = papers === 'lean' ? 9 : 64;
  const base = {
    grant: signed({ grantId: grant }, of, 'grant'),
    sba: signed({ budgetId: budget, ...(papers === 'long' ? { actorId: 'x'.repeat(900) } : {}) }, of),
    ...(idempotency === undefined ? {} : { idempotencyKey: idempotency }),
  };
  if (papers !== 'full') return base;
  const intent = { version: '1.0', rail: 'xrpl', amount: spend.amount.toString(), destination: 'rStation' };
  return {
    ...base,
    spa: signed({ budgetId: budget, decisionId: spend.replay ?? '', amount: intent.amount }, of),
    settlementIntent: intent,
    fleetPolicyAuthorization: signed({ fleetId: 'fleet', actorId: 'rPayer' }, of, 'fleetPolicyAuthorization'),
  };
}

/** An envelope with a signature that differs from artifact to artifact. */
function signed(members: JsonObject, length: number, name = 'authorization'): JsonObject {
  const text = JSON.stringify(members);
  const bytes = Uint8Array.from({ length }, (_, i) => text.charCodeAt(i % text.length) * (i + 3));
  return { [name]: members, issuer: 'pa', signature: Buffer.from(bytes).toString('base64') };
}

/** True where an entry that was handed out is the one that was handed in. */
export function isSameEntry(found: JournalEntry | undefined, expected: JournalEntry): boolean {
  return found !== undefined && isSame(found, expected);
}

type Kept = JsonValue | bigint | undefined | JournalEntry;

/** Members that are undefined are not there. */
function isSame(a: Kept, b: Kept): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  for (const name in a) if (!isSame(a[name as keyof typeof a], b[name as keyof typeof b])) return false;
  for (const name in b) if (b[name as keyof typeof b] !== undefined && !(name in a)) return false;
  return true;
}
