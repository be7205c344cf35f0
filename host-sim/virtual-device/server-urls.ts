// The URLs of the servers that a provisioned device talks to.

import { bundlePath } from '../../core/refresh/bundle-fetch.ts';
import { receiptsPath } from '../../core/refresh/upload.ts';
import type { BundleScope } from '../../core/trust/configuration.ts';

/** The URL a device fetches its bundles from, its scope in the query: that of the read configuration, defaults included. */
export function bundleUrl(policyAuthorityUrl: string, scope: BundleScope): URL {
  return new URL(bundlePath(scope), policyAuthorityUrl);
}

/** The URL a device hands in to. */
export function receiptsUrl(operatorUrl: string, deviceId: string): URL {
  return new URL(receiptsPath(deviceId), operatorUrl);
}
