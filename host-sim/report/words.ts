// What the sections of a report say in the same words: counts with their nouns, parts, and columns of numbers.

/** Columns under which numbers stand. */
export function numbers(...names: readonly string[]): { readonly name: string; readonly numbers: true }[] {
  return names.map((name) => ({ name, numbers: true }));
}

/** What is not quite nothing and not quite all does not look so. */
export function percent(part: number): string {
  if (part === 0 || part === 1) return `${100 * part} %`;
  const isClose = part < 0.1 || part > 0.9;
  return `${Math.min(Math.max(100 * part, 0.1), 99.9).toFixed(isClose ? 1 : 0)} %`;
}

export function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

export function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

export function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** The figures of codes, the most frequent first: `KEY_REVOKED 2, LIMIT_EXCEEDED 1`. */
export function countsText(counts: { readonly [name: string]: number }): string {
  return Object.entries(counts)
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
