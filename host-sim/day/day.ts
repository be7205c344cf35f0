// A charger's day in one run: Trust Bundles over HTTP, payments while the network is gone, the attacks a terminal in the
// field meets, a revoked key, a power cut at the worst moment, and every payment at the operator's in the end. Every step
// knows what has to come of it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../core/json/value.ts';
import type { Log } from '../../core/ports/ports.ts';
import { bundlePartitionBytes } from '../../core/trust/bundle-partition.ts';
import type { Decision, SetAdmission } from '../../core/verifier.ts';
import { PowerCut } from '../flash/power-cut.ts';
import { DEVICE_GEOMETRY, SimulatedFlash } from '../flash/simulated-flash.ts';
import { FileStore } from '../flash/store.ts';
import { OperatorBackend } from '../operator-backend/server.ts';
import { PolicyAuthority } from '../policy-authority/server.ts';
import { SimulatedClock } from '../ports/clock.ts';
import { createNodeCrypto } from '../ports/node-crypto.ts';
import { imageFlash, imageOf } from '../provisioning/image.ts';
import { intentHash } from '../signing/artifacts.ts';
import { bundleUrl } from '../virtual-device/bundle-url.ts';
import type { HandIn, Refresh } from '../virtual-device/errand-runs.ts';
import { SimulatedRelay } from '../virtual-device/relay.ts';
import { VirtualCharger } from '../virtual-device/virtual-charger.ts';
import { presentationBytes, type WalletPresentation } from '../wallet/presentation.ts';
import { createSession, type PaymentTerms, type WalletSession } from '../wallet/session.ts';
import {
  AUTHORITY,
  bundleRequest,
  type Cast,
  createCast,
  DAY_BEGINS_MS,
  DAY_MS,
  DESTINATION,
  grantRequest,
  HOUR_MS,
  MINUTE_MS,
  POLICY,
  siteConfiguration,
  type Vehicle,
  XRP,
} from './scene.ts';
import { type DayStep, type Outcome, Steps } from './step.ts';

const FLASH_BYTES = 65_536;
const BUNDLES_BYTES = bundlePartitionBytes(DEVICE_GEOMETRY.blockSize);
const DEVICE_ID = 'charger-1';

/** How a day may be watched. */
export interface DayOptions {
  /** Gets the events of the charger and of the Policy Authority. */
  readonly log?: Log;
  /** Is called at the end with the folder of the charger's flash (`FLASH_FILES`), before it is removed. */
  readonly atEnd?: (folder: string) => void;
}

/** The charger's partitions, a file each. */
export const FLASH_FILES = {
  ledger: 'ledger.flash',
  journal: 'journal.flash',
  bundles: 'bundles.flash',
  provisioning: 'provisioning.img',
} as const;

/** What ends a program from outside. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs the day. Everything it needs is made for it and removed at the end, also where the program is ended before: a folder
 * for the flash files, servers on loopback, keys.
 *
 * @param emit gets every step as it ends
 * @returns whether every step came to what it has to
 */
export async function runDay(
  emit: (step: DayStep) => void,
  options: DayOptions = {},
): Promise<{ readonly ok: boolean }> {
  const folder = mkdtempSync(join(tmpdir(), 'mpcp-day-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const stop = (signal: NodeJS.Signals) => {
    remove();
    process.kill(process.pid, signal);
  };
  process.once('exit', remove);
  for (const signal of SIGNALS) process.once(signal, stop);
  const day = new Day(folder, options.log);
  const steps = new Steps(emit);
  try {
    await day.run(steps);
  } catch (error) {
    steps.stop(error as Error);
  }
  try {
    await day.close();
    options.atEnd?.(folder);
  } finally {
    remove();
    process.off('exit', remove);
    for (const signal of SIGNALS) process.off(signal, stop);
  }
  return { ok: steps.ok };
}

/** The story and what it is played with. */
class Day {
  readonly #cast: Cast = createCast();
  readonly #clock = new SimulatedClock(DAY_BEGINS_MS);
  readonly #crypto = createNodeCrypto();
  readonly #flashPath: string;
  readonly #journalPath: string;
  readonly #bundlesPath: string;
  readonly #imagePath: string;
  readonly #log: Log | undefined;
  readonly #authority: PolicyAuthority;
  readonly #operator: OperatorBackend;
  #flashFiles: readonly FileStore[] = [];
  #bundlesFile: FileStore | undefined;
  #charger!: VirtualCharger;
  #apiKey = '';
  #authorityUrl = '';
  #operatorUrl = '';
  #deviceKey = '';
  #grantA: JsonObject = {};
  #grantB: JsonObject = {};

  constructor(folder: string, log: Log | undefined) {
    this.#flashPath = join(folder, FLASH_FILES.ledger);
    this.#journalPath = join(folder, FLASH_FILES.journal);
    this.#bundlesPath = join(folder, FLASH_FILES.bundles);
    this.#imagePath = join(folder, FLASH_FILES.provisioning);
    this.#log = log;
    const identity = { issuer: AUTHORITY, grantKey: this.#cast.grantKey, bundleKey: this.#cast.root };
    const watched = log === undefined ? {} : { log };
    this.#authority = new PolicyAuthority({ identity, clock: this.#clock, ...watched });
    this.#operator = new OperatorBackend({ crypto: this.#crypto, clock: this.#clock, ...watched });
  }

  async close(): Promise<void> {
    await this.#authority.close();
    this.#bundlesFile?.close();
    await this.#operator.close();
    for (const file of this.#flashFiles) file.close();
  }

  async run(steps: Steps): Promise<void> {
    const { vehicleA, vehicleB } = this.#cast;
    await steps.run('Policy Authority starts, signs two grants and a Trust Bundle', { verdict: 'done' }, () =>
      this.#openAuthority(),
    );
    await steps.run('charger is provisioned with a root key and starts', { verdict: 'done' }, () =>
      this.#startCharger(),
    );

    const walletA = await this.#wallet(vehicleA, this.#grantA);
    const walletB = await this.#wallet(vehicleB, this.#grantB);
    const first = await this.#payment(walletA, '2400000', 'stay-1');
    await steps.run('payment before any Trust Bundle', { verdict: 'refused', code: 'NO_TRUST_BUNDLE' }, () =>
      this.#refused(first, '2400000'),
    );
    await steps.run('charger fetches its Trust Bundle over HTTP', { verdict: 'done' }, () => this.#refreshed());
    const oldBundle = await this.#answerOnTheAir();
    await steps.run('network goes away', { verdict: 'unreachable' }, () => this.#goOffline());
    await steps.run('vehicle A pays 2.4 XRP offline', { verdict: 'approved' }, () => this.#approved(first, '2400000'));
    this.#leave();

    const honest = await this.#payment(walletA, '500000', 'stay-2', { ceiling: '1000000' });
    await steps.run('amount raised after signing', { verdict: 'refused', code: 'SPA_SIGNATURE_INVALID' }, () =>
      this.#refused(withAmount(honest, '900000'), '900000'),
    );
    await steps.run('first payment played back', { verdict: 'refused', code: 'BUDGET_ID_REPLAY' }, () =>
      this.#refused(first, '2400000'),
    );
    this.#clock.advance(2 * HOUR_MS);
    await steps.run('budget used an hour after its expiry', { verdict: 'refused', code: 'ARTIFACT_EXPIRED' }, () =>
      this.#refused(honest, '500000'),
    );
    const second = await this.#wallet(vehicleA, this.#grantA);
    const tooMuch = await this.#payment(second, '2700000', 'stay-3');
    await steps.run("payment beyond the grant's 5 XRP", { verdict: 'refused', code: 'GRANT_BUDGET_EXCEEDED' }, () =>
      this.#refused(tooMuch, '2700000'),
    );
    const byB = await this.#payment(walletB, '1200000', 'stay-4');
    await steps.run('vehicle B pays 1.2 XRP offline', { verdict: 'approved' }, () => this.#approved(byB, '1200000'));
    this.#leave();

    await steps.run("network returns; the next bundle revokes vehicle B's key", { verdict: 'done' }, () =>
      this.#revoke(vehicleB),
    );
    await steps.run('charger hands in what it accepted; the answer gets lost', { verdict: 'unreachable' }, () =>
      this.#answerLost(),
    );
    this.#clock.advance(MINUTE_MS);
    await steps.run('it does so again: the operator has every payment once', { verdict: 'done' }, () =>
      this.#handedIn(2),
    );
    await steps.run('and once more: nothing is left to send', { verdict: 'done' }, () => this.#handedIn(0));
    const byRevoked = await this.#payment(walletB, '1200000', 'stay-5');
    await steps.run('payment by the revoked key', { verdict: 'refused', code: 'KEY_REVOKED' }, () =>
      this.#refused(byRevoked, '1200000'),
    );
    await steps.run('the older bundle played back', { verdict: 'refused', code: 'BUNDLE_ROLLBACK' }, () =>
      this.#rolledBack(oldBundle),
    );
    await this.#authority.close();

    const cutShort = await this.#payment(second, '1500000', 'stay-6', { idempotencyKey: 'stay-6' });
    await steps.run('power cut between approval and relay', { verdict: 'power-cut' }, () =>
      this.#cutAtRelay(cutShort, '1500000'),
    );
    await steps.run('charger restarts from flash, offline', { verdict: 'done' }, () => this.#restarted('3900000'));
    await steps.run('the same request again, with its idempotency key', { verdict: 'repeated' }, () =>
      this.#repeated(cutShort, '1500000'),
    );
    const { idempotencyKey: _, ...withoutKey } = cutShort;
    await steps.run('and without it', { verdict: 'refused', code: 'BUDGET_ID_REPLAY' }, () =>
      this.#refused(withoutKey, '1500000'),
    );
    await steps.run('the revoked key tries again', { verdict: 'refused', code: 'KEY_REVOKED' }, () =>
      this.#refused(byRevoked, '1200000'),
    );
    const last = await this.#payment(second, '1000000', 'stay-7');
    await steps.run('vehicle A pays 1 XRP after the restart', { verdict: 'approved' }, () =>
      this.#approved(last, '1000000'),
    );
    this.#charger.link.set(true);
    await steps.run('network returns; charger hands in the rest', { verdict: 'done' }, () => this.#handedIn(2));
  }

  async #openAuthority(): Promise<Outcome> {
    this.#authorityUrl = await this.#authority.listen();
    this.#apiKey = await this.#authority.issueApiKey('operator', ['admin']);
    const { policyHash } = await this.#post('/policies', { policyDocument: POLICY });
    this.#grantA = await this.#post('/grants', grantRequest(String(policyHash), this.#cast.vehicleA));
    this.#grantB = await this.#post('/grants', grantRequest(String(policyHash), this.#cast.vehicleB));
    await this.#post('/trust-bundles', bundleRequest(this.#cast, DAY_BEGINS_MS + 7 * DAY_MS));
    return { verdict: 'done', detail: `${this.#authorityUrl}, policy ${String(policyHash).slice(0, 12)}…` };
  }

  async #startCharger(): Promise<Outcome> {
    this.#operatorUrl = await this.#operator.listen();
    this.#deviceKey = await this.#operator.issueDeviceKey(DEVICE_ID);
    this.#provision();
    this.#charger = this.#buildCharger();
    this.#charger.start();
    const problem = this.#charger.storeProblem;
    const wrong = problem === undefined ? [] : [problem.detail];
    return {
      verdict: 'done',
      detail: `spend ledger and journal of ${FLASH_BYTES / 1024} KB each in files, no Trust Bundle yet`,
      wrong,
    };
  }

  async #refreshed(): Promise<Outcome> {
    const outcome = refreshOutcome(await this.#charger.refresh());
    if (outcome.verdict !== 'done') return outcome;
    const [id] = this.#charger.bundleIds;
    if (id === undefined) return { ...outcome, wrong: ['no bundle is in force'] };
    return { verdict: 'done', detail: `bundle ${id.slice(0, 8)}… signed by ${this.#cast.root.kid} is in force` };
  }

  /** First the authority goes, then the link. */
  async #goOffline(): Promise<Outcome> {
    await this.#authority.close();
    const closed = await this.#charger.refresh();
    this.#charger.link.set(false);
    const down = await this.#charger.refresh();
    const wrong = down.kind === 'failed' && down.failure === 'link-down' ? [] : ['a link that is down does not say so'];
    return { ...refreshOutcome(closed), wrong };
  }

  async #revoke(vehicle: Vehicle): Promise<Outcome> {
    this.#clock.advance(10 * MINUTE_MS);
    await this.#authority.listen(Number(new URL(this.#authorityUrl).port));
    this.#charger.link.set(true);
    const expiresAtMs = DAY_BEGINS_MS + 7 * DAY_MS + 10 * MINUTE_MS;
    await this.#post('/trust-bundles', bundleRequest(this.#cast, expiresAtMs, [vehicle]));
    const before = this.#charger.bundleIds[0];
    const outcome = await this.#refreshed();
    const replaced = this.#charger.bundleIds.length === 1 && this.#charger.bundleIds[0] !== before;
    return { ...outcome, wrong: [...(outcome.wrong ?? []), ...(replaced ? [] : ['the bundle was not replaced'])] };
  }

  /** The batch arrives, and the charger does not get to know it. */
  async #answerLost(): Promise<Outcome> {
    this.#charger.link.loseNextAnswer();
    const outcome = handInOutcome(await this.#charger.handIn());
    this.#charger.link.set(true);
    return { ...outcome, wrong: await this.#notAtOperator() };
  }

  /** Hands in. @param receipts as many have to be acknowledged by it */
  async #handedIn(receipts: number): Promise<Outcome> {
    const handIn = await this.#charger.handIn();
    const outcome = handInOutcome(handIn);
    if (handIn.kind !== 'done') return outcome;
    const wrong = handIn.receipts === receipts ? [] : [`${receipts} had to be sent`];
    return { ...outcome, wrong: [...wrong, ...(await this.#notAtOperator())] };
  }

  /** What is not at the operator's as the ledger has it: every payment once, the chain of receipts whole. */
  async #notAtOperator(): Promise<readonly string[]> {
    const report = await this.#operator.backend.report(DEVICE_ID);
    const wrong = [...report.breaks, ...report.incomplete, ...report.evidence.map(({ detail }) => detail)];
    const spent = [this.#grantA, this.#grantB].reduce((sum, grant) => sum + this.#total({ grant }), 0n);
    if (report.spentMinor !== String(spent))
      wrong.push(`the operator has ${report.spentMinor} drops, the ledger ${spent}`);
    return wrong;
  }

  /** A payment that has to be recorded, counted, and to close the relay. */
  #approved(presentation: WalletPresentation, amountMinor: string): Outcome {
    const before = this.#total(presentation);
    const decision = this.#pay(presentation, amountMinor);
    const wrong: string[] = [];
    if (this.#total(presentation) !== before + BigInt(amountMinor)) wrong.push('the total does not count it');
    if (!this.#charger.relay.closed) wrong.push('the relay is open');
    const detail = decision.ok
      ? `receipt ${decision.receiptId}, ${this.#total(presentation)} drops spent under the grant, relay closed`
      : decision.detail;
    return { ...verdictOf(decision), detail, wrong };
  }

  /** A payment that has to be refused and to change nothing: not one byte of flash, not the relay. */
  #refused(presentation: WalletPresentation, amountMinor: string): Outcome {
    return this.#unchanged(() => verdictOf(this.#pay(presentation, amountMinor)));
  }

  /** A repeat of what was answered: approved again, counted once, nothing delivered again. */
  #repeated(presentation: WalletPresentation, amountMinor: string): Outcome {
    const outcome = this.#unchanged(() => verdictOf(this.#pay(presentation, amountMinor)));
    return { ...outcome, detail: `${outcome.detail}; counted once, relay stays open` };
  }

  #rolledBack(set: Uint8Array): Outcome {
    const before = this.#charger.bundleIds.join();
    const outcome = this.#unchanged(() => admissionOutcome(this.#charger.admit(set)));
    const wrong = this.#charger.bundleIds.join() === before ? [] : ['the bundles in force have changed'];
    return { ...outcome, wrong: [...(outcome.wrong ?? []), ...wrong] };
  }

  #cutAtRelay(presentation: WalletPresentation, amountMinor: string): Outcome {
    this.#charger.relay.cutAtNextClose();
    try {
      return { ...verdictOf(this.#pay(presentation, amountMinor)), wrong: ['the power did not go'] };
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      const wrong = this.#charger.relay.closed ? ['the relay is closed'] : [];
      return { verdict: 'power-cut', detail: 'the spend was recorded, the relay never closed', wrong };
    }
  }

  /** A new charger on the file of the old one: what it knows, it knows from flash. */
  #restarted(total: string): Outcome {
    this.#charger = this.#buildCharger();
    this.#charger.link.set(false);
    this.#charger.start();
    const found = this.#total({ grant: this.#grantA });
    const wrong: string[] = [];
    if (found !== BigInt(total)) wrong.push(`the total has to be ${total}`);
    if (this.#charger.bundleIds.length !== 1) wrong.push('its Trust Bundle is gone');
    if (this.#charger.relay.closed) wrong.push('the relay is closed');
    return {
      verdict: 'done',
      detail: `${found} drops spent under the grant, relay open, bundle verified again`,
      wrong,
    };
  }

  /** Runs something that may change neither flash nor relay. */
  #unchanged(work: () => Outcome): Outcome {
    const flash = this.#flashBytes();
    const closed = this.#charger.relay.closed;
    const outcome = work();
    const wrong: string[] = [];
    if (!this.#flashBytes().equals(flash)) wrong.push('the flash has changed');
    if (this.#charger.relay.closed !== closed) wrong.push('the relay has moved');
    return { ...outcome, wrong };
  }

  #flashBytes(): Buffer {
    return Buffer.concat([readFileSync(this.#flashPath), readFileSync(this.#journalPath)]);
  }

  #pay(presentation: WalletPresentation, amountMinor: string): Decision {
    return this.#charger.pay(presentationBytes(presentation), { amountMinor });
  }

  /** The vehicle that was served drives off, and some time passes. */
  #leave(): void {
    this.#charger.disconnect();
    this.#clock.advance(10 * MINUTE_MS);
  }

  #total({ grant }: Pick<WalletPresentation, 'grant'>): bigint {
    return this.#charger.grantTotal(String((grant.grant as JsonObject).grantId));
  }

  #wallet(vehicle: Vehicle, grant: JsonObject): Promise<WalletSession> {
    return createSession(grant, {
      actorId: vehicle.address,
      signingKey: vehicle.key,
      issuer: vehicle.issuer,
      scope: 'SESSION',
      ceiling: { amount: '5500000', currency: 'XRP' },
      minorUnit: 6,
      clock: this.#clock,
    });
  }

  #payment(
    wallet: WalletSession,
    amount: string,
    referenceId: string,
    more: Partial<PaymentTerms> = {},
  ): Promise<WalletPresentation> {
    return wallet.createPayment({ amount, asset: XRP, destination: DESTINATION, referenceId, ...more });
  }

  /** What the charger is given at manufacture. */
  #provision(): void {
    const document = {
      deviceId: DEVICE_ID,
      site: siteConfiguration(this.#cast),
      policyAuthorityUrl: this.#authorityUrl,
      operator: { url: this.#operatorUrl, apiKey: this.#deviceKey },
    };
    writeFileSync(this.#imagePath, imageOf(document, 1), { mode: 0o600 });
  }

  #buildCharger(): VirtualCharger {
    this.#bundlesFile?.close();
    this.#bundlesFile = new FileStore(this.#bundlesPath, { size: BUNDLES_BYTES });
    for (const file of this.#flashFiles) file.close();
    const ledger = new FileStore(this.#flashPath, { size: FLASH_BYTES });
    const journal = new FileStore(this.#journalPath, { size: FLASH_BYTES });
    this.#flashFiles = [ledger, journal];
    return new VirtualCharger({
      provisioning: imageFlash(readFileSync(this.#imagePath)),
      firmwareBuiltMs: DAY_BEGINS_MS - 30 * DAY_MS,
      flash: new SimulatedFlash(ledger),
      journal: new SimulatedFlash(journal),
      bundles: new SimulatedFlash(this.#bundlesFile),
      clock: this.#clock,
      crypto: this.#crypto,
      relay: new SimulatedRelay(),
      ...(this.#log === undefined ? {} : { log: this.#log }),
    });
  }

  /** What anybody can record who listens while the charger fetches its bundles. */
  async #answerOnTheAir(): Promise<Uint8Array> {
    const url = bundleUrl(this.#authorityUrl, siteConfiguration(this.#cast).bundleScope ?? {});
    const response = await fetch(url, { headers: { connection: 'close' } });
    return new Uint8Array(await response.arrayBuffer());
  }

  async #post(path: string, body: object): Promise<JsonObject> {
    const response = await fetch(new URL(path, this.#authorityUrl), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${this.#apiKey}`,
        connection: 'close',
      },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as JsonObject;
    if (!response.ok) throw new Error(`${path}: ${response.status} ${answer.error}: ${answer.detail}`);
    return answer;
  }
}

/**
 * A payment whose amount somebody raised on its way to the terminal, everywhere it stands and with a fresh intentHash:
 * all that is left to tell is the wallet's signature.
 */
function withAmount(presentation: WalletPresentation, amount: string): WalletPresentation {
  const settlementIntent = { ...(presentation.settlementIntent as JsonObject), amount };
  const spa = presentation.spa as NonNullable<WalletPresentation['spa']>;
  const raised = { ...spa, authorization: { ...spa.authorization, amount, intentHash: intentHash(settlementIntent) } };
  return { ...presentation, spa: raised, settlementIntent };
}

function verdictOf(decision: Decision): Outcome {
  if (!decision.ok) return { verdict: 'refused', code: decision.code, detail: decision.detail };
  return { verdict: decision.repeated ? 'repeated' : 'approved', detail: `receipt ${decision.receiptId}` };
}

function refreshOutcome(refresh: Refresh): Outcome {
  if (refresh.kind === 'failed') return { verdict: 'unreachable', detail: refresh.detail };
  if (refresh.kind === 'waiting' || refresh.kind === 'busy') return { verdict: 'unreachable', detail: 'it is not due' };
  if (refresh.kind === 'unchanged') return { verdict: 'done', detail: 'the bundles held are the current ones' };
  return admissionOutcome(refresh.admissions);
}

function handInOutcome(handIn: HandIn): Outcome {
  if (handIn.kind === 'failed') return { verdict: 'unreachable', detail: handIn.detail };
  if (handIn.kind === 'waiting') return { verdict: 'unreachable', detail: `it waits for ${handIn.ms} ms more` };
  if (handIn.batches === 0) return { verdict: 'done', detail: 'everything is acknowledged, no request was made' };
  return {
    verdict: 'done',
    detail: `${handIn.receipts} receipts acknowledged, each with the hash of the one before it`,
  };
}

/** The first refusal, or done. */
function admissionOutcome(admissions: SetAdmission): Outcome {
  const refusal = 'ok' in admissions ? admissions : admissions.find((admission) => !admission.ok);
  if (refusal !== undefined && !refusal.ok) return { verdict: 'refused', code: refusal.code, detail: refusal.detail };
  return { verdict: 'done', detail: 'admitted' };
}
