// A firmware inside XS: the module that a board gets, on the C host's flash, pins, serial ports, clock and sockets (c/events.c). A
// test turns it on and off, cuts its power at any step, and is whoever stands at its reader and its network.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeArchive } from './archive.ts';
import { buildEngine } from './build.ts';
import { EngineProblem } from './project.ts';
import { type Figures, MACHINES, type MachineMemory } from './runner.ts';
import { endChild, inScratch, startChild } from './scratch.ts';
import { type TargetName, targetNamed } from './targets.ts';

/** Modules of the SDK, and what stands for each. */
const SDK = {
  'embedded:storage/flash': 'storage-flash',
  'embedded:io/serial': 'io-serial',
  'embedded:io/digital': 'io-digital',
  'embedded:network/interface/wifi': 'network-wifi',
  'embedded:io/socket/tcp': 'io-tcp',
  'embedded:io/socket/listener': 'io-listener',
  'embedded:io/socket/udp': 'io-udp',
  crypt: 'crypt',
  time: 'time',
  timer: 'timer',
  net: 'net',
  'ssl/session': 'tls',
  pkcs1_5: 'tls',
  x509: 'tls',
  'mc/config': 'mc-config',
};

/** The archive of a firmware. @param bundle the text of the module that a board gets */
export function firmwareArchive(bundle: string): Promise<Uint8Array> {
  const replaced = Object.fromEntries(
    Object.entries(SDK).map(([name, file]) => [name, `host-sim/xs/sdk/${file}.ts`] as const),
  );
  return makeArchive({ entry: 'firmware.js', generated: { 'firmware.js': bundle }, replaced });
}

/** What runs, and on what. */
export interface FirmwareOptions {
  readonly target: Exclude<TargetName, 'rv32'>;
  /** Default: a plain ESP32 with the stack of a device. */
  readonly memory?: MachineMemory;
  readonly note?: (text: string) => void;
}

/** How far into a step that can be seen from outside the power lasts. */
export type CutForm = 'before' | 'torn' | 'after';

/** An output's level, from the moment that it is one. */
export interface PinLevel {
  readonly pin: number;
  readonly level: number;
  /** Since the start. */
  readonly ms: number;
}

/** Where a device stands. */
export interface DeviceMoment {
  readonly ms: number;
  readonly wallMs: number;
  /** Steps so far that can be seen from outside: programs and erases of flash, moves of outputs, writes to serial lines. */
  readonly steps: number;
}

/** Of a command. What takes longer hangs. */
const REPLY_MS = 120_000;

interface Waiter {
  resolve(moment: DeviceMoment): void;
  reject(error: Error): void;
}

/**
 * A board with a firmware on it, while `work` has it.
 *
 * @param archive of `firmwareArchive`
 * @throws EngineMissing where a compiler is not on this machine; EngineProblem where the engine cannot be built or says what cannot be
 */
export async function onBoard<Result>(
  archive: Uint8Array,
  options: FirmwareOptions,
  work: (board: Board) => Promise<Result>,
): Promise<Result> {
  const target = targetNamed(options.target);
  const binary = await buildEngine(target, options.note);
  return inScratch('mpcp-board', async (folder) => {
    const [modules, words] = [join(folder, 'modules'), join(folder, 'words')];
    writeFileSync(modules, archive);
    writeFileSync(words, '');
    const settings = Object.entries(options.memory ?? MACHINES.device).map(([name, value]) => `${name}=${value}`);
    const [command, line] = target.command(binary, ['firmware=1', ...settings, modules, words]);
    const board = new Board(command, line, folder);
    try {
      await board.begun;
      return await work(board);
    } finally {
      board.end();
    }
  });
}

/** See the head of the file. */
export class Board {
  readonly begun: Promise<DeviceMoment>;
  readonly #child;
  readonly #folder: string;
  readonly #paths = new Map<string, string>();
  #waiter: Waiter | undefined;
  #last: DeviceMoment = { ms: 0, wallMs: 0, steps: 0 };
  #isOn = false;
  #isBroken: Error | undefined;
  /** Of the run that goes on, or of the last one. */
  readonly pins: PinLevel[] = [];
  readonly figures: Figures[] = [];
  /** Why it is off: `cut`, `off`, or what has stopped the machine. Undefined while it is on. */
  stopped: string | undefined;
  /** The port on loopback of its local endpoint, while it has one. */
  httpPort: number | undefined;
  #serial = new Map<number, Buffer[]>();
  #words = '';

  constructor(command: string, words: readonly string[], folder: string) {
    this.#folder = folder;
    this.begun = this.#reply();
    this.#child = startChild(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    let held = '';
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (held + text).split('\n');
      held = lines.pop() as string;
      for (const line of lines) this.#take(line);
    });
    this.#child.stdin?.on('error', () => {});
    this.#child.once('error', (error: NodeJS.ErrnoException) =>
      this.#broken(new EngineProblem(`${command} cannot be started: ${error.code}`)),
    );
    this.#child.once('close', () => this.#broken(new EngineProblem(`the engine has ended ${held}${this.#words}`)));
  }

  /** Makes a partition, or puts other bytes into one. */
  async flash(label: string, cells: Uint8Array): Promise<void> {
    const known = this.#paths.get(label);
    const path = known ?? join(this.#folder, label);
    // In place: the engine has it in its memory.
    writeFileSync(path, cells, { flag: known === undefined ? 'w' : 'r+' });
    this.#paths.set(label, path);
    if (known === undefined) await this.#say(`flash ${label} ${path}`);
  }

  /** The file that a partition is kept in. */
  pathOf(label: string): string {
    const path = this.#paths.get(label);
    if (path === undefined) throw new RangeError(`there is no partition ${label}`);
    return path;
  }

  /** Where packets to time servers go to, from the next start on. */
  async timeServer(port: number): Promise<void> {
    await this.#say(`time-server ${port}`);
  }

  /** Power comes, and was off for a moment where it was there. @param wallMs what the clock shows: of a chip without power, 0 */
  async start(wallMs: number): Promise<DeviceMoment> {
    await this.off();
    this.pins.length = 0;
    this.figures.length = 0;
    this.#serial.clear();
    this.#words = '';
    this.httpPort = undefined;
    this.stopped = undefined;
    this.#isOn = true;
    return this.#say(`start ${wallMs}`);
  }

  /** Time passes, and what is due happens. */
  pass(ms: number): Promise<DeviceMoment> {
    return this.#tell(`pass ${ms}`);
  }

  /** Bytes begin to come in at a serial port; time must pass for them. */
  serialIn(port: number, bytes: Uint8Array): Promise<DeviceMoment> {
    return this.#tell(`serial ${port} ${Buffer.from(bytes).toString('hex')}`);
  }

  /** What was written to a serial port since it was asked last. */
  serialOut(port: number): Buffer {
    const bytes = Buffer.concat(this.#serial.get(port) ?? []);
    this.#serial.delete(port);
    return bytes;
  }

  /** The other side drives an input. */
  drive(pin: number, level: 0 | 1): Promise<DeviceMoment> {
    return this.#tell(`pin ${pin} ${level}`);
  }

  /** The access point is there, or away. */
  link(isUp: boolean): Promise<DeviceMoment> {
    return this.#tell(`link ${isUp ? 1 : 0}`);
  }

  /** The power will go so many steps from now: 0, in the next one. */
  cutIn(steps: number, form: CutForm): Promise<DeviceMoment> {
    return this.#tell(`cut ${steps} ${form}`);
  }

  /** What the machine holds, after a full collection. What it takes at most is counted from here. */
  async held(): Promise<Figures> {
    await this.#tell('measure');
    return this.peaks();
  }

  /** What it has taken at most since it was asked what it holds. */
  async peaks(): Promise<Figures> {
    await this.#tell('figures memory');
    return this.figures.at(-1) as Figures;
  }

  /** The power is switched off between two steps. */
  async off(): Promise<void> {
    if (this.#isOn) await this.#say('off');
  }

  get on(): boolean {
    return this.#isOn;
  }

  /** The last level of a pin; undefined where it was no output. */
  level(pin: number): number | undefined {
    return this.pins.findLast((one) => one.pin === pin)?.level;
  }

  end(): void {
    endChild(this.#child);
  }

  /** Tells a device something. One that is off hears nothing. */
  #tell(line: string): Promise<DeviceMoment> {
    return this.#isOn ? this.#say(line) : Promise.resolve(this.#last);
  }

  /** Resolves with the reply; where the device went off meanwhile, `on` says so. */
  #say(line: string): Promise<DeviceMoment> {
    const reply = this.#reply();
    this.#child.stdin?.write(`${line}\n`);
    return reply;
  }

  #reply(): Promise<DeviceMoment> {
    if (this.#isBroken !== undefined) return Promise.reject(this.#isBroken);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#broken(new EngineProblem(`the engine does not answer within ${REPLY_MS / 1000} s`));
        this.end();
      }, REPLY_MS);
      const over = () => {
        clearTimeout(timer);
        this.#waiter = undefined;
      };
      this.#waiter = {
        resolve: (moment) => {
          over();
          resolve(moment);
        },
        reject: (error) => {
          over();
          reject(error);
        },
      };
    });
  }

  #broken(error: Error): void {
    this.#isBroken ??= error;
    this.#waiter?.reject(this.#isBroken);
  }

  #take(line: string): void {
    const [, mark, text = ''] = /^(>|@[a-z]+) (.*)$/s.exec(line) ?? [];
    if (mark === undefined) {
      if (line !== '') this.#words = line;
      return;
    }
    const value = JSON.parse(text);
    switch (mark) {
      case '@ready':
        this.#last = value as DeviceMoment;
        this.#waiter?.resolve(this.#last);
        break;
      case '@pin':
        this.pins.push(value as PinLevel);
        break;
      case '@serial':
        this.#sent(value as { readonly port: number; readonly hex: string });
        break;
      case '@figures':
        this.figures.push(value as Figures);
        break;
      case '@listening':
        this.httpPort = (value as { readonly port: number }).port || undefined;
        break;
      case '@cut':
        this.stopped = 'cut';
        break;
      case '@abort':
      case '@exception':
        this.stopped = `${value as string}${this.#words && ` (${this.#words})`}`;
        break;
      case '@failed':
        this.#broken(new EngineProblem(`the engine: ${value as string}`));
        break;
      case '@off':
        this.#isOn = false;
        this.httpPort = undefined;
        this.stopped ??= (value as { readonly signal: number }).signal === 0 ? 'off' : 'the engine crashed';
        break;
      default:
    }
  }

  #sent({ port, hex }: { readonly port: number; readonly hex: string }): void {
    const list = this.#serial.get(port) ?? [];
    list.push(Buffer.from(hex, 'hex'));
    this.#serial.set(port, list);
  }
}
