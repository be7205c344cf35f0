// Certificates that are not a server's are refused by the clock of the device, as its firmware does.

import { describe, expect, it } from 'vitest';
import { certificateObjection, WRONG_CERTIFICATES } from '../../../host-sim/faults/shown-certificate.ts';

const NOW = Date.parse('2026-06-01T05:00:00Z');
const DAY = 86_400_000;
const SERVER = new URL('https://pa.example/trust-bundles');

describe('a device whose clock is right', () => {
  it.each(WRONG_CERTIFICATES)('refuses a certificate that is wrong: %s', (how) => {
    expect(certificateObjection(how, SERVER, NOW, NOW)).toContain('the certificate of pa.example is not one');
  });
});

it('an honest server is taken by a clock that is right, or nearly, and by none that is months off, or not set', () => {
  const taken = [0, 40, -40, 60, -60].map((days) => certificateObjection(undefined, SERVER, NOW, NOW + days * DAY));
  expect(taken.map((objection) => objection === undefined)).toEqual([true, true, true, false, false]);
  expect(certificateObjection(undefined, SERVER, NOW, undefined)).toBeDefined();
});

describe('a device whose clock is wrong', () => {
  it('takes one that has expired where it is behind, and one of a time to come where it is ahead', () => {
    expect(certificateObjection('expired', SERVER, NOW, NOW - 2 * DAY)).toBeUndefined();
    expect(certificateObjection('not-yet-valid', SERVER, NOW, NOW + 2 * DAY)).toBeUndefined();
  });

  it.each(['self-signed', 'other-host'] as const)('refuses a stranger all the same: %s', (how) => {
    for (const shown of [undefined, NOW - 2 * DAY, NOW + 2 * DAY])
      expect(certificateObjection(how, SERVER, NOW, shown)).toBeDefined();
  });

  it('refuses everybody where it is not set', () => {
    expect(certificateObjection('expired', SERVER, NOW, undefined)).toBeDefined();
  });
});

it('in the clear nobody shows anything', () => {
  for (const how of WRONG_CERTIFICATES)
    expect(certificateObjection(how, new URL('http://127.0.0.1/'), NOW, NOW)).toBeUndefined();
});
