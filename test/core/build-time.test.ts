// The build's time: no correct clock shows an earlier one, and a verifier that is told nothing else holds to it.

import { describe, expect, it } from 'vitest';
import { BUILD_TIME_MS } from '../../core/build-time.ts';
import { MemoryLedger } from '../../core/ledger/memory-ledger.ts';
import { Verifier, type VerifierParts } from '../../core/verifier.ts';
import { crypto } from '../fixtures/device.ts';
import { site } from '../fixtures/site.ts';

function timeAt(wallMs: number | undefined, parts: Partial<VerifierParts> = {}): unknown {
  const clock = { wallMs: () => wallMs, monotonicMs: () => 0 };
  return new Verifier({ configuration: site(), crypto, clock, ledger: new MemoryLedger(crypto), ...parts }).now();
}

const untrusted = expect.objectContaining({ ok: false, code: 'CLOCK_UNTRUSTED' });

describe('a verifier that is not told when its image was built', () => {
  it('believes no clock before this code was built', () => {
    expect(timeAt(BUILD_TIME_MS)).toBe(BUILD_TIME_MS);
    expect(timeAt(BUILD_TIME_MS - 1)).toEqual(untrusted);
    expect(timeAt(0)).toEqual(untrusted);
  });

  it('goes on at the build where it may go on without a clock', () => {
    const configuration = site({ allowUnsetClock: true });
    expect(timeAt(undefined, { configuration })).toBe(BUILD_TIME_MS);
    expect(timeAt(0, { configuration })).toBe(BUILD_TIME_MS);
  });

  it('believes any clock where it is told so', () => {
    expect(timeAt(5, { earliestMs: 0 })).toBe(5);
  });
});
