// `sba issue`: signs a SignedBudgetAuthorization, a wallet's ceiling for one session.

import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { RAILS } from '../../../core/artifacts/asset.ts';
import { BUDGET_SCOPES } from '../../../core/artifacts/sba.ts';
import { termsOfGrant } from '../../issue/policy-grant.ts';
import { issueSba } from '../../issue/sba.ts';
import type { Io } from '../io.ts';
import {
  EXPIRES_AT,
  issuing,
  type MemberOption,
  membersOf,
  missingIssuerNote,
  type SigningOptions,
} from '../issue-options.ts';
import { readArtifact } from '../json-file.ts';
import { assetValue, minorUnitValue, oneOf } from '../option-values.ts';
import type { Register } from './index.ts';

const MEMBERS: readonly MemberOption[] = [
  { flags: '--artifact-version <1.x>', member: 'version', help: '(default: 1.0)' },
  { flags: '--budget-id <id>', member: 'budgetId', help: '(default: a fresh one)' },
  { flags: '--grant-id <id>', member: 'grantId', help: 'the grant it is under; or --grant' },
  { flags: '--session-id <id>', member: 'sessionId', help: 'the session it is for (default: a fresh one)' },
  { flags: '--actor-id <id>', member: 'actorId', help: "who pays; under a did:xrpl grant the subject's address" },
  { flags: '--scope-id <id>', member: 'scopeId', help: 'carried along' },
  { flags: '--policy-hash <hex>', member: 'policyHash', help: "the grant's; or --grant" },
  { flags: '--currency <code>', member: 'currency', help: 'three upper-case letters' },
  {
    flags: '--minor-unit <digits>',
    member: 'minorUnit',
    help: 'decimal places of the minor unit (default: 2)',
    read: minorUnitValue,
  },
  {
    flags: '--budget-scope <scope>',
    member: 'budgetScope',
    help: `${oneOf(BUDGET_SCOPES)} (default: SESSION)`,
  },
  { flags: '--max-amount-minor <amount>', member: 'maxAmountMinor', help: 'the ceiling' },
  { flags: '--rail <rail>', member: 'allowedRails', help: oneOf(RAILS), kind: 'many' },
  {
    flags: '--asset <asset>',
    member: 'allowedAssets',
    help: 'XRP, IOU:CURRENCY:ISSUER or ERC20:CHAINID:TOKEN',
    read: assetValue,
    kind: 'many',
  },
  {
    flags: '--destination <address>',
    member: 'destinationAllowlist',
    help: 'who may be paid; on xrpl a classic address',
    kind: 'many',
  },
  EXPIRES_AT,
];

interface SbaOptions extends SigningOptions {
  readonly grant?: string;
}

/** Adds `sba`. */
export const register: Register = (program: Command, io: Io) => {
  const sba = program
    .command('sba')
    .description('SignedBudgetAuthorizations: what a wallet lets be spent in a session.');
  const issue = sba
    .command('issue')
    .description(
      'Sign an SBA. With --grant, the grant id, policy hash, rails, assets and destinations are those of the grant unless given.',
    );
  issuing<SbaOptions>(issue, io, {
    artifact: 'sba',
    members: MEMBERS,
    inputs: [{ flags: '--grant <file>', help: 'the grant it is under' }],
    told: ['budgetId', 'sessionId', 'expiresAt'],
    example:
      'mpcp-embedded sba issue --key wallet.jwk --issuer wallet.example --grant grant.json --actor-id ev:4711 \\' +
      '\n           --currency EUR --max-amount-minor 5000 --valid 4h --out sba.json',
    gather: (options) =>
      membersOf(options, MEMBERS, {
        version: '1.0',
        budgetId: randomUUID(),
        sessionId: randomUUID(),
        minorUnit: 2,
        budgetScope: 'SESSION',
        allowedAssets: [],
        destinationAllowlist: [],
        ...(options.grant === undefined ? {} : readArtifact(options.grant, '--grant', termsOfGrant)),
      }),
    issue: issueSba,
    notes: (_, options) => [missingIssuerNote(options)],
  });
};
