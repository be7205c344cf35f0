// Builds dist/: the command line, the core and the guide as ES modules (esbuild), and declarations (tsc). Runs by
// itself after `npm ci`; `--types=no` leaves the declarations out.

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
// The build's time is the earliest time a clock may show. SOURCE_DATE_EPOCH makes a build reproducible.
const epoch = process.env.SOURCE_DATE_EPOCH;
const buildTimeMs = epoch ? Number(epoch) * 1000 : Date.now();

rmSync(join(root, 'dist'), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { core: 'core/index.ts', guide: 'core/guide/guide.ts', cli: 'tools/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: 'linked',
  define: { MPCP_BUILD_TIME_MS: String(buildTimeMs) },
  logLevel: 'warning',
});
if (!process.argv.includes('--types=no')) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tools', 'build', 'declarations.json')], { stdio: 'inherit' });
}
