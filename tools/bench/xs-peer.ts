// The libraries that the benchmark compares with, as text of one function: a machine runs their modules in its own memory, where
// those of the core lie in flash and are never run.

import { join } from 'node:path';
import type { BuildOptions, BuildResult } from 'esbuild';
import { projectFolder } from '../../host-sim/xs/project.ts';

/** What programs/bench-peer.ts imports them by. */
export const PEER_LIBRARIES = './peer-libraries.ts';

/** The text of a module that stands for programs/peer-libraries.ts. */
export async function peerLibraries(): Promise<string> {
  // By a name that a bundler does not follow.
  const name = 'esbuild';
  const { build } = (await import(name)) as { build(options: BuildOptions): Promise<BuildResult> };
  const { outputFiles } = await build({
    entryPoints: [join(projectFolder(), 'host-sim', 'xs', 'programs', PEER_LIBRARIES)],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'libraries',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['import', 'module', 'default'],
    target: 'es2022',
  });
  return `export function loadLibraries() {\n${outputFiles?.[0]?.text ?? ''}\nreturn libraries.loadLibraries();\n}\n`;
}
