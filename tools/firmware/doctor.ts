// What a machine needs to build firmware with the Moddable SDK and to flash it. Programs are asked for their versions; nothing is
// changed.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One thing that was looked for. `optional`: not here, and not everybody needs it. */
export interface Finding {
  readonly name: string;
  readonly state: 'found' | 'missing' | 'optional';
  /** What was found, or that it was not. */
  readonly detail: string;
  /** How to get it. */
  readonly remedy?: string;
}

/** What of a machine is looked at. */
export interface Machine {
  readonly platform: string;
  readonly nodeVersion: string;
  readonly environment: { readonly [name: string]: string | undefined };
  exists(path: string): boolean;
  /** Undefined where it cannot be read. */
  read(path: string): string | undefined;
  /** Names in a folder; none where there is no such folder. */
  list(folder: string): readonly string[];
  /** The first line that a program says, or undefined where it is not here or fails. */
  run(program: string, words: readonly string[]): string | undefined;
}

/** The oldest versions that were tried, or that the sources name. */
const NODE_AT_LEAST = [20, 19];
const SDK_MAJOR = 8;
const IDF_AT_LEAST = 'v6.0';

const HOSTS: { readonly [platform: string]: string } = { linux: 'lin', darwin: 'mac', win32: 'win' };

/** This machine. */
export const here: Machine = {
  platform: process.platform,
  nodeVersion: process.versions.node,
  environment: process.env,
  exists: existsSync,
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
  list(folder) {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  },
  run(program, words) {
    const { status, stdout, stderr, error } = spawnSync(program, [...words], { encoding: 'utf8', timeout: 20_000 });
    if (error !== undefined || status !== 0) return undefined;
    return `${stdout}\n${stderr}`.trim().split('\n')[0];
  },
};

/** Looks for everything, in the order in which it is needed. */
export function lookAround(machine: Machine = here): readonly Finding[] {
  return [
    node(machine),
    sdk(machine),
    mcconfig(machine),
    idf(machine),
    esptool(machine),
    ports(machine),
    modules(machine),
  ];
}

function node({ nodeVersion }: Machine): Finding {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = NODE_AT_LEAST;
  const good = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  if (good) return found('Node', nodeVersion);
  return missing(
    'Node',
    `${nodeVersion} is too old`,
    `install ${NODE_AT_LEAST.join('.')} or newer: https://nodejs.org`,
  );
}

const GET_SDK =
  'git clone https://github.com/Moddable-OpenSource/moddable, then export MODDABLE=<that folder> (its documentation: "Getting Started")';

function sdk({ environment, exists, read }: Machine): Finding {
  const folder = environment.MODDABLE;
  if (!folder) return missing('Moddable SDK', 'MODDABLE is not set', GET_SDK);
  if (!exists(join(folder, 'modules', 'io', 'manifest.json')))
    return missing('Moddable SDK', `MODDABLE names ${folder}, which is none`, GET_SDK);
  const version = read(join(folder, 'tools', 'VERSION'))?.trim();
  const detail = `${version ?? 'of unknown version'} in ${folder}`;
  if (Number(version?.split('.')[0]) >= SDK_MAJOR) return found('Moddable SDK', detail);
  return missing('Moddable SDK', `${detail} is too old`, `take ${SDK_MAJOR}.2 or newer: git pull, and build its tools`);
}

function mcconfig({ environment, exists, platform }: Machine): Finding {
  const folder = environment.MODDABLE;
  const host = HOSTS[platform] ?? platform;
  const remedy = `build the SDK's tools: cd $MODDABLE/build/makefiles/${host} && make`;
  if (!folder) return missing('mcconfig', 'it comes with the Moddable SDK', remedy);
  const program = join(folder, 'build', 'bin', host, 'release', 'mcconfig');
  if (!exists(program)) return missing('mcconfig', `${program} is not there`, remedy);
  const onPath = (environment.PATH ?? '').split(platform === 'win32' ? ';' : ':').includes(join(program, '..'));
  if (onPath) return found('mcconfig', program);
  return missing(
    'mcconfig',
    `${program} is built, and its folder is not in PATH`,
    `export PATH="${join(program, '..')}:$PATH"`,
  );
}

const GET_IDF = `install ESP-IDF ${IDF_AT_LEAST} (https://docs.espressif.com/projects/esp-idf), then . <that folder>/export.sh`;

function idf({ environment, exists, run }: Machine): Finding {
  const folder = environment.IDF_PATH;
  if (!folder) return missing('ESP-IDF', 'IDF_PATH is not set', GET_IDF);
  if (!exists(join(folder, 'tools', 'idf.py')))
    return missing('ESP-IDF', `IDF_PATH names ${folder}, which is none`, GET_IDF);
  const version = run('git', ['-C', folder, 'describe', '--always', '--abbrev=0']);
  if (run('idf.py', ['--version']) === undefined)
    return missing(
      'ESP-IDF',
      `${version ?? 'it'} is in ${folder}, and idf.py does not run`,
      `. ${join(folder, 'export.sh')}`,
    );
  return found('ESP-IDF', `${version ?? 'of unknown version'} in ${folder}`);
}

/** As it is called where it is installed. */
const ESPTOOL: readonly (readonly [string, ...string[]])[] = [
  ['esptool'],
  ['esptool.py'],
  ['python3', '-m', 'esptool'],
];

function esptool({ run }: Machine): Finding {
  for (const [program, ...words] of ESPTOOL) {
    const version = run(program, [...words, 'version']);
    if (version !== undefined) return found('esptool', version);
  }
  return missing('esptool', 'it is not here', 'pipx install esptool; ESP-IDF brings one too');
}

function ports({ platform, list, environment }: Machine): Finding {
  const pattern = platform === 'darwin' ? /^cu\.(usb|SLAB|wch)/ : /^tty(USB|ACM)\d+$/;
  const all = platform === 'win32' ? [] : list('/dev').filter((name) => pattern.test(name));
  if (all.length > 0) return found('serial ports', all.map((name) => `/dev/${name}`).join(', '));
  if (platform === 'win32')
    return {
      name: 'serial ports',
      state: 'optional',
      detail: 'not looked for on Windows',
      remedy: 'the device manager shows COM ports',
    };
  const asked = environment.UPLOAD_PORT;
  return missing(
    'serial ports',
    asked ? `no board is plugged in, and UPLOAD_PORT is ${asked}` : 'no board is plugged in',
    'plug one in; cables for charging alone do not do',
  );
}

function modules({ exists }: Machine): Finding {
  const path = join('dist', 'device', 'native', 'charger.js');
  if (exists(path)) return found('modules', 'dist/device');
  return {
    name: 'modules',
    state: 'optional',
    detail: 'dist/device is not built in this folder',
    remedy: 'npm run build:device',
  };
}

function found(name: string, detail: string): Finding {
  return { name, state: 'found', detail };
}

function missing(name: string, detail: string, remedy: string): Finding {
  return { name, state: 'missing', detail, remedy };
}
