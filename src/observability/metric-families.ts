import type { Metric, Registry } from 'prom-client';

/** The label values of a series, by name. */
type Labels = Readonly<Record<string, string>>;

/** The name and labels of a family. */
interface FamilyOptions {
  readonly name: string;
  readonly help: string;
  readonly registry: Registry;
}

/**
 * A metric family whose series are kept by the callers that update them. prom-client looks a series
 * up by its labels at every update, which took a tenth of a lock call with its eight updates
 * (decision 10). prom-client still writes the exposition and all rarely updated metrics.
 */
abstract class Family {
  readonly name: string;
  readonly help: string;
  readonly aggregator = 'sum';
  abstract readonly type: string;

  constructor({ name, help, registry }: FamilyOptions) {
    this.name = name;
    this.help = help;
    // This has everything that a registry uses, but prom-client's type requires its own classes.
    registry.registerMetric(this as unknown as Metric);
  }

  /** For the registry. */
  async get() {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: this.values() };
  }

  /** The samples of all series. */
  protected abstract values(): readonly Sample[];
}

/** A line of the exposition. Without a name, it has the name of the family. */
interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/** A number that is read when it is shown. */
export interface NumberSeries {
  readonly value: number;
}

/** A number that increases, or increases and decreases. */
export interface CountedSeries {
  value: number;
}

/** A counter, or a gauge that counts up and down. */
export class NumberFamily extends Family {
  readonly type: 'counter' | 'gauge';
  readonly #series = new Map<NumberSeries, Labels>();

  constructor(type: 'counter' | 'gauge', options: FamilyOptions) {
    super(options);
    this.type = type;
  }

  /** Starts a series at 0. Keep the result: the same labels again would start a second series. */
  begin(labels: Labels): CountedSeries {
    const series = { value: 0 };
    this.add(series, labels);
    return series;
  }

  /** Adds a series that is kept elsewhere. */
  add(series: NumberSeries, labels: Labels): void {
    this.#series.set(series, labels);
  }

  /** Removes a series. */
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
  /** The number of values in each bucket, not cumulative. The last bucket has no upper bound. */
  readonly counts: Float64Array;
  sum = 0;
  readonly #bounds: readonly number[];

  constructor(labels: Labels, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Adds a value. */
  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    // Most values are small, so a search from below is faster than a binary search.
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

  /** Starts a series. Keep the result: the same labels again would start a second series. */
  begin(labels: Labels): HistogramSeries {
    const series = new HistogramSeries(labels, this.#bounds);
    this.#series.add(series);
    return series;
  }

  /** Removes a series. */
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

/** Starts a series for each value of a label. */
export function beginEach<V, S>(values: readonly V[], begin: (value: V) => S): ReadonlyMap<V, S> {
  return new Map(values.map((value) => [value, begin(value)]));
}
