// `present`: puts the artifacts of a payment into the presentation a payer hands over.

import type { Command } from 'commander';
import type { JsonObject } from '../../../core/json/value.ts';
import { HEADER_CHARACTERS } from '../../../core/limits.ts';
import {
  type ArtifactName,
  authorizationHeader,
  type PresentedArtifacts,
  presentable,
  presentationText,
} from '../../issue/presentation.ts';
import type { Io } from '../io.ts';
import { readArtifact } from '../json-file.ts';
import { jsonOption } from '../option-values.ts';
import { isStdout, writeOutput } from '../output-file.ts';
import type { Register } from './index.ts';

interface PresentOptions {
  readonly grant?: string;
  readonly sba: string;
  readonly spa?: string;
  readonly intent?: string;
  readonly fpa?: string;
  readonly idempotencyKey?: string;
  readonly header?: boolean;
  readonly out?: string;
}

/** Adds `present`. */
export const register: Register = (program: Command, io: Io) => {
  const present = program
    .command('present')
    .summary('put the artifacts of a payment into one presentation')
    .description(
      'Put the artifacts of a payment into one presentation: JSON for a body, or with --header the Authorization header.',
    )
    .requiredOption('--sba <file>', 'signed budget authorization')
    .option('--grant <file>', 'policy grant')
    .option('--spa <file>', 'signed payment authorization')
    .option('--intent <file>', 'settlement intent')
    .option('--fpa <file>', 'fleet policy')
    .option('--idempotency-key <key>', 'a repeated request with it counts once')
    .option('--header', `print \`Authorization: MPCP …\`; refused above ${HEADER_CHARACTERS} characters of base64`)
    .option('--out <file>', 'write it there; left out: stdout')
    .addHelpText(
      'after',
      '\nExample: curl -H "$(mpcp-embedded present --grant grant.json --sba sba.json --header)" https://gate.example/',
    )
    .action((options: PresentOptions) => {
      const artifacts = artifactsOf(options);
      const text = options.header ? authorizationHeader(artifacts) : presentationText(artifacts);
      if (isStdout(options.out)) {
        io.out(io.json && options.header ? JSON.stringify({ header: text }, null, 2) : text);
        return;
      }
      writeOutput(io, options.out, text);
      if (io.json) io.out(JSON.stringify({ written: options.out, bytes: Buffer.byteLength(text) }, null, 2));
    });
  jsonOption(present);
};

function artifactsOf(options: PresentOptions): PresentedArtifacts {
  const file = (path: string, option: string, name: ArtifactName) =>
    readArtifact(path, option, (value) => presentable(name, value));
  const given = (path: string | undefined, option: string, name: ArtifactName): JsonObject | undefined =>
    path === undefined ? undefined : file(path, option, name);
  return {
    grant: given(options.grant, '--grant', 'grant'),
    sba: file(options.sba, '--sba', 'sba'),
    spa: given(options.spa, '--spa', 'spa'),
    settlementIntent: given(options.intent, '--intent', 'settlementIntent'),
    fleetPolicyAuthorization: given(options.fpa, '--fpa', 'fleetPolicyAuthorization'),
    idempotencyKey: options.idempotencyKey,
  };
}
