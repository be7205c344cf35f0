// `provision flash`: an image onto a device, by esptool, at the offset that the partition table says; then compared.

import type { Command } from 'commander';
import { PROVISIONING_PARTITION_BYTES } from '../../../core/limits.ts';
import { commandText, ESPTOOL_HINT, esptoolCalls, findEsptool, runEsptool } from '../../provision/esptool.ts';
import { type PartitionEntry, readPartitionTable, TableProblem } from '../../provision/partition-table.ts';
import { type Io, printable, readText, UsageError } from '../io.ts';
import { jsonOption, wholeNumber } from '../option-values.ts';
import { imageProblems, readImageFile } from './images.ts';

/** What the partition is called in the project's tables. */
export const PARTITION_LABEL = 'mpcp_prov';

interface FlashOptions {
  readonly port: string;
  readonly table: string;
  readonly label: string;
  readonly baud?: number;
  readonly chip?: string;
  readonly dryRun?: boolean;
}

/** Adds `flash`. */
export function addFlash(command: Command, io: Io): void {
  jsonOption(
    command
      .description(
        'Write an image to a device with esptool, and compare what is on it then; exit code 1 where that fails.',
      )
      .argument('<file>', 'provisioning image')
      .requiredOption('--port <port>', 'serial port, e.g. /dev/ttyUSB0 or COM3')
      .requiredOption('--table <file>', 'partition table of the firmware (CSV): where the image goes')
      .option('--label <name>', 'name of the partition in it', PARTITION_LABEL)
      .option('--baud <n>', 'bits per second (default: esptool’s)', wholeNumber(1, 4_000_000))
      .option('--chip <name>', 'e.g. esp32c3 (default: esptool finds out)')
      .option('--dry-run', 'only say which commands would be run'),
  )
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded provision flash images/charger-0001.img --port /dev/ttyUSB0 --table partitions.csv',
    )
    .action((image: string, options: FlashOptions) => flash(io, image, options));
}

function flash(io: Io, image: string, { port, table, label, baud, chip, dryRun }: FlashOptions): void {
  const [problem] = imageProblems(readImageFile(image));
  if (problem !== undefined) throw new UsageError(`${image}: ${problem}`);
  const { offset } = partitionFor(table, label);
  const calls = esptoolCalls({ image, port, offset, baud, chip });
  const esptool = findEsptool();
  const commands = calls.map((words) => [...(esptool ?? ['esptool']), ...words]);
  const document = { offset: `0x${offset.toString(16)}`, port, commands };
  if (dryRun === true) {
    io.result({ ok: true, dryRun: true, ...document }, commands.map(commandText).join('\n'));
    if (esptool === undefined) io.note(ESPTOOL_HINT);
    return;
  }
  if (esptool === undefined) throw new UsageError(ESPTOOL_HINT);
  const [write, verify] = calls as [readonly string[], readonly string[]];
  const say = (line: string) => io.note(printable(line));
  const failed = runEsptool(esptool, write, say);
  const differs = failed === undefined ? runEsptool(esptool, verify, say) : undefined;
  const ok = failed === undefined && differs === undefined;
  const text =
    failed !== undefined
      ? `not written: ${failed}`
      : differs !== undefined
        ? `written, and what is on the device is not the image: ${differs}`
        : `written at ${document.offset}, and compared`;
  io.result({ ok, ...document, ...(ok ? {} : { detail: text }) }, printable(text));
  if (!ok) io.fail();
}

function partitionFor(table: string, label: string): PartitionEntry {
  const text = readText(table, '--table');
  let entries: readonly PartitionEntry[];
  try {
    entries = readPartitionTable(text);
  } catch (error) {
    if (error instanceof TableProblem) throw new UsageError(`--table: ${table}: ${error.message}`);
    throw error;
  }
  const entry = entries.find(({ name }) => name === label);
  if (entry === undefined) {
    const names = entries.map(({ name }) => name).join(', ');
    throw new UsageError(`--table: ${table}: there is no partition ${label}; there are ${names}`);
  }
  if (entry.size !== PROVISIONING_PARTITION_BYTES)
    throw new UsageError(
      `--table: ${table}, line ${entry.line}: ${label} has ${entry.size} bytes, an image ${PROVISIONING_PARTITION_BYTES}`,
    );
  return entry;
}
