// From a TypeScript entry to an archive of ES modules: one module for each file, as on a device, with what every import
// stands for. The format is read by c/modules.c.

import { readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import type { BuildOptions, BuildResult, Loader, Message, Metafile, Plugin, TransformOptions } from 'esbuild';
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

/** esbuild. @throws EngineProblem where it is not installed */
export async function loadEsbuild(): Promise<Esbuild> {
  // Where there is no repository, that is the reason.
  projectFolder();
  // By a name that a bundler does not follow.
  const name = 'esbuild';
  try {
    return (await import(name)) as Esbuild;
  } catch {
    throw new EngineProblem('esbuild, which makes modules of TypeScript, is not installed: npm ci');
  }
}

/** The newest language that the engine and the TypeScript compiler of the SDK share. */
export const LANGUAGE = 'es2022';
const GENERATED = 'generated';

/** The bytes of an archive. @throws EngineProblem where a module cannot be found or read */
export async function makeArchive(options: ArchiveOptions): Promise<Uint8Array> {
  const esbuild = await loadEsbuild();
  const metafile = await graphOf(esbuild, options);
  const entry = entryOf(metafile);
  checkEntry(metafile, entry, options);
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
      // The linker runs every module body while it makes an image: none can wait.
      supported: { 'top-level-await': false },
      logLevel: 'silent',
    });
    return metafile;
  } catch (error) {
    throw new EngineProblem(`${options.entry} cannot be made into modules: ${reasonOf(error)}`);
  }
}

/** Why esbuild stopped: its first message. */
export function reasonOf(error: unknown): string {
  const first = (error as { errors?: readonly Message[] }).errors?.[0];
  if (first === undefined) return (error as Error).message;
  const { location, text } = first;
  return location === null ? text : `${location.file}:${location.line}: ${text}`;
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
        loader: generatedLoader(path),
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

/** What is called must be there before an engine is built for it; whether it is a function shows when it has run. */
function checkEntry(metafile: Metafile, entry: string, options: ArchiveOptions): void {
  const output = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint === entry);
  const isModule = metafile.inputs[entry]?.format !== 'cjs';
  if (isModule && output?.exports.includes('default') !== true)
    throw new EngineProblem(`${options.entry} exports no function: its default export is what the engine calls`);
}

async function moduleOf(
  esbuild: Esbuild,
  metafile: Metafile,
  input: string,
  options: ArchiveOptions,
): Promise<readonly Uint8Array[]> {
  const { imports, format } = metafile.inputs[input] as Metafile['inputs'][string];
  const unfit = [input, ...imports.flatMap(({ original = '', path }) => [original, path])].find((name) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those that stand between names in an archive
    /[\u0000\t\n\r]/.test(name),
  );
  if (unfit !== undefined)
    throw new EngineProblem(`${JSON.stringify(unfit)}: a name with a tab or a line break cannot be a module's`);
  if (format === 'cjs') throw new EngineProblem(`${input} is not an ES module`);
  const external = imports.find((one) => one.external === true);
  if (external !== undefined)
    throw new EngineProblem(`${input} imports ${external.path}, which the engine does not have`);
  const text = textOf(input, options);
  const loader = input.startsWith(`${GENERATED}:`) ? generatedLoader(input) : loaderOf(input);
  const { code } = await esbuild.transform(text, { loader, format: 'esm', target: LANGUAGE, charset: 'utf8' });
  const source = encoder.encode(code);
  const list = imports.map((one) => `${one.original ?? one.path}\t${one.path}\n`).join('');
  return [encoder.encode(`${input}\t${imports.length}\t${source.length}\n${list}`), source, encoder.encode('\n')];
}

/** What is no TypeScript by its name keeps its imports, also those that it does not use. */
function generatedLoader(name: string): Loader {
  return name.endsWith('.js') ? 'js' : 'ts';
}

const LOADERS: { readonly [extension: string]: Loader } = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.json': 'json',
};

function loaderOf(input: string): Loader {
  const loader = LOADERS[extname(input)];
  if (loader === undefined) throw new EngineProblem(`${input} is no TypeScript, JavaScript or JSON by its name`);
  return loader;
}
