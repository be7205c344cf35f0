// The way every signed artifact goes: its members are checked, then who signs, then it is signed, and what came out is
// read back and verified before it is handed out.

import type { z } from 'zod';
import type { ArtifactProblem } from '../../core/artifacts/members.ts';
import type { Domain } from '../../core/hash/domains.ts';
import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import type { SignedBy } from '../../host-sim/signing/artifacts.ts';
import { shaped } from './problem.ts';
import { type ReadArtifact, verifiedText } from './read-back.ts';
import type { IssueRules } from './rules.ts';
import { checkSigner } from './signer.ts';

/** One kind of signed artifact. */
export interface ArtifactKind {
  /** How a problem names it. */
  readonly what: string;
  readonly domain: Domain;
  /** What its members must be. */
  schema(rules: IssueRules): z.ZodType;
  sign(members: JsonObject, by: SignedBy): JsonObject;
  /** The core's reader. */
  read(value: JsonValue): ReadArtifact | ArtifactProblem;
}

/** Checks members and signs them. @returns the artifact's JSON text @throws IssueProblem */
export function signedText(kind: ArtifactKind, members: JsonObject, by: SignedBy, rules: IssueRules): string {
  shaped(kind.schema(rules), members, kind.what);
  checkSigner(by, rules);
  return verifiedText(kind.sign(members, by), kind.what, kind.domain, by.key.publicKey, kind.read);
}
