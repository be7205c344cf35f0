// The power-cut proof in small: that it finds nothing, that it walks what it says it walks, and that it can find something.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KIND } from '../../../core/ledger/spend-record.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { keyFromSeed, sign } from '../../../host-sim/signing/keys.ts';
import { type Walk, walkPairs, walkRandom, walkSingle } from '../../../tools/powercut/explore.ts';
import { Model, wrongIn } from '../../../tools/powercut/model.ts';
import { MUTATIONS, mutated, tryMutation } from '../../../tools/powercut/mutations.ts';
import { CRYPTO } from '../../../tools/powercut/names.ts';
import { Device } from '../../../tools/powercut/operations.ts';
import { Progress } from '../../../tools/powercut/progress.ts';
import { RememberedVerdicts } from '../../../tools/powercut/remembered-verdicts.ts';
import { type Point, type Recovered, Trial, type Violation } from '../../../tools/powercut/trial.ts';
import type { WalkOrder } from '../../../tools/powercut/walks.ts';
import { firstWorkload, namedWorkloads, randomWorkload, shortWorkload } from '../../../tools/powercut/workloads.ts';
import { newest } from '../../fixtures/spends.ts';
import { run } from '../cli/run.ts';

const MODES = ['ones', 'scrambled'] as const;

describe('the short workload', () => {
  it.each(MODES)('has at least 60 flash operations and two compactions where erased cells read %s', (mode) => {
    const workload = shortWorkload();
    const trial = new Trial(workload, mode, 1);
    const points: Point[] = [];
    expect(trial.rest(trial.begin, points)).toBeUndefined();
    expect(points.length).toBeGreaterThanOrEqual(60);
    const ends = points.filter((point) => point.operation.bytes?.[0] === 1);
    const inLedger = ends.filter((point) => point.operation.offset < workload.partitions.ledger * workload.blockSize);
    expect(inLedger.length).toBeGreaterThanOrEqual(2);
    expect(ends.length - inLedger.length).toBeGreaterThanOrEqual(1);
  });

  it.each(MODES)('puts newer bundles in force in one write, beside older ones, where erased cells read %s', (mode) => {
    const workload = shortWorkload();
    const trial = new Trial(workload, mode, 1);
    const points: Point[] = [];
    expect(trial.begin.model.inForce.size).toBe(2);
    expect(trial.rest(trial.begin, points)).toBeUndefined();
    const { ledger, journal } = workload.partitions;
    const onBundles = points.filter((point) => point.operation.offset >= (ledger + journal) * workload.blockSize);
    expect(onBundles.map((point) => point.doing.do)).toEqual(onBundles.map(() => 'switch'));
    // A log's header begins the record that puts the other copy in force; it comes last.
    expect(onBundles.map((point) => point.operation.bytes?.[0] === 0x4d).filter(Boolean)).toHaveLength(1);
    expect(onBundles.at(-1)?.operation.bytes?.[0]).toBe(0x4d);
  });

  it('settles a reservation after a restart', () => {
    const { steps } = shortWorkload();
    const reserved = steps.findIndex((step) => step.do === 'reserve');
    const restarted = steps.findIndex((step, i) => i > reserved && step.do === 'restart');
    expect(steps.findIndex((step, i) => i > restarted && step.do === 'settle')).toBeGreaterThan(restarted);
  });
});

describe('power cuts', () => {
  it.each(MODES)('one at every operation in every form finds nothing where erased cells read %s', (mode) => {
    const walk = walkSingle(firstWorkload(), mode, 3);
    expect(walk.violations).toEqual([]);
    expect(walk.cases).toBeGreaterThan(walk.operations * 10);
  });

  it.each(MODES)('two finds nothing where erased cells read %s', (mode) => {
    const walk = walkPairs(firstWorkload(), mode, 3, { oneOf: 10, which: 0, secondForms: 2 });
    expect(walk.violations).toEqual([]);
    expect(walk.cases).toBeGreaterThan(500);
  });

  it('in random workloads find nothing until the time is over', () => {
    let calls = 0;
    const walk = walkRandom(5, 1, MODES, () => calls++);
    expect(walk.violations).toEqual([]);
    expect(walk.cases).toBeGreaterThan(100);
  });
});

describe('after a cut', () => {
  const workload = shortWorkload();
  const trial = new Trial(workload, 'ones', 1);
  const points: Point[] = [];
  trial.rest(trial.begin, points);
  const ofSwitch = points.filter((point) => point.doing.do === 'switch');
  const record = ofSwitch.findIndex((point) => point.operation.bytes?.[0] === 0x4d);

  it('before the record that switches, the bundles are the old ones', () => {
    const recovered = trial.cut({ point: ofSwitch[record] as Point, form: { kind: 'before' } }) as Recovered;
    expect(recovered.model.inForce).toEqual(trial.begin.model.inForce);
    expect(trial.probe(recovered, 'deep')).toBeUndefined();
  });

  it('behind it, they are the new ones, which the start lets the ledger remember: the power may go then, too', () => {
    const recovered = trial.cut({ point: ofSwitch[record] as Point, form: { kind: 'after' } }) as Recovered;
    expect(recovered.model.inForce).not.toEqual(trial.begin.model.inForce);
    const next: Point[] = [];
    expect(trial.rest(trial.here(recovered), next)).toBeUndefined();
    const atStart = next.filter((point) => point.doing.do === 'restart').map((point) => point.operation.bytes?.[0]);
    expect(atStart.filter((kind) => kind === KIND.bundle)).toHaveLength(2);
  });
});

describe('a verdict on a signature', () => {
  const key = keyFromSeed('k', new Uint8Array(32).fill(5));
  const message = new TextEncoder().encode('what is signed');
  const signature = sign(key, message);

  const inParts = (sink: (part: Uint8Array) => void) => {
    for (const byte of message) sink(Uint8Array.of(byte));
  };

  it('is asked for once for the same bytes, whole or in parts, and again for any others', () => {
    let asked = 0;
    const crypto = new RememberedVerdicts({
      ...CRYPTO,
      ed25519Verify: (...of) => {
        asked++;
        return CRYPTO.ed25519Verify(...of);
      },
    });
    expect(crypto.ed25519Verify(key.publicKey, signature, message)).toBe(true);
    expect(crypto.ed25519Verify(key.publicKey, signature, inParts)).toBe(true);
    expect(asked).toBe(1);
    const other = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
    expect(crypto.ed25519Verify(key.publicKey, signature, other(message))).toBe(false);
    expect(crypto.ed25519Verify(key.publicKey, other(signature), message)).toBe(false);
    expect(crypto.ed25519Verify(other(key.publicKey), signature, message)).toBe(false);
    expect(asked).toBe(4);
    expect(crypto.ed25519Verify(key.publicKey, other(signature), message)).toBe(false);
    expect(asked).toBe(4);
  });
});

describe('workloads', () => {
  it('without a cut do what the model says', () => {
    for (const workload of [...namedWorkloads(), ...Array.from({ length: 10 }, (_, seed) => randomWorkload(seed))]) {
      const trial = new Trial(workload, 'scrambled', 1);
      expect(trial.rest(trial.begin), workload.name).toBeUndefined();
    }
  });

  it('of a seed are the same again', () => {
    expect(randomWorkload(7)).toEqual(randomWorkload(7));
    expect(randomWorkload(7)).not.toEqual(randomWorkload(8));
  });
});

describe('a device that knows something else than it answered', () => {
  const device = new Device(
    new SimulatedFlash(new MemoryStore(16_384), { geometry: { blockSize: 1024, programSize: 16 } }),
    { ledger: 6, journal: 8, bundles: 2 },
  );
  const spend = { name: 'r', grant: 'g', budget: 'b', amount: 5n, timeMs: 1000, keepUntilMs: 9000 };

  it.each<[string, string, (model: Model) => void]>([
    [
      'a spend is lost',
      'totals are what was approved',
      (model) => {
        model.spent(spend, false);
        model.entries = [];
      },
    ],
    ['a receipt is lost', 'ledger and journal agree on the last receipt', (model) => model.spent(spend, false)],
    ['a replay id is lost', 'no replay id is lost', (model) => model.replays.set('d', 1)],
    [
      'a reservation is lost',
      'open reservations are open, ended ones are not',
      (model) => {
        const { receiptId, ...open } = { ...spend, receiptId: 1, idempotency: undefined };
        model.reservations.set('r', { receiptId, ...open });
      },
    ],
    [
      'the floor is lower',
      'the time floor is what it was',
      (model) => {
        model.floorMs = 1;
        model.replays.clear();
      },
    ],
    [
      'a bundle is not in force',
      'the bundles in force are the old set or the new one',
      (model) => model.inForce.set('bundle', 1),
    ],
    [
      'a bundle is forgotten',
      'the newest bundle of an identity is what it was',
      (model) => model.bundles.set('bundle', newest(1, 2)),
    ],
  ])('%s: is found out', (_, rule, change) => {
    const model = new Model();
    change(model);
    expect(wrongIn(device, model)).toMatchObject({ rule });
  });
});

describe('walks in parts', () => {
  it('are the walk as a whole', () => {
    const whole = walkSingle(firstWorkload(), 'ones', 1, 24);
    const parts = [0, 1, 2].map((which) => walkSingle(firstWorkload(), 'ones', 1, 24, { of: 3, which }));
    // Each part begins with the workload without a cut.
    expect(parts.reduce((sum, part) => sum + part.cases - 1, 1)).toBe(whole.cases);
  });
});

describe('progress', () => {
  const order = (workload: string, which: number): WalkOrder => ({
    kind: 'single',
    workload,
    erased: 'ones',
    seed: 1,
    restOf: 1,
    part: { of: 2, which },
  });
  const orders = [order('short', 0), order('first', 0), order('short', 1), order('first', 1)];
  const walk: Walk = {
    name: '',
    operations: 9,
    compactions: 0,
    givenUp: 0,
    cases: 100,
    violations: [],
    seconds: 60,
  };

  it('says how much is done, and how long the rest takes once a part of each walk has shown it', () => {
    const progress = new Progress(orders, 2, 0);
    expect(progress.ended(orders[0] as WalkOrder, walk)).toEqual([]);
    expect(progress.line(61_000)).toBe('1 of 4 parts done, 100 cases, no violation; 61 s so far');
    progress.ended(orders[1] as WalkOrder, { ...walk, seconds: 300 });
    expect(progress.line(301_000)).toBe('2 of 4 parts done, 200 cases, no violation; 5 min so far, about 3 min more');
    expect(progress.ended(orders[2] as WalkOrder, walk)).toEqual([
      'short, one cut, erased cells read ones: done, 200 cases, no violation',
    ]);
  });

  it('tells a violation when its part is done', () => {
    const violation = { rule: 'totals are what was approved', detail: 'grant g: 1' } as Violation;
    const lines = new Progress(orders, 1, 0).ended(orders[0] as WalkOrder, { ...walk, violations: [violation] });
    expect(lines).toEqual(['VIOLATION of "totals are what was approved": grant g: 1']);
  });
});

describe('a rule that is taken out', () => {
  it.each(
    MUTATIONS.filter(({ rule }) =>
      /CRC|given up$|new block$|before the ledger remembers|before the ledger.s|made void$|chained to|not written to$/.test(
        rule,
      ),
    ),
  )('is found out: $rule', async (mutation) => {
    expect((await tryMutation(mutation, 1)).violations).toBeGreaterThan(0);
  });

  it.each(MUTATIONS)('is in the source: $rule', (mutation) => {
    expect(mutated(readFileSync(mutation.file, 'utf8'), mutation)).not.toBe('');
  });

  it('that is not in the source any more is an error', () => {
    expect(() => mutated('text', MUTATIONS[0] as (typeof MUTATIONS)[number])).toThrow(/not in .* exactly once/);
  });
});

describe('powercut', () => {
  it('prints cases and violations', async () => {
    const { code, stdout } = await run(
      'powercut',
      '--workload',
      'first',
      '--short',
      '--erased',
      'scrambled',
      '--seed',
      '2',
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ seed: 2, violations: [] });
    expect(JSON.parse(stdout).cases).toBeGreaterThan(500);
  });

  it.each([
    [['--short', '--all'], /--short.*--all/],
    [['--mutations', '--short'], /--mutations.*--short/],
    [['--mutations', '--all'], /--mutations.*--all/],
    [['--mutations', '--seconds', '9'], /--mutations.*--seconds/],
    [['--mutations', '--erased', 'ones'], /--mutations.*--erased/],
    [['--mutations', '--workload', 'first'], /--mutations.*--workload/],
    [['--workload', 'first', '--seconds', '9'], /--workload.*--seconds/],
    [['--short', '--workload', 'mixed'], /--short walks short and first only, --workload asks for mixed/],
  ])('refuses %j, which contradict each other, in one sentence', async (options, sentence) => {
    const { code, stdout, stderr } = await run('powercut', ...options);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('refuses an unknown reading of erased cells as a wrong call', async () => {
    expect((await run('powercut', '--erased', 'zeros')).code).toBe(2);
  });
});
