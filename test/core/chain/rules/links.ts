// Every artifact belongs to the one above it, and to what the terminal asked.

import { grant, sba, spa } from '../../../fixtures/artifacts.ts';
import { WALLET } from '../../../fixtures/keys.ts';
import { rule } from '../rule.ts';

const OTHER_HASH = 'cd'.repeat(32);
const SBA_ONLY = { sbaOnly: { maxAmountMinor: '9000' }, sbaIssuers: { '*': [WALLET] } };
const alone = () => ({ presented: { grant: undefined }, configuration: SBA_ONLY });
const subject = (subjectId: string, actorId: string) => () => ({
  presented: { grant: grant({ subjectId }), sba: sba({ actorId }) },
});

rule('sba.grant-link', {
  passes: { 'the SBA names the grant': () => ({}) },
  refuses: {
    'the SBA names another grant': [
      'POLICY_GRANT_NOT_FOUND',
      () => ({ presented: { sba: sba({ grantId: 'grant-2' }) } }),
    ],
    'the grant is another one': [
      'POLICY_GRANT_NOT_FOUND',
      () => ({ presented: { grant: grant({ grantId: 'grant-2' }) } }),
    ],
    'the names differ by case': ['POLICY_GRANT_NOT_FOUND', () => ({ presented: { sba: sba({ grantId: 'Grant-1' }) } })],
  },
  skips: { 'the SBA alone': alone },
});

rule('sba.policy-hash', {
  passes: {
    'SBA and grant are under one policy': () => ({}),
    'and it is the one asked for': () => ({ asked: { policyHash: 'ab'.repeat(32) } }),
    'the SBA alone has the one asked for': () => ({ ...alone(), asked: { policyHash: 'ab'.repeat(32) } }),
  },
  refuses: {
    'another policy in the SBA': [
      'POLICY_HASH_MISMATCH',
      () => ({ presented: { sba: sba({ policyHash: OTHER_HASH }) } }),
    ],
    'a beginning of the policy in the SBA': [
      'POLICY_HASH_MISMATCH',
      () => ({ presented: { sba: sba({ policyHash: 'ab'.repeat(6) }) } }),
    ],
    'another policy asked for': ['POLICY_HASH_MISMATCH', () => ({ asked: { policyHash: OTHER_HASH } })],
    'the SBA alone, another policy asked for': [
      'POLICY_HASH_MISMATCH',
      () => ({ ...alone(), asked: { policyHash: OTHER_HASH } }),
    ],
  },
  skips: { 'the SBA alone and none asked for': alone },
});

rule('sba.session', {
  passes: { 'the session asked for': () => ({}) },
  refuses: {
    'an SBA of another session': ['SESSION_MISMATCH', () => ({ presented: { sba: sba({ sessionId: 'session-2' }) } })],
    'a terminal in another session': ['SESSION_MISMATCH', () => ({ asked: { sessionId: 'session-2' } })],
  },
  skips: { 'the terminal states none': () => ({ asked: { sessionId: undefined } }) },
});

rule('spa.budget-link', {
  passes: { 'budget, session and policy are the SBA’s': () => ({ presented: { spa: spa() } }) },
  refuses: {
    'an SPA for another budget': ['SBA_NOT_FOUND', () => ({ presented: { spa: spa({ budgetId: 'budget-2' }) } })],
    'an SPA of another session': ['SESSION_MISMATCH', () => ({ presented: { spa: spa({ sessionId: 'session-2' }) } })],
    'an SPA under another policy': [
      'POLICY_HASH_MISMATCH',
      () => ({ presented: { spa: spa({ policyHash: OTHER_HASH }) } }),
    ],
  },
  skips: { 'no SPA': () => ({}) },
});

const scope = (budgetScope: string) => ({ presented: { sba: sba({ budgetScope }) } });

rule('sba.scope', {
  passes: {
    SESSION: () => scope('SESSION'),
    TRIP: () => scope('TRIP'),
    'DAY, where the site keeps count of it': () => ({ ...scope('DAY'), configuration: { scopes: ['DAY'] } }),
    'TRIP in profile human-agent': () => ({ ...scope('TRIP'), configuration: { profile: 'human-agent' } }),
  },
  refuses: {
    DAY: ['SCOPE_UNSUPPORTED', () => scope('DAY')],
    VEHICLE: ['SCOPE_UNSUPPORTED', () => scope('VEHICLE')],
    FLEET: ['SCOPE_UNSUPPORTED', () => scope('FLEET')],
    'SESSION, where the site keeps count of trips only': [
      'SCOPE_UNSUPPORTED',
      () => ({ ...scope('SESSION'), configuration: { scopes: ['TRIP'] } }),
    ],
  },
});

rule('sba.actor', {
  passes: {
    'the actor asked for': () => ({ asked: { actorId: 'rPayer' } }),
    'the actor the terminal serves': () => ({ terminal: { actorId: 'rPayer' } }),
  },
  refuses: {
    'another actor asked for': ['SUBJECT_ACTOR_MISMATCH', () => ({ asked: { actorId: 'rOther' } })],
    'the terminal serves another actor': ['SUBJECT_ACTOR_MISMATCH', () => ({ terminal: { actorId: 'rOther' } })],
  },
  skips: { 'the terminal states no actor': () => ({}) },
});

rule('sba.subject', {
  passes: {
    'the actor is the address of the grant’s did:xrpl': subject('did:xrpl:1:rPayer', 'rPayer'),
    'on a network of more parts': subject('did:xrpl:test:net:rPayer', 'rPayer'),
  },
  refuses: {
    'another address': ['SUBJECT_ACTOR_MISMATCH', subject('did:xrpl:1:rOther', 'rPayer')],
    'the whole did as the actor': ['SUBJECT_ACTOR_MISMATCH', subject('did:xrpl:1:rPayer', 'did:xrpl:1:rPayer')],
    'an address that only begins like the actor': ['SUBJECT_ACTOR_MISMATCH', subject('did:xrpl:1:rPayer2', 'rPayer')],
    'a did without an address': ['SUBJECT_ACTOR_MISMATCH', subject('did:xrpl:1:', 'rPayer')],
  },
  skips: {
    'the grant has no subject': () => ({}),
    'the subject is another kind of did': subject('did:key:z6Mk', 'rPayer'),
    'the SBA alone': alone,
  },
});
