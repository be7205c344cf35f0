// The firmware of the samples inside XS, with the memory of a plain ESP32: payments over the serial framing and the local endpoint,
// a refresh of Trust Bundles over a socket, and a power cut at every step between reader and relay.

import { createSocket } from 'node:dgram';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { readCarefully } from '../../core/intake/presentation.ts';
import type { JsonObject } from '../../core/json/value.ts';
import type { WiringKind } from '../../core/provisioning/provisioning.ts';
import { OperatorBackend } from '../../host-sim/operator-backend/server.ts';
import { PolicyAuthority } from '../../host-sim/policy-authority/server.ts';
import { SimulatedClock } from '../../host-sim/ports/clock.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { keyFromSeed, publicJwk, type SigningKey } from '../../host-sim/signing/keys.ts';
import { type CutForm, type FirmwareOptions, onBoard } from '../../host-sim/xs/firmware-run.ts';
import { sampleMemory } from '../../host-sim/xs/sample-memory.ts';
import { deepestPayments } from './deepest.ts';
import type { TrialCounts } from './device-trials.ts';
import { ASKED, type FlashImage, journalOn, ledgerOn, newFlash, Station, sampleArchive } from './firmware-station.ts';
import { largestPayments, type Trial } from './hostile.ts';
import {
  AUTHORITY,
  bytesOf,
  type ChainOptions,
  chainOf,
  FLEET,
  issuerEntry,
  NOW_MS,
  REQUEST,
  signingKey,
  WALLET,
} from './scene.ts';

/** On what. */
export type FirmwareTrialOptions = Pick<FirmwareOptions, 'target' | 'note'>;

/** What is looked at, by name; what is not as it must be is told. */
class Checks {
  #passed = 0;
  readonly #failed: string[] = [];

  see(name: string, isSo: boolean, detail: unknown = ''): void {
    if (isSo) this.#passed++;
    else
      this.#failed.push(
        detail === '' ? name : `${name}: ${typeof detail === 'string' ? detail : JSON.stringify(detail)}`,
      );
  }

  get counts(): TrialCounts {
    return { passed: this.#passed, failed: this.#failed };
  }
}

const PULSE_COSTS = 400;
const OPEN_MS = 5000;
const PERIOD_MS = 900_000;
/** Wi-Fi is joined, bundles are fetched, and what was accepted is handed in. */
const NETWORK_MS = 20_000;
/** Until a Wi-Fi is tried again that was away for long. */
const LONGEST_WAIT_MS = 400_000;
const DAY_MS = 86_400_000;
/** The first bundle is in force for so long; at the end of it the next one is asked for. */
const FIRST_DAYS = 7;
const LATER_MS = FIRST_DAYS * DAY_MS - 3_600_000;

function payment(number: number, kind: WiringKind, options: ChainOptions = {}): Uint8Array {
  return bytesOf(chainOf(number, { amountMinor: ASKED[kind], ...options }) as unknown as JsonObject);
}

/** The Policy Authority of the scene, with one bundle in force: the wallet's keys are these. */
class Servers {
  readonly clock = new SimulatedClock(NOW_MS);
  readonly authority: PolicyAuthority;
  readonly operator: OperatorBackend;
  readonly crypto = createNodeCrypto();

  constructor() {
    const identity = { issuer: AUTHORITY, grantKey: signingKey('authority'), bundleKey: signingKey('root') };
    this.authority = new PolicyAuthority({ identity, clock: this.clock });
    this.operator = new OperatorBackend({ crypto: this.crypto, clock: this.clock });
  }

  /** A new bundle replaces the one before. @param days for so many it is in force */
  async issue(days: number, ...walletKeys: readonly SigningKey[]): Promise<void> {
    this.clock.advance(1000);
    await this.authority.authority.issueBundle({
      category: 'ev-charging',
      approvedIssuers: [AUTHORITY, WALLET, FLEET],
      issuers: [
        issuerEntry(AUTHORITY, signingKey('authority')) as never,
        { issuer: WALLET, keys: walletKeys.map((key) => publicJwk(key) as unknown as JsonObject) },
        issuerEntry(FLEET, signingKey('fleet')) as never,
      ],
      expiresAt: new Date(this.now() + days * DAY_MS).toISOString(),
    });
  }

  now(): number {
    return this.clock.wallMs() as number;
  }

  async close(): Promise<void> {
    await this.authority.close();
    await this.operator.close();
  }
}

async function withServers<Result>(work: (servers: Servers, url: string) => Promise<Result>): Promise<Result> {
  const servers = new Servers();
  try {
    const url = await servers.authority.listen();
    await servers.issue(FIRST_DAYS, signingKey('wallet'));
    return await work(servers, url);
  } finally {
    await servers.close();
  }
}

/** Fetches the bundles, and goes offline again. */
async function fetchBundles(station: Station): Promise<void> {
  await station.board.link(true);
  await station.pass(NETWORK_MS);
  await station.board.link(false);
  await station.pass(1000);
}

const KINDS = ['charger', 'gate', 'meter'] as const;

/** A payment at each sample, from the reader's first byte to the relay's last move. */
export async function firmwarePayments(options: FirmwareTrialOptions): Promise<TrialCounts> {
  const checks = new Checks();
  await withServers(async (_, url) => {
    for (const kind of KINDS)
      await onBoard(await sampleArchive(kind), { ...options, memory: sampleMemory(kind) }, async (board) => {
        const station = new Station(board);
        await station.mount(newFlash({ kind, policyAuthorityUrl: url }));
        await station.start(NOW_MS);
        const see = (name: string, isSo: boolean, detail?: unknown) =>
          checks.see(`${kind}: ${name}`, isSo, detail ?? board.stopped ?? '');
        see('it starts', station.told('device.started', { kind }), station.events);
        see('its firmware is good', station.told('firmware.good', { told: true }));
        see('its relay is open', String(station.relay()) === '0', station.relay());
        const early = await station.pay(payment(1, kind));
        see('no payment without a bundle', early?.error === 'NO_TRUST_BUNDLE', early);
        await fetchBundles(station);
        const state = await station.state();
        see('it says what it is', state?.device === `${kind}-7` && state.state === 'offline', state);
        await sells[kind](station, see);
        const again = await station.pay(payment(1, kind));
        see('a payment that is played back', again?.ok === false && again.error === 'BUDGET_ID_REPLAY', again);
        await overHttp(station, kind, see);
        await board.off();
      });
  });
  return checks.counts;
}

type See = (name: string, isSo: boolean, detail?: unknown) => void;

const sells: { readonly [kind in WiringKind]: (station: Station, see: See) => Promise<void> } = {
  async charger(station, see) {
    const paid = await station.pay(payment(1, 'charger'));
    see('the payment is accepted', paid?.ok === true && paid.amountMinor === ASKED.charger, paid);
    see('the relay closes', String(station.relay()) === '0,1', station.relay());
    await station.pulses(3);
    const flash = await station.unmount();
    see('what was reserved counts', ledgerOn(flash).grants[0]?.total === ASKED.charger, ledgerOn(flash).grants);
    await station.stop();
    const amountMinor = String(3 * PULSE_COSTS);
    see('the session ends', station.told('session.ended', { why: 'stopped', amountMinor, ok: true }));
    see('the relay opens', String(station.relay()) === '0,1,0', station.relay());
    const after = await station.unmount();
    see('what was drawn counts', ledgerOn(after).grants[0]?.total === amountMinor, ledgerOn(after).grants);
    const receipts = journalOn(after).receipts.length;
    see('two receipts', receipts === 2 && journalOn(after).damage.length === 0, journalOn(after));
  },
  async gate(station, see) {
    const paid = await station.pay(payment(1, 'gate'));
    see('the fare is accepted', paid?.ok === true, paid);
    await station.pass(OPEN_MS + 1000);
    const [, on, off] = station.board.pins;
    see('it opens', on?.level === 1 && off?.level === 0 && off.ms - on.ms === OPEN_MS, station.board.pins);
    see('the fare counts', ledgerOn(await station.unmount()).grants[0]?.total === ASKED.gate);
  },
  async meter(station, see) {
    const paid = await station.pay(payment(1, 'meter'));
    see('the period is accepted', paid?.ok === true, paid);
    see('its output is on', String(station.relay()) === '0,1', station.relay());
    await station.pass(PERIOD_MS + 2000);
    const [, on, off] = station.board.pins;
    const lasted = (off?.ms ?? 0) - (on?.ms ?? 0);
    see('for the period', off?.level === 0 && lasted >= PERIOD_MS && lasted <= PERIOD_MS + 1000, station.board.pins);
    see('the price counts', ledgerOn(await station.unmount()).grants[0]?.total === ASKED.meter);
  },
};

/** The local endpoint: there while the network is. */
async function overHttp(station: Station, kind: WiringKind, see: See): Promise<void> {
  const { board } = station;
  await board.link(true);
  for (let ms = 0; ms < LONGEST_WAIT_MS && board.httpPort === undefined; ms += 5000) await station.pass(5000);
  const port = board.httpPort;
  if (port === undefined) {
    see('it has a local endpoint', false);
    return;
  }
  const state = await asked(station, port, 'GET /state HTTP/1.1\r\nhost: device\r\n\r\n');
  see('its state over HTTP', state.startsWith('HTTP/1.1 200') && state.includes(`"device":"${kind}-7"`), state);
  const nothing = await asked(station, port, 'POST /pay HTTP/1.1\r\nhost: device\r\ncontent-length: 0\r\n\r\n');
  see('no payment over HTTP', nothing.startsWith('HTTP/1.1 402'), nothing);
  const before = station.relay().length;
  const header = Buffer.from(payment(2, kind)).toString('base64');
  const paid = await asked(
    station,
    port,
    `POST /pay HTTP/1.1\r\nhost: device\r\nauthorization: MPCP ${header}\r\ncontent-length: 0\r\n\r\n`,
  );
  see('a payment over HTTP', paid.startsWith('HTTP/1.1 200') && paid.includes('"ok":true'), paid);
  see('the relay closes for it', station.relay().length > before, station.relay());
}

/** What the local endpoint answers, whole. */
async function asked(station: Station, port: number, request: string | Uint8Array): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.write(request, resolve));
  await station.pass(5000);
  socket.setTimeout(5000, () => socket.destroy());
  await ended;
  return answer;
}

/** Of the payments that take the most memory, so many are tried at each line. */
const LARGEST = 16;
/** Until all is handed in, one batch after the other. */
const HAND_IN_MS = 30_000;

/** The heaviest payments that are read, in the worst shapes, and those that are as deep as may be. */
function heaviest(): readonly Trial[] {
  const isRead = (bytes: Uint8Array) => !('ok' in readCarefully(bytes));
  const all = [...largestPayments(isRead), ...deepestPayments(isRead)];
  const heavy = all.filter(({ name }) =>
    /^(12|30) .*(zeros|escaped)|text of escapes.* in the (flat )?grant/.test(name),
  );
  const every = Math.floor(heavy.length / LARGEST);
  return heavy.filter((_, i) => i % every === 0).slice(0, LARGEST);
}

/**
 * The largest payments at a gate and a meter, whose network is up: over the serial framing, then others over the local endpoint. Each is
 * taken, all are handed in, and the machine never stops.
 */
export async function firmwareLargest(options: FirmwareTrialOptions): Promise<TrialCounts> {
  const checks = new Checks();
  const payments = heaviest();
  for (const kind of ['gate', 'meter'] as const)
    await withServers(async (servers, url) => {
      const operator = {
        url: await servers.operator.listen(),
        apiKey: await servers.operator.issueDeviceKey(`${kind}-7`),
      };
      const archive = await sampleArchive(kind, REQUEST.amountMinor);
      await onBoard(archive, { ...options, memory: sampleMemory(kind) }, async (board) => {
        const station = new Station(board);
        await station.mount(newFlash({ kind, policyAuthorityUrl: url, operator }));
        await station.start(NOW_MS);
        await board.link(true);
        await station.pass(NETWORK_MS);
        for (const [i, { name, step }] of payments.entries()) {
          const how = i % 2 === 0 ? 'at the reader' : 'over HTTP';
          const answer = await (i % 2 === 0 ? station.pay(step.bytes) : posted(station, step.bytes));
          checks.see(`${kind}: ${name}, ${how}`, answer?.ok === true, answer ?? board.stopped ?? 'no answer');
          await station.pass(OPEN_MS + 1000);
        }
        await station.pass(HAND_IN_MS);
        const { receipts, breaks } = await servers.operator.backend.report(`${kind}-7`);
        const isAll = receipts === payments.length && breaks.length === 0;
        checks.see(`${kind}: all are handed in`, isAll, { receipts, breaks, stopped: board.stopped ?? '' });
      });
    });
  return checks.counts;
}

/** A payment in the body of a POST. */
async function posted(station: Station, presentation: Uint8Array): Promise<{ readonly ok: boolean } | undefined> {
  const port = station.board.httpPort;
  if (port === undefined) return undefined;
  const head = `POST /pay HTTP/1.1\r\nhost: device\r\ncontent-length: ${presentation.length}\r\n\r\n`;
  const answer = await asked(station, port, Buffer.concat([Buffer.from(head), presentation]));
  return answer === '' ? undefined : { ok: answer.includes('"ok":true') };
}

/** The wallet's key after it was changed. */
function nextWalletKey(): SigningKey {
  return keyFromSeed('vehicle-key-2', new Uint8Array(32).fill(15));
}

/** What servers answer that are broken, or lie. */
const LIES: { readonly [name: string]: (answer: ServerResponse, good: string) => void } = {
  'a server that breaks off in a bundle': (answer, good) => {
    answer.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(good) });
    answer.write(good.slice(0, good.length >> 1), () => answer.destroy());
  },
  'a server that breaks off before its headers end': (answer) => {
    answer.socket?.end('HTTP/1.1 200 OK\r\ncontent-type: appl');
  },
  'a bundle whose signature is another’s': (answer, good) => {
    answer.end(
      good.replace(/"signature":"(....)/, (_, some: string) => `"signature":"${[...some].reverse().join('')}`),
    );
  },
  'a key put into a bundle that is signed': (answer, good) => {
    answer.end(good.replace(publicJwk(signingKey('wallet')).x, publicJwk(nextWalletKey()).x));
  },
  'an answer that is no JSON': (answer) => {
    answer.end('<html>Sign in to the Wi-Fi</html>');
  },
  'a megabyte of blanks': (answer) => {
    answer.end(' '.repeat(1 << 20));
  },
  'a length that is no number': (answer, good) => {
    answer.socket?.end(`HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n${good}`);
  },
  'an error of the server': (answer) => {
    answer.writeHead(503).end('later');
  },
};

/** Whoever is asked for Trust Bundles: the Policy Authority, or somebody who lies. */
class Bundles {
  lie: ((answer: ServerResponse, good: string) => void) | undefined;
  asked = 0;
  readonly #servers: Servers;
  readonly #server = createServer((request, answer) => void this.#answer(request, answer));

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    this.asked++;
    const good = await fetch(`${this.#servers.authority.url}${request.url}`);
    const body = await good.text();
    if (this.lie !== undefined) this.lie(answer, body);
    else answer.writeHead(good.status, Object.fromEntries(good.headers)).end(body);
  }
}

const EPOCH_SECONDS = 2_208_988_800;

/** A time server on loopback, which says that it is now what the scene's clock says. */
async function withTimeServer<Result>(work: (port: number) => Promise<Result>): Promise<Result> {
  const socket = createSocket('udp4');
  socket.on('message', (asked, { port, address }) => {
    const packet = Buffer.alloc(48);
    packet[0] = 0x24;
    packet[1] = 2;
    asked.copy(packet, 24, 40, 48);
    packet.writeUInt32BE(NOW_MS / 1000 + EPOCH_SECONDS, 40);
    socket.send(packet, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  try {
    return await work(socket.address().port);
  } finally {
    socket.close();
  }
}

/**
 * A device whose clock has lost its time fetches bundles over a socket, pays by them, and hands in; a new bundle replaces the first, and
 * counts after a power cut too. Servers that break off or lie leave it with what it had.
 */
export async function firmwareRefresh(options: FirmwareTrialOptions): Promise<TrialCounts> {
  const checks = new Checks();
  const see: See = (name, isSo, detail) => checks.see(name, isSo, detail);
  await withServers((servers) =>
    withTimeServer(async (timePort) => {
      const bundles = new Bundles(servers);
      try {
        const url = await bundles.listen();
        await onBoard(await sampleArchive('gate'), { ...options, memory: sampleMemory('gate') }, async (board) => {
          await board.timeServer(timePort);
          await refreshes(new Station(board), servers, bundles, url, see);
          await board.off();
        });
      } finally {
        bundles.close();
      }
    }),
  );
  return checks.counts;
}

async function refreshes(station: Station, servers: Servers, bundles: Bundles, url: string, see: See): Promise<void> {
  const { board } = station;
  const told = () => board.stopped ?? station.events.map(({ event }) => event).join(' ');
  const operatorUrl = await servers.operator.listen();
  const apiKey = await servers.operator.issueDeviceKey('gate-7');
  await station.mount(newFlash({ kind: 'gate', policyAuthorityUrl: url, operator: { url: operatorUrl, apiKey } }));
  await station.start(0);
  const unset = await station.pay(payment(1, 'gate'));
  see('no payment while the clock is not set', unset?.ok === false, unset ?? told());
  await fetchBundles(station);
  see('the clock is set by a time server', station.told('time.set', { source: 'sntp' }), told());
  see('the bundles are admitted', station.told('refresh.done', { unchanged: false }), told());
  see('over one connection', bundles.asked === 1, bundles.asked);
  const first = await station.pay(payment(1, 'gate'));
  see('a payment by the bundle that came', first?.ok === true, first ?? told());

  // The first bundle is about to expire.
  servers.clock.advance(LATER_MS);
  const laterSeconds = LATER_MS / 1000;
  const by = (walletKey: SigningKey) => ({ laterSeconds, walletKey });
  await servers.issue(FIRST_DAYS, signingKey('wallet'), nextWalletKey());
  await board.off();
  const before = ledgerOn(await station.unmount()).bundles;
  for (const [name, lie] of Object.entries(LIES)) {
    bundles.lie = lie;
    const asked = bundles.asked;
    await station.start(servers.now());
    await fetchBundles(station);
    see(`${name}: it was asked`, bundles.asked > asked, told());
    see(`${name}: that is no refresh`, station.told('refresh.failed') && !station.told('refresh.done'), told());
    const early = await station.pay(payment(2, 'gate', by(nextWalletKey())));
    see(`${name}: no key of it counts`, early?.error === 'KEY_NOT_FOUND', early ?? told());
    const good = await station.pay(payment(3, 'gate', { laterSeconds, inSba: { maxAmountMinor: '1' } }));
    see(`${name}: the old set is in force`, good?.ok === false && good.error !== 'NO_TRUST_BUNDLE', good ?? told());
    await board.off();
    const after = ledgerOn(await station.unmount()).bundles;
    see(`${name}: the ledger knows of no other`, JSON.stringify(after) === JSON.stringify(before), after);
  }

  bundles.lie = undefined;
  await station.start(servers.now());
  await fetchBundles(station);
  see('the new bundle is admitted', station.told('refresh.done', { unchanged: false }), told());
  const paid = await station.pay(payment(2, 'gate', by(nextWalletKey())));
  see('a payment by the new key', paid?.ok === true, paid ?? told());
  await station.start(servers.now());
  const again = await station.pay(payment(4, 'gate', by(nextWalletKey())));
  see('and after a restart', again?.ok === true, again ?? told());
  await fetchBundles(station);
  const { receipts, breaks } = await servers.operator.backend.report('gate-7');
  see('the operator has all three', receipts === 3 && breaks.length === 0, { receipts, breaks, told: told() });
}

const FORMS: readonly CutForm[] = ['before', 'torn', 'after'];
/** Pulses of the meter in a session. */
const PULSES = 2;
/** Until a device starts again. */
const OFF_MS = 60_000;
const MOST_STEPS = 400;

/** What is left of a session that a power cut has ended. */
interface Left {
  readonly flash: FlashImage;
  /** The reader was told that the payment is accepted. */
  readonly isApproved: boolean;
  readonly relay: readonly number[];
  /** The power went before the session's end. */
  readonly isCut: boolean;
}

/**
 * A charger's power goes at every step that can be seen from outside, from the reader's first byte to the relay's opening, in every form:
 * programs and erases of flash, the relay's moves, what is written to the reader. Then it starts again on the same flash.
 */
export async function firmwarePowerCuts(options: FirmwareTrialOptions): Promise<TrialCounts> {
  const checks = new Checks();
  await withServers(async (_, url) => {
    const archive = await sampleArchive('charger');
    await onBoard(archive, { ...options, memory: sampleMemory('charger') }, async (board) => {
      const station = new Station(board);
      for (const reservationsLeft of ['hold', 'settle'] as const) {
        await station.mount(newFlash({ kind: 'charger', policyAuthorityUrl: url, reservationsLeft }));
        await station.start(NOW_MS);
        await fetchBundles(station);
        await board.off();
        const flash = await station.unmount();
        await cutEverywhere(station, flash, reservationsLeft, checks);
      }
    });
  });
  return checks.counts;
}

async function cutEverywhere(
  station: Station,
  flash: FlashImage,
  reservationsLeft: 'hold' | 'settle',
  checks: Checks,
): Promise<void> {
  for (const form of FORMS) {
    let step = 0;
    for (let isCut = true; isCut && step < MOST_STEPS; step++) {
      const left = await session(station, flash, step, form);
      isCut = left.isCut;
      const name = `reservations ${reservationsLeft}, ${isCut ? `the power goes ${form} step ${step}` : 'a whole session'}`;
      await startsAgain(station, left, reservationsLeft, (what, isSo, detail) =>
        checks.see(`${name}: ${what}`, isSo, detail),
      );
    }
    checks.see(`${form}: a session has its steps`, step > MOST_STEPS / 40 && step < MOST_STEPS, step);
  }
}

/** A session whose power goes. */
async function session(station: Station, flash: FlashImage, step: number, form: CutForm): Promise<Left> {
  const { board } = station;
  await station.mount(flash);
  await station.start(NOW_MS);
  // Its idle work is done, and its log is written.
  await station.pass(3000);
  await board.cutIn(step, form);
  const answer = await station.pay(payment(1, 'charger'));
  await station.pulses(PULSES);
  await station.stop();
  await station.pass(3000);
  const isCut = !board.on;
  const relay = station.relay();
  await board.off();
  return { flash: await station.unmount(), isApproved: answer?.ok === true, relay, isCut };
}

async function startsAgain(station: Station, left: Left, reservationsLeft: 'hold' | 'settle', see: See): Promise<void> {
  const { board } = station;
  const hasClosed = left.relay.includes(1);
  const due = String(PULSES * PULSE_COSTS);
  await station.start(NOW_MS + OFF_MS);
  see(
    'the device starts',
    station.told('device.started'),
    board.stopped ?? station.events.map(({ event }) => event).join(' '),
  );
  see('its relay is open', String(station.relay()) === '0', station.relay());
  const { grants, reservations } = ledgerOn(await station.unmount());
  const total = grants[0]?.total ?? '0';
  see('nothing is free', !(hasClosed || left.isApproved) || total !== '0', total);
  see('nothing counts twice', ['0', ASKED.charger, due].includes(total), total);
  see('less counts only after the relay has opened', total !== due || left.relay.at(-1) === 0, left.relay);
  const kept = reservationsLeft === 'hold' && total === ASKED.charger && left.isCut ? 1 : 0;
  see('the reservation is as the site has it', reservations.length === kept, reservations);
  const again = await station.pay(payment(1, 'charger'));
  if (total === '0') {
    see(
      'what was not taken can be paid',
      again?.ok === true && String(station.relay()) === '0,1',
      again ?? board.stopped,
    );
  } else
    see(
      'what was taken is not taken again',
      again?.ok === false && String(station.relay()) === '0',
      again ?? board.stopped,
    );
  const after = await station.unmount();
  const expected = total === '0' ? ASKED.charger : total;
  see('it counts once', ledgerOn(after).grants[0]?.total === expected, ledgerOn(after).grants);
  see('its journal is whole', journalOn(after).damage.length === 0, journalOn(after).damage);
  await board.off();
}
