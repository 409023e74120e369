import type { BenchResult } from './bench-result';
import { machineLine } from './markdown-report';
import { METRICS } from './metrics';
import { toDigits } from './number-text';
import type { Ratio } from './ratios';
import { measureText, type TextFace } from './text-width';

/** The metrics that the picture shows: one ratio is one row, and more rows nobody reads. */
const SHOWN = ['cpuUs', 'p99Ms', 'rssIdleMb', 'rssLoadedMb', 'startHttpMs', 'startGrpcMs'];

const MARGIN = 16;
const GAP = 12;
const AXIS_WIDTH = 366;
/** What is right of the axis: a gap, the ratio's number, the margin. */
const VALUE_WIDTH = 84;
const ROW = 22;
const TOP = 72;
const BOTTOM = 44;
const DOT = 4;
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const TITLE = 'Ours beside the floor or a peer: ratio of a round, median and interval';
const LEGEND =
  'Left of 1 is less than the other. A bar is an aim: green met, red missed, amber undecided.';
const FACES = {
  label: { size: 12 },
  title: { size: 15, isBold: true },
  small: { size: 11 },
} as const satisfies Record<string, TextFace>;
const COLOURS = { met: '#1a7f37', missed: '#b42318', undecided: '#9a6700', none: '#3b5b92' };

/**
 * The picture of a result: a row for each ratio, its median as a dot on its interval, its aim as a
 * mark, on a logarithmic axis, where half and twice as much are equally far from 1.
 */
export function toSvg(result: BenchResult): string {
  const rows = result.ratios.filter(({ metric }) => SHOWN.includes(metric));
  const machine = `${result.date.slice(0, 10)}, ${machineLine(result.machine)}`;
  const layout = new Layout(rows, machine);
  const { width } = layout;
  const height = TOP + rows.length * ROW + BOTTOM;
  const body = [
    text([MARGIN, 26], TITLE, 'b'),
    text([MARGIN, 46], machine, 's'),
    ...layout.drawAxis(height),
    ...rows.map((ratio, index) => drawRow(ratio, layout, TOP + index * ROW + ROW / 2)),
    text([MARGIN, height - 12], LEGEND, 's'),
  ];
  const { label, title, small } = FACES;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>Benchmark of Holdfast</title>
<style>text{font:${label.size}px system-ui,'DejaVu Sans',sans-serif;fill:#1f2328}.b{font-weight:600;font-size:${title.size}px}.s{font-size:${small.size}px;fill:#59636e}.e{text-anchor:end}.m{text-anchor:middle}</style>
<rect width="100%" height="100%" fill="#ffffff"/>
${body.join('\n')}
</svg>
`;
}

/** Where everything stands: no label is cut, and a ratio has its place on the logarithmic axis. */
class Layout {
  readonly width: number;
  /** Where labels end. */
  readonly labelsTo: number;
  readonly #low: number;
  readonly #high: number;

  constructor(ratios: readonly Ratio[], machine: string) {
    const labels = ratios.map((ratio) => measureText(toLabel(ratio), FACES.label));
    this.labelsTo = MARGIN + Math.ceil(Math.max(0, ...labels));
    const lines = [
      measureText(TITLE, FACES.title),
      measureText(machine, FACES.small),
      measureText(LEGEND, FACES.small),
    ];
    this.width = Math.max(
      this.labelsTo + GAP + AXIS_WIDTH + VALUE_WIDTH,
      ...lines.map((line) => Math.ceil(line) + 2 * MARGIN),
    );
    const all = ratios.flatMap(({ interval, aim }) => [
      interval.low,
      interval.high,
      aim?.most ?? 1,
    ]);
    const known = [1, ...all.filter((number) => Number.isFinite(number) && number > 0)];
    const [least, most] = [Math.min(...known), Math.max(...known)];
    this.#low = Math.log(TICKS.findLast((tick) => tick < least) ?? least);
    this.#high = Math.log(TICKS.find((tick) => tick > most) ?? most);
  }

  /** The distance from the left edge of the picture. */
  at(ratio: number): number {
    const from = this.labelsTo + GAP;
    const share = (Math.log(ratio) - this.#low) / (this.#high - this.#low);
    return from + Math.min(1, Math.max(0, share)) * (this.width - VALUE_WIDTH - from);
  }

  drawAxis(height: number): readonly string[] {
    const inside = TICKS.filter(
      (tick) => Math.log(tick) >= this.#low && Math.log(tick) <= this.#high,
    );
    return inside.flatMap((tick) => {
      const colour = tick === 1 ? '#8c959f' : '#e4e7eb';
      const x = this.at(tick);
      return [
        line([x, TOP - 4, x, height - BOTTOM + 4], colour, 1),
        text([x, TOP - 8], `${tick}`, 's m'),
      ];
    });
  }
}

function toLabel({ measure, metric, of, to }: Ratio): string {
  return `${measure} · ${METRICS[metric].title} · ${of} / ${to}`;
}

function drawRow(ratio: Ratio, axis: Layout, y: number): string {
  const { interval, aim } = ratio;
  const colour = COLOURS[aim?.verdict ?? 'none'];
  const parts = [
    text([axis.labelsTo, y + 4], toLabel(ratio), 'e'),
    line([axis.at(interval.low), y, axis.at(interval.high), y], colour, 2),
    `<circle cx="${axis.at(interval.median).toFixed(1)}" cy="${y}" r="${DOT}" fill="${colour}"/>`,
    text([axis.width - MARGIN, y + 4], toDigits(interval.median), 'e'),
  ];
  if (aim !== undefined) {
    const x = axis.at(aim.most);
    parts.push(line([x, y - ROW / 2 + 3, x, y + ROW / 2 - 3], colour, 3));
  }
  return parts.join('');
}

function line([x1, y1, x2, y2]: readonly number[], colour: string, width: number): string {
  const [fromX, fromY, toX, toY] = [x1, y1, x2, y2].map((number) => (number ?? 0).toFixed(1));
  return `<line x1="${fromX}" y1="${fromY}" x2="${toX}" y2="${toY}" stroke="${colour}" stroke-width="${width}"/>`;
}

function text([x, y]: readonly [number, number], content: string, classes: string): string {
  const safe = content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${classes}">${safe}</text>`;
}
