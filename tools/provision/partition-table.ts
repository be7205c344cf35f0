// A partition table as ESP-IDF has it (CSV): where a partition lies in flash. Offsets that are left out are worked out as
// gen_esp32part.py does.

/** One partition, in bytes. */
export interface PartitionEntry {
  readonly name: string;
  readonly type: string;
  readonly subtype: string;
  readonly offset: number;
  readonly size: number;
  readonly line: number;
}

/** Something in a table that cannot be read. */
export class TableProblem extends Error {}

/** Behind the bootloader and the table itself, which lie at 0x8000. */
const FIRST_OFFSET = 0x9000;
const APP_ALIGNMENT = 0x10000;
const DATA_ALIGNMENT = 0x1000;

/** Reads a table. @throws TableProblem that names the line */
export function readPartitionTable(text: string): readonly PartitionEntry[] {
  const entries: PartitionEntry[] = [];
  let next = FIRST_OFFSET;
  text.split('\n').forEach((content, i) => {
    const line = i + 1;
    const cut = content.replace(/#.*$/, '').trim();
    if (cut === '') return;
    const [name = '', type = '', subtype = '', offset = '', size = ''] = cut.split(',').map((cell) => cell.trim());
    if (name === '' || type === '') throw new TableProblem(`line ${line}: a partition has a name and a type`);
    const alignment = type === 'app' || type === '0' || type === '0x00' ? APP_ALIGNMENT : DATA_ALIGNMENT;
    const start = offset === '' ? Math.ceil(next / alignment) * alignment : numberOf(offset, 'offset', line);
    if (start % DATA_ALIGNMENT !== 0)
      throw new TableProblem(`line ${line}: offset ${offset} is not a whole block of 0x1000`);
    if (start < next) throw new TableProblem(`line ${line}: ${name} begins before the partition above it ends`);
    const length = numberOf(size, 'size', line);
    entries.push({ name, type, subtype, offset: start, size: length, line });
    next = start + length;
  });
  if (entries.length === 0) throw new TableProblem('it has no partition');
  return entries;
}

/** `0x9000`, `24576`, `24K`, `1M`. */
function numberOf(text: string, what: string, line: number): number {
  const found = /^(0x[0-9a-f]+|[0-9]+)([km]?)$/i.exec(text);
  if (found === null) throw new TableProblem(`line ${line}: ${what} "${text}" is no number`);
  const unit = (found[2] as string).toLowerCase();
  return Number(found[1]) * (unit === 'k' ? 1024 : unit === 'm' ? 1_048_576 : 1);
}
