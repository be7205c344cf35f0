// SettlementIntent: the payment as it is to be settled. It is not signed; the SPA carries its hash.

import type { JsonObject, JsonValue } from '../json/value.ts';
import { anyMember, emptyObject, namesOf, OTHERS, without } from '../json/value.ts';
import { optionalAsset, type Rail, railMember } from './asset.ts';
import { type ArtifactProblem, amountMember, invalid, objectOf, optionalText, reading } from './members.ts';

/** A SettlementIntent, read. */
export interface SettlementIntent {
  /** What is hashed: the members that count (INTEROP §1). */
  readonly hashed: JsonObject;
  readonly rail: Rail;
  readonly amount: bigint;
  readonly destination: string | undefined;
  /** Canonical text. */
  readonly asset: string | undefined;
}

const HASHED: readonly string[] = ['version', 'rail', 'asset', 'amount', 'destination', 'referenceId'];
const UNHASHED: readonly string[] = ['intentHash', 'createdAt'];

/**
 * The members of an intent that are hashed. An unknown member is refused: upstream's code hashes it and the published
 * list leaves it out, so two readers would not agree on what was authorized (INTEROP §1).
 */
export function hashedIntent(value: JsonValue): JsonObject | ArtifactProblem {
  return reading(() => hashedMembers(objectOf(value, 'the settlement intent')));
}

function hashedMembers(intent: JsonObject): JsonObject {
  // Counted, and member by member: a loop over names costs several times that.
  const { version, rail, asset, amount, destination, referenceId, intentHash, createdAt } = intent;
  const hashed = emptyObject();
  let known = 0;
  if (version !== undefined) {
    hashed.version = version;
    known++;
  }
  if (rail !== undefined) {
    hashed.rail = rail;
    known++;
  }
  if (asset !== undefined) {
    hashed.asset = asset;
    known++;
  }
  if (amount !== undefined) {
    hashed.amount = amount;
    known++;
  }
  if (destination !== undefined) {
    hashed.destination = destination;
    known++;
  }
  if (referenceId !== undefined) {
    hashed.referenceId = referenceId;
    known++;
  }
  if (intentHash !== undefined) known++;
  if (createdAt !== undefined) known++;
  if (Object.keys(intent).length === known) return hashed;
  const names = namesOf(intent);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (!HASHED.includes(name) && !UNHASHED.includes(name) && (anyMember(intent, name) ?? null) !== null) {
      throw invalid(`member ${name.slice(0, 40)} is not one a settlement intent has`);
    }
  }
  return without(intent, [...UNHASHED, OTHERS]);
}

/** Reads an intent from JSON data; ARTIFACT_INVALID with a sentence where it is not one. */
export function readSettlementIntent(value: JsonValue): SettlementIntent | ArtifactProblem {
  return reading(() => {
    const intent = objectOf(value, 'the settlement intent');
    return {
      hashed: hashedMembers(intent),
      rail: railMember(intent),
      amount: amountMember(intent.amount, 'amount'),
      destination: optionalText(intent.destination, 'destination'),
      asset: optionalAsset(intent),
    };
  });
}
