// The bundle set of a device under test: small signed bundles on a partition of their own, taken in as an answer of a
// Policy Authority would be, and verified again at each start.

import type { SpendLedger } from '../../core/ledger/ledger.ts';
import type { Flash } from '../../core/ports/ports.ts';
import { BundlePartition } from '../../core/trust/bundle-partition.ts';
import { StoredBundles } from '../../core/trust/stored-bundles.ts';
import { TrustSet } from '../../core/trust/trust-set.ts';
import { signBundle } from '../../host-sim/signing/artifacts.ts';
import { keyFromSeed, publicJwk, type SigningKey } from '../../host-sim/signing/keys.ts';
import { CRYPTO } from './names.ts';

/** The time bundles are admitted at: after all of them were issued, before any expires. */
const NOW_MS = Date.UTC(2026, 5, 2, 12);
const VALID_MS = 7 * 86_400_000;
const CATEGORY = 'ev-charging';

/** The keys, derived when they are first needed: the command line loads this file whatever it is asked. */
let keys: { readonly root: SigningKey; readonly pa: SigningKey } | undefined;

function signers(): NonNullable<typeof keys> {
  keys ??= {
    root: keyFromSeed('root', new Uint8Array(32).fill(1)),
    pa: keyFromSeed('pa', new Uint8Array(32).fill(2)),
  };
  return keys;
}

/** What a ledger calls the bundles of an issuer. */
export function identityOf(issuer: string): string {
  return JSON.stringify([issuer, CATEGORY, '', '']);
}

const answers = new Map<string, Uint8Array>();

/** The answer that brings a bundle. */
function answerOf(issuer: string, issuedAtMs: number): Uint8Array {
  const name = `${issuer} ${issuedAtMs}`;
  let bytes = answers.get(name);
  if (bytes === undefined) {
    const { root, pa } = signers();
    const bundle = signBundle(
      {
        version: '1.0',
        bundleId: name,
        bundleIssuer: issuer,
        category: CATEGORY,
        approvedIssuers: ['pa'],
        issuers: [{ issuer: 'pa', keys: [{ ...publicJwk(pa) }] }],
        issuedAt: new Date(issuedAtMs).toISOString(),
        expiresAt: new Date(issuedAtMs + VALID_MS).toISOString(),
      },
      root,
    );
    bytes = new TextEncoder().encode(JSON.stringify({ bundles: [bundle] }));
    answers.set(name, bytes);
  }
  return bytes;
}

/** See the head of the file. */
export class BundleStore {
  readonly #trust = new TrustSet();
  readonly #stored: StoredBundles;
  /** What a start found wrong. */
  readonly problem: string | undefined;

  constructor(flash: Flash, ledger: SpendLedger) {
    const { root } = signers();
    this.#stored = new StoredBundles({
      partition: new BundlePartition(flash, CRYPTO),
      trust: this.#trust,
      ledger,
      log: undefined,
      now: () => NOW_MS,
      context: { crypto: CRYPTO, rootKeys: [{ kid: root.kid, publicKey: root.publicKey }], scope: {} },
    });
    const loaded = this.#stored.load();
    const refusals = 'ok' in loaded ? [loaded] : loaded.filter((one) => !one.ok);
    const [first] = refusals;
    this.problem = first && !first.ok ? `${first.code} ${first.detail}` : undefined;
  }

  /** The bundles in force: identity and when issued, in the order of identities. */
  get inForce(): readonly string[] {
    return this.#trust.bundles.map(({ identity, issuedAtMs }) => `${identity} ${issuedAtMs}`).sort();
  }

  /** Takes an answer in, in pieces as a network brings it. @returns why not */
  take(issuer: string, issuedAtMs: number): string | undefined {
    const bytes = answerOf(issuer, issuedAtMs);
    const intake = this.#stored.begin();
    if ('ok' in intake) return `${intake.code} ${intake.detail}`;
    for (let at = 0; at < bytes.length; at += 200) {
      const refusal = intake.write(bytes.subarray(at, at + 200));
      if (refusal) return `${refusal.code} ${refusal.detail}`;
    }
    const outcome = intake.end();
    for (const one of 'ok' in outcome ? [outcome] : outcome) if (!one.ok) return `${one.code} ${one.detail}`;
    return undefined;
  }
}
