// docs/STATE.md and docs/REFRESH.md keep their word: every step, reason, member and failure is in them, with the figures of the code.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BOOT_STEPS, Boot } from '../core/boot/boot.ts';
import { stateDocument } from '../core/boot/state.ts';
import {
  BOOT_FLASH_PASSES,
  BOOT_IDLE_STEPS,
  BUNDLE_SET_BYTES,
  REFRESH_FIRST_WAIT_MS,
  REFRESH_LEAST_GAP_MS,
  REFRESH_LONGEST_WAIT_MS,
  REFRESH_MARGIN_PACE_MS,
  REFRESH_SPREAD_MS,
  REFRESH_STAGE_MS,
  REFRESH_START_SPREAD_MS,
  REFRESH_URGENT_EACH_MS,
  REFRESH_URGENT_MOST,
  REVOCATION_RETRY_MS,
  REVOCATIONS_CACHED,
  REVOCATIONS_REMEMBERED,
  STATE_BYTES,
  STATE_TEXT_CHARACTERS,
} from '../core/limits.ts';
import { crypto } from './fixtures/device.ts';
import { MemoryFlash } from './fixtures/memory-flash.ts';
import { site } from './fixtures/site.ts';

const state = readFileSync('docs/STATE.md', 'utf8');
const refresh = readFileSync('docs/REFRESH.md', 'utf8');
const MINUTE_MS = 60_000;

/** The words in quotes of a type in a source file. */
function wordsOf(path: string, type: string): string[] {
  const source = readFileSync(path, 'utf8');
  const from = source.indexOf(`export type ${type} =`);
  const text = source.slice(from, source.indexOf("';", from) + 1).replace(/\/\*\*.*\*\//g, '');
  return [...text.matchAll(/'([^']+)'/g)].map(([, word]) => word as string);
}

describe('docs/STATE.md', () => {
  it('has every step of a start, and what a failure of it does', () => {
    for (const [step, failing] of Object.entries(BOOT_STEPS))
      expect(state).toMatch(new RegExp(`\\| \`${step}\` \\|[^|]*\\| ${failing}`));
  });

  it('has every reason and every word', () => {
    const reasons = wordsOf('core/boot/state.ts', 'StateReason');
    const words = wordsOf('core/boot/state.ts', 'StateWord');
    expect([reasons.length, words.length]).toEqual([17, 7]);
    for (const word of [...reasons, ...words]) expect(state).toContain(`\`${word}\``);
  });

  it('has every member of the document', () => {
    const flash = { ledger: new MemoryFlash(), journal: new MemoryFlash(), bundles: new MemoryFlash() };
    const clock = { wallMs: () => Date.UTC(2030, 0), monotonicMs: () => 0 };
    const boot = new Boot({ configuration: site(), crypto, clock, flash });
    while (boot.step());
    const parts = { deviceId: 'd', firmware: 'f', boot, clock, linkUp: true };
    const members = JSON.parse(Buffer.from(stateDocument(parts)).toString()) as Record<string, unknown>;
    for (const name of [...Object.keys(members), 'stopped']) expect(state).toContain(`\`${name}\``);
  });

  it('has the figures of the code', () => {
    expect(state).toContain(`at most ${STATE_BYTES} bytes`);
    expect(state).toContain(`cut at ${STATE_TEXT_CHARACTERS} characters`);
    expect(state).toContain(`${BOOT_IDLE_STEPS} pieces at most`);
    expect([BOOT_FLASH_PASSES, state.includes('eight times')]).toEqual([8, true]);
  });
});

describe('docs/REFRESH.md', () => {
  it('has every failure', () => {
    const failures = wordsOf('core/refresh/bundle-fetch.ts', 'FetchFailure');
    expect(failures.length).toBeGreaterThan(8);
    for (const word of failures) expect(refresh).toContain(`\`${word}\``);
  });

  it.each([
    [REFRESH_START_SPREAD_MS, 2 * MINUTE_MS, 'up to 2 minutes, by chance'],
    [REFRESH_MARGIN_PACE_MS, 30 * MINUTE_MS, 'half an hour; half of it is left to chance'],
    [REFRESH_FIRST_WAIT_MS, 10_000, '10 seconds, doubled with each further one'],
    [REFRESH_LONGEST_WAIT_MS, 60 * MINUTE_MS, 'up to an hour'],
    [REFRESH_SPREAD_MS, 30_000, 'up to 30 seconds by chance'],
    [REFRESH_LEAST_GAP_MS, 30_000, 'at least 30 seconds from the last one'],
    [REFRESH_STAGE_MS, MINUTE_MS, 'After a minute it is given up'],
    [REFRESH_URGENT_MOST, 3, 'believed three times in'],
    [REFRESH_URGENT_EACH_MS, 60 * MINUTE_MS, 'then once an hour'],
    [Math.floor(BUNDLE_SET_BYTES / 1024), 129, 'at most 129 KB'],
    [REVOCATION_RETRY_MS, 15_000, 'asked again 15 seconds'],
    [REVOCATIONS_REMEMBERED, 64, '64 of them are'],
    [REVOCATIONS_CACHED, 16, 'for the last 16 grants'],
  ])('%s is what it says', (figure, expected, words) => {
    expect([figure, refresh.replaceAll('\n', ' ').includes(words)]).toEqual([expected, true]);
  });
});
