// The bundle set of a device under test: small signed bundles on a partition of their own, taken in as an answer of a
// Policy Authority would be, and verified again at each start.

import type { SpendLedger } from '../../core/ledger/ledger.ts';
import type { Flash } from '../../core/ports/ports.ts';
import type { Refusal } from '../../core/reason-codes.ts';
import type { NewestBundle } from '../../core/trust/admission.ts';
import { BundlePartition } from '../../core/trust/bundle-partition.ts';
import { StoredBundles } from '../../core/trust/stored-bundles.ts';
import { TrustSet } from '../../core/trust/trust-set.ts';
import { signBundle } from '../../host-sim/signing/artifacts.ts';
import { keyFromSeed, publicJwk, type SigningKey } from '../../host-sim/signing/keys.ts';
import { CRYPTO } from './names.ts';
import { RememberedVerdicts } from './remembered-verdicts.ts';

/** The time bundles are admitted at: after all of them were issued, before any expires. */
const NOW_MS = Date.UTC(2026, 5, 2, 12);
const VALID_MS = 7 * 86_400_000;
const CATEGORY = 'ev-charging';
/** Bytes that an answer comes in. */
const PIECE = 200;

/** Starts verify the same few bundles again, after every cut of a walk. */
const crypto = new RememberedVerdicts(CRYPTO);

/** A bundle, as workloads state it. */
export interface NamedBundle {
  readonly issuer: string;
  readonly issuedAtMs: number;
}

/** `lean`: some three hundred bytes, without the keys, so that pairs of cuts stay few. */
export type BundleSize = 'lean' | 'full';

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

/** The answer that brings bundles. */
function answerOf(named: readonly NamedBundle[], size: BundleSize): Uint8Array {
  const name = `${size} ${named.map(({ issuer, issuedAtMs }) => `${issuer} ${issuedAtMs}`).join()}`;
  let bytes = answers.get(name);
  if (bytes === undefined) {
    const { root, pa } = signers();
    const bundles = named.map(({ issuer, issuedAtMs }) =>
      signBundle(
        {
          version: '1.0',
          bundleId: issuer,
          bundleIssuer: issuer,
          category: CATEGORY,
          approvedIssuers: ['pa'],
          issuers: size === 'lean' ? [] : [{ issuer: 'pa', keys: [{ ...publicJwk(pa) }] }],
          issuedAt: new Date(issuedAtMs).toISOString(),
          expiresAt: new Date(issuedAtMs + VALID_MS).toISOString(),
        },
        root,
      ),
    );
    bytes = new TextEncoder().encode(JSON.stringify({ bundles }));
    answers.set(name, bytes);
  }
  return bytes;
}

/** A bundle that a start has put in force, and what the ledger then remembers of it. */
interface InForce {
  readonly identity: string;
  readonly issuedAtMs: number | undefined;
  readonly newest: NewestBundle | undefined;
}

/** What starts have found, by all bytes of the partition. A start that was in order only. */
const starts = new Map<string, readonly InForce[]>();
/** More than a walk has at a time. */
const MOST_STARTS = 1000;

/**
 * See the head of the file. A start verifies the bundles again only where that can come to something else: on bytes that no
 * start has verified, or that may read differently the next time, or beside a ledger that does not remember all of them. What
 * was left out is made up for before anything is taken in, and has to come to the same.
 */
export class BundleStore {
  readonly #flash: Flash;
  readonly #ledger: SpendLedger;
  readonly #known: readonly InForce[] | undefined;
  #opened: OpenedBundles | undefined;

  /** @param isUnstable true where the flash may read differently the next time */
  constructor(flash: Flash, ledger: SpendLedger, isUnstable: boolean) {
    this.#flash = flash;
    this.#ledger = ledger;
    const bytes = isUnstable ? undefined : textOf(flash);
    const known = bytes === undefined ? undefined : starts.get(bytes);
    if (known?.every((one) => isRemembered(one, ledger))) {
      this.#known = known;
      return;
    }
    const { problem, inForce } = this.#open();
    if (bytes === undefined || problem !== undefined || bytes !== textOf(flash)) return;
    if (starts.size >= MOST_STARTS) starts.clear();
    starts.set(bytes, inForce);
  }

  /** What a start found wrong; damage too, which no power cut leaves. */
  get problem(): string | undefined {
    return this.#opened?.problem;
  }

  /** The bundles in force: identity and when issued, in the order of identities. */
  get inForce(): readonly string[] {
    const inForce = this.#opened?.inForce ?? this.#known ?? [];
    return inForce.map(({ identity, issuedAtMs }) => `${identity} ${issuedAtMs}`).sort();
  }

  /** True where all of these are in force. */
  holds(bundles: readonly NamedBundle[]): boolean {
    const { inForce } = this;
    return bundles.every(({ issuer, issuedAtMs }) => inForce.includes(`${identityOf(issuer)} ${issuedAtMs}`));
  }

  /** Takes an answer in, in pieces as a network brings it. @returns the refusals: of each bundle, or of the answer */
  take(bundles: readonly NamedBundle[], size: BundleSize): readonly Refusal[] {
    const bytes = answerOf(bundles, size);
    const intake = this.#open().stored.begin();
    if ('ok' in intake) return [intake];
    for (let at = 0; at < bytes.length; at += PIECE) {
      const refusal = intake.write(bytes.subarray(at, at + PIECE));
      if (refusal) return [refusal];
    }
    return refusalsOf(intake.end());
  }

  #open(): OpenedBundles {
    if (this.#opened !== undefined) return this.#opened;
    const before = this.inForce.join();
    this.#opened = new OpenedBundles(this.#flash, this.#ledger);
    if (this.#known !== undefined && this.inForce.join() !== before)
      throw new Error(`the same bytes put other bundles in force: ${this.inForce.join()} instead of ${before}`);
    return this.#opened;
  }
}

/** The bundle set as the core has it, loaded. */
class OpenedBundles {
  readonly stored: StoredBundles;
  readonly problem: string | undefined;
  readonly #trust = new TrustSet();
  readonly #ledger: SpendLedger;

  constructor(flash: Flash, ledger: SpendLedger) {
    const { root } = signers();
    let damage: string | undefined;
    this.#ledger = ledger;
    this.stored = new StoredBundles({
      partition: new BundlePartition(flash, crypto),
      trust: this.#trust,
      ledger,
      log: {
        emit: ({ event, detail }) => {
          if (event === 'bundles.damaged') damage = `${detail}`;
        },
      },
      now: () => NOW_MS,
      context: { crypto, rootKeys: [{ kid: root.kid, publicKey: root.publicKey }], scope: {} },
    });
    const [refusal] = refusalsOf(this.stored.load());
    this.problem = refusal === undefined ? damage : `${refusal.code} ${refusal.detail}`;
  }

  get inForce(): readonly InForce[] {
    return this.#trust.bundles.map(({ identity, issuedAtMs }) => ({
      identity,
      issuedAtMs,
      newest: this.#ledger.newestBundle(identity),
    }));
  }
}

/** True where a start has nothing to write into the ledger for a bundle. */
function isRemembered({ identity, issuedAtMs, newest }: InForce, ledger: SpendLedger): boolean {
  const found = ledger.newestBundle(identity);
  return (
    found !== undefined &&
    found.issuedAtMs === newest?.issuedAtMs &&
    found.digest === newest?.digest &&
    found.expiresAtMs === newest?.expiresAtMs &&
    (ledger.timeFloorMs() ?? 0) >= (issuedAtMs ?? 0)
  );
}

/** All of a flash's bytes, one character each. */
function textOf(flash: Flash): string {
  const bytes = Buffer.alloc(flash.size);
  flash.read(0, bytes);
  return bytes.toString('latin1');
}

function refusalsOf(admission: ReturnType<StoredBundles['load']>): readonly Refusal[] {
  return 'ok' in admission ? [admission] : admission.filter((one) => !one.ok);
}
