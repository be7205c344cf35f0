// The streams of the process. Node writes on its own time and tells of a failure later, so the end of a run waits for
// both, and what could not be written to stdout is no success.

import { fstatSync, statSync } from 'node:fs';
import type { Channels } from './io.ts';

/** The process's own streams. One is made in a run. */
export class ProcessStreams implements Channels {
  #failure: NodeJS.ErrnoException | undefined;

  /** @param readerLeft ends the program where whoever reads stdout has had enough (`| head`), which is no failure */
  constructor(readerLeft: () => void) {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') readerLeft();
      this.#failure ??= error;
    });
    // There is nowhere to tell that nothing can be told; the exit code stands.
    process.stderr.on('error', () => {});
  }

  readonly stdout = (text: string): void => {
    process.stdout.write(text);
  };

  readonly stderr = (text: string): void => {
    process.stderr.write(text);
  };

  get terminal(): NodeJS.WriteStream | undefined {
    return process.stderr.isTTY ? process.stderr : undefined;
  }

  /** True for the null device, which Node also puts in the place of a closed stdout: the two cannot be told apart. */
  get lost(): boolean {
    try {
      const stdout = fstatSync(1);
      return stdout.isCharacterDevice() && stdout.rdev === statSync('/dev/null').rdev;
    } catch {
      return false;
    }
  }

  /** Waits until all of stdout is written. @returns why some of it is not */
  async written(): Promise<Error | undefined> {
    const failure = await new Promise<Error | null | undefined>((done) => process.stdout.write('', done));
    return this.#failure ?? failure ?? undefined;
  }
}
