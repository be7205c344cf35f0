// All that a device imports of the core, and nothing else: for the size of an image. `host` is the runner's and counts with the
// built-ins.

import * as core from '../../../core/index.ts';

export default function main(): void {
  if (core.Verifier === undefined) throw new Error('the core is not there');
}
