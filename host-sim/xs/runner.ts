// Runs a program inside XS: archive, engine, one run with a device's memory, and what came out: lines, figures, and how it
// ended.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArchiveOptions, makeArchive } from './archive.ts';
import { buildEngine } from './build.ts';
import { EngineProblem } from './project.ts';
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
 * stack that a device needs for a commit, and to make tables of keys.
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
  const folder = mkdtempSync(join(tmpdir(), 'mpcp-xs-'));
  try {
    const path = join(folder, 'modules');
    writeFileSync(path, archive);
    const settings = Object.entries(options.memory ?? MACHINES['48k']).map(([name, value]) => `${name}=${value}`);
    const [command, words] = target.command(binary, [...settings, path, '--', ...(options.words ?? [])]);
    return await new Reader(options.heard).read(command, words, options.seconds ?? 3600);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

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

  constructor(heard: ((line: string) => void) | undefined) {
    this.#heard = heard;
  }

  async read(command: string, words: readonly string[], seconds: number): Promise<XsRun> {
    const { code, rest } = await new Promise<{ code: number | null; rest: string }>((resolve, reject) => {
      const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'], timeout: seconds * 1000 });
      let held = '';
      let errors = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const lines = (held + text).split('\n');
        held = lines.pop() as string;
        for (const line of lines) this.#take(line);
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors += text;
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, rest: `${held}${errors}`.trim() }));
    });
    if (this.#failed !== undefined)
      throw new EngineProblem(`the engine: ${[this.#failed, this.#exception ?? []].flat().join(': ')}`);
    if (this.#ok === undefined && this.#abort === undefined) {
      if (this.#exception === undefined)
        this.#abort = code === null ? 'killed by a signal, or after too long' : `ended with ${code} ${rest}`.trim();
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

  #take(line: string): void {
    const [, kind, text] = /^@(figures|image|exception|abort|failed|end) (.*)$/.exec(line) ?? [];
    if (line.startsWith('> ')) {
      this.#lines.push(line.slice(2));
      this.#heard?.(line.slice(2));
      return;
    }
    if (kind === undefined || text === undefined) {
      this.#words = line.replace(/^# /, '').trim();
      return;
    }
    const value = JSON.parse(text);
    if (kind === 'figures') this.#figures.push(value);
    else if (kind === 'image') this.#image.push(value);
    else if (kind === 'exception') this.#exception = value;
    else if (kind === 'abort') this.#abort = this.#words === '' ? value : `${value} (${this.#words})`;
    else if (kind === 'failed') this.#failed = value;
    else this.#ok = value.ok;
  }
}
