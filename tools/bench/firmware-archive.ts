// A sample's firmware as XS takes it here, with empty modules in place of the SDK's: for the size of its image.

import { makeArchive } from '../../host-sim/xs/archive.ts';
import { makeBundle } from '../../host-sim/xs/bundle.ts';
import { bundleOptions, type Variant } from '../build/device-modules.ts';

/** Any time does: it is a number in the image. */
const BUILT_MS = 1_767_225_600_000;

/** @throws EngineProblem where the firmware cannot be made one module */
export async function firmwareArchive(entry: string, variant: Variant): Promise<Uint8Array> {
  const bundle = await makeBundle(entry, bundleOptions(variant, BUILT_MS));
  // JavaScript by its name: an import that it does not use stays, as on a board.
  return makeArchive({ entry: 'bundle.js', generated: { 'bundle.js': bundle, ...emptyModules(bundle) } });
}

const IMPORT = /^import (?:([\w$]+)(?:, )?)?(?:\{ ?([^}]*?) ?\})? from "([^"]+)";$/gm;

/** The modules that a bundle imports, with what it takes of each: classes with nothing in them. */
function emptyModules(bundle: string): { readonly [specifier: string]: string } {
  const modules: { [specifier: string]: string } = {};
  for (const [, whole, members = '', specifier = ''] of bundle.matchAll(IMPORT)) {
    const names = members.split(',').map((member) => member.trim().split(' ')[0] as string);
    const exported = [
      ...(whole === undefined ? [] : ['default class']),
      ...names.map((name) => name && `class ${name}`),
    ];
    for (const one of exported) {
      const line = `export ${one} {}\n`;
      if (one !== '' && !modules[specifier]?.includes(line)) modules[specifier] = `${modules[specifier] ?? ''}${line}`;
    }
  }
  return modules;
}
