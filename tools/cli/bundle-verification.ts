// Verification of Trust Bundles, which `verify bundle` and `bundle verify` both offer.

import type { Command } from 'commander';
import { type Io, UsageError } from './io.ts';
import { readForVerdict } from './json-file.ts';
import { tableText } from './table.ts';
import { bundleDocument, refusalText } from './verdict-output.ts';
import { addLookOptions, admitFile, siteOf, type VerifyOptions, verifierOf } from './verify-options.ts';

interface BundleOptions extends VerifyOptions {
  readonly merchant?: string;
  readonly category?: string;
  readonly region?: string;
}

/** Makes a command one that verifies a bundle, or every bundle of an answer. */
export function addBundleVerification(command: Command, io: Io, example: string): void {
  command
    .description(
      'Admit a Trust Bundle as a device would: shape, scope, expiry, root signature. An answer {"bundles": […]} is taken bundle by bundle.',
    )
    .argument('<file>', 'Trust Bundle, - for standard input')
    .option('--merchant <merchant>', "the device's merchant; a bundle for another is refused")
    .option('--category <category>', "the device's category")
    .option('--region <region>', "the device's region");
  addLookOptions(command)
    .addHelpText(
      'after',
      `\nExample: ${example}\nExit code 0 where every bundle was accepted, 1 where one was not; 2 where the call was wrong.`,
    )
    .action((path: string, options: BundleOptions) => {
      const file = readForVerdict(path, 'bundle');
      const scope = { merchant: options.merchant, category: options.category, region: options.region };
      const base = siteOf(options, { grantIssuers: false, sbaIssuers: false });
      if (base.rootKeys?.length === 0)
        throw new UsageError('a root key is needed: --root FILE, or rootKeys in --config');
      const site = { ...base, bundleScope: { ...base.bundleScope, ...given(scope) } };
      const bundles = admitFile(verifierOf(options, site), path, file);
      const refused = bundles.filter(({ admission }) => !admission.ok).length;
      const lines = bundles.map(({ name, admission }) => {
        const verdict = admission.ok ? 'accepted' : refusalText(admission);
        return bundles.length === 1 ? verdict : `${name.slice(path.length + 2)}: ${verdict}`;
      });
      const table = bundles.map(({ name, admission }) =>
        admission.ok
          ? [name, 'pass', '', '']
          : [name, 'fail', admission.code, `${admission.check}: ${admission.detail}`],
      );
      // An answer without bundles verifies nothing, which nobody should take for a success.
      const good = refused === 0 && bundles.length > 0;
      const text = lines.length === 0 ? 'there is no bundle in the answer' : lines.join('\n');
      io.result(
        { ok: good, bundles: bundles.map(bundleDocument) },
        options.explain ? `${tableText(['bundle', 'verdict', 'code', 'detail'], table)}\n\n${text}` : text,
      );
      if (!good) io.fail();
    });
}

function given(scope: { readonly [name: string]: string | undefined }): { readonly [name: string]: string } {
  return Object.fromEntries(Object.entries(scope).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
