// `fleet-policy issue`: signs a FleetPolicyAuthorization, a fleet operator's limits on top of a grant.

import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { FLEET_SCOPES, issueFleetPolicy } from '../../issue/fleet-policy.ts';
import type { Io } from '../io.ts';
import { EXPIRES_AT, issuing, type MemberOption, membersOf, missingIssuerNote } from '../issue-options.ts';
import { assetValue, minorUnitValue, oneOf } from '../option-values.ts';
import type { Register } from './index.ts';

const MEMBERS: readonly MemberOption[] = [
  { flags: '--artifact-version <1.x>', member: 'version', help: '(default: 1.0)' },
  { flags: '--fleet-policy-id <id>', member: 'fleetPolicyId', help: '(default: a fresh one)' },
  { flags: '--fleet-id <id>', member: 'fleetId', help: 'the fleet' },
  { flags: '--actor-id <id>', member: 'actorId', help: 'the vehicle or agent it is for; the same as in its SBAs' },
  { flags: '--scope <scope>', member: 'scope', help: `${oneOf(FLEET_SCOPES)} (default: DAY)` },
  { flags: '--currency <code>', member: 'currency', help: 'three upper-case letters' },
  {
    flags: '--minor-unit <digits>',
    member: 'minorUnit',
    help: 'decimal places of the minor unit (default: 2)',
    read: minorUnitValue,
  },
  { flags: '--max-amount-minor <amount>', member: 'maxAmountMinor', help: "the cap; within the grant's budget" },
  { flags: '--rail <rail>', member: 'allowedRails', help: "within the grant's", kind: 'many' },
  {
    flags: '--asset <asset>',
    member: 'allowedAssets',
    help: 'XRP, IOU:CURRENCY:ISSUER or ERC20:CHAINID:TOKEN',
    read: assetValue,
    kind: 'many',
  },
  {
    flags: '--operator <id>',
    member: 'allowedOperators',
    help: 'where it may pay; none given: anywhere',
    kind: 'many',
  },
  { flags: '--geo-fence <area>', member: 'geoFence', help: 'carried along', kind: 'many' },
  EXPIRES_AT,
];

/** Adds `fleet-policy`. */
export const register: Register = (program: Command, io: Io) => {
  const fleetPolicy = program
    .command('fleet-policy')
    .description("FleetPolicyAuthorizations: a fleet operator's limits on top of a grant.");
  const issue = fleetPolicy
    .command('issue')
    .description('Sign a fleet policy. It can only narrow what the grant allows.');
  issuing(issue, io, {
    artifact: 'fleetPolicyAuthorization',
    members: MEMBERS,
    told: ['fleetPolicyId', 'expiresAt'],
    example:
      'mpcp-embedded fleet-policy issue --key fleet.jwk --issuer fleet.example --fleet-id fleet-7 --actor-id ev:4711 \\' +
      '\n           --currency EUR --max-amount-minor 9000 --rail xrpl --operator volt --valid 12h --out fpa.json',
    gather: (options) =>
      membersOf(options, MEMBERS, {
        version: '1.0',
        fleetPolicyId: randomUUID(),
        scope: 'DAY',
        minorUnit: 2,
        allowedAssets: [],
        allowedOperators: [],
      }),
    issue: issueFleetPolicy,
    notes: (_, options) => [missingIssuerNote(options)],
  });
};
