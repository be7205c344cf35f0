// `grant issue`: signs a PolicyGrant.

import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { RAILS } from '../../../core/artifacts/asset.ts';
import { BUDGET_SCOPES } from '../../../core/artifacts/sba.ts';
import { policyHash } from '../../../host-sim/signing/artifacts.ts';
import { type GrantForm, grantNote, issueGrant } from '../../issue/policy-grant.ts';
import type { Io } from '../io.ts';
import { UsageError } from '../io.ts';
import {
  EXPIRES_AT,
  issuing,
  type MemberOption,
  membersOf,
  missingIssuerNote,
  type SigningOptions,
} from '../issue-options.ts';
import { readJsonObject } from '../json-file.ts';
import { assetValue, oneOf, velocityValue } from '../option-values.ts';
import type { Register } from './index.ts';

const MEMBERS: readonly MemberOption[] = [
  {
    flags: '--artifact-version <1.x>',
    member: 'version',
    help: '(default: 1.0 in a flat grant, left out in an envelope)',
  },
  { flags: '--grant-id <id>', member: 'grantId', help: '(default: a fresh one)' },
  { flags: '--policy-hash <hex>', member: 'policyHash', help: '12 to 64 hexadecimal digits; or --policy' },
  { flags: '--subject-id <id>', member: 'subjectId', help: 'who may spend; a did:xrpl binds the actor of SBAs' },
  { flags: '--operator-id <id>', member: 'operatorId', help: 'operator, for fleet policies' },
  { flags: '--scope <scope>', member: 'scope', help: oneOf(BUDGET_SCOPES) },
  { flags: '--rail <rail>', member: 'allowedRails', help: oneOf(RAILS), kind: 'many' },
  {
    flags: '--asset <asset>',
    member: 'allowedAssets',
    help: 'XRP, IOU:CURRENCY:ISSUER or ERC20:CHAINID:TOKEN',
    read: assetValue,
    kind: 'many',
  },
  { flags: '--purpose <purpose>', member: 'allowedPurposes', help: 'e.g. transport:charging', kind: 'many' },
  {
    flags: '--destination <address>',
    member: 'destinationAllowlist',
    help: 'who may be paid; on xrpl a classic address',
    kind: 'many',
  },
  EXPIRES_AT,
  { flags: '--budget-minor <amount>', member: 'budgetMinor', help: 'most that may be spent under the grant' },
  { flags: '--budget-currency <code>', member: 'budgetCurrency', help: 'label of --budget-minor' },
  { flags: '--budget-escrow-ref <ref>', member: 'budgetEscrowRef', help: 'e.g. xrpl:escrow:ACCOUNT:SEQUENCE' },
  { flags: '--max-per-tx <amount>', member: 'maxSpend.perTxMinor', help: 'most in one payment' },
  { flags: '--max-per-session <amount>', member: 'maxSpend.perSessionMinor', help: 'policy-layer cap, carried along' },
  { flags: '--max-per-day <amount>', member: 'maxSpend.perDayMinor', help: 'policy-layer cap, carried along' },
  {
    flags: '--offline-max-single <amount>',
    member: 'offlineMaxSinglePayment',
    help: 'highest SBA ceiling taken offline',
  },
  { flags: '--offline-max-single-currency <code>', member: 'offlineMaxSinglePaymentCurrency', help: 'its label' },
  {
    flags: '--offline-max-cumulative <amount>',
    member: 'offlineMaxCumulativePayment',
    help: 'most that one device takes offline',
  },
  {
    flags: '--offline-max-cumulative-currency <code>',
    member: 'offlineMaxCumulativePaymentCurrency',
    help: 'its label',
  },
  {
    flags: '--velocity <n/span>',
    member: 'velocityLimit',
    help: 'payments in a window, e.g. 10/1h',
    read: velocityValue,
  },
  {
    flags: '--authorized-gateway <address>',
    member: 'authorizedGateway',
    help: 'the one gateway that may settle: an XRPL classic address',
  },
  { flags: '--gateway-credential-issuer <address>', member: 'gatewayCredentialIssuer', help: 'XRPL classic address' },
  { flags: '--gateway-credential-type <hex>', member: 'gatewayCredentialType', help: 'credential a gateway must hold' },
  { flags: '--merchant-credential-issuer <address>', member: 'merchantCredentialIssuer', help: 'XRPL classic address' },
  {
    flags: '--merchant-credential-type <hex>',
    member: 'merchantCredentialType',
    help: 'credential a merchant must hold',
  },
  { flags: '--subject-credential-issuer <address>', member: 'subjectCredentialIssuer', help: 'XRPL classic address' },
  {
    flags: '--subject-credential-type <hex>',
    member: 'subjectCredentialType',
    help: 'credential the subject must hold',
  },
  {
    flags: '--active-grant-credential-issuer <address>',
    member: 'activeGrantCredentialIssuer',
    help: 'XRPL classic address',
  },
  { flags: '--revocation-endpoint <url>', member: 'revocationEndpoint', help: 'not allowed by MPCP v1 on xrpl' },
  { flags: '--anchor-ref <ref>', member: 'anchorRef', help: 'on-chain record of the policy, carried along' },
  { flags: '--require-approval', member: 'requireApproval', help: 'carried along', kind: 'flag' },
  { flags: '--reason <text>', member: 'reasons', help: 'result of the policy evaluation', kind: 'many' },
];

interface GrantOptions extends SigningOptions {
  readonly envelope?: boolean;
  readonly policy?: string;
  readonly policyHash?: string;
}

/** Adds `grant`. */
export const register: Register = (program: Command, io: Io) => {
  const grant = program.command('grant').description('PolicyGrants: what a Policy Authority lets a subject spend.');
  const issue = grant
    .command('issue')
    .description(
      'Sign a PolicyGrant. Flat by default: all members but the signature are signed. With --envelope, the form a Policy ' +
        'Authority hands out: {grant, issuer, issuerKeyId, signature}, only `grant` signed. The TypeScript reference takes ' +
        'the envelope only, and only without version, subjectId and scope.',
    );
  issuing<GrantOptions>(issue, io, {
    artifact: 'policyGrant',
    members: MEMBERS,
    inputs: [
      { flags: '--envelope', help: "the Policy Authority's envelope" },
      { flags: '--policy <file>', help: 'policy document; its hash becomes policyHash' },
    ],
    told: ['grantId', 'expiresAt'],
    example:
      'mpcp-embedded grant issue --key pa.jwk --issuer pa.example --policy policy.json --rail xrpl --asset XRP \\' +
      '\n           --purpose transport:charging --budget-minor 20000 --valid 7d --out grant.json',
    gather: (options) =>
      membersOf(withPolicy(options), MEMBERS, {
        grantId: randomUUID(),
        ...(formOf(options) === 'flat' ? { version: '1.0' } : {}),
      }),
    issue: (members, by, rules, options) => issueGrant(members, by, formOf(options), rules),
    notes: (members, options) => [missingIssuerNote(options), grantNote(members, formOf(options))],
  });
};

function formOf(options: GrantOptions): GrantForm {
  return options.envelope ? 'envelope' : 'flat';
}

function withPolicy(options: GrantOptions): GrantOptions {
  if (options.policy === undefined) return options;
  if (options.policyHash !== undefined)
    throw new UsageError('--policy and --policy-hash both say what the policyHash is; give one');
  return { ...options, policyHash: policyHash(readJsonObject(options.policy, '--policy').value) };
}
