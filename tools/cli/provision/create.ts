// `provision create`: a fleet file and a policy file into a folder with an image for each device, and a manifest.

import { basename } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { PROVISIONING_PARTITION_BYTES } from '../../../core/limits.ts';
import { LAST_COUNTER } from '../../../core/provisioning/partition.ts';
import { imageOf } from '../../../host-sim/provisioning/image.ts';
import { BOARDS, type Board } from '../../provision/board-pins.ts';
import { type FleetDevice, fleetDevices } from '../../provision/fleet.ts';
import { readFleet } from '../../provision/fleet-file.ts';
import { checkFolder, ImageFolder } from '../../provision/image-folder.ts';
import { MANIFEST_FILE, type ManifestImage, manifestOf, manifestText, sha256Hex } from '../../provision/manifest.ts';
import { type FleetTerms, readPolicy } from '../../provision/policy-file.ts';
import { type InputProblem, problemText } from '../../provision/problems.ts';
import { countText } from '../image-output.ts';
import { type Io, printable, readText, UsageError } from '../io.ts';
import { jsonOption, timeValue, wholeNumber } from '../option-values.ts';
import { withProgress } from './progress.ts';

interface CreateOptions {
  readonly out: string;
  readonly board?: Board;
  readonly counter: number;
  readonly madeAt?: number;
  readonly now?: number;
  readonly uncheckedAddresses?: boolean;
}

/** Adds `create`. */
export function addCreate(command: Command, io: Io): void {
  jsonOption(
    command
      .description('Make an image for every device of a fleet, and a manifest with their digests; all of them or none.')
      .argument('<fleet-file>', 'a device a line: CSV with a line of names, or lines of JSON')
      .argument('<policy-file>', 'what they have in common: JSON')
      .requiredOption('--out <dir>', 'folder for the images; it must be empty, or not there')
      .option(
        '--board <board>',
        `${BOARDS.join(', ')}: refuse pins that the chip has not, or that have another use on it`,
        boardValue,
      )
      .option(
        '--counter <n>',
        'number of the images: a device takes no lower one later',
        wholeNumber(1, LAST_COUNTER),
        1,
      )
      .option('--made-at <time>', 'the time that images say they were made at (default: they say none)', timeValue)
      .option('--now <time>', 'by which bundles and the certificate are judged (default: the time)', timeValue)
      .option('--unchecked-addresses', 'take any text as an address, for test values'),
  )
    .addHelpText(
      'after',
      '\nThe columns and the policy file: docs/MANUFACTURE.md.\nExample: mpcp-embedded provision create fleet.csv policy.json --board esp32 --out images',
    )
    .action((fleet: string, policy: string, options: CreateOptions) => create(io, fleet, policy, options));
}

/** A board, as it is called or as the SDK's `-p` has it: `esp32/esp32c3`. */
function boardValue(text: string): Board {
  const board = BOARDS.find((name) => text === name || (name !== 'esp32' && text === `esp32/${name}`));
  if (board === undefined) throw new InvalidArgumentError(`There are ${BOARDS.join(', ')}.`);
  return board;
}

function create(io: Io, fleetPath: string, policyPath: string, options: CreateOptions): void {
  checkFolder(options.out);
  const nowMs = options.now ?? Date.now();
  const problems: InputProblem[] = [];
  const text = readText(fleetPath, 'fleet');
  const fleet = readFleet(fleetPath, text);
  problems.push(...fleet.problems);
  const policy = readPolicy(policyPath, nowMs, problems, options.board);
  const devices = fleetDevices(
    fleetPath,
    fleet.rows,
    policy,
    {
      counter: options.counter,
      board: options.board,
      madeAt: options.madeAt === undefined ? undefined : Math.floor(options.madeAt / 1000),
      rules: { nowMs, allowPast: false, checkAddresses: options.uncheckedAddresses !== true },
    },
    problems,
  );
  const { terms } = policy;
  if (problems.length > 0 || terms === undefined) throw refusal(io, problems);
  const started = performance.now();
  const input = { role: 'fleet', file: basename(fleetPath), bytes: Buffer.from(text) };
  const images = written(io, devices, { ...terms, inputs: [input, ...terms.inputs] }, options);
  if (options.board === undefined && devices.some(({ document }) => document.wiring !== undefined))
    io.note(`pins were not checked against a chip: --board ${BOARDS.join(', ')} does that`);
  const seconds = (performance.now() - started) / 1000;
  const bytes = images.length * PROVISIONING_PARTITION_BYTES;
  io.result(
    { ok: true, images: images.length, counter: options.counter, bytes, out: options.out },
    `${countText(images.length, 'image')} with counter ${options.counter} in ${options.out}, ${(bytes / 1e6).toFixed(1)} MB, ${seconds.toFixed(1)} s`,
  );
}

/** Writes the images and their manifest, all or none. */
function written(
  io: Io,
  devices: readonly FleetDevice[],
  { inputs }: Pick<FleetTerms, 'inputs'>,
  { out, counter }: CreateOptions,
): readonly ManifestImage[] {
  const folder = new ImageFolder(out);
  const images: ManifestImage[] = [];
  try {
    withProgress(io, 'images', devices, ({ deviceId, document }) => {
      const image = imageOf(document, counter);
      const file = `${deviceId}.img`;
      folder.write(file, image);
      images.push({ file, deviceId, sha256: sha256Hex(image) });
    });
    folder.write(MANIFEST_FILE, manifestText(manifestOf(counter, inputs, images)));
    folder.finish();
  } catch (error) {
    folder.discard();
    throw error;
  }
  return images;
}

/** Tells every finding, and what that comes to in one line. */
function refusal(io: Io, problems: readonly InputProblem[]): UsageError {
  const sorted = [...problems].sort((a, b) => (a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : 0));
  if (problems.length > 1) for (const problem of sorted) io.note(printable(problemText(problem)));
  const [only] = sorted;
  return new UsageError(
    problems.length === 1 && only !== undefined
      ? `${problemText(only)}; nothing was written`
      : `${problems.length} findings, nothing was written`,
  );
}
