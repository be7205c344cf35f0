// Where a provisioned device's Policy Authority has its bundles, for whoever asks in its place.

import { bundlePath } from '../../core/refresh/bundle-fetch.ts';
import type { BundleScope } from '../../core/trust/configuration.ts';

/** The URL a device fetches its bundles from, its scope in the query: that of the read configuration, defaults included. */
export function bundleUrl(policyAuthorityUrl: string, scope: BundleScope): URL {
  return new URL(bundlePath(scope), policyAuthorityUrl);
}
