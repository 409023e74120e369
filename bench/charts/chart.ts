/** A figure of one row, in one series. */
export interface ChartPoint {
  /** The number of its row. */
  readonly row: number;
  readonly at: number;
  /** The ends of the line that it stands on; only the point where there are none. */
  readonly from?: number;
  readonly to?: number;
  /** A bound, as a stroke across the row. */
  readonly bound?: number;
}

/** Points of one colour, with their name in the legend. */
export interface ChartSeries {
  readonly name: string;
  readonly colour: Colour;
  readonly points: readonly ChartPoint[];
}

/** Rows of figures on one axis. */
export interface Chart {
  readonly title: string;
  /** Facts that a reader must know, in lines below the title. */
  readonly notes: readonly string[];
  readonly axis: string;
  /** Of a logarithmic axis, 2 or 10: what is equally far apart on it. */
  readonly logBase: 2 | 10;
  readonly rows: readonly string[];
  /** A text at the right end of each row; none where it is empty. */
  readonly values: readonly string[];
  readonly series: readonly ChartSeries[];
  /** Whether the series of a row stand below each other. */
  readonly isSpread: boolean;
}

/**
 * The colours, on a light page and on a dark one. Texts and points stand out from the paper of both: a test computes
 * their contrast by the rule of WCAG 2.
 */
export const COLOURS = {
  paper: { light: '#ffffff', dark: '#0d1117' },
  ink: { light: '#1f2328', dark: '#e6edf3' },
  faint: { light: '#59636e', dark: '#9198a1' },
  grid: { light: '#e4e7eb', dark: '#2a3038' },
  green: { light: '#1a7f37', dark: '#3fb950' },
  red: { light: '#b42318', dark: '#ff7b72' },
  amber: { light: '#9a6700', dark: '#d29922' },
  blue: { light: '#0b5cad', dark: '#79c0ff' },
  violet: { light: '#8250df', dark: '#d2a8ff' },
} as const;

/** A colour of a series. */
export type Colour = 'green' | 'red' | 'amber' | 'blue' | 'violet';
