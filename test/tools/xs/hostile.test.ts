// What a device in XS is put through is what it says: under Node each hostile input has the code that is stated, the largest
// ones are good, and signatures are as their sources say.

import { describe, expect, it } from 'vitest';
import { presentationFromAuthorizationBytes } from '../../../core/intake/http-authorization.ts';
import { readCarefully } from '../../../core/intake/presentation.ts';
import { PRESENTATION_WEIGHT } from '../../../core/limits.ts';
import { deepestPayments } from '../../../tools/xs/deepest.ts';
import { verdictUnderNode } from '../../../tools/xs/device-trials.ts';
import { endurancePayments, ROUND, stepsOfRound } from '../../../tools/xs/endurance.ts';
import { hostilePayments, largestPayments } from '../../../tools/xs/hostile.ts';
import { cryptosInNode, signatureSets, verdictInNode } from '../../../tools/xs/signatures.ts';

const isRead = (bytes: Uint8Array) => !('ok' in readCarefully(bytes));

describe('hostile input', () => {
  const trials = hostilePayments();

  it('has names of its own', () => {
    expect(new Set(trials.map(({ name }) => name)).size).toBe(trials.length);
  });

  it('is refused with the code that is stated', () => {
    const wrong = trials.flatMap(({ name, step, expected }) => {
      if (expected === undefined) return [];
      const read = step.kind === 'header' ? presentationFromAuthorizationBytes(step.bytes.slice()) : step.bytes;
      const verdict = 'ok' in read ? read.code : verdictUnderNode({ kind: 'payment', bytes: read });
      return verdict === expected ? [] : [`${name}: ${verdict}`];
    });
    expect(wrong).toEqual([]);
  });
});

describe('the largest payments', () => {
  const trials = largestPayments(isRead);

  it('are good, and as heavy as may be', () => {
    expect(trials.length).toBeGreaterThan(200);
    for (const { name, step } of trials.filter((_, i) => i % 7 === 0)) expect(verdictUnderNode(step), name).toBe('ok');
    expect(PRESENTATION_WEIGHT).toBe(9216);
  });
});

describe('the deepest payments', () => {
  it('are good, in every artifact', () => {
    const trials = deepestPayments(isRead);
    expect(trials.length).toBeGreaterThan(400);
    for (const place of ['grant', 'flat grant', 'SBA', 'SPA', 'intent', "intent's own time", 'fleet policy']) {
      const there = trials.filter(({ name }) => name.includes(`, in the ${place}`));
      expect(there.length, place).toBeGreaterThan(30);
      for (const { name, step } of there.filter((_, i) => i % 9 === 0)) expect(verdictUnderNode(step), name).toBe('ok');
    }
  });
});

describe('payments by the thousand', () => {
  it('are all different, and end each round with a good one', () => {
    for (const isRefreshed of [false, true]) {
      const trials = endurancePayments(2 * ROUND, hostilePayments().slice(0, 3), isRefreshed);
      expect(trials).toHaveLength(2 * stepsOfRound(isRefreshed));
      expect(trials[stepsOfRound(isRefreshed) - 1]).toMatchObject({ name: `payment ${ROUND - 1}`, expected: 'ok' });
      const good = trials.filter(({ expected, step }) => expected === 'ok' && step.kind === 'payment');
      expect(new Set(good.map(({ step }) => Buffer.from(step.bytes).toString('latin1'))).size).toBe(2 * ROUND);
    }
  });
});

describe('signatures', () => {
  it('are what their sources say, whoever decides in Node', () => {
    const sets = signatureSets('test/vectors/interop');
    expect(sets.find(({ name }) => name === 'edges')?.cases.length).toBeGreaterThan(150);
    expect(sets.find(({ name }) => name === 'vectors')?.cases.length).toBeGreaterThan(100);
    for (const one of sets.flatMap(({ cases }) => cases)) {
      const verdicts = Object.values(cryptosInNode()).map((crypto) => verdictInNode(crypto, one));
      expect(new Set(verdicts).size, one.name).toBe(1);
      if (one.isGood !== undefined) expect(verdicts[0]?.startsWith('good '), one.name).toBe(one.isGood);
    }
  });
});
