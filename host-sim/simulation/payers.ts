// The payers of a run: wallets with their grants, which sign what they pay.

import type { JsonObject } from '../../core/json/value.ts';
import type { Clock } from '../../core/ports/ports.ts';
import type { SaleTerms, Scenario, WalletTerms } from '../scenario/scenario.ts';
import { seededAddress, seededIds } from '../scenario/seeded.ts';
import type { SignedEnvelope } from '../signing/artifacts.ts';
import type { WalletPresentation } from '../wallet/presentation.ts';
import { createSession } from '../wallet/session.ts';
import type { Servers } from './servers.ts';

/** A wallet. */
export interface Wallet {
  readonly terms: WalletTerms;
  /** From 1. */
  readonly number: number;
  /** Its XRPL account. */
  readonly address: string;
  grant: JsonObject;
}

/** How a payment is signed. */
export interface SigningTerms {
  /** As it was signed so long ago. */
  readonly agoMs?: number;
  /** With an idempotency key, so that it can be presented again. */
  readonly isKeyed?: boolean;
}

/** Lets signals be heard, and says whether the run goes on: there may be thousands of wallets. */
export type GoesOn = () => Promise<boolean>;

/** Grants are for all of this. */
const POLICY: JsonObject = Object.freeze({ name: 'scenario', rails: ['xrpl'] });

/** See the head of the file. */
export class Payers {
  readonly #scenario: Scenario;
  readonly #servers: Servers;
  readonly #clock: Clock;
  readonly #sales: readonly SaleTerms[];
  readonly #newId: () => string;
  readonly #wallets = new Map<string, readonly Wallet[]>();

  /** @param sales what all the devices sell */
  constructor(scenario: Scenario, servers: Servers, clock: Clock, sales: readonly SaleTerms[]) {
    this.#scenario = scenario;
    this.#servers = servers;
    this.#clock = clock;
    this.#sales = sales;
    this.#newId = seededIds(scenario.seed, 'payers');
  }

  /** Gets a grant for every wallet, as long as it goes on. */
  async open(goesOn: GoesOn): Promise<void> {
    const { seed, wallets } = this.#scenario;
    for (const terms of wallets) {
      const all: Wallet[] = [];
      for (let number = 1; number <= terms.count; number++) {
        if (!(await goesOn())) return;
        const address = seededAddress(seed, `${terms.name} ${number}`);
        all.push({ terms, number, address, grant: await this.#granted(terms, address) });
      }
      this.#wallets.set(terms.name, all);
    }
  }

  /** Gets all wallets new grants, as long as it goes on. */
  async renew(goesOn: GoesOn): Promise<void> {
    for (const wallets of this.#wallets.values())
      for (const wallet of wallets) {
        if (!(await goesOn())) return;
        wallet.grant = await this.#granted(wallet.terms, wallet.address);
      }
  }

  /** The wallets of a kind. */
  named(name: string): readonly Wallet[] {
    return this.#wallets.get(name) as readonly Wallet[];
  }

  /** Signs a payment for what a device sells. A wallet whose grant has expired gets a new one. */
  async pay(wallet: Wallet, sale: SaleTerms, amountMinor: string, how: SigningTerms = {}): Promise<WalletPresentation> {
    const { agoMs = 0, isKeyed = false } = how;
    const { terms, address } = wallet;
    if (expiryOf(wallet.grant) <= (this.#clock.wallMs() as number)) wallet.grant = await this.#granted(terms, address);
    const session = await createSession(wallet.grant, {
      actorId: address,
      signingKey: terms.key,
      issuer: terms.issuer,
      scope: 'SESSION',
      ceiling: { amount: amountMinor, currency: sale.currency },
      minorUnit: sale.minorUnit,
      clock: { ...this.#clock, wallMs: () => (this.#clock.wallMs() as number) - agoMs },
      newId: this.#newId,
    });
    const { rail, asset, destination } = sale;
    const payment = { amount: amountMinor, rail, asset, destination, referenceId: this.#newId() };
    return session.createPayment(isKeyed ? { ...payment, idempotencyKey: this.#newId() } : payment);
  }

  /** A wallet's grant as the authority would have signed it with other terms, and an id that ends so. */
  otherGrant({ grant }: Wallet, ending: string, terms: JsonObject): JsonObject {
    const { grantId, ...members } = grant.grant as JsonObject;
    return this.#servers.signedGrant({ ...members, ...terms, grantId: `${grantId}-${ending}` });
  }

  /** A fleet policy for a wallet, with all that its grant allows but for these terms. */
  fleetPolicy({ grant, address }: Wallet, { currency, minorUnit }: SaleTerms, terms: JsonObject): SignedEnvelope {
    const { budgetMinor, allowedRails, allowedAssets, expiresAt } = grant.grant as JsonObject;
    return this.#servers.signedFleetPolicy({
      version: '1.0',
      fleetPolicyId: `policy ${address}`,
      fleetId: 'fleet',
      actorId: address,
      scope: 'SESSION',
      currency,
      minorUnit,
      maxAmountMinor: budgetMinor as string,
      allowedRails: allowedRails as readonly string[],
      allowedAssets: allowedAssets as readonly JsonObject[],
      allowedOperators: [],
      expiresAt: expiresAt as string,
      ...terms,
    });
  }

  #granted(terms: WalletTerms, address: string): Promise<JsonObject> {
    const { grantLifetimeMs, budgetMinor, singleMinor, cumulativeMinor, velocity } = terms;
    const distinct = <T>(of: (sale: SaleTerms) => T) => [...new Set(this.#sales.map(of))];
    const [gateway] = distinct((sale) => sale.gateway);
    const assets = distinct((sale) => JSON.stringify(sale.asset)).map((text) => JSON.parse(text) as JsonObject);
    return this.#servers.issueGrant(POLICY, {
      subjectId: `did:xrpl:testnet:${address}`,
      allowedRails: distinct((sale) => sale.rail),
      allowedAssets: assets,
      allowedPurposes: distinct((sale) => sale.purpose),
      destinationAllowlist: distinct((sale) => sale.destination),
      ...(gateway === undefined ? {} : { authorizedGateway: gateway }),
      ...(velocity === undefined ? {} : { velocityLimit: { ...velocity } }),
      budgetMinor,
      ...(singleMinor === undefined ? {} : { offlineMaxSinglePayment: singleMinor }),
      ...(cumulativeMinor === undefined ? {} : { offlineMaxCumulativePayment: cumulativeMinor }),
      expiresAt: new Date((this.#clock.wallMs() as number) + grantLifetimeMs).toISOString(),
    });
  }
}

function expiryOf({ grant }: JsonObject): number {
  return Date.parse(String((grant as JsonObject).expiresAt));
}
