// A device in XS put through what it must survive: hostile input and the largest that is allowed, in 48 KB; and payments by the
// thousand. What is not as it must be is told by its name.

import { readCarefully } from '../../core/intake/presentation.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { MemoryLedger } from '../../core/ledger/memory-ledger.ts';
import { Verifier } from '../../core/verifier.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { type Figures, MACHINES, type MachineMemory } from '../../host-sim/xs/runner.ts';
import { runSteps, type StepResult } from '../../host-sim/xs/step-run.ts';
import type { Step } from '../../host-sim/xs/steps.ts';
import type { TargetName } from '../../host-sim/xs/targets.ts';
import { endurancePayments, ROUND, stepsOfRound } from './endurance.ts';
import { hostileAnswers, hostilePayments, largestAnswers, largestPayments, type Trial } from './hostile.ts';
import { answerOf, bundleOf, bytesOf, chainOf, NOW_MS, REQUEST, signingKey, siteInput } from './scene.ts';

/** How many trials went as they must, and in words what did not. */
export interface TrialCounts {
  readonly passed: number;
  readonly failed: readonly string[];
}

/** On what. */
export interface TrialOptions {
  readonly target: TargetName;
  /** As programs/crypto.ts names it. */
  readonly crypto: string;
  readonly note?: (text: string) => void;
}

/** Numbers and digests that are kept as text are longer or shorter by some bytes, as they come. */
const TEXT_BYTES = 16;
/** The text that key lookup was asked about last is kept, and a name has up to 1 KB. */
const LAST_TEXT_BYTES = 1100;
/** Ledger in memory: begins anew after so many payments. */
const RENEWED = 10;

const payment = (number: number): Step => ({
  kind: 'payment',
  bytes: bytesOf(chainOf(number) as unknown as JsonObject),
});
const bundle = (number: number): Step => ({ kind: 'answer', bytes: answerOf(bundleOf(number)) });

/** Hostile payments, headers and answers: each is refused, the next payment is good, and the machine holds what it held. */
export async function hostileInput(options: TrialOptions): Promise<TrialCounts> {
  const trials = [...hostilePayments(), ...hostileAnswers()].map((trial) => ({
    ...trial,
    expected: trial.expected ?? verdictUnderNode(trial.step),
  }));
  const good: Trial = { name: 'a good payment', step: payment(1), expected: 'ok' };
  const each = trials.flatMap((trial, i): readonly Trial[] => [
    trial,
    { name: `the payment after ${trial.name}`, step: payment(1000 + i), expected: 'ok' },
  ]);
  // Once a bundle is admitted, nothing is left of keys and grants that were looked at.
  const fresh: readonly Trial[] = [{ name: 'a bundle', step: bundle(2), expected: 'ok' }, good, good];
  const all = [...fresh, ...each, ...fresh];
  const results = await run(all, 'verifier', MACHINES['48k'], 1, 1, options);
  const failed = wrongVerdicts(all, results);
  const first = results[2]?.held;
  results.slice(3, -3).forEach(({ held }, i) => {
    if (i % 2 === 0 || first === undefined || held === undefined) return;
    const same = held.slots === first.slots && held.names === first.names;
    if (!same || held.chunks > first.chunks + LAST_TEXT_BYTES)
      failed.push(`${(each[i] as Trial).name}: the machine holds ${told(held)}, before it were ${told(first)}`);
  });
  failed.push(...otherThan(first, results.at(-1)?.held, 'all of it', TEXT_BYTES));
  return { passed: all.length - failed.length, failed };
}

/** The largest payments and bundles, in the worst shapes: all of them are accepted. */
export async function largestInput(options: TrialOptions): Promise<TrialCounts> {
  const payments = largestPayments((bytes) => !('ok' in readCarefully(bytes)));
  const restored = (i: number): readonly Trial[] => [
    { name: 'the payment under it', step: payment(2000 + i), expected: 'ok' },
    { name: 'the usual bundle after it', step: bundle(102 + 2 * i), expected: 'ok' },
  ];
  const answers = largestAnswers().flatMap((trial, i) => [trial, ...restored(i)]);
  const all = [...payments, ...answers];
  const results = await run(all, 'verifier', MACHINES['48k'], 1, 1, options);
  const failed = wrongVerdicts(all, results);
  // Names of MPCP become the engine's as they are first read; those of the payers never do.
  const names = results.map(({ held }) => held?.names ?? 0);
  const [early, late] = [names.slice(0, names.length / 4), names.slice(names.length / 4)].map((some) =>
    Math.max(...some),
  );
  if (early !== late) failed.push(`the engine has ${late} names, and had ${early} after the first inputs`);
  return { passed: all.length - failed.length, failed };
}

/**
 * So many payments in one machine. `verifier`: in 48 KB, and what it holds after the last is what it held after the first
 * hundred, to the byte. `device`: with ledger and journal on flash, where it goes up and down with where their records are, by
 * some hundred bytes, and in the second half is not more than it was in the first.
 */
export async function endurance(
  form: 'verifier' | 'device',
  payments: number,
  options: TrialOptions,
): Promise<TrialCounts> {
  // What is refused while it is read is so at any time.
  const hostile = hostilePayments().filter(
    ({ expected }) => expected === 'SBA_INVALID' || expected === 'LIMIT_EXCEEDED',
  );
  const isDevice = form === 'device';
  const all = endurancePayments(payments, hostile, isDevice);
  const memory = MACHINES[isDevice ? 'device' : '48k'];
  const results = await run(all, form, memory, stepsOfRound(isDevice), RENEWED, options);
  const failed = wrongVerdicts(all, results);
  const rounds = results.flatMap(({ held }) => held ?? []);
  if (rounds.length !== payments / ROUND) failed.push(`the heap is told ${rounds.length} times`);
  if (!isDevice) failed.push(...otherThan(rounds[0], rounds.at(-1), `${payments} payments`));
  else {
    const most = (of: readonly Figures[]) => Math.max(...of.map(({ slots, chunks }) => slots + chunks));
    const [first, second] = [rounds.slice(0, rounds.length / 2), rounds.slice(rounds.length / 2)];
    if (most(second) > most(first) + TEXT_BYTES)
      failed.push(`the machine holds up to ${most(second)} bytes in the second half, ${most(first)} in the first`);
    if (rounds.some(({ names }) => names !== rounds[0]?.names))
      failed.push('the engine has names that were not there before');
  }
  return { passed: all.length - failed.length, failed };
}

async function run(
  trials: readonly Trial[],
  form: 'verifier' | 'device',
  memory: MachineMemory,
  every: number,
  renewed: number,
  options: TrialOptions,
): Promise<readonly StepResult[]> {
  const steps = trials.map(({ step }) => step);
  return runSteps(siteInput(), steps, { ...options, form, memory, told: every, renewed }, [bundle(1)]);
}

function wrongVerdicts(trials: readonly Trial[], results: readonly StepResult[]): string[] {
  return trials.flatMap(({ name, expected }, i) => {
    const { verdict, detail } = results[i] as StepResult;
    if (verdict === undefined) return [`${name}: the machine stopped: ${detail}`];
    return verdict === expected ? [] : [`${name}: ${verdict} (${detail}), not ${expected}`];
  });
}

function otherThan(first: Figures | undefined, last: Figures | undefined, what: string, most = 0): readonly string[] {
  if (first === undefined || last === undefined) return [`what the machine holds after ${what} is not told`];
  const isSame = first.slots === last.slots && first.names === last.names;
  if (isSame && Math.abs(first.chunks - last.chunks) <= most) return [];
  return [`after ${what} the machine holds ${told(last)}, before it were ${told(first)}`];
}

function told({ slots, chunks, names }: Figures): string {
  return `${slots} + ${chunks} bytes and ${names} names`;
}

/** What a verifier under Node says to a payment. */
export function verdictUnderNode({ kind, bytes }: Step): string {
  if (kind !== 'payment') throw new Error(`what must come of a ${kind} is not stated`);
  const crypto = createNodeCrypto();
  const { configuration } = siteInput();
  const root = signingKey('root');
  const verifier = new Verifier({
    configuration: { ...configuration, rootKeys: [{ kid: root.kid, publicKey: root.publicKey }] },
    crypto,
    clock: { wallMs: () => NOW_MS, monotonicMs: () => NOW_MS },
    ledger: new MemoryLedger(crypto),
    earliestMs: 0,
  });
  verifier.admit(bytesOf(bundleOf(1)));
  const decision = verifier.authorize(bytes, REQUEST);
  return decision.ok ? 'ok' : decision.code;
}
