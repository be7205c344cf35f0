// `provision rotate`: new root keys beside old ones, old ones removed, in an image or in a folder of them. What there was stays
// as it is; what is new has the next counter.

import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { checkFolder, ImageFolder } from '../../provision/image-folder.ts';
import { MANIFEST_FILE, type ManifestImage, manifestOf, manifestText, sha256Hex } from '../../provision/manifest.ts';
import { nameOf, type Rotation, rotated } from '../../provision/rotation.ts';
import { found } from '../file-paths.ts';
import { countText } from '../image-output.ts';
import { type Io, printable, readInput, UsageError } from '../io.ts';
import { readRootKeyFile } from '../key-file.ts';
import { collected, jsonOption, kidValue, plain } from '../option-values.ts';
import { writeFiles } from '../output-file.ts';
import { readImageFile } from './images.ts';
import { withProgress } from './progress.ts';
import { manifestAt } from './verify.ts';

interface RotateOptions {
  readonly addRoot?: readonly string[];
  readonly removeRoot?: readonly string[];
  readonly out: string;
}

/** Adds `rotate`. */
export function addRotate(command: Command, io: Io): void {
  jsonOption(
    command
      .description(
        'Add and remove root keys in an image, or in all images of a folder; their counter goes up by one, by two where an image has its key fetched.',
      )
      .argument('<path>', 'an image, or a folder with images and their manifest; it stays as it is')
      .option('--add-root <file>', 'public root key that is trusted too (repeatable)', collected(plain))
      .option(
        '--remove-root <kid>',
        'root key that is trusted no more: its kid or its thumbprint (repeatable)',
        collected(kidValue),
      )
      .requiredOption('--out <path>', 'the new image, or an empty folder for the new images'),
  )
    .addHelpText(
      'after',
      '\nFirst add the new key and wait until every device has it; then have bundles signed with it; then remove the old one.' +
        '\nExample: mpcp-embedded provision rotate images --add-root root-2027.pub.jwk --out images-both' +
        '\nThen:    mpcp-embedded provision rotate images-both --remove-root root-2026 --out images-2027',
    )
    .action((path: string, options: RotateOptions) => {
      const { addRoot = [], removeRoot = [], out } = options;
      if (addRoot.length + removeRoot.length === 0)
        throw new UsageError('nothing is to change: --add-root or --remove-root says what');
      const add = addRoot.map((file) => {
        const key = readRootKeyFile(file, '--add-root');
        if (key.kid === undefined)
          throw new UsageError(`--add-root: ${file}: the key has no kid, which bundles name it by; a JWK has one`);
        return key;
      });
      const rotation = { add, remove: removeRoot };
      if (found(path, statSync)?.isDirectory()) rotateFolder(io, path, out, rotation);
      else rotateFile(io, path, out, rotation);
    });
}

function rotateFile(io: Io, path: string, out: string, rotation: Rotation): void {
  const changed = rotated(readImageFile(path), rotation);
  if (typeof changed === 'string') throw new UsageError(`${path}: ${changed}`);
  const { provisioning, image } = changed;
  writeFiles([{ path: out, text: image, mode: 0o600 }]);
  const rootKeys = (provisioning.site.rootKeys ?? []).map(nameOf);
  io.result(
    { ok: true, counter: provisioning.counter, rootKeys, out },
    `${out}: counter ${provisioning.counter}, root keys ${rootKeys.join(', ')}`,
  );
}

function rotateFolder(io: Io, path: string, out: string, rotation: Rotation): void {
  checkFolder(out);
  const manifestPath = join(path, MANIFEST_FILE);
  const manifest = manifestAt(manifestPath);
  const input = { role: 'rotated', file: basename(manifestPath), bytes: readInput(manifestPath, 'manifest') };
  const problems: string[] = [];
  const images: ManifestImage[] = [];
  let counter = 0;
  const folder = new ImageFolder(out);
  try {
    withProgress(io, 'rotated', manifest.images, ({ file, deviceId, sha256 }) => {
      const old = readImageFile(join(path, file));
      if (sha256Hex(old) !== sha256) {
        problems.push(`${file}: it is not the one that the manifest was made for`);
        return;
      }
      const changed = rotated(old, rotation);
      if (typeof changed === 'string') {
        problems.push(`${file}: ${changed}`);
        return;
      }
      counter = Math.max(counter, changed.provisioning.counter);
      folder.write(file, changed.image);
      images.push({ file, deviceId, sha256: sha256Hex(changed.image) });
    });
    if (problems.length > 0)
      throw new UsageError(`${path}: ${countText(problems.length, 'image')} cannot be rotated, nothing was written`);
    folder.write(MANIFEST_FILE, manifestText(manifestOf(counter, [input], images)));
    folder.finish();
  } catch (error) {
    folder.discard();
    for (const problem of problems) io.note(printable(problem));
    throw error;
  }
  io.result(
    { ok: true, images: images.length, counter, out },
    `${countText(images.length, 'image')} with counter ${counter} in ${out}`,
  );
}
