// An exposure in figures and words: of one interval, of all, and of a device that took too long.

import { spanText } from '../report/axis.ts';
import { type Excess, type Exposure, type ExposureRow, type Learned, percentile } from './exposure.ts';

/** The figures of one interval, in milliseconds. */
export interface Summary {
  /** Until half of the devices knew it, nine of ten, and the last one; undefined where that one never did. */
  readonly p50Ms: number | undefined;
  readonly p90Ms: number | undefined;
  readonly mostMs: number | undefined;
  /** The largest bound of a device, with its link as it was. */
  readonly boundMs: number | undefined;
  /** Devices that got an urgent message, of all there were, and until the last one of them knew it. */
  readonly told: { readonly devices: number; readonly of: number; readonly mostMs: number | undefined };
}

/** The figures of one interval. */
export function summaryOf({ learned }: ExposureRow): Summary {
  const known = learned.map(({ knownMs }) => knownMs);
  const told = learned.filter(({ wasTold }) => wasTold);
  const bounds = learned.map(({ boundMs }) => boundMs).filter((ms) => ms !== undefined);
  return {
    p50Ms: percentile(known, 50),
    p90Ms: percentile(known, 90),
    mostMs: percentile(known, 100),
    boundMs: bounds.length === 0 ? undefined : Math.max(...bounds),
    told: {
      devices: told.length,
      of: learned.length,
      mostMs: percentile(
        told.map(({ knownMs }) => knownMs),
        100,
      ),
    },
  };
}

/** What stands above the columns of a table. What follows the first is figures. */
export const HEADINGS: readonly string[] = [
  'interval',
  'told at once',
  'half know it',
  'nine of ten',
  'the last',
  'those told',
  'connected: at most',
  'with its link: at most',
  'payments',
  'amount',
];

/** The cells of one interval. Payments and amounts are those of one run. */
export function rowTexts(row: ExposureRow, { seeds }: Exposure): readonly string[] {
  const { p50Ms, p90Ms, mostMs, boundMs, told } = summaryOf(row);
  return [
    spanText(row.intervalMs),
    row.isUrgent ? `${told.devices} of ${told.of}` : 'none',
    ...[p50Ms, p90Ms, mostMs].map(spanOf),
    told.devices === 0 ? '' : spanOf(told.mostMs),
    ...[row.connectedMs, boundMs].map(spanOf),
    String(Math.round(row.payments / seeds.length)),
    String(row.amountMinor / BigInt(seeds.length)),
  ];
}

/** What a device did that took too long. */
export function lateText({ device, seed, what, knownMs, boundMs, intervalMs }: Exposure['late'][number]): string {
  const when = knownMs === undefined ? 'never' : `after ${spanText(knownMs)}`;
  const bound = spanText(boundMs as number);
  return `${device} learned ${when} that ${what} is revoked, and ${bound} is its bound (interval ${spanText(intervalMs)}, seed ${seed})`;
}

/** What was accepted that is too much. */
export function excessText({ seed, intervalMs, amountMinor, capMinor }: Excess): string {
  return `${amountMinor} was approved under what was revoked, and caps allow ${capMinor} (interval ${spanText(intervalMs)}, seed ${seed})`;
}

/** All of it as JSON. Amounts are digits. */
export function exposureDocument(exposure: Exposure): object {
  const { rows, capMinor, late, excesses, ...rest } = exposure;
  return {
    ...rest,
    capMinor: String(capMinor),
    intervals: rows.map((row) => {
      const { intervalMs, isUrgent, payments, amountMinor, connectedMs, learned } = row;
      const { told, boundMs, ...known } = summaryOf(row);
      return {
        intervalMs,
        urgent: isUrgent,
        knownMs: { p50: known.p50Ms ?? null, p90: known.p90Ms ?? null, most: known.mostMs ?? null },
        neverKnown: learned.filter(({ knownMs }) => knownMs === undefined).length,
        connectedBoundMs: connectedMs,
        boundMs: boundMs ?? null,
        ...(isUrgent ? { told: { ...told, mostMs: told.mostMs ?? null } } : {}),
        payments,
        amountMinor: String(amountMinor),
      };
    }),
    late: late.map((one: Learned) => ({ ...one, knownMs: one.knownMs ?? null })),
    excesses: excesses.map((one) => ({
      ...one,
      amountMinor: String(one.amountMinor),
      capMinor: String(one.capMinor),
    })),
  };
}

function spanOf(ms: number | undefined): string {
  return ms === undefined ? 'never' : spanText(ms);
}
