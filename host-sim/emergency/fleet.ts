// A fleet that is told in an emergency: chargers with real sockets, subscribed at a broker, and a Policy Authority on loopback. A
// vehicle's key is stolen and revoked, whoever has the broker says so, and it is seen when each device refuses what it signs.

import type { JsonObject } from '../../core/json/value.ts';
import { REFRESH_SPREAD_MS } from '../../core/limits.ts';
import type { Clock, LogEvent } from '../../core/ports/ports.ts';
import type { MqttBroker, ProvisioningDocument } from '../../core/provisioning/provisioning.ts';
import type { Decision } from '../../core/verifier.ts';
import {
  AUTHORITY,
  bundleRequest,
  CATEGORY,
  type Cast,
  createCast,
  DAY_BEGINS_MS,
  DAY_MS,
  DESTINATION,
  grantRequest,
  MERCHANT,
  POLICY,
  REGION,
  siteConfiguration,
  XRP,
} from '../day/scene.ts';
import { SeededRandom } from '../flash/random.ts';
import { SimulatedFlash } from '../flash/simulated-flash.ts';
import { MemoryStore } from '../flash/store.ts';
import { postJson } from '../http/post-json.ts';
import { PolicyAuthority } from '../policy-authority/server.ts';
import { createNodeCrypto } from '../ports/node-crypto.ts';
import { imageFlash, imageOf } from '../provisioning/image.ts';
import { bundleUrl } from '../virtual-device/bundle-url.ts';
import { OnlineCharger } from '../virtual-device/online-charger.ts';
import { presentationBytes } from '../wallet/presentation.ts';
import { createSession, type WalletSession } from '../wallet/session.ts';

const LEDGER_BYTES = 32_768;
const AMOUNT = '1000';
const ADMIN_KEY = 'emergency-administration';
/** From one request of a device until it may ask again at once, and a while more. */
const QUIET_MS = 600_000;

/** A clock that runs with the machine's, and can leap ahead. */
export class LeapingClock implements Clock {
  readonly #beganMs = performance.now();
  #leaptMs = 0;

  monotonicMs(): number {
    return performance.now() - this.#beganMs + this.#leaptMs;
  }

  wallMs(): number {
    return DAY_BEGINS_MS + this.monotonicMs();
  }

  leap(ms: number): void {
    this.#leaptMs += ms;
  }
}

/** When something happened at a device, by `performance.now()`. */
export interface DeviceTimes {
  /** It has heard the message, and believed it. */
  toldMs?: number;
  /** It has begun to ask for bundles. */
  askedMs?: number;
  /** It has refused the stolen key. */
  refusedMs?: number;
}

/** A device of the fleet. */
export class FleetDevice {
  readonly deviceId: string;
  readonly clock = new LeapingClock();
  readonly online: OnlineCharger;
  readonly events: LogEvent[] = [];
  times: DeviceTimes = {};
  /** Whether it spreads its request as devices do: else its clock leaps past that when it is told. */
  isSpread = true;

  constructor(document: ProvisioningDocument, seed: number, everyMs: number) {
    this.deviceId = document.deviceId;
    const random = new SeededRandom(seed);
    this.online = new OnlineCharger({
      provisioning: imageFlash(imageOf(document, 1)),
      firmwareBuiltMs: DAY_BEGINS_MS - DAY_MS,
      flash: new SimulatedFlash(new MemoryStore(LEDGER_BYTES)),
      clock: this.clock,
      crypto: createNodeCrypto(),
      salt: seed,
      log: { emit: (event) => this.#tell(event) },
      random: () => random.next(),
      everyMs,
    });
  }

  /** How often something was told. */
  count(event: string): number {
    return this.events.filter((one) => one.event === event).length;
  }

  pay(presentation: Uint8Array): Decision {
    const decision = this.online.charger.pay(presentation, { amountMinor: AMOUNT });
    this.online.charger.disconnect();
    return decision;
  }

  #tell(event: LogEvent): void {
    this.events.push(event);
    const now = performance.now();
    if (event.event === 'refresh.urgent' && event.believed === true) {
      this.times.toldMs ??= now;
      if (!this.isSpread) this.clock.leap(REFRESH_SPREAD_MS);
    }
    if (event.event === 'refresh.begin') this.times.askedMs = now;
  }
}

/** What a fleet is made of. */
export interface FleetOptions {
  readonly devices: number;
  /** How often each looks what is due, in milliseconds. Default: a second, as firmware does. */
  readonly everyMs?: number;
}

/** See the head of the file. */
export class EmergencyFleet {
  readonly cast: Cast = createCast();
  readonly clock = new LeapingClock();
  readonly authority: PolicyAuthority;
  /** Passwords at the broker, by device id. */
  readonly passwords: ReadonlyMap<string, string>;
  devices: readonly FleetDevice[] = [];
  readonly #options: FleetOptions;
  #wallet: WalletSession | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    const identity = { issuer: AUTHORITY, grantKey: this.cast.grantKey, bundleKey: this.cast.root };
    this.authority = new PolicyAuthority({ identity, clock: this.clock, adminKey: ADMIN_KEY });
    const ids = Array.from({ length: options.devices }, (_, i) => `charger-${String(i + 1).padStart(4, '0')}`);
    this.passwords = new Map(ids.map((id) => [id, `mpcp_key-of-${id}`]));
  }

  /** Opens the Policy Authority, which has a bundle, and gives the vehicle a grant. */
  async open(): Promise<void> {
    await this.authority.listen();
    const { policyHash } = await this.#post('/policies', { policyDocument: POLICY });
    const grant = await this.#post('/grants', grantRequest(String(policyHash), this.cast.vehicleA));
    this.#wallet = await createSession(grant, {
      actorId: this.cast.vehicleA.address,
      signingKey: this.cast.vehicleA.key,
      issuer: this.cast.vehicleA.issuer,
      scope: 'SESSION',
      ceiling: { amount: '5000000', currency: 'XRP' },
      minorUnit: 6,
      clock: this.clock,
    });
    await this.#issue(false);
  }

  /** Starts the devices. @param broker as their provisioning names it @param certificate the broker's, in DER */
  start(broker: MqttBroker, certificate: Uint8Array, passwords = this.passwords): void {
    const { url } = this.authority;
    this.devices = [...passwords].map(([deviceId, apiKey], i) => {
      const operator = { url, apiKey, certificate };
      const document = {
        deviceId,
        site: siteConfiguration(this.cast),
        policyAuthorityUrl: url,
        operator,
        mqtt: broker,
      };
      return new FleetDevice(document, i + 1, this.#options.everyMs ?? 1000);
    });
    for (const { online } of this.devices) online.start();
  }

  /** Is over when all devices are as is wanted. @throws Error where they are not within so many milliseconds */
  async until(what: string, isSo: (device: FleetDevice) => boolean, devices = this.devices, limitMs = 60_000) {
    const endMs = performance.now() + limitMs;
    for (let left = devices; left.length > 0; left = left.filter((device) => !isSo(device))) {
      if (performance.now() > endMs) throw new Error(`${left.length} of ${devices.length} devices are not ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Is over when all are subscribed and have a bundle, and long enough ago that they may ask again. */
  async ready(limitMs?: number): Promise<void> {
    const isReady = (device: FleetDevice) => device.count('mqtt.subscribed') > 0 && device.count('refresh.done') > 0;
    await this.until('subscribed with a bundle', isReady, this.devices, limitMs);
    this.pass(QUIET_MS);
  }

  /** Has all devices fetch what there is, because somebody asks for it. */
  async refreshed(): Promise<void> {
    for (const { online } of this.devices) await online.charger.refresh();
    this.pass(QUIET_MS);
  }

  /** Time passes for the authority, the vehicle and all devices. */
  pass(ms: number): void {
    for (const { clock } of [this, ...this.devices]) clock.leap(ms);
  }

  /** Where the bundles are that devices fetch. */
  get bundleUrl(): URL {
    return bundleUrl(this.authority.url, { category: CATEGORY, merchant: MERCHANT, region: REGION });
  }

  /** A payment that the vehicle signs: another one each time. */
  async payment(): Promise<Uint8Array> {
    if (this.#wallet === undefined) throw new Error('the fleet is not open');
    const terms = { amount: AMOUNT, asset: XRP, destination: DESTINATION };
    return presentationBytes(await this.#wallet.createPayment(terms));
  }

  /** The authority's bundles say from now on that the vehicle's key signs no more, or that it does. */
  revoke(isRevoked = true): Promise<unknown> {
    return this.#issue(isRevoked);
  }

  /** Has each device asked with a payment of the stolen key as soon as it has had an answer. Over when all have refused. */
  async refused(payment: Uint8Array, devices = this.devices, limitMs = 60_000): Promise<void> {
    const done = new Map(devices.map((device) => [device, device.count('refresh.done')]));
    const refuses = (device: FleetDevice) => {
      if (device.times.refusedMs !== undefined) return true;
      const count = device.count('refresh.done');
      if (count === done.get(device)) return false;
      done.set(device, count);
      if (!device.pay(payment).ok) device.times.refusedMs = performance.now();
      return device.times.refusedMs !== undefined;
    };
    await this.until('refusing the stolen key', refuses, devices, limitMs);
  }

  async close(): Promise<void> {
    for (const { online } of this.devices) online.stop();
    await this.authority.close();
  }

  #issue(isRevoked: boolean): Promise<JsonObject> {
    const { cast } = this;
    return this.#post(
      '/trust-bundles',
      bundleRequest(cast, DAY_BEGINS_MS + 7 * DAY_MS, isRevoked ? [cast.vehicleA] : []),
    );
  }

  #post(path: string, body: object): Promise<JsonObject> {
    return postJson((request) => this.authority.answer(request), path, ADMIN_KEY, body);
  }
}
