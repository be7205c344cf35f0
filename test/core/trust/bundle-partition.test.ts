// The bundle set on its partition: taken in as it arrives, switched in one write, verified again at every start. What cannot
// be kept is not admitted, and what is in force stays so.

import { describe, expect, it } from 'vitest';
import { MemoryLedger } from '../../../core/ledger/memory-ledger.ts';
import { BUNDLE_LIMITS, BUNDLE_SET_BYTES } from '../../../core/limits.ts';
import { FlashWindow } from '../../../core/ports/flash-window.ts';
import type { Flash } from '../../../core/ports/ports.ts';
import { BundlePartition, bundlePartitionBytes } from '../../../core/trust/bundle-partition.ts';
import { type BundleIntake, type SetAdmission, Verifier } from '../../../core/verifier.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { publicJwk } from '../../../host-sim/signing/keys.ts';
import { bundle, type Changes, entry, grant, inSeconds, NOW, present, revoked, sba } from '../../fixtures/artifacts.ts';
import { crypto, Device, type DeviceOptions } from '../../fixtures/device.ts';
import { otherRoot, PA, pa, WALLET, wallet } from '../../fixtures/keys.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { site as configured } from '../../fixtures/site.ts';
import { utf8 } from '../../fixtures/text.ts';

const BLOCK = 4096;
const RECORD = 96;
const numbered = (n: number, changes: Changes = {}) =>
  bundle({ bundleIssuer: `operator-${n}`, bundleId: `bundle-${n}`, ...changes });
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const answer = (...bundles: readonly Uint8Array[]) => utf8(`{"bundles":[${bundles.map(text).join(',')}]}`);
/** A bundle of so many bytes. */
const sized = (bytes: Uint8Array, size: number) => utf8(`{${' '.repeat(size - bytes.length)}${text(bytes).slice(1)}`);

interface Site {
  readonly device: Device;
  readonly flash: MemoryFlash;
}

function site(size = 16 * BLOCK, options: DeviceOptions = {}): Site {
  const flash = new MemoryFlash({ size });
  return { device: new Device({ bundles: [], bundleFlash: flash, ...options }), flash };
}

function codes(result: SetAdmission): unknown {
  return 'ok' in result ? result.code : result.map((admission) => (admission.ok ? 'ok' : admission.code));
}

function held(device: Device): readonly string[] {
  return device.verifier.trust.bundles.map((one) => one.bundleId).sort();
}

/** Starts the device again with what is on flash, and loads its bundles. */
function restarted(device: Device): SetAdmission {
  return device.restart([]).verifier.loadBundles();
}

/** A payment whose artifacts are good for hours. */
const lasting = () =>
  present({ sba: sba({ expiresAt: inSeconds(9999) }), grant: grant({ expiresAt: inSeconds(9999) }) });

describe('an answer that arrives', () => {
  it('is admitted, checked with and there after a restart', () => {
    const { device } = site();
    expect(codes(device.take(answer(bundle())))).toEqual(['ok']);
    device.approves(() => device.authorize(present()));
    expect(codes(restarted(device))).toEqual(['ok']);
    expect(held(device)).toEqual(['bundle-1']);
    device.refuses('BUDGET_ID_REPLAY', () => device.authorize(present()));
  });

  it('may come in chunks of any size, cut anywhere', () => {
    const odd = bundle({
      note: 'é\u{1f600}\u0001"\\',
      numbers: [1.5e-7, -0, 1e21],
      issuers: [entry(PA, pa), entry(WALLET, wallet)],
    });
    const escaped = utf8(text(odd).replace('é', '\\u00e9').replace('bundleId', 'bundle\\u0049d'));
    const whole = answer(odd, sized(numbered(2), 9000), escaped);
    for (const chunk of [1, 2, 3, 15, 16, 17, 255, 256, 257, 4096, 100_000]) {
      const { device } = site(32 * BLOCK);
      expect([chunk, codes(device.take(whole, chunk))]).toEqual([chunk, ['ok', 'ok', 'ok']]);
      expect(codes(restarted(device))).toEqual(['ok', 'ok']);
    }
  });

  it('lies on flash byte for byte, wherever it was cut', () => {
    const cells = [1, 7, 256, 5000].map((chunk) => {
      const { device, flash } = site();
      device.take(answer(sized(bundle(), 5000)), chunk);
      return Buffer.from(flash.cells).toString('base64');
    });
    expect(new Set(cells).size).toBe(1);
  });

  it('is logged bundle by bundle', () => {
    const { device } = site();
    device.take(answer(numbered(1), numbered(2, { version: '2.0' })));
    expect(device.events).toMatchObject([
      { event: 'bundle.admitted', bundleId: 'bundle-1', expiresAtMs: NOW + 86_400_000 },
      { event: 'bundle.refused', check: 'bundle.shape', code: 'VERSION_UNSUPPORTED' },
    ]);
  });

  it('that brings what is held takes nothing from the ledger', () => {
    const { device } = site();
    device.take(answer(bundle()));
    const before = device.state();
    expect(codes(device.take(answer(bundle())))).toEqual(['ok']);
    expect(device.state()).toEqual(before);
  });

  it('is taken in by a window of a larger flash', () => {
    const chip = new MemoryFlash({ size: 40 * BLOCK });
    const device = new Device({ bundles: [], bundleFlash: new FlashWindow(chip, 8 * BLOCK, 16 * BLOCK) });
    device.take(answer(bundle()));
    expect(codes(restarted(device))).toEqual(['ok']);
    const beside = [...chip.cells.subarray(0, 8 * BLOCK), ...chip.cells.subarray(24 * BLOCK)];
    expect(beside.every((byte) => byte === 0xff)).toBe(true);
  });
});

describe('bundles of other identities', () => {
  it('stay, and are carried over', () => {
    const { device } = site();
    device.take(answer(numbered(1), numbered(2)));
    device.take(answer(numbered(3)));
    device.take(answer(numbered(2, { bundleId: 'newer', issuedAt: inSeconds(-1) })));
    expect(held(device)).toEqual(['bundle-1', 'bundle-3', 'newer']);
    device.approves(() => device.verifier.check(present(), { amountMinor: '1000', sessionId: 'session-1' }));
    restarted(device);
    expect(held(device)).toEqual(['bundle-1', 'bundle-3', 'newer']);
  });

  it('stay where an answer brings nothing that is admitted', () => {
    const { device } = site();
    device.take(answer(numbered(1)));
    for (const set of [
      answer(),
      answer(numbered(2, {}), numbered(3)).slice(0, -1),
      answer(bundle({}, otherRoot)),
      utf8('x'),
    ]) {
      device.take(set);
      expect(held(device)).toEqual(['bundle-1']);
      device.approves(() => device.verifier.check(present(), { amountMinor: '1000', sessionId: 'session-1' }));
      expect(codes(restarted(device))).toEqual(['ok']);
    }
  });

  it('leave no room for a fifth, until one has expired', () => {
    const { device } = site(32 * BLOCK);
    const four = [1, 2, 3, 4].map((n) => numbered(n, { expiresAt: inSeconds(n * 1000) }));
    device.take(answer(...four));
    expect(codes(device.take(answer(numbered(5))))).toEqual(['STORE_FULL']);
    device.nowMs = NOW + 1_500_000;
    expect(codes(device.take(answer(numbered(5))))).toEqual(['ok']);
    restarted(device);
    expect(held(device)).toEqual(['bundle-2', 'bundle-3', 'bundle-4', 'bundle-5']);
  });

  it('that are in memory only are left alone', () => {
    const { device } = site();
    expect(device.verifier.admit(numbered(1))).toMatchObject({ ok: true });
    device.take(answer(numbered(2)));
    expect(held(device)).toEqual(['bundle-1', 'bundle-2']);
    restarted(device);
    expect(held(device)).toEqual(['bundle-2']);
  });
});

describe('in one answer', () => {
  it('the floor that a bundle moves counts for the next', () => {
    const { device } = site();
    const ahead = numbered(1, { issuedAt: inSeconds(7200) });
    const short = numbered(2, { expiresAt: inSeconds(3600) });
    expect(codes(device.take(answer(ahead, short)))).toEqual(['ok', 'ARTIFACT_EXPIRED']);
    const inMemory = site();
    expect(codes(inMemory.device.verifier.admitSet(answer(ahead, short)))).toEqual(['ok', 'ARTIFACT_EXPIRED']);
  });

  it('a newer bundle of the same identity takes the place of the one before it', () => {
    const { device } = site();
    const newer = numbered(1, { bundleId: 'newer', issuedAt: inSeconds(-1) });
    expect(codes(device.take(answer(numbered(1), newer)))).toEqual(['ok', 'ok']);
    expect(held(device)).toEqual(['newer']);
    expect(codes(restarted(device))).toEqual(['ok']);
    expect(held(device)).toEqual(['newer']);
  });

  it('a twin of a bundle before it is refused', () => {
    const { device } = site();
    expect(codes(device.take(answer(numbered(1), numbered(1, { bundleId: 'twin' }))))).toEqual([
      'ok',
      'BUNDLE_ROLLBACK',
    ]);
  });
});

describe('a start', () => {
  it('without a clock: the bundles wait until it is set, and no answer is taken in', () => {
    const { device, flash } = site();
    device.take(answer(bundle()));
    device.nowMs = undefined;
    expect(codes(restarted(device))).toBe('CLOCK_UNTRUSTED');
    expect([device.verifier.bundlesLoaded, held(device)]).toEqual([false, []]);
    const before = flash.snapshot();
    expect(codes(device.take(answer(numbered(2))))).toBe('CLOCK_UNTRUSTED');
    expect(flash.snapshot()).toEqual(before);
    device.nowMs = NOW;
    expect(codes(device.verifier.loadBundles())).toEqual(['ok']);
    expect([device.verifier.bundlesLoaded, held(device)]).toEqual([true, ['bundle-1']]);
    expect(device.verifier.loadBundles()).toEqual([]);
  });

  it('says why the bundles wait, once until that changes', () => {
    const { device, flash } = site();
    device.take(answer(bundle()));
    device.restart([]);
    device.events.length = 0;
    const told = () => device.events.splice(0).map(({ event, code }) => [event, code]);
    device.nowMs = undefined;
    for (let i = 0; i < 3; i++) device.verifier.loadBundles();
    expect(device.verifier.beginBundles()).toMatchObject({ code: 'CLOCK_UNTRUSTED' });
    expect(told()).toEqual([['bundle.refused', 'CLOCK_UNTRUSTED']]);
    device.nowMs = NOW;
    flash.fail('read');
    for (let i = 0; i < 3; i++) device.verifier.loadBundles();
    expect(told()).toEqual([['bundles.failed', 'STORE_FAILED']]);
    device.nowMs = undefined;
    device.verifier.loadBundles();
    expect(told()).toEqual([['bundle.refused', 'CLOCK_UNTRUSTED']]);
    device.nowMs = NOW;
    flash.recover();
    device.verifier.loadBundles();
    expect(told()).toEqual([['bundle.admitted', undefined]]);
  });

  it('with a clock that answers once loads all bundles by that time', () => {
    const { device } = site();
    device.take(answer(numbered(1), numbered(2)));
    let asked = 0;
    Object.defineProperty(device, 'nowMs', { get: () => (asked++ === 0 ? NOW : undefined) });
    expect(codes(restarted(device))).toEqual(['ok', 'ok']);
    expect(held(device)).toEqual(['bundle-1', 'bundle-2']);
  });

  it('of which nobody asked: an answer loads them first', () => {
    const { device } = site();
    device.take(answer(numbered(1)));
    device.restart([]);
    device.take(answer(numbered(2)));
    expect(held(device)).toEqual(['bundle-1', 'bundle-2']);
  });

  it('keeps an expired bundle for what it revokes', () => {
    const { device } = site();
    const revoking = bundle({ bundleIssuer: 'r', expiresAt: inSeconds(60), issuers: [entry(WALLET, revoked(wallet))] });
    device.take(answer(bundle(), revoking));
    device.nowMs = NOW + 600_000;
    expect(codes(restarted(device))).toEqual(['ok', 'ok']);
    device.refuses('KEY_REVOKED', () => device.authorize(lasting()));
  });

  it('verifies again: with other root keys nothing is admitted', () => {
    const flash = new MemoryFlash({ size: 16 * BLOCK });
    new Device({ bundles: [], bundleFlash: flash }).take(answer(bundle()));
    const other = new Device({
      bundles: [],
      bundleFlash: flash,
      configuration: { rootKeys: [{ kid: otherRoot.kid, publicKey: otherRoot.publicKey }] },
    });
    expect(codes(other.verifier.loadBundles())).toEqual(['KEY_NOT_FOUND']);
    expect(held(other)).toEqual([]);
  });

  it('attack: an older set put in the place of the newest is refused', () => {
    const { device, flash } = site();
    device.take(answer(bundle()));
    const old = flash.snapshot();
    device.take(answer(bundle({ issuedAt: inSeconds(-1) })));
    flash.cells.set(old);
    expect(codes(restarted(device))).toEqual(['BUNDLE_ROLLBACK']);
    expect(held(device)).toEqual([]);
  });

  it('attack: a bundle changed on flash, and its record with it, is refused', () => {
    const { device, flash } = site();
    device.take(answer(bundle({ revokedGrantIds: ['grant-1'] })));
    const partition = new BundlePartition(flash, crypto);
    const [[start, end] = [0, 0]] = partition.open().ranges;
    const forged = utf8(text(flash.cells.slice(start, end)).replace('grant-1', 'grant-2'));
    partition.begin();
    partition.write(forged);
    partition.commit([partition.flush()]);
    expect(codes(restarted(device))).toEqual(['TRUST_BUNDLE_SIGNATURE_INVALID']);
  });

  it('on a partition that nobody has used, or that holds anything, finds no bundles', () => {
    for (const fill of [0xff, 0x00, 0x4d]) {
      const { device, flash } = site();
      flash.cells.fill(fill);
      expect(restarted(device)).toEqual([]);
      expect(device.verifier.bundlesLoaded).toBe(true);
    }
  });

  it('on a partition that holds a ledger does not touch it', () => {
    const ledger = new MemoryFlash();
    new Device({ bundles: [], flash: ledger });
    const before = ledger.snapshot();
    const device = new Device({ bundles: [], bundleFlash: ledger });
    expect(codes(device.verifier.loadBundles())).toBe('STORE_FAILED');
    expect(codes(device.take(answer(bundle())))).toBe('STORE_FAILED');
    expect(ledger.snapshot()).toEqual(before);
  });
});

describe('damage in the copy in force', () => {
  it('anywhere in its record or its bundle: the other copy is taken, where that is whole', () => {
    const made = site(2 * BLOCK);
    made.device.take(answer(bundle()));
    const first = made.flash.snapshot();
    made.device.take(answer(bundle()));
    const second = made.flash.snapshot();
    const used = RECORD + answer(bundle()).length;
    // The first copy is in both snapshots the same; the second is newer.
    expect(second.subarray(0, BLOCK)).toEqual(first.subarray(0, BLOCK));
    for (let at = BLOCK; at < BLOCK + used; at += 3) {
      made.flash.cells.set(second);
      made.flash.cells[at] = (made.flash.cells[at] as number) ^ (1 << (at % 8));
      const result = restarted(made.device);
      expect([at, codes(result)]).toEqual([at, ['ok']]);
    }
  });

  it('and in the other one too: there are no bundles, and the next answer brings them', () => {
    const { device, flash } = site(2 * BLOCK);
    device.take(answer(bundle()));
    device.take(answer(bundle()));
    for (const copy of [0, BLOCK]) flash.cells[copy + 200] = 0;
    expect(restarted(device)).toEqual([]);
    device.refuses('NO_TRUST_BUNDLE', () => device.authorize(present()));
    expect(codes(device.take(answer(bundle())))).toEqual(['ok']);
    expect(codes(restarted(device))).toEqual(['ok']);
  });

  it('of one bundle of several: all come from the other copy, never some', () => {
    const { device, flash } = site(2 * 3 * BLOCK);
    device.take(answer(numbered(1), numbered(2)));
    device.take(answer(numbered(1, { bundleId: 'newer-1', issuedAt: inSeconds(-1) })));
    expect(held(device)).toEqual(['bundle-2', 'newer-1']);
    const at = Buffer.from(flash.cells).indexOf('bundle-2', 3 * BLOCK);
    flash.cells[at] = 0x41;
    expect(codes(restarted(device))).toEqual(['BUNDLE_ROLLBACK', 'ok']);
    expect(held(device)).toEqual(['bundle-2']);
    // What was remembered is not given up: the newest comes with the next answer, and the damaged copy is written over.
    expect(codes(device.take(answer(numbered(1, { bundleId: 'newer-1', issuedAt: inSeconds(-1) }))))).toEqual(['ok']);
    restarted(device);
    expect(held(device)).toEqual(['bundle-2', 'newer-1']);
  });

  it('is told once, in words; a record that does not read is not, as a cut leaves such too', () => {
    const { device, flash } = site(2 * BLOCK);
    device.take(answer(bundle()));
    device.take(answer(bundle()));
    const good = flash.snapshot();
    const told = (...damaged: readonly number[]) => {
      flash.cells.set(good);
      for (const at of damaged) flash.cells[at] = (flash.cells[at] as number) ^ 1;
      device.events.length = 0;
      restarted(device);
      device.verifier.loadBundles();
      return device.events.filter(({ event }) => event === 'bundles.damaged').map(({ detail }) => detail);
    };
    expect(told()).toEqual([]);
    expect(told(200)).toEqual([]);
    expect(told(BLOCK + 200)).toEqual(['the newest bundle set is not as it was written: the one before it is taken']);
    expect(told(200, BLOCK + 200)).toEqual(['no bundle set is as it was written']);
    expect(told(BLOCK)).toEqual([]);
    expect(told(200, BLOCK)).toEqual(['no bundle set is as it was written']);
  });

  it('of the only copy there is, is told', () => {
    const { device, flash } = site();
    device.take(answer(bundle()));
    flash.cells[200] = 0;
    expect(restarted(device)).toEqual([]);
    expect(device.events).toContainEqual({ event: 'bundles.damaged', detail: 'no bundle set is as it was written' });
  });

  it('while it is used: payments are refused with STORE_FAILED', () => {
    const { device, flash } = site();
    device.take(answer(bundle({ revokedGrantIds: ['g'] })));
    const good = flash.snapshot();
    const used = RECORD + answer(bundle({ revokedGrantIds: ['g'] })).length;
    let refused = 0;
    for (let at = RECORD; at < used; at++) {
      flash.cells.set(good);
      flash.cells[at] = (flash.cells[at] as number) ^ (1 << (at % 8));
      // As after a refresh: keys that were found before are remembered, and not read again.
      device.verifier.trust.replace(device.verifier.trust.bundles);
      const decision = device.verifier.check(present(), { amountMinor: '1000', sessionId: 'session-1' });
      if (decision.ok) continue;
      refused++;
      expect(decision.code).toBe('STORE_FAILED');
    }
    expect(refused).toBeGreaterThan(100);
  });

  it('after its keys were found: those are good, and no others are', () => {
    const { device, flash } = site();
    device.take(answer(bundle()));
    const pay = (issuerKeyId: string) =>
      device.verifier.check(present({ sba: { ...sba(), issuerKeyId } }), {
        amountMinor: '1000',
        sessionId: 'session-1',
      });
    expect(pay(wallet.kid)).toMatchObject({ ok: true });
    flash.cells.fill(0, RECORD, RECORD + answer(bundle()).length);
    expect(pay(wallet.kid)).toMatchObject({ ok: true });
    expect(pay('another')).toMatchObject({ ok: false, code: 'STORE_FAILED' });
  });
});

describe('a ledger that has lost what it knew of the newest bundle', () => {
  const newer = () => bundle({ bundleId: 'newer', issuedAt: inSeconds(-1) });

  /** A device with a bundle in force, whose ledger has lost a record behind the one that remembers the bundle. */
  function damaged(): Site {
    const made = site();
    expect(codes(made.device.take(answer(bundle())))).toEqual(['ok']);
    const start = made.device.flash.snapshot();
    for (const budgetId of ['a', 'b', 'c'])
      made.device.approves(() => made.device.authorize(present({ sba: sba({ budgetId }) })));
    const at = made.device.flash.cells.findIndex((byte, i) => byte !== start[i]);
    made.device.flash.cells[at + 20] = (made.device.flash.cells[at + 20] as number) ^ 1;
    expect(codes(restarted(made.device))).toEqual(['ok']);
    expect(made.device.ledger.damage).toHaveLength(1);
    return made;
  }

  it.each<[string, () => Uint8Array]>([
    ['the same again', bundle],
    ['a newer one', newer],
    ['one of another identity', () => numbered(2)],
  ])('refuses %s, and nothing has changed: neither now nor after a start', (_, made) => {
    const { device, flash } = damaged();
    const before = held(device);
    expect(before).toEqual(['bundle-1']);
    device.events.length = 0;
    expect(codes(device.take(answer(made())))).toEqual(['STORE_FAILED']);
    expect(device.events).toMatchObject([{ event: 'bundles.failed', check: 'bundle.record', code: 'STORE_FAILED' }]);
    expect(held(device)).toEqual(before);
    expect(codes(restarted(device))).toEqual(['ok']);
    expect(held(device)).toEqual(before);
    expect(new BundlePartition(flash, crypto).open().ranges).toHaveLength(1);
  });

  it('takes what it can remember beside what it cannot', () => {
    const { device } = site();
    device.take(answer(bundle(), numbered(2)));
    expect(device.ledger.damage).toEqual([]);
    expect(codes(device.take(answer(newer(), numbered(2))))).toEqual(['ok', 'ok']);
    expect(held(device)).toEqual(['bundle-2', 'newer']);
  });
});

describe('flash that fails', () => {
  it('at a read for a payment: STORE_FAILED, by whatever check, and again good once it can be read', () => {
    const { device, flash } = site();
    device.take(answer(bundle({ revokedGrantIds: ['grant-1x'] })));
    flash.fail('read');
    const refusal = device.refuses('STORE_FAILED', () => device.authorize(present()));
    expect(refusal).toMatchObject({ artifact: 'policyGrant', check: 'policyGrant.signer' });
    const explained = device.authorize(present(), {}, { explain: true });
    expect(explained.trace?.find((line) => line.verdict === 'fail')).toMatchObject({ code: 'STORE_FAILED' });
    expect(device.verifier.resolveKey(PA, pa.kid, 'policyGrant')).toMatchObject({ ok: false, code: 'STORE_FAILED' });
    flash.recover();
    device.approves(() => device.authorize(present()));
  });

  it('at a start: the bundles wait, and are loaded once it can be read', () => {
    const { device, flash } = site();
    device.take(answer(bundle()));
    for (let reads = 0; reads < 5; reads++) {
      device.restart([]);
      flash.fail('read', reads);
      expect(codes(device.verifier.loadBundles())).toBe('STORE_FAILED');
      expect([device.verifier.bundlesLoaded, held(device)]).toEqual([false, []]);
      const before = [flash.done.program, flash.done.erase];
      expect(codes(device.take(answer(numbered(2))))).toBe('STORE_FAILED');
      expect([flash.done.program, flash.done.erase]).toEqual(before);
      flash.recover();
      expect(codes(device.verifier.loadBundles())).toEqual(['ok']);
    }
    expect(device.events).toContainEqual(expect.objectContaining({ event: 'bundles.failed', code: 'STORE_FAILED' }));
  });

  it.each(['read', 'program', 'erase'] as const)(
    'at any %s while an answer is taken in: nothing has changed',
    (operation) => {
      const newer = answer(numbered(1, { bundleId: 'newer', issuedAt: inSeconds(-1) }));
      let failed = 0;
      for (let after = 0; ; after++) {
        const { device, flash } = site(4 * BLOCK);
        device.take(answer(numbered(1), numbered(2)));
        const before = device.state();
        flash.fail(operation, after, 16);
        const result = device.take(newer);
        flash.recover();
        if (codes(result) !== 'STORE_FAILED') {
          expect(codes(result)).toEqual(['ok']);
          break;
        }
        failed++;
        expect(device.state()).toEqual(before);
        expect(held(device)).toEqual(['bundle-1', 'bundle-2']);
        device.approves(() => device.verifier.check(present(), { amountMinor: '1000', sessionId: 'session-1' }));
        expect(codes(device.take(newer))).toEqual(['ok']);
        expect(held(device)).toEqual(['bundle-2', 'newer']);
        restarted(device);
        expect(held(device)).toEqual(['bundle-2', 'newer']);
      }
      expect(failed).toBeGreaterThan(operation === 'erase' ? 0 : 5);
    },
  );

  it('that reads back differently than it was written: nothing has changed', () => {
    class Forgetful extends MemoryFlash {
      from = Number.POSITIVE_INFINITY;
      override program(offset: number, bytes: Uint8Array): void {
        super.program(offset, this.done.program >= this.from ? bytes.map((byte) => byte & 0xfe) : bytes);
      }
    }
    const flash = new Forgetful({ size: 4 * BLOCK });
    const device = new Device({ bundles: [], bundleFlash: flash });
    device.take(answer(numbered(1), numbered(2)));
    const newer = answer(numbered(1, { bundleId: 'newer', issuedAt: inSeconds(-1) }));
    const before = flash.done.program;
    device.take(newer);
    const programs = flash.done.program - before;
    for (let after = 0; after < programs; after++) {
      device.restart([]).verifier.loadBundles();
      flash.from = flash.done.program + after;
      const bundles = held(device);
      const result = device.take(newer);
      flash.from = Number.POSITIVE_INFINITY;
      expect(codes(result)).not.toEqual(['ok']);
      expect(held(device)).toEqual(bundles);
    }
  });

  it('of the ledger: what is switched but not remembered is not used, until it is', () => {
    const { device } = site();
    device.take(answer(numbered(1)));
    device.flash.fail('program');
    expect(
      codes(device.take(answer(numbered(1, { bundleId: 'newer', issuedAt: inSeconds(-1) }), numbered(2)))),
    ).toEqual(['STORE_FAILED', 'STORE_FAILED']);
    expect(held(device)).toEqual([]);
    device.refuses('STORE_FAILED', () => device.authorize(present()));
    device.flash.recover();
    expect(codes(restarted(device))).toEqual(['ok', 'ok']);
    expect(held(device)).toEqual(['bundle-2', 'newer']);
  });
});

describe('an answer that is given up', () => {
  it('because another one began takes no more and says so', () => {
    const { device } = site();
    const first = device.verifier.beginBundles();
    if ('ok' in first) throw new Error(first.detail);
    first.write(answer(numbered(1)).slice(0, 300));
    expect(codes(device.take(answer(numbered(2))))).toEqual(['ok']);
    expect(first.write(answer(numbered(1)).slice(300))).toMatchObject({ code: 'STORE_FAILED' });
    expect(first.end()).toMatchObject({ code: 'STORE_FAILED' });
    expect(held(device)).toEqual(['bundle-2']);
  });

  it('because another one could not be begun takes no more', () => {
    const { device, flash } = site();
    const first = device.verifier.beginBundles();
    if ('ok' in first) throw new Error(first.detail);
    first.write(answer(numbered(1)).slice(0, 300));
    flash.fail('erase');
    expect(device.verifier.beginBundles()).toMatchObject({ code: 'STORE_FAILED' });
    flash.recover();
    const before = flash.snapshot();
    expect(first.write(answer(numbered(1)).slice(300))).toMatchObject({ code: 'STORE_FAILED' });
    expect(flash.snapshot()).toEqual(before);
  });

  it('is not, where bundles that wait for the ledger are loaded meanwhile', () => {
    const { device, flash } = site();
    device.flash.fail('program');
    expect(codes(device.take(answer(numbered(1))))).toEqual(['STORE_FAILED']);
    const intake = device.verifier.beginBundles();
    if ('ok' in intake) throw new Error(intake.detail);
    const bytes = answer(numbered(2));
    intake.write(bytes.slice(0, 300));
    expect(codes(device.verifier.loadBundles())).toEqual(['STORE_FAILED']);
    expect(intake.write(bytes.slice(300))).toBeUndefined();
    intake.end();
    expect(text(flash.cells)).toContain(text(bytes));
  });

  it('because it ended cannot be ended again', () => {
    const { device } = site();
    const intake = device.verifier.beginBundles();
    if ('ok' in intake) throw new Error(intake.detail);
    intake.write(answer(numbered(1)));
    expect(codes(intake.end())).toEqual(['ok']);
    expect(codes(intake.end())).toBe('STORE_FAILED');
    expect(held(device)).toEqual(['bundle-1']);
  });

  it('in the middle leaves what is in force', () => {
    const { device } = site();
    device.take(answer(numbered(1)));
    const intake = device.verifier.beginBundles();
    if ('ok' in intake) throw new Error(intake.detail);
    intake.write(answer(numbered(2)).slice(0, 700));
    device.approves(() => device.authorize(present()));
    expect(codes(restarted(device))).toEqual(['ok']);
    expect(held(device)).toEqual(['bundle-1']);
  });

  it('a verifier without a partition takes none in', () => {
    const device = new Device();
    expect(device.take(answer(bundle()))).toMatchObject({ ok: false, code: 'STORE_FAILED' });
    expect([device.verifier.bundlesLoaded, device.verifier.loadBundles()]).toEqual([true, []]);
  });
});

describe('an answer that is too long', () => {
  it('is not waited for: no byte past the limit is written', () => {
    const { device, flash } = site(bundlePartitionBytes(BLOCK));
    const intake = device.verifier.beginBundles();
    if ('ok' in intake) throw new Error(intake.detail);
    const kilobyte = new Uint8Array(1024).fill(0x20);
    let taken = 0;
    while (intake.write(kilobyte) === undefined) taken += 1024;
    expect(taken).toBe(BUNDLE_SET_BYTES);
    const programs = flash.done.program;
    expect(intake.write(kilobyte)).toMatchObject({ code: 'LIMIT_EXCEEDED', check: 'bundle.read' });
    expect(intake.end()).toMatchObject({ code: 'LIMIT_EXCEEDED', check: 'bundle.read' });
    expect(flash.done.program).toBe(programs);
  });

  it('for a small partition is STORE_FULL, and nothing has changed', () => {
    const { device } = site(2 * BLOCK);
    device.take(answer(numbered(1)));
    const before = device.state();
    const room = BLOCK - RECORD;
    expect(device.take(answer(sized(numbered(2), room - 14 + 1)))).toMatchObject({
      code: 'STORE_FULL',
      check: 'bundle.room',
      detail: `the partition holds ${room} bytes of bundles; the answer has more`,
    });
    expect(device.state()).toEqual(before);
    expect(codes(restarted(device))).toEqual(['ok']);
    expect(codes(device.take(answer(sized(numbered(1), room - 14))))).toEqual(['ok']);
  });

  it('together with what stays is STORE_FULL, and nothing has changed', () => {
    const { device } = site(2 * BLOCK);
    device.take(answer(numbered(1)));
    const room = BLOCK - RECORD - 16 * Math.ceil(numbered(1).length / 16);
    const before = device.state();
    expect(device.take(answer(sized(numbered(2), room - 13)))).toMatchObject({
      code: 'STORE_FULL',
      detail: `the partition holds ${BLOCK - RECORD} bytes of bundles; the answer and 1 kept bundles have more`,
    });
    expect(device.state()).toEqual(before);
    expect(codes(restarted(device))).toEqual(['ok']);
    expect(codes(device.take(answer(sized(numbered(2), room - 16 - 14))))).toEqual(['ok']);
    expect(held(device)).toEqual(['bundle-1', 'bundle-2']);
  });
});

describe('the published size', () => {
  const largest = (n: number, changes: Changes = {}) => sized(numbered(n, changes), BUNDLE_LIMITS.bytes);

  it('is 456 KB in blocks of 4096 bytes', () => {
    expect(bundlePartitionBytes(BLOCK)).toBe(456 * 1024);
  });

  it('takes any answer and keeps all other bundles', () => {
    const { device } = site(bundlePartitionBytes(BLOCK));
    expect(codes(device.take(answer(...[1, 2, 3, 4].map((n) => largest(n))), 4096))).toEqual(['ok', 'ok', 'ok', 'ok']);
    // One that is admitted among others that are not, in as many bytes as an answer may have: three stay.
    const newer = largest(1, { bundleId: 'newer', issuedAt: inSeconds(-1) });
    const refused = [2, 3, 4].map((n) => largest(n, { issuedAt: inSeconds(-9999) }));
    const padded = text(answer(newer, ...refused)).padEnd(BUNDLE_SET_BYTES, ' ');
    expect(codes(device.take(utf8(padded), 4096))).toEqual([
      'ok',
      'BUNDLE_ROLLBACK',
      'BUNDLE_ROLLBACK',
      'BUNDLE_ROLLBACK',
    ]);
    restarted(device);
    expect(held(device)).toEqual(['bundle-2', 'bundle-3', 'bundle-4', 'newer']);
  });

  it('may be smaller by a block a copy for none of it', () => {
    const { device } = site(bundlePartitionBytes(BLOCK) - 2 * BLOCK);
    device.take(answer(...[1, 2, 3, 4].map((n) => largest(n))), 4096);
    const newer = largest(1, { bundleId: 'newer', issuedAt: inSeconds(-1) });
    const refused = [2, 3, 4].map((n) => largest(n, { issuedAt: inSeconds(-9999) }));
    expect(codes(device.take(utf8(text(answer(newer, ...refused)).padEnd(BUNDLE_SET_BYTES, ' ')), 4096))).toBe(
      'STORE_FULL',
    );
  });

  it('is 264 KB where every answer brings all bundles', () => {
    expect(bundlePartitionBytes(BLOCK, 1)).toBe(264 * 1024);
    const { device } = site(264 * 1024);
    for (const issuedAt of [inSeconds(-2), inSeconds(-1)])
      expect(codes(device.take(answer(...[1, 2, 3, 4].map((n) => largest(n, { issuedAt }))), 4096))).toEqual([
        'ok',
        'ok',
        'ok',
        'ok',
      ]);
  });

  it('a partition of less than two blocks, or of odd ones, cannot be one', () => {
    for (const geometry of [{ size: BLOCK }, { size: 2 * 128, blockSize: 128 }, { size: 8192, programSize: 32 }])
      expect(() => new BundlePartition(new MemoryFlash(geometry), crypto)).toThrow(RangeError);
    const odd = { size: 4 * BLOCK + 100, blockSize: BLOCK, programSize: 16 } as Flash;
    expect(() => new BundlePartition(odd, crypto)).toThrow(RangeError);
    expect(new BundlePartition(new MemoryFlash({ size: 3 * BLOCK }), crypto).capacity).toBe(BLOCK - RECORD);
  });
});

describe('memory and flash operations', () => {
  it('its buffers are 2368 bytes while an answer comes, and none at other times', () => {
    const partition = new BundlePartition(new MemoryFlash({ size: bundlePartitionBytes(BLOCK) }), crypto);
    const clock = { wallMs: () => NOW, monotonicMs: () => NOW };
    const ledger = new MemoryLedger(crypto);
    const verifier = new Verifier({
      configuration: configured(),
      crypto,
      clock,
      ledger,
      earliestMs: 0,
      bundles: partition,
    });
    const intake = verifier.beginBundles() as BundleIntake;
    intake.write(answer(bundle()));
    expect(partition.reader.stream.memoryBytes).toBe(512 + 1024 + 512 + 64);
    expect(partition.memoryBytes).toBe(256 + 2112);
    intake.end();
    expect(partition.memoryBytes).toBe(0);
    expect(verifier.authorize(present(), { amountMinor: '1000', sessionId: 'session-1' })).toMatchObject({ ok: true });
    expect(partition.memoryBytes).toBe(0);
  });

  it('no array it makes is longer than a window, a string or a page, however long the bundle', () => {
    const { device } = site(bundlePartitionBytes(BLOCK));
    const issuers = Array.from({ length: 150 }, (_, i) => ({
      issuer: `v${i}`,
      keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'k', x: publicJwk(pa).x as string }],
    }));
    const long = bundle({ approvedIssuers: issuers.map(({ issuer }) => issuer), issuers });
    expect(long.length).toBeGreaterThan(15_000);
    const whole = answer(sized(long, 32_768));
    const intake = device.verifier.beginBundles();
    if ('ok' in intake) throw new Error(intake.detail);
    let longest = 0;
    const made = Uint8Array;
    class Watched extends Uint8Array {
      constructor(...parts: unknown[]) {
        super(...(parts as unknown as [number]));
        // A view on another array takes no memory of its own.
        if (!(parts[0] instanceof ArrayBuffer)) longest = Math.max(longest, this.length);
      }
    }
    globalThis.Uint8Array = Watched as unknown as Uint8ArrayConstructor;
    try {
      for (let at = 0; at < whole.length; at += 512) intake.write(whole.subarray(at, at + 512));
      expect(codes(intake.end())).toEqual(['ok']);
    } finally {
      globalThis.Uint8Array = made;
    }
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThanOrEqual(1024);
    expect(device.verifier.bundleIndexBytes).toBe(150 * (4 + 11));
  });

  it('a refresh erases the blocks it writes, and programs a page at a time', () => {
    const flash = new SimulatedFlash(new MemoryStore(16 * BLOCK));
    const device = new Device({ bundles: [], bundleFlash: flash });
    const set = answer(sized(bundle(), 10_000));
    device.take(set);
    flash.resetStatistics();
    device.take(set, 4096);
    const { programs, erases } = flash.statistics();
    expect([erases, programs]).toEqual([3, Math.ceil((RECORD + set.length) / 256) + 1]);
    expect([...flash.wear()].slice(0, 10)).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 1, 1]);
  });
});

describe('an answer of two bundles, where records of the ledger are lost so that it compacts nothing', () => {
  const one = (at: number) => bundle({ issuedAt: inSeconds(at) });
  const other = (at: number) =>
    bundle({
      bundleIssuer: 'operator-2',
      bundleId: 'bundle-2',
      approvedIssuers: [],
      issuers: [],
      issuedAt: inSeconds(at),
    });

  /** A device that holds both bundles, and whose ledger has taken so many time floors since, or all it could. */
  function damaged(most = Number.POSITIVE_INFINITY): { readonly device: Device; readonly floors: number } {
    const flash = new MemoryFlash({ size: 5 * 2048, blockSize: 2048 });
    const { device } = site(16 * BLOCK, { flash });
    for (const timeMs of [1, 2]) expect(device.ledger.raiseTimeFloor(timeMs)).toBeUndefined();
    expect(codes(device.take(answer(one(-300), other(-300))))).toEqual(['ok', 'ok']);
    // The second of four records.
    flash.cells.fill(0, 64, 96);
    expect(codes(restarted(device))).toEqual(['ok', 'ok']);
    expect(device.ledger.damage).toHaveLength(1);
    let floors = 0;
    while (floors < most && device.ledger.raiseTimeFloor(device.ledger.timeFloorMs() + 1) === undefined) floors++;
    return { device, floors };
  }

  it.each([
    // A floor takes 2 units, the record of a bundle 5.
    ['no record', 2, ['STORE_FULL', 'STORE_FULL']],
    ['one record', 3, ['ok', 'STORE_FULL']],
    ['one record, and most of another', 4, ['ok', 'STORE_FULL']],
    ['two records', 5, ['ok', 'ok']],
  ])('that has room for %s: what it could not remember is refused, and what was in force stays', (_, left, outcome) => {
    const { device } = damaged(damaged().floors - left);
    const before = device.verifier.trust.bundles;
    const admissions = device.take(answer(one(-60), other(-60)));
    expect(codes(admissions)).toEqual(outcome);
    const expected = outcome.map((code, i) => [`bundle-${i + 1}`, NOW - (code === 'ok' ? 60_000 : 300_000)]);
    const inForce = () => device.verifier.trust.bundles.map((held) => [held.bundleId, held.issuedAtMs]).sort();
    expect(before).toHaveLength(2);
    expect(inForce()).toEqual(expected);
    expect(codes(restarted(device))).toEqual(['ok', 'ok']);
    expect(inForce()).toEqual(expected);
  });
});
