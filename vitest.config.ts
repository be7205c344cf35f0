// Tests run from the sources, on Node, laid out as the sources are.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Modules of the Moddable SDK, and what stands for each in tests of the firmware. */
const SDK = {
  'embedded:storage/flash': 'storage-flash',
  'embedded:io/serial': 'io-serial',
  'embedded:io/digital': 'io-digital',
  crypt: 'crypt',
  time: 'time',
  timer: 'timer',
  'mc/config': 'mc-config',
  'embedded:network/interface/wifi': 'network-wifi',
  'embedded:io/socket/tcp': 'io-tcp',
  'embedded:io/socket/listener': 'io-listener',
  'embedded:io/socket/udp': 'io-udp',
  net: 'net',
  'ssl/session': 'ssl-session',
  x509: 'x509',
  pkcs1_5: 'pkcs1-5',
};

export default defineConfig({
  resolve: {
    alias: Object.entries(SDK).map(([name, file]) => ({
      find: new RegExp(`^${name}$`),
      replacement: fileURLToPath(new URL(`test/device/sdk/${file}.ts`, import.meta.url)),
    })),
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Left out, one processor is left idle.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', 'test/run/watch.ts'],
    setupFiles: ['test/run/properties.ts'],
  },
});
