// Keys that were looked up before: found again only for the very same question, while the bundles are the same and the same of
// them are expired.

import { describe, expect, it } from 'vitest';
import { readTrustBundle, type SignedTrustBundle } from '../../../core/artifacts/trust-bundle.ts';
import { FoundKeys } from '../../../core/chain/found-keys.ts';
import { readJson } from '../../../core/json/reader.ts';
import type { JsonValue } from '../../../core/json/value.ts';
import { signerText } from '../../../core/ledger/keys.ts';
import { MemoryLedger } from '../../../core/ledger/memory-ledger.ts';
import { BUNDLE_LIMITS, KEYS_REMEMBERED } from '../../../core/limits.ts';
import { TrustSet } from '../../../core/trust/trust-set.ts';
import { Verifier } from '../../../core/verifier.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { bundle, entry, inSeconds, NOW, present, revoked } from '../../fixtures/artifacts.ts';
import { FLEET, fleet, PA, pa, WALLET, wallet } from '../../fixtures/keys.ts';
import { site } from '../../fixtures/site.ts';

function bundleOf(bytes: Uint8Array) {
  return (readTrustBundle(readJson(bytes, BUNDLE_LIMITS) as JsonValue) as SignedTrustBundle).bundle;
}

const SHORT = bundleOf(bundle({ bundleId: 'short', expiresAt: inSeconds(60) }));
const LONG = bundleOf(bundle({ bundleId: 'long', expiresAt: inSeconds(3600) }));
const KEY = { key: pa.publicKey, text: signerText(pa.publicKey), issuer: PA };

describe('a key is found again', () => {
  function found() {
    const trust = TrustSet.of([SHORT, LONG]);
    const keys = new FoundKeys();
    keys.add({ role: 'policyGrant', issuer: PA, kid: 'pa-1', key: KEY }, trust, NOW);
    return { trust, keys };
  }

  it('for the same role, issuer and kid', () => {
    const { trust, keys } = found();
    expect(keys.find('policyGrant', PA, 'pa-1', trust, NOW)).toBe(KEY);
    expect(keys.find('sba', PA, 'pa-1', trust, NOW)).toBeUndefined();
    expect(keys.find('policyGrant', WALLET, 'pa-1', trust, NOW)).toBeUndefined();
    expect(keys.find('policyGrant', undefined, 'pa-1', trust, NOW)).toBeUndefined();
    expect(keys.find('policyGrant', PA, 'pa-2', trust, NOW)).toBeUndefined();
  });

  it('until a bundle expires', () => {
    const { trust, keys } = found();
    expect(keys.find('policyGrant', PA, 'pa-1', trust, NOW + 59_999)).toBe(KEY);
    expect(keys.find('policyGrant', PA, 'pa-1', trust, NOW + 60_000)).toBeUndefined();
  });

  it('in no other set of bundles, and not once the set has others', () => {
    const { trust, keys } = found();
    expect(keys.find('policyGrant', PA, 'pa-1', TrustSet.of([SHORT, LONG]), NOW)).toBeUndefined();
    trust.replace(trust.bundles);
    expect(keys.find('policyGrant', PA, 'pa-1', trust, NOW)).toBeUndefined();
  });
});

it('what was found after a bundle had expired is not found before that', () => {
  const trust = TrustSet.of([SHORT, LONG]);
  const keys = new FoundKeys();
  keys.add({ role: 'sba', issuer: PA, kid: 'pa-1', key: KEY }, trust, NOW + 60_000);
  expect(keys.find('sba', PA, 'pa-1', trust, NOW + 60_000)).toBe(KEY);
  expect(keys.find('sba', PA, 'pa-1', trust, NOW + 59_999)).toBeUndefined();
});

it('only so many are remembered, the latest', () => {
  const trust = TrustSet.of([LONG]);
  const keys = new FoundKeys();
  for (let i = 0; i <= KEYS_REMEMBERED; i++)
    keys.add({ role: 'sba', issuer: PA, kid: `kid-${i}`, key: KEY }, trust, NOW);
  expect(keys.find('sba', PA, 'kid-0', trust, NOW)).toBeUndefined();
  expect(keys.find('sba', PA, 'kid-1', trust, NOW)).toBe(KEY);
});

it('at any time, forwards and back, a payment gets the verdict it would get at a terminal that remembers nothing', () => {
  const issuers = [entry(PA, pa), entry(WALLET, wallet), entry(FLEET, fleet)];
  // Of three identities; the one that lists the wallet's key as active expires first, the one that revokes it never gives way.
  const bundles = [
    bundle({ bundleId: 'a', region: 'x', category: 'one', expiresAt: inSeconds(60), issuers }),
    bundle({ bundleId: 'b', category: 'two', expiresAt: inSeconds(120), issuers: issuers.slice(0, 1) }),
    bundle({ bundleId: 'c', category: 'three', expiresAt: inSeconds(180), issuers: issuers.slice(1) }),
  ];
  const revoking = bundle({ bundleId: 'd', category: 'four', issuers: [entry(WALLET, revoked(wallet))] });
  const crypto = createNodeCrypto();
  let nowMs = NOW;
  const terminal = () => {
    const verifier = new Verifier({
      configuration: site({ budgetUse: 'reuse', bundleScope: {} }),
      crypto,
      clock: { wallMs: () => nowMs, monotonicMs: () => nowMs },
      ledger: new MemoryLedger(crypto),
      earliestMs: 0,
      trust: TrustSet.of(bundles.map(bundleOf)),
    });
    return verifier;
  };
  const verdict = (verifier: Verifier) => {
    const decision = verifier.check(present(), { amountMinor: '10' });
    return decision.ok ? 'ok' : decision.code;
  };
  const lasting = terminal();
  const seen = new Set<string>();
  for (const seconds of [0, 59, 61, 0, 119, 121, 100, 10, 179, 181, 61, 0]) {
    nowMs = NOW + seconds * 1000;
    const expected = verdict(terminal());
    expect(verdict(lasting), `${seconds} s`).toBe(expected);
    seen.add(expected);
  }
  expect([...seen].sort()).toEqual(['KEY_NOT_FOUND', 'ok']);
  nowMs = NOW;
  lasting.trust.put(TrustSet.of([bundleOf(revoking)]).bundles[0] as never, NOW);
  expect(verdict(lasting)).toBe('KEY_REVOKED');
});
