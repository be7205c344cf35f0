// What memory the samples have: their manifests say it, for the SDK as for runs inside XS.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WiringKind } from '../../core/provisioning/provisioning.ts';
import { EngineProblem, projectFolder } from './project.ts';
import type { MachineMemory } from './runner.ts';

const BOARD = 'esp32';
const SLOT_BYTES = 16;
/** Tables of names, and what the engine takes for itself of each heap. */
const TABLES_BYTES = 8192;

interface Creation {
  readonly chunk?: { readonly initial: number };
  readonly heap?: { readonly initial: number };
  readonly stack?: number;
  readonly keys?: { readonly initial: number; readonly incremental: number };
}

interface Manifest {
  readonly platforms: {
    readonly [board: string]: { readonly build?: { readonly PARTITIONS_FILE: string }; readonly creation?: Creation };
  };
}

/** What a manifest says for the board with the least memory. @param name of its file */
export function manifest(name: string): Manifest['platforms'][string] {
  const text = readFileSync(join(projectFolder(), 'manifests', name), 'utf8');
  return (JSON.parse(text) as Manifest).platforms[BOARD] ?? {};
}

/** The memory that a sample's manifest gives to its machine on the smallest board. */
export function sampleMemory(kind: WiringKind): MachineMemory {
  const { chunk, heap, stack, keys } = {
    ...manifest('device.json').creation,
    ...manifest(`${kind}/manifest.json`).creation,
  };
  if (chunk === undefined || heap === undefined || stack === undefined || keys === undefined)
    throw new EngineProblem(`the manifests do not say what memory a ${kind} has`);
  return {
    arena: chunk.initial + SLOT_BYTES * (heap.initial + stack) + TABLES_BYTES,
    chunks: chunk.initial,
    chunksMore: 0,
    slots: heap.initial,
    slotsMore: 0,
    stack,
    keys: keys.initial,
    keysMore: keys.incremental,
  };
}
