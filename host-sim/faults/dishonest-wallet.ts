// Payers who have keys: the wallet's own, by which they sign whatever they like, or one of a stranger. Every signature is good; what
// it stands under is not what the grant, the site or the device's own books allow.

import type { JsonObject } from '../../core/json/value.ts';
import { type SignedEnvelope, signGrant, signSpa } from '../signing/artifacts.ts';
import { presentationBytes, type WalletPresentation } from '../wallet/presentation.ts';
import { type Approved, type Cheats, ELSEWHERE, type HostileContext, type Presented } from './cheat.ts';
import { presented, signedAnew, underOtherGrant } from './signed-anew.ts';

/** What is no amount, though something might take it for one. */
const ODD_AMOUNTS = ['0', '-5000000', '0x4c4b40', '1e9', '5000000.0', ' 5000000', '٥٠٠٠٠٠٠', '9'.repeat(39)];
/** What is no time. */
const ODD_TIMES = ['never', '2099-02-30T00:00:00Z', '2099-06-01T06:00:00', '4102444800', '+012099-01-01T00:00:00Z'];

/** See the head of the file. */
export const DISHONEST_WALLETS = {
  /** Pays under a grant of its own that has expired, with a budget that has not. */
  'grant-expired': (context) => {
    const { expiresAt } = context.late.sba.authorization;
    return presented(context, underOtherGrant(context, 'before', { expiresAt: expiresAt as string }));
  },
  /** Pays with an SPA that has expired, under a budget that has not. */
  'payment-expired': (context) => {
    const expiresAt = (context.late.spa as SignedEnvelope).authorization.expiresAt as string;
    return presented(context, signedAnew(context, { payment: { expiresAt } }));
  },
  /** Presents a budget without any grant. */
  'grant-left-out': (context) => {
    const { grant: _, ...rest } = context.honest;
    return { bytes: Buffer.from(JSON.stringify(rest)), amountMinor: context.amountMinor };
  },
  /** Leaves out the intent whose hash its SPA carries. */
  'intent-left-out': (context) => {
    const { settlementIntent: _, ...rest } = context.honest;
    return presented(context, rest);
  },
  /** Changes the intent behind its hash. */
  'intent-changed': (context) => {
    const settlementIntent = { ...(context.honest.settlementIntent as JsonObject), referenceId: 'another' };
    return presented(context, { ...context.honest, settlementIntent });
  },
  /** Signs a budget for a grant that it does not present. */
  'grant-other': (context) => {
    const grantId = `${context.honest.sba.authorization.grantId}-other`;
    return presented(context, signedAnew(context, { budget: { grantId } }));
  },
  /** Signs for another policy than the grant's. */
  'policy-other': (context) => {
    const policyHash = '0'.repeat(64);
    return presented(context, signedAnew(context, { budget: { policyHash }, payment: { policyHash } }));
  },
  /** Signs a payment for another session than its budget's. */
  'session-other': (context) => presented(context, signedAnew(context, { payment: { sessionId: 'another' } })),
  /** Signs a payment for another budget than the one it presents. */
  'budget-other': (context) => presented(context, signedAnew(context, { payment: { budgetId: 'another' } })),
  /** Signs for an actor that the grant is not for. */
  'actor-other': (context) => presented(context, signedAnew(context, { budget: { actorId: ELSEWHERE } })),
  /** Signs a budget that counts over a fleet, which no device can. */
  'scope-fleet': (context) => presented(context, signedAnew(context, { budget: { budgetScope: 'FLEET' } })),
  /** Signs for a rail that the grant does not allow. */
  'rail-other': (context) =>
    presented(
      context,
      signedAnew(context, {
        budget: { allowedRails: ['stripe'] },
        payment: { rail: 'stripe' },
        intent: { rail: 'stripe' },
      }),
    ),
  /** Signs for worthless money. */
  'asset-other': (context) => {
    const asset = { kind: 'IOU', currency: 'NIL', issuer: ELSEWHERE };
    return presented(
      context,
      signedAnew(context, { budget: { allowedAssets: [asset] }, payment: { asset }, intent: { asset } }),
    );
  },
  /** Signs for its own account. */
  'destination-other': (context) => {
    const destination = ELSEWHERE;
    return presented(
      context,
      signedAnew(context, {
        budget: { destinationAllowlist: [destination] },
        payment: { destination },
        intent: { destination },
      }),
    );
  },
  /** Signs for other money than the terminal counts in. */
  'currency-other': (context) =>
    context.sale.isFiat ? presented(context, signedAnew(context, { budget: { currency: 'XXX' } })) : undefined,
  /** Signs a payment above the ceiling of its budget. */
  'ceiling-short': (context) => {
    // One that is for one has no ceiling below it.
    const below = BigInt(context.amountMinor) - 1n;
    return below < 1n
      ? undefined
      : presented(context, signedAnew(context, { budget: { maxAmountMinor: below.toString() } }));
  },
  /** Signs a ceiling that is no amount. */
  'amount-odd': (context) =>
    presented(context, signedAnew(context, { budget: { maxAmountMinor: oneOf(ODD_AMOUNTS, context) } })),
  /** Signs an expiry that is no time. */
  'expiry-odd': (context) =>
    presented(context, signedAnew(context, { budget: { expiresAt: oneOf(ODD_TIMES, context) } })),
  /** Signs a version that there is none of. */
  'version-unknown': (context) => presented(context, signedAnew(context, { budget: { version: '9.0' } })),
  /** Issues its own grant. */
  'grant-self-issued': (context) => {
    const { honest, signer } = context;
    return presented(context, { ...honest, grant: signGrant(honest.grant.grant as JsonObject, signer, 'envelope') });
  },
  /** Signs a budget in the name of somebody whom the site does not list. */
  'issuer-unlisted': (context) => {
    const signer = { key: context.stranger, issuer: 'stranger.example' };
    return presented(context, signedAnew({ ...context, signer }, {}));
  },
  /** Signs a budget with a key that nobody has heard of. */
  'key-unknown': (context) => {
    const { signer, stranger } = context;
    return presented(context, signedAnew({ ...context, signer: { ...signer, key: stranger } }, {}));
  },
  /** Signs a payment under the budget of somebody else. */
  'payment-forged': (context) => {
    const { honest, stranger } = context;
    const { authorization, issuer, issuerKeyId } = honest.spa as SignedEnvelope;
    const by = { key: { ...stranger, kid: issuerKeyId }, issuer: String(issuer) };
    return presented(context, { ...honest, spa: signSpa(authorization, by) });
  },
  /** Signs the budget as if it were a payment. */
  'prefix-other': (context) => {
    const { honest, signer } = context;
    return presented(context, { ...honest, sba: signSpa(honest.sba.authorization, signer) });
  },
  /** Signs another payment under a budget that has paid. */
  'budget-used': ({ approved }) =>
    withApproved(approved, ({ sba, spa, settlementIntent, grant, by }) => {
      const authorization = { ...(spa as SignedEnvelope).authorization };
      const decisionId = `${authorization.decisionId}-again`;
      const another = signSpa({ ...authorization, decisionId }, by);
      return { grant, sba, spa: another, ...(settlementIntent === undefined ? {} : { settlementIntent }) };
    }),
  /** Gives its payment the decision of one that has paid, under a budget that has not. */
  'decision-used': (context) => {
    const { approved, signer } = context;
    // To another wallet's key it would be another decision.
    if (approved === undefined || approved.signer.key.kid !== signer.key.kid) return undefined;
    const { spa } = JSON.parse(Buffer.from(approved.bytes).toString()) as WalletPresentation;
    const decisionId = spa?.authorization.decisionId;
    return decisionId === undefined ? undefined : presented(context, signedAnew(context, { payment: { decisionId } }));
  },
  /** Pays under the idempotency key of what has paid. */
  'key-used': (context) => {
    const { approved, honest, signer } = context;
    // Keys are the wallet key's own.
    if (approved === undefined || approved.signer.key.kid !== signer.key.kid) return undefined;
    const { idempotencyKey } = JSON.parse(Buffer.from(approved.bytes).toString()) as WalletPresentation;
    return idempotencyKey === undefined ? undefined : presented(context, { ...honest, idempotencyKey });
  },
  /** Takes the SPA off what has paid. */
  'payment-left-out': ({ approved }) => withApproved(approved, ({ grant, sba }) => ({ grant, sba })),
} as const satisfies Cheats;

/** Those whose payment somebody has signed who may: what is wrong is its time, or that it was used, and the rules of those hold. */
export const SIGNED_ALL_THE_SAME = [
  'grant-expired',
  'payment-expired',
  'budget-used',
  'decision-used',
  'key-used',
  'payment-left-out',
] as const;

/** What becomes of a payment that was approved. */
function withApproved(
  approved: Approved | undefined,
  change: (parts: WalletPresentation & { readonly by: Approved['signer'] }) => WalletPresentation,
): Presented | undefined {
  if (approved === undefined) return undefined;
  const { bytes, amountMinor, signer } = approved;
  const parts = JSON.parse(Buffer.from(bytes).toString()) as WalletPresentation;
  return { bytes: presentationBytes(change({ ...parts, by: signer })), amountMinor };
}

function oneOf(texts: readonly string[], { random }: HostileContext): string {
  return texts[random.below(texts.length)] as string;
}
