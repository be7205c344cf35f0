// What the system says about files, in words: a code is no reason.

import { getSystemErrorMap } from 'node:util';

/** Words for what happens to files; for everything else the system has some. */
const REASONS: { readonly [code: string]: string } = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  EEXIST: 'it exists',
  ENOTDIR: 'a part of the path is not a folder',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left',
  EDQUOT: 'no space left for this user',
  EFBIG: 'the file would be too large',
  EIO: 'input/output error',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  EBUSY: 'it is in use',
  ETXTBSY: 'it is in use',
  ENXIO: 'no such device, or nobody at its other end',
  ENODEV: 'no such device',
  EPIPE: 'nobody reads it',
  ENOTEMPTY: 'the folder is not empty',
};

/** What the system says about a failed file operation, in words. */
export function systemReason(error: unknown): string {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && REASONS[code] !== undefined) return REASONS[code];
  // Node's own refusals, such as a zero byte in a name, have no number.
  const words = errno === undefined ? message : getSystemErrorMap().get(errno)?.[1];
  return words === undefined ? String(code ?? error) : words.charAt(0).toLowerCase() + words.slice(1);
}
