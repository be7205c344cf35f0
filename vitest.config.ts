// Tests run from the sources, on Node, laid out as the sources are.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  define: { MPCP_BUILD_TIME_MS: String(Date.UTC(2026, 0, 1)) },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
