// Faults of a device itself: its clock, its flash, its power. Each begins at a time, and ends at one.

import type { SeededRandom } from '../flash/random.ts';
import { randomSpan } from '../scenario/seeded.ts';
import type { SimulatedDevice } from '../simulation/simulated-device.ts';
import type { Timeline } from '../simulation/timeline.ts';
import type { ClockFault, FlashFault, PowerFault } from './fault.ts';

const HOUR_MS = 3_600_000;
/** How many operations of flash after power has become bad it may go. */
const TORN_WITHIN = 12;

/** What time servers say, as far as they lie: how much they are ahead, undefined where they say nothing. */
export interface TimeServers {
  aheadMs: number | undefined;
}

/** A clock fault begins. @returns what ends it */
export function beginClockFault(device: SimulatedDevice, servers: TimeServers, { what }: ClockFault): () => void {
  const { clock } = device;
  switch (what.kind) {
    case 'jump': {
      const wallMs = clock.wallMs();
      if (wallMs !== undefined) clock.set(Math.max(wallMs + what.byMs, 0));
      return () => undefined;
    }
    case 'reset':
      clock.set(0);
      return () => undefined;
    case 'drift':
      clock.drift(what.ppm);
      return () => clock.drift(0);
    case 'time-server':
    case 'no-time-server':
      servers.aheadMs = what.kind === 'time-server' ? what.aheadMs : undefined;
      return () => {
        servers.aheadMs = 0;
      };
  }
}

/** A partition fails. @returns what ends it */
export function beginFlashFault(device: SimulatedDevice, fault: FlashFault, random: SeededRandom): () => void {
  const flash = device.flashes[fault.partition];
  const { faults } = flash;
  switch (fault.what) {
    case 'reads-fail':
      faults.readsFail = true;
      break;
    case 'read-only':
      faults.readOnly = true;
      break;
    case 'bad-block': {
      const good = Array.from({ length: flash.size / flash.blockSize }, (_, block) => block);
      for (let left = fault.blocks; left > 0 && good.length > 0; left--)
        for (const block of good.splice(random.below(good.length), 1)) faults.markBad(block);
    }
  }
  return () => {
    faults.clear();
    device.restart();
  };
}

/** Power becomes bad until a time. */
export function beginPowerFault(
  device: SimulatedDevice,
  { perHour, offMs, torn }: PowerFault,
  {
    timeline,
    random,
    untilMs,
  }: { readonly timeline: Timeline; readonly random: SeededRandom; readonly untilMs: number },
): void {
  const flashes = [device.flashes.ledger, device.flashes.journal, device.flashes.bundles];
  const cut = (): void => {
    if (torn) {
      const flash = flashes[random.below(flashes.length)] as (typeof flashes)[number];
      const form = (['before', 'torn', 'after'] as const)[random.below(3)] as 'before' | 'torn' | 'after';
      flash.cutAt(flash.operations + random.below(TORN_WITHIN), form);
    } else device.cutPower(offMs);
    next();
  };
  const next = (): void => {
    const atMs = timeline.nowMs + randomSpan(random, HOUR_MS / perHour);
    if (atMs < untilMs) timeline.at(atMs, cut);
  };
  next();
}
