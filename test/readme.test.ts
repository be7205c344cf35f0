// The README keeps its word: the walkthrough runs as printed, the commands and figures it names exist.

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { FlashLedger } from '../core/ledger/flash-ledger.ts';
import { SimulatedFlash } from '../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../host-sim/flash/store.ts';
import { createNodeCrypto } from '../host-sim/ports/node-crypto.ts';
import { isBuilt } from './fixtures/built.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'mpcp-readme-'));
const built = isBuilt('the README’s walkthrough, lines and entries');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

afterAll(() => rmSync(folder, { recursive: true }));

/** The fenced block that carries a word after its language. */
function block(word: string): string {
  const found = new RegExp(`\`\`\`sh ${word}\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1];
  if (found === undefined) throw new Error(`README.md has no block "${word}"`);
  return found;
}

/** A folder with an `npx` that runs the built command line, as the real one does in the project's folder. */
function withNpx(): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const script = `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(root, 'tools/bin/mpcp-embedded.mjs')}" "$@"\n`;
  writeFileSync(join(bin, 'npx'), script);
  chmodSync(join(bin, 'npx'), 0o755);
  return bin;
}

describe('the README', () => {
  it.runIf(built)('has a walkthrough that ends in accepted', () => {
    const env = { ...process.env, PATH: `${withNpx()}${delimiter}${process.env.PATH}` };
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    const out = execFileSync('sh', ['-e', '-c', block('walkthrough')], { cwd: folder, env, encoding: 'utf8', stdio });
    expect(out.trimEnd().split('\n').at(-1)).toBe('accepted');
    expect(out).toContain('policyGrant');
  });

  it.runIf(built)('simulates as printed, from the folder of the project', () => {
    const report = join(folder, 'report.html');
    const words = block('simulate').trim().replace('report.html', report).split(' ').slice(2);
    const out = execFileSync(process.execPath, ['tools/bin/mpcp-embedded.mjs', ...words], { cwd: root });
    expect(out.toString()).toContain('KEY_REVOKED');
    expect(readFileSync(report, 'utf8')).toContain('Signer compromise and emergency refresh');
  });

  it.runIf(built)('shows lines that npm start prints', () => {
    const shown = readme.split('\n').filter((line) => line.startsWith('✓'));
    const printed = execFileSync(process.execPath, ['tools/bin/mpcp-embedded.mjs', 'demo'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).split('\n');
    expect(shown).toHaveLength(7);
    for (const line of shown) expect(printed).toContain(line);
  });

  it('has no figure left to fill in', () => {
    expect(readme).not.toMatch(/[A-Z]+_TABLE|TODO|FIXME/);
  });

  it.runIf(built)('shows types and code that the build has made for every entry of the package', () => {
    for (const entry of Object.values(manifest.exports) as (string | Record<string, string>)[]) {
      for (const path of typeof entry === 'string' ? [entry] : Object.values(entry)) {
        expect(existsSync(join(root, path)), path).toBe(true);
      }
    }
  });

  it('names npm scripts that exist', () => {
    for (const [, name] of readme.matchAll(/npm run (?:-s )?([a-z:-]+)/g))
      expect(manifest.scripts).toHaveProperty(name as string);
  });

  it('links to files that exist', () => {
    for (const [, path] of readme.matchAll(/\]\(([^)#:]+)\)/g))
      expect(existsSync(join(root, path as string)), path).toBe(true);
  });

  it('tells how many grants and budgets a 64 KB partition holds', () => {
    const ledger = new FlashLedger(new SimulatedFlash(new MemoryStore(65_536)), createNodeCrypto());
    // Three units of 16 bytes each: header, key, total.
    expect(readme).toContain(`a 64 KB partition holds ${Math.floor(ledger.fill.of / 3)} grants and budgets`);
  });

  it('has the two commands in its first screen', () => {
    const first = readme.split('\n').slice(0, 15).join('\n');
    expect(first).toContain('npm ci && npm start');
    expect(first).toContain('npm ci && npm test');
  });
});
