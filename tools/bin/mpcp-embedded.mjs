#!/usr/bin/env node
// Starts the built command line. It is built by `npm ci`, or by `npm run build`.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cli = new URL('../../dist/cli.js', import.meta.url);
if (existsSync(fileURLToPath(cli))) {
  const { main } = await import(cli.href);
  process.exitCode = await main(process.argv);
} else {
  process.stderr.write('mpcp-embedded: not built yet; run "npm run build" first\n');
  process.exitCode = 2;
}
