// Bundles that come back from storage at a start: what they revoke outlives their expiry, what they list does not.

import { describe, expect, it } from 'vitest';
import { publicJwk } from '../../../host-sim/signing/keys.ts';
import { bundle, inSeconds, NOW, present } from '../../fixtures/artifacts.ts';
import { Device } from '../../fixtures/device.ts';
import { WALLET, wallet } from '../../fixtures/keys.ts';

const HOUR_MS = 3_600_000;
const later = { issuedAt: inSeconds(-60), expiresAt: inSeconds(7 * 86_400) };
const listing = bundle(later);
const revoking = bundle({
  bundleIssuer: 'did:web:another-root.example',
  issuers: [{ issuer: WALLET, keys: [{ ...publicJwk(wallet), active: false }] }],
  approvedIssuers: [WALLET],
  issuedAt: inSeconds(-60),
  expiresAt: inSeconds(600),
});

describe('a stored bundle that has expired since', () => {
  it('still revokes a key after a restart, as it did before', () => {
    const device = new Device({ bundles: [listing, revoking] });
    device.refuses('KEY_REVOKED', () => device.authorize(present()));
    device.nowMs = NOW + HOUR_MS / 4;
    device.refuses('KEY_REVOKED', () => device.authorize(present()));
    device.restart([]);
    for (const bytes of [listing, revoking]) expect(device.verifier.admit(bytes, 'store')).toMatchObject({ ok: true });
    device.refuses('KEY_REVOKED', () => device.authorize(present()));
  });

  it('lets none of its keys verify anything', () => {
    const device = new Device({ bundles: [bundle({ ...later, expiresAt: inSeconds(60) })] });
    device.nowMs = NOW + HOUR_MS / 4;
    device.restart([]);
    expect(device.verifier.admit(bundle({ ...later, expiresAt: inSeconds(60) }), 'store')).toMatchObject({ ok: true });
    device.refuses('KEY_NOT_FOUND', () => device.authorize(present()));
  });

  it('is refused where it comes from the network', () => {
    const device = new Device({ bundles: [] });
    device.nowMs = NOW + HOUR_MS / 4;
    device.refuses('ARTIFACT_EXPIRED', () => device.verifier.admit(revoking));
  });

  it('is refused where an older one was put in its place', () => {
    const device = new Device({ bundles: [listing] });
    device.restart([]);
    const older = bundle({ ...later, issuedAt: inSeconds(-120) });
    device.refuses('BUNDLE_ROLLBACK', () => device.verifier.admit(older, 'store'));
  });

  it('is refused where its signature does not hold', () => {
    const device = new Device({ bundles: [] });
    const forged = new TextDecoder().decode(revoking).replace(inSeconds(600), inSeconds(601));
    device.refuses('TRUST_BUNDLE_SIGNATURE_INVALID', () =>
      device.verifier.admit(new TextEncoder().encode(forged), 'store'),
    );
  });
});
