// Charts of a report, drawn by echarts into SVG when the report is written: the page runs no script. Each is drawn twice, for
// wide pages and for narrow ones, and its colours are the page's, in light and dark.

import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Axis } from './axis.ts';
import { escaped, html, Markup } from './markup.ts';

use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, SVGRenderer]);

/** What every chart says about itself. */
export interface ChartTerms {
  readonly title: string;
  /** What can be seen in it, in a sentence or two: for whoever cannot see it. */
  readonly description: string;
  /** Pixels, without its legend. Default 260. */
  readonly height?: number;
}

/** A colour of the page. */
export type Tone = 'good' | 'bad' | 'warn' | 'off' | 'ink' | 'line' | `series-${1 | 2 | 3 | 4 | 5 | 6}`;

/** A line: points by x. One without a value (null) is a gap. */
export interface LineSeries {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number | null])[];
  /** Default: the next one of the six of the series. */
  readonly tone?: Tone;
  readonly dashed?: boolean;
  /** The points themselves are shown too. */
  readonly marked?: boolean;
  /** The value stays until the next point. */
  readonly stepped?: boolean;
}

/** Lines over one axis. */
export interface LineChartTerms extends ChartTerms {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly LineSeries[];
}

/** Bars, one for each name, the first one on top. */
export interface BarChartTerms extends ChartTerms {
  readonly value: Axis;
  readonly bars: readonly { readonly name: string; readonly value: number; readonly tone?: Tone }[];
}

/** What happened over time, in lanes one below the other, and lines under them. */
export interface LaneChartTerms extends ChartTerms {
  readonly x: Axis;
  readonly lanes: readonly Lane[];
  readonly y?: Axis;
  readonly series?: readonly LineSeries[];
  readonly legend?: readonly (readonly [name: string, tone: Tone])[];
}

/** A lane: spans, and moments. */
export interface Lane {
  readonly name: string;
  readonly spans?: readonly { readonly from: number; readonly to: number; readonly tone: Tone }[];
  readonly moments?: readonly { readonly at: number; readonly tone: Tone }[];
}

/** Pixels. */
const WIDE = 960;
const NARROW = 360;
const LANE = 20;
const LINES_UNDER_LANES = 110;
const BAR = 26;
/** Room between lanes and what is under them: the name of its axis stands there. */
const BETWEEN = 34;
/** A character of a label, on average and a little more. */
const CHARACTER = 8;

const FONT = { fontSize: 12, fontFamily: 'inherit' };
const INK = 'var(--soft)';

/** Lines over an axis. */
export function lineChart(terms: LineChartTerms): Markup {
  const { x, y, series, height = 260 } = terms;
  const toned = tonedSeries(series);
  const legend = toned.map(({ name, tone, dashed }) => legendOf(name, tone, 'line', dashed));
  return figure(terms, legend, (width) =>
    drawn(width, height, {
      grid: gridOf(width, { top: 26, bottom: 44 }),
      xAxis: { ...valueAxis(x, width), ...belowAxis(x) },
      yAxis: { ...valueAxis(y, WIDE), ...besideAxis(y) },
      series: toned.map(lineOf),
    }),
  );
}

/** Bars from left to right. */
export function barChart(terms: BarChartTerms): Markup {
  const { value, bars } = terms;
  return figure(terms, [], (width) => {
    const longest = Math.max(0, ...bars.map(({ name }) => name.length));
    const left = Math.min(longest * CHARACTER + 14, width === WIDE ? 330 : 216);
    return drawn(width, bars.length * BAR + 50, {
      grid: { left, right: 48, top: 4, bottom: 44 },
      xAxis: { ...valueAxis(value, width), ...belowAxis(value) },
      yAxis: {
        type: 'category',
        inverse: true,
        data: bars.map(({ name }) => name),
        axisTick: { show: false },
        axisLine: { lineStyle: { color: 'var(--line)' } },
        axisLabel: { ...FONT, color: 'var(--ink)', width: left - 14, overflow: 'truncate', interval: 0 },
      },
      series: [
        {
          type: 'bar',
          barWidth: '62%',
          silent: true,
          label: {
            ...FONT,
            show: true,
            position: 'right',
            color: 'var(--ink)',
            formatter: ({ value: shown }: { value: number }) => value.text?.(shown) ?? String(shown),
          },
          data: bars.map((bar) => ({ value: bar.value, itemStyle: { color: colour(bar.tone ?? 'series-1') } })),
        },
      ],
    });
  });
}

/** Lanes of what happened, over one axis of time, and lines under them. */
export function laneChart(terms: LaneChartTerms): Markup {
  const { x, lanes, y, series = [], legend = [] } = terms;
  const lanesHeight = lanes.length * LANE;
  const hasLines = y !== undefined;
  const height = lanesHeight + (hasLines ? LINES_UNDER_LANES + BETWEEN : 0) + 50;
  const toned = tonedSeries(series);
  const told = [
    ...legend.map(([name, tone]) => legendOf(name, tone, 'box', false)),
    ...toned.map(({ name, tone, dashed }) => legendOf(name, tone, 'line', dashed)),
  ];
  return figure(terms, told, (width) => {
    const sides = { left: width === WIDE ? 84 : 76, right: 16 };
    const plotWidth = width - sides.left - sides.right;
    const pixel = (value: number) => (plotWidth * (value - (x.least ?? 0))) / ((x.most ?? 1) - (x.least ?? 0));
    const time = (gridIndex: number, isShown: boolean) => ({
      ...valueAxis(x, width),
      ...(isShown
        ? belowAxis(x)
        : { axisLabel: { show: false }, axisTick: { show: false }, axisLine: { show: false } }),
      gridIndex,
    });
    const grids = [{ ...sides, top: 4, height: lanesHeight }];
    if (hasLines) grids.push({ ...sides, top: lanesHeight + BETWEEN, height: LINES_UNDER_LANES });
    return drawn(width, height, {
      grid: grids,
      xAxis: hasLines ? [time(0, false), time(1, true)] : [time(0, true)],
      yAxis: [
        {
          type: 'category',
          inverse: true,
          data: lanes.map(({ name }) => name),
          axisTick: { show: false },
          axisLine: { lineStyle: { color: 'var(--line)' } },
          axisLabel: { ...FONT, color: 'var(--ink)', interval: 0, width: sides.left - 12, overflow: 'truncate' },
          splitLine: { show: true, lineStyle: { color: 'var(--line)', opacity: 0.5 } },
        },
        ...(hasLines ? [{ ...valueAxis(y, WIDE), ...besideAxis(y), gridIndex: 1 }] : []),
      ],
      series: [
        ...lanes.flatMap((lane, i) => laneSeries(lane, i, pixel)),
        ...toned.map((line) => ({ ...lineOf(line), xAxisIndex: 1, yAxisIndex: 1 })),
      ],
    });
  });
}

/** Rectangles: spans as high as the lane nearly is, moments a little higher and two pixels wide. */
function laneSeries({ spans = [], moments = [] }: Lane, lane: number, pixel: (value: number) => number): object[] {
  const rectangle = (fromOf: number, toOf: number, tone: Tone, height: number) => ({
    value: [fromOf, toOf, lane],
    tone,
    height,
  });
  // What falls on one pixel is drawn once.
  const seen = new Set<string>();
  const shown = moments.filter(({ at, tone }) => {
    const place = `${tone} ${Math.round(pixel(at) * 2)}`;
    return !seen.has(place) && seen.add(place) !== undefined;
  });
  const data = [
    ...spans.map(({ from, to, tone }) => rectangle(from, to, tone, 10)),
    ...shown.map(({ at, tone }) => rectangle(at, at, tone, 14)),
  ];
  return [
    {
      type: 'custom',
      silent: true,
      data: data.map(({ value }) => value),
      renderItem: (
        { dataIndex }: { readonly dataIndex: number },
        api: { value(i: number): number; coord(at: readonly number[]): readonly [number, number] },
      ) => {
        const { tone, height } = data[dataIndex] as (typeof data)[number];
        const [fromX, y] = api.coord([api.value(0), lane]);
        const [toX] = api.coord([api.value(1), lane]);
        const width = Math.max(toX - fromX, height === 14 ? 1.5 : 2);
        const x = height === 14 ? fromX - width / 2 : fromX;
        return {
          type: 'rect',
          shape: { x, y: y - height / 2, width, height },
          style: { fill: colour(tone) },
        };
      },
    },
  ];
}

function lineOf({ points, tone, dashed, marked, stepped }: LineSeries & { readonly tone: Tone }): object {
  return {
    type: 'line',
    silent: true,
    data: points,
    showSymbol: marked === true,
    symbol: 'circle',
    symbolSize: 7,
    step: stepped === true ? 'end' : false,
    clip: marked !== true,
    lineStyle: { width: 2, color: colour(tone), type: dashed === true ? 'dashed' : 'solid' },
    itemStyle: { color: colour(tone) },
  };
}

function tonedSeries(series: readonly LineSeries[]): readonly (LineSeries & { readonly tone: Tone })[] {
  return series.map((one, i) => ({ ...one, tone: one.tone ?? (`series-${(i % 6) + 1}` as Tone) }));
}

function gridOf(width: number, rest: object): object {
  return { left: width === WIDE ? 84 : 60, right: 24, ...rest };
}

function valueAxis({ least, most, step, text, logarithmic }: Axis, width: number): object {
  const wide = width === WIDE;
  return {
    type: logarithmic === true ? 'log' : 'value',
    ...(least === undefined ? {} : { min: least }),
    ...(most === undefined ? {} : { max: most }),
    ...(step === undefined ? { splitNumber: wide ? 5 : 3 } : { interval: wide ? step : step * 2 }),
    axisLabel: {
      ...FONT,
      color: INK,
      hideOverlap: true,
      showMaxLabel: step === undefined ? null : isMark(most, wide ? step : step * 2),
      ...(text === undefined ? {} : { formatter: text }),
    },
    axisLine: { show: true, lineStyle: { color: 'var(--line)' } },
    axisTick: { lineStyle: { color: 'var(--line)' } },
    splitLine: { lineStyle: { color: 'var(--line)' } },
  };
}

/** An end that is no round value has no room for a mark of its own. */
function isMark(value: number | undefined, step: number): boolean {
  return value === undefined || value % step === 0;
}

function belowAxis({ name }: Axis): object {
  return { name, nameLocation: 'middle', nameGap: 28, nameTextStyle: { ...FONT, color: INK } };
}

/** The name stands above, from the left edge on: a long one has room there. */
function besideAxis({ name }: Axis): object {
  return {
    name,
    nameLocation: 'end',
    nameGap: 10,
    nameTextStyle: { ...FONT, color: INK, align: 'left', padding: [0, 0, 0, -50] },
  };
}

function colour(tone: Tone): string {
  return `var(--${tone})`;
}

function legendOf(name: string, tone: Tone, shape: 'line' | 'box', dashed: boolean | undefined): Markup {
  const fill = Markup.trusted(colour(tone));
  const drawing =
    shape === 'box'
      ? html`<rect y="1" width="14" height="9" fill="${fill}"/>`
      : html`<path d="M0 5.5H18" stroke="${fill}" stroke-width="2.5"${dashed === true && html` stroke-dasharray="5 3"`}/>`;
  return html`<li><svg width="${shape === 'box' ? 14 : 18}" height="11" aria-hidden="true">${drawing}</svg>${name}</li>\n`;
}

function figure(
  { title, description }: ChartTerms,
  legend: readonly Markup[],
  draw: (width: number) => Omit<Drawing, 'of'>,
): Markup {
  const label = { title, description };
  return html`<figure>
<figcaption>${title}</figcaption>
${legend.length > 1 && html`<ul class="legend">\n${legend}</ul>\n`}<div class="wide">${svg({ ...draw(WIDE), of: label })}</div>
<div class="narrow">${svg({ ...draw(NARROW), of: label })}</div>
</figure>
`;
}

interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly option: EChartsCoreOption;
  readonly of: { readonly title: string; readonly description: string };
}

function drawn(width: number, height: number, option: EChartsCoreOption): Omit<Drawing, 'of'> {
  return { width, height, option };
}

function svg({ width, height, option, of }: Drawing): Markup {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, ...option });
    return Markup.trusted(own(chart.renderToSVGString(), of));
  } finally {
    chart.dispose();
  }
}

/**
 * The SVG as the page has it. Names that echarts counts up as long as the program runs are taken out or made of what is drawn, for
 * the same bytes each time; and it gets words for whoever cannot see it. Text of charts has no quotes in it that are not escaped.
 */
function own(drawing: string, { title, description }: Drawing['of']): string {
  const plain = drawing
    .replace(/<style[\s\S]*?<\/style>\n?/g, '')
    .replace(
      / (?:class="zr\d+-cls-\d+"|ecmeta_\w+="[^"]*"|pointer-events="visible"|baseProfile="full"|xmlns:xlink="[^"]*")/g,
      '',
    )
    .replace(/<rect [^>]*fill="none"><\/rect>\n?/g, '')
    .replace(/zr\d+-c/g, 'zr-c');
  const name = `c${fingerprint(plain)}`;
  const label = escaped(`${title}. ${description}`);
  const words = `<title>${escaped(title)}</title><desc>${escaped(description)}</desc>`;
  return plain
    .replace(/(id="|url\(#)zr-c/g, `$1${name}-`)
    .replace(/^<svg ([^>]*)>/, (_, rest: string) => `<svg ${rest} role="img" aria-label="${label}">${words}`);
}

/** FNV-1a of a text, in hexadecimal digits. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
