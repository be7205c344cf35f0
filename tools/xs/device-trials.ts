// A device in XS put through what it must survive: hostile input and the largest that is allowed, in 48 KB; and payments by the
// thousand. What is not as it must be is told by its name.

import { toHex } from '../../core/hash/hex.ts';
import { readCarefully } from '../../core/intake/presentation.ts';
import { isKnownName } from '../../core/json/known-names.ts';
import { writeJson } from '../../core/json/text.ts';
import { isArray, type JsonObject, type JsonValue } from '../../core/json/value.ts';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { Journal } from '../../core/ledger/journal.ts';
import { MemoryLedger } from '../../core/ledger/memory-ledger.ts';
import { Uploader } from '../../core/refresh/upload.ts';
import { Verifier, type VerifierParts } from '../../core/verifier.ts';
import { SimulatedFlash } from '../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../host-sim/flash/store.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { type Figures, MACHINES, type MachineMemory } from '../../host-sim/xs/runner.ts';
import { runSteps, type StepResult } from '../../host-sim/xs/step-run.ts';
import type { Step } from '../../host-sim/xs/steps.ts';
import type { TargetName } from '../../host-sim/xs/targets.ts';
import { deepestPayments } from './deepest.ts';
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
/** Trials that one machine takes: its ledger keeps them all. */
const MACHINE_TRIALS = 400;
/** One part in so many of the stack stays free. */
const STACK_FREE_PART = 8;
const SLOT_BYTES = 16;
/** Of a partition of ledger or journal, under Node. */
const STORE_BYTES = 65_536;
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

/**
 * The largest payments and bundles, in the worst shapes, and the deepest: all of them are accepted, and stack stays free.
 * `device`: with ledger and journal on flash, and each receipt is handed in: the same bytes as under Node.
 */
export async function largestInput(form: 'verifier' | 'device', options: TrialOptions): Promise<TrialCounts> {
  const isRead = (bytes: Uint8Array) => !('ok' in readCarefully(bytes));
  const payments = [...largestPayments(isRead), ...deepestPayments(isRead)];
  const restored = (i: number): readonly Trial[] => [
    { name: 'the payment under it', step: payment(2000 + i), expected: 'ok' },
    { name: 'the usual bundle after it', step: bundle(102 + 2 * i), expected: 'ok' },
  ];
  const answers = largestAnswers().flatMap((trial, i) => [trial, ...restored(i)]);
  const all = [...payments, ...answers];
  const memory = MACHINES[form === 'device' ? 'device' : '48k'];
  const failed: string[] = [];
  for (let at = 0; at < all.length; at += MACHINE_TRIALS) {
    const trials = all.slice(at, at + MACHINE_TRIALS);
    const results = await run(trials, form, memory, 1, 1, options);
    failed.push(
      ...wrongVerdicts(trials, results),
      ...lateNames(results),
      ...deepStacks(trials, results, memory),
      ...(form === 'device' ? wrongReceipts(trials, results) : []),
    );
  }
  return { passed: all.length - failed.length, failed };
}

/** Names of MPCP become the engine's as they are first read; those of the payers never do. */
function lateNames(results: readonly StepResult[]): readonly string[] {
  const names = results.map(({ held }) => held?.names ?? 0);
  const [early, late] = [names.slice(0, names.length / 4), names.slice(names.length / 4)].map((some) =>
    Math.max(...some),
  );
  return early === late ? [] : [`the engine has ${late} names, and had ${early} after the first inputs`];
}

/** A part of the stack stays free: without bounds checks what is too deep shows nowhere else. */
function deepStacks(trials: readonly Trial[], results: readonly StepResult[], { stack }: MachineMemory): string[] {
  const most = stack - stack / STACK_FREE_PART;
  return results.flatMap(({ work }, i) => {
    const slots = (work?.stackPeak ?? 0) / SLOT_BYTES;
    return slots <= most ? [] : [`${(trials[i] as Trial).name}: ${slots} of ${stack} slots of stack`];
  });
}

/** Whether what a device has handed in is what one under Node hands in of the same payments. */
function wrongReceipts(trials: readonly Trial[], results: readonly StepResult[]): readonly string[] {
  const expected = handedInUnderNode(trials.map(({ step }) => step));
  for (const [i, { name, step }] of trials.entries()) {
    const { verdict, detail } = results[i] as StepResult;
    // Those after it have other numbers.
    if (verdict !== 'ok') return [];
    if (step.kind === 'payment' && detail !== expected[i])
      return [`${name}: what is handed in is not what it is in Node`];
  }
  return [];
}

/**
 * So many payments in one machine. After each hundred it holds what it held after the first, to the byte: `verifier` in 48 KB;
 * `device` with ledger and journal on flash, of which there are only tables of fixed size in memory, every receipt handed in.
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
  rounds.forEach((held, i) => {
    failed.push(...otherThan(rounds[0], held, `${ROUND * (i + 1)} payments`));
  });
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
  const decision = underNode({ ledger: new MemoryLedger(nodeCrypto) }).authorize(bytes, REQUEST);
  return decision.ok ? 'ok' : decision.code;
}

/** The SHA-256 of what is handed in after each payment of a device under Node; nothing for other steps. */
export function handedInUnderNode(steps: readonly Step[]): readonly string[] {
  const flash = () => new SimulatedFlash(new MemoryStore(STORE_BYTES));
  const journal = new Journal(flash(), nodeCrypto);
  const verifier = underNode({ ledger: new FlashLedger(flash(), nodeCrypto), journal });
  const uploader = new Uploader(journal, { random: () => 0 });
  return steps.map(({ kind, bytes }) => {
    if (kind !== 'payment') return '';
    const decision = verifier.authorize(bytes, REQUEST);
    const step = uploader.next(0);
    if (!decision.ok || step.kind !== 'send') throw new Error(`a payment is not handed in under Node: ${step.kind}`);
    const digest = nodeCrypto.sha256();
    digest.update(asOnDevice(step.batch.body));
    uploader.answered(0, 200, new TextEncoder().encode(`{"acknowledged":${decision.receiptId}}`));
    while (verifier.step());
    return toHex(digest.digest());
  });
}

/** What is handed in, as a device writes it: it keeps members apart whose names are not known, see OTHERS. */
function asOnDevice(body: Uint8Array): Uint8Array {
  const { receipts, ...batch } = JSON.parse(new TextDecoder().decode(body)) as { receipts: readonly JsonObject[] };
  const ordered = receipts.map((receipt) =>
    Object.fromEntries(Object.entries(receipt).map(([name, value]) => [name, unknownLast(value)])),
  );
  const target = new Uint8Array(body.length);
  return target.subarray(0, writeJson({ ...batch, receipts: ordered }, target, 0));
}

function unknownLast(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) return value.map(unknownLast);
  const members = Object.entries(value).map(([name, inner]) => [name, unknownLast(inner)] as const);
  const known = members.filter(([name]) => isKnownName(name));
  return Object.fromEntries([...known, ...members.filter(([name]) => !isKnownName(name))]);
}

const nodeCrypto = createNodeCrypto();

/** A verifier under Node with the bundle that everybody is in. */
function underNode(stores: Pick<VerifierParts, 'ledger' | 'journal'>): Verifier {
  const { configuration } = siteInput();
  const root = signingKey('root');
  const verifier = new Verifier({
    configuration: { ...configuration, rootKeys: [{ kid: root.kid, publicKey: root.publicKey }] },
    crypto: nodeCrypto,
    clock: { wallMs: () => NOW_MS, monotonicMs: () => NOW_MS },
    ...stores,
    earliestMs: 0,
  });
  verifier.admit(bytesOf(bundleOf(1)));
  return verifier;
}
