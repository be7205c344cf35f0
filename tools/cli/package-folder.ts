// Where the project's own files are, for commands that come with some: templates of bundles, scenarios.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './io.ts';

/** Where the project is, run from its sources or from dist/. @throws UsageError where only a part of it was installed */
export function packageFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (
      existsSync(manifest) &&
      (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === 'mpcp-embedded'
    )
      return folder;
    if (dirname(folder) === folder) throw new UsageError('what belongs to this program is not where it was installed');
  }
}
