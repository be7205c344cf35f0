// Signatures at the edges of the strict profile, those of public test data and all of the project's own vectors: decided by every
// implementation there is, in Node and inside XS. One verdict for each, whoever decides.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPortableCrypto } from '../../core/ports/portable-crypto.ts';
import type { Crypto, MessageStream } from '../../core/ports/ports.ts';
import { createEngine } from '../../host-sim/conformance/engine.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { keyFromSeed, sign } from '../../host-sim/signing/keys.ts';
import { projectFolder } from '../../host-sim/xs/project.ts';
import type { SignatureCase } from '../../host-sim/xs/signature-file.ts';
import { runConformance } from '../conform/run.ts';

/** A case with the verdict its source gives; left out where there is none but that of the others. */
export interface SignatureTrial extends SignatureCase {
  readonly isGood?: boolean;
}

/** A set of them, or why it is not here. */
export interface SignatureSet {
  readonly name: string;
  readonly cases: readonly SignatureTrial[];
  readonly missing?: string;
}

/** The sets: edges, third-party data, and what the vectors of a folder have. */
export function signatureSets(vectors: string): readonly SignatureSet[] {
  return [
    { name: 'edges', cases: edges() },
    thirdParty('Wycheproof', join('wycheproof', 'ed25519_test.json'), wycheproof),
    thirdParty('ed25519-speccheck', join('ed25519-speccheck', 'cases.json'), speccheck),
    { name: 'vectors', cases: ofVectors(vectors) },
  ];
}

/** What an implementation in Node says of a case, in the words of programs/signatures.ts. */
export function verdictInNode(crypto: Crypto, { publicKey, signature, message }: SignatureCase): string {
  const isUsable = crypto.ed25519KeyUsable(publicKey);
  const isGood = crypto.ed25519Verify(publicKey, signature, message);
  return `${isGood ? 'good' : 'bad'} ${isUsable ? 'usable' : 'unusable'}`;
}

/** The implementations in Node, by name. */
export function cryptosInNode(): { readonly [name: string]: Crypto } {
  return { 'Node, node:crypto': createNodeCrypto(), "Node, the core's own": createPortableCrypto() };
}

function thirdParty(name: string, path: string, read: (data: never) => readonly SignatureTrial[]): SignatureSet {
  // An empty MPCP_VECTORS_DIR counts as none.
  const folder = process.env.MPCP_VECTORS_DIR || join(projectFolder(), '..', 'shared', 'vectors');
  const file = join(folder, 'third-party', path);
  if (!existsSync(file))
    return {
      name,
      cases: [],
      missing: `${name} is not here (MPCP_VECTORS_DIR names the folder that holds third-party/)`,
    };
  return { name, cases: read(JSON.parse(readFileSync(file, 'utf8')) as never) };
}

interface Wycheproof {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly {
      readonly tcId: number;
      readonly msg: string;
      readonly sig: string;
      readonly result: string;
    }[];
  }[];
}

function wycheproof({ testGroups }: Wycheproof): readonly SignatureTrial[] {
  return testGroups.flatMap(({ publicKey, tests }) =>
    tests.map(({ tcId, msg, sig, result }) => ({
      name: `Wycheproof ${tcId}`,
      publicKey: hex(publicKey.pk),
      signature: hex(sig),
      message: hex(msg),
      isGood: result === 'valid',
    })),
  );
}

interface Speccheck {
  readonly message: string;
  readonly pub_key: string;
  readonly signature: string;
}

/** Of its twelve cases a strict verifier without cofactor accepts one. */
const GOOD_OF_SPECCHECK = 3;

function speccheck(cases: readonly Speccheck[]): readonly SignatureTrial[] {
  return cases.map((one, i) => ({
    name: `speccheck ${i}`,
    publicKey: hex(one.pub_key),
    signature: hex(one.signature),
    message: hex(one.message),
    isGood: i === GOOD_OF_SPECCHECK,
  }));
}

/** What a conformance run asks to have verified, each once. */
function ofVectors(folder: string): readonly SignatureTrial[] {
  const node = createNodeCrypto();
  const found = new Map<string, SignatureTrial>();
  const recording: Crypto = {
    ...node,
    ed25519Verify(publicKey, signature, message) {
      const bytes = typeof message === 'function' ? gathered(message) : message;
      const name = [publicKey, signature, bytes].map((part) => Buffer.from(part).toString('hex')).join(' ');
      const copies = { publicKey: publicKey.slice(), signature: signature.slice(), message: bytes.slice() };
      if (!found.has(name)) found.set(name, { name: `signature ${found.size} of the vectors`, ...copies });
      return node.ed25519Verify(publicKey, signature, bytes);
    },
  };
  runConformance(folder, createEngine(recording));
  return [...found.values()];
}

function gathered(message: MessageStream): Uint8Array {
  const parts: Uint8Array[] = [];
  message((part) => parts.push(part.slice()));
  return Buffer.concat(parts);
}

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const SIGN = 2n ** 255n;
/** The y of the points of small order: 0, 1, p − 1, and the two of order 8. */
const SMALL_ORDER_Y = [
  0n,
  1n,
  P - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n,
];

/** Around one good signature: what is not canonical, of small order, or changed in one bit. */
function edges(): readonly SignatureTrial[] {
  const key = keyFromSeed('edge', new Uint8Array(32).fill(7));
  const message = new Uint8Array(32).map((_, i) => 17 * i);
  const { publicKey } = key;
  const signature = sign(key, message);
  const r = signature.subarray(0, 32);
  const s = numberOf(signature.subarray(32));
  const good = { publicKey, signature, message };
  const bad = (name: string, changes: Partial<SignatureCase>): SignatureTrial => ({
    name,
    ...good,
    ...changes,
    isGood: false,
  });
  const withS = (name: string, value: bigint) => bad(name, { signature: Buffer.concat([r, bytesOf(value)]) });
  const odd = [...SMALL_ORDER_Y, ...Array.from({ length: 19 }, (_, i) => P + BigInt(i))].flatMap((y) => [y, y | SIGN]);
  const lengths = [0, 1, 31, 33, 63, 65, 96];
  const bits = [0, 1, 7, 8, 100, 254, 255];
  return [
    { name: 'a good signature', ...good, isGood: true },
    ...[L, 2n * L, 4n * L, 8n * L, 15n * L]
      .filter((more) => s + more < 2n ** 256n)
      .map((more) => withS(`S and ${more / L} L`, s + more)),
    withS('S of zero', 0n),
    withS('S of L', L),
    withS('L less S', L - s),
    withS('S of ones', 2n ** 256n - 1n),
    ...odd.flatMap((y) => [
      bad(`the key ${y.toString(16)}`, { publicKey: bytesOf(y) }),
      bad(`R of ${y.toString(16)}`, { signature: Buffer.concat([bytesOf(y), signature.subarray(32)]) }),
      bad(`the key ${y.toString(16)} and R of the base`, {
        publicKey: bytesOf(y),
        signature: Buffer.concat([BASE, bytesOf(1n)]),
      }),
    ]),
    ...lengths.flatMap((length) => [
      bad(`a key of ${length} bytes`, { publicKey: sized(publicKey, length) }),
      bad(`a signature of ${length} bytes`, { signature: sized(signature, length) }),
    ]),
    ...bits.flatMap((bit) => [
      bad(`bit ${bit} of the key`, { publicKey: flipped(publicKey, bit) }),
      bad(`bit ${bit} of R`, { signature: flipped(signature, bit) }),
      bad(`bit ${bit} of S`, { signature: flipped(signature, 256 + bit) }),
      bad(`bit ${bit} of the message`, { message: flipped(message, bit) }),
    ]),
    bad('no message', { message: new Uint8Array(0) }),
    bad('a longer message', { message: new Uint8Array(3000) }),
  ];
}

/** The base point: y is 4/5. */
const BASE = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0x58 : 0x66));

function sized(bytes: Uint8Array, length: number): Uint8Array {
  const other = new Uint8Array(length);
  other.set(bytes.subarray(0, length));
  return other;
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const other = bytes.slice();
  other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7));
  return other;
}

function bytesOf(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  for (let i = 0, rest = value; i < 32; i++, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}
