// Debian's mosquitto as the broker of a fleet: under TLS with a certificate of its own, on a free port of loopback, with a password
// for each device, as firmware gives it. Its files stand in a folder that goes with it.

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Why there is no broker. The message is a sentence. */
export class BrokerProblem extends Error {
  override name = 'BrokerProblem';
}

/** What devices subscribe to. */
export const URGENT_TOPIC = 'mpcp/refresh';
const HOST = '127.0.0.1';
const OPERATOR = 'operator';
/** Debian has it there, and only root looks there. */
const PROGRAMS = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin` };
const START_MS = 10_000;

const run = promisify(execFile);

/** Why no broker can be started on this machine; undefined where one can be. */
export function whyNoBroker(): string | undefined {
  for (const [program, from] of [
    ['mosquitto', 'mosquitto'],
    ['mosquitto_pub', 'mosquitto-clients'],
    ['openssl', 'openssl'],
  ] as const)
    if (spawnSync(program, ['--help'], { env: PROGRAMS, stdio: 'ignore' }).error !== undefined)
      return `there is no ${program} here, which Debian's package ${from} brings`;
  return undefined;
}

/** See the head of the file. */
export class Mosquitto {
  readonly host = HOST;
  readonly port: number;
  readonly topic = URGENT_TOPIC;
  /** The one that it shows, and signs itself, in DER. */
  readonly certificate: Uint8Array;
  readonly #folder: string;
  readonly #password: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number, password: string) {
    this.#folder = folder;
    this.port = port;
    this.#password = password;
    this.certificate = Uint8Array.from(new X509Certificate(readFileSync(join(folder, 'broker.crt'))).raw);
  }

  /**
   * Starts one.
   *
   * @param devices passwords by device id
   * @throws BrokerProblem where it does not start
   */
  static async start(devices: ReadonlyMap<string, string>): Promise<Mosquitto> {
    const folder = mkdtempSync(join(tmpdir(), 'mpcp-broker-'));
    try {
      const port = await freePort();
      const password = randomBytes(16).toString('hex');
      await makeCertificate(folder);
      await configure(folder, port, new Map([...devices, [OPERATOR, password]]));
      const broker = new Mosquitto(folder, port, password);
      await broker.resume();
      return broker;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Starts again on the same port, where it was paused. */
  async resume(): Promise<void> {
    const child = spawn('mosquitto', ['-c', join(this.#folder, 'mosquitto.conf')], {
      env: PROGRAMS,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    await running(child);
  }

  /** Ends the process; everybody is disconnected. */
  async pause(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    await ended;
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    await this.pause();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The operator tells everybody. @throws BrokerProblem where it cannot be told */
  async publish(message = 'bundles', { topic = this.topic, isKept = false, times = 1 } = {}): Promise<void> {
    const words = ['-h', HOST, '-p', String(this.port), '--cafile', join(this.#folder, 'broker.crt')];
    words.push('-u', OPERATOR, '-P', this.#password, '-t', topic, '-m', message, '-q', '1');
    if (isKept) words.push('-r');
    if (times > 1) words.push('--repeat', String(times));
    try {
      await run('mosquitto_pub', words, { env: PROGRAMS });
    } catch (error) {
      throw new BrokerProblem(`mosquitto_pub has failed: ${(error as { stderr?: string }).stderr?.trim() ?? error}`);
    }
  }
}

async function makeCertificate(folder: string): Promise<void> {
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${HOST}`];
  words.push('-addext', `subjectAltName=IP:${HOST}`, '-keyout', join(folder, 'broker.key'));
  try {
    await run('openssl', [...words, '-out', join(folder, 'broker.crt')], { env: PROGRAMS });
  } catch (error) {
    throw new BrokerProblem(`openssl makes no certificate: ${(error as { stderr?: string }).stderr?.trim() ?? error}`);
  }
}

async function configure(folder: string, port: number, users: ReadonlyMap<string, string>): Promise<void> {
  const passwords = join(folder, 'passwords');
  writeFileSync(passwords, [...users].map(([name, password]) => `${name}:${password}\n`).join(''), { mode: 0o600 });
  await run('mosquitto_passwd', ['-U', passwords], { env: PROGRAMS });
  const rights = join(folder, 'rights');
  // Devices listen, the operator speaks.
  writeFileSync(rights, `pattern read ${URGENT_TOPIC}\nuser ${OPERATOR}\ntopic write #\n`, { mode: 0o600 });
  const lines = [
    // As root it would go on as somebody who may not read its files.
    `user ${userInfo().username}`,
    `listener ${port} ${HOST}`,
    `certfile ${join(folder, 'broker.crt')}`,
    `keyfile ${join(folder, 'broker.key')}`,
    'allow_anonymous false',
    `password_file ${passwords}`,
    `acl_file ${rights}`,
    'persistence false',
    'log_dest stderr',
  ];
  writeFileSync(join(folder, 'mosquitto.conf'), `${lines.join('\n')}\n`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Is over when it says that it runs. */
function running(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const failed = () => {
      clearTimeout(timer);
      reject(new BrokerProblem(`mosquitto does not start: ${said.trim().split('\n').at(-1) ?? ''}`));
    };
    const timer = setTimeout(() => {
      child.kill();
      failed();
    }, START_MS);
    child.once('error', failed);
    child.once('exit', failed);
    child.stderr?.on('data', (bytes) => {
      said = `${said}${bytes}`.slice(-4096);
      if (!/mosquitto version \S+ running/.test(said)) return;
      clearTimeout(timer);
      child.off('exit', failed);
      resolve();
    });
  });
}
