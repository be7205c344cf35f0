// Where public test data lies (Wycheproof, ed25519-speccheck and others). It is not part of the repository: a suite that
// needs it asks here, and is skipped by name where it is absent.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The path of a folder of third-party data, or undefined where it is not on this machine.
 *
 * @param folder below `third-party/`, such as `wycheproof`
 */
export function thirdParty(folder: string): string | undefined {
  // An empty MPCP_VECTORS_DIR counts as none.
  const vectors = process.env.MPCP_VECTORS_DIR || join(PROJECT, '..', 'shared', 'vectors');
  const path = join(vectors, 'third-party', folder);
  if (existsSync(path)) return path;
  console.warn(`skipped: no third-party data at ${path} (MPCP_VECTORS_DIR names the folder that holds third-party/)`);
  return undefined;
}
