// `npm run check:moddable`: the manifests, by the Moddable SDK's own tools, as far as they go without ESP-IDF: mcconfig for each sample
// and board, then the SDK's compiler and linker on every module. Needs MODDABLE, the SDK's tools built, `make`, and dist/device/.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const SAMPLES = ['charger', 'gate', 'meter'];
const BOARDS = ['esp32', 'esp32/esp32c3', 'esp32/esp32s3'];
/** What the linker says of objects that may still be changed: each takes a word of a device's memory. No fault. */
const CHANGEABLE = /: (not frozen|no const)$/;
/**
 * What the SDK's compiler says of one of the SDK's own modules, modules/io/socket/lwip/listener.js, whose `read`
 * makes its C function each time it is called. No fault.
 */
const OF_THE_SDK = /modules[/\\]io[/\\]socket[/\\]lwip[/\\]listener\.js:\d+: warning: cannot optimize native!$/;
/** What the SDK's makefile says that it does next: a module may be called error. */
const DOING = /^# xsc \S+$/;
const HOSTS = { linux: 'lin', darwin: 'mac', win32: 'win' };
const say = (text) => process.stdout.write(`${text}\n`);

const sdk = process.env.MODDABLE;
if (!sdk) {
  say('check:moddable skipped: MODDABLE is not set, so there is no Moddable SDK to check the manifests with');
  process.exit(0);
}
const bin = join(sdk, 'build', 'bin', HOSTS[process.platform] ?? process.platform, 'release');
const missing = [
  [join(bin, 'mcconfig'), 'the tools of the SDK are not built: see "Host environment setup" of its documentation'],
  [join(root, 'dist', 'device', 'native', 'charger.js'), 'the modules are not built: npm run build:device'],
].find(([path]) => !existsSync(path));
if (missing) {
  say(`check:moddable: ${missing[0]} is not there; ${missing[1]}`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'mpcp-moddable-'));
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
// The makefile wants to know of an ESP-IDF before it compiles what needs none.
env.IDF_PATH ??= folder;
const problems = [];
try {
  for (const sample of SAMPLES)
    for (const name of ['manifest', 'own', 'production']) for (const board of BOARDS) check(sample, name, board);
} finally {
  rmSync(folder, { recursive: true });
}
for (const problem of problems) say(problem);
say(problems.length === 0 ? 'check:moddable: no warnings' : `check:moddable: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

function check(sample, name, board) {
  const what = `${sample}/${name}.json on ${board}`;
  const out = join(folder, `${sample}-${name}-${board.replace('/', '-')}`);
  spawnSync('mkdir', ['-p', out]);
  const manifest = join(root, 'manifests', sample, `${name}.json`);
  const configured = run(what, 'mcconfig', ['-p', board, '-o', out, manifest]);
  // Production differs in settings of ESP-IDF alone.
  if (!configured || name === 'production') return;
  const made = madeIn(out);
  const target = join(made, 'mc.xs.c');
  const header = readdirSync(made).find((entry) => entry.startsWith('xsProj-'));
  const config = join(made, header, 'build', 'config', 'sdkconfig.h');
  if (!run(what, 'make', ['-f', join(made, 'makefile'), '-o', config, 'IDF_VERSION=v6.0', target], made)) return;
  const image = readFileSync(target, 'utf8');
  const count = (which) => Number(new RegExp(`#define mx${which}Count (\\d+)`).exec(image)?.[1]);
  say(
    `${what}: linked, ${count('Heap')} slots in flash with the built-ins, ${count('Alias')} words of aliases in memory`,
  );
}

/** Runs one tool. What it says that is a warning or an error is a problem. */
function run(what, program, words, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(program, words, { cwd, env, encoding: 'utf8' });
  const lines = `${stdout ?? ''}\n${stderr ?? ''}`.split('\n').filter((line) => /warning|error/i.test(line));
  const found = lines.filter((line) => !CHANGEABLE.test(line) && !OF_THE_SDK.test(line) && !DOING.test(line));
  if (error !== undefined) found.push(error.message);
  else if (status !== 0) found.push(`${program} ended with ${status}`);
  for (const line of found) problems.push(`${what}: ${line.trim()}`);
  return found.length === 0;
}

/** The folder with the makefile. */
function madeIn(out) {
  const path = readdirSync(out, { recursive: true }).find((entry) => /[/\\]makefile$/.test(entry));
  return dirname(join(out, path));
}
