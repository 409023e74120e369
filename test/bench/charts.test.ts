import { readFileSync } from 'node:fs';
import path from 'node:path';

import { type ShownRatio, toHandOverChart, toRatioChart } from '../../bench/charts/bench-charts';
import { type Chart, COLOURS } from '../../bench/charts/chart';
import { toDocumentedCharts } from '../../bench/charts/documented-charts';
import { toFaultChart } from '../../bench/charts/fault-chart';
import { renderChart } from '../../bench/charts/render-chart';
import { measureText } from '../../bench/text-width';

const DOCS = path.join(__dirname, '../../docs');
const read = (file: string) => readFileSync(path.join(DOCS, file), 'utf8');

const RATIO: ShownRatio = { label: '', median: 1.3, low: 1.1, high: 1.5, verdict: 'none' };
const ratiosOf = (label: string) =>
  toRatioChart(
    [
      { ...RATIO, label, most: 1.45, verdict: 'undecided' },
      { ...RATIO, label: 'B & <c>', most: 2, verdict: 'met' },
    ],
    'somewhere',
  );

/** The texts of an SVG: where each begins and ends, by its own width. */
function textsOf(svg: string) {
  const found = [...svg.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g)];
  return found.map(([, attributes = '', escaped = '']) => {
    const number = (pattern: RegExp) => Number(pattern.exec(attributes)?.[1] ?? 0);
    const text = escaped.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
    const size = number(/font-size:(\d+)px/);
    const width = measureText(text, { size, isBold: attributes.includes('font-weight:600') });
    const anchor = /text-anchor="(\w+)"/.exec(attributes)?.[1] ?? 'start';
    const share = { start: 0, middle: 0.5, end: 1 }[anchor] ?? NaN;
    const from = number(/translate\(([\d.]+)/) + number(/ x="(-?[\d.]+)"/) - width * share;
    return { text, from, to: from + width };
  });
}

/** The contrast of two colours, by WCAG 2: 1 to 21. */
function contrastOf(one: string, other: string): number {
  const [high = 0, low = 0] = [one, other].map(luminanceOf).sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const TABLE = `
| what | how many |
| --- | ---: |
| operations | 1,022 |
| answered refused | 757 |
| answered unknown | 0 |
| fault: half-open | 5 |
| violations | 0 |
`;
const handOver = {
  contender: 'ours',
  waitsBy: 'a wake-up',
  transport: 'grpc' as const,
  timesMs: [1, 2, 90],
};

const CHARTS: Readonly<Record<string, Chart>> = {
  ratios: ratiosOf('ours / grpc-echo'),
  'ratios with long labels': ratiosOf(`daprd ${'W'.repeat(150)}`),
  'hand-overs': toHandOverChart(
    [
      { ...handOver, waiters: 1 },
      { ...handOver, waiters: 100 },
    ],
    'somewhere',
  ),
  'a fault run': toFaultChart(TABLE, '--seed 1'),
};

describe.each(Object.entries(CHARTS))('the chart of %s', (_name, chart) => {
  const svg = renderChart(chart);

  it('has each label whole, inside the picture', () => {
    const width = Number(/width="(\d+)"/.exec(svg)?.[1]);
    const texts = textsOf(svg);
    const names = chart.series.map(({ name }) => name);
    const wanted = [
      chart.title,
      ...chart.notes,
      chart.axis,
      ...chart.rows,
      ...chart.values,
      ...names,
    ];
    expect(texts.map(({ text }) => text)).toEqual(expect.arrayContaining(wanted));
    for (const { from, to } of texts) {
      expect(from).toBeGreaterThanOrEqual(0);
      expect(to).toBeLessThanOrEqual(width);
    }
  });

  it('has a point for each figure', () => {
    const points = chart.series.flatMap((series) => series.points).filter(({ at }) => at > 0);
    const circles = svg.match(/<circle [^>]*r="4"|<path [^>]*fill="#\w+"[^>]*A4 4/g) ?? [];
    expect(circles.length).toBeGreaterThanOrEqual(points.length);
    expect(svg).not.toContain('NaN');
  });

  it('is the same each time, and has colours for a dark page', () => {
    expect(renderChart(chart)).toBe(svg);
    const drawn = svg.slice(svg.indexOf('</style>'));
    const colours = new Set(drawn.match(/#[0-9a-f]{6}\b/gi));
    const known: readonly string[] = Object.values(COLOURS).map(({ light }) => light);
    expect(known).toEqual(expect.arrayContaining([...colours]));
    for (const { light, dark } of Object.values(COLOURS))
      expect(svg).toContain(`[fill="${light}"]{fill:${dark}}`);
  });
});

describe.each(['light', 'dark'] as const)('on a %s page', (scheme) => {
  it.each(['ink', 'faint', 'green', 'red', 'amber', 'blue', 'violet'] as const)(
    '%s can be read',
    (name) => {
      const contrast = contrastOf(COLOURS[name][scheme], COLOURS.paper[scheme]);
      expect(contrast).toBeGreaterThanOrEqual(4.5);
    },
  );
});

describe('the charts of the documentation', () => {
  const pages = { performance: read('performance.md'), guarantees: read('guarantees.md') };
  it.each([...toDocumentedCharts(pages)])(
    'docs/%s is that of the table beside it',
    (file, chart) => {
      expect(chart.rows.length).toBeGreaterThan(5);
      // `npm run charts` draws them again.
      expect(read(file)).toBe(renderChart(chart));
      expect(pages.performance + pages.guarantees).toContain(`](${file})`);
    },
  );
});
