// What a sample's image has in flash beside engine and SDK, part by part, and the verifier alone; and what each may have at most.

import { EngineProblem } from '../../host-sim/xs/project.ts';
import type { ImageFigures } from '../../host-sim/xs/runner.ts';
import { DEVICE_ENTRIES, type Variant } from '../build/device-modules.ts';

/** An image that is counted. */
export interface ImageDefinition {
  readonly id: 'device' | 'native' | 'verifier';
  readonly title: string;
  /** Of a firmware in device/, or a program in host-sim/xs/programs. */
  readonly entry: string;
  /** A firmware's; undefined for a program. */
  readonly variant?: Variant;
  /** Bytes at most. */
  readonly budget: number;
}

const CHARGER = DEVICE_ENTRIES.charger as string;

/** Each may have what it took when this was written and 3 % more: ENGINE says why it is not the design's aim. */
export const IMAGES: readonly ImageDefinition[] = [
  { id: 'device', title: 'charger, Ed25519 in TypeScript', entry: CHARGER, variant: 'own', budget: 590_000 },
  { id: 'native', title: 'charger, native Ed25519', entry: CHARGER, variant: 'native', budget: 539_000 },
  {
    id: 'verifier',
    title: 'the verifier alone, native crypto',
    entry: 'host-sim/xs/programs/image-verifier.ts',
    budget: 225_000,
  },
];

/** Bytes that the design wants for all of a device: core and device code, without engine and SDK. */
export const IMAGE_AIM = 120 * 1024;

/** An image, in bytes: what the core adds to the built-ins. */
export interface ImageSize {
  readonly id: ImageDefinition['id'];
  readonly title: string;
  /** Byte code of functions, with the texts in it. */
  readonly code: number;
  /** Slots of functions, and of what they refer to. */
  readonly functions: number;
  readonly closures: number;
  /** Slots of arrays' items. */
  readonly arrays: number;
  /** All other slots: objects, classes, variables. */
  readonly objects: number;
  /** Slots and tables of names. */
  readonly names: number;
  /** Names and strings as such, each once. */
  readonly texts: number;
  /** BigInts and bytes. */
  readonly constants: number;
  readonly total: number;
  readonly budget: number;
  readonly aim: number;
}

/** What a run's figures come to. @throws EngineProblem where it has none */
export function imageSize({ id, title, budget }: ImageDefinition, image: readonly ImageFigures[]): ImageSize {
  const [without, all] = ['built-ins', 'with modules'].map((label) => image.find((one) => one.label === label));
  if (without === undefined || all === undefined) throw new EngineProblem('a run has no figures of its image');
  const added = (part: Exclude<keyof ImageFigures, 'label'>) => all[part] - without[part];
  const [code, functions, closures, arrays] = [added('code'), added('functions'), added('closures'), added('arrays')];
  const objects = added('slots') - functions - closures - arrays - added('names');
  const names = added('names') + added('tables');
  const [texts, constants] = [added('texts'), added('constants')];
  const parts = { code, functions, closures, arrays, objects, names, texts, constants };
  const total = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  return { id, title, ...parts, total, budget, aim: IMAGE_AIM };
}

/** Images that are over their budgets, in words. */
export function imagesOver(images: readonly ImageSize[]): readonly string[] {
  return images.flatMap(({ id, total, budget }) =>
    total > budget ? [`the image "${id}" has ${total} bytes of ${budget}`] : [],
  );
}
