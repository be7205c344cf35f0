// `intent create` and `intent hash`: settlement intents, which SPAs bind by their hash.

import type { Command } from 'commander';
import { RAILS } from '../../../core/artifacts/asset.ts';
import { timeText } from '../../issue/duration.ts';
import { hashIntent, intentText } from '../../issue/settlement-intent.ts';
import type { Io } from '../io.ts';
import {
  addIssueOptions,
  addMemberOptions,
  handOut,
  type IssueOptions,
  judging,
  type MemberOption,
  membersOf,
  rulesOf,
} from '../issue-options.ts';
import { readArtifact } from '../json-file.ts';
import { assetValue, jsonOption, oneOf } from '../option-values.ts';
import type { Register } from './index.ts';

const MEMBERS: readonly MemberOption[] = [
  { flags: '--artifact-version <1.x>', member: 'version', help: '(default: 1.0)' },
  { flags: '--rail <rail>', member: 'rail', help: oneOf(RAILS) },
  {
    flags: '--asset <asset>',
    member: 'asset',
    help: 'XRP, IOU:CURRENCY:ISSUER or ERC20:CHAINID:TOKEN',
    read: assetValue,
  },
  { flags: '--amount <amount>', member: 'amount', help: "in the asset's smallest unit" },
  { flags: '--destination <address>', member: 'destination', help: 'who is paid; on xrpl a classic address' },
  { flags: '--reference-id <id>', member: 'referenceId', help: "the merchant's reference" },
  { flags: '--created-at <time>', member: 'createdAt', help: 'not hashed (default: now)' },
];

/** Adds `intent`. */
export const register: Register = (program: Command, io: Io) => {
  const intent = program.command('intent').description('SettlementIntents: the payment as it is to be settled.');
  const create = intent
    .command('create')
    .description('Write a settlement intent. It is not signed; an SPA carries its hash.');
  addMemberOptions(create, MEMBERS);
  addIssueOptions(create)
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded intent create --rail xrpl --asset XRP --amount 2500000 \\' +
        '\n           --destination rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh --out intent.json',
    )
    .action((options: IssueOptions) => {
      const rules = rulesOf(options);
      const members = membersOf(options, MEMBERS, { version: '1.0', createdAt: timeText(rules.nowMs) });
      const text = judging(options, MEMBERS, () => intentText(members, rules));
      handOut(io, options, text, { artifact: 'settlementIntent', intentHash: hashIntent(members) });
    });

  const hash = intent
    .command('hash')
    .description('Print the intentHash of a settlement intent: SHA-256 over the members that count.')
    .argument('<file>', 'settlement intent, - for standard input')
    .addHelpText('after', '\nExample: mpcp-embedded intent hash intent.json')
    .action((file: string) => {
      const text = readArtifact(file, 'intent', hashIntent);
      io.result({ intentHash: text }, text);
    });
  jsonOption(hash);
};
