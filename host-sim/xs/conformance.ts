// A conformance run's calls, answered inside XS in one machine after the other: a machine that stops has answered the call
// it stopped at with an error, and another goes on behind it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleArchive } from './bundle.ts';
import { type CallRecorder, callsFile } from './calls.ts';
import { EngineProblem } from './project.ts';
import { runArchive, type XsOptions } from './runner.ts';
import type { Answer } from './wire.ts';

/** Where and with what the calls are answered. */
export interface AnsweringOptions extends Omit<XsOptions, 'words' | 'heard'> {
  /** As programs/crypto.ts names it. */
  readonly crypto: string;
}

/** The answers, one for each call. @throws EngineProblem where there is no engine */
export async function answersInXs(calls: CallRecorder['calls'], options: AnsweringOptions): Promise<readonly Answer[]> {
  const archive = await bundleArchive('host-sim/xs/programs/conformance.ts');
  const folder = mkdtempSync(join(tmpdir(), 'mpcp-calls-'));
  const answers: Answer[] = [];
  try {
    const file = join(folder, 'calls');
    writeFileSync(file, callsFile(calls));
    while (answers.length < calls.length) {
      const words = [file, options.crypto, String(answers.length)];
      const run = await runArchive(archive, { ...options, words, heard: (line) => answers.push(answerOf(line)) });
      if (run.exception !== undefined) throw new EngineProblem(`the conformance program failed: ${run.exception}`);
      if (run.abort !== undefined) answers.push({ error: `the machine stopped: ${run.abort}` });
    }
    return answers;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A line is a call's number and what came out. */
function answerOf(line: string): Answer {
  return JSON.parse(line.slice(line.indexOf(' ') + 1)) as Answer;
}
