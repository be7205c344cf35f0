// The compiler that the board's C is tried with on a desk.

import { execFileSync } from 'node:child_process';

/** Why there is none, undefined where there is. */
export function missingCompiler(): string | undefined {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'gcc is not here: apt-get install gcc';
  }
}
