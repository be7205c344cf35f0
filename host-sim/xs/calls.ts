// Calls of a conformance engine as a file that a program in XS reads: the host splits vector files into cases and hands
// artifacts and bundles over as bytes. Asked twice, a run makes the same calls: first they are written down, then answered
// with what came out of the machine.

import type { ConformanceEngine, EngineResult } from '../conformance/engine.ts';
import { type Answer, type ByteRange, ENTRY_BYTES, HEAD_BYTES } from './wire.ts';

type Call = readonly [method: keyof ConformanceEngine, ...words: readonly unknown[]];

const METHODS: readonly (keyof ConformanceEngine)[] = [
  'canonical',
  'digest',
  'intentHash',
  'admit',
  'resolve',
  'grant',
  'fleetPolicy',
  'payments',
  'header',
  'sessionProof',
];

const UNANSWERED: EngineResult = { ok: false, code: 'ARTIFACT_INVALID', detail: 'not answered yet' };

/** An engine whose every method is `take`. */
function engineOf(take: (call: Call) => unknown): ConformanceEngine {
  const methods = METHODS.map((method) => [method, (...words: readonly unknown[]) => take([method, ...words])]);
  return Object.fromEntries(methods) as unknown as ConformanceEngine;
}

/** Writes down what is asked. Its answers mean nothing. */
export class CallRecorder {
  readonly calls: Call[] = [];
  readonly engine: ConformanceEngine = engineOf((call) => {
    this.calls.push(call);
    return call[0] === 'payments' ? (call[2] as readonly unknown[]).map(() => UNANSWERED) : UNANSWERED;
  });
}

/** Answers the same calls in the same order. @throws Error with an answer's error, as an engine that throws */
export function answeringEngine(answers: readonly Answer[]): ConformanceEngine {
  let next = 0;
  return engineOf(() => {
    const answer = answers[next++];
    if (answer === undefined) throw new Error('there is no answer: the calls are not those that were written down');
    if ('error' in answer) throw new Error(answer.error);
    return answer.result;
  });
}

const encoder = new TextEncoder();

/** A header that would be in the machine's memory three times if it stood in a call's JSON. */
function isLong(text: string): boolean {
  return text.length > 2048 && (text as { isWellFormed(): boolean } & string).isWellFormed();
}

/** The file of calls. Bytes that are asked with more than once stand in it once. */
export function callsFile(calls: readonly Call[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const ranges = new Map<string, ByteRange>();
  let at = HEAD_BYTES + ENTRY_BYTES * calls.length;
  const add = (bytes: Uint8Array): ByteRange => {
    parts.push(bytes);
    at += bytes.length;
    return { at: at - bytes.length, length: bytes.length };
  };
  const once = (bytes: Uint8Array): ByteRange => {
    const text = Buffer.from(bytes).toString('latin1');
    const known = ranges.get(text) ?? add(bytes);
    ranges.set(text, known);
    return known;
  };
  const index = new DataView(new ArrayBuffer(at));
  index.setUint32(0, calls.length, true);
  calls.forEach((call, i) => {
    const text = JSON.stringify(call, (_, value) => {
      if (value instanceof Uint8Array) return once(value);
      return typeof value === 'string' && isLong(value) ? once(encoder.encode(value)) : value;
    });
    const range = add(encoder.encode(text));
    index.setUint32(HEAD_BYTES + ENTRY_BYTES * i, range.at, true);
    index.setUint32(HEAD_BYTES + ENTRY_BYTES * i + 4, range.length, true);
  });
  return Buffer.concat([new Uint8Array(index.buffer), ...parts]);
}
