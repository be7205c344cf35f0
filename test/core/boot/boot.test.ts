// A start: every step is told, a step that fails stops it or degrades the device as the table says, no flash makes it throw, and a
// watchdog is fed as long as it gets on.

import { describe, expect, it } from 'vitest';
import { BOOT_STEPS, Boot, type BootParts, type BootStep } from '../../../core/boot/boot.ts';
import { FedFlash, Feeder } from '../../../core/boot/fed-flash.ts';
import { type DeviceState, deviceState, stateDocument } from '../../../core/boot/state.ts';
import { BOOT_FLASH_PASSES, STATE_BYTES } from '../../../core/limits.ts';
import type { LogEvent } from '../../../core/ports/ports.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { bundle, NOW, present } from '../../fixtures/artifacts.ts';
import { ASKED, crypto } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { site } from '../../fixtures/site.ts';
import { utf8 } from '../../fixtures/text.ts';

const STEPS = Object.keys(BOOT_STEPS) as BootStep[];

/** A device's flash and clock, which outlive a start. */
class Board {
  readonly flash = { ledger: new MemoryFlash(), journal: new MemoryFlash(), bundles: new MemoryFlash() };
  readonly events: LogEvent[] = [];
  wallMs: number | undefined = NOW;
  monotonicMs = 0;
  fed = 0;

  parts(changes: Partial<BootParts> = {}): BootParts {
    return {
      configuration: site(),
      crypto,
      clock: { wallMs: () => this.wallMs, monotonicMs: () => this.monotonicMs++ },
      flash: this.flash,
      earliestMs: 0,
      log: { emit: (event) => this.events.push(event) },
      ...changes,
    };
  }

  start(changes: Partial<BootParts> = {}): Boot {
    const boot = new Boot(this.parts(changes));
    while (boot.step());
    return boot;
  }

  /** Starts, and takes a bundle in, so that the next start finds it. */
  withBundle(): this {
    const { device } = this.start();
    const intake = device?.verifier.beginBundles();
    if (intake === undefined || 'ok' in intake) throw new Error('no bundles can be taken in');
    for (const part of [utf8('{"bundles":['), bundle(), utf8(']}')]) intake.write(part);
    expect(intake.end()).toMatchObject([{ ok: true }]);
    return this;
  }
}

function stateOf(boot: Boot, board: Board, linkUp = true): DeviceState {
  return deviceState({ deviceId: 'd', firmware: 'f', boot, clock: board.parts().clock, linkUp });
}

function outcomes(boot: Boot): string[] {
  return boot.reports.map(({ step, outcome }) => `${step} ${outcome}`);
}

describe('a start', () => {
  it('goes through all steps, each in pieces and timed, and then serves', () => {
    const board = new Board().withBundle();
    const boot = board.start();
    expect(outcomes(boot)).toEqual(STEPS.map((step) => `${step} ok`));
    for (const { ms, longestMs } of boot.reports)
      expect([ms > 0, longestMs > 0, longestMs <= ms]).toEqual([true, true, true]);
    expect(boot.device?.verifier.authorize(present(), ASKED)).toMatchObject({ ok: true });
    expect(stateOf(boot, board)).toEqual({
      state: 'serving',
      provisioned: true,
      serving: true,
      offline: false,
      degraded: false,
      reasons: [],
    });
  });

  it('is not over before its last step, and does nothing after it', () => {
    const board = new Board().withBundle();
    const boot = new Boot(board.parts());
    let steps = 1;
    while (boot.step()) {
      expect(boot.device).toBeUndefined();
      expect(stateOf(boot, board)).toMatchObject({ state: 'starting', serving: false, reasons: ['STARTING'] });
      steps++;
    }
    expect(steps).toBeGreaterThan(STEPS.length);
    const { length } = board.events;
    expect([boot.step(), board.events.length]).toEqual([false, length]);
  });

  it('tells each step as an event', () => {
    const board = new Board();
    board.start();
    const told = board.events.filter(({ event }) => event === 'boot.step');
    expect(told.map(({ step }) => step)).toEqual(STEPS);
    expect(board.events.at(-1)).toEqual({ event: 'boot.over', stopped: false });
  });

  it('uses nothing of a provisioning image that is not admitted: reservations stay, and both stores are as they were', () => {
    const board = new Board().withBundle();
    expect(board.start().device?.verifier.reserve(present(), ASKED)).toMatchObject({ ok: true });
    const before = [board.flash.ledger.snapshot(), board.flash.journal.snapshot()];
    const old = {
      configuration: site({ reservationsLeft: 'settle' }),
      admits: () => 'counter 1 is not taken any more',
    };
    const boot = board.start(old);
    expect(boot.stoppedBy).toMatchObject({ step: 'provisioning', detail: 'counter 1 is not taken any more' });
    expect(boot.device).toBeUndefined();
    expect(stateOf(boot, board)).toMatchObject({
      state: 'unprovisioned',
      provisioned: false,
      serving: false,
      reasons: ['NOT_PROVISIONED'],
    });
    expect([board.flash.ledger.snapshot(), board.flash.journal.snapshot()]).toEqual(before);
    expect(board.start().device?.reservationsLeft).toHaveLength(1);
  });

  it('asks about the image with the ledger that it has opened', () => {
    const board = new Board();
    const asked: (string | undefined)[] = [];
    board.start({ admits: (ledger) => void asked.push(ledger.problem?.code) });
    expect(asked).toEqual([undefined]);
  });

  it('takes up reservations that were left open, as the site has it', () => {
    const board = new Board().withBundle();
    const reserved = board.start().device?.verifier.reserve(present(), ASKED);
    expect(reserved).toMatchObject({ ok: true });
    const left = board.start({ configuration: site({ reservationsLeft: 'settle' }) }).device?.reservationsLeft;
    expect(left).toMatchObject([{ closing: { ok: true } }]);
    expect(board.start().device?.reservationsLeft).toEqual([]);
  });
});

describe('a start is stopped', () => {
  it.each<[string, BootStep, Partial<BootParts>, string, string]>([
    [
      'a machine that accepts every signature',
      'self-test',
      { crypto: { ...crypto, ed25519Verify: () => true } },
      'stopped',
      'SELF_TEST_FAILED',
    ],
    [
      'a partition that is too small',
      'layout',
      { flash: { ledger: new MemoryFlash({ size: 4096 }), bundles: new MemoryFlash() } },
      'stopped',
      'LAYOUT_INVALID',
    ],
    ['no configuration', 'configuration', { configuration: undefined }, 'unprovisioned', 'NOT_PROVISIONED'],
    [
      'a configuration without root keys',
      'configuration',
      { configuration: site({ rootKeys: [] }) },
      'unprovisioned',
      'NOT_PROVISIONED',
    ],
    [
      'a configuration that cannot be read',
      'configuration',
      { configuration: 7 as never },
      'unprovisioned',
      'NOT_PROVISIONED',
    ],
  ])('by %s: no flash is touched, and it can be told', (_, step, changes, state, reason) => {
    const board = new Board();
    const boot = board.start(changes);
    expect(boot.stoppedBy).toMatchObject({ step, outcome: 'stopped' });
    expect([boot.device, boot.reports.at(-1)?.step]).toEqual([undefined, step]);
    for (const { done } of [board.flash.ledger, board.flash.journal, board.flash.bundles])
      expect(done).toEqual({ read: 0, program: 0, erase: 0 });
    expect(stateOf(boot, board)).toMatchObject({ state, provisioned: false, serving: false, reasons: [reason] });
  });

  it('by crypto that throws', () => {
    const throws = () => {
      throw new TypeError('no such function');
    };
    const boot = new Board().start({ crypto: { ...crypto, sha256: throws } });
    expect(boot.stoppedBy).toMatchObject({ step: 'self-test', detail: 'sha256: no such function' });
  });
});

it('lets through what is not of the flash: power that goes, and a mistake in the program', () => {
  for (const [which, error] of [
    ['ledger', new PowerCut('the power is gone')],
    ['journal', new TypeError('no such function')],
    ['bundles', new PowerCut('the power is gone')],
  ] as const) {
    const board = new Board().withBundle();
    const read = () => {
      throw error;
    };
    Object.defineProperty(board.flash[which], 'read', { value: read });
    expect(() => board.start()).toThrow(error);
    expect(board.events.at(-1)).not.toMatchObject({ event: 'boot.over' });
  }
});

describe('a device is degraded', () => {
  const degraded = (board: Board, boot: Boot): [string, string, readonly string[]] => {
    const { state, reasons } = stateOf(boot, board);
    const step = boot.reports.find(({ outcome }) => outcome === 'degraded')?.step ?? 'none';
    return [step, state, reasons];
  };

  it('by a ledger that cannot be read: it refuses, and says so', () => {
    const board = new Board().withBundle();
    board.flash.ledger.fail('read');
    const boot = board.start();
    const [step, state, reasons] = degraded(board, boot);
    expect([step, state]).toEqual(['ledger', 'refusing']);
    expect(reasons).toContain('STORE_FAILED');
    expect(boot.device?.verifier.authorize(present(), ASKED)).toMatchObject({ ok: false, code: 'STORE_FAILED' });
  });

  it('by a journal that cannot be read', () => {
    const board = new Board().withBundle();
    board.flash.journal.fail('read');
    const [step, state, reasons] = degraded(board, board.start());
    expect([step, state, reasons]).toEqual(['journal', 'refusing', ['STORE_FAILED']]);
  });

  it('by bundles that cannot be read; they come back when they can be', () => {
    const board = new Board().withBundle();
    board.flash.bundles.fail('read');
    const boot = board.start();
    expect(degraded(board, boot)).toEqual(['bundles', 'refusing', ['NO_TRUST_BUNDLE', 'BUNDLES_WAITING']]);
    board.flash.bundles.recover();
    boot.device?.verifier.loadBundles();
    expect(stateOf(boot, board)).toMatchObject({ state: 'serving', reasons: [] });
  });

  it('by a clock that was not set', () => {
    const board = new Board().withBundle();
    board.wallMs = undefined;
    expect(degraded(board, board.start())).toEqual(['bundles', 'refusing', ['CLOCK_UNTRUSTED', 'BUNDLES_WAITING']]);
  });

  it('without bundles, and by one that is near its expiry', () => {
    const board = new Board();
    expect(stateOf(board.start(), board)).toMatchObject({ state: 'refusing', reasons: ['NO_TRUST_BUNDLE'] });
    board.withBundle();
    const boot = board.start();
    const [held] = boot.device?.verifier.trust.bundles ?? [];
    board.wallMs = (held?.expiresAtMs as number) - 1000;
    expect(stateOf(boot, board)).toMatchObject({ state: 'degraded', serving: true, reasons: ['BUNDLE_EXPIRING'] });
    board.wallMs = held?.expiresAtMs as number;
    expect(stateOf(boot, board)).toMatchObject({ state: 'refusing', reasons: ['NO_TRUST_BUNDLE'] });
  });

  it('not by a network that is not there', () => {
    const board = new Board().withBundle();
    expect(stateOf(board.start(), board, false)).toMatchObject({
      state: 'offline',
      serving: true,
      degraded: false,
      offline: true,
      reasons: ['OFFLINE'],
    });
  });
});

describe('a watchdog', () => {
  it('is fed while the start gets on, also within a piece', () => {
    const board = new Board().withBundle();
    let steps = 0;
    const boot = new Boot(board.parts({ feed: () => board.fed++ }));
    do steps++;
    while (boot.step());
    expect(board.fed).toBeGreaterThan(3 * steps);
    const { fed } = board;
    boot.device?.verifier.authorize(present(), ASKED);
    expect(board.fed).toBe(fed);
  });

  it('is not fed by a start that goes round in circles', () => {
    const board = new Board();
    const bytes = board.flash.ledger.size + board.flash.journal.size + board.flash.bundles.size;
    const most = (BOOT_FLASH_PASSES * bytes) / 16;
    let fed = 0;
    const feeder = new Feeder(() => {
      fed++;
    });
    const ledger = new FedFlash(board.flash.ledger, feeder);
    feeder.allow(BOOT_FLASH_PASSES * bytes);
    for (let i = 0; i < 2 * most; i++) ledger.read(0, new Uint8Array(1));
    expect(fed).toBeLessThan(most + 2);
    feeder.allow(BOOT_FLASH_PASSES * bytes);
    const before = fed;
    ledger.erase(0);
    ledger.program(0, new Uint8Array(16));
    expect(fed).toBe(before + 2);
  });
});

describe('the document', () => {
  const documentOf = (board: Board, boot: Boot, deviceId = 'charger-1'): Uint8Array =>
    stateDocument({ deviceId, firmware: 'charger 1.0.0', boot, clock: board.parts().clock, linkUp: true });

  it('is JSON with what is asked for', () => {
    const board = new Board().withBundle();
    const boot = board.start();
    boot.device?.verifier.reserve(present(), ASKED);
    expect(JSON.parse(Buffer.from(documentOf(board, boot)).toString())).toMatchObject({
      format: 1,
      device: 'charger-1',
      firmware: 'charger 1.0.0',
      state: 'serving',
      provisioned: true,
      serving: true,
      offline: false,
      degraded: false,
      reasons: [],
      clock: { set: true },
      bundles: [{ ageSeconds: expect.any(Number), expiresInSeconds: expect.any(Number) }],
      ledger: { used: expect.any(Number), of: expect.any(Number) },
      journal: { used: expect.any(Number), of: expect.any(Number), unsent: 1 },
      reservations: 1,
    });
  });

  it('says what stopped a start', () => {
    const board = new Board();
    const boot = board.start({ configuration: undefined });
    expect(JSON.parse(Buffer.from(documentOf(board, boot)).toString())).toMatchObject({
      state: 'unprovisioned',
      stopped: { step: 'configuration', detail: 'the device is not provisioned' },
      bundles: [],
    });
  });

  it('is never longer than it may be, whatever others have chosen for their names', () => {
    const board = new Board().withBundle();
    const boot = board.start();
    const long = '"\\\u0000\u20ac'.repeat(500);
    const trust = boot.device?.verifier.trust;
    const [held] = trust?.bundles ?? [];
    if (trust === undefined || held === undefined) throw new Error('there is no bundle');
    trust.replace(
      [1, 2, 3, 4].map((i) =>
        Object.create(held, {
          bundleId: { value: `${i}${long}` },
          expiresAtMs: { value: 1e14 },
          issuedAtMs: { value: -1e14 },
        }),
      ),
    );
    board.monotonicMs = 1e15;
    const bytes = stateDocument({ deviceId: long, firmware: long, boot, clock: board.parts().clock, linkUp: false });
    expect(bytes.length).toBeGreaterThan(500);
    expect(bytes.length).toBeLessThan(STATE_BYTES);
    expect(JSON.parse(Buffer.from(bytes).toString()).bundles).toHaveLength(4);
  });
});
