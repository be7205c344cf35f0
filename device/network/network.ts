// The network of a device, from its provisioning: Wi-Fi, the time, Trust Bundles, handing in, questions to issuers, the local
// endpoint. Without it, or while it is away, a device sells as before.

import { deviceState, stateDocument } from '../../core/boot/state.ts';
import { Errands, handInOrder } from '../../core/network/errands.ts';
import { serverOf } from '../../core/network/http-client.ts';
import { askRevocation } from '../../core/network/revocation-ask.ts';
import { UrgentTopic } from '../../core/network/urgent-topic.ts';
import type { Log } from '../../core/ports/ports.ts';
import { asksForRefresh, BundleRefresh, REFRESH_HEADER } from '../../core/refresh/bundle-refresh.ts';
import type { RevocationQuestion } from '../../core/refresh/revocation.ts';
import { Uploader } from '../../core/refresh/upload.ts';
import { random, random32 } from '../firmware/board.ts';
import { type Running, stateParts } from '../firmware/running.ts';
import type { Device } from '../firmware/start.ts';
import { connecting } from './connection.ts';
import { HttpEndpoint } from './http-endpoint.ts';
import { HttpsClient } from './https.ts';
import { NetworkTime } from './time.ts';
import { WifiLink } from './wifi.ts';

/** Asked for the time where a manifest names nobody else. */
export const TIME_SERVER = 'pool.ntp.org';

/** What a manifest may say of it. */
export interface NetworkSettings {
  readonly timeServer?: string;
  /** Of the local endpoint. Left out, or 0: there is none, see FLASHING. */
  readonly port?: number;
  /** Who says by a message that there are new bundles, where the provisioning names nobody. */
  readonly broker?: { readonly host: string; readonly port: number; readonly topic: string };
}

/** See the head of the file. It does nothing until `tick`. */
export class Network {
  readonly #device: Device;
  readonly #link: WifiLink | undefined;
  readonly #errands: Errands | undefined;
  /** Of its own, so that a payer need not wait until a fetch is over. */
  readonly #questions: HttpsClient;
  readonly #port: number;
  readonly #topic: UrgentTopic | undefined;
  readonly #log: Log;
  #endpoint: HttpEndpoint | undefined;
  #isPaying = false;

  constructor(device: Device, log: Log, settings: NetworkSettings = {}) {
    const { provisioning, clock, verifier, journal, crypto } = device;
    const { certificate, wifi } = provisioning;
    this.#device = device;
    this.#log = log;
    this.#port = settings.port ?? 0;
    const time = new NetworkTime({ clock, server: settings.timeServer ?? TIME_SERVER, random32, log });
    const monotonicMs = () => clock.monotonicMs();
    const client = new HttpsClient({ certificate, observed: (header) => time.told(header('date')), log });
    this.#questions = new HttpsClient({
      certificate,
      observed: (header) => {
        if (asksForRefresh(header(REFRESH_HEADER))) this.#errands?.urgent('http');
      },
      log,
    });
    const changed = (up: boolean) => this.#changed(up);
    if (wifi !== undefined) this.#link = new WifiLink({ wifi, monotonicMs, random, log, changed });
    const { deviceId, operator, mqtt: broker = settings.broker } = provisioning;
    // The broker gets the device's key at its operator.
    const pinned = operator?.certificate ?? certificate;
    if (broker !== undefined && pinned !== undefined)
      this.#topic = new UrgentTopic({
        ...broker,
        connect: connecting(log),
        certificate: pinned,
        deviceId,
        ...(operator !== undefined && { password: operator.apiKey }),
        monotonicMs,
        random,
        log,
        urgent: () => void this.urgent('mqtt'),
        missed: () => this.#errands?.missed(),
      });
    const authority = serverOf(provisioning.policyAuthorityUrl);
    if (authority === undefined) {
      log.emit({ event: 'network.unusable', detail: 'the URL of the Policy Authority cannot be used' });
      return;
    }
    const order = handInOrder(provisioning);
    const uploader = journal === undefined || order === undefined ? undefined : new Uploader(journal, { random, log });
    this.#errands = new Errands({
      refresh: new BundleRefresh({ verifier, crypto, random, log }),
      authority,
      ...(uploader !== undefined && order !== undefined && { handIn: { uploader, order } }),
      client,
      time,
      clock,
      linkUp: () => this.linkUp,
      hasLink: this.#link !== undefined,
    });
  }

  get linkUp(): boolean {
    return this.#link?.up === true;
  }

  /** Every second. */
  tick(): void {
    this.#link?.tick();
    this.#errands?.step();
    // Without a clock no certificate can be looked at.
    this.#topic?.tick(this.linkUp && this.#device.clock.wallMs() !== undefined, this.#isPaying);
  }

  /** A payment is under way, or is not any more. */
  attend(busy: boolean): void {
    this.#isPaying = busy;
    this.#errands?.attend(busy);
  }

  /** Something from outside says that there are new bundles. @returns whether it is believed */
  urgent(reason: string): boolean {
    return this.#errands?.urgent(reason) === true;
  }

  /** Asks what the core wants asked about a grant. @param done is called once */
  ask(question: RevocationQuestion, done: () => void): void {
    const checks = this.#device.verifier.revocation;
    if (checks === undefined) {
      done();
      return;
    }
    askRevocation({ client: this.#questions, checks }, question, done);
  }

  /** Opens the local endpoint, which is there while the network is. */
  serve(running: Running): void {
    if (this.#port === 0) return;
    const { device, till, log } = running;
    this.#endpoint = new HttpEndpoint({
      port: this.#port,
      monotonicMs: () => device.clock.monotonicMs(),
      present: (presentation, answer) => till.present(presentation, answer),
      state: () => stateDocument(stateParts(running)),
      notServing: () => {
        const { serving, reasons } = deviceState(stateParts(running));
        return serving ? undefined : { error: 'the device does not sell just now', reasons: [...reasons] };
      },
      log,
    });
    if (this.linkUp) this.#endpoint.open();
  }

  #changed(up: boolean): void {
    const { revocation } = this.#device.verifier;
    if (revocation !== undefined) revocation.linkUp = up;
    this.#errands?.linkChanged(up);
    if (up) this.#endpoint?.open();
    else {
      this.#questions.abort('link-down', 'the link went down');
      this.#endpoint?.close();
    }
    this.#log.emit({ event: up ? 'network.up' : 'network.down' });
  }
}
