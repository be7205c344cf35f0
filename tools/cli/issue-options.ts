// What the commands that issue artifacts share: an option for every member, a file that may hold them, the key, how the
// result is handed out; and the whole of a command that signs one (`issuing`).

import { type Command, Option } from 'commander';
import { emptyObject, isObject, type JsonObject, type JsonValue } from '../../core/json/value.ts';
import type { SignedBy } from '../../host-sim/signing/artifacts.ts';
import { expiryIn } from '../issue/duration.ts';
import { IssueProblem } from '../issue/problem.ts';
import type { IssueRules } from '../issue/rules.ts';
import { type Io, UsageError } from './io.ts';
import { readJsonObject } from './json-file.ts';
import { readPrivateKeyFile } from './key-file.ts';
import { collected, durationValue, jsonOption, kidValue, plain, timeValue } from './option-values.ts';
import { isStdout, writeOutput } from './output-file.ts';

/** An option that sets one member of an artifact. */
export interface MemberOption {
  readonly flags: string;
  /** The member, with a dot where it is inside another: `maxSpend.perTxMinor`. */
  readonly member: string;
  readonly help: string;
  /** Left out: text as it is. */
  readonly read?: (text: string) => JsonValue;
  /** `many`: may be repeated and makes a list. `flag`: takes no value and makes `true`. */
  readonly kind?: 'many' | 'flag';
}

/** The options every issuing command has, as commander gives them. */
export interface IssueOptions {
  readonly from?: string;
  readonly out?: string;
  readonly valid?: number;
  readonly now?: number;
  readonly allowPast?: boolean;
  readonly uncheckedAddresses?: boolean;
}

/** Those of commands that sign. */
export interface SigningOptions extends IssueOptions {
  readonly key: string;
  readonly kid?: string;
  readonly issuer?: string;
}

/** The expiry, which `--valid` can set too. */
export const EXPIRES_AT: MemberOption = {
  flags: '--expires-at <time>',
  member: 'expiresAt',
  help: 'RFC 3339 time, e.g. 2026-07-01T12:00:00Z',
};

/** Adds an option for every member, and `--from`. */
export function addMemberOptions(command: Command, members: readonly MemberOption[]): Command {
  command.option('--from <file>', 'JSON file with members; options take precedence');
  for (const member of members) {
    const option = new Option(member.flags, member.kind === 'many' ? `${member.help} (repeatable)` : member.help);
    if (member.kind === 'many') option.argParser(collected<JsonValue>(member.read ?? plain));
    else if (member.kind !== 'flag') option.argParser(member.read ?? plain);
    command.addOption(option);
    if (member === EXPIRES_AT)
      command.option('--valid <span>', 'expires this long from now, e.g. 7d, in place of --expires-at', durationValue);
  }
  return command;
}

/** Adds what every issuing command has besides its members. */
export function addIssueOptions(command: Command): Command {
  command
    .option('--out <file>', 'write it there; left out: stdout')
    .option('--now <time>', 'what counts as now (default: the clock)', timeValue)
    .option('--allow-past', 'sign it although its expiry is in the past')
    .option('--unchecked-addresses', 'take any text as an address: for test values');
  return jsonOption(command);
}

/** Adds the key and the issuer. */
function addSigningOptions(command: Command): Command {
  return command
    .requiredOption('--key <file>', 'private key: JWK or PKCS #8 PEM')
    .option('--kid <kid>', "the key's name (default: of a JWK its own, else its thumbprint)", kidValue)
    .option(
      '--issuer <issuer>',
      'who signs: a domain or a DID; left out, only a verifier that pins the key can accept it',
    );
}

/** By what the command judges. */
export function rulesOf(options: IssueOptions): IssueRules {
  return {
    nowMs: options.now ?? Date.now(),
    allowPast: options.allowPast ?? false,
    checkAddresses: !options.uncheckedAddresses,
  };
}

/** Says that an artifact which should name its issuer does not. */
export function missingIssuerNote(options: SigningOptions): string | undefined {
  return options.issuer === undefined
    ? 'note: no --issuer, so only a verifier that pins this key can accept it'
    : undefined;
}

/**
 * The members: those of the file, over them those of options, and defaults for what neither has.
 *
 * @param given commander's values of the command
 */
export function membersOf(given: IssueOptions, members: readonly MemberOption[], defaults: JsonObject): JsonObject {
  const file = given.from === undefined ? emptyObject() : readJsonObject(given.from, '--from').value;
  const set = emptyObject();
  for (const member of members) {
    const value = givenValue(given, member);
    if (value !== undefined) setMember(set, member.member, value, file);
  }
  if (given.valid !== undefined) {
    if (set.expiresAt !== undefined)
      throw new UsageError('--valid and --expires-at both say when it expires; give one');
    set.expiresAt = expiryIn(given.valid, given.now ?? Date.now());
  }
  const all = emptyObject();
  // The order of the table, for readers; it changes no signature.
  const names = [...members.map((member) => member.member.split('.')[0] as string), ...Object.keys(file)];
  for (const name of names) {
    const value = set[name] ?? file[name] ?? defaults[name];
    if (value !== undefined && !(name in all)) all[name] = value;
  }
  return all;
}

function setMember(target: { [name: string]: JsonValue }, path: string, value: JsonValue, file: JsonObject): void {
  const [name, inner] = path.split('.') as [string, string | undefined];
  if (inner === undefined) {
    target[name] = value;
    return;
  }
  const before = target[name] ?? file[name];
  target[name] = { ...(isObject(before) ? before : {}), [inner]: value };
}

/**
 * Runs what may find problems in members. A problem is told with the option or the file that the member is from; where
 * it is from neither, with the option that would set it.
 */
export function judging<T>(given: IssueOptions, members: readonly MemberOption[], run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof IssueProblem)) throw error;
    const about = members.filter((member) => error.members.includes(member.member.split('.')[0] as string));
    const option = about.find((member) => givenValue(given, member) !== undefined);
    if (option !== undefined) throw new UsageError(`${longFlag(option)}: ${error.message}`);
    const absent = error.message.endsWith('is missing') && about.length > 0;
    const hint = absent ? ` (${about.map(longFlag).join(', ')})` : '';
    throw new UsageError(`${given.from === undefined ? '' : `--from ${given.from}: `}${error.message}${hint}`);
  }
}

function givenValue(given: IssueOptions, member: MemberOption): JsonValue | undefined {
  return (given as { readonly [name: string]: JsonValue | undefined })[new Option(member.flags).attributeName()];
}

function longFlag(member: MemberOption): string {
  return new Option(member.flags).long as string;
}

/** Hands out an artifact: its text on stdout, or in a file and then a summary. */
export function handOut(
  io: Io,
  options: IssueOptions,
  text: string,
  summary: { readonly [name: string]: string | number },
): void {
  writeOutput(io, options.out, text);
  if (isStdout(options.out)) return;
  if (io.json) io.out(JSON.stringify({ written: options.out, ...summary }, null, 2));
  else
    io.note(
      `wrote ${options.out}: ${Object.entries(summary)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}`,
    );
}

/** What a command that signs an artifact is made of. */
export interface IssuingCommand<O extends SigningOptions> {
  /** The artifact, as the summary names it. */
  readonly artifact: string;
  readonly members: readonly MemberOption[];
  /** Options besides those of members and key: what members are taken from, and the form. */
  readonly inputs?: readonly { readonly flags: string; readonly help: string }[];
  /** Members that the summary tells. */
  readonly told: readonly string[];
  readonly example: string;
  /** The members to sign; `membersOf` with the defaults. */
  gather(options: O): JsonObject;
  /** Checks and signs. @returns the artifact's text */
  issue(members: JsonObject, by: SignedBy, rules: IssueRules, options: O): string;
  /** What its issuer should know about what was signed. */
  notes?(members: JsonObject, options: O): readonly (string | undefined)[];
}

/** Makes a command one that signs an artifact. */
export function issuing<O extends SigningOptions>(command: Command, io: Io, kind: IssuingCommand<O>): void {
  addSigningOptions(command);
  for (const { flags, help } of kind.inputs ?? []) command.option(flags, help);
  addMemberOptions(command, kind.members);
  addIssueOptions(command)
    .addHelpText('after', `\nExample: ${kind.example}`)
    .action((options: O) => {
      const members = kind.gather(options);
      const by = { key: readPrivateKeyFile(options.key, options.kid), issuer: options.issuer };
      const text = judging(options, kind.members, () => kind.issue(members, by, rulesOf(options), options));
      const told = Object.fromEntries(kind.told.map((name) => [name, String(members[name])]));
      handOut(io, options, text, { artifact: kind.artifact, ...told, issuerKeyId: by.key.kid });
      // Notes come last: a call that fails says one line.
      for (const note of kind.notes?.(members, options) ?? []) if (note !== undefined) io.note(note);
    });
}
