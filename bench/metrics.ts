/** The measures of a contestant, by name: the columns of the report. */
export const METRICS = {
  cpuUs: { title: 'CPU a call', unit: 'µs' },
  redisCpuUs: { title: "Redis's CPU a call", unit: 'µs' },
  callsPerSecond: { title: 'calls a second (more is better)', unit: '/s' },
  meanMs: { title: 'mean time', unit: 'ms' },
  p50Ms: { title: 'p50', unit: 'ms' },
  p99Ms: { title: 'p99', unit: 'ms' },
  p999Ms: { title: 'p99.9', unit: 'ms' },
  handOverMs: { title: 'median time', unit: 'ms' },
  waitingCpuMs: { title: "the servers' CPU in a second of waiting", unit: 'ms' },
  rssIdleMb: { title: 'resident memory, idle', unit: 'MB' },
  pssIdleMb: { title: 'proportional memory, idle', unit: 'MB' },
  rssLoadedMb: { title: 'resident memory after load', unit: 'MB' },
  pssLoadedMb: { title: 'proportional memory after load', unit: 'MB' },
  startHttpMs: { title: 'start to first answer over HTTP', unit: 'ms' },
  startGrpcMs: { title: 'start to first answer over gRPC', unit: 'ms' },
} as const;

/** The name of something that is measured. */
export type Metric = keyof typeof METRICS;

/** The result of one run. */
export type Metrics = Readonly<Partial<Record<Metric, number>>>;

/** All names, in the order of the report. */
export const METRIC_NAMES = Object.keys(METRICS) as readonly Metric[];
