// The benchmark in XS: what is over a budget, what differs from the baseline, and what is missing decide its exit code; the
// tables say it in words. With an engine that answers what a test wants, and once with XS itself where it can be built.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineMissing } from '../../../host-sim/xs/project.ts';
import type { Figures, ImageFigures, XsRun } from '../../../host-sim/xs/runner.ts';
import { type TargetName, targetNamed } from '../../../host-sim/xs/targets.ts';
import { type BenchEngine, createXsEngine, runXsBench } from '../../../tools/bench/xs.ts';
import { IMAGE_AIM, IMAGES } from '../../../tools/bench/xs-image.ts';
import { type BenchLineDefinition, benchLines } from '../../../tools/bench/xs-lines.ts';
import { type BenchXsOptions, runBenchXs } from '../../../tools/cli/commands/bench-xs.ts';
import { createIo } from '../../../tools/cli/io.ts';
import { run } from '../cli/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'mpcp-bench-xs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NOTHING = 1500;
const PRESENTATION_BYTES = 2000;

/** What the engine answers for a line: instructions or meter, or why the machine stopped. */
type Answer = (line: BenchLineDefinition, target: TargetName, machine: string) => number | string;

/** Everything takes a million, unless a test says otherwise. */
const million: Answer = () => 1_000_000;

interface Fake {
  readonly answer?: Answer;
  readonly outcome?: string;
  readonly imageBytes?: number;
  readonly missing?: readonly TargetName[];
  /** Whatever is built or run is one thing too many. */
  readonly runsNothing?: boolean;
}

function fakeEngine({
  answer = million,
  outcome,
  imageBytes = 1000,
  missing = [],
  runsNothing,
}: Fake = {}): BenchEngine {
  return {
    presentationBytes: PRESENTATION_BYTES,
    compiler: (target) => {
      if (missing.includes(target)) throw new EngineMissing(`XS for ${target} needs a Debian package: gcc-${target}`);
      return `gcc for ${target}`;
    },
    run: async (line, target, machine) => {
      const answered = answer(line, target, machine);
      if (typeof answered === 'string') return { ...ENDED, abort: answered, ok: false };
      const counted = (label: string, count: number) => figures(label, target === 'rv32', count);
      return {
        ...ENDED,
        lines: [outcome ?? line.outcome],
        figures: [counted('nothing', NOTHING), counted('work', NOTHING + answered)],
      };
    },
    image: async () => {
      if (runsNothing) throw new Error('something was built');
      return [
        image('built-ins', { slots: 60_000, functions: 160, texts: 10_000 }),
        image('with modules', { slots: 60_640, functions: 480, texts: 10_000, code: imageBytes - 640 }),
      ];
    },
  };
}

const ENDED: XsRun = { lines: [], figures: [], image: [], ok: true, exception: undefined, abort: undefined };

function figures(label: string, isRv32: boolean, count: number): Figures {
  return {
    label,
    ...(isRv32 ? { instructions: count } : { meter: count }),
    slots: 160,
    slotsPeak: 16_000,
    chunks: 240,
    chunksPeak: 24_000,
    stackPeak: 7000,
    cStackPeak: 3000,
    nativeHeap: 0,
    nativeHeapPeak: 0,
    collections: 5,
    names: 0,
    reserved: { chunks: 0, slots: 0, tables: 0, free: 0 },
  };
}

function image(label: string, bytes: Partial<ImageFigures>): ImageFigures {
  const slots = { slots: 0, functions: 0, closures: 0, arrays: 0, names: 0 };
  return { label, code: 0, ...slots, texts: 0, constants: 0, tables: 0, keys: 0, aliases: 0, ...bytes };
}

interface Ran {
  readonly stdout: string;
  readonly failed: boolean;
}

async function bench(fake: Fake = {}, options: Partial<BenchXsOptions> = {}, json = false): Promise<Ran> {
  let stdout = '';
  let failed = false;
  const channels = {
    stdout: (text: string) => {
      stdout += text;
    },
    stderr: () => {},
  };
  const io = createIo(channels, json, () => {
    failed = true;
  });
  await runBenchXs(fakeEngine(fake), { skip: true, ...options }, join(folder, 'baseline.json'), io);
  return { stdout, failed };
}

/** A line's figure at a place, in place of a million. */
function at(id: string, place: string, count: number | string): Answer {
  return (line, target, machine) => (line.id === id && `${target}/${machine}` === place ? count : 1_000_000);
}

describe('lines', () => {
  const lines = benchLines(PRESENTATION_BYTES);

  it('have a name each, and what they are compared with is a line', () => {
    const ids = lines.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { floor, peer } of lines)
      for (const id of [floor, peer]) if (id !== undefined) expect(ids).toContain(id);
  });

  it('hold the budgets of the design, for the verifier and for a whole device', () => {
    const budgets = lines.filter(({ budget }) => budget !== undefined).map(({ id, budget }) => [id, budget]);
    expect(budgets).toEqual([
      ['verifier/full/native', 14_000_000],
      ['verifier/full/tables', 25_000_000],
      ['verifier/fullAgain/native', 9_000_000],
      ['device/full/native', 14_000_000],
      ['device/full/tables', 25_000_000],
      ['device/fullAgain/native', 9_000_000],
      // What a watchdog of 30 s allows at 100 million instructions a second.
      ['device/start-full', 3_000_000_000],
    ]);
    expect(IMAGE_AIM).toBe(122_880);
  });
});

describe('what is measured', () => {
  it('is the work without what nothing costs', async () => {
    const report = await runXsBench(fakeEngine(), undefined, () => {});
    const line = report.lines.find(({ id }) => id === 'verifier/full/native');
    expect(line?.at['rv32/esp32']).toMatchObject({ count: 1_000_000, collections: 5, slots: 16_000, slotsBefore: 160 });
  });

  it('an image is what the core adds to the built-ins, every slot once', async () => {
    const { images } = await runXsBench(fakeEngine({ imageBytes: 1234 }), undefined, () => {});
    expect(images.map(({ id }) => id)).toEqual(['device', 'native', 'verifier']);
    for (const one of images)
      expect(one).toMatchObject({ code: 594, functions: 320, objects: 320, texts: 0, total: 1234 });
  });

  it('another outcome than the line is about is no measurement', async () => {
    await expect(bench({ outcome: 'KEY_NOT_FOUND' })).rejects.toThrow(
      'reading/presentation: came to KEY_NOT_FOUND, not ok',
    );
  });

  it('--only takes some lines, and those that they are compared with', async () => {
    const { stdout } = await bench({}, { only: 'device/full/tables' }, true);
    expect(JSON.parse(stdout).lines.map(({ id }: { id: string }) => id)).toEqual(['floor/full', 'device/full/tables']);
  });

  it('--only with a name that no line has is a wrong call that says which there are, before anything is built', async () => {
    const wrong = bench({ runsNothing: true }, { only: 'nonsense' });
    await expect(wrong).rejects.toThrow('--only nonsense: no line has this in its name; the lines are ');
    await expect(wrong).rejects.toThrow('ed25519/native');
  });
});

describe('budgets', () => {
  it('kept: exit 0', async () => {
    const { stdout, failed } = await bench();
    expect(failed).toBe(false);
    expect(stdout).toContain('all within their budgets');
  });

  it('one instruction over: exit 1, and the line says so', async () => {
    const answer = at('device/full/native', 'rv32/esp32', 14_000_001);
    const { stdout, failed } = await bench({ answer });
    expect(failed).toBe(true);
    expect(stdout).toContain('OVER BUDGET: device/full/native takes 14000001 instructions of 14000000');
    expect(stdout).toMatch(/device: grant \+ SBA \+ SPA \+ intent, cold, native +14 000 001 +<= 14 000 000 OVER/);
  });

  it('all of it: exit 0', async () => {
    expect((await bench({ answer: at('device/full/native', 'rv32/esp32', 14_000_000) })).failed).toBe(false);
  });

  it('are for rv32 with the heap of a plain ESP32: the smaller machine may take longer', async () => {
    expect((await bench({ answer: at('verifier/full/native', 'rv32/48k', 99_000_000) })).failed).toBe(false);
  });

  it('a machine that stops for want of memory is over the memory budget: exit 1', async () => {
    const answer = at('verifier/full/core', 'm32/48k', 'memory full');
    const { stdout, failed } = await bench({ answer });
    expect(failed).toBe(true);
    expect(stdout).toContain('OVER BUDGET: verifier/full/core does not run on m32/48k: memory full');
  });

  it('an image that is a byte too large: exit 1', async () => {
    const most = Math.min(...IMAGES.map(({ budget }) => budget));
    expect((await bench({ imageBytes: most })).failed).toBe(false);
    const { stdout, failed } = await bench({ imageBytes: most + 1 });
    expect(failed).toBe(true);
    expect(stdout).toContain(`OVER BUDGET: the image "verifier" has ${most + 1} bytes of ${most}`);
  });
});

describe('the table', () => {
  it('has instructions, budget, ratios to floor and library, and memory', async () => {
    const answer: Answer = ({ id }) => ({ 'ed25519/native': 2_700_000, 'ed25519/noble': 108_000_000 })[id] ?? 5_400_000;
    const { stdout } = await bench({ answer }, { only: 'ed25519' });
    expect(stdout).toMatch(/heap of a plain ESP32.* +instructions +budget +x native floor +peer\/this +collections/);
    expect(stdout).toMatch(/tables of the keys, native hashes +5 400 000 +2\.00 +20\.0 +5 +16000 +24000 +7000 +3000/);
  });

  it('--json has the same as one document', async () => {
    const { stdout } = await bench({}, {}, true);
    const report = JSON.parse(stdout);
    expect(report.lines).toHaveLength(benchLines(PRESENTATION_BYTES).length);
    expect(report).toMatchObject({ skipped: [], over: [], compilers: { rv32: 'gcc for rv32', m32: 'gcc for m32' } });
  });
});

describe('what is missing on this machine', () => {
  it('is named with its package and skipped: exit 0', async () => {
    const { stdout, failed } = await bench({ missing: ['rv32'] });
    expect(failed).toBe(false);
    expect(stdout).toContain('skipped: XS for rv32 needs a Debian package: gcc-rv32');
    expect(stdout).toContain('m32, heap of a plain ESP32');
  });

  it('--no-skip: exit 1', async () => {
    expect((await bench({ missing: ['rv32'] }, { skip: false })).failed).toBe(true);
    expect((await bench({}, { skip: false })).failed).toBe(false);
  });

  it('no baseline is written without it', async () => {
    await expect(bench({ missing: ['m32'] }, { baseline: 'write' })).rejects.toThrow(
      '--baseline write takes all targets',
    );
  });
});

describe('the baseline', () => {
  const id = 'device/pair/native';
  const check = (fake: Fake, options: Partial<BenchXsOptions> = {}) => bench(fake, { baseline: 'check', ...options });

  it('is a file of counts', async () => {
    await bench({}, { baseline: 'write' });
    const written = JSON.parse(readFileSync(join(folder, 'baseline.json'), 'utf8'));
    expect(written).toMatchObject({ image: { device: 1000, verifier: 1000 }, compilers: { rv32: 'gcc for rv32' } });
    expect(written.lines[id]).toEqual({ 'rv32/esp32': 1_000_000, 'm32/esp32': 1_000_000 });
  });

  it('the same figures: exit 0, and none differ', async () => {
    const { stdout, failed } = await check({});
    expect(failed).toBe(false);
    expect(stdout).toMatch(/baseline: \d+ figures, 0 differ/);
  });

  it('one instruction more is told, and no failure', async () => {
    const { stdout, failed } = await check({ answer: at(id, 'rv32/esp32', 1_000_001) });
    expect(failed).toBe(false);
    expect(stdout).toContain(`differs ${id} rv32/esp32: 1 000 000 -> 1 000 001 (+0.00 %)`);
  });

  it('2 % more: exit 0; more than that: exit 1', async () => {
    expect((await check({ answer: at(id, 'rv32/esp32', 1_020_000) })).failed).toBe(false);
    const { stdout, failed } = await check({ answer: at(id, 'rv32/esp32', 1_020_001) });
    expect(failed).toBe(true);
    expect(stdout).toContain(`FAIL ${id} rv32/esp32: 1 000 000 -> 1 020 001 (+2.00 %)`);
  });

  it('the meter and the image are compared as instructions are', async () => {
    expect((await check({ answer: at(id, 'm32/esp32', 1_100_000) })).failed).toBe(true);
    expect((await check({ imageBytes: 1021 })).failed).toBe(true);
  });

  it('less is told, and no failure', async () => {
    const { stdout, failed } = await check({ answer: at(id, 'rv32/esp32', 900_000) });
    expect(failed).toBe(false);
    expect(stdout).toContain('(-10.00 %)');
  });

  it('a figure that is gone is a failure', async () => {
    const { stdout, failed } = await check({ answer: at(id, 'rv32/esp32', 'memory full') });
    expect(failed).toBe(true);
    expect(stdout).toContain(`FAIL ${id} rv32/esp32: 1 000 000 -> none`);
  });

  it('what was skipped, or left out by --only, is not compared', async () => {
    expect((await check({ missing: ['rv32'] })).failed).toBe(false);
    expect((await check({}, { only: 'reading' })).failed).toBe(false);
  });

  it('where no target can be built is a skip that is named, and a failure where skips are not accepted', async () => {
    const none: Fake = { missing: ['rv32', 'm32'] };
    const { stdout, failed } = await check(none);
    expect(failed).toBe(false);
    expect(stdout).toContain('skipped: the comparison with the baseline: nothing was measured that stands in it');
    expect(stdout).not.toContain('0 figures');
    expect((await check(none, { skip: false })).failed).toBe(true);
  });

  it('says where one target is not compared', async () => {
    const { stdout } = await check({ missing: ['rv32'] });
    expect(stdout).toMatch(
      /baseline: [1-9]\d* figures, 0 differ.*; those of targets that were skipped are not compared/,
    );
  });

  it('another compiler is told', async () => {
    const engine = fakeEngine();
    let stdout = '';
    const channels = {
      stdout: (text: string) => {
        stdout += text;
      },
      stderr: () => {},
    };
    const io = createIo(channels, false, () => {});
    const other = { ...engine, compiler: () => 'clang' };
    await runBenchXs(other, { skip: true, baseline: 'check' }, join(folder, 'baseline.json'), io);
    expect(stdout).toContain('rv32: built with clang, the baseline with gcc for rv32');
  });

  it('a file that is not there is a wrong call', async () => {
    const io = createIo({ stdout: () => {}, stderr: () => {} }, false, () => {});
    const missing = join(folder, 'none.json');
    const engine = fakeEngine({ runsNothing: true });
    await expect(runBenchXs(engine, { skip: true, baseline: 'check' }, missing, io)).rejects.toThrow(
      'none.json: no such file or folder',
    );
  });

  it('is not written for a part of the lines', async () => {
    const { code, stderr } = await run('bench-xs', '--baseline', 'write', '--only', 'reading');
    expect(code).toBe(2);
    expect(stderr).toContain('--baseline write takes all lines: leave --only out');
  });
});

describe.skipIf(!canBuild())('XS itself (skipped without its compilers)', () => {
  it('gives the same figures twice, native Ed25519 near its 2.7 million instructions', {
    timeout: 900_000,
  }, async () => {
    const engine = await createXsEngine(() => {});
    try {
      const first = await runXsBench(engine, 'ed25519/native', () => {});
      const second = await runXsBench(engine, 'ed25519/native', () => {});
      expect(second).toEqual(first);
      const found = first.lines[0]?.at['rv32/esp32'];
      expect(found).toMatchObject({ collections: 0 });
      const count = found !== undefined && 'count' in found ? found.count : 0;
      expect(count).toBeGreaterThan(2_400_000);
      expect(count).toBeLessThan(3_000_000);
    } finally {
      engine.close();
    }
  });
});

/** Whether both targets can be built here; says what is missing where not. */
function canBuild(): boolean {
  try {
    for (const target of ['rv32', 'm32'] as const) targetNamed(target);
    return true;
  } catch (error) {
    process.stderr.write(`skipped: ${(error as Error).message}\n`);
    return false;
  }
}
