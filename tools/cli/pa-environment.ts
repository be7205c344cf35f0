// Who a Policy Authority is, as the published service is told it: by the environment.

import { ARTIFACT_LIMITS } from '../../core/limits.ts';
import type { AuthorityIdentity } from '../../host-sim/policy-authority/signer.ts';
import { KeyError, readSigningKey, type SigningKey } from '../../host-sim/signing/keys.ts';
import { UsageError } from './io.ts';

/** What the environment says. */
export interface AuthorityEnvironment {
  readonly identity: AuthorityIdentity;
  /** Where wallets and devices ask about a grant; undefined where grants name no place, as MPCP v1 has it. */
  readonly revocationEndpoint: string | undefined;
  /** Undefined where it is not set. */
  readonly adminKey: string | undefined;
  readonly adminKeyIsSet: boolean;
}

/** The kid of a signing key that is not named, as the published service has it. */
const DEFAULT_KID = 'mpcp-policy-grant-signing-key-1';
/** Characters of an administrator's key, at least: it opens everything and nobody slows down who guesses. */
const ADMIN_KEY_CHARACTERS = 16;

/** Bytes of a word: with the path of a revocation behind it, it is still a text that devices read. */
const LONGEST = ARTIFACT_LIMITS.stringBytes - '/revoke'.length;

/** Reads it. @throws UsageError that names the variable and what is wrong, and never repeats a key */
export function readEnvironment(variables: NodeJS.ProcessEnv): AuthorityEnvironment {
  const grantKey = keyIn(variables, 'MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM', 'MPCP_POLICY_GRANT_SIGNING_KEY_ID');
  if (grantKey === undefined)
    throw new UsageError('MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM is not set: a private Ed25519 key in PKCS #8 PEM');
  const issuer = wordIn(variables, 'MPCP_ISSUER_DOMAIN');
  if (issuer === undefined)
    throw new UsageError("MPCP_ISSUER_DOMAIN is not set: the issuer of grants, as sites' grantIssuers list it");
  const bundleKey = keyIn(variables, 'MPCP_TRUST_BUNDLE_SIGNING_PRIVATE_KEY_PEM', 'MPCP_TRUST_BUNDLE_SIGNING_KEY_ID');
  const adminKey = adminKeyIn(variables, 'MPCP_ADMIN_KEY');
  return {
    identity: { issuer, grantKey, bundleKey: bundleKey ?? grantKey },
    revocationEndpoint: endpointIn(variables),
    adminKey,
    adminKeyIsSet: adminKey !== undefined,
  };
}

/** The API key of whoever may do everything; undefined where it is not set. @throws UsageError where it is too easily guessed */
export function adminKeyIn(variables: NodeJS.ProcessEnv, name: string): string | undefined {
  const adminKey = variables[name] || undefined;
  if (adminKey !== undefined && !new RegExp(`^[!-~]{${ADMIN_KEY_CHARACTERS},}$`).test(adminKey))
    throw new UsageError(`${name} is not ${ADMIN_KEY_CHARACTERS} visible characters or more`);
  return adminKey;
}

/** A key; files of variables hold its lines with `\n` between them. */
function keyIn(variables: NodeJS.ProcessEnv, pemName: string, kidName: string): SigningKey | undefined {
  const pem = variables[pemName]?.trim();
  if (!pem) return undefined;
  const kid = wordIn(variables, kidName) ?? DEFAULT_KID;
  try {
    return readSigningKey(pem.replaceAll('\\n', '\n'), kid);
  } catch (error) {
    if (error instanceof KeyError) throw new UsageError(`${pemName}: ${error.message}`);
    throw error;
  }
}

function endpointIn(variables: NodeJS.ProcessEnv): string | undefined {
  const name = 'MPCP_REVOCATION_BASE_URL';
  const base = wordIn(variables, name);
  if (base === undefined) return undefined;
  const url = URL.canParse(base) ? new URL(base) : undefined;
  const more = url && url.username + url.password + url.search + url.hash;
  if (url === undefined || !/^https?:$/.test(url.protocol) || more !== '')
    throw new UsageError(`${name} is not an http or https address without name, password and query`);
  return `${base.replace(/\/+$/, '')}/revoke`;
}

/** What a variable says, without the line break that a file leaves behind it. @throws UsageError for what no device reads */
function wordIn(variables: NodeJS.ProcessEnv, name: string): string | undefined {
  const word = variables[name]?.trim();
  if (!word) return undefined;
  if (/[\s\p{Cc}]/u.test(word) || Buffer.byteLength(word) > LONGEST)
    throw new UsageError(`${name} is not one word of ${LONGEST} bytes at most`);
  return word;
}
