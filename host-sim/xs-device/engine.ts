// The engine that a simulation's devices run in: one process that has run the core's modules, and forks one for each start of a
// device. What is asked of a device is answered before anything else happens here: a simulation has a time of its own.

import { closeSync, openSync, readSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { buildEngine } from '../xs/build.ts';
import { bundleArchive } from '../xs/bundle.ts';
import { EngineProblem } from '../xs/project.ts';
import type { MachineMemory } from '../xs/runner.ts';
import { endChild, inScratch, startChild } from '../xs/scratch.ts';
import { type TargetName, targetNamed } from '../xs/targets.ts';
import { frameOf, type Value, valuesIn } from './protocol.ts';

/** What a device asks for while it does what it is told, and what it tells. */
export interface Outside {
  /** Answers a question, or throws: then the device has no power any more. */
  answer(values: readonly Value[]): readonly Value[];
  note(values: readonly Value[]): void;
}

/** The machine has stopped, as a device restarts: memory or stack full, an exception that nobody caught, no end. */
export class MachineStop extends Error {
  override name = 'MachineStop';
}

const COMMAND = 'c';
const REPLY = 'r';
const ANSWER = 'a';
const QUESTION = 'q';
const NOTE = 'n';
const STOPPED = 's';

/** Bytes of a frame's length. */
const LENGTH_BYTES = 4;
const READ_BYTES = 65_536;

/** A pair of pipes to a process. Both are waited for. */
class Pipes {
  readonly #to: number;
  readonly #from: number;
  readonly #read = Buffer.alloc(READ_BYTES);
  #held: Buffer = Buffer.alloc(0);

  /** @param path of both, without what tells them apart. They are gone then for everybody else */
  constructor(path: string) {
    this.#to = openSync(`${path}.to`, 'w');
    this.#from = openSync(`${path}.from`, 'r');
    unlinkSync(`${path}.to`);
    unlinkSync(`${path}.from`);
  }

  send(kind: string, values: readonly Value[]): void {
    const frame = frameOf(kind, values);
    try {
      for (let done = 0; done < frame.length; ) done += writeSync(this.#to, frame, done);
    } catch {
      // It has ended: reading tells how.
    }
  }

  /** The next frame; undefined where the process has ended. */
  receive(): { readonly kind: string; readonly values: readonly Value[] } | undefined {
    for (;;) {
      const held = this.#held;
      const end = held.length < LENGTH_BYTES ? Number.POSITIVE_INFINITY : LENGTH_BYTES + held.readUInt32LE();
      if (held.length >= end) {
        this.#held = held.subarray(end);
        const kind = held.toString('latin1', LENGTH_BYTES, LENGTH_BYTES + 1);
        return { kind, values: valuesIn(held.subarray(LENGTH_BYTES + 1, end)) };
      }
      const count = readSync(this.#from, this.#read);
      if (count === 0) return undefined;
      this.#held = Buffer.concat([held, this.#read.subarray(0, count)]);
    }
  }

  close(): void {
    closeSync(this.#to);
    closeSync(this.#from);
  }
}

/** A device that has power. */
export class Machine {
  readonly #pipes: Pipes;
  readonly #gone: () => void;
  #isOn = true;

  /** @param gone is told when it has no power any more */
  constructor(pipes: Pipes, gone: () => void) {
    this.#pipes = pipes;
    this.#gone = gone;
  }

  /**
   * Has a command done.
   *
   * @throws MachineStop where the machine stops; what `outside` throws: then it has no power any more
   */
  ask(values: readonly Value[], outside: Outside): readonly Value[] {
    try {
      this.#pipes.send(COMMAND, values);
      for (;;) {
        const frame = this.#pipes.receive();
        if (frame === undefined) throw new MachineStop('the engine crashed, as where the stack is too deep');
        if (frame.kind === ANSWER) return frame.values;
        if (frame.kind === STOPPED) throw new MachineStop(String(frame.values[0]));
        if (frame.kind === NOTE) outside.note(frame.values);
        else if (frame.kind === QUESTION) this.#pipes.send(REPLY, outside.answer(frame.values));
      }
    } catch (error) {
      this.off();
      throw error;
    }
  }

  /** Takes the power away. */
  off(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#pipes.close();
    this.#gone();
  }
}

/** Starts devices. */
export class Engine {
  readonly #folder: string;
  readonly #control: Pipes;
  readonly #seconds: number;
  /** All that were started. */
  readonly #machines = new Set<Machine>();

  /** @param folder where the process that forks has its pipes @param seconds as `EngineOptions` has them */
  constructor(folder: string, seconds: number) {
    this.#folder = folder;
    this.#seconds = seconds;
    this.#control = new Pipes(join(folder, '0'));
    this.#control.send(COMMAND, []);
  }

  /** A device that has got power and done nothing yet. @throws EngineProblem where there can be none */
  start(memory: MachineMemory): Machine {
    const settings = Object.entries({ ...memory, seconds: this.#seconds });
    this.#control.send(
      COMMAND,
      settings.map(([name, value]) => `${name}=${value}`),
    );
    const frame = this.#control.receive();
    if (frame?.kind !== ANSWER)
      throw new EngineProblem(`no device can be started in XS: ${frame?.values[0] ?? 'the engine has ended'}`);
    const pipes = new Pipes(join(this.#folder, String(frame.values[0])));
    this.#control.send(COMMAND, []);
    const machine = new Machine(pipes, () => this.#machines.delete(machine));
    this.#machines.add(machine);
    return machine;
  }

  /** Takes the power from all of them. */
  close(): void {
    for (const machine of this.#machines) machine.off();
    this.#control.close();
  }
}

/** On what. */
export interface EngineOptions {
  /** Default: with bounds checks, which tell a stack that is too deep. */
  readonly target?: Exclude<TargetName, 'rv32'>;
  /** Told of building, which takes seconds to minutes. */
  readonly note?: ((text: string) => void) | undefined;
  /** What a device runs. Default: the charger. */
  readonly program?: string;
  /** A device that takes more of this computer's processor for one command hangs. Default 60. */
  readonly seconds?: number;
}

const PROGRAM = 'host-sim/xs/programs/charger.ts';

const COMMAND_SECONDS = 60;

/**
 * An engine while `work` has it.
 *
 * @throws EngineMissing where a compiler is not on this machine; EngineProblem where the engine cannot be built
 */
export async function withEngine<Result>(
  { target = 'm32-bounds', note, program = PROGRAM, seconds = COMMAND_SECONDS }: EngineOptions,
  work: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  const built = targetNamed(target);
  const binary = await buildEngine(built, note);
  const archive = await bundleArchive(program);
  return inScratch('mpcp-devices', async (folder) => {
    const [modules, words] = [join(folder, 'modules'), join(folder, 'words')];
    writeFileSync(modules, archive);
    writeFileSync(words, `${folder}\0`);
    const [command, line] = built.command(binary, ['asked=1', modules, words]);
    const child = startChild(command, line, { stdio: ['ignore', 'pipe', 'inherit'] });
    let engine: Engine | undefined;
    try {
      await begun(child);
      engine = new Engine(folder, seconds);
      return await work(engine);
    } finally {
      engine?.close();
      endChild(child);
    }
  });
}

/** Until the modules' bodies have run. */
function begun(child: ReturnType<typeof startChild>): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said = said.length < READ_BYTES ? said + text : said;
      if (/^@ready /m.test(said)) resolve();
    });
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(new EngineProblem(`the engine cannot be started: ${error.code}`)),
    );
    child.once('close', () => reject(new EngineProblem(`the engine has ended: ${said.trim().split('\n').at(-1)}`)));
  });
}
