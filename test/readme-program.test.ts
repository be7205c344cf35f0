// The program of the README runs as printed, but for the terminal's placeholders: it admits bundles and approves a payment.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as core from '../core/index.ts';
import type { LogEvent } from '../core/ports/ports.ts';
import { bundle, grant, NOW, present, sba } from './fixtures/artifacts.ts';
import { root } from './fixtures/keys.ts';
import { MemoryFlash } from './fixtures/memory-flash.ts';
import { TERMINAL } from './fixtures/site.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const printed = /## In your program[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
const [imports = '', ...lines] = printed.split('\n');
const program = lines.join('\n').replace(/terminal: \{.*\},/, 'terminal,');

async function* chunks(text: string) {
  for (let at = 0; at < text.length; at += 100) yield new TextEncoder().encode(text.slice(at, at + 100));
}

describe('the program in the README', () => {
  it('imports what the package has', () => {
    const names = /import \{ (.*) \} from 'mpcp-embedded';/.exec(imports)?.[1]?.split(', ') ?? [];
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) expect(core).toHaveProperty(name);
  });

  it('closes the relay for a payment that is good, keeps it until it was handed in, and tells what happens', async () => {
    const events: LogEvent[] = [];
    const journalFlash = new MemoryFlash({ size: 262_144 });
    const done: string[] = [];
    const world = {
      ...core,
      rootKeyBytes: root.publicKey,
      terminal: TERMINAL,
      clock: { wallMs: () => NOW, monotonicMs: () => 0 },
      flash: new MemoryFlash(),
      journalFlash,
      bundleFlash: new MemoryFlash({ size: core.bundlePartitionBytes(4096) }),
      answer: chunks(`{"bundles":[${new TextDecoder().decode(bundle())}]}`),
      presentationBytes: present({ grant: grant({ budgetMinor: '9000000' }), sba: sba({ maxAmountMinor: '2000000' }) }),
      halt: () => done.push('halted'),
      relay: { close: () => done.push('closed') },
      random32: () => 0x5eed_0001,
      console: { log: (event: LogEvent) => events.push(event) },
      display: (...words: string[]) => done.push(words.join(' ')),
    };
    // The program is the README's, so it is code that stands in this repository.
    const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (...given: unknown[]) => unknown;
    await new AsyncFunction(...Object.keys(world), program)(...Object.values(world));
    expect(done).toEqual(['closed']);
    const journal = new core.Journal(journalFlash, core.createPortableCrypto());
    expect(journal.newestReceipt).toBe(1);
    // Of the ledger, of the journal and of the verifier.
    expect(events.map(({ event }) => event)).toEqual([
      'ledger.open',
      'journal.open',
      'bundle.admitted',
      'payment.authorize',
    ]);
  });
});
