// `spa issue`: signs a SignedPaymentAuthorization, a wallet's word on one payment.

import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { RAILS } from '../../../core/artifacts/asset.ts';
import type { JsonObject } from '../../../core/json/value.ts';
import { linksOfSba } from '../../issue/sba.ts';
import { hashIntent } from '../../issue/settlement-intent.ts';
import { issueSpa } from '../../issue/spa.ts';
import { type Io, UsageError } from '../io.ts';
import { EXPIRES_AT, issuing, type MemberOption, membersOf, type SigningOptions } from '../issue-options.ts';
import { readArtifact } from '../json-file.ts';
import { assetValue, oneOf } from '../option-values.ts';
import type { Register } from './index.ts';

const MEMBERS: readonly MemberOption[] = [
  { flags: '--artifact-version <1.x>', member: 'version', help: '(default: 1.0)' },
  { flags: '--decision-id <id>', member: 'decisionId', help: 'counts once (default: a fresh one)' },
  { flags: '--session-id <id>', member: 'sessionId', help: "the SBA's; or --sba" },
  { flags: '--policy-hash <hex>', member: 'policyHash', help: "the SBA's; or --sba" },
  { flags: '--budget-id <id>', member: 'budgetId', help: "the SBA's; or --sba" },
  { flags: '--quote-id <id>', member: 'quoteId', help: 'the quote that was taken (default: a fresh one)' },
  { flags: '--rail <rail>', member: 'rail', help: oneOf(RAILS) },
  {
    flags: '--asset <asset>',
    member: 'asset',
    help: 'XRP, IOU:CURRENCY:ISSUER or ERC20:CHAINID:TOKEN',
    read: assetValue,
  },
  { flags: '--amount <amount>', member: 'amount', help: "in the asset's smallest unit" },
  { flags: '--destination <address>', member: 'destination', help: 'who is paid; on xrpl a classic address' },
  { flags: '--intent-hash <hex>', member: 'intentHash', help: 'or --intent' },
  { flags: '--nonce <text>', member: 'nonce', help: '(default: a fresh one)' },
  EXPIRES_AT,
];

interface SpaOptions extends SigningOptions {
  readonly sba?: string;
  readonly intent?: string;
  readonly intentHash?: string;
}

/** Adds `spa`. */
export const register: Register = (program: Command, io: Io) => {
  const spa = program.command('spa').description("SignedPaymentAuthorizations: a wallet's word on one payment.");
  const issue = spa
    .command('issue')
    .description(
      'Sign an SPA. With --sba, budget, session and policy hash are those of the SBA; with --intent, the intent is hashed ' +
        'into it, and rail, asset, amount and destination are those of the intent unless given.',
    );
  issuing<SpaOptions>(issue, io, {
    artifact: 'spa',
    members: MEMBERS,
    inputs: [
      { flags: '--sba <file>', help: 'the SBA it is under' },
      { flags: '--intent <file>', help: 'settlement intent to bind' },
    ],
    told: ['decisionId', 'amount', 'expiresAt'],
    example: 'mpcp-embedded spa issue --key wallet.jwk --sba sba.json --intent intent.json --valid 10m --out spa.json',
    gather: spaMembers,
    issue: issueSpa,
  });
};

function spaMembers(options: SpaOptions): JsonObject {
  if (options.intent !== undefined && options.intentHash !== undefined) {
    throw new UsageError('--intent and --intent-hash both say what the intentHash is; give one');
  }
  const links = options.sba === undefined ? {} : readArtifact(options.sba, '--sba', linksOfSba);
  const intent =
    options.intent === undefined
      ? {}
      : readArtifact(options.intent, '--intent', (value) => boundIntent(value, hashIntent(value)));
  const members = membersOf(options, MEMBERS, {
    version: '1.0',
    decisionId: randomUUID(),
    quoteId: randomUUID(),
    nonce: randomUUID(),
    ...links,
    ...intent,
  });
  if (intent.intentHash !== undefined && members.intentHash !== intent.intentHash) {
    throw new UsageError(`--from ${options.from}: its intentHash is not that of --intent ${options.intent}`);
  }
  return members;
}

function boundIntent(intent: JsonObject, intentHash: string): JsonObject {
  const taken: { [name: string]: JsonObject[string] } = { intentHash };
  for (const name of ['rail', 'asset', 'amount', 'destination']) {
    const value = intent[name];
    if (value !== undefined) taken[name] = value;
  }
  return taken;
}
