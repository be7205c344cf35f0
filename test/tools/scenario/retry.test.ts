// Payers who got no answer and present the same payment again: a device answers again, and it counts once.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Approval } from '../../../core/verifier.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { type RunResult, runScenario } from '../../../host-sim/simulation/run.ts';
import type { MakeCharger } from '../../../host-sim/simulation/simulated-device.ts';
import type { TraceEvent } from '../../../host-sim/simulation/trace.ts';
import { VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { changedScenario, ScenarioBench } from './bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterAll(() => bench.remove());

interface Ran {
  readonly result: RunResult;
  readonly paid: readonly TraceEvent[];
}

/** Six hours of one gate with a payment every five minutes, and something wrong with it from the second hour to the fourth. */
async function ran(retry: object | undefined, fault: object, makeCharger?: MakeCharger): Promise<Ran> {
  const text = changedScenario((scenario) => {
    scenario.duration = '6h';
    scenario.settle = '1h';
    scenario.wallets[0].grant.budget = '900000000';
    scenario.arrivals[0].pattern = { every: '5m' };
    if (retry !== undefined) scenario.arrivals[0].retry = retry;
    scenario.faults = [{ devices: 'gate-1', at: '2h', for: '2h', ...fault }];
  });
  const read = readScenario(bench.write('scenario.yaml', text));
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const paid: TraceEvent[] = [];
  const heard = (event: TraceEvent) => {
    if (event.event === 'payment') paid.push(event);
  };
  return { result: await runScenario(read.scenario, { heard, ...(makeCharger && { makeCharger }) }), paid };
}

const receipts = (paid: readonly TraceEvent[], answer: string) =>
  paid.filter((one) => one.answer === answer).map(({ receiptId }) => receiptId);

/** Payments in the two hours. */
const HIT = 24;
const CUT_LINE = { answersLost: true };
const BAD_LINE = { answersLost: true, share: 0.5 };

describe('a payer whose answer was lost', () => {
  it('leaves where the scenario says nothing else', async () => {
    const { result, paid } = await ran(undefined, CUT_LINE);
    expect(result).toMatchObject({ payments: 71, approved: 71 - HIT, repeated: 0, refused: {}, unanswered: HIT });
    expect(paid.filter(({ answer }) => answer === 'none').every(({ decided }) => decided === 'approved')).toBe(true);
    expect(result).toMatchObject({ acknowledged: 71 - HIT, unheard: { approved: HIT, acknowledged: HIT } });
  });

  it('is given the receipt of before, and pays once', async () => {
    const { result, paid } = await ran({ after: '20s', times: 20 }, BAD_LINE);
    expect(result.violation).toBeUndefined();
    expect(result.repeated).toBeGreaterThan(5);
    expect([result.approved + result.repeated, result.refused]).toEqual([71, {}]);
    const again = receipts(paid, 'repeated');
    const lost = receipts(paid, 'none');
    expect(again.every((receiptId) => lost.includes(receiptId))).toBe(true);
    expect(new Set([...receipts(paid, 'approved'), ...again]).size).toBe(71);
    expect(result.unheard).toEqual({ approved: result.repeated, acknowledged: result.repeated });
  });

  it('comes again with what names its first attempt', async () => {
    const { paid } = await ran({ after: '20s', times: 20 }, BAD_LINE);
    const first = new Map(paid.map((one) => [one.n, one]));
    const again = paid.filter(({ retryOf }) => retryOf !== undefined);
    expect(again.length).toBeGreaterThan(5);
    for (const { retryOf, receiptId } of again)
      expect(first.get(Number(retryOf))).toMatchObject({ answer: 'none', receiptId });
  });

  it('comes again as often as the scenario says, and then leaves', async () => {
    const { result } = await ran({ after: '10s', times: 3 }, CUT_LINE);
    expect([result.payments, result.unanswered]).toEqual([71 + 3 * HIT, 4 * HIT]);
  });

  it('is refused when the budget has expired meanwhile', async () => {
    const { result } = await ran({ after: '130m' }, CUT_LINE);
    // Those of the last ten minutes would come after the end.
    expect([result.repeated, result.refused]).toEqual([0, { ARTIFACT_EXPIRED: HIT - 2 }]);
  });
});

describe('a payer whose device lost its power', () => {
  /** Power goes between the record and the answer to each third payment. */
  const cutBeforeAnswer: MakeCharger = (parts) => {
    const charger = new VirtualCharger(parts);
    const present = charger.present.bind(charger);
    let taken = 0;
    charger.present = async (...args) => {
      const decision = await present(...args);
      if (!decision.ok || decision.repeated || ++taken % 3 !== 0) return decision;
      charger.powerOff();
      throw new PowerCut('the power was cut before the answer');
    };
    return charger;
  };

  it('after the record is given the receipt that is on flash, and pays once', async () => {
    const { result, paid } = await ran({ after: '90s' }, { latency: '1s' }, cutBeforeAnswer);
    expect(result.violation).toBeUndefined();
    expect(result).toMatchObject({ payments: 94, approved: 48, repeated: 23, refused: {}, unanswered: 23 });
    expect(result).toMatchObject({ acknowledged: 48, unheard: { approved: 23, acknowledged: 23 } });
    const told = [...receipts(paid, 'approved'), ...receipts(paid, 'repeated')];
    expect(new Set(told).size).toBe(71);
  });

  it('after the record, and who leaves, is found at the operator', async () => {
    const { result } = await ran(undefined, { latency: '1s' }, cutBeforeAnswer);
    expect(result).toMatchObject({ approved: 48, unanswered: 23, unheard: { approved: 23, acknowledged: 23 } });
  });

  it('in the middle of anything pays once', async () => {
    const { result, paid } = await ran({ after: '45s', times: 9 }, { powerCuts: { rate: '2/m', torn: true } });
    expect(result.violation).toBeUndefined();
    expect(result.unanswered).toBeGreaterThan(3);
    const told = [...receipts(paid, 'approved'), ...receipts(paid, 'repeated')];
    expect(new Set(told).size).toBe(told.length);
  });

  it('finds none, and pays when it is back', async () => {
    const { result } = await ran({ after: '5m', times: 9 }, { powerCuts: { rate: '12/h', off: '10m' } });
    expect(result.unanswered).toBeGreaterThan(5);
    expect([result.approved, result.refused]).toEqual([71, {}]);
  });
});

describe('a device is found out by honest payers who come again, where it', () => {
  const changing =
    (change: (again: Approval) => Approval): MakeCharger =>
    (parts) => {
      const charger = new VirtualCharger(parts);
      const present = charger.present.bind(charger);
      charger.present = async (...args) => {
        const decision = await present(...args);
        return decision.ok && decision.repeated ? change(decision) : decision;
      };
      return charger;
    };

  it.each([
    ['gives another receipt', 'durable', changing((again) => ({ ...again, receiptId: again.receiptId + 1000 }))],
    ['gives the receipt of another', 'durable', changing((again) => ({ ...again, receiptId: 1 }))],
    ['takes the payment again', 'cap', changing((again) => ({ ...again, repeated: false, receiptId: 1000 }))],
  ] as const)('%s', async (_, invariant, makeCharger) => {
    const { result } = await ran({ after: '20s', times: 20 }, BAD_LINE, makeCharger);
    expect(result.violation?.invariant).toBe(invariant);
  });
});

it('a run fails where fewer are answered again than its scenario expects', async () => {
  const text = changedScenario((scenario) => {
    scenario.arrivals[0].retry = { after: '20s' };
    scenario.expect = { repeatedAtLeast: 1 };
  });
  const { code, stdout } = await bench.sim(text);
  expect(code).toBe(1);
  expect(stdout).toContain('NOT AS EXPECTED: 0 payments were answered again, 1 are expected');
});
