// Signatures: over what was received, in either alphabet, by the key that was looked up and under the artifact's prefix.

import { domainDigest } from '../../../../core/hash/domains.ts';
import type { JsonObject } from '../../../../core/json/value.ts';
import type { ReasonCode } from '../../../../core/reason-codes.ts';
import { type SigningKey, sign } from '../../../../host-sim/signing/keys.ts';
import { fleetPolicy, GRANT, grant, type Presented, sba, spa } from '../../../fixtures/artifacts.ts';
import { crypto } from '../../../fixtures/device.ts';
import { fleet, PA, pa, stranger, testKey, WALLET, wallet } from '../../../fixtures/keys.ts';
import type { Situation } from '../rule.ts';
import { rule } from '../rule.ts';

type Domain = 'PolicyGrant' | 'SBA' | 'SPA' | 'FPA' | 'TrustBundle';
const text = (artifact: JsonObject) => artifact.signature as string;
const flip = (signature: string, at: number) => {
  const bytes = Buffer.from(signature, 'base64');
  bytes[at] = (bytes[at] as number) ^ 1;
  return bytes.toString('base64');
};
const signed = (domain: Domain, body: JsonObject, key: SigningKey) =>
  Buffer.from(sign(key, domainDigest(crypto, domain, body) as Uint8Array)).toString('base64');

/** What holds for every signature. `presented` puts the artifact into a payment, `body` is what is signed. */
function signature(
  id: string,
  code: ReasonCode,
  artifact: () => JsonObject,
  body: () => JsonObject,
  key: SigningKey,
  domains: { own: Domain; other: Domain },
  presented: (artifact: JsonObject) => Presented,
  more: {
    passes?: Record<string, () => Situation>;
    refuses?: Record<string, readonly [ReasonCode, () => Situation]>;
    skips?: Record<string, () => Situation>;
  },
): void {
  const with_ = (signature: unknown) => ({ presented: presented({ ...artifact(), signature: signature as string }) });
  rule(id, {
    passes: {
      base64: () => with_(text(artifact())),
      'base64 without padding': () => with_(text(artifact()).replace(/=+$/, '')),
      base64url: () => with_(Buffer.from(text(artifact()), 'base64').toString('base64url')),
      'members that are null beside what is signed': () => ({
        presented: presented({ ...artifact(), issuerNote: null }),
      }),
      ...more.passes,
    },
    refuses: {
      'no signature': [code, () => with_(undefined)],
      'a signature that is null': [code, () => with_(null)],
      'a signature that is no text': [code, () => with_(1)],
      'an empty signature': [code, () => with_('')],
      'a signature of 63 bytes': [
        code,
        () => with_(Buffer.from(text(artifact()), 'base64').subarray(0, 63).toString('base64')),
      ],
      'a signature of 65 bytes': [
        code,
        () => with_(Buffer.concat([Buffer.from(text(artifact()), 'base64'), Buffer.of(0)]).toString('base64')),
      ],
      'both alphabets in one text': [code, () => with_(`+-${text(artifact()).slice(2)}`)],
      'a line end in it': [code, () => with_(`${text(artifact())}\n`)],
      hexadecimal: [code, () => with_(Buffer.from(text(artifact()), 'base64').toString('hex'))],
      'a bit of R flipped': [code, () => with_(flip(text(artifact()), 0))],
      'a bit of S flipped': [code, () => with_(flip(text(artifact()), 40))],
      'S plus the group order': [code, () => with_(malleable(text(artifact())))],
      zeros: [code, () => with_(Buffer.alloc(64).toString('base64'))],
      'another key': [code, () => with_(signed(domains.own, body(), testKey(key.kid, 90)))],
      'another prefix': [code, () => with_(signed(domains.other, body(), key))],
      'no prefix': [
        code,
        () => with_(Buffer.from(sign(key, new TextEncoder().encode(JSON.stringify(body())))).toString('base64')),
      ],
      ...more.refuses,
    },
    ...(more.skips ? { skips: more.skips } : {}),
  });
}

/** The same signature with S + L in place of S: a lax verifier takes both. */
function malleable(signature: string): string {
  const L = 2n ** 252n + 27742317777372353535851937790883648493n;
  const bytes = Buffer.from(signature, 'base64');
  let s = 0n;
  for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(bytes[i] as number);
  s += L;
  for (let i = 32; i < 64; i++, s >>= 8n) bytes[i] = Number(s & 255n);
  return bytes.toString('base64');
}

const without = (object: JsonObject, ...names: string[]) =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

signature(
  'policyGrant.signature',
  'POLICY_GRANT_SIGNATURE_INVALID',
  () => grant({}, {}, 'envelope'),
  () => GRANT,
  pa,
  { own: 'PolicyGrant', other: 'SBA' },
  (artifact) => ({ grant: artifact }),
  {
    passes: {
      'flat, issuer and kid signed': () => ({ presented: { grant: grant({}, {}, 'flat') } }),
      'flat, issuer and kid not signed': () => ({ presented: { grant: flattened() } }),
      'an envelope, with members nobody knows inside': () => ({
        presented: { grant: grant({ future: { a: [1] } }, {}, 'envelope') },
      }),
      'flat, with members nobody knows': () => ({ presented: { grant: grant({ future: { a: [1] } }) } }),
      'an envelope, with something unsigned beside the grant': () => ({
        presented: { grant: { ...grant({}, {}, 'envelope'), budgetMinor: '1' } },
      }),
      'members added that are null': () => ({ presented: { grant: { ...grant(), budgetMinor: null, future: null } } }),
    },
    refuses: {
      'a limit raised': [
        'POLICY_GRANT_SIGNATURE_INVALID',
        () => ({ presented: { grant: { ...grant({ budgetMinor: '2000' }), budgetMinor: '9000' } } }),
      ],
      'a limit taken out': [
        'POLICY_GRANT_SIGNATURE_INVALID',
        () => ({ presented: { grant: without(grant({ budgetMinor: '2000' }), 'budgetMinor') } }),
      ],
      'a limit set to null': [
        'POLICY_GRANT_SIGNATURE_INVALID',
        () => ({ presented: { grant: { ...grant({ budgetMinor: '2000' }), budgetMinor: null } } }),
      ],
      'a member nobody knows added': [
        'POLICY_GRANT_SIGNATURE_INVALID',
        () => ({ presented: { grant: { ...grant(), note: 1 } } }),
      ],
      'a member nobody knows added, issuer and kid not signed': [
        'POLICY_GRANT_SIGNATURE_INVALID',
        () => ({ presented: { grant: { ...flattened(), note: 1 } } }),
      ],
      'a flat grant made an envelope, without the issuer that was signed': [
        'POLICY_GRANT_SIGNATURE_INVALID',
        () => ({ presented: { grant: { ...without(grant(), ...Object.keys(GRANT)), grant: GRANT } } }),
      ],
      'an SBA’s signature': [
        'POLICY_GRANT_SIGNATURE_INVALID',
        () => ({ presented: { grant: { ...grant(), signature: text(sba()) } } }),
      ],
    },
    skips: {
      'the SBA alone': () => ({
        presented: { grant: undefined },
        configuration: { sbaOnly: { maxAmountMinor: '9000' }, sbaIssuers: { '*': [WALLET] } },
      }),
    },
  },
);

/** The envelope's members and signature in one object, as the reference's demos have it. */
function flattened(): JsonObject {
  return { ...GRANT, ...without(grant({}, {}, 'envelope'), 'grant') };
}

const forgedBody = (artifact: JsonObject, changes: JsonObject) => ({
  ...artifact,
  authorization: { ...(artifact.authorization as JsonObject), ...changes },
});

signature(
  'sba.signature',
  'SBA_SIGNATURE_INVALID',
  () => sba(),
  () => sba().authorization as JsonObject,
  wallet,
  { own: 'SBA', other: 'SPA' },
  (artifact) => ({ sba: artifact }),
  {
    passes: {
      'text that needs escapes': () => ({ presented: { sba: sba({ note: 'a","b":"\\c\n\u0001' }) } }),
      'names that need escapes': () => ({ presented: { sba: sba({ 'a"b\\': { '\n': 1 } }) } }),
      'text that needs escapes in another artifact': () => ({ presented: { grant: grant({ note: '"' }) } }),
      'members nobody knows': () => ({ presented: { sba: sba({ future: { a: [null, 1.5] } }) } }),
      'members added that are null': () => ({ presented: { sba: forgedBody(sba(), { future: null }) } }),
    },
    refuses: {
      'a ceiling raised': [
        'SBA_SIGNATURE_INVALID',
        () => ({ presented: { sba: forgedBody(sba(), { maxAmountMinor: '9000' }) } }),
      ],
      'members that were text when it was signed': [
        'SBA_SIGNATURE_INVALID',
        () => ({ presented: { sba: forgedBody(sba({ note: 'a","z":"b' }), { note: 'a', z: 'b' }) } }),
      ],
      'text that was members when it was signed': [
        'SBA_SIGNATURE_INVALID',
        () => ({ presented: { sba: forgedBody(sba({ note: 'a', z: 'b' }), { note: 'a","z":"b', z: null }) } }),
      ],
      'a destination list emptied': [
        'SBA_SIGNATURE_INVALID',
        () => ({ presented: { sba: forgedBody(sba(), { destinationAllowlist: [] }) } }),
      ],
      'an expiry moved': [
        'SBA_SIGNATURE_INVALID',
        () => ({ presented: { sba: forgedBody(sba(), { expiresAt: '2027-01-01T00:00:00Z' }) } }),
      ],
      'a budget renamed': [
        'SBA_SIGNATURE_INVALID',
        () => ({ presented: { sba: forgedBody(sba(), { budgetId: 'fresh' }) } }),
      ],
      'a member nobody knows added': [
        'SBA_SIGNATURE_INVALID',
        () => ({ presented: { sba: forgedBody(sba(), { note: 1 }) } }),
      ],
      'a key no bundle lists, with the kid of one': [
        'SBA_SIGNATURE_INVALID',
        () => ({ presented: { sba: { ...sba({}, { key: stranger }), issuerKeyId: wallet.kid } } }),
      ],
      'another permitted issuer’s name on it': [
        'SBA_SIGNATURE_INVALID',
        () => ({
          presented: { sba: { ...sba(), issuer: PA, issuerKeyId: pa.kid } },
          configuration: { sbaIssuers: { [PA]: [WALLET, PA] } },
        }),
      ],
    },
  },
);

signature(
  'spa.signature',
  'SPA_SIGNATURE_INVALID',
  () => spa(),
  () => spa().authorization as JsonObject,
  wallet,
  { own: 'SPA', other: 'SBA' },
  (artifact) => ({ spa: artifact }),
  {
    refuses: {
      'an amount changed': [
        'SPA_SIGNATURE_INVALID',
        () => ({ presented: { spa: forgedBody(spa(), { amount: '2000' }) }, asked: { amountMinor: '2000' } }),
      ],
      'a decision renamed': [
        'SPA_SIGNATURE_INVALID',
        () => ({ presented: { spa: forgedBody(spa(), { decisionId: 'fresh' }) } }),
      ],
    },
    skips: { 'no SPA': () => ({}) },
  },
);

signature(
  'fleetPolicyAuthorization.signature',
  'FPA_SIGNATURE_INVALID',
  () => fleetPolicy(),
  () => fleetPolicy().authorization as JsonObject,
  fleet,
  { own: 'FPA', other: 'PolicyGrant' },
  (artifact) => ({ fleetPolicyAuthorization: artifact }),
  {
    passes: {
      'the older name of the kid': () => ({
        presented: { fleetPolicyAuthorization: { ...without(fleetPolicy(), 'issuerKeyId'), keyId: fleet.kid } },
      }),
    },
    refuses: {
      'a cap raised': [
        'FPA_SIGNATURE_INVALID',
        () => ({ presented: { fleetPolicyAuthorization: forgedBody(fleetPolicy(), { maxAmountMinor: '9000' }) } }),
      ],
      'an actor changed': [
        'FPA_SIGNATURE_INVALID',
        () => ({
          presented: {
            fleetPolicyAuthorization: forgedBody(fleetPolicy({ actorId: 'rOther' }), { actorId: 'rPayer' }),
          },
        }),
      ],
    },
    skips: { 'no fleet policy': () => ({}) },
  },
);
