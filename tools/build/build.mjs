// Builds dist/: the core and the guide as ES modules, the command line and the wallet with the libraries they use and their
// licences (esbuild), and declarations (tsc). Runs by itself after `npm ci`; `--types=no` leaves the declarations out.

import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { licencesOf } from './licences.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
// The build's time is the earliest time a clock may show. SOURCE_DATE_EPOCH makes a build reproducible.
const epoch = process.env.SOURCE_DATE_EPOCH;
const buildTimeMs = epoch ? Number(epoch) * 1000 : Date.now();
const common = {
  absWorkingDir: root,
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  define: { MPCP_BUILD_TIME_MS: String(buildTimeMs) },
  logLevel: 'warning',
};

rmSync(join(root, 'dist'), { recursive: true, force: true });
await build({
  ...common,
  entryPoints: { core: 'core/index.ts', guide: 'core/guide/guide.ts' },
  splitting: true,
  packages: 'external',
  sourcemap: 'linked',
});
// Whoever installs the package for the core gets no library with it, so the command line and the wallet carry their own.
const withLibraries = await build({
  ...common,
  // The walks of `powercut` and the sites of a fleet run on workers, which begin in files of their own.
  entryPoints: {
    cli: 'tools/cli/main.ts',
    wallet: 'host-sim/wallet/wallet.ts',
    'powercut-worker': 'tools/powercut/worker.ts',
    'fleet-worker': 'tools/fleet/worker.ts',
  },
  // What few commands need is loaded by those: the library that draws charts.
  splitting: true,
  metafile: true,
  // Some of the libraries are CommonJS: they call `require` for Node's own modules, and SQLite looks for its engine beside itself.
  banner: {
    js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\nconst __dirname = import.meta.dirname;",
  },
});
const sqlite = dirname(createRequire(import.meta.url).resolve('node-sqlite3-wasm'));
copyFileSync(join(sqlite, 'node-sqlite3-wasm.wasm'), join(root, 'dist', 'node-sqlite3-wasm.wasm'));
writeFileSync(join(root, 'dist', 'licences.txt'), licencesOf(Object.keys(withLibraries.metafile.inputs), root));
if (!process.argv.includes('--types=no')) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  for (const project of ['declarations.json', 'declarations-wallet.json'])
    execFileSync(process.execPath, [tsc, '-p', join(root, 'tools', 'build', project)], { stdio: 'inherit' });
}
