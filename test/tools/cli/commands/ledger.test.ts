// The `ledger` commands on images of a journal: what is there, what is missing, and receipts whose edits show.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crc32Update } from '../../../../core/encoding/crc32.ts';
import { writeU32 } from '../../../../core/encoding/little-endian.ts';
import type { JsonObject } from '../../../../core/json/value.ts';
import { BlockLog } from '../../../../core/ledger/block-log.ts';
import { FlashLedger } from '../../../../core/ledger/flash-ledger.ts';
import type { JournalEntry } from '../../../../core/ledger/journal.ts';
import { ledgerKey } from '../../../../core/ledger/keys.ts';
import { receiptHashOf } from '../../../../core/ledger/receipt-document.ts';
import { KIND, PART, SPEND_LAYOUT } from '../../../../core/ledger/spend-record.ts';
import { append, end, grantNumber, idle, opened, payment, SMALL } from '../../../core/ledger/journal-entries.ts';
import { present, sba } from '../../../fixtures/artifacts.ts';
import { crypto, Device } from '../../../fixtures/device.ts';
import { MemoryFlash } from '../../../fixtures/memory-flash.ts';
import { key, receipt, spend } from '../../../fixtures/spends.ts';
import { Bench, type RunResult, run } from '../run.ts';

const bench = new Bench();
afterAll(() => bench.remove());

const ENTRIES: readonly JournalEntry[] = [
  payment(1),
  payment(2, { mode: 'reserve', amount: 900n }),
  end(3, 2),
  payment(4, { grant: undefined }),
  payment(5),
];

/** An image of a journal. @returns its path */
function image(
  name: string,
  entries: readonly JournalEntry[] = ENTRIES,
  acknowledged = 0,
  flash = new MemoryFlash(),
): string {
  const journal = opened(flash);
  append(journal, ...entries);
  if (acknowledged > 0) expect(journal.acknowledge(acknowledged)).toBeUndefined();
  return bench.write(name, flash.cells);
}

let whole = '';
beforeAll(() => {
  whole = image('journal.flash', ENTRIES, 2);
});

/** The head of a bundle set's copy, and nothing else. */
function bundleSet(): Uint8Array {
  const bytes = new Uint8Array(65_536);
  bytes.set([0x4d, 3, 1]);
  writeU32(bytes, 28, crc32Update(0, bytes, 0, 28));
  return bytes;
}

/** Runs a call that cannot be carried out: one line, exit 2, nothing on stdout. */
async function refused(...words: readonly string[]): Promise<string> {
  const result = await run(...words);
  expect(result, words.join(' ')).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr.split('\n')).toHaveLength(2);
  return result.stderr;
}

function lines({ stdout }: RunResult): JsonObject[] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as JsonObject);
}

describe('ledger inspect on a ledger', () => {
  it('says of a damaged one what a device refuses', async () => {
    const flash = new MemoryFlash();
    const ledger = new FlashLedger(flash, crypto);
    for (const name of ['before', 'lost', 'since'])
      receipt(ledger.authorize(spend({ grant: key(name), budget: key(`${name}-b`) })));
    const at = Buffer.from(flash.cells).indexOf(Buffer.from(key('lost'), 'latin1'));
    flash.cells.fill(0, at, at + 16);
    // A budget that was paid from since is paid from: what is said must not be more than that.
    const again = new FlashLedger(flash, crypto);
    const of = (name: string) => spend({ grant: key(name), budget: key(`${name}-b`) });
    expect(again.authorize(of('before'))).toMatchObject({ code: 'STORE_FAILED' });
    expect(again.authorize(of('new'))).toMatchObject({ code: 'STORE_FAILED' });
    const { stdout } = await run('ledger', 'inspect', bench.write('damaged-ledger.flash', flash.cells));
    receipt(again.authorize(of('since')));
    expect(stdout).toContain(
      'damaged; refused are entries marked doubtful, new ones, replay ids and idempotency keys:\nrecords before number 3 are lost\n',
    );
    expect(stdout.match(/ doubtful$/gm)).toHaveLength(2);
  });

  describe('for one grant', () => {
    const flash = new MemoryFlash();
    const grantId = 'grant_17';
    let path = '';
    beforeAll(() => {
      const ledger = new FlashLedger(flash, crypto);
      receipt(ledger.authorize(spend({ grant: ledgerKey(crypto, 'grant', new Uint8Array(0), grantId), amount: 70n })));
      receipt(ledger.authorize(spend({ grant: key('another'), budget: key('another') })));
      path = bench.write('one-grant.flash', flash.cells);
    });

    it('has its total', async () => {
      const call = ['ledger', 'inspect', path, '--grant-id', grantId];
      expect(await run(...call)).toMatchObject({ code: 0, stdout: '70 spent under grant_17\n' });
      expect(JSON.parse((await run(...call, '--json')).stdout)).toMatchObject({ grantId, known: true, total: '70' });
    });

    it('that the ledger does not know: says so, and not that nothing was spent', async () => {
      const call = ['ledger', 'inspect', path, '--grant-id', 'grant_18'];
      expect(await run(...call)).toMatchObject({
        code: 0,
        stdout:
          'no entry of grant_18: nothing was spent under it at this device, or its entry has expired and was given up\n',
      });
      const document = JSON.parse((await run(...call, '--json')).stdout);
      expect(document).toMatchObject({ grantId: 'grant_18', known: false });
      expect(document).not.toHaveProperty('total');
    });

    it('of any name, but none is no name', async () => {
      const { stdout } = await run('ledger', 'inspect', path, '--grant-id', 'a\nb\u001b[2J');
      expect(stdout.split('\n')).toEqual([expect.stringMatching(/^no entry of a b \[2J: /), '']);
      expect(await refused('ledger', 'inspect', path, '--grant-id', '')).toContain('It is empty.');
    });

    it('in a damaged ledger: tells the damage with it', async () => {
      const cells = flash.cells.slice();
      cells.fill(0, 32, 48);
      const damaged = bench.write('damaged-grant.flash', cells);
      const { code, stdout } = await run('ledger', 'inspect', damaged, '--grant-id', grantId);
      expect([code, stdout.split('\n')]).toEqual([
        0,
        [expect.stringMatching(/ or is lost$/), 'records before number 2 are lost', ''],
      ]);
    });
  });
});

describe('what an image is, beside what it holds', () => {
  const both = (flash: MemoryFlash, budgets: number) => {
    const ledger = new FlashLedger(flash, crypto);
    for (let i = 0; i < budgets; i++) {
      receipt(ledger.authorize(spend({ budget: key(`b${i}`) })));
      while (ledger.step());
    }
    return bench.write('shape.flash', flash.cells);
  };
  const check = (path: string, ...more: readonly string[]) => run('ledger', 'check', path, ...more);

  it('is told: how many blocks, and of how many bytes', async () => {
    const ledger = both(new MemoryFlash(), 200);
    expect((await check(ledger)).stdout).toMatch(/^whole: \d+ records, 20\.\d % full, 16 blocks of 4096 bytes\n$/);
    expect(JSON.parse((await check(ledger, '--json')).stdout)).toMatchObject({
      blockSize: 4096,
      blocks: 16,
      notes: [],
    });
    expect((await run('ledger', 'inspect', ledger)).stdout).toMatch(
      / in \d+ of 16 blocks of 4096 bytes, 20\.\d % full\n/,
    );
  });

  it.each<[string, number, number, string]>([
    ['too small, with one block in use', 60, 1024, '4096'],
    ['half, with one block in use', 60, 2048, '4096'],
    ['double, with several in use', 200, 8192, '4096'],
    ['double, with one in use and one prepared', 20, 8192, '4096'],
  ])('a block size that is %s, is no whole image', async (_, budgets, blockSize, right) => {
    const path = both(new MemoryFlash(), budgets);
    expect(await check(path)).toMatchObject({ code: 0 });
    for (const command of ['check', 'inspect']) {
      const { code, stdout } = await run('ledger', command, path, '--block-size', String(blockSize));
      expect([code, stdout]).toEqual([
        command === 'check' ? 1 : 0,
        expect.stringContaining(
          `the blocks are not of ${blockSize} bytes: more can be read with --block-size ${right}`,
        ),
      ]);
    }
  });

  it('a block size with which nothing opens: the right one is named', async () => {
    const more = [1, 2, 3, 4, 5, 6].map((id) => payment(id, { grant: grantNumber(id) }));
    const path = image('small-blocks.flash', more, 0, new MemoryFlash(SMALL));
    expect(await refused('ledger', 'check', path)).toContain('(it can be read with --block-size 1024)');
    const spends = both(new MemoryFlash({ size: 16_384, blockSize: 1024 }), 60);
    expect(await refused('ledger', 'inspect', spends, '--block-size', '8192')).toContain('--block-size 1024)');
  });

  it('a journal in blocks of another size is not whole either', async () => {
    const more = [1, 2, 3, 4, 5, 6].map((id) => payment(id, { grant: grantNumber(id) }));
    const path = image('more.flash', more);
    const { code, stdout } = await check(path, '--block-size', '1024');
    expect([code, stdout]).toEqual([1, expect.stringContaining('--block-size 4096')]);
    expect((await run('ledger', 'export', path, '--block-size', '1024', '--json')).code).toBe(1);
  });

  it('where so little is in it that several block sizes read alike, that is told', async () => {
    const { code, stdout } = await check(both(new MemoryFlash(), 3), '--block-size', '2048');
    expect([code, stdout.split('\n')[1]]).toEqual([
      0,
      'in blocks of 512, 1024, 4096 bytes it reads the same: nothing in it tells which size is right',
    ]);
  });

  it('bytes that are no whole blocks are no image', async () => {
    for (const command of ['inspect', 'check', 'export']) {
      const path = bench.write('torn.flash', bench.bytes('journal.flash').subarray(0, 65_000));
      expect(await refused('ledger', command, path)).toContain('its 65000 bytes are no whole blocks of 4096');
    }
  });

  it('cut off between blocks: told where the caller says how large the partition is', async () => {
    both(new MemoryFlash(), 3);
    for (const name of ['shape.flash', 'journal.flash']) {
      const cells = bench.bytes(name);
      const path = bench.path(name);
      const cut = bench.write('cut.flash', cells.subarray(0, 49_152));
      // No header says how many blocks there are.
      expect(await check(cut)).toMatchObject({ code: 0, stdout: expect.stringContaining('12 blocks of 4096 bytes') });
      const { code, stdout } = await check(cut, '--size', '65536');
      expect([code, stdout]).toEqual([1, expect.stringContaining('the image has 49152 bytes, the partition 65536')]);
      expect(await check(path, '--size', '65536')).toMatchObject({ code: 0 });
    }
  });

  it('cut off right behind its newest block: a note says what it may be', async () => {
    both(new MemoryFlash(), 200);
    const cells = bench.bytes('shape.flash');
    const used = JSON.parse((await run('ledger', 'inspect', bench.path('shape.flash'), '--json')).stdout).blocksInUse;
    const cut = bench.write('cut-behind.flash', cells.subarray(0, used * 4096));
    const { code, stdout } = await check(cut);
    expect([code, stdout]).toEqual([0, expect.stringContaining('\nno block is free, as in an image that was cut off')]);
  });

  it('cut off within the log is damage', async () => {
    both(new MemoryFlash({ size: 16_384, blockSize: 1024 }), 100);
    const cells = bench.bytes('shape.flash');
    const { code } = await check(bench.write('cut-within.flash', cells.subarray(0, 6144)), '--block-size', '1024');
    expect(code).toBe(1);
  });
});

describe('a damaged image', () => {
  it('is shown by inspect with exit 0, and is exit 1 for check and export', async () => {
    const flash = new MemoryFlash();
    append(opened(flash), ...ENTRIES);
    const at = Buffer.from(flash.cells).indexOf('budget-4');
    flash.cells[at] = (flash.cells[at] as number) ^ 1;
    const path = bench.write('damaged-journal.flash', flash.cells);
    const codes = { inspect: 0, check: 1, export: 1 };
    for (const [command, code] of Object.entries(codes)) {
      expect(await run('ledger', command, path)).toMatchObject({ code, stdout: expect.stringContaining('4') });
      const json = await run('ledger', command, path, '--json');
      expect(json.code).toBe(code);
    }
  });
});

describe('ledger inspect on a journal', () => {
  it('shows what is to be sent, in words', async () => {
    const { code, stdout } = await run('ledger', 'inspect', whole);
    expect(code).toBe(0);
    expect(stdout).toContain('newest receipt 5, acknowledged up to 2, 3 to be sent\n');
    expect(stdout).toMatch(/^2 +2026-06-01T12:00:00\.002Z +reservation +acknowledged +[0-9a-f]{32} +900$/m);
    expect(stdout).toMatch(/^3 +\S+ +settlement of 2 +unsent +[0-9a-f]{32} +700$/m);
    expect(stdout).toMatch(/^5 +\S+ +payment +unsent +[0-9a-f]{32} +1000$/m);
    expect(stdout).toMatch(
      /^erases per block, at most \(one that had no header at a start goes on from the highest\): 1 1/m,
    );
    expect(stdout).toContain('\nno damage, the chain of receipts is whole\n');
  });

  it('and with --json', async () => {
    const { code, stdout } = await run('ledger', 'inspect', whole, '--json');
    const found = JSON.parse(stdout) as JsonObject;
    expect([code, found]).toMatchObject([
      0,
      { kind: 'journal', format: 2, newestReceipt: 5, acknowledgedUpTo: 2, unsent: 3, damage: [] },
    ]);
    expect(found.receipts).toMatchObject([
      { receiptId: 1, state: 'acknowledged', kind: 'payment', amountMinor: '1000' },
      { receiptId: 2, state: 'acknowledged', mode: 'reserve' },
      { receiptId: 3, state: 'unsent', kind: 'end', how: 'settle', reservation: 2 },
      { receiptId: 4, state: 'unsent' },
      { receiptId: 5, state: 'unsent' },
    ]);
    expect((found.wear as number[]).length).toBe(16);
  });

  it('shows an empty one', async () => {
    const path = image('empty.flash', []);
    expect((await run('ledger', 'inspect', path)).stdout).toContain('no receipts');
    expect(await run('ledger', 'check', path)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^whole: 0 receipts, 0 to be sent, 16 blocks of 4096 bytes\n/),
    });
  });

  it('leaves the file as it is', async () => {
    const before = Buffer.from(bench.text('journal.flash'));
    for (const command of ['inspect', 'check', 'export'])
      for (const more of [[], ['--committed', '4'], ['--committed', '2']]) await run('ledger', command, whole, ...more);
    expect(Buffer.from(bench.text('journal.flash')).equals(before)).toBe(true);
  });

  it('of another block size', async () => {
    const path = image('small.flash', ENTRIES, 0, new MemoryFlash(SMALL));
    expect(await run('ledger', 'check', path, '--block-size', '1024')).toMatchObject({ code: 0 });
    expect(await refused('ledger', 'check', path)).toContain('small.flash: ');
  });
});

describe('what the ledger has not committed', () => {
  it('is nothing: the payment was never approved', async () => {
    const { code, stdout } = await run('ledger', 'inspect', whole, '--committed', '4');
    expect(code).toBe(0);
    expect(stdout).toContain('receipt 5 was written and not committed: it is nothing, its payment was never approved');
    expect(stdout).toContain('newest receipt 4, acknowledged up to 2, committed up to 4, 2 to be sent\n');
    expect(stdout).not.toMatch(/^5 /m);
    expect(lines(await run('ledger', 'export', whole, '--committed', '4', '--json'))).toHaveLength(4);
  });

  it('is told by the ledger itself, too', async () => {
    const device = new Device();
    for (const name of ['one', 'two'])
      device.approves(() => device.authorize(present({ sba: sba({ budgetId: name, sessionId: 'session-1' }) })));
    const ledger = bench.write('device-ledger.flash', device.flash.cells);
    const committed = bench.write('device-journal.flash', device.journalFlash.cells);
    expect(await run('ledger', 'check', committed, '--ledger', ledger)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^whole: 2 receipts, 2 to be sent, 16 blocks of 4096 bytes\n/),
    });
    append(device.journal, payment(3));
    const orphaned = bench.write('orphaned.flash', device.journalFlash.cells);
    const { code, stdout } = await run('ledger', 'check', orphaned, '--ledger', ledger);
    expect([code, stdout]).toEqual([0, expect.stringContaining('receipt 3 was written and not committed')]);
  });

  it('is damage where it is more than one: a ledger that lost its memory', async () => {
    const { code, stdout } = await run('ledger', 'check', whole, '--committed', '3');
    expect([code, stdout]).toEqual([1, expect.stringContaining('the journal has receipt 5, the ledger only 3')]);
    const receipts = lines(await run('ledger', 'export', whole, '--committed', '3', '--json'));
    expect(receipts.map(({ receiptId }) => receiptId)).toEqual([1, 2, 3, 4, 5]);
  });

  it('and what the ledger has and the journal has not', async () => {
    const { code, stdout } = await run('ledger', 'check', whole, '--committed', '7');
    expect([code, stdout]).toEqual([1, expect.stringContaining('receipts 6 to 7 are missing')]);
  });
});

describe('ledger check on a journal', () => {
  it('says that it is whole', async () => {
    expect(await run('ledger', 'check', whole)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^whole: 5 receipts, 3 to be sent, 16 blocks of 4096 bytes\n/),
    });
    expect(JSON.parse((await run('ledger', 'check', whole, '--json')).stdout)).toEqual({
      ok: true,
      receipts: 5,
      unsent: 3,
      acknowledgedUpTo: 2,
      blockSize: 4096,
      blocks: 16,
      damage: [],
      doubts: [],
      sameBlockSizes: [1024, 2048, 8192, 16_384],
      notes: [],
    });
  });

  it('says what is damaged, exit 1', async () => {
    const flash = new MemoryFlash();
    append(opened(flash), ...ENTRIES);
    const at = Buffer.from(flash.cells).indexOf('budget-4');
    flash.cells[at] = (flash.cells[at] as number) ^ 1;
    const path = bench.write('damaged.flash', flash.cells);
    const { code, stdout } = await run('ledger', 'check', path);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/receipts? .*4.* missing/)]);
    const exported = await run('ledger', 'export', path, '--json');
    expect([exported.code, exported.stderr]).toEqual([1, expect.stringMatching(/4/)]);
    expect(lines(exported).map(({ receiptId }) => receiptId)).toEqual([1, 2, 3, 5]);
  });
});

describe('ledger export', () => {
  it('shows a table, or lines of JSON that can be verified', async () => {
    const { code, stdout } = await run('ledger', 'export', whole);
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^receipt +time +what +state +hash +amount$/);
    const exported = await run('ledger', 'export', whole, '--json');
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    for (const document of lines(exported)) {
      expect(receiptHashOf(crypto, document)).toBe(document.hash);
      expect(document.kind === 'end' || document.receiptId === 4 || 'grant' in document).toBe(true);
    }
  });

  it('writes a file, and says what is in it', async () => {
    const out = bench.path('receipts.ndjson');
    const { code, stdout } = await run('ledger', 'export', whole, '--out', out);
    expect([code, stdout]).toEqual([0, '5 receipts, 3 to be sent\nno damage, the chain of receipts is whole\n']);
    expect(bench.text('receipts.ndjson').split('\n')).toHaveLength(6);
    const summary = await run('ledger', 'export', whole, '--out', out, '--json');
    expect(JSON.parse(summary.stdout)).toMatchObject({ receipts: 5, unsent: 3, damage: [] });
    expect((await run('ledger', 'export', whole, '--out', '-')).stdout).toBe(bench.text('receipts.ndjson'));
  });

  it('leaves out old receipts whose grants were given up, and says how many', async () => {
    const flash = new MemoryFlash(SMALL);
    const journal = opened(flash);
    for (let i = 1; i <= 60; i++) {
      append(idle(journal), payment(i, { grant: grantNumber(i % 3) }));
      expect(journal.acknowledge(i)).toBeUndefined();
    }
    const path = bench.write('old.flash', flash.cells);
    const exported = await run('ledger', 'export', path, '--block-size', '1024', '--json');
    expect(exported.code).toBe(0);
    expect(lines(exported)[0]?.kind).toBe('payment');
    expect(lines(exported).at(-1)?.receiptId).toBe(60);
  });
});

describe('ledger verify-export', () => {
  let receipts: readonly string[] = [];
  beforeAll(async () => {
    const { stdout } = await run('ledger', 'export', whole, '--json');
    receipts = stdout.split('\n').slice(0, -1);
  });

  const verify = (text: string, ...more: readonly string[]): Promise<RunResult> =>
    run('ledger', 'verify-export', bench.write('export.ndjson', text), ...more);

  /** A receipt with changes; `anew` gives it the hash that goes with them. */
  function edited(i: number, changes: JsonObject, anew = false): string {
    const document = { ...(JSON.parse(receipts[i] as string) as JsonObject), ...changes };
    return JSON.stringify(anew ? { ...document, hash: receiptHashOf(crypto, document) as string } : document);
  }

  it('of what was exported: whole', async () => {
    const last = (JSON.parse(receipts[4] as string) as JsonObject).hash;
    expect(await verify(`${receipts.join('\n')}\n`)).toMatchObject({
      code: 0,
      stdout: `whole: 5 receipts, 1 to 5; receipt 1 is the first of its chain; the last has hash ${last}\n`,
    });
    const json = JSON.parse((await verify(receipts.join('\n'), '--json')).stdout);
    expect(json).toEqual({ ok: true, receipts: 5, first: 1, last: 5, predecessor: 'none', lastHash: last, faults: [] });
  });

  it('of nothing', async () => {
    expect(await verify('')).toMatchObject({ code: 0, stdout: 'no receipts\n' });
    expect(await verify('\n')).toMatchObject({ code: 0, stdout: 'no receipts\n' });
    expect(await verify('', '--committed', '2')).toMatchObject({ code: 1, stdout: expect.stringContaining('1 to 2') });
  });

  it.each<[string, () => readonly string[], string]>([
    ['edited', () => receipts.with(1, edited(1, { amountMinor: '1' })), 'line 2: receipt 2 was changed'],
    [
      'edited by somebody who makes the hash anew',
      () => receipts.with(1, edited(1, { amountMinor: '1' }, true)),
      'line 3: receipt 3 carries another hash than that of 2',
    ],
    ['dropped', () => receipts.toSpliced(2, 1), 'line 3: receipts between 2 and 4 are missing'],
    [
      'exchanged with its neighbour',
      () => receipts.with(1, receipts[2] as string).with(2, receipts[1] as string),
      'line 2: receipts between 1 and 3 are missing',
    ],
    ['doubled', () => receipts.toSpliced(1, 0, receipts[1] as string), 'line 3: receipt 2 does not come after 2'],
    [
      'made unreadable',
      () => {
        const { receiptId, previous, hash } = JSON.parse(receipts[1] as string) as JsonObject;
        return receipts.with(1, JSON.stringify({ receiptId, previous, hash, kind: 'unreadable', problem: 'lost' }));
      },
      'line 2: receipt 2: lost',
    ],
    [
      'given another member',
      () => receipts.with(0, edited(0, { note: 'ok' })),
      'line 1: it has the unknown member "note"',
    ],
  ])('names the first that was %s, exit 1', async (_, changed, expected) => {
    const { code, stdout } = await verify(changed().join('\n'));
    expect([code, stdout.split('\n')[0]]).toEqual([1, expect.stringContaining(expected)]);
    const json = JSON.parse((await verify(changed().join('\n'), '--json')).stdout) as JsonObject;
    expect([json.ok, (json.faults as JsonObject[])[0]?.line]).toEqual([false, Number(/\d+/.exec(expected)?.[0])]);
  });

  it('sees what was cut off at the end by what the ledger has committed', async () => {
    expect(await verify(receipts.slice(0, 3).join('\n'))).toMatchObject({ code: 0 });
    expect(await verify(receipts.slice(0, 3).join('\n'), '--committed', '5')).toMatchObject({
      code: 1,
      stdout: 'line 3: receipts 4 to 5 are missing at the end\n',
    });
    expect(await verify(receipts.join('\n'), '--committed', '4')).toMatchObject({ code: 1 });
  });

  describe('of receipts left out at the beginning', () => {
    const rest = () => receipts.slice(2).join('\n');
    const hashOf = (id: number) => (JSON.parse(receipts[id - 1] as string) as JsonObject).hash as string;

    it('says from where on it was checked, where nothing else is known', async () => {
      const { code, stdout } = await verify(rest());
      expect([code, stdout]).toEqual([
        0,
        'whole: 3 receipts, 3 to 5; checked from receipt 3, whose predecessor was not given (--after, --last-hash); ' +
          `the last has hash ${hashOf(5)}\n`,
      ]);
      expect(JSON.parse((await verify(rest(), '--json')).stdout)).toMatchObject({ predecessor: 'not given' });
      const dropped = await verify([receipts[2], receipts[4]].join('\n'));
      expect([dropped.code, dropped.stdout]).toEqual([
        1,
        'line 2: receipts between 3 and 5 are missing\n' +
          'checked from receipt 3, whose predecessor was not given (--after, --last-hash)\n',
      ]);
    });

    it.each<[string, () => readonly string[], string]>([
      ['the last one that is known and its hash', () => ['--after', '2', '--last-hash', hashOf(2)], 'it follows'],
      ['its hash alone', () => ['--last-hash', hashOf(2)], 'it follows what was given'],
      [
        'its id alone',
        () => ['--after', '2'],
        'nothing is missing since receipt 2, whose hash was not given (--last-hash)',
      ],
      ['a later one, which is in the export', () => ['--after', '4', '--last-hash', hashOf(4)], 'it follows'],
      ['the hash of a later one', () => ['--last-hash', hashOf(4)], 'it follows what was given'],
    ])('goes on from %s', async (_, options, expected) => {
      const { code, stdout } = await verify(rest(), ...options());
      expect([code, stdout]).toEqual([0, expect.stringContaining(expected)]);
      expect(JSON.parse((await verify(rest(), ...options(), '--json')).stdout)).toMatchObject({
        ok: true,
        predecessor: 'known',
      });
    });

    it('goes on from nothing where nothing is known yet', async () => {
      expect(await verify(receipts.join('\n'), '--after', '0')).toMatchObject({ code: 0 });
      expect(await verify('', '--after', '4')).toMatchObject({ code: 0, stdout: 'no receipts after 4\n' });
      expect(await verify('', '--after', '4', '--committed', '5')).toMatchObject({
        code: 1,
        stdout: 'line 1: receipt 5 is missing at the end\n',
      });
    });

    it.each<[string, () => readonly string[], string]>([
      ['an earlier one is the last known', () => ['--after', '1'], 'line 1: receipt 2 is missing at the beginning'],
      [
        'an earlier one, with its hash',
        () => ['--after', '1', '--last-hash', hashOf(1)],
        'line 1: receipts between 1 and 3 are missing\n',
      ],
      ['nothing is known', () => ['--after', '0'], 'line 1: receipts between 0 and 3 are missing\n'],
      [
        'the one before has another hash',
        () => ['--after', '2', '--last-hash', hashOf(1)],
        'line 1: receipt 3 carries another hash than that of 2\n',
      ],
      [
        'one in the export has another',
        () => ['--after', '4', '--last-hash', hashOf(1)],
        'line 2: receipt 4 has another hash than the one given\n',
      ],
      ['the hash is of none of them', () => ['--last-hash', hashOf(1)], 'line 1: no receipt has the hash '],
      ['more is known than the export has', () => ['--after', '9'], 'receipts 6 to 9 are missing at the end\n'],
    ])('finds them where %s', async (_, options, expected) => {
      const { code, stdout } = await verify(rest(), ...options());
      expect([code, stdout]).toEqual([1, expect.stringContaining(expected)]);
    });

    it('takes nothing for a hash or a receipt that is none', async () => {
      const path = bench.write('export.ndjson', rest());
      for (const [option, value] of [
        ['--last-hash', 'x'],
        ['--last-hash', hashOf(2).toUpperCase()],
        ['--after', '-1'],
        ['--after', 'NaN'],
        ['--after', '4294967296'],
      ] as const)
        expect(await refused('ledger', 'verify-export', path, option, value)).toContain(option);
      expect(await refused('ledger', 'verify-export', path, '--after', '5', '--committed', '4')).toContain('--after 5');
    });
  });

  it.each<[string, string | Uint8Array, string]>([
    ['a line cut off', '{"receiptId":1,"prev', 'line 1: '],
    ['text', 'receipts', 'line 1: '],
    ['a list', '[]', 'line 1 is no JSON object'],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe), 'not UTF-8'],
  ])('what is no export is told in one line, exit 2: %s', async (_, content, expected) => {
    const path = bench.write('none.ndjson', content);
    expect(await refused('ledger', 'verify-export', path)).toContain(expected);
  });

  it('shows no control characters that somebody has put into it', async () => {
    const { receiptId, previous, hash } = JSON.parse(receipts[0] as string) as JsonObject;
    const problem = 'lost\u001b[2J\nwhole: 1 receipt';
    const { stdout } = await verify(JSON.stringify({ receiptId, previous, hash, kind: 'unreadable', problem }));
    expect(stdout).toBe('line 1: receipt 1: lost [2J whole: 1 receipt\n');
  });

  it('a blank line in the middle is none', async () => {
    const text = `${receipts[0]}\n\n${receipts[1]}`;
    expect(await refused('ledger', 'verify-export', bench.write('blank.ndjson', text))).toContain('line 2: ');
  });
});

describe('a call that cannot be carried out', () => {
  let spends = '';
  beforeAll(() => {
    const flash = new MemoryFlash();
    receipt(new FlashLedger(flash, crypto).authorize(spend({ budget: key('b') })));
    spends = bench.write('ledger.flash', flash.cells);
  });

  it('asks a journal for a total, or a ledger for receipts', async () => {
    expect(await refused('ledger', 'inspect', whole, '--grant-id', 'g')).toContain(
      "--grant-id is for a ledger's image",
    );
    expect(await refused('ledger', 'export', spends)).toContain("receipts are in the journal's image");
    expect(await refused('ledger', 'check', spends, '--committed', '1')).toContain(
      "--committed is for a journal's image",
    );
    expect(await refused('ledger', 'inspect', spends, '--ledger', spends)).toContain(
      "--ledger is for a journal's image",
    );
  });

  it('says twice what was committed, or by something that is no ledger', async () => {
    expect(await refused('ledger', 'check', whole, '--ledger', spends, '--committed', '5')).toContain('both say');
    expect(await refused('ledger', 'check', whole, '--ledger', whole)).toContain(
      'journal.flash: it is a journal, not a spend ledger',
    );
    expect(await refused('ledger', 'check', whole, '--ledger', bench.path('nowhere'))).toContain('no such file');
    expect(await refused('ledger', 'check', whole, '--committed', '-1')).toContain('--committed');
  });

  it.each<[string, () => Uint8Array, string]>([
    ['garbage', () => new Uint8Array(65_536).fill(0x5a), 'it holds neither a spend ledger nor a journal'],
    ['nothing', () => new Uint8Array(0), 'it is empty'],
    ['blank flash', () => new Uint8Array(65_536).fill(0xff), 'it is blank: all its bytes are 0xFF'],
    ['half a block', () => new Uint8Array(2048), 'its 2048 bytes are no whole blocks of 4096'],
    ['a bundle set', () => bundleSet(), 'it holds Trust Bundles, not a spend ledger or a journal'],
  ])('has %s for an image', async (_, bytes, expected) => {
    const path = bench.write('none.flash', bytes());
    for (const command of ['inspect', 'check', 'export'])
      expect(await refused('ledger', command, path)).toContain(`none.flash: ${expected}`);
  });

  it('has a journal that is cut off, or of another format', async () => {
    const flash = new MemoryFlash();
    append(opened(flash), ...ENTRIES);
    expect(await refused('ledger', 'check', bench.write('cut.flash', flash.cells.subarray(0, 5000)))).toContain(
      'cut.flash',
    );
    expect(await refused('ledger', 'check', bench.write('short.flash', flash.cells.subarray(0, 8192)))).toContain(
      'too small',
    );
  });

  it('has a ledger whose records are not of its format, though their CRCs are good', async () => {
    const flash = new MemoryFlash();
    const log = new BlockLog(flash, SPEND_LAYOUT);
    log.format();
    log.append(KIND.spend, PART.counters, new Uint8Array(16));
    const path = bench.write('strange.flash', flash.cells);
    for (const command of ['inspect', 'check'])
      expect(await refused('ledger', command, path)).toContain(
        'strange.flash: record 1 at byte 32 is not one of a spend ledger of format 3: its parts take 2 units, it has 1',
      );
  });

  it('would write over the image', async () => {
    expect(await refused('ledger', 'export', whole, '--out', whole)).toContain('are the same file');
  });
});
