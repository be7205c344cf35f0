// Grants that were verified before: what may save a signature check, and everything that must not.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SiteConfiguration } from '../../../core/configuration.ts';
import { decodeBase64, encodeBase64Url } from '../../../core/encoding/base64.ts';
import type { JsonObject, JsonValue } from '../../../core/json/value.ts';
import { MemoryLedger } from '../../../core/ledger/memory-ledger.ts';
import { GRANTS_REMEMBERED } from '../../../core/limits.ts';
import type { Crypto } from '../../../core/ports/ports.ts';
import { Verifier } from '../../../core/verifier.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { bundle, entry, grant, inSeconds, NOW, present, revoked, sba } from '../../fixtures/artifacts.ts';
import { FLEET, fleet, OTHER_PA, otherPa, PA, pa, stranger, testKey, WALLET, wallet } from '../../fixtures/keys.ts';
import { site } from '../../fixtures/site.ts';

const node = createNodeCrypto();

/** A verifier that counts how often it verifies a signature of grants or others. */
class Terminal {
  nowMs = NOW;
  verifications = 0;
  readonly verifier: Verifier;

  constructor(configuration: Partial<SiteConfiguration> = {}) {
    const crypto: Crypto = {
      ...node,
      ed25519Verify: (key, signature, message) => {
        this.verifications++;
        return node.ed25519Verify(key, signature, message);
      },
    };
    this.verifier = new Verifier({
      configuration: site({ budgetUse: 'reuse', ...configuration }),
      crypto,
      clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs },
      ledger: new MemoryLedger(crypto),
      earliestMs: 0,
    });
    this.admit(bundle());
  }

  admit(bytes: Uint8Array): void {
    expect(this.verifier.admit(bytes)).toMatchObject({ ok: true });
  }

  /** Pays, and tells the code of a refusal or `ok`, with how many signatures were verified for it. */
  pay(presented: JsonValue = grant(), request = { amountMinor: '10', sessionId: 'session-1' }): [string, number] {
    this.verifications = 0;
    const decision = this.verifier.authorize(present({ grant: presented }), request);
    return [decision.ok ? 'ok' : decision.code, this.verifications];
  }
}

/** A terminal at which one payment under the usual grant was made. */
function paidOnce(configuration?: Partial<SiteConfiguration>): Terminal {
  const terminal = new Terminal(configuration);
  expect(terminal.pay()).toEqual(['ok', 2]);
  return terminal;
}

/** A newer bundle than the usual one, with changes. */
function refresh(terminal: Terminal, changes: JsonObject = {}): void {
  terminal.admit(bundle({ issuedAt: inSeconds(-60), ...changes }));
}

describe('the second payment under a grant', () => {
  it.each(['flat', 'envelope'] as const)('verifies its SBA alone (%s)', (form) => {
    const terminal = new Terminal();
    expect(terminal.pay(grant({}, {}, form))).toEqual(['ok', 2]);
    expect(terminal.pay(grant({}, {}, form))).toEqual(['ok', 1]);
    expect(terminal.pay(grant({}, {}, form))).toEqual(['ok', 1]);
  });

  it('verifies the grant where the first was refused before its signatures', () => {
    const terminal = new Terminal();
    expect(terminal.pay(grant(), { amountMinor: '99999999', sessionId: 'session-1' })[1]).toBe(0);
    expect(terminal.pay()).toEqual(['ok', 2]);
  });

  it('is spared the grant by a first that was refused for its SBA', () => {
    const terminal = new Terminal();
    const forged = sba({}, { key: stranger });
    const presentation = present({ sba: { ...forged, issuerKeyId: wallet.kid } });
    expect(terminal.verifier.authorize(presentation, { amountMinor: '10' })).toMatchObject({
      code: 'SBA_SIGNATURE_INVALID',
    });
    expect(terminal.pay()).toEqual(['ok', 1]);
  });

  it('shows the check in its trace as any other', () => {
    const terminal = paidOnce();
    const { trace } = terminal.verifier.check(present(), { amountMinor: '10' }, { explain: true });
    expect(trace?.find((line) => line.check === 'policyGrant.signature')).toMatchObject({ verdict: 'pass' });
  });
});

describe('a grant that is not the verified one, bit by bit, is verified', () => {
  const signature = grant().signature as string;

  it.each([
    ['another limit under the same id', { ...grant(), budgetMinor: '999999999' }],
    ['another expiry', { ...grant(), expiresAt: inSeconds(864_000) }],
    ['a member more', { ...grant(), anchorRef: 'x' }],
    ['a signature that is none', { ...grant(), signature: 'AAAA' }],
    ['no signature', { ...grant(), signature: null }],
    ['the signature of another grant', { ...grant(), signature: grant({ grantId: 'grant-2' }).signature as string }],
    [
      'the signature with a bit changed',
      { ...grant(), signature: `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}` },
    ],
  ])('%s', (_, changed) => {
    const terminal = paidOnce();
    expect(terminal.pay(changed)[0]).toBe('POLICY_GRANT_SIGNATURE_INVALID');
    expect(terminal.pay()).toEqual(['ok', 1]);
  });

  it('the same signature spelled differently', () => {
    const terminal = paidOnce();
    const spelled = encodeBase64Url(decodeBase64(signature) as Uint8Array);
    expect(terminal.pay({ ...grant(), signature: spelled })).toEqual(['ok', 2]);
  });

  it('a forgery, each time it comes', () => {
    const terminal = paidOnce();
    const forged = { ...grant({ budgetMinor: '999999999' }, { key: stranger }), issuerKeyId: pa.kid };
    for (let i = 0; i < 3; i++) {
      const [code, verifications] = terminal.pay(forged);
      expect(code).toBe('POLICY_GRANT_SIGNATURE_INVALID');
      expect(verifications).toBeGreaterThan(0);
    }
  });
});

describe('whose signature it is, is asked for each payment', () => {
  it('another issuer on the envelope, which no signature covers', () => {
    const terminal = paidOnce({ grantIssuers: [PA, OTHER_PA], sbaIssuers: { [PA]: [WALLET], [OTHER_PA]: [WALLET] } });
    const verified = grant({}, {}, 'envelope');
    expect(terminal.pay(verified)[0]).toBe('ok');
    expect(terminal.pay({ ...verified, issuer: OTHER_PA, issuerKeyId: otherPa.kid })[0]).toBe(
      'POLICY_GRANT_SIGNATURE_INVALID',
    );
    expect(terminal.pay({ ...verified, issuer: OTHER_PA })[0]).toBe('KEY_NOT_FOUND');
    expect(terminal.pay({ ...verified, issuer: WALLET, issuerKeyId: wallet.kid })[0]).toBe('ISSUER_NOT_PERMITTED');
    expect(terminal.pay({ ...verified, issuerKeyId: 'pa-2' })[0]).toBe('KEY_NOT_FOUND');
  });
});

describe('a refresh', () => {
  it('that changes nothing lets every grant be verified once more', () => {
    const terminal = paidOnce();
    refresh(terminal);
    expect(terminal.pay()).toEqual(['ok', 2]);
    expect(terminal.pay()).toEqual(['ok', 1]);
  });

  const others = [entry(WALLET, wallet), entry(FLEET, fleet)];

  it.each([
    ['revokes the key', { issuers: [entry(PA, revoked(pa)), ...others] }, 'KEY_REVOKED'],
    ['retires the key', { issuers: [entry(PA, testKey('pa-2', 30)), ...others] }, 'KEY_NOT_FOUND'],
    [
      'has another key for the kid',
      { issuers: [entry(PA, testKey(pa.kid, 30)), ...others] },
      'POLICY_GRANT_SIGNATURE_INVALID',
    ],
    ['no longer approves the issuer', { approvedIssuers: [WALLET, FLEET], issuers: others }, 'KEY_NOT_FOUND'],
    ['revokes the grant', { revokedGrantIds: ['grant-1'] }, 'GRANT_REVOKED'],
  ])('that %s counts at once', (_, changes, code) => {
    const terminal = paidOnce();
    refresh(terminal, changes as unknown as JsonObject);
    expect(terminal.pay()[0]).toBe(code);
  });
});

describe('time goes on', () => {
  it('a grant that has expired since is refused', () => {
    const terminal = new Terminal();
    const short = grant({ expiresAt: inSeconds(60) });
    expect(terminal.pay(short)).toEqual(['ok', 2]);
    terminal.nowMs = NOW + 60_000 + 300_000;
    expect(terminal.pay(short)).toEqual(['ARTIFACT_EXPIRED', 0]);
  });

  it('a grant whose bundle has expired since has no key', () => {
    const terminal = new Terminal();
    refresh(terminal, { expiresAt: inSeconds(30) });
    expect(terminal.pay()).toEqual(['ok', 2]);
    terminal.nowMs = NOW + 31_000;
    expect(terminal.pay()).toEqual(['KEY_NOT_FOUND', 0]);
    // A clock that is set back makes the bundle good again, and nothing else.
    terminal.nowMs = NOW;
    expect(terminal.pay()[0]).toBe('ok');
  });
});

describe('what is remembered is bounded', () => {
  const numbered = Array.from({ length: GRANTS_REMEMBERED + 1 }, (_, i) => grant({ anchorRef: `ref-${i}` }));

  it('to the grants used last', () => {
    const terminal = new Terminal();
    const [first, second] = numbered as [JsonObject, JsonObject];
    for (const one of numbered.slice(0, GRANTS_REMEMBERED)) expect(terminal.pay(one)).toEqual(['ok', 2]);
    expect(terminal.pay(first)).toEqual(['ok', 1]);
    expect(terminal.pay(numbered[GRANTS_REMEMBERED] as JsonObject)).toEqual(['ok', 2]);
    expect(terminal.pay(first)).toEqual(['ok', 1]);
    expect(terminal.pay(second)).toEqual(['ok', 2]);
  });
});

it('whatever came before, every payment gets the verdict it would get at a terminal that remembers nothing', () => {
  const grants: JsonValue[] = [
    grant(),
    grant({}, {}, 'envelope'),
    { ...grant({}, {}, 'envelope'), issuer: OTHER_PA, issuerKeyId: otherPa.kid },
    { ...grant(), budgetMinor: '1' },
    { ...grant(), signature: grant({ anchorRef: 'a' }).signature as string },
    grant({ anchorRef: 'a' }),
    grant({}, { key: stranger }),
  ];
  const issuers = [entry(PA, pa), entry(OTHER_PA, otherPa), entry(WALLET, wallet)];
  const refreshes: JsonObject[] = [
    {},
    { issuers: [entry(PA, revoked(pa)), ...issuers.slice(1)] },
    { issuers: [entry(PA, testKey(pa.kid, 30)), ...issuers.slice(1)] },
    { revokedGrantIds: ['grant-1'] },
  ];
  const step = fc.record({
    grant: fc.nat({ max: grants.length - 1 }),
    refresh: fc.option(fc.nat({ max: refreshes.length - 1 }), { freq: 4, nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 3, maxLength: 10 }), (steps) => {
      const terminal = new Terminal();
      let issuedAt = -3000;
      let held: JsonObject = {};
      for (const { grant: which, refresh: change } of steps) {
        if (change !== undefined) {
          held = { issuedAt: inSeconds(issuedAt++), ...refreshes[change] };
          terminal.admit(bundle(held));
        }
        const fresh = new Terminal();
        if (change !== undefined || 'issuedAt' in held) fresh.admit(bundle(held));
        expect(terminal.pay(grants[which])[0]).toBe(fresh.pay(grants[which])[0]);
      }
    }),
    { numRuns: 40 },
  );
});
