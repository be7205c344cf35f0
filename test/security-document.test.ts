// docs/SECURITY.md keeps its word: every test that it cites is there under the name it gives, every attacker has some, and its
// figures are those of the code.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  BUNDLE_SET_BYTES,
  BUNDLES_PER_ANSWER,
  HTTP_REQUEST_MS,
  REFRESH_SPREAD_MS,
  REFRESH_URGENT_EACH_MS,
  REFRESH_URGENT_MOST,
  REVOCATION_RETRY_MS,
  REVOCATIONS_CACHED,
  REVOCATIONS_REMEMBERED,
  ROOT_KEY_CONFIRM_MS,
  ROOT_KEY_TRIES,
  SERIAL_GAP_MS,
  SERIAL_REPEAT_MS,
} from '../core/limits.ts';

const page = readFileSync('docs/SECURITY.md', 'utf8');

/** A literal of text in a source, and what is in it. */
const LITERAL = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/.source;
/** What stands before the name of a test: a call, what `each` gives, a row of its table; in a list of rules, a member's name. */
const BEFORE_A_NAME = [
  /\b(?:it|describe|rule)(?:\.\w+)*\(\s*/,
  /\)\(\s*/,
  /^\s*\[\s*/,
  /^\s*(?=(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"):)/,
].map((pattern) => pattern.source);

/** The names of tests in a source, and of what `each` makes tests of. */
function namesIn(source: string): readonly string[] {
  return BEFORE_A_NAME.flatMap((before) => [...source.matchAll(new RegExp(`${before}(?:${LITERAL})`, 'gm'))]).map(
    ([, one, two, three]) => (one ?? two ?? three ?? '').replace(/\\(.)/g, '$1'),
  );
}

/** The page's parts by their headings, each without those below it. */
function parts(): ReadonlyMap<string, string> {
  const [, ...rest] = page.split(/^#{2,3} /m);
  return new Map(rest.map((text) => [text.slice(0, text.indexOf('\n')), text.slice(text.indexOf('\n'))]));
}

/** What a text cites: a file, and words of names of tests in it. */
function citedIn(text: string): readonly (readonly [string, string])[] {
  const files = [...text.matchAll(/`([\w./-]+\.ts)` ((?:“[^”]+”(?:, )?)+)/g)];
  return files.flatMap(([, file = '', words = '']) =>
    [...words.matchAll(/“([^”]+)”/g)].map(([, name = '']) => [`test/${file}`, name] as const),
  );
}

/** How a heading is linked to. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}

const ATTACKERS = [
  'A stolen device',
  'A fake access point',
  'A lying wallet',
  'A hostile reader',
  'A hostile client of the local HTTP endpoint',
  'A compromised bundle signer',
  'A compromised grant issuer or wallet key',
  'A compromised server, TLS included',
  'A sender of urgent messages',
  'A malicious revocation endpoint',
  'Somebody who writes flash',
  'Somebody who cuts the power',
  'An insider',
];

describe('docs/SECURITY.md', () => {
  const cited = citedIn(page);

  it.each([...new Set(cited.map(([file]) => file))])('cites %s by names that tests there have', (file) => {
    expect(existsSync(file)).toBe(true);
    const names = namesIn(readFileSync(file, 'utf8'));
    const wanted = cited.filter(([of]) => of === file).map(([, words]) => words);
    expect(wanted.filter((words) => !names.some((name) => name.includes(words)))).toEqual([]);
  });

  it('cites nothing that is no spec file, nor the rules of one', () => {
    const rules = readFileSync('test/core/chain/chain.test.ts', 'utf8');
    for (const [file] of cited) {
      const [, of] = /^test\/core\/chain(\/rules\/\w+\.ts)$/.exec(file) ?? [];
      expect(of === undefined ? file.endsWith('.test.ts') : rules.includes(`import '.${of}'`), file).toBe(true);
    }
  });

  it('leaves no quoted name outside of what it looks up, but for the one that says how tests are cited', () => {
    expect([...page.matchAll(/“/g)]).toHaveLength(cited.length + 1);
  });

  it('has every attacker, in the table that is read first and with a table of its own', () => {
    const [, table = ''] = page.split('## Who attacks\n');
    const linked = [...table.matchAll(/^\| \[[^\]]+\]\(#([^)]+)\)/gm)].map(([, name]) => name);
    expect(linked).toEqual(ATTACKERS.map(anchor));
  });

  it.each(ATTACKERS)('%s: each row ends with a test, or with where there is one', (heading) => {
    const rows = (parts().get(heading) ?? '').split('\n').filter((line) => /^\| (?!Tried|---)/.test(line));
    expect(rows.length).toBeGreaterThan(2);
    for (const row of rows) {
      const [, , , shown = ''] = row.split('|');
      expect(citedIn(shown).length > 0 || shown.includes('](#'), row).toBe(true);
    }
  });

  it.each([
    [BUNDLE_SET_BYTES, 129 * 1024, 'end at 129 KB'],
    [BUNDLES_PER_ANSWER, 16, 'at most 16 in an answer'],
    [SERIAL_GAP_MS, 500, 'dropped after 500 ms'],
    [SERIAL_REPEAT_MS, 10_000, 'within 10 s'],
    [HTTP_REQUEST_MS, 5000, '408 after 5 s'],
    [ROOT_KEY_TRIES, 3, '3 tries, 10 minutes'],
    [ROOT_KEY_CONFIRM_MS, 600_000, '3 tries, 10 minutes'],
    [REFRESH_URGENT_MOST, 3, 'believed 3 times, then once an hour'],
    [REFRESH_URGENT_EACH_MS, 3_600_000, 'believed 3 times, then once an hour'],
    [REFRESH_SPREAD_MS, 30_000, 'spread over 30 s'],
    [REVOCATION_RETRY_MS, 15_000, 'asked again after 15 s'],
    [REVOCATIONS_REMEMBERED, 64, '64 revocations'],
    [REVOCATIONS_CACHED, 16, 'and 16 answers'],
  ])('%s is what it says', (figure, expected, words) => {
    expect([figure, page.includes(words)]).toEqual([expected, true]);
  });
});

describe('names of tests', () => {
  it('are those of calls, of rows and of rules, and no other text', () => {
    const source = [
      `describe('one', () => {`,
      `  it("two's", () => expect(text).toBe('no name'));`,
      `  // it says 'nor this'`,
      `  it.each([`,
      `    ['three', 'not the second'],`,
      `  ])('four %s', (_, word) => {});`,
      `  it.each(ALL)(`,
      `    'five',`,
      `  );`,
      `rule('six', {`,
      `  refuses: {`,
      `    'seven’s': ['CODE', () => ({})],`,
    ].join('\n');
    expect([...namesIn(source)].sort()).toEqual(['five', 'four %s', 'one', 'seven’s', 'six', 'three', "two's"]);
  });
});
