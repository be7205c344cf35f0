// Payers who cheat: classes of what they do to a payment that an honest wallet has signed. A device refuses every one of them.

import type { JsonObject } from '../../core/json/value.ts';
import { intentHash, type SignedEnvelope, signGrant, signSba } from '../signing/artifacts.ts';
import { presentationBytes, type WalletPresentation } from '../wallet/presentation.ts';
import { type Cheat, type Cheats, ELSEWHERE, type HostileContext, type Presented } from './cheat.ts';
import { DISHONEST_WALLETS, SIGNED_ALL_THE_SAME } from './dishonest-wallet.ts';
import { HOSTILE_BYTES } from './hostile-bytes.ts';
import { NEIGHBOURS, OTHER_TERMS, SIGNED_FLEET_POLICIES } from './other-terms.ts';

/** Of Ed25519: RFC 8032 §5.1. */
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** Classes whose payments are somebody's. */
const SIGNED = ['late', 'replayed', ...SIGNED_ALL_THE_SAME, ...SIGNED_FLEET_POLICIES] as const;

/** Without a key that is good for anything. */
const CHANGED_PAYMENTS = {
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
    const destination = ELSEWHERE;
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
  /** Puts each of two signatures where the other was. */
  'signatures-swapped': ({ honest, amountMinor }) => {
    const grant = { ...honest.grant, signature: honest.sba.signature };
    const sba = { ...honest.sba, signature: String(honest.grant.signature) };
    return { bytes: presentationBytes({ ...honest, grant, sba }), amountMinor };
  },
  /** Gives a signature another form that loose verifiers take: the group's order is added to S. */
  'signature-malleable': ({ honest, amountMinor }) => {
    const signature = Buffer.from(honest.sba.signature, 'base64');
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + GROUP_ORDER;
    const other = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
    const sba = { ...honest.sba, signature: Buffer.concat([signature.subarray(0, 32), other]).toString('base64') };
    return { bytes: presentationBytes({ ...honest, sba }), amountMinor };
  },
  /** Signs with nothing but zeros: a point of small order. */
  'signature-zero': ({ honest, amountMinor }) => {
    const sba = { ...honest.sba, signature: Buffer.alloc(64).toString('base64') };
    return { bytes: presentationBytes({ ...honest, sba }), amountMinor };
  },
} as const satisfies Cheats;

const CHEATS = { ...CHANGED_PAYMENTS, ...HOSTILE_BYTES, ...DISHONEST_WALLETS, ...OTHER_TERMS } as const;

/** A class of what payers do. */
export type HostileClass = keyof typeof CHEATS;

/** All of them. */
export const HOSTILE_CLASSES = Object.keys(CHEATS) as readonly HostileClass[];

/** What a payer of a class presents; undefined where there is nothing to begin with. */
export function hostilePayment(kind: HostileClass, context: HostileContext): Presented | undefined {
  return (CHEATS[kind] as Cheat)(context);
}

/** Whether a class needs an issuer whom bundles approve and no site lists. */
export function needsNeighbour(kind: HostileClass): boolean {
  return (NEIGHBOURS as readonly string[]).includes(kind);
}

/** What makes a payment nobody's. One that comes late, or again, was signed: its expiry and its caps are what matters. */
export function forgedBy(kind: HostileClass | undefined): string | undefined {
  return kind === undefined || (SIGNED as readonly string[]).includes(kind) ? undefined : kind;
}

/** The payment with members of its SPA and its intent changed, the hash of the intent worked out anew, the signature left. */
function withSpa(honest: WalletPresentation, changes: JsonObject, intentChanges: JsonObject): WalletPresentation {
  const settlementIntent = { ...(honest.settlementIntent as JsonObject), ...intentChanges };
  const spa = honest.spa as SignedEnvelope;
  const authorization = { ...spa.authorization, ...changes, intentHash: intentHash(settlementIntent) };
  return { ...honest, spa: { ...spa, authorization }, settlementIntent };
}
