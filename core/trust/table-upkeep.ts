// Which keys are to have tables: those of the site's grant issuers first, as nearly every payment is verified with one of them,
// then those that payments are made with. Tables are made in idle time.

import type { Site } from '../configuration.ts';
import type { KeyTables } from '../ed25519/key-tables.ts';
import { ed25519FromDidKey } from '../encoding/did-key.ts';
import { FlashError, type Log } from '../ports/ports.ts';
import { permits } from './configuration.ts';
import type { TrustSet } from './trust-set.ts';

/** What upkeep goes by. */
export interface TableUpkeepParts {
  readonly tables: KeyTables;
  readonly site: Site;
  readonly trust: TrustSet;
  readonly log: Log | undefined;
}

/** See the head of the file. */
export class TableUpkeep {
  readonly #parts: TableUpkeepParts;
  /** The bundles that the grant issuers' keys were taken from. */
  #bundles: TrustSet['bundles'] | undefined;
  #problem: string | undefined;

  constructor(parts: TableUpkeepParts) {
    this.#parts = parts;
  }

  /** A payment was accepted that these keys have signed. */
  used(keys: { readonly [role: string]: { readonly key: Uint8Array } | undefined }): void {
    for (const role in keys) {
      const signer = keys[role];
      if (signer !== undefined) this.#parts.tables.used(signer.key);
    }
  }

  /** Does a bounded piece of what there is to do. @returns whether there is more */
  step(): boolean {
    const { tables, site, trust, log } = this.#parts;
    if (this.#bundles !== trust.bundles) {
      try {
        tables.wanted(grantKeys(site, trust));
      } catch (error) {
        // Tables wait for bundles that can be read.
        if (error instanceof FlashError) return false;
        throw error;
      }
      this.#bundles = trust.bundles;
      return true;
    }
    const isMore = tables.step();
    const { problem } = tables;
    if (problem !== undefined && problem !== this.#problem) log?.emit({ event: 'keyTables.failed', detail: problem });
    this.#problem = problem;
    return isMore;
  }
}

/**
 * The keys of the configured grant issuers, in the order of the configuration: what bundles list and do not mark revoked, a
 * did:key's own; then pinned ones. Nothing is decided by them: which key verifies a grant, `resolveKey` says.
 *
 * @throws FlashError where bundles on flash cannot be read
 */
function grantKeys(site: Site, trust: TrustSet): readonly Uint8Array[] {
  const keys: Uint8Array[] = [];
  for (const rule of site.grantIssuers) {
    const issuer = typeof rule === 'string' ? rule : rule.issuer;
    for (const bundle of trust.bundles) {
      if (!bundle.approves(issuer)) continue;
      for (const { key, kid, active } of bundle.entry(issuer)?.keys ?? [])
        if (active && typeof key !== 'string' && permits([rule], issuer, kid)) keys.push(key);
    }
    const own = ed25519FromDidKey(issuer);
    if (own !== undefined) keys.push(own);
  }
  for (const { role, publicKey } of site.pinnedKeys) if (role === 'policyGrant') keys.push(publicKey);
  return keys;
}
