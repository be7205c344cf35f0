// The libraries that a program on Node would take, measured in the same engine on the same input: @noble/ed25519 with the
// hashes of @noble/hashes. They need more memory than a device has.

import './host.ts';
import { encodeUtf8 } from '../../../core/encoding/utf8.ts';
import { fromHex } from '../../../core/hash/hex.ts';
import type { FloorInput } from '../bench-input.ts';
import { partData } from './bench-device.ts';
import { measured, type Work } from './bench-measure.ts';
import { loadLibraries } from './peer-libraries.ts';

type Libraries = ReturnType<typeof loadLibraries>;

const HASHED_BYTES = 1024;

/** Words: as for bench.ts, of which the task counts. */
export default function main(): void {
  const task = host.argument(0) as string;
  measured(taskNamed(task));
}

function taskNamed(name: string): Work {
  const libraries = loadLibraries();
  const bytes = new Uint8Array(HASHED_BYTES);
  switch (name) {
    case 'sha256':
      return () => `${libraries.sha256(bytes).length}`;
    case 'sha512':
      return () => `${libraries.sha512(bytes).length}`;
    case 'verifyFirst':
      return verification(libraries);
    case 'verify': {
      const work = verification(libraries);
      work();
      return work;
    }
    default:
      throw new Error(`there is no task ${name}`);
  }
}

function verification({ hashes, verify, sha256, sha512 }: Libraries): Work {
  const { text, key, signature } = partData<FloorInput>('floor').signed[1] as FloorInput['signed'][number];
  const digest = sha256(encodeUtf8(text) as Uint8Array);
  const publicKey = fromHex(key) as Uint8Array;
  const bytes = fromHex(signature) as Uint8Array;
  hashes.sha512 = sha512;
  return () => (verify(bytes, digest, publicKey, { zip215: false }) ? 'ok' : 'refused');
}
