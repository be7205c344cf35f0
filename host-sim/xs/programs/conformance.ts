// The conformance engine inside XS: reads calls from a file, answers each with a line. Artifacts come into the machine as
// bytes, one at a time; bundles stay outside and are read in pieces, as a device reads them from flash.

import './host.ts';
import type { Crypto } from '../../../core/ports/ports.ts';
import { BundleReader } from '../../../core/trust/bundle-reader.ts';
import { FlashBundle } from '../../../core/trust/flash-bundle.ts';
import { admitStream, readStream } from '../../../core/trust/streamed-bundle.ts';
import {
  type BundleForm,
  type ConformanceEngine,
  createEngine,
  type SequenceStep,
  type VerifierSetup,
} from '../../conformance/engine.ts';
import { type ByteRange, ENTRY_BYTES, HEAD_BYTES, type WireCall } from '../wire.ts';
import { chosenCrypto } from './crypto.ts';

/** Bytes of a bundle that are in memory at a time, as in a device's configuration. */
const WINDOW_BYTES = 64;

/** Words: the file of calls, the crypto, the first call that is asked for. */
export default function main(): void {
  const file = host.argument(0) as string;
  const crypto = chosenCrypto(host.argument(1));
  const engine = createEngine(crypto, inPieces(file, crypto));
  host.measure();
  const head = new DataView(host.readFile(file, 0, HEAD_BYTES));
  const count = head.getUint32(0, true);
  for (let i = Number(host.argument(2) ?? '0'); i < count; i++) {
    const entry = new DataView(host.readFile(file, HEAD_BYTES + ENTRY_BYTES * i, ENTRY_BYTES));
    const json = host.readText(file, entry.getUint32(0, true), entry.getUint32(4, true));
    host.print(`${i} ${answer(engine, file, JSON.parse(json))}`);
  }
  host.figures('conformance');
}

function answer(engine: ConformanceEngine<ByteRange>, file: string, call: WireCall): string {
  try {
    return JSON.stringify({ result: ask(engine, file, call) });
  } catch (error) {
    return JSON.stringify({ error: String(error) });
  }
}

// biome-ignore lint/suspicious/noExplicitAny: arguments as `callsFile` writes them, in the order of the engine's methods
function ask(engine: ConformanceEngine<ByteRange>, file: string, [method, a, b, c, d, e, f]: any): unknown {
  const bytes = (range: ByteRange) => new Uint8Array(host.readFile(file, range.at, range.length));
  switch (method as WireCall[0]) {
    case 'canonical':
      return engine.canonical(bytes(a));
    case 'digest':
      return engine.digest(a, bytes(b));
    case 'intentHash':
      return engine.intentHash(bytes(a));
    case 'admit':
      return engine.admit(a, b, c ?? undefined, d, e);
    case 'resolve':
      return engine.resolve(setupOf(a, bytes), b, c);
    case 'grant':
      return engine.grant(setupOf(a, bytes), bytes(b));
    case 'fleetPolicy':
      return engine.fleetPolicy(setupOf(a, bytes), bytes(b), bytes(c));
    case 'payments':
      return engine.payments(setupOf(a, bytes), b.map(stepOf(bytes)));
    case 'header':
      return engine.header(typeof a === 'string' ? a : bytes(a));
    case 'sessionProof':
      return engine.sessionProof(a, bytes(b), c, bytes(d), e, f);
    default:
      throw new Error(`${method} is not known`);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a VerifierSetup with ranges in place of bytes
function setupOf(setup: any, bytes: (range: ByteRange) => Uint8Array): VerifierSetup<ByteRange> {
  for (const pinned of setup.pinned) pinned.publicKey = bytes(pinned.publicKey);
  return setup;
}

/** A step whose presentation is in memory while it is looked at. */
function stepOf(bytes: (range: ByteRange) => Uint8Array) {
  // biome-ignore lint/suspicious/noExplicitAny: a SequenceStep with a range in place of bytes
  return ({ presentation, request }: any): SequenceStep => ({
    get presentation() {
      return bytes(presentation);
    },
    request,
  });
}

/** Bundles that are read where they lie in the file. */
function inPieces(file: string, crypto: Crypto): BundleForm<ByteRange> {
  const source = { read: (offset: number, target: Uint8Array) => host.readInto(file, offset, target) };
  const reader = new BundleReader(source, crypto, WINDOW_BYTES);
  return {
    admit: ({ at, length }, context) => admitStream(reader, at, at + length, context),
    hold({ at, length }) {
      const read = readStream(reader, at, at + length);
      if ('ok' in read) return { ok: false, code: read.code, detail: read.detail };
      return new FlashBundle(reader, at, length, read.facts, read.index);
    },
  };
}
