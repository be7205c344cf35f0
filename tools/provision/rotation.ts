// New root keys beside old ones, and the end of old ones: the same images with a higher counter. Devices that have run with the
// new image take the old one no more.

import { deploymentProblems, readConfiguration } from '../../core/configuration.ts';
import { LAST_COUNTER } from '../../core/provisioning/partition.ts';
import { type Provisioning, ProvisioningProblem } from '../../core/provisioning/provisioning.ts';
import type { RootKey } from '../../core/trust/configuration.ts';
import { documentFrom, readImage, replacedImage } from '../../host-sim/provisioning/image.ts';
import { thumbprint } from '../../host-sim/signing/keys.ts';

/** What changes. */
export interface Rotation {
  readonly add: readonly RootKey[];
  /** Kids, or thumbprints of keys. */
  readonly remove: readonly string[];
}

/** An image with its root keys changed. */
export interface RotatedImage {
  readonly provisioning: Provisioning;
  readonly image: Uint8Array;
}

/** Changes the root keys of an image. @returns the new image, or why it cannot be */
export function rotated(image: Uint8Array, { add, remove }: Rotation): RotatedImage | string {
  const found = readImage(image);
  if (found instanceof ProvisioningProblem) return found.message;
  const { provisioning } = found;
  // A device that has kept a root key at set-up has given itself the next counter: an image with the same one would not replace that
  // for good, as each of the two could be put back in the place of the other.
  const counter = provisioning.counter + (provisioning.fetchesRootKey ? 2 : 1);
  if (counter > LAST_COUNTER) return `counter ${LAST_COUNTER} is the last there is`;
  const { rootKeys: before } = readConfiguration(provisioning.site);
  for (const name of remove)
    if (!before.some((key) => isNamed(key, name))) return `no root key is called ${name}; there are ${namesOf(before)}`;
  const rootKeys = before.filter((key) => !remove.some((name) => isNamed(key, name)));
  for (const key of add) {
    const same = rootKeys.find((other) => (key.kid !== undefined && other.kid === key.kid) || isSameKey(other, key));
    if (same !== undefined)
      return isSameKey(same, key)
        ? `root key ${nameOf(key)} is there already, as ${nameOf(same)}`
        : `another root key has the kid ${key.kid}`;
    const pinned = provisioning.site.pinnedKeys?.find((other) => isSameKey(other, key));
    if (pinned !== undefined) return `root key ${nameOf(key)} and pinned ${pinned.role} key ${pinned.kid} are one key`;
    rootKeys.push(key);
  }
  if (rootKeys.length === 0) return 'that would leave no root key, and with it no Trust Bundle that could be admitted';
  const { rootKey: _, ...document } = documentFrom(provisioning);
  const site = { ...provisioning.site, rootKeys };
  const missing = deploymentProblems(readConfiguration(site));
  if (missing.length > 0) return missing.join('; ');
  try {
    const replaced = replacedImage(image, { ...document, site }, counter);
    const back = readImage(replaced);
    return back instanceof ProvisioningProblem ? back.message : { provisioning: back.provisioning, image: replaced };
  } catch (problem) {
    // An image that is full has no room for another key.
    if (problem instanceof ProvisioningProblem || problem instanceof RangeError) return problem.message;
    throw problem;
  }
}

/** How a root key is called: its kid, or its thumbprint. */
export function nameOf({ kid, publicKey }: RootKey): string {
  return kid ?? thumbprint(publicKey);
}

function namesOf(keys: readonly RootKey[]): string {
  return keys.length === 0 ? 'none' : keys.map(nameOf).join(', ');
}

function isNamed(key: RootKey, name: string): boolean {
  return key.kid === name || thumbprint(key.publicKey) === name;
}

function isSameKey(a: { readonly publicKey: Uint8Array }, b: { readonly publicKey: Uint8Array }): boolean {
  return Buffer.compare(a.publicKey, b.publicKey) === 0;
}
