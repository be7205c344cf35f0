// Runs a scenario: everybody is made from it, and time passes until its end. The same scenario and seed give the same trace.

import type { LogEvent } from '../../core/ports/ports.ts';
import { createNodeCrypto } from '../ports/node-crypto.ts';
import { documentFrom, replacedImage } from '../provisioning/image.ts';
import type { Action, ArrivalTerms, LinkTerms, Scenario } from '../scenario/scenario.ts';
import { randomSpan, seededRandom } from '../scenario/seeded.ts';
import { presentationBytes } from '../wallet/presentation.ts';
import { arrivalTimes } from './arrivals.ts';
import { Payers } from './payers.ts';
import { type BundleAudience, Servers } from './servers.ts';
import { type MakeCharger, SimulatedDevice } from './simulated-device.ts';
import { Timeline } from './timeline.ts';
import { Trace, type TraceEvent } from './trace.ts';

/** How a run may be watched and changed. */
export interface RunOptions {
  /** Gets every event as it happens. */
  readonly heard?: (event: TraceEvent) => void;
  /** Default: virtual chargers. */
  readonly makeCharger?: MakeCharger;
}

/** What a run came to. */
export interface RunResult {
  readonly payments: number;
  readonly approved: number;
  /** Refusals, by code. */
  readonly refused: { readonly [code: string]: number };
  /** Payers who found a device without power, or whose payment was cut off. */
  readonly unanswered: number;
  /** Approved payments that the operator has. */
  readonly acknowledged: number;
  /** What the scenario expects and did not come, in words. */
  readonly unmet: readonly string[];
  readonly events: number;
}

/** Runs a scenario. */
export async function runScenario(scenario: Scenario, options: RunOptions = {}): Promise<RunResult> {
  const run = new Run(scenario, options);
  return run.toTheEnd();
}

/** How old the firmware is when a scenario begins: a run may not depend on when this program was built. */
const FIRMWARE_AGE_MS = 30 * 86_400_000;

class Run {
  readonly #scenario: Scenario;
  readonly #timeline = new Timeline();
  readonly #trace: Trace;
  readonly #devices = new Map<string, SimulatedDevice>();
  readonly #servers: Servers;
  readonly #payers: Payers;
  readonly #refused = new Map<string, number>();
  #payments = 0;
  #approved = 0;
  #unanswered = 0;
  /** What was approved: device and receipt. */
  readonly #approvals: { readonly deviceId: string; readonly receiptId: number }[] = [];

  constructor(scenario: Scenario, { heard, makeCharger }: RunOptions) {
    this.#scenario = scenario;
    this.#trace = new Trace(() => this.#timeline.nowMs, heard);
    const trueMs = () => scenario.beginsMs + this.#timeline.nowMs;
    const clock = { wallMs: trueMs, monotonicMs: () => this.#timeline.nowMs };
    const crypto = createNodeCrypto();
    for (const terms of scenario.devices) {
      const { deviceId } = terms;
      const device: SimulatedDevice = new SimulatedDevice({
        terms,
        seed: scenario.seed,
        timeline: this.#timeline,
        trueMs,
        builtMs: scenario.beginsMs - FIRMWARE_AGE_MS,
        crypto,
        network: (url, { method = 'GET', headers, body }) =>
          this.#servers.answer(url, { method, headers, ...(body === undefined ? {} : { body }) }),
        askTime: () => (device.link.up ? trueMs() : undefined),
        makeCharger,
        tell: (event) => this.#tell(deviceId, event),
        changed: () => undefined,
      });
      this.#devices.set(deviceId, device);
    }
    const run = { timeline: this.#timeline, trace: this.#trace, clock };
    this.#servers = new Servers(scenario, run, audiences(this.#devices.values()), () => undefined);
    this.#payers = new Payers(
      scenario,
      this.#servers,
      clock,
      [...this.#devices.values()].map((device) => device.sale),
    );
  }

  async toTheEnd(): Promise<RunResult> {
    const { durationMs, settleMs, seed, title } = this.#scenario;
    this.#trace.add({ event: 'scenario.begins', title, seed });
    this.#timeline.at(0, () => this.#open());
    await this.#timeline.run(durationMs);
    this.#trace.add({ event: 'scenario.settles' });
    for (const device of this.#devices.values()) device.setLink(true);
    await this.#timeline.run(durationMs + settleMs);
    let acknowledged = 0;
    for (const { deviceId, receiptId } of this.#approvals)
      if (await this.#isAcknowledged(deviceId, receiptId)) acknowledged++;
    const refused = Object.fromEntries([...this.#refused].sort(([a], [b]) => (a < b ? -1 : 1)));
    const counts = { payments: this.#payments, approved: this.#approved, refused, unanswered: this.#unanswered };
    this.#trace.add({ event: 'scenario.ends', payments: this.#payments, approved: this.#approved, acknowledged });
    return { ...counts, acknowledged, unmet: this.#unmet(), events: this.#trace.events.length };
  }

  async #open(): Promise<void> {
    const { authority, arrivals, links, actions, durationMs } = this.#scenario;
    await this.#servers.open([...this.#devices.values()].map(({ provisioning }) => provisioning));
    await this.#payers.open();
    for (const device of this.#devices.values()) device.start();
    for (let ms = authority.bundleEveryMs; ms < durationMs; ms += authority.bundleEveryMs)
      this.#timeline.at(ms, () => this.#servers.issueBundles());
    for (const [i, terms] of links.entries()) this.#planLink(terms, i);
    for (const [i, terms] of arrivals.entries()) this.#planArrivals(terms, i);
    for (const action of actions) this.#timeline.at(action.atMs, () => this.#act(action));
  }

  #planLink({ devices, pattern }: LinkTerms, number: number): void {
    for (const deviceId of devices) {
      const device = this.#device(deviceId);
      if (pattern.kind === 'outage') {
        this.#timeline.at(pattern.atMs, () => device.setLink(false));
        this.#timeline.at(pattern.atMs + pattern.forMs, () => device.setLink(true));
        continue;
      }
      const random = seededRandom(this.#scenario.seed, `link ${number} ${deviceId}`);
      const { upMs, downMs, kind } = pattern;
      const span = (ms: number) => (kind === 'random' ? randomSpan(random, ms) : ms);
      const change = (up: boolean): void => {
        // In the end links are up.
        if (this.#timeline.nowMs >= this.#scenario.durationMs) return;
        device.setLink(up);
        this.#timeline.after(span(up ? upMs : downMs), () => change(!up));
      };
      // Somewhere in the time that it is up: else all would go at one moment.
      this.#timeline.after(Math.ceil(random.next() * upMs), () => change(false));
    }
  }

  #planArrivals(terms: ArrivalTerms, number: number): void {
    const random = seededRandom(this.#scenario.seed, `arrivals ${number}`);
    const wallets = this.#payers.named(terms.wallets);
    for (const ms of arrivalTimes(terms, random)) {
      const wallet = wallets[random.below(wallets.length)] as (typeof wallets)[number];
      const device = this.#device(terms.devices[random.below(terms.devices.length)] as string);
      const [least, most] = terms.amountMinor;
      const amount = (least + BigInt(Math.floor(random.next() * Number(most - least + 1n)))).toString();
      this.#timeline.at(ms, async () => {
        const presentation = await this.#payers.pay(wallet, device.sale, amount);
        await this.#pay(device, presentationBytes(presentation), amount, `${wallet.terms.name}-${wallet.number}`);
      });
    }
  }

  async #pay(device: SimulatedDevice, bytes: Uint8Array, amountMinor: string, payer: string): Promise<void> {
    const { deviceId } = device.terms;
    this.#payments++;
    const decision = await device.pay(bytes, amountMinor);
    if (decision === undefined) this.#unanswered++;
    else if (!decision.ok) this.#refused.set(decision.code, (this.#refused.get(decision.code) ?? 0) + 1);
    else if (!decision.repeated) {
      this.#approved++;
      this.#approvals.push({ deviceId, receiptId: decision.receiptId });
    }
    this.#tell(deviceId, { event: 'payment', payer, amountMinor, ...answerOf(decision) });
    device.leave();
  }

  async #act(action: Action): Promise<void> {
    const { kind } = action;
    const servers = this.#servers;
    if (kind !== 'urgent' && kind !== 'provision') this.#trace.add({ event: `authority.${kind}`, ...namedIn(action) });
    switch (kind) {
      case 'issue-bundles':
        break;
      case 'revoke-key':
        servers.revokeKey(action.key);
        break;
      case 'revoke-grants':
        for (const { grant } of this.#payers.named(action.wallets).slice(0, action.count))
          await servers.revokeGrant(String((grant.grant as { grantId: string }).grantId));
        break;
      case 'replace-grant-key':
        servers.replaceGrantKey(action.key);
        await this.#payers.renew();
        break;
      case 'rotate-root':
        servers.rotateRoot(action.key);
        break;
      case 'provision':
        this.#planProvisioning(action);
        return;
      case 'urgent':
        for (const deviceId of action.devices) this.#device(deviceId).urgent();
        return;
    }
    await servers.issueBundles();
  }

  #planProvisioning({ devices, rootKeys, withinMs }: Action & { readonly kind: 'provision' }): void {
    const keys = rootKeys.map(({ kid, publicKey }) => ({ kid, publicKey }));
    for (const [i, deviceId] of devices.entries()) {
      const device = this.#device(deviceId);
      this.#timeline.after(Math.floor((withinMs * i) / devices.length), () => {
        const document = documentFrom(device.provisioning);
        const site = { ...device.provisioning.site, rootKeys: keys };
        device.provision(replacedImage(device.image, { ...document, site }, device.provisioning.counter + 1));
      });
    }
  }

  async #isAcknowledged(deviceId: string, receiptId: number): Promise<boolean> {
    const { storage } = this.#servers.backend.backend;
    return (await storage.receipt({ deviceId, chain: 1 }, receiptId)) !== undefined;
  }

  #unmet(): readonly string[] {
    const { approvedAtLeast = 0, refusedAtLeast = 0, never, some } = this.#scenario.expect;
    const refused = [...this.#refused.values()].reduce((sum, count) => sum + count, 0);
    const unmet: string[] = [];
    if (this.#approved < approvedAtLeast)
      unmet.push(`${this.#approved} payments were approved, ${approvedAtLeast} are expected`);
    if (refused < refusedAtLeast) unmet.push(`${refused} payments were refused, ${refusedAtLeast} are expected`);
    for (const code of never)
      if (this.#refused.has(code)) unmet.push(`${this.#refused.get(code)} payments were refused with ${code}`);
    for (const code of some) if (!this.#refused.has(code)) unmet.push(`no payment was refused with ${code}`);
    return unmet;
  }

  #device(deviceId: string): SimulatedDevice {
    return this.#devices.get(deviceId) as SimulatedDevice;
  }

  #tell(device: string, { event, ...rest }: LogEvent): void {
    this.#trace.add({ event, device, ...rest });
  }
}

function answerOf(decision: Awaited<ReturnType<SimulatedDevice['pay']>>): Omit<LogEvent, 'event'> {
  if (decision === undefined) return { answer: 'none' };
  if (!decision.ok) return { answer: 'refused', code: decision.code, detail: decision.detail };
  const { receiptId, budgetId, grantId } = decision;
  return { answer: decision.repeated ? 'repeated' : 'approved', receiptId, budgetId, grantId };
}

function namedIn(action: Action): { readonly [member: string]: string | number } {
  if ('key' in action) return { key: action.key.kid };
  return action.kind === 'revoke-grants' ? { wallets: action.wallets, count: action.count } : {};
}

function audiences(devices: Iterable<SimulatedDevice>): readonly BundleAudience[] {
  const found = new Map<string, BundleAudience>();
  for (const { provisioning } of devices) {
    const { bundleScope = {}, terminal } = provisioning.site;
    const { category = 'any', merchant = terminal?.merchant, region } = bundleScope;
    found.set(JSON.stringify([category, merchant, region]), { category, merchant, region });
  }
  return [...found.values()];
}
