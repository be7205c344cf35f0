// Writing an image to a device: esptool (Espressif's, which is installed apart) at the partition's offset, and then once more
// to compare what is on the device with the file.

import { spawnSync } from 'node:child_process';

/** How esptool is called where it is installed, the usual first: newer ones are `esptool`, older ones `esptool.py`. */
const CALLS: readonly (readonly string[])[] = [['esptool'], ['esptool.py'], ['python3', '-m', 'esptool']];

/** How to get it. */
export const ESPTOOL_HINT = 'esptool is not installed: `pipx install esptool` (or `pip install esptool`) gets it';

/** A write that is to be made. */
export interface FlashOrder {
  readonly image: string;
  readonly port: string;
  readonly offset: number;
  readonly baud: number | undefined;
  /** E.g. `esp32c3`; left out, esptool finds out. */
  readonly chip: string | undefined;
}

/** The two calls: write, then compare. Each is a program's words without the program. */
export function esptoolCalls({ image, port, offset, baud, chip }: FlashOrder): readonly (readonly string[])[] {
  const common = [
    ...(chip === undefined ? [] : ['--chip', chip]),
    ...['--port', port],
    ...(baud === undefined ? [] : ['--baud', String(baud)]),
  ];
  const at = `0x${offset.toString(16)}`;
  return [
    [...common, 'write_flash', at, image],
    [...common, 'verify_flash', at, image],
  ];
}

/** The words that call esptool on this machine; undefined where it is not installed. */
export function findEsptool(): readonly string[] | undefined {
  return CALLS.find(([program, ...words]) => {
    const { status, error } = spawnSync(program as string, [...words, 'version'], { stdio: 'ignore' });
    return error === undefined && status === 0;
  });
}

/** Runs a call. @returns undefined where it went through, else its last line */
export function runEsptool(
  esptool: readonly string[],
  words: readonly string[],
  say: (text: string) => void,
): string | undefined {
  const [program, ...first] = esptool as readonly [string, ...string[]];
  const { status, stdout, stderr, error } = spawnSync(program, [...first, ...words], { encoding: 'utf8' });
  const lines = `${stdout ?? ''}\n${stderr ?? ''}`.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  for (const line of lines) say(line);
  if (error === undefined && status === 0) return undefined;
  return lines.at(-1) ?? error?.message ?? `exit ${status}`;
}

/** A command as it is typed. */
export function commandText(words: readonly string[]): string {
  return words.map((word) => (/^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
