// How spans of time are spread: percentiles, and how many there are of which length.

/** Percentiles by nearest rank: each is one of the values. */
export interface Distribution {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly most: number;
}

/** Undefined where there is none. */
export function distributionOf(values: readonly number[]): Distribution | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] as number;
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), most: at(1) };
}

/** Spans up to a length, in words. */
const CLASSES: readonly (readonly [name: string, belowMs: number])[] = [
  ['at once', 1],
  ['less than 1s', 1000],
  ['1s to 10s', 10_000],
  ['10s to 1m', 60_000],
  ['1m to 10m', 600_000],
  ['10m to 1h', 3_600_000],
  ['1h to 6h', 21_600_000],
  ['6h to 1d', 86_400_000],
  ['1d to 1w', 604_800_000],
  ['1w and longer', Number.POSITIVE_INFINITY],
];

/** How many of the spans fall into each class, from the first to the last class that has any. */
export function spanClasses(spansMs: readonly number[]): readonly { readonly name: string; readonly count: number }[] {
  const counts = CLASSES.map(([name], i) => {
    const [fromMs, belowMs] = [
      i === 0 ? 0 : (CLASSES[i - 1] as readonly [string, number])[1],
      CLASSES[i]?.[1] as number,
    ];
    return { name, count: spansMs.filter((ms) => ms >= fromMs && ms < belowMs).length };
  });
  const isAny = ({ count }: { readonly count: number }) => count > 0;
  return counts.slice(counts.findIndex(isAny), counts.findLastIndex(isAny) + 1);
}
