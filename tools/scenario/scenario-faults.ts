// What the members of a fault in a scenario file stand for.

import type { ClockFault, Fault, NetworkFault, NetworkTrouble } from '../../host-sim/faults/fault.ts';
import type { ScenarioValues } from './schema.ts';

type Terms = NonNullable<ScenarioValues['faults']>[number];

/** For how long power is off where a file says nothing. */
const OFF_MS = 60_000;

/** The fault. */
export function faultOf(terms: Terms, share: number, to: NetworkFault['to']): Fault {
  const what = troubleOf(terms);
  if (what !== undefined) return { kind: 'network', what, share, to };
  if (terms.answersLost) return { kind: 'reader', what: { kind: 'answers-lost' }, share };
  const { flash, powerCuts } = terms;
  if (flash !== undefined) return { kind: 'flash', ...flash, blocks: flash.blocks ?? 1 };
  if (powerCuts === undefined) return { kind: 'clock', what: clockTroubleOf(terms) };
  const { rate: perHour, off = OFF_MS, torn = false } = powerCuts;
  return { kind: 'power', perHour, offMs: off, torn };
}

/** Whether it is one of requests and answers. */
export function isOfNetwork(terms: Terms): boolean {
  return troubleOf(terms) !== undefined;
}

function troubleOf(terms: Terms): NetworkTrouble | undefined {
  const { latency, drip, oversize, otherMerchant, status, forged, wrongCertificate } = terms;
  if (latency !== undefined) return { kind: 'latency', ms: latency };
  if (terms.lost) return { kind: 'lost' };
  if (terms.unreachable) return { kind: 'unreachable' };
  if (terms.truncated) return { kind: 'truncated' };
  if (terms.corrupted) return { kind: 'corrupted' };
  if (terms.captivePortal) return { kind: 'captive-portal' };
  if (terms.redirected) return { kind: 'redirected' };
  if (drip !== undefined) return { kind: 'drip', bytes: drip.bytes, everyMs: drip.every };
  if (oversize !== undefined) return { kind: 'oversize', bytes: oversize };
  if (terms.stale) return { kind: 'stale' };
  if (terms.replayed) return { kind: 'replayed' };
  if (otherMerchant !== undefined) return { kind: 'other-merchant', merchant: otherMerchant };
  if (status !== undefined) return { kind: 'status', status: status.code, retryAfterMs: status.retryAfter };
  if (wrongCertificate !== undefined) return { kind: 'wrong-certificate', how: wrongCertificate };
  return forged === undefined ? undefined : { kind: 'forged', by: forged };
}

function clockTroubleOf(terms: Terms): ClockFault['what'] {
  const { clockAhead, clockBehind, clockDrift, timeServerAhead, timeServerBehind } = terms;
  if (clockAhead !== undefined) return { kind: 'jump', byMs: clockAhead };
  if (clockBehind !== undefined) return { kind: 'jump', byMs: -clockBehind };
  if (clockDrift !== undefined) return { kind: 'drift', ppm: clockDrift.ppm };
  if (timeServerAhead !== undefined) return { kind: 'time-server', aheadMs: timeServerAhead };
  if (timeServerBehind !== undefined) return { kind: 'time-server', aheadMs: -timeServerBehind };
  return terms.clockReset ? { kind: 'reset' } : { kind: 'no-time-server' };
}
