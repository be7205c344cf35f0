// The published integration guide's embedded section, step by step, against the functions of `mpcp-embedded/guide`, and
// where upstream is unsafe, what these refuse.

import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  canonicalJson,
  configure,
  hashPolicyDocument,
  resolveFromTrustBundle,
  verifySignedSessionBudgetAuthorizationForDecision,
  verifyTrustBundle,
} from '../../../core/guide/guide.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';

// biome-ignore lint/suspicious/noExplicitAny: vector files are plain JSON
const read = (name: string): any =>
  JSON.parse(readFileSync(new URL(`../../vectors/interop/${name}.json`, import.meta.url), 'utf8'));
const { bundles } = read('bundles');
const { keys } = read('keys');
const sbas = read('sbas');
const nowMs = 1_767_960_000_000;
const rootPem: string = keys.root.publicKeyPem;
const good = sbas.cases[0];

configure({ crypto: createNodeCrypto() });
afterEach(() => {
  configure({ crypto: createNodeCrypto() });
  vi.useRealTimers();
});

/** The decision as the guide builds it: from the SBA itself and the amount asked. */
function decisionFor(sba: typeof good.sba, amountMinor: string) {
  const { authorization } = sba;
  return {
    action: 'ALLOW',
    reasons: [],
    policyHash: authorization.policyHash,
    expiresAtISO: authorization.expiresAt,
    decisionId: authorization.budgetId,
    sessionGrantId: authorization.grantId,
    priceFiat: { amountMinor, currency: authorization.currency },
  };
}

function verify(sba: typeof good.sba, more: object = {}, decision: object = {}) {
  return verifySignedSessionBudgetAuthorizationForDecision(sba, {
    sessionId: sba.authorization.sessionId,
    decision: { ...decisionFor(sba, '2500'), ...decision },
    trustBundles: [bundles.main],
    cumulativeSpentMinor: '0',
    nowMs,
    ...more,
  });
}

describe("the guide's embedded section", () => {
  it('step 2 keeps the bundles whose signature and expiry are good', () => {
    const fetched = [bundles.main, bundles.expired, bundles.wrongRoot, bundles.flippedSig];
    const kept = fetched.filter((bundle) => verifyTrustBundle(bundle, rootPem, { nowMs }).valid);
    expect(kept).toEqual([bundles.main]);
  });

  it('steps 3 to 5 accept an SBA within its ceiling', () => {
    expect(verify(good.sba)).toEqual({ ok: true });
  });

  it('adds what was spent before', () => {
    expect(verify(good.sba, { cumulativeSpentMinor: '27500' })).toEqual({ ok: true });
    expect(verify(good.sba, { cumulativeSpentMinor: '27501' })).toEqual({ ok: false, reason: 'budget_exceeded' });
  });

  it('resolves a key as the JWK the bundle has', () => {
    const jwk = resolveFromTrustBundle('pa.volt-grid.example', 'pa-key-1', [bundles.main], { nowMs });
    expect(jwk).toMatchObject({ kid: 'pa-key-1', x: keys.pa.jwk.x });
  });
});

describe('verifyTrustBundle', () => {
  for (const one of read('trust-bundles').verify) {
    if (one.embedded.optional || one.embedded.requires || one.embedded.code === 'BUNDLE_SCOPE_MISMATCH') continue;
    it(`${one.id}: ${one.description}`, () => {
      const pem = one.rootPublicKeyPem ?? keys[one.rootKey].publicKeyPem;
      const expectedKeyId = one.expectedKeyId;
      const options = { nowMs: one.nowMs, ...(expectedKeyId === undefined ? {} : { expectedKeyId }) };
      const result = verifyTrustBundle(bundles[one.bundle], pem, options);
      expect(result.valid).toBe(one.embedded.ok);
      if (!result.valid && !one.embedded.differs && one.id !== 'p-tb-28')
        expect(result.reason).toBe(one.expected.reason);
    });
  }

  it('answers a reason, never an exception, for what is no bundle', () => {
    for (const junk of [null, undefined, 5, 'x', [], {}, { version: '1.0' }, { self: undefined as unknown }]) {
      expect(verifyTrustBundle(junk as never, rootPem, { nowMs })).toMatchObject({ valid: false });
    }
  });
});

describe('verifySignedSessionBudgetAuthorizationForDecision', () => {
  for (const one of sbas.cases) {
    if (one.embedded.optional || one.embedded.requires || one.pinned) continue;
    it(`${one.id}: ${one.description}`, () => {
      const result = verifySignedSessionBudgetAuthorizationForDecision(one.sba, {
        ...one.input,
        decision: {
          ...one.input.decision,
          priceFiat: { ...one.input.decision.priceFiat, amountMinor: one.payment.amountMinor },
        },
        trustBundles: one.trustBundles.map((id: string) => bundles[id]),
      });
      expect(result.ok).toBe(one.embedded.ok);
    });
  }

  it('refuses a decision that does not allow, which upstream takes', () => {
    expect(verify(good.sba, {}, { action: 'DENY' })).toEqual({ ok: false, reason: 'mismatch' });
  });

  it('refuses a chosen quote that does not exist, where upstream skips the destination check', () => {
    const chosen = { rail: 'xrpl', quoteId: 'quote_nowhere' };
    expect(verify(good.sba, {}, { rail: 'xrpl', chosen, settlementQuotes: [] })).toEqual({
      ok: false,
      reason: 'mismatch',
    });
  });

  it('refuses a currency, a quote or a choice of the wrong kind, instead of leaving the check out', () => {
    const quote = { quoteId: 'q', rail: 'xrpl', destination: 'rEvil' };
    for (const decision of [
      { priceFiat: { amountMinor: '2500', currency: 840 } },
      { rail: 'xrpl', chosen: { quoteId: 'q' }, settlementQuotes: { q: quote } },
      { rail: 'xrpl', chosen: 'q', settlementQuotes: [quote] },
      { rail: 'xrpl', settlementQuotes: [null] },
      { chosen: ['q'] },
    ]) {
      expect(verify(good.sba, {}, decision), JSON.stringify(decision)).toMatchObject({ ok: false });
    }
  });

  it('refuses a choice of a rail that the SBA does not allow, wherever the decision names it', () => {
    const evm = { quoteId: 'q', rail: 'evm' };
    for (const decision of [
      { chosen: { rail: 'evm', quoteId: 'q' }, settlementQuotes: [evm] },
      { chosen: { rail: 'evm' } },
      { chosen: { quoteId: 'q' }, settlementQuotes: [evm] },
      { rail: 'xrpl', chosen: { rail: 'evm', quoteId: 'q' }, settlementQuotes: [evm] },
      { rail: 'xrpl', chosen: { quoteId: 'q' }, settlementQuotes: [evm] },
    ]) {
      expect(verify(good.sba, {}, decision), JSON.stringify(decision)).toEqual({ ok: false, reason: 'mismatch' });
    }
  });

  it('refuses a drift or bundles that are none, and does not throw', () => {
    for (const clockDriftToleranceMs of [-1, 1.5, Number.NaN, '5', 600_001, 1e300]) {
      expect(verify(good.sba, { clockDriftToleranceMs })).toEqual({
        ok: false,
        reason: expect.stringContaining('clockDriftToleranceMs'),
      });
    }
    expect(verify(good.sba, { clockDriftToleranceMs: 600_000 })).toEqual({ ok: true });
    for (const trustBundles of [0, 'x', {}, [5]]) expect(verify(good.sba, { trustBundles }).ok).toBe(false);
  });

  it('refuses a missing or odd amount, where upstream skips the budget check', () => {
    for (const amountMinor of ['', '0', '0x10', '-5', ' 5', '1.5', undefined, 5]) {
      expect(verify(good.sba, {}, { priceFiat: { amountMinor, currency: 'USD' } }).ok).toBe(false);
    }
  });

  it('refuses an issuer that configure() does not let sign, though the bundle approves it', () => {
    configure({ crypto: createNodeCrypto(), sbaIssuers: ['pa.volt-grid.example'] });
    expect(verify(good.sba)).toEqual({ ok: false, reason: 'invalid_signature' });
  });

  it('refuses a revoked key, which upstream takes', () => {
    expect(verify(good.sba, { trustBundles: [bundles.main, bundles.revoked] })).toEqual({
      ok: false,
      reason: 'invalid_signature',
    });
  });

  it('takes the platform time without nowMs, and refuses it while it is before the build', () => {
    vi.useFakeTimers();
    vi.setSystemTime(nowMs);
    expect(verify(good.sba, { nowMs: undefined })).toEqual({ ok: true });
    vi.setSystemTime(Date.UTC(1970, 0, 2));
    expect(verify(good.sba, { nowMs: undefined })).toEqual({ ok: false, reason: 'clock_untrusted' });
  });

  it('answers a reason for an input that is none at all, and for a time past all times', () => {
    for (const input of [null, undefined, 5, 'x']) {
      expect(verifySignedSessionBudgetAuthorizationForDecision(good.sba, input as never)).toEqual({
        ok: false,
        reason: expect.stringContaining('input'),
      });
    }
    expect(verify(good.sba, { nowMs: 1e300 })).toEqual({ ok: false, reason: 'clock_untrusted' });
  });

  it('takes options that are null for none', () => {
    vi.useFakeTimers();
    vi.setSystemTime(nowMs);
    expect(verifyTrustBundle(bundles.main, rootPem, null as never)).toEqual({ valid: true });
    const { issuer, issuerKeyId } = good.sba;
    expect(resolveFromTrustBundle(issuer, issuerKeyId, [bundles.main], null as never)).not.toBeNull();
  });

  it('configure() throws a RangeError for what are no settings, and keeps those it has', () => {
    configure({ crypto: createNodeCrypto(), sbaIssuers: ['pa.volt-grid.example'] });
    for (const settings of [
      null,
      undefined,
      5,
      { issuers: [] },
      { sbaIssuers: 'x' },
      { sbaIssuers: [5] },
      { crypto: 5 },
    ])
      expect(() => configure(settings as never)).toThrow(RangeError);
    expect(verify(good.sba).ok).toBe(false);
  });

  it('answers a reason, never an exception, for what is no SBA or no input', () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    for (const junk of [null, undefined, 5, 'x', [], {}, { authorization: null }, loop, () => 1]) {
      const input = { sessionId: 's', decision: decisionFor(good.sba, '1'), trustBundles: [bundles.main], nowMs };
      expect(verifySignedSessionBudgetAuthorizationForDecision(junk, input).ok).toBe(false);
    }
    for (const junk of [{}, { decision: null }, { trustBundles: [null] }, { decision: { action: 'ALLOW' } }]) {
      const input = {
        sessionId: 's',
        decision: decisionFor(good.sba, '1'),
        trustBundles: [bundles.main],
        nowMs,
        ...junk,
      };
      expect(verifySignedSessionBudgetAuthorizationForDecision(good.sba, input as never).ok).toBe(false);
    }
  });
});

describe('resolveFromTrustBundle', () => {
  for (const one of read('trust-bundles').resolve) {
    it(`${one.id}: ${one.description}`, () => {
      const loaded = one.trustBundles.map((id: string) => bundles[id]);
      const jwk = resolveFromTrustBundle(one.issuer, one.issuerKeyId, loaded, { nowMs: one.nowMs });
      expect(jwk?.x ?? null).toBe(one.embedded.ok ? one.embedded.x : null);
    });
  }
});

describe('canonicalJson and hashPolicyDocument', () => {
  it('give what upstream gives', () => {
    for (const one of read('policy-hash').cases)
      expect(hashPolicyDocument(one.policyDocument)).toBe(one.expected.policyHash);
    expect(canonicalJson({ b: [1, null, { z: null, a: 'x' }], a: undefined })).toBe('{"b":[1,null,{"a":"x"}]}');
  });

  it('throw for what JSON cannot hold, where upstream writes null or nothing', () => {
    for (const value of [undefined, Number.NaN, 1n, () => 1, '\ud800', { a: Number.POSITIVE_INFINITY }]) {
      expect(() => canonicalJson(value)).toThrow(RangeError);
    }
    expect(() => hashPolicyDocument({}, '2.0')).toThrow('2.0');
  });
});
