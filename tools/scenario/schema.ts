// The shape of a scenario file. Every member has its unit in its text (`15m`, `64KiB`, `12/h`), and a member that there is none
// of is refused. What names something else in the file is looked up by `scenario-file.ts`.

import { z } from 'zod';
import { amountFrom } from '../../core/artifacts/amount.ts';
import { timeFrom } from '../../core/artifacts/time.ts';
import { LEAST_BLOCKS as LEDGER_BLOCKS } from '../../core/ledger/block-log.ts';
import { LEAST_BLOCKS as JOURNAL_BLOCKS } from '../../core/ledger/journal.ts';
import { AMOUNT_DIGITS } from '../../core/limits.ts';
import { type ReasonCode, reasonCodes } from '../../core/reason-codes.ts';
import { HOSTILE_CLASSES } from '../../host-sim/faults/hostile-payer.ts';
import { WRONG_CERTIFICATES } from '../../host-sim/faults/shown-certificate.ts';
import { durationMs } from '../issue/duration.ts';
import { isNot, meant } from '../issue/finding-words.ts';

/** Text that stands for a value: `read` gives it, or undefined where it is not `what`. @param beyond why text like it is too much */
function textOf<T>(read: (text: string) => T | undefined, what: string, beyond?: (text: string) => string | undefined) {
  return z.string(meant(what)).transform((text, context): T => {
    const tooMuch = beyond?.(text);
    const value = tooMuch === undefined ? read(text) : undefined;
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: tooMuch ?? isNot(text, what) });
    return z.NEVER;
  });
}

/** A whole number between two, or from one on. */
function whole(least: number, most = Number.MAX_SAFE_INTEGER) {
  const upTo = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  const words = meant(`a whole number ${upTo}`);
  return z.number(words).refine((value) => Number.isInteger(value) && value >= least && value <= most, words);
}

/** A number between two; the first one is not among them. */
function above(least: number, most: number) {
  const words = meant(`a number above ${least}, and ${most} at most`);
  return z.number(words).refine((value) => value > least && value <= most, words);
}

/** A part of something: nothing and all of it are among them. */
function partOf() {
  const words = meant('a part from 0 to 1');
  return z.number(words).refine((value) => value >= 0 && value <= 1, words);
}

/** One value, or the least and the most of what is drawn. */
function leastAndMost<T extends z.ZodType>(one: T, what: string) {
  return z.union([one, z.strictObject({ least: one, most: one })], meant(`${what}, or {least, most} of them`));
}

const isCode = (value: string) => reasonCodes().includes(value as ReasonCode);
const text = z.string().min(1, 'is empty');
const DAY_MS = 86_400_000;
/** Of simulated time a scenario has no more, and of anything in it there is no longer span: artifacts have years of four digits. */
const MOST_DAYS = 3660;
const LONGEST_DAYS = 36_500;
const duration = textOf(durationMs, 'a whole number with its unit: ms, s, m, h or d, such as 90s or 7d', (text) => {
  const [, digits = '', unit = ''] = /^([0-9]+)(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(digits) * (durationMs(`1${unit}`) ?? 0);
  return ms > LONGEST_DAYS * DAY_MS ? `is too long: a span is ${LONGEST_DAYS}d at most` : undefined;
});
const span = duration.refine((ms) => ms > 0, 'must be more than no time');
const simulated = span.refine(
  (ms) => ms <= MOST_DAYS * DAY_MS,
  `is too long: ${MOST_DAYS}d of simulated time are the most`,
);
/** In less a device that is all right would not have handed in. */
const LEAST_SETTLE_MS = 60_000;
/** Clocks that forget the time say 1970, and certificates and firmware know times of four digits. */
const [EARLIEST, LATEST] = ['1971-01-01T00:00:00Z', '2100-01-01T00:00:00Z'];
const time = textOf(timeFrom, 'an RFC 3339 time with a zone, such as 2026-06-01T06:00:00Z');
const begins = time
  .refine(
    (ms) => ms >= Date.parse(EARLIEST),
    `is too early: clocks that forget the time say 1970; ${EARLIEST} is the first`,
  )
  .refine((ms) => ms < Date.parse(LATEST), `is too late: it is to be before ${LATEST}`);
const amount = textOf(amountFrom, "an amount: decimal digits above zero, in quotes, such as '2500000'", (text) =>
  /^[1-9][0-9]*$/.test(text) && text.length > AMOUNT_DIGITS
    ? `is too long: it has ${text.length} digits, and an amount has ${AMOUNT_DIGITS} at most`
    : undefined,
).transform(String);
const UNIT_BYTES: { readonly [unit: string]: number } = { B: 1, KiB: 1024, MiB: 1_048_576 };
const bytes = textOf((value) => {
  const parts = /^([1-9][0-9]{0,8})(B|KiB|MiB)$/.exec(value);
  return parts === null ? undefined : Number(parts[1]) * (UNIT_BYTES[parts[2] as string] as number);
}, 'a whole number with its unit: B, KiB or MiB, such as 64KiB');
const BLOCK_BYTES = 4096;
/** The largest that a chip of the boards could have. */
const MOST_MIB = 64;
/** A partition of at least so many blocks: no device starts with fewer. */
function partition(leastBlocks: number) {
  const [least, most] = [leastBlocks * BLOCK_BYTES, MOST_MIB * 1_048_576];
  return bytes
    .refine((size) => size % BLOCK_BYTES === 0, { error: 'must be whole blocks of 4KiB', abort: true })
    .refine((size) => size >= least && size <= most, `must be from ${least / 1024}KiB to ${MOST_MIB}MiB`);
}
const UNIT_HOURS: { readonly [unit: string]: number } = { m: 1 / 60, h: 1, d: 24 };
const rate = textOf((value) => {
  const parts = /^([0-9]{1,6}(?:\.[0-9]{1,3})?)\/(m|h|d)$/.exec(value);
  const perHour = parts === null ? 0 : Number(parts[1]) / (UNIT_HOURS[parts[2] as string] as number);
  return perHour > 0 ? perHour : undefined;
}, 'a rate above zero with its unit: /m, /h or /d, such as 12/h');
const code = textOf((value) => (isCode(value) ? value : undefined), 'a reason code, such as KEY_REVOKED');
const nameList = z.array(text).min(1, 'is empty');
const names = z.union([text, nameList], meant('a name or a list of names')).transform((value) => [value].flat());
const count = whole(1);
const share = above(0, 1);
const on = z.literal(true);

/** An object with exactly one of these members, beside others. */
function oneOf<Choices extends z.ZodRawShape, Rest extends z.ZodRawShape>(choices: Choices, rest: Rest) {
  const names = Object.keys(choices);
  return z.strictObject({ ...z.object(choices).partial().shape, ...rest }).superRefine((value, context) => {
    const given = names.filter((name) => (value as Record<string, unknown>)[name] !== undefined);
    if (given.length === 1) return;
    const message =
      given.length === 0 ? `one of ${names.join(', ')} is missing` : `${given.join(' and ')} exclude each other`;
    context.addIssue({ code: 'custom', message });
  });
}

const row = z.looseObject({ deviceId: text, count: whole(1, 10_000).optional() });
const policy = z.strictObject({
  policyAuthorityUrl: text,
  operatorUrl: text.optional(),
  site: z.looseObject({ rootKeys: z.array(text).optional() }),
});
const fleet = z
  .strictObject({
    images: z.array(text).min(1, 'is empty').optional(),
    policy: z.union([text, policy], meant('a file, or the policy itself')).optional(),
    devices: z.union([text, z.array(row).min(1, 'is empty')], meant('a file, or a list of devices')).optional(),
  })
  .superRefine(({ images, policy: terms, devices }, context) => {
    const isWhole = images === undefined ? terms !== undefined && devices !== undefined : !(terms || devices);
    if (!isWhole) context.addIssue({ code: 'custom', message: 'either images are needed, or policy and devices' });
  });

const wallets = z.strictObject({
  name: text,
  count: whole(1, 10_000).optional(),
  issuer: text,
  key: text,
  grant: z.strictObject({
    lifetime: span.optional(),
    budget: amount,
    single: amount.optional(),
    cumulative: amount.optional(),
    velocity: z.strictObject({ payments: count, within: span }).optional(),
  }),
});

const pattern = oneOf({ every: span, poisson: rate, rush: whole(1, 1_000_000), each: whole(1, 100_000) }, {});
const AMOUNTS = "an amount in quotes, such as '2500000', or {least, most} of them";
const arrivals = z.strictObject({
  wallets: text,
  devices: names,
  pattern,
  from: duration.optional(),
  until: duration.optional(),
  amount: z.union([amount, z.strictObject({ least: amount, most: amount })], meant(AMOUNTS)),
  hostile: z
    .strictObject({ share, classes: z.array(z.enum(HOSTILE_CLASSES)).min(1, 'is empty').optional() })
    .optional(),
  session: z
    .strictObject({
      lasts: leastAndMost(span, 'a span, such as 90s or 7d'),
      delivered: leastAndMost(partOf(), 'a part from 0 to 1'),
    })
    .optional(),
  retry: z.strictObject({ after: span, times: whole(1, 100).optional() }).optional(),
});

const link = z.strictObject({
  devices: names,
  pattern: oneOf(
    {
      cycle: z.strictObject({ up: span, down: span }),
      random: z.strictObject({ up: span, down: span }),
      outage: z.strictObject({ at: duration, for: span }),
    },
    {},
  ),
});

const faults = {
  latency: span,
  lost: on,
  unreachable: on,
  truncated: on,
  corrupted: on,
  captivePortal: on,
  redirected: on,
  drip: z.strictObject({ bytes, every: span }),
  oversize: bytes,
  stale: on,
  replayed: on,
  otherMerchant: text,
  status: z.strictObject({ code: whole(200, 599), retryAfter: span.optional() }),
  forged: z.enum(['stranger', 'altered']),
  wrongCertificate: z.enum(WRONG_CERTIFICATES),
  clockAhead: span,
  clockBehind: span,
  clockReset: on,
  clockDrift: z.strictObject({ ppm: whole(-100_000, 100_000) }),
  timeServerAhead: span,
  timeServerBehind: span,
  noTimeServer: on,
  flash: z.strictObject({
    partition: z.enum(['ledger', 'journal', 'bundles']),
    what: z.enum(['reads-fail', 'read-only', 'bad-block']),
    blocks: count.optional(),
  }),
  answersLost: on,
  powerCuts: z.strictObject({ rate, off: span.optional(), torn: z.boolean().optional() }),
};
const fault = oneOf(faults, {
  devices: names,
  at: duration.optional(),
  for: span.optional(),
  share: share.optional(),
  to: z.enum(['authority', 'operator']).optional(),
});

const actions = {
  issueBundles: on,
  revokeKey: text,
  revokeGrants: z.strictObject({ wallets: text, count: count.optional() }),
  replaceGrantKey: text,
  rotateRoot: text,
  provision: z.strictObject({
    devices: names,
    rootKeys: nameList,
    within: duration.optional(),
  }),
  urgent: names,
};
const action = oneOf(actions, { at: duration });

/** What can be wrong, and what can be done, by the names that a file has for them. */
export const FAULTS: readonly string[] = Object.keys(faults);
export const ACTIONS: readonly string[] = Object.keys(actions);

const key = z.union(
  [z.literal('seeded'), z.strictObject({ file: text })],
  meant('seeded, or {file: …} with a private key'),
);

/** See the head of the file. */
export const scenarioSchema = z.strictObject({
  format: z.literal(1),
  title: text,
  seed: whole(0, 999_999),
  begins,
  duration: simulated,
  settle: simulated
    .refine(
      (ms) => ms >= LEAST_SETTLE_MS,
      'is too short: a device hands in ten seconds after a payment, 1m is the least',
    )
    .optional(),
  keys: z.record(z.string(), key),
  authority: z.strictObject({
    issuer: text,
    grantKey: text,
    rootKey: text,
    bundles: z.strictObject({ every: span, lifetime: span }),
  }),
  fleet,
  hardware: z
    .strictObject({
      ledger: partition(LEDGER_BLOCKS).optional(),
      journal: partition(JOURNAL_BLOCKS).optional(),
      clockBattery: z.boolean().optional(),
    })
    .optional(),
  wallets: z.array(wallets).min(1, 'is empty'),
  arrivals: z.array(arrivals).min(1, 'is empty'),
  links: z.array(link).optional(),
  faults: z.array(fault).optional(),
  actions: z.array(action).optional(),
  expect: z
    .strictObject({
      approvedAtLeast: whole(0).optional(),
      repeatedAtLeast: whole(0).optional(),
      settledAtLeast: whole(0).optional(),
      refusedAtLeast: whole(0).optional(),
      never: z.array(code).optional(),
      some: z.array(code).optional(),
    })
    .optional(),
});

/** A scenario file's values. */
export type ScenarioValues = z.infer<typeof scenarioSchema>;
