// `policy hash`: the policyHash that grants, SBAs and SPAs carry.

import type { Command } from 'commander';
import { policyHash } from '../../../host-sim/signing/artifacts.ts';
import type { Io } from '../io.ts';
import { readJsonObject } from '../json-file.ts';
import { jsonOption } from '../option-values.ts';
import type { Register } from './index.ts';

/** Adds `policy`. */
export const register: Register = (program: Command, io: Io) => {
  const policy = program.command('policy').description('Policy documents.');
  const hash = policy
    .command('hash')
    .description('Print the policyHash of a policy document: SHA-256 over "MPCP:Policy:1.0:" and its canonical JSON.')
    .argument('<file>', 'JSON document, - for standard input')
    .addHelpText('after', '\nExample: mpcp-embedded policy hash policy.json')
    .action((file: string) => {
      const text = policyHash(readJsonObject(file, 'policy').value);
      io.result({ policyHash: text }, text);
    });
  jsonOption(hash);
};
