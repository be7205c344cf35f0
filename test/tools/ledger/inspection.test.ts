// What the command line says of a ledger's image: the same as the ledger itself, and what is missing.

import { describe, expect, it } from 'vitest';
import { BlockLog } from '../../../core/ledger/block-log.ts';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { ledgerKey } from '../../../core/ledger/keys.ts';
import { KIND, PART, SPEND_LAYOUT } from '../../../core/ledger/spend-record.ts';
import { admitCounter } from '../../../core/provisioning/counter.ts';
import { ImageProblem } from '../../../tools/ledger/image.ts';
import { grantKey, inspectLedger } from '../../../tools/ledger/inspection.ts';
import { NOW } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { key, newest, receipt, spend } from '../../fixtures/spends.ts';

function used(): { readonly flash: MemoryFlash; readonly ledger: FlashLedger } {
  const flash = new MemoryFlash({ size: 16_384, blockSize: 1024 });
  const ledger = new FlashLedger(flash, crypto);
  for (let i = 0; i < 60; i++) {
    receipt(ledger.authorize(spend({ budget: key(`b${i % 5}`), replay: key(`r${i % 7}-${i}`) })));
    while (ledger.step());
  }
  receipt(ledger.reserve(spend({ budget: key('open'), amount: 77n })));
  receipt(ledger.settle(receipt(ledger.reserve(spend({ budget: key('ended') }))).receiptId, 3n, NOW));
  ledger.admitted('a bundle', newest(NOW, NOW + 1000));
  return { flash, ledger };
}

const hex = (name: string) => Buffer.from(key(name), 'latin1').toString('hex');

describe('an inspected image', () => {
  it('has the totals the ledger has', () => {
    const { flash, ledger } = used();
    const found = inspectLedger(flash.cells, { blockSize: 1024 });
    expect(found.grants).toMatchObject([{ key: hex('g'), total: ledger.grantTotal(key('g')).toString() }]);
    for (const name of ['b0', 'b4', 'open', 'ended']) {
      expect(found.budgets.find((one) => one.key === hex(name))?.total).toBe(ledger.budgetTotal(key(name)).toString());
    }
    expect(found.fill).toEqual({ used: ledger.fill.used, of: ledger.fill.of });
    expect(found.wear).toEqual(ledger.wear);
    expect(found.replayIds).toBe(60);
  });

  it('has the open reservations, the time floor and the bundles', () => {
    const { flash } = used();
    const found = inspectLedger(flash.cells, { blockSize: 1024 });
    expect(found.reservations).toMatchObject([{ amount: '77', budget: hex('open') }]);
    expect(found.timeFloor).toBe(new Date(NOW).toISOString());
    expect(found.bundles).toHaveLength(1);
    expect(found.damage).toEqual([]);
  });

  it('has the counter of the newest provisioning image, which is no bundle', () => {
    const { flash, ledger } = used();
    expect(inspectLedger(flash.cells, { blockSize: 1024 }).provisioningCounter).toBe(0);
    for (const counter of [3, 7]) expect(admitCounter(ledger, counter)).toBeUndefined();
    const found = inspectLedger(flash.cells, { blockSize: 1024 });
    expect([found.provisioningCounter, found.bundles.length]).toEqual([7, 1]);
  });

  it('is not changed by looking', () => {
    const { flash } = used();
    const before = flash.snapshot();
    inspectLedger(flash.cells, { blockSize: 1024 });
    expect(Buffer.compare(flash.cells, before)).toBe(0);
  });

  it('says of what nobody knows whether there was more', () => {
    const flash = new MemoryFlash();
    const ledger = new FlashLedger(flash, crypto);
    for (const name of ['before', 'lost', 'since'])
      receipt(ledger.authorize(spend({ grant: key(name), budget: key(`${name}-b`) })));
    const at = Buffer.from(flash.cells).indexOf(Buffer.from(key('lost'), 'latin1'));
    flash.cells.fill(0, at, at + 16);
    const { grants, budgets, damage } = inspectLedger(flash.cells, { blockSize: 4096 });
    expect(damage).toEqual(['records before number 3 are lost']);
    expect(grants.map(({ key: one, doubtful }) => [one, doubtful])).toEqual([
      [hex('before'), true],
      [hex('since'), undefined],
    ]);
    expect(budgets.map(({ doubtful }) => doubtful)).toEqual([true, undefined]);
  });

  it('says what is lost', () => {
    const { flash } = used();
    // The newest bundle's record is last; what is before it must be there.
    const at = Buffer.from(flash.cells).lastIndexOf(Buffer.from(key('ended'), 'latin1'));
    flash.cells[at] = (flash.cells[at] as number) ^ 1;
    expect(inspectLedger(flash.cells, { blockSize: 1024 }).damage.join()).toMatch(/records before number \d+ are lost/);
  });

  it('finds a grant by its id', () => {
    expect(grantKey('grant_17')).toBe(
      Buffer.from(ledgerKey(crypto, 'grant', new Uint8Array(0), 'grant_17'), 'latin1').toString('hex'),
    );
  });
});

describe('what is no ledger', () => {
  it.each([
    ['garbage', new Uint8Array(65_536).fill(0x5a)],
    ['nothing', new Uint8Array(0)],
    ['half a block', new Uint8Array(2048)],
    ['blank flash', new Uint8Array(65_536).fill(0xff)],
  ])('%s is an ImageProblem, in words', (_, bytes) => {
    expect(() => inspectLedger(bytes, { blockSize: 4096 })).toThrow(ImageProblem);
  });

  it('records that are not of its format are an ImageProblem that says where the first is', () => {
    const flash = new MemoryFlash();
    const log = new BlockLog(flash, SPEND_LAYOUT);
    log.format();
    log.append(KIND.seal, 0, new Uint8Array(16));
    log.append(KIND.state, PART.grant, new Uint8Array(32));
    const inspected = () => inspectLedger(flash.cells, { blockSize: 4096 });
    expect(inspected).toThrow(ImageProblem);
    expect(inspected).toThrow('record 2 at byte 48 is not one of a spend ledger of format 3');
  });

  it('more ids than a ledger of its size lets in are an ImageProblem: a device refuses all of it', () => {
    const flash = new MemoryFlash({ size: 4096, blockSize: 1024 });
    const log = new BlockLog(flash, SPEND_LAYOUT);
    log.format();
    for (let id = 1; id < 60; id++) {
      if (!log.fits(2)) log.prepare();
      log.append(KIND.spend, PART.replay, new Uint8Array(32).fill(id));
    }
    expect(() => inspectLedger(flash.cells, { blockSize: 1024 })).toThrow(ImageProblem);
    expect(() => inspectLedger(flash.cells, { blockSize: 1024 })).toThrow('more grants, budgets and ids');
  });
});
