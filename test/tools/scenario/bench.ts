// A small scenario file that is good, and changes of it: what tests of `sim run` begin with.

import { parse, stringify } from 'yaml';
import { Bench, type RunResult, run } from '../cli/run.ts';

/** One gate, one wallet, an hour. */
export const SMALL = `format: 1
title: A small one
seed: 1
begins: 2026-06-01T05:00:00Z
duration: 1h
keys:
  root-1: seeded
  grants-1: seeded
  riders-1: seeded
authority:
  issuer: pa.metro.example
  grantKey: grants-1
  rootKey: root-1
  bundles: { every: 8h, lifetime: 3d }
fleet:
  policy:
    policyAuthorityUrl: https://pa.metro.example
    operatorUrl: https://operator.metro.example
    site:
      profile: full
      rootKeys: [root-1]
      grantIssuers: [pa.metro.example]
      sbaIssuers: { pa.metro.example: [riders.example] }
      terminal:
        rail: xrpl
        asset: { kind: XRP }
        destination: rnPiz3CjrgbK9Ztwft6WCWoZUpLLttLyp6
        unit: { kind: atomic }
        purpose: transit:ride
  devices:
    - { deviceId: gate-1, merchant: did:web:metro.example, category: transit, region: EU }
wallets:
  - name: riders
    issuer: riders.example
    key: riders-1
    grant: { budget: '60000000' }
arrivals:
  - wallets: riders
    devices: gate-1
    pattern: { every: 10m }
    from: 5m
    amount: '1000000'
`;

// biome-ignore lint/suspicious/noExplicitAny: tests change what they like
export type Values = any;

/** What stands in it. */
export function smallValues(): Values {
  return parse(SMALL);
}

/** The small scenario with changes. */
export function changedScenario(change: (scenario: Values) => void): string {
  const scenario = smallValues();
  change(scenario);
  return stringify(scenario);
}

/** See the head of the file. */
export class ScenarioBench extends Bench {
  /** Runs a scenario's text. */
  sim(text: string, ...options: readonly string[]): Promise<RunResult> {
    return run('sim', 'run', this.write('scenario.yaml', text), ...options);
  }
}
