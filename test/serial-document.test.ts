// What docs/SERIAL.md publishes, types and limits, is what the code has.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FRAME_TYPES } from '../core/intake/serial-frame.ts';
import {
  SERIAL_DETAIL_CHARACTERS,
  SERIAL_GAP_MS,
  SERIAL_MESSAGE_BYTES,
  SERIAL_REPEAT_MS,
  STATE_BYTES,
} from '../core/limits.ts';

describe('docs/SERIAL.md', () => {
  const document = readFileSync(new URL('../docs/SERIAL.md', import.meta.url), 'utf8');

  it('has every type of frame, and none that there is not', () => {
    const rows = [...document.matchAll(/^\| (0x[0-9a-f]{2}) /gm)].map(([, code]) => Number(code));
    expect(rows).toEqual(Object.values(FRAME_TYPES));
  });

  it('has the limits of the code', () => {
    expect(document).toContain(`at most ${SERIAL_MESSAGE_BYTES} bytes`);
    expect(document).toContain(`not gone on with for ${SERIAL_GAP_MS} ms`);
    expect(document).toContain(`Within ${SERIAL_REPEAT_MS / 1000} s`);
    expect(document).toContain(`\`detail\` at most ${SERIAL_DETAIL_CHARACTERS} characters`);
    expect(document).toContain(`at most ${STATE_BYTES} bytes`);
  });
});
