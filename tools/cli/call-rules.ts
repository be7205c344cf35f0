// Rules that every call of every command keeps: its words are text, a single value is given once, standard input is read
// once, and no output is one of its inputs or another output.

import { Argument, type Command, type Option } from 'commander';
import { isStdin, sameFile } from './file-paths.ts';
import { UsageError } from './io.ts';
import { isRepeatable } from './option-values.ts';

/** Refuses half a surrogate pair, which no stream and no file can hold. @throws UsageError */
export function checkWords(words: readonly string[]): void {
  const at = words.findIndex((word) => /\p{Surrogate}/u.test(word));
  if (at >= 0) throw new UsageError(`argument ${at + 1} is not well-formed text: it has half of a surrogate pair`);
}

/** Makes a command and those in it refuse a second value of an option that has one: commander would take the last. */
export function takeValuesOnce(command: Command): void {
  for (const option of command.options) {
    if (option.isBoolean() || option.variadic || isRepeatable(option.parseArg)) continue;
    const read = option.parseArg;
    let given = false;
    option.argParser((text: string, before: unknown) => {
      if (given) command.error(`${option.long} is given twice`);
      given = true;
      return read === undefined ? text : read(text, before);
    });
  }
  for (const child of command.commands) takeValuesOnce(child);
}

/** A file that a call names. */
interface NamedFile {
  /** The option, or the path of an argument. */
  readonly name: string;
  readonly path: string;
}

/** Looks at the files that a call names, before any is opened. @throws UsageError */
export function checkFiles(command: Command): void {
  const all = namedFiles(command);
  const inputs = all.filter((file) => !isOutput(file));
  const outputs = all.filter(isOutput);
  const fromStdin = inputs.filter((file) => isStdin(file.path));
  if (fromStdin.length > 1) {
    const [one, other] = fromStdin as [NamedFile, NamedFile];
    throw new UsageError(`stdin (-) can be read once, and ${one.name} and ${other.name} both read it`);
  }
  outputs.forEach((output, i) => {
    if (output.path === '-' || output.path === '') return;
    const same = [...outputs.slice(i + 1), ...inputs].find((file) => sameFile(file.path, output.path));
    if (same !== undefined) throw new UsageError(`${output.name} and ${same.name} are the same file`);
  });
}

function isOutput(file: NamedFile): boolean {
  return file.name === '--out' || file.name === '--public-out';
}

/** The files of a call, by the placeholders of its options and arguments: `<file>`, `<file...>`, `<issuer=file>`. */
function namedFiles(command: Command): readonly NamedFile[] {
  const ofOptions = command.options.filter(takesFile).flatMap((option) => {
    const given: unknown = command.getOptionValue(option.attributeName());
    return listOf(given).map((value) => ({ name: option.long as string, path: pathOf(value) }));
  });
  const ofArguments = command.registeredArguments.flatMap((argument, i) =>
    takesFile(argument)
      ? listOf(command.processedArgs[i]).map((value) => ({ name: String(value), path: pathOf(value) }))
      : [],
  );
  return [...ofOptions, ...ofArguments];
}

function takesFile(one: Option | Argument): boolean {
  return one instanceof Argument ? /^(.+-)?file$/.test(one.name()) : /[<=]file(\.\.\.)?>/.test(one.flags);
}

function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** A path, also where it is one part of a value: `ISSUER=FILE`. */
function pathOf(value: unknown): string {
  return typeof value === 'string' ? value : (value as { readonly file: string }).file;
}
