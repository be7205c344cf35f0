// The command line as a process of its own, for what only a process has: its streams, limits of the shell. It is built
// from the sources as they are now, so that no test looks at an older dist/.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import type { RunResult } from './run.ts';

/** A program built for one test file. */
export class Program {
  readonly #folder: string;

  constructor() {
    mkdirSync('node_modules/.cache', { recursive: true });
    this.#folder = mkdtempSync(resolve('node_modules/.cache/mpcp-program-'));
    buildSync({
      entryPoints: { cli: 'tools/cli/main.ts' },
      outdir: this.#folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      define: { MPCP_BUILD_TIME_MS: '0' },
      // It looks for its engine beside itself.
      external: ['node-sqlite3-wasm'],
      banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    });
    writeFileSync(
      join(this.#folder, 'run.mjs'),
      "import { main } from './cli.mjs';\nprocess.exitCode = await main(process.argv);\n",
    );
  }

  /** Runs a line of the shell in which `mpcp` is the program. */
  shell(line: string, folder: string): RunResult {
    const script = `mpcp() { "${process.execPath}" "${join(this.#folder, 'run.mjs')}" "$@"; }\n${line}`;
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { code: status ?? -1, stdout, stderr };
  }

  /** Starts it, as a process that signals can be sent to. */
  start(words: readonly string[], folder: string, environment: NodeJS.ProcessEnv): ChildProcess {
    return spawn(process.execPath, [join(this.#folder, 'run.mjs'), ...words], {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
