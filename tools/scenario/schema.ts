// The shape of a scenario file. Every member has its unit in its text (`15m`, `64KiB`, `12/h`), and a member that there is none
// of is refused. What names something else in the file is looked up by `scenario-file.ts`.

import { z } from 'zod';
import { amountFrom } from '../../core/artifacts/amount.ts';
import { timeFrom } from '../../core/artifacts/time.ts';
import { type ReasonCode, reasonCodes } from '../../core/reason-codes.ts';
import { HOSTILE_CLASSES } from '../../host-sim/faults/hostile-payer.ts';
import { WRONG_CERTIFICATES } from '../../host-sim/faults/shown-certificate.ts';
import { durationMs } from '../issue/duration.ts';

/** Text that stands for a value: `read` gives it, or undefined where it is not `what`. */
function textOf<T>(read: (text: string) => T | undefined, what: string) {
  return z.string().transform((text, context): T => {
    const value = read(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `"${text}" is not ${what}` });
    return z.NEVER;
  });
}

const text = z.string().min(1, 'is empty');
const duration = textOf(durationMs, 'a whole number with its unit: ms, s, m, h or d, such as 90s or 7d');
const span = duration.refine((ms) => ms > 0, 'must be more than no time');
const time = textOf(timeFrom, 'an RFC 3339 time with a zone, such as 2026-06-01T06:00:00Z');
const amount = textOf(amountFrom, 'an amount: decimal digits above zero, in quotes').transform(String);
const UNIT_BYTES: { readonly [unit: string]: number } = { B: 1, KiB: 1024, MiB: 1_048_576 };
const bytes = textOf((value) => {
  const parts = /^([1-9][0-9]{0,8})(B|KiB|MiB)$/.exec(value);
  return parts === null ? undefined : Number(parts[1]) * (UNIT_BYTES[parts[2] as string] as number);
}, 'a whole number with its unit: B, KiB or MiB, such as 64KiB');
const partition = bytes.refine((size) => size % 4096 === 0, 'must be whole blocks of 4KiB');
const UNIT_HOURS: { readonly [unit: string]: number } = { m: 1 / 60, h: 1, d: 24 };
const rate = textOf((value) => {
  const parts = /^([0-9]{1,6}(?:\.[0-9]{1,3})?)\/(m|h|d)$/.exec(value);
  const perHour = parts === null ? 0 : Number(parts[1]) / (UNIT_HOURS[parts[2] as string] as number);
  return perHour > 0 ? perHour : undefined;
}, 'a rate above zero with its unit: /m, /h or /d, such as 12/h');
const code = z.string().refine((value) => reasonCodes().includes(value as ReasonCode), 'is no reason code');
const names = z.union([text, z.array(text).min(1, 'is empty')]).transform((value) => [value].flat());
const count = z.int().min(1);
const share = z.number().gt(0).max(1);
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

const row = z.looseObject({ deviceId: text, count: count.max(10_000).optional() });
const policy = z.strictObject({
  policyAuthorityUrl: text,
  operatorUrl: text.optional(),
  site: z.looseObject({ rootKeys: z.array(text).optional() }),
});
const fleet = z
  .strictObject({
    images: z.array(text).min(1, 'is empty').optional(),
    policy: z.union([text, policy]).optional(),
    devices: z.union([text, z.array(row).min(1, 'is empty')]).optional(),
  })
  .superRefine(({ images, policy: terms, devices }, context) => {
    const isWhole = images === undefined ? terms !== undefined && devices !== undefined : !(terms || devices);
    if (!isWhole) context.addIssue({ code: 'custom', message: 'either images are needed, or policy and devices' });
  });

const wallets = z.strictObject({
  name: text,
  count: count.max(10_000).optional(),
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

const pattern = oneOf({ every: span, poisson: rate, rush: count.max(1_000_000), each: count.max(100_000) }, {});
const arrivals = z.strictObject({
  wallets: text,
  devices: names,
  pattern,
  from: duration.optional(),
  until: duration.optional(),
  amount: z.union([amount, z.strictObject({ least: amount, most: amount })]),
  hostile: z
    .strictObject({ share, classes: z.array(z.enum(HOSTILE_CLASSES)).min(1, 'is empty').optional() })
    .optional(),
  retry: z.strictObject({ after: span, times: count.max(100).optional() }).optional(),
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
  status: z.strictObject({ code: z.int().min(200).max(599), retryAfter: span.optional() }),
  forged: z.enum(['stranger', 'altered']),
  wrongCertificate: z.enum(WRONG_CERTIFICATES),
  clockAhead: span,
  clockBehind: span,
  clockReset: on,
  clockDrift: z.strictObject({ ppm: z.int().min(-100_000).max(100_000) }),
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
    rootKeys: z.array(text).min(1, 'is empty'),
    within: duration.optional(),
  }),
  urgent: names,
};
const action = oneOf(actions, { at: duration });

/** What can be wrong, and what can be done, by the names that a file has for them. */
export const FAULTS: readonly string[] = Object.keys(faults);
export const ACTIONS: readonly string[] = Object.keys(actions);

/** See the head of the file. */
export const scenarioSchema = z.strictObject({
  format: z.literal(1),
  title: text,
  seed: z.int().min(0).max(999_999),
  begins: time,
  duration: span,
  settle: span.optional(),
  keys: z.record(z.string(), z.union([z.literal('seeded'), z.strictObject({ file: text })])),
  authority: z.strictObject({
    issuer: text,
    grantKey: text,
    rootKey: text,
    bundles: z.strictObject({ every: span, lifetime: span }),
  }),
  fleet,
  hardware: z
    .strictObject({ ledger: partition.optional(), journal: partition.optional(), clockBattery: z.boolean().optional() })
    .optional(),
  wallets: z.array(wallets).min(1, 'is empty'),
  arrivals: z.array(arrivals).min(1, 'is empty'),
  links: z.array(link).optional(),
  faults: z.array(fault).optional(),
  actions: z.array(action).optional(),
  expect: z
    .strictObject({
      approvedAtLeast: z.int().min(0).optional(),
      repeatedAtLeast: z.int().min(0).optional(),
      refusedAtLeast: z.int().min(0).optional(),
      never: z.array(code).optional(),
      some: z.array(code).optional(),
    })
    .optional(),
});

/** A scenario file's values. */
export type ScenarioValues = z.infer<typeof scenarioSchema>;
