// What stands for 'node:fs', 'node:path', 'node:url' and 'node:os' inside XS: files can be read, and that is all. Public test
// data outside the repository is not there, so its tests are skipped, as where Node does not find it.

import '../../host-sim/xs/programs/host.ts';
import { Skip } from './vitest.ts';

type Path = string | { readonly pathname: string };

const nameOf = (path: Path): string => (typeof path === 'string' ? path : path.pathname);

export function readFileSync(path: Path, encoding?: unknown): string | Uint8Array {
  const name = nameOf(path);
  if (encoding !== undefined) return host.readText(name, 0, host.fileSize(name));
  return new Uint8Array(host.readFile(name));
}

export const existsSync = (): boolean => false;
export const join = (...parts: readonly string[]): string => parts.join('/');
export const dirname = (path: string): string => path.slice(0, path.lastIndexOf('/'));
export const fileURLToPath = (url: Path): string => nameOf(url).replace('file://', '');
export const tmpdir = (): string => '/tmp';

function missing(name: string) {
  return (): never => {
    throw new Skip(`${name} of node:fs`);
  };
}

export const readdirSync = missing('readdirSync');
export const writeFileSync = missing('writeFileSync');
export const closeSync = missing('closeSync');
export const fsyncSync = missing('fsyncSync');
export const fstatSync = missing('fstatSync');
export const ftruncateSync = missing('ftruncateSync');
export const openSync = missing('openSync');
export const readSync = missing('readSync');
export const renameSync = missing('renameSync');
export const rmSync = missing('rmSync');
export const mkdtempSync = missing('mkdtempSync');
export const writeSync = missing('writeSync');
