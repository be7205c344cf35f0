// Who signs an artifact: the issuer must be one that a verifier can look up, and a did:key must be the signing key's own.

import { ed25519FromDidKey } from '../../core/encoding/did-key.ts';
import type { SignedBy } from '../../host-sim/signing/artifacts.ts';
import { didProblem } from './dids.ts';
import { IssueProblem } from './problem.ts';
import type { IssueRules } from './rules.ts';

/** @throws IssueProblem where the issuer cannot have signed with this key */
export function checkSigner(by: SignedBy, rules: IssueRules): void {
  const { issuer } = by;
  if (issuer === undefined) return;
  if (issuer.length === 0) throw new IssueProblem('issuer is empty');
  if (!issuer.startsWith('did:')) return;
  const problem = didProblem(issuer, rules);
  if (problem !== undefined) throw new IssueProblem(`issuer: ${problem}`);
  if (!issuer.startsWith('did:key:')) return;
  const key = ed25519FromDidKey(issuer);
  if (key === undefined)
    throw new IssueProblem(`issuer: ${issuer} is not an Ed25519 did:key, so no verifier here could check it`);
  if (Buffer.compare(key, by.key.publicKey) !== 0)
    throw new IssueProblem(`issuer: ${issuer} is another key than the one that signs`);
}
