// Reads a Trust Bundle from where it is stored, a window at a time: its facts, an index of its lists, and what its signature
// covers. The verdict on any bytes is that of `readJson` and `readTrustBundle` on the same ones.

import { ArtifactProblem, invalid } from '../artifacts/members.ts';
import { type BundleFacts, readBundleNames, readBundleTimes, readIssuer } from '../artifacts/trust-bundle.ts';
import { partsDigest, partsMessage } from '../hash/domains.ts';
import { canonicalParts } from '../json/canonical-stream.ts';
import { type JsonStream, NULL } from '../json/stream.ts';
import { JsonProblem } from '../json/tokens.ts';
import { emptyObject, type JsonValue, member } from '../json/value.ts';
import { BUNDLE_ISSUERS, BUNDLE_KEYS_PER_ISSUER, BUNDLE_REVOKED_GRANTS } from '../limits.ts';
import { FlashError, type MessageStream } from '../ports/ports.ts';
import type { Refusal } from '../reason-codes.ts';
import { type AdmissionContext, checkBundle, type NewestBundle, refuseBundle, type SignedFacts } from './admission.ts';
import {
  BundleIndex,
  checkOf,
  type EntryParts,
  firstTwo,
  NumberList,
  type RevokedKeyParts,
  type TextParts,
} from './bundle-index.ts';
import type { BundleReader } from './bundle-reader.ts';

/** The first bytes of values. Members and elements are walked in loops, not in calls: the stack of a device is small. */
const OBJECT = 0x7b;
const LIST = 0x5b;
const STRING = 0x22;

/** A bundle that may be used. */
export interface AdmittedStream {
  readonly facts: BundleFacts;
  readonly index: BundleIndex;
  readonly newest: NewestBundle;
}

/** A bundle whose shape is one: its facts and its lists' index. */
interface StreamedFacts extends SignedFacts {
  readonly index: BundleIndex;
}

/**
 * Decides whether the bundle at `start` may be used, as `admitBundle` does.
 *
 * @param isUtf8 it was found out before, as it arrived, that the text is UTF-8
 * @returns the bundle, or the refusal of the step that failed
 * @throws whatever reading its bytes throws, and FlashError where they do not stay the same
 */
export function admitStream(
  reader: BundleReader,
  start: number,
  end: number,
  context: AdmissionContext,
  isUtf8 = false,
): AdmittedStream | Refusal {
  const read = readStream(reader, start, end, isUtf8);
  if ('ok' in read) return read;
  try {
    const newest = checkBundle(read, context);
    return 'ok' in newest ? newest : { facts: read.facts, index: read.index, newest };
  } catch (problem) {
    // It was good JSON a moment ago.
    if (problem instanceof JsonProblem) throw new FlashError('a bundle reads differently than it did');
    throw problem;
  }
}

/** The first step: reads the bundle at `start`. @returns it, or the refusal of its text or shape */
export function readStream(reader: BundleReader, start: number, end: number, isUtf8 = false): StreamedFacts | Refusal {
  const { stream, crypto } = reader;
  try {
    stream.open(start, end);
    if (!isUtf8) stream.checkUtf8();
    stream.value();
    stream.end();
    const canonical = canonicalOf(stream, start, end);
    return {
      ...readFacts(reader, start, end),
      digest: () => partsDigest(crypto, 'TrustBundle', canonical),
      message: partsMessage('TrustBundle', canonical),
    };
  } catch (problem) {
    if (problem instanceof JsonProblem) return refuseBundle('bundle.read', problem.code, problem.message);
    if (problem instanceof ArtifactProblem) return refuseBundle('bundle.shape', problem.code, problem.message);
    throw problem;
  }
}

/** The canonical bytes that a bundle's signature covers, read anew each time they are asked for. */
function canonicalOf(stream: JsonStream, start: number, end: number): MessageStream {
  return (sink) => {
    stream.openTrusted(start, end);
    canonicalParts(stream, start, 'signature', sink);
  };
}

/** Reads a bundle whose text is good JSON. Throws ArtifactProblem. */
function readFacts(
  reader: BundleReader,
  start: number,
  end: number,
): Pick<StreamedFacts, 'facts' | 'index' | 'signature'> {
  const { stream } = reader;
  stream.openTrusted(start, end);
  const wire = emptyObject();
  const lists: Record<string, number> = {};
  if (stream.next() !== OBJECT) throw invalid('the Trust Bundle is not an object');
  let count = 0;
  for (let name = stream.firstMember(); name !== undefined; name = stream.nextMember(++count)) {
    switch (name) {
      case 'approvedIssuers':
      case 'issuers':
      case 'revokedGrantIds':
        stream.next();
        lists[name] = stream.offset;
        if (stream.value() === NULL) delete lists[name];
        break;
      case 'geography':
        wire[name] = geography(stream);
        break;
      case 'version':
      case 'bundleId':
      case 'bundleIssuer':
      case 'bundleKeyId':
      case 'category':
      case 'merchant':
      case 'issuedAt':
      case 'expiresAt':
      case 'expiresAtISO':
      case 'signature':
        wire[name] = stream.scalar();
        break;
      default:
        stream.value();
    }
  }
  const names = readBundleNames(wire);
  if (lists.approvedIssuers === undefined) throw invalid('approvedIssuers is missing');
  const approved = textIndex(reader, start, lists.approvedIssuers, BUNDLE_ISSUERS, 'approvedIssuers');
  const issuers = issuersIndex(reader, start, lists.issuers);
  const revokedGrants = textIndex(reader, start, lists.revokedGrantIds, BUNDLE_REVOKED_GRANTS, 'revokedGrantIds');
  const facts = { ...names, ...readBundleTimes(wire) };
  const signature = member(wire, 'signature');
  const index = new BundleIndex({
    approved,
    revokedGrants,
    entries: issuers.entries,
    revokedKeys: issuers.revokedKeys,
  });
  return { facts, index, signature: typeof signature === 'string' ? signature : undefined };
}

/** Of a geography only its region. */
function geography(stream: JsonStream): JsonValue {
  if (stream.next() !== OBJECT) return stream.scalar();
  const value = emptyObject();
  let count = 0;
  for (let name = stream.firstMember(); name !== undefined; name = stream.nextMember(++count)) {
    if (name === 'region') value[name] = stream.scalar();
    else stream.value();
  }
  return value;
}

function textIndex(
  reader: BundleReader,
  start: number,
  place: number | undefined,
  most: number,
  what: string,
): TextParts {
  const prints = new NumberList();
  const offsets = new NumberList();
  const { stream } = reader;
  let count = 0;
  if (place !== undefined) {
    stream.moveTo(place);
    if (stream.next() !== LIST) throw invalid(`${what} is not a list`);
    for (let more = stream.firstElement(); more; more = stream.nextElement(count)) {
      stream.next();
      const offset = stream.offset - start;
      if (stream.value() !== STRING || stream.textBytes.length === 0)
        throw invalid(`${what} holds something that is not a non-empty string`);
      if (++count > most) continue;
      prints.push(reader.prints.ofBytes(stream.textBytes));
      offsets.push(offset);
    }
  }
  checkCount(count, most, what);
  return { prints, offsets };
}

function issuersIndex(
  reader: BundleReader,
  start: number,
  place: number | undefined,
): { readonly entries: EntryParts; readonly revokedKeys: RevokedKeyParts } {
  const { stream } = reader;
  const missing = 'issuers is missing or not a list';
  if (place === undefined) throw invalid(missing);
  stream.moveTo(place);
  if (stream.next() !== LIST) throw invalid(missing);
  let count = 0;
  for (let more = stream.firstElement(); more; more = stream.nextElement(++count)) stream.value();
  checkCount(count, BUNDLE_ISSUERS, 'issuers');
  const prints = new NumberList();
  const offsets = new NumberList();
  const lengths = new NumberList();
  const checks = new NumberList();
  const moreChecks = new NumberList();
  const kids = new NumberList();
  const keys = new NumberList();
  const entries = new NumberList();
  stream.moveTo(place);
  let i = 0;
  for (let more = stream.firstElement(); more; more = stream.nextElement(++i)) {
    stream.next();
    const from = stream.offset;
    const entry = readIssuer(entryData(stream), i);
    prints.push(reader.prints.of(entry.issuer));
    offsets.push(from - start);
    lengths.push(stream.offset - from);
    const check = textCheck(reader, from, stream.offset);
    checks.push(check & 0xffff);
    moreChecks.push(check >>> 16);
    for (const key of entry.keys) {
      if (key.active) continue;
      kids.push(reader.prints.of(key.kid));
      keys.push(key.x === undefined ? 0 : firstTwo(key.x));
      entries.push(i);
    }
  }
  return { entries: { prints, offsets, lengths, checks, moreChecks }, revokedKeys: { kids, keys, entries } };
}

function checkCount(count: number, most: number, what: string): void {
  if (count > most) throw new ArtifactProblem('LIMIT_EXCEEDED', `${what} has more than ${most} entries`);
}

/** Four bytes of the digest of a part of the text. The stream goes on where it is. */
function textCheck({ stream, crypto }: BundleReader, from: number, to: number): number {
  const hash = crypto.sha256();
  stream.bytes(from, to, (part) => hash.update(part));
  return checkOf(hash);
}

/** The entry of `issuers` at hand as data, of each key only what a key is made of. */
export function entryData(stream: JsonStream): JsonValue {
  if (stream.next() !== OBJECT) return stream.scalar();
  const entry = emptyObject();
  let count = 0;
  for (let name = stream.firstMember(); name !== undefined; name = stream.nextMember(++count)) {
    if (name === 'issuer') entry[name] = stream.scalar();
    else if (name === 'keys') entry[name] = keyList(stream);
    else stream.value();
  }
  return entry;
}

/** Characters of `x`, `kty`, `crv` and `alg` that can mean anything: 32 bytes of base64 have 44. Longer ones are not refused. */
const LONGEST_OF_A_KEY = 64;
/** What a key is made of besides its kid. */
const KEY_MEMBERS: readonly string[] = Object.freeze(['kty', 'crv', 'alg', 'x', 'active', 'd']);

function keyList(stream: JsonStream): JsonValue {
  if (stream.next() !== LIST) return stream.scalar();
  const keys: JsonValue[] = [];
  let count = 0;
  for (let more = stream.firstElement(); more; more = stream.nextElement(++count)) {
    // One past the limit is enough to see that it is passed.
    if (count > BUNDLE_KEYS_PER_ISSUER) stream.value();
    else if (stream.next() !== OBJECT) keys.push(stream.scalar());
    else {
      const jwk = emptyObject();
      let members = 0;
      for (let name = stream.firstMember(); name !== undefined; name = stream.nextMember(++members)) {
        if (name === 'kid') jwk[name] = stream.scalar();
        else if (KEY_MEMBERS.includes(name)) jwk[name] = stream.scalar(LONGEST_OF_A_KEY);
        else stream.value();
      }
      keys.push(jwk);
    }
  }
  return keys;
}
