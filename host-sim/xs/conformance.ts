// A conformance run's calls, answered inside XS in one machine after the other: a machine that stops has answered the call
// it stopped at with an error, and another goes on behind it.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleArchive } from './bundle.ts';
import { type CallRecorder, callsFile } from './calls.ts';
import { EngineProblem } from './project.ts';
import { runArchive, type XsOptions } from './runner.ts';
import { inScratch } from './scratch.ts';
import type { Answer } from './wire.ts';

/** Where and with what the calls are answered. */
export interface AnsweringOptions extends Omit<XsOptions, 'words' | 'heard'> {
  /** As programs/crypto.ts names it. */
  readonly crypto: string;
}

/** The answers, one for each call. @throws EngineProblem where there is no engine */
export async function answersInXs(calls: CallRecorder['calls'], options: AnsweringOptions): Promise<readonly Answer[]> {
  const archive = await bundleArchive('host-sim/xs/programs/conformance.ts');
  return inScratch('mpcp-calls', async (folder) => {
    const file = join(folder, 'calls');
    writeFileSync(file, callsFile(calls));
    const answers: Answer[] = [];
    const heard = (line: string) => answers.push(answerOf(line, answers.length));
    while (answers.length < calls.length) {
      const words = [file, options.crypto, String(answers.length)];
      const run = await runArchive(archive, { ...options, words, heard });
      if (run.exception !== undefined) throw new EngineProblem(`the conformance program failed: ${run.exception}`);
      // It has nothing more to say: another would say the same.
      const isOver = run.abort === undefined;
      const error = isOver ? 'the program in XS ended without an answer' : `the machine stopped: ${run.abort}`;
      for (let left = isOver ? calls.length - answers.length : 1; left > 0; left--) answers.push({ error });
    }
    if (answers.length > calls.length)
      throw new EngineProblem(`the conformance program gave ${answers.length} answers to ${calls.length} calls`);
    return answers;
  });
}

/** A line is a call's number and what came out. @throws EngineProblem where it is another call's, or no answer */
export function answerOf(line: string, call: number): Answer {
  const space = line.indexOf(' ');
  try {
    if (line.slice(0, space) === String(call)) return JSON.parse(line.slice(space + 1)) as Answer;
  } catch {
    // As where the number is another.
  }
  throw new EngineProblem(`the conformance program answered call ${call} with ${JSON.stringify(line.slice(0, 60))}`);
}
