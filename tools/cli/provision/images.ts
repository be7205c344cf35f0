// What the commands about images share: reading an image file, and what one says in words, with its secrets hidden.

import { deploymentProblems, readConfiguration } from '../../../core/configuration.ts';
import { ed25519KeyUsable } from '../../../core/ed25519/verify.ts';
import { PROVISIONING_PARTITION_BYTES } from '../../../core/limits.ts';
import { type FoundProvisioning, PROVISIONING_FORMAT } from '../../../core/provisioning/partition.ts';
import { ProvisioningProblem } from '../../../core/provisioning/provisioning.ts';
import { documentFrom, readImage } from '../../../host-sim/provisioning/image.ts';
import { thumbprint } from '../../../host-sim/signing/keys.ts';
import { timeText } from '../../issue/duration.ts';
import { sha256Hex } from '../../provision/manifest.ts';
import { readInput } from '../io.ts';
import { tableText } from '../table.ts';

/** What stands in a secret's place. */
export const HIDDEN = '(hidden; --show-secrets shows it)';

/** Bytes of a file that is to be an image. */
export function readImageFile(path: string): Uint8Array {
  return readInput(path, 'provisioning image');
}

/** Everything that keeps a device from starting on an image; empty where nothing does. */
export function imageProblems(image: Uint8Array): readonly string[] {
  const found = readImage(image);
  if (found instanceof ProvisioningProblem) return [found.message];
  const { provisioning, damage } = found;
  const { site, fetchesRootKey, certificate } = provisioning;
  const missing = deploymentProblems(readConfiguration(site)).filter(
    (text) => !(fetchesRootKey && text.startsWith('rootKeys ')),
  );
  const keys = [...(site.rootKeys ?? []), ...(site.pinnedKeys ?? [])];
  const weak = keys.filter(({ publicKey }) => !ed25519KeyUsable(publicKey));
  return [
    ...(damage === undefined ? [] : [damage]),
    ...missing,
    ...weak.map(({ kid }) => `the key ${kid ?? 'without kid'} is not a usable point of the curve`),
    ...(fetchesRootKey && certificate === undefined
      ? ['it fetches its root key at set-up, and no certificate is pinned that says from whom']
      : []),
  ];
}

function pinned(certificate: Uint8Array | undefined) {
  return certificate && { certificate: { bytes: certificate.length, sha256: sha256Hex(certificate) } };
}

/** An image as a document: keys in base64url, the certificate by its digest. */
export function imageDocument(found: FoundProvisioning, showSecrets: boolean): Record<string, unknown> {
  const { provisioning, slot, damage } = found;
  const { site, certificate, wifi, operator, ...rest } = documentFrom(provisioning);
  const key = (publicKey: Uint8Array) => Buffer.from(publicKey).toString('base64url');
  const secret = (text: string) => (showSecrets ? text : HIDDEN);
  return {
    format: PROVISIONING_FORMAT,
    counter: provisioning.counter,
    slot,
    ...(damage !== undefined && { damage }),
    ...rest,
    ...(provisioning.madeAtMs !== undefined && { madeAt: timeText(provisioning.madeAtMs) }),
    ...(operator && { operator: { ...operator, apiKey: secret(operator.apiKey), ...pinned(operator.certificate) } }),
    ...(wifi && { wifi: { ...wifi, ...(wifi.password !== undefined && { password: secret(wifi.password) }) } }),
    ...pinned(certificate),
    site: {
      ...site,
      ...(site.rootKeys && {
        rootKeys: site.rootKeys.map(({ kid, publicKey }) => ({
          ...(kid !== undefined && { kid }),
          publicKey: key(publicKey),
          thumbprint: thumbprint(publicKey),
        })),
      }),
      ...(site.pinnedKeys && {
        pinnedKeys: site.pinnedKeys.map((pinned) => ({ ...pinned, publicKey: key(pinned.publicKey) })),
      }),
    },
  };
}

/** The same for a person: a line for each member. */
export function imageText(found: FoundProvisioning, showSecrets: boolean): string {
  const rows: string[][] = [];
  const add = (name: string, value: unknown): void => {
    if (Array.isArray(value)) {
      if (value.length === 0) rows.push([name, '(none)']);
      else if (value.every((one) => typeof one !== 'object')) rows.push([name, value.join(', ')]);
      else for (const [i, one] of value.entries()) add(`${name}[${i}]`, one);
    } else if (typeof value === 'object' && value !== null) {
      for (const [member, one] of Object.entries(value)) add(name === '' ? member : `${name}.${member}`, one);
    } else rows.push([name, String(value)]);
  };
  add('', imageDocument(found, showSecrets));
  return `provisioning image of ${PROVISIONING_PARTITION_BYTES} bytes\n\n${tableText(['what', 'value'], rows)}`;
}
