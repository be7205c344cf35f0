// Linkage: every artifact belongs to the one above it, and to what the terminal asked.

import { check, checkOf, fail, PASS, skip } from '../check.ts';

const CLAUSE = 'INTEROP §5 Links';

/** SBA.grantId is the grant's. */
export const sbaGrantLink = checkOf('grant', 'sba', 'grant-link', CLAUSE, ({ artifacts: { grant, sba } }) => {
  return sba.grantId === grant.grantId
    ? PASS
    : fail('POLICY_GRANT_NOT_FOUND', `the SBA is for grant ${sba.grantId}, not ${grant.grantId}`);
});

/** SBA.policyHash is the grant's, and the one the terminal expects. */
export const sbaPolicyHash = check('sba', 'policy-hash', CLAUSE, ({ artifacts: { grant, sba }, asked }) => {
  if (grant && sba.policyHash !== grant.policyHash)
    return fail('POLICY_HASH_MISMATCH', "the SBA's policyHash is not the grant's");
  if (asked.policyHash !== undefined && sba.policyHash !== asked.policyHash) {
    return fail('POLICY_HASH_MISMATCH', "the SBA's policyHash is not the one asked for");
  }
  return grant || asked.policyHash !== undefined ? PASS : skip('nothing to compare with');
});

/** SBA.sessionId is the terminal's session. */
export const sbaSession = check('sba', 'session', CLAUSE, ({ artifacts: { sba }, asked }) => {
  if (asked.sessionId === undefined) return skip('the terminal states no session');
  return sba.sessionId === asked.sessionId ? PASS : fail('SESSION_MISMATCH', `the SBA is for session ${sba.sessionId}`);
});

/** SPA.budgetId, sessionId and policyHash are the SBA's. */
export const spaBudgetLink = checkOf('spa', 'spa', 'budget-link', CLAUSE, ({ artifacts: { sba, spa } }) => {
  if (spa.budgetId !== sba.budgetId) return fail('SBA_NOT_FOUND', `the SPA is for budget ${spa.budgetId}`);
  if (spa.sessionId !== sba.sessionId) return fail('SESSION_MISMATCH', `the SPA is for session ${spa.sessionId}`);
  if (spa.policyHash !== sba.policyHash) return fail('POLICY_HASH_MISMATCH', "the SPA's policyHash is not the SBA's");
  return PASS;
});

/** A budget scope the device keeps count of. */
export const sbaScope = check('sba', 'scope', 'INTEROP §4 budgetScope', ({ artifacts: { sba }, context }) =>
  context.site.scopes.includes(sba.budgetScope)
    ? PASS
    : fail('SCOPE_UNSUPPORTED', `budgetScope ${sba.budgetScope} is not counted here`),
);

/** SBA.actorId is the actor the terminal serves. */
export const sbaActor = check('sba', 'actor', 'INTEROP §5 Actor', ({ artifacts: { sba }, asked }) => {
  if (asked.actorId === undefined) return skip('the terminal states no actor');
  return sba.actorId === asked.actorId ? PASS : fail('SUBJECT_ACTOR_MISMATCH', `the SBA is for actor ${sba.actorId}`);
});

/** A grant's subject `did:xrpl:<network>:<address>` binds SBA.actorId to that address. */
export const sbaSubject = checkOf('grant', 'sba', 'subject', 'INTEROP §5 Actor', ({ artifacts: { grant, sba } }) => {
  const subject = grant.subjectId;
  if (subject === undefined || !subject.startsWith('did:xrpl:')) return skip("the grant's subject is no did:xrpl");
  const address = subject.slice(subject.lastIndexOf(':') + 1);
  return sba.actorId === address
    ? PASS
    : fail('SUBJECT_ACTOR_MISMATCH', `the grant's subject is ${address}, the actor ${sba.actorId}`);
});
