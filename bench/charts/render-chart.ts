import { createRequire } from 'node:module';

import type * as ECharts from 'echarts';

import { measureText } from '../text-width';
import { type Chart, type ChartPoint, type ChartSeries, COLOURS } from './chart';

const MARGIN = 16;
const GAP = 10;
const AXIS_WIDTH = 380;
const LINE = 18;
const ROW = 22;
/** Between the series of a row. */
const SPREAD = 7;
/** Below the rows: numbers and name of the axis, and the legend. */
const BOTTOM = 74;
const TITLE = 15;
const SMALL = 11;
const TEXT = 12;
const POINT = 4;
const FONT = "system-ui, 'DejaVu Sans', sans-serif";

/** Classes that ECharts adds for a page with a mouse. It numbers these classes through all charts of a process. */
const HOVER = / class="zr\d+-cls-\d+"|<style ><!\[CDATA\[[^]*?<\/style>\n?/g;

/** Half of the length of the stroke for a bound. */
const BOUND = 8;

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Where everything stands, in pixels. */
interface Layout {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
}

/** Loads the library with the first chart: a benchmark and a fault run draw theirs when all is measured. */
function loadECharts(): typeof ECharts {
  return createRequire(__filename)('echarts') as typeof ECharts;
}

/**
 * Draws a chart as SVG, without a browser. ECharts (Apache-2.0) does it on a server; it is CommonJS, has two
 * dependencies, and lets the caller measure texts, which is what keeps labels whole: a server knows no fonts. On a dark
 * page the colours are others, where the viewer knows `prefers-color-scheme`.
 */
export function renderChart(chart: Chart): string {
  const echarts = loadECharts();
  echarts.setPlatformAPI({
    measureText: (text, font) => ({
      width: measureText(text, {
        size: Number(/(\d+)px/.exec(font ?? '')?.[1] ?? TEXT),
        isBold: /bold|600/.test(font ?? ''),
      }),
    }),
  });
  const layout = toLayout(chart);
  const { width, height } = layout;
  const instance = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    instance.setOption({
      animation: false,
      backgroundColor: COLOURS.paper.light,
      textStyle: { fontFamily: FONT },
      ...toFrame(chart, layout),
      series: chart.series.map((series, index) => toSeries(chart, series, index)),
    });
    const svg = instance.renderToSVGString().replaceAll(HOVER, '');
    return `${svg.replace(/^<svg[^>]*>/, `$&\n${toStyle(chart)}`)}\n`;
  } finally {
    instance.dispose();
  }
}

function toLayout({ title, notes, rows, values, series, isSpread }: Chart): Layout {
  const widest = (texts: readonly string[], size: number) =>
    Math.ceil(Math.max(0, ...texts.map((text) => measureText(text, { size }))));
  const left = MARGIN + widest(rows, TEXT) + GAP;
  const right = MARGIN + Math.max(widest(values, TEXT) + GAP, 2 * GAP);
  const heading = measureText(title, { size: TITLE, isBold: true });
  const width = Math.max(
    left + AXIS_WIDTH + right,
    Math.ceil(heading) + 2 * MARGIN,
    widest(notes, SMALL) + 2 * MARGIN,
  );
  const top = MARGIN + TITLE + GAP + notes.length * LINE + GAP;
  const row = ROW + (isSpread ? (series.length - 1) * SPREAD : 0);
  return { width, height: top + rows.length * row + BOTTOM, left, right, top };
}

/** Title, notes, axes and legend. */
function toFrame(chart: Chart, { left, right, top }: Layout) {
  const small = { fontSize: SMALL, color: COLOURS.faint.light };
  const rowAxis = {
    type: 'category',
    inverse: true,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { interval: 0, fontSize: TEXT, color: COLOURS.ink.light, margin: GAP },
  };
  return {
    title: {
      left: MARGIN,
      top: MARGIN,
      padding: 0,
      borderColor: COLOURS.paper.light,
      text: chart.title,
      textStyle: { fontSize: TITLE, fontWeight: 600, color: COLOURS.ink.light },
      subtext: chart.notes.join('\n'),
      subtextStyle: { ...small, lineHeight: LINE },
    },
    legend: {
      bottom: MARGIN / 2,
      left: MARGIN,
      icon: 'circle',
      borderColor: COLOURS.paper.light,
      itemHeight: 8,
      textStyle: small,
    },
    grid: { left, right, top, bottom: BOTTOM },
    xAxis: {
      type: 'log',
      logBase: chart.logBase,
      name: chart.axis,
      nameLocation: 'middle',
      nameGap: 26,
      nameTextStyle: small,
      axisLabel: {
        ...small,
        hideOverlap: true,
        formatter: (number: number) => number.toLocaleString('en-US'),
      },
      axisLine: { show: false },
      splitLine: { lineStyle: { color: COLOURS.grid.light } },
      ...toExtent(chart),
    },
    yAxis: [
      { ...rowAxis, data: [...chart.rows] },
      { ...rowAxis, data: [...chart.values], position: 'right', show: chart.values.length > 0 },
    ],
  };
}

/** The powers of the base around all figures. */
function toExtent({ series, logBase }: Chart): { readonly min: number; readonly max: number } {
  const figures = series.flatMap(({ points }) => points.flatMap(toFigures));
  const power = (figure: number) => Math.log(figure) / Math.log(logBase);
  return {
    min: logBase ** Math.floor(power(Math.min(...figures))),
    max: logBase ** Math.ceil(power(Math.max(...figures))),
  };
}

function toFigures({ at, from = at, to = at, bound = at }: ChartPoint): number[] {
  return [at, from, to, bound].filter((figure) => Number.isFinite(figure) && figure > 0);
}

function toSeries({ series: all, isSpread }: Chart, series: ChartSeries, index: number) {
  const color = COLOURS[series.colour].light;
  const shift = isSpread ? (index - (all.length - 1) / 2) * SPREAD : 0;
  const points = series.points.filter(({ at }) => Number.isFinite(at) && at > 0);
  return {
    type: 'custom',
    name: series.name,
    itemStyle: { color },
    data: points.map(({ at, row }) => [at, row]),
    renderItem: (
      { dataIndex }: { readonly dataIndex: number },
      { coord }: { readonly coord: (place: readonly number[]) => number[] },
    ) => {
      const point = points[dataIndex];
      if (point === undefined) return undefined;
      const place = (figure: number) => {
        const [x = 0, y = 0] = coord([figure, point.row]);
        return { x, y: y + shift };
      };
      return { type: 'group', children: toShapes(point, place, color) };
    },
  };
}

function toShapes(
  { at, from = at, to = at, bound }: ChartPoint,
  place: (figure: number) => Place,
  color: string,
) {
  const [{ x, y }, start, end] = [place(at), place(from), place(to)];
  const stroke = (one: Place, other: Place, lineWidth: number) => ({
    type: 'line',
    shape: { x1: one.x, y1: one.y, x2: other.x, y2: other.y },
    style: { stroke: color, lineWidth },
  });
  const shapes: object[] = [
    stroke(start, end, 2),
    { type: 'circle', shape: { cx: x, cy: y, r: POINT }, style: { fill: color } },
  ];
  if (bound === undefined) return shapes;
  const across = place(bound).x;
  return [...shapes, stroke({ x: across, y: y - BOUND }, { x: across, y: y + BOUND }, 3)];
}

/** The title for screen readers, and the colours of a dark page in place of those that are drawn. */
function toStyle({ title }: Chart): string {
  const rules = Object.values(COLOURS).flatMap(({ light, dark }) => [
    `[fill="${light}"]{fill:${dark}}`,
    `[stroke="${light}"]{stroke:${dark}}`,
  ]);
  const name = title.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return `<title>${name}</title>\n<style>@media (prefers-color-scheme:dark){${rules.join('')}}</style>`;
}
