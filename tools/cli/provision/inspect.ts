// `provision inspect`: what an image says, with its secrets hidden.

import type { Command } from 'commander';
import { ProvisioningProblem } from '../../../core/provisioning/provisioning.ts';
import { readImage } from '../../../host-sim/provisioning/image.ts';
import { type Io, UsageError } from '../io.ts';
import { jsonOption } from '../option-values.ts';
import { imageDocument, imageText, readImageFile } from './images.ts';

/** Adds `inspect`. */
export function addInspect(command: Command, io: Io): void {
  jsonOption(
    command
      .description('Show what an image says. Passwords and API keys are hidden.')
      .argument('<file>', 'provisioning image')
      .option('--show-secrets', 'show passwords and API keys too'),
  )
    .addHelpText('after', '\nExample: mpcp-embedded provision inspect images/charger-0001.img')
    .action((file: string, { showSecrets = false }: { readonly showSecrets?: boolean }) => {
      const found = readImage(readImageFile(file));
      if (found instanceof ProvisioningProblem) throw new UsageError(`${file}: ${found.message}`);
      io.result(imageDocument(found, showSecrets), imageText(found, showSecrets));
    });
}
