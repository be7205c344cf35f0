// The shape of every artifact of a payment: what each member may be, and that null is absent.

import { describe, expect, it } from 'vitest';
import { assetText } from '../../../core/artifacts/asset.ts';
import { readFleetPolicy } from '../../../core/artifacts/fleet-policy.ts';
import { ArtifactProblem, reading } from '../../../core/artifacts/members.ts';
import { readPolicyGrant } from '../../../core/artifacts/policy-grant.ts';
import { readSessionBudget } from '../../../core/artifacts/sba.ts';
import { hashedIntent, readSettlementIntent } from '../../../core/artifacts/settlement-intent.ts';
import { readPaymentAuthorization } from '../../../core/artifacts/spa.ts';
import { canonicalText } from '../../../core/json/canonical.ts';
import type { JsonObject, JsonValue } from '../../../core/json/value.ts';
import { changed, FLEET_POLICY, GRANT, INTENT, inSeconds, NOW, SBA, SPA } from '../../fixtures/artifacts.ts';
import {
  amount,
  asset,
  assets,
  BAD_ASSETS,
  GOOD_ASSETS,
  policyHash,
  rail,
  rails,
  shape,
  text,
  texts,
  time,
  version,
  versions,
} from './shape.ts';

const NOT_OBJECTS: readonly JsonValue[] = [null, true, 1, 'text', [], [{}]];

/** Wraps a body as `{authorization, …}` and reads it. */
function enveloped<T>(read: (value: JsonValue) => T, around: JsonObject = {}): (authorization: JsonObject) => T {
  return (authorization) => read({ authorization, issuer: 'i', issuerKeyId: 'k', signature: 's', ...around });
}

/** What must hold for each artifact in an envelope. */
function envelope(body: JsonObject, read: (value: JsonValue) => object | ArtifactProblem): void {
  it.each(NOT_OBJECTS)('is not %j', (value) => {
    expect(read(value)).toMatchObject({ code: 'ARTIFACT_INVALID' });
  });

  it.each(NOT_OBJECTS)('has no authorization that is %j', (value) => {
    expect(read({ authorization: value })).toMatchObject({ code: 'ARTIFACT_INVALID' });
  });

  it('has an authorization', () => {
    expect(read({})).toMatchObject({ code: 'ARTIFACT_INVALID' });
  });

  it('has issuer and kid outside the signature, both optional', () => {
    expect(read({ authorization: body, issuer: 'i', issuerKeyId: 'k', signature: 's' })).toMatchObject({
      issuer: 'i',
      issuerKeyId: 'k',
      signature: 's',
    });
    expect(read({ authorization: body, issuer: null })).toMatchObject({ issuer: undefined, issuerKeyId: undefined });
  });

  it('takes keyId for issuerKeyId, and issuerKeyId where both are there', () => {
    expect(read({ authorization: body, keyId: 'old' })).toMatchObject({ issuerKeyId: 'old' });
    expect(read({ authorization: body, keyId: 'old', issuerKeyId: 'new' })).toMatchObject({ issuerKeyId: 'new' });
    expect(read({ authorization: body, keyId: 'old', issuerKeyId: null })).toMatchObject({ issuerKeyId: 'old' });
  });

  it.each(['issuer', 'issuerKeyId', 'keyId'])('has no %s that is not text', (name) => {
    for (const value of ['', 1, true, [], {}]) {
      expect(read({ authorization: body, [name]: value })).toMatchObject({ code: 'ARTIFACT_INVALID' });
    }
  });

  it('has no signature where it is not text', () => {
    for (const value of [null, 1, [], {}]) {
      expect(read({ authorization: body, signature: value })).toMatchObject({ signature: undefined });
    }
  });

  it('keeps members nobody knows in what is signed', () => {
    expect(read({ authorization: changed(body, { future: { a: 1 } }) })).toMatchObject({
      authorization: { future: { a: 1 } },
    });
  });

  it('takes the earlier of two expiries', () => {
    const both = (expiresAt: string, expiresAtISO: string) =>
      read({ authorization: changed(body, { expiresAt, expiresAtISO }) });
    expect(both(inSeconds(10), inSeconds(20))).toMatchObject({ expiresAtMs: NOW + 10_000 });
    expect(both(inSeconds(20), inSeconds(10))).toMatchObject({ expiresAtMs: NOW + 10_000 });
    expect(read({ authorization: changed(body, { expiresAt: undefined, expiresAtISO: inSeconds(5) }) })).toMatchObject({
      expiresAtMs: NOW + 5000,
    });
    expect(both(inSeconds(10), 'never')).toMatchObject({ code: 'ARTIFACT_INVALID' });
  });

  versions(body, enveloped(read));
}

describe('SBA', () => {
  const read = readSessionBudget;
  envelope(SBA, read);
  shape(
    SBA,
    {
      version: version(true),
      budgetId: text(true),
      grantId: text(true),
      sessionId: text(true),
      actorId: text(true),
      policyHash: policyHash(),
      currency: {
        needed: true,
        good: ['EUR', 'USD', 'XXX'],
        bad: ['eur', 'EURO', 'EU', 'E R', 'ÄÖÜ', '123', '', 1, [], {}],
      },
      minorUnit: { needed: true, good: [0, 2, 255], bad: [-1, 256, 1.5, '2', true, [], {}] },
      budgetScope: {
        needed: true,
        good: ['SESSION', 'DAY', 'VEHICLE', 'FLEET', 'TRIP'],
        bad: ['SHIFT', 'session', 'ALL', '', 1, [], {}],
      },
      maxAmountMinor: amount(true),
      allowedRails: rails(),
      allowedAssets: assets('no names'),
      destinationAllowlist: texts(),
      expiresAt: time(true),
    },
    enveloped(read),
  );
});

describe('SPA', () => {
  const read = readPaymentAuthorization;
  envelope(SPA, read);
  const hex = 'a'.repeat(64);
  shape(
    SPA,
    {
      version: version(true),
      decisionId: text(true),
      sessionId: text(true),
      policyHash: policyHash(),
      budgetId: text(true),
      rail: rail(),
      asset: asset(),
      amount: amount(true),
      destination: text(false),
      intentHash: { needed: false, good: [hex], bad: [hex.slice(1), `${hex}a`, hex.toUpperCase(), '', 1, [], {}] },
      expiresAt: time(true),
    },
    enveloped(read),
  );

  it('needs no nonce, and any nonce is only hashed', () => {
    for (const nonce of ['n', 1, {}]) {
      expect(enveloped(read)(changed(SPA, { nonce }))).not.toBeInstanceOf(ArtifactProblem);
    }
  });
});

describe('fleet policy', () => {
  const read = readFleetPolicy;
  envelope(FLEET_POLICY, read);
  shape(
    FLEET_POLICY,
    {
      version: version(true),
      fleetPolicyId: text(true),
      fleetId: text(true),
      actorId: text(true),
      scope: { needed: true, good: ['SESSION', 'DAY', 'SHIFT'], bad: ['TRIP', 'VEHICLE', 'day', '', 1, [], {}] },
      currency: { needed: true, good: ['EUR'], bad: ['eur', 'EURO', '', 1] },
      maxAmountMinor: amount(true),
      allowedRails: rails(),
      allowedAssets: assets('names'),
      allowedOperators: texts(),
      expiresAt: time(true),
    },
    enveloped(read),
  );
});

describe('settlement intent', () => {
  const read = readSettlementIntent;
  it.each(NOT_OBJECTS)('is not %j', (value) => {
    expect(read(value)).toMatchObject({ code: 'ARTIFACT_INVALID' });
  });

  shape(INTENT, { rail: rail(), amount: amount(true), destination: text(false), asset: asset() }, read);

  it('is hashed without intentHash and createdAt', () => {
    const full = changed(INTENT, { referenceId: 'r', intentHash: 'x', createdAt: 'y' });
    expect(hashedIntent(full)).toEqual(changed(INTENT, { referenceId: 'r' }));
  });

  it('has no members that one reader would hash and another would not', () => {
    expect(read(changed(INTENT, { memo: 'm' }))).toMatchObject({ code: 'ARTIFACT_INVALID' });
    expect(hashedIntent(changed(INTENT, { memo: 'm' }))).toMatchObject({ code: 'ARTIFACT_INVALID' });
  });

  it('may have an unknown member that is null: it changes no hash', () => {
    const hashed = hashedIntent(changed(INTENT, { memo: null }));
    expect(canonicalText(hashed as JsonObject)).toBe(canonicalText(INTENT));
  });
});

describe('grant', () => {
  const signer = { issuer: 'i', issuerKeyId: 'k', signature: 's' };
  const flat = (body: JsonObject) => readPolicyGrant({ ...body, ...signer });
  const wrapped = (body: JsonObject) => readPolicyGrant({ grant: body, ...signer });

  it.each(NOT_OBJECTS)('is not %j', (value) => {
    expect(readPolicyGrant(value)).toMatchObject({ code: 'ARTIFACT_INVALID' });
  });

  for (const [form, read] of [
    ['flat', flat],
    ['envelope', wrapped],
  ] as const) {
    describe(form, () => {
      versions(GRANT, read);
      shape(
        GRANT,
        {
          version: version(false),
          grantId: text(true),
          policyHash: policyHash(),
          expiresAt: time(true),
          allowedRails: rails(),
          allowedAssets: assets('no names'),
          allowedPurposes: texts(),
          destinationAllowlist: texts(),
          subjectId: text(false),
          operatorId: text(false),
          authorizedGateway: text(false),
          budgetMinor: amount(false),
          budgetCurrency: text(false),
          offlineMaxSinglePayment: amount(false),
          offlineMaxSinglePaymentCurrency: text(false),
          offlineMaxCumulativePayment: amount(false),
          offlineMaxCumulativePaymentCurrency: text(false),
          maxSpend: {
            needed: false,
            good: [{}, { perTxMinor: '1' }, { perTxMinor: null }, { other: 1 }],
            bad: ['1', 1, true, []],
          },
          velocityLimit: {
            needed: false,
            good: [
              { maxPayments: 1, windowSeconds: 1 },
              { maxPayments: 2 ** 53 - 1, windowSeconds: 2 ** 32 - 1 },
            ],
            bad: ['1', 1, []],
          },
          revocationEndpoint: {
            needed: false,
            good: ['https://pa.example/r'],
            bad: ['', 'pa.example', '://x', 'https://', 'https://a b', 1, [], {}],
          },
        },
        read,
      );

      it('has no limit per transaction that is no amount', () => {
        for (const perTxMinor of ['0', '1.5', '-1', 1, '']) {
          expect(read(changed(GRANT, { maxSpend: { perTxMinor } }))).toMatchObject({ code: 'ARTIFACT_INVALID' });
        }
      });

      it('has no velocity limit that is not whole numbers above zero', () => {
        for (const limit of [
          {},
          { maxPayments: 1 },
          { windowSeconds: 1 },
          { maxPayments: 0, windowSeconds: 1 },
          { maxPayments: 1, windowSeconds: 0 },
          { maxPayments: 1.5, windowSeconds: 1 },
          { maxPayments: '1', windowSeconds: 1 },
          { maxPayments: 1, windowSeconds: 2 ** 32 },
          { maxPayments: null, windowSeconds: 1 },
        ]) {
          expect(read(changed(GRANT, { velocityLimit: limit })), JSON.stringify(limit)).toMatchObject({
            code: 'ARTIFACT_INVALID',
          });
        }
      });

      it('takes the earlier of two expiries', () => {
        const both = { expiresAt: inSeconds(20), expiresAtISO: inSeconds(10) };
        expect(read(changed(GRANT, both))).toMatchObject({ expiresAtMs: NOW + 10_000 });
      });
    });
  }

  it('in an envelope has one signing input: the grant as received', () => {
    const grant = wrapped(changed(GRANT, { future: 1 }));
    expect(grant).toMatchObject({ issuer: 'i', issuerKeyId: 'k', signature: 's' });
    expect((grant as { signed: unknown }).signed).toEqual([changed(GRANT, { future: 1 })]);
  });

  it('flat has two signing inputs: all but the signature, then also without issuer and kid', () => {
    const grant = flat(changed(GRANT, { future: 1 }));
    expect(grant).toMatchObject({ issuer: 'i', issuerKeyId: 'k', signature: 's' });
    expect((grant as { signed: unknown }).signed).toEqual([
      { ...GRANT, future: 1, issuer: 'i', issuerKeyId: 'k' },
      { ...GRANT, future: 1 },
    ]);
  });

  it('flat without issuer and kid has one signing input', () => {
    expect((readPolicyGrant({ ...GRANT, signature: 's' }) as { signed: unknown }).signed).toEqual([GRANT]);
  });

  it('in an envelope is read from the envelope only: what stands beside it is not signed', () => {
    expect(readPolicyGrant({ grant: GRANT, budgetMinor: '1', grantId: 'other', ...signer })).toMatchObject({
      grantId: 'grant-1',
      budgetMinor: undefined,
    });
  });
});

describe('assets', () => {
  it('are equal by canonical JSON: order and null members do not matter, others do', () => {
    const one = assetText({ kind: 'IOU', currency: 'A', issuer: 'r', note: null }, 'asset');
    expect(assetText({ issuer: 'r', currency: 'A', kind: 'IOU' }, 'asset')).toBe(one);
    expect(assetText({ issuer: 'r', currency: 'A', kind: 'IOU', note: 'x' }, 'asset')).not.toBe(one);
  });

  it('are of the kinds XRP, IOU and ERC20', () => {
    for (const good of GOOD_ASSETS) expect(reading(() => assetText(good, 'asset'))).toBe(canonicalText(good));
    for (const bad of BAD_ASSETS)
      expect(
        reading(() => assetText(bad, 'asset')),
        JSON.stringify(bad),
      ).toBeInstanceOf(ArtifactProblem);
  });
});
