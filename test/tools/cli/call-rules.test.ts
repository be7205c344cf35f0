// Rules that hold for the options of every command: a single value is given once, stdin is read once, no output is one
// of the inputs, and words are well-formed text.

import { linkSync, readdirSync, symlinkSync } from 'node:fs';
import type { Command, Option } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIo } from '../../../tools/cli/io.ts';
import { createProgram } from '../../../tools/cli/main.ts';
import { type Bench, NOW, paymentBench, run } from './run.ts';

let bench: Bench;
let at: (name: string) => string;
let before: string;
const contents = () => JSON.stringify(readdirSync(bench.folder).map((name) => [name, bench.text(name)]));

beforeAll(async () => {
  bench = await paymentBench();
  at = (name) => bench.path(name);
  linkSync(at('unsigned.json'), at('hard.json'));
  symlinkSync('unsigned.json', at('soft.json'));
  before = contents();
});
afterAll(() => bench.remove());

/** Runs a call that must be refused in one line, with nothing written. */
async function refused(...words: readonly string[]): Promise<string> {
  const result = await run(...words);
  expect(result, words.join(' ')).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr.split('\n')).toHaveLength(2);
  expect(contents()).toBe(before);
  return result.stderr;
}

/** Every command that does something, with the words that call it. */
function actions(command: Command, words: readonly string[] = []): [string, Command][] {
  return command.commands.length === 0
    ? [[words.join(' '), command]]
    : command.commands.flatMap((child) => actions(child, [...words, child.name()]));
}

/** A value that an option takes. */
function sampleOf(option: Option): string {
  if (option.argChoices !== undefined) return option.argChoices[0] as string;
  const byPlaceholder: { readonly [placeholder: string]: string } = {
    '<board>': 'esp32',
    '<time>': NOW,
    '<span>': '1d',
    '<digits>': '5',
    '<n>': '5',
    '<bytes>': '4096',
    '<n/span>': '5/1h',
    '<asset>': 'XRP',
    '<code>': 'EUR',
    '<hex>': 'ab'.repeat(16),
    '<spans>': '15m,1h',
    '<sizes>': '5,10',
  };
  if (option.long === '--payments') return '1000';
  return byPlaceholder[/<.*>/.exec(option.flags)?.[0] ?? ''] ?? 'value';
}

const program = createProgram(createIo({ stdout: () => {}, stderr: () => {} }, false, () => {}));
const all = actions(program).flatMap(([name, command]) =>
  command.options
    .filter((option) => option.required)
    .map((option) => ({ name, option, many: option.variadic || option.description.includes('(repeatable)') })),
);
const single = all.filter((one) => !one.many);

describe('an option with a single value', () => {
  it('is in every command there is', () => {
    expect(new Set(single.map((one) => one.name)).size).toBeGreaterThan(15);
    expect(single.length).toBeGreaterThan(100);
  });

  it.each(single.map(({ name, option }) => [name, option.long as string, option] as const))(
    '%s %s is refused when it is given twice',
    async (name, long, option) => {
      const value = sampleOf(option);
      const line = `mpcp-embedded ${name}: ${long} is given twice (--help shows how to call it)\n`;
      expect(await refused(...name.split(' '), long, value, long, value)).toBe(line);
      expect(await refused(...name.split(' '), `${long}=${value}`, `${long}=${value}`)).toBe(line);
    },
  );

  it('is refused whatever its first value was: the amount of a payment', async () => {
    const words = [
      'verify',
      'chain',
      '--grant',
      at('grant.json'),
      '--sba',
      at('sba.json'),
      '--config',
      at('site.json'),
    ];
    expect(await refused(...words, '--amount', '9999999', '--amount', '5')).toContain('--amount is given twice');
  });
});

describe('an option with several values', () => {
  it('may be repeated', async () => {
    const trust = ['--bundle', at('bundle.json'), '--bundle', at('bundle.json'), '--root', at('root.pub.jwk')];
    const words = ['--root', at('root.pub.jwk'), '--grant-issuer', 'x', '--grant-issuer', 'pa.example', '--now', NOW];
    expect(await run('verify', 'grant', at('grant.json'), ...trust, ...words)).toMatchObject({ stdout: 'accepted\n' });
  });
});

describe('stdin', () => {
  it.each([
    [['verify', 'chain', '--grant', '-', '--sba', '-', '--amount', '5']],
    [['verify', 'chain', '--sba', '-', '--config', '-', '--amount', '5']],
    [['verify', 'grant', '-', '--bundle', '-']],
    [['verify', 'bundle', '-', '--root', '-']],
    [['verify', 'header', '--file', '-', '--bundle', '-', '--amount', '5']],
    [['present', '--grant', '-', '--sba', '-']],
    [['present', '--grant', '/dev/stdin', '--sba', '-']],
    [['jwks', '-', '-']],
    [['bundle', 'sign', '-', '--key', '-']],
    [['bundle', 'create', '--template', '-', '--issuer', 'pa.example=-', '--valid', '1d']],
    [['bundle', 'create', '--bundle-issuer', 'a', '--issuer', 'a=-', '--issuer', 'b=-', '--valid', '1d']],
    [['grant', 'issue', '--key', '-', '--policy', '-']],
    [['spa', 'issue', '--key', 'nowhere.jwk', '--sba', '-', '--intent', '-']],
  ])('is read once: %j', async (words) => {
    expect(await refused(...words)).toMatch(/: stdin \(-\) can be read once, and .+ both read it\n$/);
  });
});

describe('an output that is an input', () => {
  it.each([
    ['bundle sign', '@unsigned.json --key @root.jwk', ['unsigned.json', 'hard.json', 'soft.json']],
    ['bundle create', '--template @policy.json --valid 1d', ['policy.json']],
    ['bundle create', '--issuer pa.example=@pa.pub.jwk --valid 1d', ['pa.pub.jwk']],
    ['intent create', '--from @intent.json', ['intent.json']],
    ['grant issue', '--key @pa.jwk --policy @policy.json', ['policy.json', 'pa.jwk']],
    ['sba issue', '--key @wallet.jwk --grant @grant.json', ['grant.json', 'wallet.jwk']],
    ['spa issue', '--key @wallet.jwk --sba @sba.json --intent @intent.json', ['sba.json', 'intent.json']],
    ['fleet-policy issue', '--key @fleet.jwk --from @fpa.json', ['fpa.json']],
    ['present', '--sba @sba.json --grant @grant.json', ['sba.json', 'grant.json']],
    ['jwks', '@pa.pub.jwk @root.pub.jwk', ['root.pub.jwk', 'pa.pub.jwk']],
  ])('is refused: %s %s', async (name, words, outputs) => {
    for (const output of outputs) {
      const call = `${name} ${words} --out @./${output}`.replaceAll('@', `${bench.folder}/`);
      expect(await refused(...call.split(' '))).toMatch(/: --out and .+ are the same file\n$/);
    }
  });

  it('is refused where a template names it', async () => {
    const folder = bench.folder;
    const template = bench.write('keys-template.json', {
      bundleIssuer: 'pa.example',
      issuers: [{ issuer: 'pa.example', keys: [{ file: 'pa.pub.jwk' }] }],
      valid: '1d',
    });
    before = contents();
    const line = await refused('bundle', 'create', '--template', template, '--out', `${folder}/pa.pub.jwk`);
    expect(line).toContain('--out and pa.pub.jwk of the template are the same file');
  });
});

describe('a word that is not well-formed', () => {
  it.each([
    [['grant', 'issue', '--key', '\ud800']],
    [['policy', 'hash', 'a\udc00b']],
    [['\ud800']],
    [['keygen', '--kid', 'k\ud83d']],
  ])('is refused: %j', async (words) => {
    expect(await refused(...words)).toMatch(
      /^mpcp-embedded[a-z ]*: argument \d is not well-formed text: it has half of a surrogate pair\n$/,
    );
  });

  it('is no matter of pairs that are whole', async () => {
    expect(JSON.parse((await run('keygen', '--kid', '🔑', '--json')).stdout).kid).toBe('🔑');
  });
});
