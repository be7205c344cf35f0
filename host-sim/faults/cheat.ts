// What a payer who cheats begins with, and what comes of it.

import type { JsonObject } from '../../core/json/value.ts';
import type { SeededRandom } from '../flash/random.ts';
import type { SaleTerms } from '../scenario/scenario.ts';
import type { SignedBy, SignedEnvelope } from '../signing/artifacts.ts';
import type { SigningKey } from '../signing/keys.ts';
import type { WalletPresentation } from '../wallet/presentation.ts';

/** An account that is neither a merchant's nor a wallet's. */
export const ELSEWHERE = 'rrrrrrrrrrrrrrrrrrrrrhoLvTp';

/** What a payer begins with. */
export interface HostileContext {
  /** Signed for this device and amount, and not presented. */
  readonly honest: WalletPresentation;
  readonly amountMinor: string;
  /** The same, as it was signed hours ago. */
  readonly late: WalletPresentation;
  /** The wallet's own key: its owner signs what he likes. */
  readonly signer: SignedBy;
  /** What the device sells. */
  readonly sale: SaleTerms;
  /** A grant that the authority has signed for this wallet, with other terms, and an id that ends so. */
  readonly otherGrant: (ending: string, terms: JsonObject) => JsonObject;
  /** A fleet policy that the authority has signed: for this actor, within the grant, with the terms that are other. */
  readonly fleetPolicy: (terms: JsonObject) => SignedEnvelope;
  /** What this device has approved last; undefined where it has approved nothing. */
  readonly approved: Approved | undefined;
  /** A key that nobody knows. */
  readonly stranger: SigningKey;
  /** One whom bundles approve, and whom no site lists. */
  readonly neighbour: SignedBy;
  readonly random: SeededRandom;
}

/** What is presented, and the amount that the device asks for. */
export interface Presented {
  readonly bytes: Uint8Array;
  readonly amountMinor: string;
}

/** What a device has approved. */
export interface Approved extends Presented {
  /** Whose wallet it was. */
  readonly signer: SignedBy;
}

/** What a payer presents; undefined where there is nothing to begin with. */
export type Cheat = (context: HostileContext) => Presented | undefined;

/** Cheats by their names. */
export interface Cheats {
  readonly [name: string]: Cheat;
}
