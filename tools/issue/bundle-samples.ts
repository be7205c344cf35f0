// Development bundles: templates with fresh dates and development keys, signed by a development root, each with the site
// configuration that goes with it. Everything a bench needs to issue and verify; nothing of it is for the field.

import type { JsonObject } from '../../core/json/value.ts';
import { generateKey, publicJwk, type SigningKey } from '../../host-sim/signing/keys.ts';
import { type BundleTemplate, bundleFrom } from './bundle-template.ts';
import { IssueProblem } from './problem.ts';
import type { IssueRules } from './rules.ts';
import { issueBundle } from './trust-bundle.ts';

/** Keys for development. One issuer's kid is one key, whichever template names it. */
export class DevelopmentKeys {
  readonly #earlier: (kid: string) => SigningKey | undefined;
  readonly #keys = new Map<string, { readonly issuer: string; readonly key: SigningKey; readonly kept: boolean }>();

  /** @param earlier the key that an earlier run has made for a kid. Default: there was none */
  constructor(earlier: (kid: string) => SigningKey | undefined = () => undefined) {
    this.#earlier = earlier;
  }

  /** All keys asked for so far. */
  get all(): readonly SigningKey[] {
    return [...this.#keys.values()].map((held) => held.key);
  }

  /** Those of them that an earlier run has made. */
  get kept(): readonly SigningKey[] {
    return [...this.#keys.values()].filter((held) => held.kept).map((held) => held.key);
  }

  /** The key of a kid, made where there is none yet. @throws IssueProblem where two issuers would share a kid */
  key(issuer: string, kid: string): SigningKey {
    // The kid becomes the name of a file.
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(kid))
      throw new IssueProblem(`development key ${kid}: only letters, digits, ".", "_" and "-" are taken`);
    const held = this.#keys.get(kid) ?? this.#first(issuer, kid);
    if (held.issuer !== issuer)
      throw new IssueProblem(`development key ${kid} is asked for by ${held.issuer} and by ${issuer}`);
    this.#keys.set(kid, held);
    return held.key;
  }

  #first(issuer: string, kid: string) {
    const earlier = this.#earlier(kid);
    return { issuer, key: earlier ?? generateKey(kid), kept: earlier !== undefined };
  }
}

/** One sample deployment. */
export interface BundleSample {
  /** The signed bundle's JSON text. */
  readonly bundle: string;
  /** The site configuration with the root key in it. */
  readonly site: JsonObject;
}

/** Makes a sample from a template. @throws IssueProblem where the template lacks something */
export function bundleSample(
  template: BundleTemplate,
  root: SigningKey,
  keys: DevelopmentKeys,
  rules: IssueRules,
): BundleSample {
  if (template.site === undefined) throw new IssueProblem('template: site is missing, and a sample needs it');
  const sources = {
    fromFile: (path: string) => {
      throw new IssueProblem(`template: a sample's keys are development keys, ${path} is a file`);
    },
    development: (issuer: string, kid: string) => keys.key(issuer, kid),
  };
  const bundle = bundleFrom(template, { bundleKeyId: root.kid }, sources, rules.nowMs);
  const site = { ...(template.site as JsonObject), rootKeys: [{ kid: root.kid, publicKey: { ...publicJwk(root) } }] };
  return { bundle: issueBundle(bundle, root, rules), site };
}
