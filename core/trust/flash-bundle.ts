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
import { decodeUtf8 } from '../encoding/utf8.ts';
import { JsonProblem } from '../json/tokens.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { type Crypto, FlashError } from '../ports/ports.ts';
import { bundleIdentity } from './admission.ts';
import { type BundleIndex, checkOf, firstTwo, type ListName } from './bundle-index.ts';
import type { BundleReader } from './bundle-reader.ts';
import { type HeldBundle, isPoint, revokesKeyIn } from './held-bundle.ts';
import { entryData } from './streamed-bundle.ts';

/** A key of an entry, and which it is. */
interface PlacedKey extends BundleKey {
  readonly entry: number;
  readonly place: number;
}

/** Bytes of an entry that are read at once; of a longer one only what matters is held. */
const WHOLE_ENTRY = 1024;

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
    return this.#index.bytes;
  }

  get revokesKeys(): boolean {
    return this.#index.revokedCount > 0;
  }

  approves(issuer: string): boolean {
    return this.#holds('approved', issuer);
  }

  revokesGrant(grantId: string): boolean {
    return this.#holds('revokedGrants', grantId);
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
    const { prints } = this.#reader;
    const index = this.#index;
    const ofKid = prints.of(kid);
    const ofKey = key === undefined ? -1 : firstTwo(key);
    const ofIssuer = prints.of(issuer);
    return this.#anyEntry(
      (i) =>
        (index.revokedKid(i) === ofKid || index.revokedKey(i) === ofKey) &&
        index.print('entries', index.revokedEntry(i)) === ofIssuer,
      (entry) => entry.issuer === issuer && revokesKeyIn(entry, kid, key),
    );
  }

  revokesBytes(key: Uint8Array): boolean {
    const ofKey = firstTwo(key);
    return this.#anyEntry(
      (i) => this.#index.revokedKey(i) === ofKey,
      (entry) => revokesKeyIn(entry, undefined, key),
    );
  }

  usable(crypto: Crypto, listed: BundleKey): boolean {
    const { entry, place } = listed as PlacedKey;
    const known = this.#index.usable(entry, place);
    if (known !== undefined) return known;
    const usable = isPoint(crypto, listed);
    this.#index.setUsable(entry, place, usable);
    return usable;
  }

  step(crypto: Crypto): boolean {
    const count = this.#index.count('entries');
    if (this.#next < count) {
      for (const listed of this.#entryAt(this.#next).keys) if (listed.active) this.usable(crypto, listed);
      this.#next++;
    }
    return this.#next < count;
  }

  /** True where one of the entries with revoked keys that may be meant is. */
  #anyEntry(mayBe: (i: number) => boolean, is: (entry: BundleIssuer) => boolean): boolean {
    const { revokedCount } = this.#index;
    let looked = -1;
    for (let i = 0; i < revokedCount; i++) {
      const at = this.#index.revokedEntry(i);
      if (at === looked || !mayBe(i)) continue;
      if (is(this.#entryAt(at))) return true;
      looked = at;
    }
    return false;
  }

  /** What is taken from the data of an issuer's first entry. */
  #first<T>(issuer: string, take: (data: JsonObject, i: number) => T): T | undefined {
    const index = this.#index;
    const print = this.#reader.prints.of(issuer);
    for (let i = index.find('entries', print); i >= 0; i = index.find('entries', print, i + 1)) {
      const data = this.#dataAt(i);
      if (data.issuer === issuer) return take(data, i);
    }
    return undefined;
  }

  #holds(list: ListName, text: string): boolean {
    const index = this.#index;
    if (index.count(list) === 0) return false;
    const print = this.#reader.prints.of(text);
    for (let i = index.find(list, print); i >= 0; i = index.find(list, print, i + 1)) {
      const offset = index.offset(list, i);
      if (this.#isAt(offset, text) || this.#textAt(offset, print) === text) return true;
    }
    return false;
  }

  /** True where a text stands there as JSON.stringify writes it; other ways to write it are for `#textAt`. */
  #isAt(offset: number, text: string): boolean {
    const written = JSON.stringify(text);
    const { length } = written;
    // What is not ASCII takes more bytes than it has characters, and is not found like this.
    if (offset + length > this.length) return false;
    const from = this.#start + offset;
    return decodeUtf8(this.#reader.bytes(from, from + length)) === written;
  }

  #textAt(offset: number, print: number): string {
    const { stream, prints } = this.#reader;
    try {
      this.#goTo(offset);
      const text = stream.scalar();
      if (typeof text === 'string' && prints.ofBytes(stream.textBytes) === print) return text;
    } catch (problem) {
      throw this.#failure(problem);
    } finally {
      this.#reader.rest();
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
    const reader = this.#reader;
    const offset = this.#index.offset('entries', i);
    const length = this.#index.length(i);
    const from = this.#start + offset;
    const hash = reader.crypto.sha256();
    const whole = length <= WHOLE_ENTRY ? reader.bytes(from, from + length) : undefined;
    try {
      if (whole === undefined) reader.stream.bytes(from, from + length, (bytes) => hash.update(bytes));
      else hash.update(whole);
      if (checkOf(hash) !== this.#index.check(i)) throw this.#damaged();
      if (whole === undefined) {
        this.#goTo(offset);
        return entryData(reader.stream) as JsonObject;
      }
      // What was verified has nothing in it that JSON.parse may not be given, and the engine's own reading is much faster.
      return JSON.parse(decodeUtf8(whole) as string);
    } catch (problem) {
      throw this.#failure(problem);
    } finally {
      if (whole === undefined) reader.rest();
    }
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
  return { kid, active, key, x, entry, place };
}
