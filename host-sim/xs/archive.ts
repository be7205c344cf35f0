// From a TypeScript entry to an archive of ES modules: one module for each file, as on a device, with what every import
// stands for. The format is read by c/modules.c.

import { readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import type { BuildOptions, BuildResult, Loader, Metafile, Plugin, TransformOptions } from 'esbuild';
import { EngineProblem, projectFolder } from './project.ts';

/** What an archive is made of. */
export interface ArchiveOptions {
  /** The module whose default export the machine calls, relative to the project's folder or absolute. */
  readonly entry: string;
  /** Modules to take in place of others: a package, or a file of the project, and a file of the project. */
  readonly replaced?: { readonly [specifier: string]: string };
  /** Text of modules that are no files, by the specifier they are imported with. */
  readonly generated?: { readonly [specifier: string]: string };
  /** Changes the text of a file of the project before it is read. The path is within the project. */
  readonly changed?: (path: string, text: string) => string;
}

/** What this project uses of esbuild: it is there where the sources are, and no part of the package. */
export interface Esbuild {
  build<Options extends BuildOptions>(options: Options): Promise<BuildResult<Options>>;
  transform(text: string, options: TransformOptions): Promise<{ code: string }>;
}

/** esbuild. */
export async function loadEsbuild(): Promise<Esbuild> {
  // By a name that a bundler does not follow.
  const name = 'esbuild';
  return (await import(name)) as Esbuild;
}

/** The newest language that the engine and the TypeScript compiler of the SDK share. */
export const LANGUAGE = 'es2022';
const GENERATED = 'generated';

/** The bytes of an archive. @throws EngineProblem where a module cannot be found or read */
export async function makeArchive(options: ArchiveOptions): Promise<Uint8Array> {
  const esbuild = await loadEsbuild();
  const metafile = await graphOf(esbuild, options);
  const entry = entryOf(metafile);
  const names = Object.keys(metafile.inputs).filter((input) => input !== entry);
  const parts: Uint8Array[] = [encoder.encode(`${names.length + 1}\n`)];
  for (const input of [...names, entry]) parts.push(...(await moduleOf(esbuild, metafile, input, options)));
  return Buffer.concat(parts);
}

const encoder = new TextEncoder();

async function graphOf(esbuild: Esbuild, options: ArchiveOptions): Promise<Metafile> {
  try {
    const { metafile } = await esbuild.build({
      absWorkingDir: projectFolder(),
      entryPoints: [options.entry],
      bundle: true,
      write: false,
      outdir: 'out',
      format: 'esm',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['import', 'module', 'default'],
      target: LANGUAGE,
      metafile: true,
      plugins: [replacing(options)],
      logLevel: 'silent',
    });
    return metafile;
  } catch (error) {
    throw new EngineProblem(`${options.entry} cannot be made into modules: ${reasonOf(error)}`);
  }
}

/** Why esbuild stopped: its first message. */
export function reasonOf(error: unknown): string {
  const first = (error as { errors?: readonly { text: string; location?: { file: string } | null }[] }).errors?.[0];
  return first === undefined ? (error as Error).message : [first.location?.file ?? [], first.text].flat().join(': ');
}

function replacing(options: ArchiveOptions): Plugin {
  const { replaced = {}, generated = {} } = options;
  return {
    name: 'replacing',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /.*/ }, ({ path, resolveDir }) => {
        if (generated[path] !== undefined) return { path, namespace: GENERATED };
        const file = replaced[path.startsWith('.') ? relative(projectFolder(), join(resolveDir, path)) : path];
        return file === undefined ? undefined : { path: join(projectFolder(), file) };
      });
      onLoad({ filter: /.*/, namespace: GENERATED }, ({ path }) => ({
        contents: generated[path] as string,
        loader: 'ts',
        resolveDir: projectFolder(),
      }));
      onLoad({ filter: /\.ts$/ }, ({ path }) => ({
        contents: textOf(relative(projectFolder(), path), options),
        loader: 'ts',
      }));
    },
  };
}

/** A module's text: of a file within the project, or generated. */
function textOf(input: string, { generated = {}, changed }: ArchiveOptions): string {
  if (input.startsWith(`${GENERATED}:`)) return generated[input.slice(GENERATED.length + 1)] as string;
  const text = readFileSync(join(projectFolder(), input), 'utf8');
  return changed === undefined || !input.endsWith('.ts') ? text : changed(input, text);
}

function entryOf(metafile: Metafile): string {
  const entry = Object.values(metafile.outputs).find((output) => output.entryPoint !== undefined)?.entryPoint;
  return entry as string;
}

async function moduleOf(
  esbuild: Esbuild,
  metafile: Metafile,
  input: string,
  options: ArchiveOptions,
): Promise<readonly Uint8Array[]> {
  const { imports, format } = metafile.inputs[input] as Metafile['inputs'][string];
  if (format === 'cjs') throw new EngineProblem(`${input} is not an ES module`);
  const external = imports.find((one) => one.external === true);
  if (external !== undefined)
    throw new EngineProblem(`${input} imports ${external.path}, which the engine does not have`);
  const text = textOf(input, options);
  const loader: Loader = /\.[mc]?ts$/.test(input) || input.startsWith(`${GENERATED}:`) ? 'ts' : loaderOf(input);
  const { code } = await esbuild.transform(text, { loader, format: 'esm', target: LANGUAGE, charset: 'utf8' });
  const source = encoder.encode(code);
  const list = imports.map((one) => `${one.original ?? one.path} ${one.path}\n`).join('');
  return [encoder.encode(`${input} ${imports.length} ${source.length}\n${list}`), source, encoder.encode('\n')];
}

function loaderOf(input: string): Loader {
  return extname(input) === '.json' ? 'json' : 'js';
}
