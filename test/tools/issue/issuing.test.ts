// Issuing: members that break a rule are refused with the member's name; what is signed is what the core reads.

import { describe, expect, it } from 'vitest';
import { readPolicyGrant } from '../../../core/artifacts/policy-grant.ts';
import type { JsonObject, JsonValue } from '../../../core/json/value.ts';
import { AMOUNT_DIGITS, ARTIFACT_LIMITS } from '../../../core/limits.ts';
import { generateKey } from '../../../host-sim/signing/keys.ts';
import { issueFleetPolicy } from '../../../tools/issue/fleet-policy.ts';
import { grantNote, issueGrant } from '../../../tools/issue/policy-grant.ts';
import { authorizationHeader, presentationText } from '../../../tools/issue/presentation.ts';
import { IssueProblem } from '../../../tools/issue/problem.ts';
import { issueSba } from '../../../tools/issue/sba.ts';
import { hashIntent } from '../../../tools/issue/settlement-intent.ts';
import { issueSpa } from '../../../tools/issue/spa.ts';

const ADDRESS = 'rEcaauZi2SfbmDWKyPKTcvscyGJiaAqgUx';
const DAMAGED = 'rEcaauZi2SfbmDWKyPKTcvscyGJiaAqgxU';
const rules = { nowMs: Date.UTC(2026, 2, 1), allowPast: false, checkAddresses: true };
const by = { key: generateKey('k-1'), issuer: 'issuer.example' };
const EXPIRES = '2026-03-02T00:00:00Z';

const grant = { grantId: 'g', policyHash: 'abcdef012345', allowedRails: ['xrpl'], expiresAt: EXPIRES };
const sba = {
  version: '1.0',
  budgetId: 'b',
  grantId: 'g',
  sessionId: 's',
  actorId: 'ev:1',
  policyHash: 'abcdef012345',
  currency: 'EUR',
  minorUnit: 2,
  budgetScope: 'SESSION',
  maxAmountMinor: '5000',
  allowedRails: ['xrpl'],
  allowedAssets: [],
  expiresAt: EXPIRES,
};
const spa = {
  version: '1.0',
  decisionId: 'd',
  sessionId: 's',
  policyHash: 'abcdef012345',
  budgetId: 'b',
  quoteId: 'q',
  rail: 'xrpl',
  asset: { kind: 'XRP' },
  amount: '1800',
  destination: ADDRESS,
  expiresAt: EXPIRES,
};
const fleetPolicy = {
  version: '1.0',
  fleetPolicyId: 'f',
  fleetId: 'fleet',
  actorId: 'ev:1',
  scope: 'DAY',
  currency: 'EUR',
  minorUnit: 2,
  maxAmountMinor: '9000',
  allowedRails: ['xrpl'],
  allowedAssets: [],
  allowedOperators: [],
  expiresAt: EXPIRES,
};

/** Members to lay over good ones; undefined takes one out. */
type Members = { readonly [name: string]: JsonValue | undefined };

/** A good artifact's members with changes. */
function changed(good: JsonObject, members: Members): JsonObject {
  return { ...good, ...members } as JsonObject;
}

const ISSUE: { readonly [name: string]: (members: Members, with_?: typeof rules) => string } = {
  grant: (members, with_ = rules) => issueGrant(changed(grant, members), by, 'flat', with_),
  sba: (members, with_ = rules) => issueSba(changed(sba, members), by, with_),
  spa: (members, with_ = rules) => issueSpa(changed(spa, members), by, with_),
  fleetPolicy: (members, with_ = rules) => issueFleetPolicy(changed(fleetPolicy, members), by, with_),
};

function issue(artifact: string, members: Members, with_ = rules): string {
  return (ISSUE[artifact] as (members: Members, with_: typeof rules) => string)(members, with_);
}

describe('every artifact', () => {
  it.each(Object.keys(ISSUE))('%s is signed from good members', (artifact) => {
    expect(JSON.parse(issue(artifact, {}))).toMatchObject({ issuer: 'issuer.example', issuerKeyId: 'k-1' });
  });

  it.each(Object.keys(ISSUE))('%s is refused with an expiry that is past, absurd or without a zone', (artifact) => {
    expect(() => issue(artifact, { expiresAt: '2026-02-28T23:59:59Z' })).toThrow(
      'expiresAt: 2026-02-28T23:59:59Z is in the past',
    );
    expect(() => issue(artifact, { expiresAt: '2026-02-30T00:00:00Z' })).toThrow(
      'expiresAt: "2026-02-30T00:00:00Z" is not an RFC 3339 time',
    );
    expect(() => issue(artifact, { expiresAt: '2026-04-01T00:00:00' })).toThrow('not an RFC 3339 time with a zone');
    expect(() => issue(artifact, { expiresAt: '2026-04-01t00:00:00z' })).toThrow('not an RFC 3339 time with a zone');
    expect(issue(artifact, { expiresAt: '2026-02-28T23:59:59Z' }, { ...rules, allowPast: true })).toContain(
      'signature',
    );
  });

  it.each(Object.keys(ISSUE))('%s is refused with a member it does not have', (artifact) => {
    expect(() => issue(artifact, { maxAmount: '5' })).toThrow('maxAmount: there is no such member');
    expect(() => issue(artifact, { ['__proto__']: null, expiresat: 'x' })).toThrow('expiresat');
  });

  it.each(Object.keys(ISSUE))('%s is refused with a null, which a signature would not cover', (artifact) => {
    expect(() => issue(artifact, { expiresAt: null })).toThrow('expiresAt: expected string, received null');
  });

  it.each([
    ['grant', 'budgetMinor'],
    ['sba', 'maxAmountMinor'],
    ['spa', 'amount'],
    ['fleetPolicy', 'maxAmountMinor'],
  ])('%s is refused with amounts that are none', (artifact, member) => {
    for (const amount of ['0', '-1', '+1', '01', '1.5', '1e3', '0x10', ' 1', '', '9'.repeat(AMOUNT_DIGITS + 1), '१']) {
      expect(() => issue(artifact, { [member]: amount }), amount).toThrow(member);
    }
    expect(() => issue(artifact, { [member]: 5 })).toThrow(`${member}: expected string, received number`);
    expect(issue(artifact, { [member]: '9'.repeat(AMOUNT_DIGITS) })).toContain('9'.repeat(AMOUNT_DIGITS));
  });

  it.each([
    ['grant', { destinationAllowlist: [DAMAGED] }, 'destinationAllowlist[0]'],
    ['sba', { destinationAllowlist: [ADDRESS, DAMAGED] }, 'destinationAllowlist[1]'],
    ['sba', { destinationAllowlist: ['did:web:merchant.example'] }, 'destinationAllowlist[0]'],
    ['sba', { allowedRails: ['xrpl', 'stripe'], destinationAllowlist: ['acct_1', DAMAGED] }, 'destinationAllowlist[1]'],
    ['sba', { allowedRails: ['evm'], destinationAllowlist: ['0x1'] }, 'destinationAllowlist[0]'],
    ['spa', { destination: DAMAGED }, 'destination'],
    ['grant', { allowedAssets: [{ kind: 'IOU', currency: 'EUR', issuer: DAMAGED }] }, 'allowedAssets[0].issuer'],
    [
      'spa',
      {
        asset: { kind: 'ERC20', chainId: 1, token: 'usdc' },
        rail: 'evm',
        destination: '0x52908400098527886E0F7030069857D2E4169EE7',
      },
      'asset.token',
    ],
    ['grant', { authorizedGateway: DAMAGED }, 'authorizedGateway'],
    ['grant', { authorizedGateway: 'did:web:gateway.example' }, 'authorizedGateway'],
    ['grant', { activeGrantCredentialIssuer: DAMAGED }, 'activeGrantCredentialIssuer'],
    ['grant', { subjectId: `did:xrpl:mainnet:${DAMAGED}` }, 'subjectId'],
    ['sba', { actorId: DAMAGED }, 'actorId'],
  ])('%s is refused with the address in %j', (artifact, members, path) => {
    expect(() => issue(artifact, members)).toThrow(`${path}: `);
    expect(issue(artifact, members, { ...rules, checkAddresses: false })).toContain('signature');
  });

  it.each([
    ['grant', { subjectId: 'did:key:alice' }, 'subjectId: did:key:alice carries no public key'],
    ['grant', { subjectId: 'did:Web:x' }, 'subjectId: did:Web:x is not a DID'],
    ['grant', { policyHash: 'ABCDEF012345' }, 'policyHash: '],
    ['grant', { policyHash: 'abc' }, 'policyHash: '],
    ['grant', { allowedRails: [] }, 'allowedRails is empty'],
    ['grant', { allowedRails: 'xrpl' }, 'allowedRails: expected array, received string'],
    ['grant', { velocityLimit: { maxPayments: 0, windowSeconds: 60 } }, 'velocityLimit.maxPayments: '],
    ['grant', { velocityLimit: { maxPayments: 1 } }, 'velocityLimit.windowSeconds is missing'],
    ['grant', { maxSpend: { perTransaction: '5' } }, 'maxSpend.perTransaction: there is no such member'],
    ['grant', { revocationEndpoint: 'ftp://pa.example' }, 'revocationEndpoint: '],
    ['grant', { version: '2.0' }, 'version: '],
    ['sba', { currency: 'eur' }, 'currency: "eur" is not three upper-case letters'],
    ['sba', { minorUnit: '2' }, 'minorUnit: expected number, received string'],
    ['sba', { budgetScope: 'session' }, 'budgetScope: '],
    ['sba', { allowedAssets: [{ kind: 'NFT' }] }, 'allowedAssets[0].kind: '],
    ['sba', { allowedAssets: [{ kind: 'IOU', currency: 'eur', issuer: ADDRESS }] }, 'allowedAssets[0].currency: '],
    ['sba', { allowedAssets: [{ kind: 'XRP', issuer: ADDRESS }] }, 'allowedAssets[0].issuer: there is no such member'],
    ['spa', { rail: 'sepa' }, 'rail: '],
    ['spa', { destination: undefined }, 'destination is missing, and a payment on xrpl needs it'],
    ['spa', { intentHash: 'ff' }, 'intentHash: '],
    ['fleetPolicy', { scope: 'TRIP' }, 'scope: '],
  ])('%s is refused with %j', (artifact, members, why) => {
    expect(() => issue(artifact, members)).toThrow(IssueProblem);
    expect(() => issue(artifact, members)).toThrow(why);
  });

  it.each([
    [
      'bytes',
      { allowedPurposes: Array.from({ length: 7 }, (_, i) => `${i}`.padEnd(1000, 'x')) },
      `more than ${ARTIFACT_LIMITS.bytes} bytes`,
    ],
    ['a string', { anchorRef: 'x'.repeat(1025) }, 'a string of more than 1024 bytes'],
    ['an array', { allowedPurposes: Array.from({ length: 65 }, (_, i) => `p${i}`) }, 'more than 64 array elements'],
  ])('is refused past the published limit of %s', (_, members, why) => {
    expect(() => issue('grant', members)).toThrow(why);
  });

  it('is put on one line where only that stays within the limit', () => {
    const allowedPurposes = Array.from({ length: 60 }, (_, i) => `purpose-${i}`.padEnd(92, '.'));
    const text = issue('grant', { allowedPurposes });
    expect(text).not.toContain('\n');
    expect(text.length).toBeLessThanOrEqual(ARTIFACT_LIMITS.bytes);
  });
});

describe('an issuer', () => {
  it('that is a did:key must be the key that signs', () => {
    const other = { ...by, issuer: 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK' };
    expect(() => issueSba(sba, other, rules)).toThrow('is another key than the one that signs');
  });

  it('that is a did:key must be an Ed25519 key', () => {
    const other = { ...by, issuer: 'did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169' };
    expect(() => issueSba(sba, other, rules)).toThrow('is not an Ed25519 did:key');
  });

  it('may be left out, and is then not in the artifact', () => {
    expect(JSON.parse(issueSba(sba, { key: by.key }, rules))).not.toHaveProperty('issuer');
  });
});

describe('a grant', () => {
  it('in the envelope signs what is in it, and says so', () => {
    const text = issueGrant(grant, by, 'envelope', rules);
    expect(Object.keys(JSON.parse(text))).toEqual(['grant', 'issuer', 'issuerKeyId', 'signature']);
    expect(readPolicyGrant(JSON.parse(text))).toMatchObject({ signed: [grant], grantId: 'g' });
  });

  it('in the envelope warns of members that the reference does not hash', () => {
    expect(grantNote({ ...grant, subjectId: 'x', scope: 'TRIP' }, 'envelope')).toContain('subjectId, scope');
    expect(grantNote(grant, 'envelope')).toBeUndefined();
    expect(grantNote({ ...grant, subjectId: 'x' }, 'flat')).toBeUndefined();
  });
});

/** An artifact as long as one may be, by members that are not signed. */
function longest(artifact: JsonObject): JsonObject {
  const long: { [name: string]: JsonValue } = { ...artifact };
  for (let i = 0; i < 5; i++) long[`note${i}`] = '.'.repeat(1000);
  const rest = 6144 - JSON.stringify({ ...long, note: '' }).length;
  return { ...long, note: '.'.repeat(rest) };
}

describe('a presentation', () => {
  const signed = JSON.parse(issueSba(sba, by, rules));

  it('names the artifact that is none', () => {
    expect(() => presentationText({ sba: signed, grant: { grantId: 'g' } })).toThrow('grant: ');
    expect(() => presentationText({ sba: {} })).toThrow('sba: authorization is not an object');
  });

  it('carries an SBA alone bare in a header, and in a body as a member', () => {
    const header = authorizationHeader({ sba: signed });
    expect(JSON.parse(Buffer.from(header.replace('Authorization: MPCP ', ''), 'base64').toString())).toEqual(signed);
    expect(JSON.parse(presentationText({ sba: signed }))).toEqual({ sba: signed });
  });

  it('that passes 8192 characters does not go into a header', () => {
    // What is outside of what is signed is dropped: it is long, but takes a device no memory.
    const large = { sba: longest(signed), idempotencyKey: 'one payment' };
    expect(presentationText(large).length).toBeGreaterThan(6144);
    expect(() => authorizationHeader(large)).toThrow(
      /the header would have \d+ characters of base64; 8192 are allowed/,
    );
  });
});

describe('an intent', () => {
  const intent = { version: '1.0', rail: 'xrpl', amount: '5', destination: ADDRESS };

  it('has the hash of the members that count', () => {
    const hash = hashIntent(intent);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(hashIntent({ ...intent, createdAt: '2026-01-01T00:00:00Z', intentHash: 'ff' })).toBe(hash);
    expect(hashIntent({ ...intent, referenceId: 'r' })).not.toBe(hash);
  });

  it('with a member of its own is refused, as readers would not agree on its hash', () => {
    expect(() => hashIntent({ ...intent, memo: 'x' })).toThrow('member memo is not one a settlement intent has');
  });
});
