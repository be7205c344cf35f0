// The command line `mpcp-embedded`: registers every command and turns whatever happens into output and an exit code. A
// user never sees a stack trace.

import { Command, CommanderError } from 'commander';
import { IssueProblem } from '../issue/problem.ts';
import { checkFiles, checkWords, takeValuesOnce } from './call-rules.ts';
import { commands } from './commands/index.ts';
import { type Channels, createIo, type Io, printable, systemReason, UsageError } from './io.ts';
import { ProcessStreams } from './process-streams.ts';

const HELP_HINT = '(--help shows how to call it)';

/**
 * Runs one command line.
 *
 * @param argv as `process.argv` has it, two entries before the first word
 * @param channels where output goes; left out: the process
 * @returns the exit code: 0, 1 (refused or failed), 2 (usage), above 128 (broken off by a signal)
 */
export async function main(argv: readonly string[], channels?: Channels): Promise<number> {
  let code = 0;
  const streams = channels === undefined ? new ProcessStreams(() => process.exit(code)) : undefined;
  const io = createIo(channels ?? (streams as ProcessStreams), wantsJson(argv), (failed = 1) => {
    code = failed;
  });
  const program = createProgram(io);
  let running: Command = calledCommand(program, argv.slice(2));
  program.hook('preAction', (_, action) => {
    running = action;
    checkFiles(action);
  });
  try {
    checkWords(argv.slice(2));
    checkHelp(program, argv.slice(2));
    await program.parseAsync([...argv]);
  } catch (error) {
    code = report(error, fullName(running), io);
  }
  const failure = await streams?.written();
  if (failure === undefined) return code;
  io.note(`${fullName(running)}: cannot write to stdout: ${systemReason(failure)}`);
  return code === 0 ? 1 : code;
}

/** The command that the first words call, as far as they call one. */
function calledCommand(command: Command, words: readonly string[]): Command {
  const child = command.commands.find((one) => one.name() === words[0]);
  return child === undefined ? command : calledCommand(child, words.slice(1));
}

/** Refuses `help` for a command that there is none of, which commander answers with all the help it has. */
function checkHelp(command: Command, [first, second, ...rest]: readonly string[]): void {
  if (command.commands.length === 0 || first === undefined || second === undefined) return;
  const child = command.commands.find((one) => one.name() === first);
  if (child !== undefined) checkHelp(child, [second, ...rest]);
  else if (first === 'help' && !second.startsWith('-') && !command.commands.some((one) => one.name() === second))
    throw new CallError(command, `unknown command '${second}'`);
}

/** The program with all its commands. */
export function createProgram(io: Io): Command {
  const program = new Command('mpcp-embedded');
  program
    .description('Verify MPCP payments offline: issue, verify and test PolicyGrants, SBAs, SPAs and Trust Bundles.')
    .version('0.1.0');
  speakThrough(program, io);
  for (const register of commands) register(program, io);
  throwUsageErrors(program, io);
  takeValuesOnce(program);
  return program;
}

/** The words that call a command: `mpcp-embedded grant issue`. */
function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

/** Help goes where results go; what commander would say about an error, `report` says in one line. */
function speakThrough(command: Command, io: Io): void {
  command.configureOutput({
    writeOut: (text) => io.out(text.replace(/\n$/, '')),
    // What reaches this is the help of the bare program; it is in place of a result.
    writeErr: (text) => {
      if (command.parent === null) io.note(text.replace(/\n$/, ''));
    },
    outputError: () => {},
  });
}

/** Every command answers a usage error by throwing one line that names the command, so that the exit code is ours. */
function throwUsageErrors(command: Command, io: Io): void {
  speakThrough(command, io);
  command.exitOverride((error) => {
    if (error.exitCode === 0) throw error;
    if (error.code !== 'commander.help') throw new CallError(command, error.message.replace(/^error: /, ''));
    if (command.parent === null) throw error;
    const names = command.commands.map((child) => child.name()).join(', ');
    throw new CallError(command, `one of its commands is needed: ${names}`);
  });
  for (const child of command.commands) throwUsageErrors(child, io);
}

/** A call that commander could not read. */
class CallError extends UsageError {
  readonly command: string;
  constructor(command: Command, message: string) {
    super(`${message} ${HELP_HINT}`);
    this.command = fullName(command);
  }
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(2, end < 0 ? undefined : end).includes('--json');
}

function report(error: unknown, command: string, io: Io): number {
  // Help and version were printed already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const usage = error instanceof UsageError || error instanceof IssueProblem;
  const text = error instanceof Error ? error.message : String(error);
  const message = printable(usage ? text : `unexpected: ${text.split('\n')[0]} (please report it)`);
  io.note(`${error instanceof CallError ? error.command : command}: ${message}`);
  if (io.json) io.out(JSON.stringify({ error: message }, null, 2));
  return usage ? 2 : 1;
}
