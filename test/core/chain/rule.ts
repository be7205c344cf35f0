// One description per check of the chain: situations in which it passes, refuses and skips. Registering one makes its
// tests; the list of what is covered lets `chain.test.ts` say which checks were never seen refusing.

import { describe, expect, it } from 'vitest';
import type { TraceEntry } from '../../../core/chain/chain.ts';
import type { PaymentRequest } from '../../../core/chain/request.ts';
import type { SiteConfiguration, Terminal } from '../../../core/configuration.ts';
import type { ReasonCode } from '../../../core/reason-codes.ts';
import { NOW, type Presented, present } from '../../fixtures/artifacts.ts';
import { Device } from '../../fixtures/device.ts';
import type { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { TERMINAL } from '../../fixtures/site.ts';

/** How a payment differs from one that goes through: a grant and an SBA at a terminal that states everything. */
export interface Situation {
  readonly presented?: Presented;
  readonly asked?: Partial<PaymentRequest>;
  /** Changes of what the terminal states; undefined takes a statement away. */
  readonly terminal?: Partial<Terminal>;
  readonly configuration?: Partial<SiteConfiguration>;
  readonly bundles?: readonly Uint8Array[];
  /** Time of the payment, in milliseconds from the moment of the tests. */
  readonly atMs?: number;
  /** What happens before it. */
  readonly before?: (device: Device) => void;
  readonly flash?: MemoryFlash;
}

/** A check's situations by name. Each is a function: nothing is signed until its test runs. */
export interface Rule {
  readonly passes: Readonly<Record<string, () => Situation>>;
  /** The code, then the situation. */
  readonly refuses: Readonly<Record<string, readonly [ReasonCode, () => Situation]>>;
  /** Left out where the check always has something to look at. */
  readonly skips?: Readonly<Record<string, () => Situation>>;
}

/** Every check described so far, and its codes. */
export const covered = new Map<string, { readonly skips: boolean; readonly codes: readonly ReasonCode[] }>();

/** Registers the tests of a check. */
export function rule(id: string, { passes, refuses, skips = {} }: Rule): void {
  covered.set(id, {
    skips: Object.keys(skips).length > 0,
    codes: Object.values(refuses).map(([code]) => code),
  });
  describe(id, () => {
    for (const [name, situation] of Object.entries(passes)) {
      it(`passes: ${name}`, () => {
        const { decision, line } = run(id, situation());
        expect(decision).toMatchObject({ ok: true });
        expect(line).toMatchObject({ verdict: 'pass' });
      });
    }
    for (const [name, [code, situation]] of Object.entries(refuses)) {
      it(`refuses with ${code}: ${name}`, () => {
        const { decision, line, after, changed } = run(id, situation());
        expect(decision).toMatchObject({ ok: false, check: id, code, artifact: id.split('.')[0] });
        expect(line).toMatchObject({ verdict: 'fail', code });
        expect(after.every((entry) => entry.verdict === 'not-run')).toBe(true);
        expect(changed).toBe(false);
      });
    }
    for (const [name, situation] of Object.entries(skips)) {
      it(`skips, visibly: ${name}`, () => {
        const { decision, line } = run(id, situation());
        expect(decision).toMatchObject({ ok: true });
        expect(line).toMatchObject({ verdict: 'skip' });
        expect(line?.detail).toMatch(/\w/);
      });
    }
  });
}

/** Decides on a payment, and finds the check's line in the trace. */
function run(id: string, situation: Situation) {
  const device = deviceIn(situation);
  const before = device.state();
  const decision = device.authorize(present(situation.presented), situation.asked, { explain: true });
  const trace = decision.trace as readonly TraceEntry[];
  const at = trace.findIndex((entry) => entry.check === id);
  const changed = JSON.stringify(device.state()) !== JSON.stringify(before);
  return { decision, line: trace[at], after: trace.slice(at + 1), changed };
}

/** A device at the moment before the payment. */
export function deviceIn(situation: Situation): Device {
  const device = new Device({
    configuration: { ...situation.configuration, terminal: { ...TERMINAL, ...situation.terminal } },
    ...(situation.bundles ? { bundles: situation.bundles } : {}),
    ...(situation.flash ? { flash: situation.flash } : {}),
  });
  situation.before?.(device);
  device.nowMs = NOW + (situation.atMs ?? 0);
  return device;
}
