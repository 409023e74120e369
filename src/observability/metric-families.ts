import type { Metric, Registry } from 'prom-client';

/** The values of a series' labels, by name. */
type Labels = Readonly<Record<string, string>>;

/** What a family is registered as. */
interface FamilyOptions {
  readonly name: string;
  readonly help: string;
  readonly registry: Registry;
}

/**
 * Counters and histograms of which a caller keeps the series that it writes to. prom-client looks a
 * series up by its labels at every write, which for the eight that a lock call writes to took a tenth
 * of the call; the exposition, and every metric that is written to seldom, is still prom-client's.
 */
abstract class Family {
  readonly name: string;
  readonly help: string;
  readonly aggregator = 'sum';
  abstract readonly type: string;

  constructor({ name, help, registry }: FamilyOptions) {
    this.name = name;
    this.help = help;
    // What a registry asks of a metric is here; prom-client's type wants its own classes.
    registry.registerMetric(this as unknown as Metric);
  }

  /** For the registry. */
  async get() {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: this.values() };
  }

  /** The samples of every series. */
  protected abstract values(): readonly Sample[];
}

/** A line of the exposition; without a name of its own it has the family's. */
interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/** A number that goes up, or up and down. */
export interface NumberSeries {
  value: number;
}

/** A counter, or a gauge that is counted up and down. */
export class NumberFamily extends Family {
  readonly type: 'counter' | 'gauge';
  readonly #series = new Map<NumberSeries, Labels>();

  constructor(type: 'counter' | 'gauge', options: FamilyOptions) {
    super(options);
    this.type = type;
  }

  /** Begins a series at 0; to be kept, as labels that are given again would begin another. */
  begin(labels: Labels): NumberSeries {
    const series = { value: 0 };
    this.#series.set(series, labels);
    return series;
  }

  /** Shows a series no more. */
  end(series: NumberSeries): void {
    this.#series.delete(series);
  }

  protected values(): readonly Sample[] {
    return Array.from(this.#series, ([{ value }, labels]) => ({ labels, value }));
  }
}

/** The observations of one series. */
export class HistogramSeries {
  readonly labels: Labels;
  /** How many were observed in each bucket, not in those below it; the last is without a bound. */
  readonly counts: Float64Array;
  sum = 0;
  readonly #bounds: readonly number[];

  constructor(labels: Labels, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Counts a value in. */
  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    // Most values are small: looking from below is faster than halving.
    while (value > (bounds[bucket] ?? Infinity)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += value;
  }
}

/** A histogram. */
export class HistogramFamily extends Family {
  readonly type = 'histogram';
  readonly #bounds: readonly number[];
  readonly #series = new Set<HistogramSeries>();

  constructor(options: FamilyOptions & { readonly buckets: readonly number[] }) {
    super(options);
    this.#bounds = options.buckets;
  }

  /** Begins a series; to be kept, as labels that are given again would begin another. */
  begin(labels: Labels): HistogramSeries {
    const series = new HistogramSeries(labels, this.#bounds);
    this.#series.add(series);
    return series;
  }

  /** Shows a series no more. */
  end(series: HistogramSeries): void {
    this.#series.delete(series);
  }

  protected values(): readonly Sample[] {
    return [...this.#series].flatMap((series) => this.#samplesOf(series));
  }

  #samplesOf({ labels, counts, sum }: HistogramSeries): readonly Sample[] {
    let count = 0;
    const buckets = [...counts].map((inBucket, index) => {
      count += inBucket;
      const le = this.#bounds[index] ?? '+Inf';
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ];
  }
}
