// The file of calls: what the host writes is what a program finds there; a file that is cut off, or asks for what there is not,
// ends in one clear error and never in an answer that was not given.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ConformanceEngine } from '../../../host-sim/conformance/engine.ts';
import { makeArchive } from '../../../host-sim/xs/archive.ts';
import { answeringEngine, CallRecorder, callsFile } from '../../../host-sim/xs/calls.ts';
import { EngineMissing } from '../../../host-sim/xs/project.ts';
import { MACHINES, runArchive, type XsRun } from '../../../host-sim/xs/runner.ts';
import { targetNamed } from '../../../host-sim/xs/targets.ts';
import { ENTRY_BYTES, HEAD_BYTES } from '../../../host-sim/xs/wire.ts';
import { utf8 } from '../../fixtures/text.ts';

/** What a run asked, written down. */
function recorded(ask: (engine: ConformanceEngine) => void): CallRecorder {
  const recorder = new CallRecorder();
  ask(recorder.engine);
  return recorder;
}

/** The calls as a program reads them: JSON, with ranges in place of bytes. */
function callsIn(file: Uint8Array): readonly unknown[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  return Array.from({ length: view.getUint32(0, true) }, (_, i) => {
    const at = view.getUint32(HEAD_BYTES + ENTRY_BYTES * i, true);
    const length = view.getUint32(HEAD_BYTES + ENTRY_BYTES * i + 4, true);
    return JSON.parse(Buffer.from(file.subarray(at, at + length)).toString('utf8'));
  });
}

function bytesAt(file: Uint8Array, range: unknown): Uint8Array {
  const { at, length } = range as { readonly at: number; readonly length: number };
  return Uint8Array.from(file.subarray(at, at + length));
}

describe('the file of calls', () => {
  it('has every call in order, its bytes beside it', () => {
    const { calls } = recorded((engine) => {
      engine.canonical(utf8('{"b":1}'));
      engine.digest('SBA', utf8('{}'));
      engine.header('Payment abc');
    });
    const file = callsFile(calls);
    const [canonical, digest, header] = callsIn(file) as [unknown[], unknown[], unknown[]];
    expect([canonical[0], bytesAt(file, canonical[1])]).toEqual(['canonical', utf8('{"b":1}')]);
    expect([digest[0], digest[1], bytesAt(file, digest[2])]).toEqual(['digest', 'SBA', utf8('{}')]);
    expect(header).toEqual(['header', 'Payment abc']);
  });

  it('has bytes once, however often they are asked with', () => {
    const { calls } = recorded((engine) => {
      for (let i = 0; i < 10; i++) engine.canonical(new Uint8Array(5000).fill(65));
    });
    const file = callsFile(calls);
    expect(file.length).toBeLessThan(6000);
    for (const call of callsIn(file) as unknown[][]) expect(bytesAt(file, call[1])).toHaveLength(5000);
  });

  it('has a long text as bytes, and one that has no UTF-8 form as it is', () => {
    const long = 'é'.repeat(3000);
    const lone = `\ud800${'x'.repeat(3000)}`;
    const { calls } = recorded((engine) => {
      engine.header(long);
      engine.header(lone);
    });
    const file = callsFile(calls);
    const [whole, other] = callsIn(file) as unknown[][];
    expect(bytesAt(file, whole?.[1])).toEqual(utf8(long));
    expect(other?.[1]).toBe(lone);
  });

  it('of no calls is a count of none', () => {
    expect([...callsFile([])]).toEqual([0, 0, 0, 0]);
  });
});

describe('answers', () => {
  it('come back in the order of the calls', () => {
    const engine = answeringEngine([
      { result: { ok: true } as never },
      { result: { ok: false, code: 'EXPIRED', detail: 'late' } as never },
    ]);
    expect(engine.canonical(utf8('1'))).toEqual({ ok: true });
    expect(engine.header('x')).toMatchObject({ code: 'EXPIRED' });
  });

  it('that are errors are thrown, as are those that are not there', () => {
    const engine = answeringEngine([{ error: 'the machine stopped: memory full' }]);
    expect(() => engine.header('x')).toThrow('the machine stopped: memory full');
    expect(() => engine.header('x')).toThrow('there is no answer');
  });
});

function engineIsHere(): boolean {
  try {
    targetNamed('m32');
    return true;
  } catch (error) {
    if (error instanceof EngineMissing) return false;
    throw error;
  }
}

describe.skipIf(!engineIsHere())('a file that is not as it should be, inside XS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mpcp-calls-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const archive = makeArchive({ entry: 'host-sim/xs/programs/conformance.ts' });

  async function ran(file: Uint8Array): Promise<XsRun> {
    const path = join(folder, 'calls');
    writeFileSync(path, file);
    // Modules that are files of their own take more tables than the one module of a device.
    const memory = { ...MACHINES['48k'], arena: MACHINES['48k'].arena + 65_536 };
    return runArchive(await archive, { target: 'm32', memory, words: [path, 'core'] });
  }

  const good = callsFile(recorded((engine) => engine.canonical(utf8('{"b":1,"a":2}'))).calls);

  it('a good one is answered', async () => {
    const { ok, lines } = await ran(good);
    expect([ok, lines.length]).toEqual([true, 1]);
    expect(lines[0]).toContain('{\\"a\\":2,\\"b\\":1}');
  });

  it.each([
    ['within its head', 2],
    ['within its index', HEAD_BYTES + 3],
    ['within a call', good.length - 5],
  ])('cut off %s: one error that says where, and no answer', async (_, length) => {
    const { ok, lines, exception, abort } = await ran(good.subarray(0, length));
    expect([ok, lines, abort]).toEqual([false, [], undefined]);
    expect(exception).toMatch(/^RangeError: .*calls has no \d+ bytes at \d+$/);
  });

  it('with a call that is no JSON: one error, and no answer', async () => {
    const damaged = good.slice();
    damaged[good.length - 1] = 0x7b;
    const { ok, lines, exception } = await ran(damaged);
    expect([ok, lines]).toEqual([false, []]);
    expect(exception).toMatch(/^SyntaxError: /);
  });

  it('with a call of no known name: that call has an error, those behind it their answers', async () => {
    const { lines } = await ran(callsFile([['nonsense' as never], ['header', 'x']]));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^0 \{"error":"Error: nonsense is not known"\}$/);
    expect(lines[1]).toMatch(/^1 \{"result":/);
  });
});
