// The licences of the libraries that a bundle contains, as one text: most of them ask that their notice goes along.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {readonly string[]} inputs paths of what was bundled, from `root` on
 * @param {string} root
 */
export function licencesOf(inputs, root) {
  const folders = new Set(inputs.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]));
  folders.delete(undefined);
  const notices = [...folders].sort().map((folder) => noticeOf(join(root, folder)));
  return `dist/cli.js, dist/wallet.js and the files that they load contain these libraries.\n\n${notices.join('\n')}`;
}

function noticeOf(folder) {
  const { name, version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (typeof license !== 'string') throw new Error(`${name} does not say under which licence it is`);
  const found = readdirSync(folder, { withFileTypes: true }).filter(({ name: of }) =>
    /^(licen[cs]e|notice|copying)/i.test(of),
  );
  // Some have a folder of those whose code they contain.
  const files = found.flatMap((one) =>
    one.isDirectory() ? readdirSync(join(folder, one.name)).map((file) => join(one.name, file)) : [one.name],
  );
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  const untold = `By ${author?.name ?? author ?? 'its authors'}; it comes without the text of its licence.`;
  return `== ${name} ${version}: ${license}\n\n${texts.join('\n\n') || untold}\n`;
}
