// Builds dist/device/: see device-modules.ts. SOURCE_DATE_EPOCH makes it reproducible byte for byte; without it the time of the
// newest commit is the build's.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const epoch = process.env.SOURCE_DATE_EPOCH || timeOfCommit() || String(Math.floor(Date.now() / 1000));
const folder = join(root, 'dist', 'device');

// The builder is TypeScript, and Node runs JavaScript.
const outfile = join(root, 'node_modules', '.cache', 'mpcp-embedded', 'build', `device-modules-${process.pid}.mjs`);
mkdirSync(dirname(outfile), { recursive: true });
try {
  await build({
    absWorkingDir: root,
    entryPoints: ['tools/build/device-modules.ts'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  const { buildDeviceModules } = await import(pathToFileURL(outfile).href);
  await buildDeviceModules(root, folder, Number(epoch) * 1000);
} finally {
  rmSync(outfile, { force: true });
}
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const project = join(root, 'tools', 'build', 'device-declarations.json');
execFileSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });

/** Undefined where this is no repository. */
function timeOfCommit() {
  try {
    return execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}
