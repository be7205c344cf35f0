// Runs a program inside XS: archive, engine, one run with a device's memory, and what came out: lines, figures, and how it
// ended.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ArchiveOptions, makeArchive } from './archive.ts';
import { buildEngine } from './build.ts';
import { EngineProblem } from './project.ts';
import { endChild, inScratch, startChild } from './scratch.ts';
import { type TargetName, targetNamed } from './targets.ts';

/** Memory of the device's machine. All but `arena` say how it is divided at the start, and in which steps it grows. */
export interface MachineMemory {
  /** All of it, in bytes: heaps, stack, and tables. */
  readonly arena: number;
  /** Bytes. */
  readonly chunks: number;
  readonly chunksMore: number;
  /** Slots of 16 bytes. */
  readonly slots: number;
  readonly slotsMore: number;
  /** Slots of the JavaScript stack. */
  readonly stack: number;
  /** Names that are not in flash. */
  readonly keys: number;
  readonly keysMore: number;
}

/**
 * The machines of the budgets: 48 KB in all; a plain ESP32 as the SDK configures it (32 KB chunks, 2048 slots); and that with the
 * stack that a device needs for the deepest payment, and to make tables of keys.
 */
export const MACHINES = {
  // Divided for good: heaps that grow would make a payment depend on what came before it.
  '48k': {
    arena: 49_152,
    chunks: 17_600,
    chunksMore: 0,
    slots: 1260,
    slotsMore: 0,
    stack: 560,
    keys: 128,
    keysMore: 32,
  },
  esp32: {
    arena: 80_000,
    chunks: 32_768,
    chunksMore: 0,
    slots: 2048,
    slotsMore: 0,
    stack: 512,
    keys: 128,
    keysMore: 32,
  },
  device: {
    arena: 84_096,
    chunks: 32_768,
    chunksMore: 0,
    slots: 2048,
    slotsMore: 0,
    stack: 768,
    keys: 128,
    keysMore: 32,
  },
  /** For tests whose own data is larger than a device: what they test has its memory measured elsewhere. */
  large: {
    arena: 16_777_216,
    chunks: 65_536,
    chunksMore: 65_536,
    slots: 16_384,
    slotsMore: 4096,
    stack: 4096,
    keys: 1024,
    keysMore: 256,
  },
} as const satisfies { readonly [name: string]: MachineMemory };

export type MachineName = keyof typeof MACHINES;

/** What was counted between `host.measure()` and `host.figures(label)`. Bytes, but for the counts. */
export interface Figures {
  readonly label: string;
  /** rv32 only. */
  readonly instructions?: number;
  /** Elsewhere: says little. */
  readonly nanoseconds?: number;
  /** Steps of the interpreter; not on rv32, where it would cost instructions. */
  readonly meter?: number;
  readonly slots: number;
  readonly slotsPeak: number;
  readonly chunks: number;
  readonly chunksPeak: number;
  /** Of the JavaScript stack. */
  readonly stackPeak: number;
  readonly cStackPeak: number;
  /** What the engine takes of the C heap beside its arena. */
  readonly nativeHeap: number;
  readonly nativeHeapPeak: number;
  readonly collections: number;
  /** Names of members that the machine has made since its start: the engine keeps them for good. */
  readonly names: number;
  /** How the arena is divided. */
  readonly reserved: {
    readonly chunks: number;
    readonly slots: number;
    readonly tables: number;
    readonly free: number;
  };
}

/** What an image of the root machine takes in flash. Bytes, but for the counts. */
export interface ImageFigures {
  readonly label: string;
  /** Byte code of functions. */
  readonly code: number;
  /** All slots; those of functions, of what they refer to, of arrays, and of names are parts of it. */
  readonly slots: number;
  readonly functions: number;
  readonly closures: number;
  readonly arrays: number;
  readonly names: number;
  /** Strings, those of names among them; each once. */
  readonly texts: number;
  /** BigInts, bytes, and what else is no slot. */
  readonly constants: number;
  /** Tables of names. */
  readonly tables: number;
  /** Names: a count. */
  readonly keys: number;
  /** What may still change: a count. Each takes a word of a device's memory. */
  readonly aliases: number;
}

/** How a run went. */
export interface XsRun {
  /** What the program printed. */
  readonly lines: readonly string[];
  readonly figures: readonly Figures[];
  readonly image: readonly ImageFigures[];
  /** The entry's function returned. */
  readonly ok: boolean;
  /** An exception that nobody caught; undefined where there was none. */
  readonly exception: string | undefined;
  /** Why the machine could not go on (a device would restart); undefined where it could. */
  readonly abort: string | undefined;
}

/** What to run, on what. */
export interface XsOptions {
  readonly target: TargetName;
  readonly memory?: MachineMemory;
  /** Words for the program: `host.argument(0)`. */
  readonly words?: readonly string[];
  /** Told of building, which takes seconds to minutes. */
  readonly note?: ((text: string) => void) | undefined;
  /** Told every line that the program prints, as it prints it. */
  readonly heard?: (line: string) => void;
  /** After so many seconds the machine is taken to hang. Default: an hour. */
  readonly seconds?: number;
}

/**
 * Runs a TypeScript or JavaScript module in XS: calls its default export.
 *
 * @throws EngineMissing where a compiler or emulator is not on this machine
 * @throws EngineProblem where it cannot be built
 */
export async function runInXs(program: ArchiveOptions, options: XsOptions): Promise<XsRun> {
  return runArchive(await makeArchive(program), options);
}

/** Runs an archive that was made before. Errors as `runInXs`. */
export async function runArchive(archive: Uint8Array, options: XsOptions): Promise<XsRun> {
  const target = targetNamed(options.target);
  const binary = await buildEngine(target, options.note);
  return inScratch('mpcp-xs', async (folder) => {
    const [modules, words] = [join(folder, 'modules'), join(folder, 'words')];
    writeFileSync(modules, archive);
    writeFileSync(words, (options.words ?? []).map((word) => `${word}\0`).join(''));
    const settings = Object.entries(options.memory ?? MACHINES['48k']).map(([name, value]) => `${name}=${value}`);
    const [command, line] = target.command(binary, [...settings, modules, words]);
    return runEngine(command, line, options.seconds ?? HOUR_SECONDS, options.heard);
  });
}

/**
 * Starts the engine's program, and reads what it prints.
 *
 * @throws EngineProblem where it cannot be started, or says what cannot be read; and what hears a line throws
 */
export async function runEngine(
  command: string,
  words: readonly string[],
  seconds: number,
  heard?: (line: string) => void,
): Promise<XsRun> {
  const reader = new Reader(heard);
  return reader.run(await read(command, words, seconds, reader));
}

const HOUR_SECONDS = 3600;
/** Characters that a run prints at most, its figures included: what prints for ever would fill this computer's memory. */
const MOST_PRINTED = 64 * 1024 * 1024;

/** How the engine's program ended, in words; and what it said last and did not end with a line break, where it ended by itself. */
interface End {
  readonly how: string;
  readonly rest?: string;
}

/** Starts the engine and hands what it prints to a reader, line by line. @throws what the reader throws */
function read(command: string, words: readonly string[], seconds: number, reader: Reader): Promise<End> {
  return new Promise((resolve, reject) => {
    const child = startChild(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    let ended: string | undefined;
    let failure: unknown;
    const stop = (how: string) => {
      ended ??= how;
      endChild(child);
    };
    const timer = setTimeout(() => stop(`no end within ${seconds} s`), seconds * 1000);
    let printed = 0;
    let held = '';
    let errors = '';
    const count = (text: string) => {
      printed += text.length;
      if (printed > MOST_PRINTED) stop(`it printed more than ${MOST_PRINTED / 1024 / 1024} MB`);
      return ended === undefined;
    };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (!count(text)) return;
      const lines = (held + text).split('\n');
      held = lines.pop() as string;
      try {
        for (const line of lines) reader.take(line);
      } catch (error) {
        failure = error;
        stop('what it printed was refused');
      }
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (count(text)) errors += text;
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(new EngineProblem(`${command} cannot be started: ${error.code}`));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (failure !== undefined) reject(failure);
      else resolve(ended === undefined ? { how: endOf(code, signal), rest: `${held} ${errors}` } : { how: ended });
    });
  });
}

function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `ended with ${code}` : `killed by ${signal}`;
}

/** How a machine goes that has written where it should not: its memory is not protected. On rv32 its own C library says so. */
const CRASH = /SIGSEGV|SIGBUS|SIGILL|SIGABRT|RISCV fault/;
const CRASH_HINT = ', as where the stack is too deep: m32-bounds tells';

/** A line that should be the protocol's, as far as it is told. */
const TOLD_CHARACTERS = 60;

/** Reads what a run prints: the program's lines begin with `>`, those of the host with `@`, all others are XS's own words. */
class Reader {
  readonly #heard: ((line: string) => void) | undefined;
  readonly #lines: string[] = [];
  readonly #figures: Figures[] = [];
  readonly #image: ImageFigures[] = [];
  #exception: string | undefined;
  #abort: string | undefined;
  #failed: string | undefined;
  /** What XS said last: why it stopped, where it did. */
  #words = '';
  #ok: boolean | undefined;
  /** What somebody else said first: the C library, or the emulator. */
  #foreign = '';
  /** The first line that cannot be read: where the machine crashes, it is in the middle of one. */
  #broken: string | undefined;

  constructor(heard: ((line: string) => void) | undefined) {
    this.#heard = heard;
  }

  /** @throws what hears a line of the program throws */
  take(line: string): void {
    const [, mark, text = ''] = /^(>|@[a-z]+) (.*)$/s.exec(line) ?? [];
    if (mark === undefined) {
      if (line.startsWith('# ')) this.#words = line.replace(/^(# )+/, '').trim();
      else if (line !== '') this.#foreign ||= line.trim();
      return;
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      this.#broken ??= line;
      return;
    }
    if (mark === '>') {
      this.#lines.push(value as string);
      this.#heard?.(value as string);
    } else if (mark === '@figures') this.#figures.push(value as Figures);
    else if (mark === '@image') this.#image.push(value as ImageFigures);
    else if (mark === '@exception') this.#exception ??= value as string;
    else if (mark === '@abort') this.#abort = this.#words === '' ? (value as string) : `${value} (${this.#words})`;
    else if (mark === '@failed') this.#failed = value as string;
    else if (mark === '@end') this.#ok = (value as { readonly ok: boolean }).ok;
    else this.#broken ??= line;
  }

  /** What came of it. @throws EngineProblem where the host could not do its part */
  run({ how, rest }: End): XsRun {
    if (this.#failed !== undefined) throw new EngineProblem(`the engine: ${this.#failed}`);
    const isEnded = this.#ok !== undefined || this.#abort !== undefined;
    if (isEnded && this.#broken !== undefined)
      throw new EngineProblem(
        `the engine printed a line that cannot be read: ${this.#broken.slice(0, TOLD_CHARACTERS)}`,
      );
    if (!isEnded && rest === undefined) this.#abort = how;
    else if (!isEnded) {
      const said = [this.#broken, this.#foreign, rest?.trim(), this.#words].find((text) => text);
      const words = said === undefined ? how : `${how} (${said.slice(0, TOLD_CHARACTERS)})`;
      this.#abort = CRASH.test(words) ? `${words}${CRASH_HINT}` : words;
    }
    return {
      lines: this.#lines,
      figures: this.#figures,
      image: this.#image,
      ok: this.#ok === true && this.#exception === undefined && this.#abort === undefined,
      exception: this.#exception,
      abort: this.#abort,
    };
  }
}
