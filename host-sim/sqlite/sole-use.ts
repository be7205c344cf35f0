// A file that one process works on at a time. Whoever holds it is noted beside it, so that a note left behind by a process
// that was killed is told from one of a process that runs.

import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';

/** Another process works on the file. */
export class FileInUse extends Error {}

const TIMES = 100;

/**
 * Takes a file for this process, in which it can be taken once.
 *
 * @returns gives it back
 * @throws FileInUse where a running process has it, or the note can be neither read nor removed; what the file system says where the note cannot be made
 */
export function takeFile(path: string): () => void {
  const note = `${path}.owner`;
  const draft = `${note}.${process.pid}`;
  writeFileSync(draft, noteOf(process.pid));
  try {
    for (let times = 0; !placed(draft, note); times++) {
      // Whoever starts at the same moment may be before us a few times. A link or a folder of that name stays.
      if (times === TIMES)
        throw new FileInUse(`${path} may be in use: ${note} cannot be taken; if no program runs on it, remove that`);
      const held = textOf(note);
      if (held !== undefined) takeOver(path, note, held);
    }
  } finally {
    unlinkSync(draft);
  }
  return () => unlinkSync(note);
}

/** Puts the note in place with all that stands in it, or not at all. @returns false where there is one */
function placed(draft: string, note: string): boolean {
  try {
    linkSync(draft, note);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a note whose process is gone. */
function takeOver(path: string, note: string, held: string): void {
  const [pid = ''] = held.split(' ');
  if (runs(Number(pid), held))
    throw new FileInUse(`${path} is in use by process ${pid}; if that is another program, remove ${note}`);
  const removed = `${note}.${process.pid}.old`;
  try {
    renameSync(note, removed);
  } catch {
    return;
  }
  // Somebody may have taken the file meanwhile; then the note is theirs.
  if (textOf(removed) !== held) placed(removed, note);
  unlinkSync(removed);
}

function textOf(note: string): string | undefined {
  try {
    return readFileSync(note, 'utf8');
  } catch {
    return undefined;
  }
}

function runs(pid: number, held: string): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return noteOf(pid) === held;
}

/** A process: its number, and since numbers are given again, when it began, where the system tells that. */
function noteOf(pid: number): string {
  const began = textOf(`/proc/${pid}/stat`)?.replace(/^.*\)/s, '').split(' ')[20];
  return began === undefined ? String(pid) : `${pid} ${began}`;
}
