// An admitted bundle that lies on flash. Its index says where to look; what is there is read for every question, so that a
// bundle is never held whole, and a name that only looks like another is told from it.

import { ArtifactProblem } from '../artifacts/members.ts';
import {
  type BundleFacts,
  type BundleIssuer,
  type BundleKey,
  kidOf,
  readIssuer,
  readKey,
} from '../artifacts/trust-bundle.ts';
import { asciiText } from '../encoding/utf8.ts';
import { JsonProblem } from '../json/tokens.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { BUNDLE_KEYS_PER_ISSUER } from '../limits.ts';
import { type Crypto, FlashError } from '../ports/ports.ts';
import { bundleIdentity } from './admission.ts';
import { type BundleIndex, firstTwo, indexBytes, POINTS_PER_BYTE, type TextIndex } from './bundle-index.ts';
import { type HeldBundle, isPoint, revokesKeyIn } from './held-bundle.ts';
import { type BundleReader, checkOf, entryData } from './streamed-bundle.ts';

/** A key of an entry, and which of all entries' keys it is: each entry has as many places as it may have keys. */
interface PlacedKey extends BundleKey {
  readonly place: number;
}

/** Bits of a key's place in `points`. */
const KNOWN = 1;
const USABLE = 2;

/** See the head of the file. Every question throws FlashError where flash fails, or is not as it was when verified. */
export class FlashBundle implements HeldBundle {
  readonly bundleId: string;
  readonly identity: string;
  readonly issuedAtMs: number | undefined;
  readonly expiresAtMs: number;
  /** Bytes of its text. */
  readonly length: number;
  readonly #reader: BundleReader;
  readonly #index: BundleIndex;
  #start: number;
  /** The entry whose keys `step` comes to next. */
  #next = 0;

  /** @param start where its text begins, for the reader's source */
  constructor(reader: BundleReader, start: number, length: number, facts: BundleFacts, index: BundleIndex) {
    this.bundleId = facts.bundleId;
    this.identity = bundleIdentity(facts);
    this.issuedAtMs = facts.issuedAtMs;
    this.expiresAtMs = facts.expiresAtMs;
    this.length = length;
    this.#reader = reader;
    this.#index = index;
    this.#start = start;
  }

  /** Where its text begins. */
  get start(): number {
    return this.#start;
  }

  /** Its text is found there from now on. */
  moveTo(start: number): void {
    this.#start = start;
  }

  /** Bytes of its index. */
  get memoryBytes(): number {
    return indexBytes(this.#index);
  }

  get revokesKeys(): boolean {
    return this.#index.revokedKeys.kids.length > 0;
  }

  approves(issuer: string): boolean {
    return this.#holds(this.#index.approved, issuer);
  }

  revokesGrant(grantId: string): boolean {
    return this.#holds(this.#index.revokedGrants, grantId);
  }

  entry(issuer: string): BundleIssuer | undefined {
    return this.#first(issuer, (data, i) => this.#placed(data, i));
  }

  key(issuer: string, kid: string): BundleKey | undefined {
    return this.#first(issuer, ({ keys }, i) => {
      // Of the others nothing is needed, and to read a key takes long.
      const j = (keys as readonly JsonValue[]).findIndex((jwk) => kidOf(jwk) === kid);
      return j < 0 ? undefined : placedKey(readKey((keys as readonly JsonValue[])[j] as JsonValue), i, j);
    });
  }

  revokesKey(issuer: string, kid: string, key: Uint8Array | undefined): boolean {
    if (!this.revokesKeys) return false;
    const { entries, revokedKeys } = this.#index;
    const { prints } = this.#reader;
    const ofKid = prints.of(kid);
    const ofKey = key === undefined ? -1 : firstTwo(key);
    const ofIssuer = prints.of(issuer);
    return this.#anyEntry(
      (i) =>
        (revokedKeys.kids[i] === ofKid || revokedKeys.keys[i] === ofKey) &&
        entries.prints[revokedKeys.entries[i] as number] === ofIssuer,
      (entry) => entry.issuer === issuer && revokesKeyIn(entry, kid, key),
    );
  }

  revokesBytes(key: Uint8Array): boolean {
    const ofKey = firstTwo(key);
    return this.#anyEntry(
      (i) => this.#index.revokedKeys.keys[i] === ofKey,
      (entry) => revokesKeyIn(entry, undefined, key),
    );
  }

  usable(crypto: Crypto, listed: BundleKey): boolean {
    const { place } = listed as PlacedKey;
    const { points } = this.#index.entries;
    const i = Math.floor(place / POINTS_PER_BYTE);
    const shift = 2 * (place % POINTS_PER_BYTE);
    const bits = (points[i] as number) >> shift;
    if ((bits & KNOWN) !== 0) return (bits & USABLE) !== 0;
    const usable = isPoint(crypto, listed);
    points[i] = (points[i] as number) | ((usable ? KNOWN | USABLE : KNOWN) << shift);
    return usable;
  }

  step(crypto: Crypto): boolean {
    const { length } = this.#index.entries.prints;
    if (this.#next < length) {
      for (const listed of this.#entryAt(this.#next).keys) if (listed.active) this.usable(crypto, listed);
      this.#next++;
    }
    return this.#next < length;
  }

  /** True where one of the entries with revoked keys that may be meant is. */
  #anyEntry(mayBe: (i: number) => boolean, is: (entry: BundleIssuer) => boolean): boolean {
    const { entries } = this.#index.revokedKeys;
    let looked = -1;
    for (let i = 0; i < entries.length; i++) {
      const at = entries[i] as number;
      if (at === looked || !mayBe(i)) continue;
      if (is(this.#entryAt(at))) return true;
      looked = at;
    }
    return false;
  }

  /** What is taken from the data of an issuer's first entry. */
  #first<T>(issuer: string, take: (data: JsonObject, i: number) => T): T | undefined {
    const { prints } = this.#index.entries;
    const print = this.#reader.prints.of(issuer);
    for (let i = prints.indexOf(print); i >= 0; i = prints.indexOf(print, i + 1)) {
      const data = this.#dataAt(i);
      if (data.issuer === issuer) return take(data, i);
    }
    return undefined;
  }

  #holds(list: TextIndex, text: string): boolean {
    const { prints, offsets } = list;
    if (prints.length === 0) return false;
    const print = this.#reader.prints.of(text);
    for (let i = prints.indexOf(print); i >= 0; i = prints.indexOf(print, i + 1)) {
      const offset = offsets[i] as number;
      if (this.#isAt(offset, text) || this.#textAt(offset, print) === text) return true;
    }
    return false;
  }

  /** True where a text stands there as JSON.stringify writes it; other ways to write it are for `#textAt`. */
  #isAt(offset: number, text: string): boolean {
    if (!this.#index.isAscii) return false;
    const written = JSON.stringify(text);
    const from = this.#start + offset;
    const part =
      offset + written.length > this.length ? undefined : this.#reader.stream.part(from, from + written.length);
    return part !== undefined && asciiText(part, 0, part.length) === written;
  }

  #textAt(offset: number, print: number): string {
    const { stream, prints } = this.#reader;
    try {
      this.#goTo(offset);
      const text = stream.scalar();
      if (typeof text === 'string' && prints.ofBytes(stream.textBytes) === print) return text;
    } catch (problem) {
      throw this.#failure(problem);
    }
    throw this.#damaged();
  }

  #entryAt(i: number): BundleIssuer {
    return this.#placed(this.#dataAt(i), i);
  }

  #placed(data: JsonObject, i: number): BundleIssuer {
    const { issuer, keys } = readIssuer(data, i);
    return { issuer, keys: keys.map((key, j) => placedKey(key, i, j)) };
  }

  /** The `i`th entry as data: it is as it was when it was verified, so its shape is an entry's. */
  #dataAt(i: number): JsonObject {
    const { stream, crypto } = this.#reader;
    const { offsets, lengths, checks } = this.#index.entries;
    const offset = offsets[i] as number;
    const from = this.#start + offset;
    const to = from + (lengths[i] as number);
    const part = this.#index.isAscii ? stream.part(from, to) : undefined;
    const hash = crypto.sha256();
    if (part === undefined) stream.bytes(from, to, (bytes) => hash.update(bytes));
    else hash.update(part);
    if (checkOf(hash) !== checks[i]) throw this.#damaged();
    try {
      // What was verified has nothing in it that JSON.parse may not be given, and the engine's own reading is much faster.
      return part === undefined ? this.#streamed(offset) : JSON.parse(asciiText(part, 0, part.length));
    } catch (problem) {
      throw this.#failure(problem);
    }
  }

  #streamed(offset: number): JsonObject {
    this.#goTo(offset);
    return entryData(this.#reader.stream) as JsonObject;
  }

  #goTo(offset: number): void {
    this.#reader.stream.openTrusted(this.#start, this.#start + this.length);
    this.#reader.stream.moveTo(this.#start + offset);
  }

  /** What was verified reads as it did; where it does not, the flash has changed. */
  #failure(problem: unknown): unknown {
    const isText = problem instanceof JsonProblem || problem instanceof ArtifactProblem;
    return isText || problem instanceof SyntaxError ? this.#damaged() : problem;
  }

  #damaged(): FlashError {
    return new FlashError(`the stored bundle ${this.bundleId} is damaged`);
  }
}

function placedKey({ kid, active, key, x }: BundleKey, entry: number, place: number): PlacedKey {
  return { kid, active, key, x, place: BUNDLE_KEYS_PER_ISSUER * entry + place };
}
