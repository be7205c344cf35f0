// Grants whose signature was verified before: a grant is presented with every payment under it, and need not be verified again
// each time. What is remembered is that a key made a signature over a digest. Everything else is asked anew for each payment:
// whose key it is, whether it is revoked or expired, and all that the grant says.

import { signerText } from '../ledger/keys.ts';
import { GRANTS_REMEMBERED } from '../limits.ts';
import type { TrustSet } from '../trust/trust-set.ts';

/** What a verification was of, as text: nothing of it may differ. */
export type Proof = string;

/**
 * What is verified.
 *
 * @param digest 32 bytes: what is signed
 * @param key text of the key, as key lookup gave it
 * @param signature as the artifact has it: the same bytes spelled differently are verified again
 */
export function proofOf(digest: Uint8Array, key: string, signature: string): Proof {
  return signerText(digest) + key + signature;
}

/** The grants verified last, at most `GRANTS_REMEMBERED` of them; none that was verified under other bundles. */
export class VerifiedGrants {
  /** The latest comes last. */
  readonly #proofs: Proof[] = [];
  /** The bundles at that time. A trust set never changes its list, it takes another. */
  #bundles: TrustSet['bundles'] | undefined;

  /** True where just this was verified while the trust was what it is now. */
  includes(proof: Proof, trust: TrustSet): boolean {
    if (trust.bundles !== this.#bundles) return false;
    const proofs = this.#proofs;
    const at = proofs.indexOf(proof);
    if (at < 0) return false;
    proofs.splice(at, 1);
    proofs.push(proof);
    return true;
  }

  /** Takes note of what was verified just now. */
  add(proof: Proof, trust: TrustSet): void {
    const proofs = this.#proofs;
    if (trust.bundles !== this.#bundles) {
      proofs.length = 0;
      this.#bundles = trust.bundles;
    }
    if (proofs.length === GRANTS_REMEMBERED) proofs.shift();
    proofs.push(proof);
  }
}
