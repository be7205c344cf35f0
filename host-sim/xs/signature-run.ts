// Signatures of a file verified inside XS: what each engine with each crypto says of them.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleArchive } from './bundle.ts';
import { EngineProblem } from './project.ts';
import { runArchive, type XsOptions } from './runner.ts';
import { inScratch } from './scratch.ts';
import { type SignatureCase, signatureFile } from './signature-file.ts';

/** Room for three tables. */
const TABLES_BYTES = 3 * 28_672;

/**
 * Verifies cases inside XS.
 *
 * @param crypto as programs/signatures.ts names it
 * @returns for each case `good` or `bad`, then whether its key is usable; or why the machine stopped
 * @throws EngineMissing, EngineProblem as `runInXs`
 */
export async function verdictsInXs(
  cases: readonly SignatureCase[],
  crypto: string,
  options: Omit<XsOptions, 'words' | 'heard'>,
): Promise<readonly string[]> {
  const archive = await bundleArchive('host-sim/xs/programs/signatures.ts');
  return inScratch('mpcp-signatures', async (folder) => {
    const [file, tables] = [join(folder, 'cases'), join(folder, 'tables')];
    writeFileSync(file, signatureFile(cases));
    writeFileSync(tables, new Uint8Array(TABLES_BYTES).fill(0xff));
    const verdicts: string[] = [];
    const heard = (line: string) => verdicts.push(line.slice(line.indexOf(' ') + 1));
    while (verdicts.length < cases.length) {
      const words = [file, crypto, String(verdicts.length), tables];
      const run = await runArchive(archive, { ...options, words, heard });
      if (run.exception !== undefined) throw new EngineProblem(`the program of signatures failed: ${run.exception}`);
      if (run.abort !== undefined) verdicts.push(`the machine stopped: ${run.abort}`);
      else if (verdicts.length < cases.length)
        throw new EngineProblem(`the program of signatures ended without a verdict on ${cases[verdicts.length]?.name}`);
    }
    return verdicts;
  });
}
