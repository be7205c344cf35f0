// Payments that are signed well, by whoever may sign such, and that their grant does not allow, or the fleet policy beside them; and
// those whose grant, budget or fleet policy is signed by somebody whom this site lets sign none.

import type { JsonObject } from '../../core/json/value.ts';
import { type SignedEnvelope, signFleetPolicy, signGrant, signSba, signSpa } from '../signing/artifacts.ts';
import type { WalletPresentation } from '../wallet/presentation.ts';
import { type Cheats, ELSEWHERE, type HostileContext, type Presented } from './cheat.ts';
import { presented, signedAnew, underOtherGrant } from './signed-anew.ts';

/** Grants that the authority has signed, for something else or for less. */
const OTHER_GRANTS = {
  /** Pays under a grant for other merchants. */
  'grant-destination-other': (context) => under(context, 'elsewhere', { destinationAllowlist: [ELSEWHERE] }),
  /** Pays under a grant for other purposes. */
  'grant-purpose-other': (context) => under(context, 'purpose', { allowedPurposes: ['something:else'] }),
  /** Pays under a grant that goes through another gateway. */
  'grant-gateway-other': (context) =>
    context.sale.gateway === undefined ? undefined : under(context, 'gateway', { authorizedGateway: ELSEWHERE }),
  /** Pays more than the whole grant is for. */
  'grant-budget-short': (context) => underShort(context, 'budget', (budgetMinor) => ({ budgetMinor })),
  /** Pays more than its grant allows at once. */
  'grant-payment-short': (context) => underShort(context, 'payment', (perTxMinor) => ({ maxSpend: { perTxMinor } })),
  /** Pays more than its grant allows offline at once. */
  'grant-single-short': (context) =>
    underShort(context, 'single', (offlineMaxSinglePayment) => ({ offlineMaxSinglePayment })),
  /** Pays more than its grant allows offline in all. */
  'grant-cumulative-short': (context) =>
    underShort(context, 'cumulative', (offlineMaxCumulativePayment) => ({ offlineMaxCumulativePayment })),
} as const satisfies Cheats;

/** Fleet policies beside a payment that is good without one. */
const FLEET_POLICIES = {
  /** Presents one that has expired. */
  'fleet-policy-expired': (context) =>
    beside(context, { expiresAt: context.late.sba.authorization.expiresAt as string }),
  /** Presents one that allows more than the grant. */
  'fleet-policy-raised': (context) => {
    const { budgetMinor } = context.honest.grant.grant as JsonObject;
    return beside(context, { maxAmountMinor: (BigInt(String(budgetMinor)) + 1n).toString() });
  },
  /** Pays more than its fleet allows. */
  'fleet-policy-short': (context) => {
    const maxAmountMinor = below(context);
    return maxAmountMinor === undefined ? undefined : beside(context, { maxAmountMinor });
  },
  /** Pays once more what its fleet allows, with another budget under a grant that has paid. */
  'fleet-policy-used': ({ approved, honest, fleetPolicy }) => {
    if (approved === undefined) return undefined;
    const { amountMinor, bytes, signer } = approved;
    const { sba, spa, ...rest } = JSON.parse(Buffer.from(bytes).toString()) as WalletPresentation;
    const { expiresAt } = honest.sba.authorization;
    const anew = { budgetId: `${sba.authorization.budgetId}-again`, expiresAt: expiresAt as string };
    const decisionId = `${spa?.authorization.decisionId}-again`;
    const actorId = sba.authorization.actorId as string;
    const presentation = {
      ...rest,
      sba: signSba({ ...sba.authorization, ...anew }, signer),
      ...(spa === undefined ? {} : { spa: signSpa({ ...spa.authorization, ...anew, decisionId }, signer) }),
      fleetPolicyAuthorization: fleetPolicy({ actorId, maxAmountMinor: amountMinor }),
    };
    return { bytes: Buffer.from(JSON.stringify(presentation)), amountMinor };
  },
  /** Presents one for the grants of other operators. */
  'fleet-policy-operator-other': (context) => beside(context, { allowedOperators: ['operator.other.example'] }),
  /** Presents that of another vehicle. */
  'fleet-policy-actor-other': (context) => beside(context, { actorId: ELSEWHERE }),
  /** Presents one for a rail that the grant does not allow. */
  'fleet-policy-rail-other': (context) => beside(context, { allowedRails: ['stripe'] }),
  /** Presents one for other money than the terminal takes. */
  'fleet-policy-asset-other': (context) =>
    beside(context, { allowedAssets: [{ kind: 'IOU', currency: 'NIL', issuer: ELSEWHERE }] }),
  /** Presents one in other money than the terminal counts in. */
  'fleet-policy-currency-other': (context) => (context.sale.isFiat ? beside(context, { currency: 'XXX' }) : undefined),
  /** Signs one under the authority's name. */
  'fleet-policy-forged': (context) => {
    const { authorization, issuer, issuerKeyId } = context.fleetPolicy({});
    const by = { key: { ...context.stranger, kid: issuerKeyId }, issuer: String(issuer) };
    return withFleetPolicy(context, signFleetPolicy(authorization, by));
  },
  /** Presents one of somebody whom nobody has heard of. */
  'fleet-policy-unknown': (context) => {
    const by = { key: context.stranger, issuer: 'stranger.example' };
    return withFleetPolicy(context, signFleetPolicy(context.fleetPolicy({}).authorization, by));
  },
} as const satisfies Cheats;

/** An issuer whom bundles approve, for other sites. Whoever has its key can sign what every device finds a key for. */
const OF_A_NEIGHBOUR = {
  /** Presents a grant that another authority has signed. */
  'grant-of-neighbour': (context) => {
    const { honest, neighbour } = context;
    return presented(context, { ...honest, grant: signGrant(honest.grant.grant as JsonObject, neighbour, 'envelope') });
  },
  /** Has its budget and its payment signed by another wallet provider. */
  'budget-of-neighbour': (context) => presented(context, signedAnew({ ...context, signer: context.neighbour }, {})),
} as const satisfies Cheats;

/** See the head of the file. */
export const OTHER_TERMS = { ...OTHER_GRANTS, ...FLEET_POLICIES, ...OF_A_NEIGHBOUR } as const;

/** Those that need an issuer whom bundles approve and no site lists. */
export const NEIGHBOURS = Object.keys(OF_A_NEIGHBOUR) as readonly (keyof typeof OF_A_NEIGHBOUR)[];

/** Those whose payment is somebody's: what is wrong is the policy's expiry or its cap, and the rules of those hold. */
export const SIGNED_FLEET_POLICIES = ['fleet-policy-expired', 'fleet-policy-short', 'fleet-policy-used'] as const;

function under(context: HostileContext, ending: string, terms: JsonObject): Presented {
  return presented(context, underOtherGrant(context, ending, terms));
}

/** Under a grant with a cap just below what is paid; undefined where nothing is below that. */
function underShort(
  context: HostileContext,
  ending: string,
  terms: (cap: string) => JsonObject,
): Presented | undefined {
  const cap = below(context);
  return cap === undefined ? undefined : under(context, ending, terms(cap));
}

function below({ amountMinor }: HostileContext): string | undefined {
  const cap = BigInt(amountMinor) - 1n;
  return cap < 1n ? undefined : cap.toString();
}

function beside(context: HostileContext, terms: JsonObject): Presented {
  return withFleetPolicy(context, context.fleetPolicy(terms));
}

function withFleetPolicy(context: HostileContext, fleetPolicyAuthorization: SignedEnvelope): Presented {
  const presentation = { ...context.honest, fleetPolicyAuthorization };
  return { bytes: Buffer.from(JSON.stringify(presentation)), amountMinor: context.amountMinor };
}
