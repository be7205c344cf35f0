// Where the project and its caches are. The engine is built from sources of the project, which the package does not carry.

import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the engine cannot do here, in a sentence for whoever called. */
export class EngineProblem extends Error {
  override name = 'EngineProblem';
}

/** Something is missing on this machine: what needs it is skipped, by name, with the sentence that says what to install. */
export class EngineMissing extends EngineProblem {
  override name = 'EngineMissing';
}

/** The project's folder, from the sources as from what is built of them. @throws EngineProblem outside the repository */
export function projectFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'host-sim', 'xs', 'c', 'main.c'))) {
    const above = dirname(folder);
    if (above === folder) throw new EngineProblem('the engine is built from the repository, which is not here');
    folder = above;
  }
  return folder;
}

/**
 * A folder for what is fetched and built, made where there is none; MPCP_XS_CACHE says another.
 *
 * @throws EngineProblem where it cannot be made
 */
export function cacheFolder(...names: readonly string[]): string {
  const root = process.env.MPCP_XS_CACHE || join(projectFolder(), 'node_modules', '.cache', 'mpcp-embedded', 'xs');
  // Programs that write there are started in other folders.
  const folder = resolve(root, ...names);
  try {
    makeFolder(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new EngineProblem(`the cache's folder ${folder} cannot be made: ${code} (MPCP_XS_CACHE names another)`);
  }
  return folder;
}

/** As mkdir with `recursive`, which in Node 20 never ends where a file system takes no folders, such as /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another run may have been faster.
    if (!existsSync(path)) throw error;
  }
}
