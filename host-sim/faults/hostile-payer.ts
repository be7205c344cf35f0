// Payers who cheat: classes of what they do to a payment that an honest wallet has signed. A device refuses every one of them.

import type { JsonObject } from '../../core/json/value.ts';
import type { SeededRandom } from '../flash/random.ts';
import { intentHash, type SignedEnvelope, signGrant, signSba } from '../signing/artifacts.ts';
import type { SigningKey } from '../signing/keys.ts';
import { presentationBytes, type WalletPresentation } from '../wallet/presentation.ts';

/** What a payer begins with. */
export interface HostileContext {
  /** Signed for this device and amount, and not presented. */
  readonly honest: WalletPresentation;
  readonly amountMinor: string;
  /** The same, as it was signed hours ago. */
  readonly late: WalletPresentation;
  /** What this device has approved last, with its amount; undefined where it has approved nothing. */
  readonly approved: Presented | undefined;
  /** A key that nobody knows. */
  readonly stranger: SigningKey;
  readonly random: SeededRandom;
}

/** What is presented, and the amount that the device asks for. */
export interface Presented {
  readonly bytes: Uint8Array;
  readonly amountMinor: string;
}

type Cheat = (context: HostileContext) => Presented | undefined;

const CHEATS = {
  /** Raises the amount wherever it stands, with a fresh intentHash. */
  'amount-raised': ({ honest, amountMinor }) => {
    const amount = (BigInt(amountMinor) * 2n).toString();
    return { bytes: presentationBytes(withSpa(honest, { amount }, { amount })), amountMinor: amount };
  },
  /** Pays less than the device asks for. */
  'amount-short': ({ honest, amountMinor }) => ({
    bytes: presentationBytes(honest),
    amountMinor: (BigInt(amountMinor) + 1n).toString(),
  }),
  /** Sends the money elsewhere. */
  'destination-changed': ({ honest, amountMinor }) => {
    const destination = 'rrrrrrrrrrrrrrrrrrrrrhoLvTp';
    return { bytes: presentationBytes(withSpa(honest, { destination }, { destination })), amountMinor };
  },
  /** Presents what was approved before once more. */
  replayed: ({ approved }) => approved,
  /** Presents what has expired since it was signed. */
  late: ({ late, amountMinor }) => ({ bytes: presentationBytes(late), amountMinor }),
  /** Flips a bit of one of the signatures. */
  'signature-flipped': ({ honest, amountMinor, random }) => {
    const of = (['grant', 'sba', 'spa'] as const)[random.below(3)] as 'grant' | 'sba' | 'spa';
    const artifact = honest[of] as JsonObject;
    const signature = Buffer.from(String(artifact.signature), 'base64');
    const at = random.below(signature.length);
    signature[at] = (signature[at] as number) ^ (1 << random.below(8));
    const flipped = { ...artifact, signature: signature.toString('base64') };
    return { bytes: presentationBytes({ ...honest, [of]: flipped }), amountMinor };
  },
  /** Signs a grant under the authority's name. */
  'grant-forged': ({ honest, amountMinor, stranger }) => {
    const { grant, issuer, issuerKeyId } = honest.grant as { grant: JsonObject; issuer: string; issuerKeyId: string };
    const key = { ...stranger, kid: issuerKeyId };
    const forged = signGrant({ ...grant, budgetMinor: '999999999999' }, { key, issuer }, 'envelope');
    return { bytes: presentationBytes({ ...honest, grant: forged }), amountMinor };
  },
  /** Signs a budget under the wallet's name. */
  'budget-forged': ({ honest, amountMinor, stranger }) => {
    const { authorization, issuer, issuerKeyId } = honest.sba;
    const by = { key: { ...stranger, kid: issuerKeyId }, issuer: String(issuer) };
    return { bytes: presentationBytes({ ...honest, sba: signSba(authorization, by) }), amountMinor };
  },
  /** Raises the ceiling of a budget. */
  'budget-raised': ({ honest, amountMinor }) => {
    const authorization = { ...honest.sba.authorization, maxAmountMinor: '999999999999' };
    return { bytes: presentationBytes({ ...honest, sba: { ...honest.sba, authorization } }), amountMinor };
  },
  /** Raises the budget of a grant. */
  'grant-raised': ({ honest, amountMinor }) => {
    const grant = { ...(honest.grant.grant as JsonObject), budgetMinor: '999999999999' };
    return { bytes: presentationBytes({ ...honest, grant: { ...honest.grant, grant } }), amountMinor };
  },
  /** Breaks off. */
  truncated: ({ honest, amountMinor, random }) => {
    const bytes = presentationBytes(honest);
    return { bytes: bytes.subarray(0, random.below(bytes.length)), amountMinor };
  },
  /** Sends bytes that mean nothing. */
  garbage: ({ amountMinor, random }) => ({
    bytes: Uint8Array.from({ length: 512 }, () => random.below(256)),
    amountMinor,
  }),
  /** Has every member of the presentation twice. */
  'members-twice': ({ honest, amountMinor }) => {
    const text = JSON.stringify(honest);
    return { bytes: Buffer.from(`${text.slice(0, -1)},${text.slice(1)}`), amountMinor };
  },
  /** Nests deeper than a stack. */
  'nested-deeply': ({ amountMinor }) => ({
    bytes: Buffer.from(`{"grant":${'['.repeat(2000)}${']'.repeat(2000)}}`),
    amountMinor,
  }),
  /** Is longer than memory. */
  oversize: ({ honest, amountMinor }) => {
    const idempotencyKey = 'x'.repeat(40_000);
    return { bytes: presentationBytes({ ...honest, idempotencyKey }), amountMinor };
  },
} as const satisfies { readonly [name: string]: Cheat };

/** A class of what payers do. */
export type HostileClass = keyof typeof CHEATS;

/** All of them. */
export const HOSTILE_CLASSES = Object.keys(CHEATS) as readonly HostileClass[];

/** What a payer of a class presents; undefined where there is nothing to begin with. */
export function hostilePayment(kind: HostileClass, context: HostileContext): Presented | undefined {
  return (CHEATS[kind] as Cheat)(context);
}

/** The payment with members of its SPA and its intent changed, the hash of the intent worked out anew, the signature left. */
function withSpa(honest: WalletPresentation, changes: JsonObject, intentChanges: JsonObject): WalletPresentation {
  const settlementIntent = { ...(honest.settlementIntent as JsonObject), ...intentChanges };
  const spa = honest.spa as SignedEnvelope;
  const authorization = { ...spa.authorization, ...changes, intentHash: intentHash(settlementIntent) };
  return { ...honest, spa: { ...spa, authorization }, settlementIntent };
}
