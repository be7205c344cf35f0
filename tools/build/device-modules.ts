// The modules a device's image is made of: for each sample, and for a firmware of one's own, one bundle of core and device code, with
// and without native code; declarations and licence beside them. Nothing of npm is needed afterwards.

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BundleOptions, makeBundle } from '../../host-sim/xs/bundle.ts';

/** Modules of the SDK, which are there at run time. */
export const SDK_MODULES: readonly string[] = [
  'embedded:*',
  'crypt',
  'mc/config',
  'net',
  'pkcs1_5',
  'ssl/session',
  'time',
  'timer',
  'x509',
];

/** The bundles, by name, with their entries. */
export const DEVICE_ENTRIES: { readonly [name: string]: string } = Object.freeze({
  charger: 'device/charger/main.ts',
  gate: 'device/gate/main.ts',
  meter: 'device/meter/main.ts',
  'mpcp-embedded': 'device/index.ts',
});

/** With this project's C code, or with the core's own Ed25519 in its place. */
export const VARIANTS = Object.freeze(['native', 'own'] as const);
export type Variant = (typeof VARIANTS)[number];

/** How a device's bundle is made. */
export function bundleOptions(variant: Variant, buildTimeMs: number): BundleOptions {
  const define = { MPCP_NATIVE: String(variant === 'native'), MPCP_BUILD_TIME_MS: String(buildTimeMs) };
  return { external: SDK_MODULES, define };
}

const SAMPLE_DECLARATION = `/** Starts the firmware. Called by the SDK when the engine has started. */
export default function main(): void;
`;

/**
 * Writes `native/` and `own/` into a folder, which is emptied first.
 *
 * @param root the project's folder
 * @param buildTimeMs the earliest time a clock may show: the same time makes the same bytes
 */
export async function buildDeviceModules(root: string, folder: string, buildTimeMs: number): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  for (const variant of VARIANTS) {
    mkdirSync(join(folder, variant), { recursive: true });
    for (const [name, entry] of Object.entries(DEVICE_ENTRIES)) {
      const code = await makeBundle(join(root, entry), bundleOptions(variant, buildTimeMs));
      writeFileSync(join(folder, variant, `${name}.js`), code);
      if (name !== 'mpcp-embedded') writeFileSync(join(folder, variant, `${name}.d.ts`), SAMPLE_DECLARATION);
      else writeFileSync(join(folder, variant, `${name}.d.ts`), "export * from '../types/device/index';\n");
    }
  }
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  writeFileSync(join(folder, 'licences.txt'), licences(root));
}

function licences(root: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return `${name} ${version}: ${license}, see LICENSE. The modules in this folder contain no other software.

An image that is made of them contains the Moddable SDK, ESP-IDF, and with native code libsodium, each under its own licence:
the SDK's runtime under the LGPL, which asks that who has the device can put in another version of it.
`;
}
