// One payment under decision: its artifacts as read, what the terminal asks, one frozen time, and what the checks find
// out on the way (keys, digests, names in the ledger). Lives for one decision and is then dropped.

import type { FleetPolicy } from '../artifacts/fleet-policy.ts';
import type { PolicyGrant } from '../artifacts/policy-grant.ts';
import type { SessionBudget } from '../artifacts/sba.ts';
import type { SettlementIntent } from '../artifacts/settlement-intent.ts';
import type { PaymentAuthorization } from '../artifacts/spa.ts';
import type { Site } from '../configuration.ts';
import { type Domain, domainDigest, textDigest } from '../hash/domains.ts';
import { type SourceMembers, sourceText } from '../json/source-members.ts';
import type { JsonObject } from '../json/value.ts';
import { ledgerKey } from '../ledger/keys.ts';
import type { Answered, LedgerKey, SpendLedger } from '../ledger/ledger.ts';
import type { Crypto } from '../ports/ports.ts';
import type { RevocationChecks } from '../refresh/revocation.ts';
import type { TrustSet } from '../trust/trust-set.ts';
import type { FoundKeys } from './found-keys.ts';
import type { Asked } from './request.ts';
import type { VerifiedGrants } from './verified-grants.ts';

/** The artifacts of a payment, read. */
export interface PaymentArtifacts {
  readonly grant: PolicyGrant | undefined;
  readonly sba: SessionBudget;
  readonly spa: PaymentAuthorization | undefined;
  readonly intent: SettlementIntent | undefined;
  readonly fleetPolicy: FleetPolicy | undefined;
  readonly idempotencyKey: string | undefined;
  /** Where signed objects stand in the text they were read from. */
  readonly sources: readonly SourceMembers[];
  /** False where a device may hold the text of what is signed whole, and its engine writes all numbers in it right. */
  readonly inPieces: boolean;
}

/** What is decided on: a payment, a reservation, or neither, and then nothing is recorded. */
export type DecisionMode = 'check' | 'authorize' | 'reserve';

/** What a decision reads besides the artifacts. */
export interface PaymentContext {
  readonly site: Site;
  readonly crypto: Crypto;
  readonly trust: TrustSet;
  readonly ledger: SpendLedger;
  /** Effective time in milliseconds, frozen for the decision. */
  readonly nowMs: number;
  readonly mode: DecisionMode;
  /** Grants that need not be verified again; left out, all are. */
  readonly verifiedGrants?: VerifiedGrants | undefined;
  /** Keys that need not be looked up again; left out, all are. */
  readonly foundKeys?: FoundKeys | undefined;
  /** What is asked online; left out, nothing is. */
  readonly revocation?: RevocationChecks | undefined;
}

/** A signature key that was found, and whose it is. */
export interface SignerKey {
  readonly key: Uint8Array;
  /** The same as text: names in the ledger and proofs are made of it. */
  readonly text: string;
  /** Undefined for a key pinned for nobody in particular. */
  readonly issuer: string | undefined;
}

/** Names in the ledger; they go by the keys that were found, so they exist from the key checks on. */
export interface LedgerNames {
  readonly grant: LedgerKey;
  readonly budget: LedgerKey;
  readonly replay: LedgerKey | undefined;
  readonly idempotency: LedgerKey | undefined;
}

/** See the head of the file. */
export class Payment {
  readonly artifacts: PaymentArtifacts;
  readonly asked: Asked;
  readonly context: PaymentContext;
  /** Set by the key checks. */
  readonly keys: { grant?: SignerKey; sba?: SignerKey; spa?: SignerKey; fleetPolicy?: SignerKey } = {};
  /** Set by the idempotency check: this payment was answered before, and counts already. */
  answered: Answered | undefined;
  #names: LedgerNames | undefined;
  #sbaDigest: Uint8Array | undefined;

  constructor(artifacts: PaymentArtifacts, asked: Asked, context: PaymentContext) {
    this.artifacts = artifacts;
    this.asked = asked;
    this.context = context;
  }

  /** A grant or a fleet policy looked at alone. The chains for parts read nothing of an SBA. */
  static ofParts(parts: Omit<PaymentArtifacts, 'sba'>, asked: Asked, context: PaymentContext): Payment {
    return new Payment(parts as PaymentArtifacts, asked, context);
  }

  /** The digest that the SBA's signature covers. */
  get sbaDigest(): Uint8Array {
    this.#sbaDigest ??= this.digest('SBA', this.artifacts.sba.authorization);
    return this.#sbaDigest;
  }

  /** The digest of a value under a domain. */
  digest(domain: Domain, value: JsonObject): Uint8Array {
    const { sources, inPieces } = this.artifacts;
    for (let i = 0; i < sources.length; i++) {
      const source = sources[i] as SourceMembers;
      if (source.object === value) return textDigest(this.context.crypto, domain, sourceText(source));
    }
    return domainDigest(this.context.crypto, domain, value, inPieces);
  }

  /** Where this payment stands in the ledger (INTEROP §5, Counters and Replay). Needs the keys. */
  get names(): LedgerNames {
    this.#names ??= this.#ledgerNames();
    return this.#names;
  }

  /** What an idempotency key stands for: this SBA and this amount. */
  get content(): LedgerKey {
    return ledgerKey(this.context.crypto, 'content', this.sbaDigest, this.asked.amount.toString());
  }

  #ledgerNames(): LedgerNames {
    const { grant, sba, spa, idempotencyKey } = this.artifacts;
    const crypto = this.context.crypto;
    const none = '';
    const sbaKey = this.keys.sba?.text ?? none;
    const budget = ledgerKey(crypto, 'budget', sbaKey, sba.budgetId);
    return {
      grant: ledgerKey(crypto, 'grant', none, grant?.grantId ?? sba.grantId),
      budget,
      replay: spa
        ? ledgerKey(crypto, 'decision', this.keys.spa?.text ?? none, spa.decisionId)
        : this.context.site.budgetUse === 'single-use'
          ? budget
          : undefined,
      idempotency: idempotencyKey === undefined ? undefined : ledgerKey(crypto, 'idempotency', sbaKey, idempotencyKey),
    };
  }
}
