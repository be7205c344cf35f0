// Runs the command line inside the test process and holds what it wrote; and a folder with keys, bundles and artifacts
// that tests of commands begin with.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../../tools/cli/main.ts';

/** What a run left behind. */
export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line, given as its words. */
export async function run(...words: readonly string[]): Promise<RunResult> {
  let stdout = '';
  let stderr = '';
  const channels = {
    stdout: (text: string) => {
      stdout += text;
    },
    stderr: (text: string) => {
      stderr += text;
    },
  };
  const code = await main(['node', 'mpcp-embedded', ...words], channels);
  return { code, stdout, stderr };
}

/** The words of a call with other values for options it has, and with options it has not. */
export function changed(words: readonly string[], ...options: readonly string[]): string[] {
  const again = (word: string | undefined) => word?.startsWith('--') === true && options.includes(word);
  return [...words.filter((word, i) => !again(word) && !again(words[i - 1])), ...options];
}

/** A folder for one test file. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'mpcp-cli-'));

  /** The path of a file in the folder. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a file and gives its path; what is not text or bytes is written as JSON. */
  write(name: string, content: unknown): string {
    const data =
      typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content, null, 2);
    writeFileSync(this.path(name), data);
    return this.path(name);
  }

  bytes(name: string): Uint8Array {
    return Uint8Array.from(readFileSync(this.path(name)));
  }

  text(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into artifacts by member names
  json(name: string): any {
    return JSON.parse(this.text(name));
  }

  /** Runs a command that must succeed. */
  async ok(...words: readonly string[]): Promise<RunResult> {
    const result = await run(...words);
    if (result.code !== 0) throw new Error(`${words.join(' ')}: exit ${result.code}: ${result.stdout}${result.stderr}`);
    return result;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** XRPL addresses whose checksums are right. */
export const ADDRESS = 'rEcaauZi2SfbmDWKyPKTcvscyGJiaAqgUx';
export const GATEWAY = 'rha59r5myHXTZLzdpf63TQmHi5LBna8Nsg';
export const IOU_ISSUER = 'r4opss57dpjJvbKCVaRcyssXudmZ2r5GRs';
/** The first with two characters exchanged. */
export const DAMAGED_ADDRESS = 'rEcaauZi2SfbmDWKyPKTcvscyGJiaAqgxU';

/** When everything of the payment bench happens. */
export const NOW = '2026-03-01T12:00:00Z';

/**
 * A bench with keys (`root`, `pa`, `wallet`, `fleet`, each `.jwk` and `.pub.jwk`), a signed bundle, a grant, SBA, SPA,
 * intent, fleet policy and a site configuration that accept each other at `NOW` for 1800.
 */
export async function paymentBench(): Promise<Bench> {
  const bench = new Bench();
  const at = (name: string) => bench.path(name);
  for (const name of ['root', 'pa', 'wallet', 'fleet']) {
    await bench.ok('keygen', '--kid', `${name}-1`, '--out', at(`${name}.jwk`), '--public-out', at(`${name}.pub.jwk`));
  }
  bench.write('policy.json', { purposes: ['transport:charging'] });
  await bench.ok(
    ...[
      'bundle',
      'create',
      '--bundle-issuer',
      'pa.example',
      '--category',
      'ev-charging',
      '--merchant',
      'did:web:volt.example',
    ],
    ...[
      '--region',
      'EU',
      '--issuer',
      `pa.example=${at('pa.pub.jwk')}`,
      '--issuer',
      `wallet.example=${at('wallet.pub.jwk')}`,
    ],
    ...[
      '--issuer',
      `fleet.example=${at('fleet.pub.jwk')}`,
      '--valid',
      '7d',
      '--now',
      NOW,
      '--out',
      at('unsigned.json'),
    ],
  );
  await bench.ok(
    'bundle',
    'sign',
    at('unsigned.json'),
    '--key',
    at('root.jwk'),
    '--now',
    NOW,
    '--out',
    at('bundle.json'),
  );
  await bench.ok(
    ...[
      'grant',
      'issue',
      '--key',
      at('pa.jwk'),
      '--issuer',
      'pa.example',
      '--policy',
      at('policy.json'),
      '--rail',
      'xrpl',
    ],
    ...['--asset', 'XRP', '--purpose', 'transport:charging', '--destination', ADDRESS, '--budget-minor', '20000'],
    ...['--operator-id', 'volt', '--valid', '7d', '--now', NOW, '--out', at('grant.json')],
  );
  await bench.ok(
    ...[
      'sba',
      'issue',
      '--key',
      at('wallet.jwk'),
      '--issuer',
      'wallet.example',
      '--grant',
      at('grant.json'),
      '--actor-id',
      'ev:4711',
    ],
    ...['--session-id', 'session-1', '--currency', 'EUR', '--max-amount-minor', '5000', '--valid', '4h', '--now', NOW],
    ...['--out', at('sba.json')],
  );
  await bench.ok(
    ...[
      'intent',
      'create',
      '--rail',
      'xrpl',
      '--asset',
      'XRP',
      '--amount',
      '1800',
      '--destination',
      ADDRESS,
      '--now',
      NOW,
    ],
    ...['--out', at('intent.json')],
  );
  await bench.ok(
    ...[
      'spa',
      'issue',
      '--key',
      at('wallet.jwk'),
      '--sba',
      at('sba.json'),
      '--intent',
      at('intent.json'),
      '--valid',
      '10m',
    ],
    ...['--now', NOW, '--out', at('spa.json')],
  );
  await bench.ok(
    ...[
      'fleet-policy',
      'issue',
      '--key',
      at('fleet.jwk'),
      '--issuer',
      'fleet.example',
      '--fleet-id',
      'fleet-7',
      '--actor-id',
      'ev:4711',
    ],
    ...[
      '--currency',
      'EUR',
      '--max-amount-minor',
      '9000',
      '--rail',
      'xrpl',
      '--operator',
      'volt',
      '--valid',
      '12h',
      '--now',
      NOW,
    ],
    ...['--out', at('fpa.json')],
  );
  bench.write('site.json', {
    terminal: {
      rail: 'xrpl',
      asset: { kind: 'XRP' },
      destination: ADDRESS,
      unit: { kind: 'fiat', currency: 'EUR' },
      purpose: 'transport:charging',
    },
    grantIssuers: ['pa.example'],
    sbaIssuers: { 'pa.example': ['wallet.example'] },
    rootKeys: [{ publicKey: bench.json('root.pub.jwk') }],
  });
  return bench;
}
