// A Policy Authority with one charger site and two vehicles, for tests: the cast of the day, without its story.

import type { JsonObject } from '../../core/json/value.ts';
import type { Flash } from '../../core/ports/ports.ts';
import type { ProvisioningDocument } from '../../core/provisioning/provisioning.ts';
import {
  AUTHORITY,
  bundleRequest,
  type Cast,
  createCast,
  DAY_BEGINS_MS,
  DAY_MS,
  DESTINATION,
  grantRequest,
  POLICY,
  siteConfiguration,
  type Vehicle,
  XRP,
} from '../../host-sim/day/scene.ts';
import type { BundleRequest } from '../../host-sim/policy-authority/authority.ts';
import { PolicyAuthority } from '../../host-sim/policy-authority/server.ts';
import { SimulatedClock } from '../../host-sim/ports/clock.ts';
import { imageFlash, imageOf } from '../../host-sim/provisioning/image.ts';
import { presentationBytes, type WalletPresentation } from '../../host-sim/wallet/presentation.ts';
import { createSession, type PaymentTerms, type WalletSession } from '../../host-sim/wallet/session.ts';

/** A payment with its bytes, ready to be presented. */
export interface ReadyPayment {
  readonly presentation: WalletPresentation;
  readonly bytes: Uint8Array;
  readonly amountMinor: string;
}

/** When the firmware of the tests' chargers was built. */
export const FIRMWARE_BUILT_MS = DAY_BEGINS_MS - DAY_MS;

/** What a charger boots from: the partition with an image of the document. */
export function provisioned(document: ProvisioningDocument, counter = 1): Flash {
  return imageFlash(imageOf(document, counter));
}

/** See the head of the file. */
export class TestSite {
  readonly cast: Cast = createCast();
  readonly clock = new SimulatedClock(DAY_BEGINS_MS);
  readonly authority: PolicyAuthority;
  apiKey = '';
  policyHash = '';

  constructor() {
    const identity = { issuer: AUTHORITY, grantKey: this.cast.grantKey, bundleKey: this.cast.root };
    this.authority = new PolicyAuthority({ identity, clock: this.clock });
  }

  /** A site whose authority serves on loopback and has stored the policy. */
  static async open(): Promise<TestSite> {
    const site = new TestSite();
    await site.authority.listen();
    site.apiKey = await site.authority.issueApiKey('test', ['admin']);
    const { body } = await site.post('/policies', { policyDocument: POLICY });
    site.policyHash = String(body.policyHash);
    return site;
  }

  close(): Promise<void> {
    return this.authority.close();
  }

  provisioning(): ProvisioningDocument {
    return {
      deviceId: 'charger-under-test',
      site: siteConfiguration(this.cast),
      policyAuthorityUrl: this.authority.url,
    };
  }

  /** A grant for a vehicle, as the authority gives it. */
  async grant(vehicle: Vehicle): Promise<JsonObject> {
    return (await this.post('/grants', grantRequest(this.policyHash, vehicle))).body;
  }

  /** Issues a bundle. @param changes members that differ from the usual */
  async bundle(revoked: readonly Vehicle[] = [], changes: Partial<BundleRequest> = {}): Promise<JsonObject> {
    const request = { ...bundleRequest(this.cast, DAY_BEGINS_MS + 7 * DAY_MS, revoked), ...changes };
    return (await this.post('/trust-bundles', request)).body;
  }

  /** What the authority serves to devices at the moment. */
  async bundleSet(): Promise<Uint8Array> {
    const response = await fetch(new URL('/trust-bundles', this.authority.url));
    return new Uint8Array(await response.arrayBuffer());
  }

  wallet(vehicle: Vehicle, grant: JsonObject): Promise<WalletSession> {
    return createSession(grant, {
      actorId: vehicle.address,
      signingKey: vehicle.key,
      issuer: vehicle.issuer,
      scope: 'SESSION',
      ceiling: { amount: '5000000', currency: 'XRP' },
      minorUnit: 6,
      clock: this.clock,
    });
  }

  async payment(wallet: WalletSession, amount: string, more: Partial<PaymentTerms> = {}): Promise<ReadyPayment> {
    const presentation = await wallet.createPayment({ amount, asset: XRP, destination: DESTINATION, ...more });
    return { presentation, bytes: presentationBytes(presentation), amountMinor: amount };
  }

  async post(
    path: string,
    body: unknown,
    key: string | undefined = this.apiKey,
  ): Promise<{ status: number; body: JsonObject }> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (key !== '') headers.authorization = `Bearer ${key}`;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(new URL(path, this.authority.url), { method: 'POST', headers, body: text });
    return { status: response.status, body: (await response.json()) as JsonObject };
  }

  async get(path: string): Promise<{ status: number; body: JsonObject }> {
    const response = await fetch(new URL(path, this.authority.url));
    return { status: response.status, body: (await response.json()) as JsonObject };
  }
}
