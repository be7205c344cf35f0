// What a virtual device is given at manufacture: who it is, what it trusts, what it sells, where its authority is.

import type { SiteConfiguration } from '../../core/configuration.ts';
import { bundlePath } from '../../core/refresh/bundle-fetch.ts';
import type { BundleScope } from '../../core/trust/configuration.ts';

/** Where a device hands in what it has accepted. */
export interface OperatorAccess {
  /** E.g. `https://operator.example`. */
  readonly url: string;
  /** Its own key, which is good for this device alone. */
  readonly apiKey: string;
}

/** The provisioning of one virtual charger. */
export interface Provisioning {
  readonly deviceId: string;
  /** Root keys, issuers, terminal, bundle scope. A charger does not start on one that is incomplete. */
  readonly configuration: SiteConfiguration;
  /** Where Trust Bundles are fetched, e.g. `https://pa.example`. */
  readonly policyAuthorityUrl: string;
  /** Left out, accepted payments stay in the journal. */
  readonly operator?: OperatorAccess;
  /** When the device's image was built, in milliseconds: no correct clock shows an earlier time. Default: the core's. */
  readonly imageBuiltMs?: number;
}

/** The URL a device fetches its bundles from, its scope in the query: that of the read configuration, defaults included. */
export function bundleUrl(policyAuthorityUrl: string, scope: BundleScope): URL {
  return new URL(bundlePath(scope), policyAuthorityUrl);
}

/** The URL a device hands in to. */
export function receiptsUrl(operatorUrl: string, deviceId: string): URL {
  return new URL(`/v1/devices/${encodeURIComponent(deviceId)}/receipts`, operatorUrl);
}
