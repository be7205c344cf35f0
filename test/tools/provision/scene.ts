// A fleet of two chargers with its policy, in a folder: what tests of the `provision` commands begin with.

import { publicJwk } from '../../../host-sim/signing/keys.ts';
import { bundle } from '../../fixtures/artifacts.ts';
import { CERTIFICATE_PEM } from '../../fixtures/certificate.ts';
import { otherRoot, root } from '../../fixtures/keys.ts';
import { Bench, changed, type RunResult, run } from '../cli/run.ts';

type Members = { readonly [name: string]: unknown };

export const XRPL_ADDRESS = 'rnPiz3CjrgbK9Ztwft6WCWoZUpLLttLyp6';
export const NOW = '2026-06-01T12:00:00Z';

/** The site's part of the policy, with changes; `undefined` takes a member out. */
export function sitePart(changes: Members = {}): Members {
  return {
    grantIssuers: ['pa.example'],
    sbaIssuers: { 'pa.example': ['wallet.example'] },
    rootKeys: [{ publicKey: publicJwk(root) }],
    terminal: {
      rail: 'xrpl',
      asset: { kind: 'XRP' },
      destination: XRPL_ADDRESS,
      unit: { kind: 'atomic' },
      purpose: 'transport:charging',
    },
    ...changes,
  };
}

/** A policy, with changes. */
export function policyOf(changes: Members = {}): Members {
  return {
    site: sitePart(),
    policyAuthorityUrl: 'https://pa.example',
    operatorUrl: 'https://operator.example',
    certificate: 'ca.pem',
    wifi: { ssid: 'depot', password: 'correct horse' },
    wiring: { kind: 'charger', relay: 4, active: 'high', meter: 5 },
    ...changes,
  };
}

/** The columns of the tests' fleet file, and a line for a device. */
export const COLUMNS = 'deviceId,site,merchant,category,region,apiKey,wifiSsid,wifiPassword,kind,relayPin,relayActive';
export const DEVICE_1 = 'charger-1,north,did:web:volt.example,ev-charging,EU,mpcp_1,,,,,';
export const DEVICE_2 = 'gate-2,south,did:web:volt.example,transit,EU,mpcp_2,"lobby, 2nd",s3cret pass,gate,7,low';

/** See the head of the file. */
export class FleetBench extends Bench {
  constructor() {
    super();
    this.write('ca.pem', CERTIFICATE_PEM);
    this.write('fleet.csv', `${COLUMNS}\n${DEVICE_1}\n${DEVICE_2}\n`);
    this.write('policy.json', policyOf());
    this.write('bundle.json', bundle());
    this.write('root.jwk', publicJwk(root));
    this.write('root-2.jwk', publicJwk(otherRoot));
  }

  /** `provision create` of these files; what is not text is written as JSON. */
  create(fleet: string, policy: unknown, ...options: readonly string[]): Promise<RunResult> {
    const files = [this.write('a-fleet', fleet), this.write('a-policy.json', policy)];
    const words = ['provision', 'create', ...files, '--out', this.path('refused'), '--now', NOW];
    return run(...changed(words, ...options));
  }
}
