// An admitted bundle that lies on flash. Its index says where to look; what is there is read for every question, so that a
// bundle is never held whole, and a name that only looks like another is told from it.

import { ArtifactProblem } from '../artifacts/members.ts';
import { type BundleFacts, type BundleIssuer, type BundleKey, readIssuer } from '../artifacts/trust-bundle.ts';
import { asciiText } from '../encoding/utf8.ts';
import { JsonProblem } from '../json/tokens.ts';
import { BUNDLE_KEYS_PER_ISSUER } from '../limits.ts';
import { type Crypto, FlashError } from '../ports/ports.ts';
import { bundleIdentity } from './admission.ts';
import { type BundleIndex, firstTwo, indexBytes, POINTS_PER_BYTE, type TextIndex } from './bundle-index.ts';
import { type HeldBundle, isPoint, revokesKeyIn } from './held-bundle.ts';
import { type BundleReader, checkOf, readEntry } from './streamed-bundle.ts';

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
    const { prints } = this.#index.entries;
    const print = this.#reader.prints.of(issuer);
    for (let i = prints.indexOf(print); i >= 0; i = prints.indexOf(print, i + 1)) {
      const entry = this.#entryAt(i);
      if (entry.issuer === issuer) return entry;
    }
    return undefined;
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

  #holds(list: TextIndex, text: string): boolean {
    const { prints, offsets } = list;
    const print = this.#reader.prints.of(text);
    for (let i = prints.indexOf(print); i >= 0; i = prints.indexOf(print, i + 1)) {
      if (this.#textAt(offsets[i] as number, print) === text) return true;
    }
    return false;
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
      const { issuer, keys } =
        part === undefined ? this.#streamed(offset, i) : readIssuer(JSON.parse(asciiText(part, 0, part.length)), i);
      return { issuer, keys: keys.map((key, j): PlacedKey => ({ ...key, place: BUNDLE_KEYS_PER_ISSUER * i + j })) };
    } catch (problem) {
      throw this.#failure(problem);
    }
  }

  #streamed(offset: number, i: number): BundleIssuer {
    this.#goTo(offset);
    return readEntry(this.#reader.stream, i);
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
