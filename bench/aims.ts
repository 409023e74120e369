import type { Metric } from './metrics';
import { LEAST_COVERAGE, type MedianInterval } from './statistics';

/** The upper bound of a ratio. */
export interface Aim {
  readonly measure: string;
  readonly metric: Metric;
  /** The kind of contestant that ours is divided by. */
  readonly to: string;
  readonly most: number;
}

/** Undecided: the aim lies inside the interval, or there were too few rounds for one. */
export type Verdict = 'met' | 'missed' | 'undecided';

/** The name of what stands beside all hand-overs. */
export const ROUND_TRIP = 'a round trip to Redis';

/** A lock goes to the next holder within three round trips to Redis, and 20 times faster than by polling. */
const HAND_OVER_AIMS: readonly Aim[] = ['grpc', 'http'].flatMap((transport) => {
  const of = { measure: `handover/${transport}/redis/1`, metric: 'handOverMs' } as const;
  return [
    { ...of, to: ROUND_TRIP, most: 3 },
    { ...of, to: 'polling every 50 ms', most: 0.05 },
  ];
});

/** The aims of the project, as ratios within one run (issues 7 and 16). */
export const AIMS: readonly Aim[] = [
  ...HAND_OVER_AIMS,
  { measure: 'refused/grpc/redis/100', metric: 'cpuUs', to: 'grpc-echo', most: 1.45 },
  { measure: 'refused/http/redis/100', metric: 'cpuUs', to: 'fastify-echo', most: 1.45 },
  { measure: 'memory/redis', metric: 'rssIdleMb', to: 'node-http', most: 1.7 },
  { measure: 'memory/redis', metric: 'rssLoadedMb', to: 'node-http', most: 3 },
  { measure: 'start/redis', metric: 'startHttpMs', to: 'node-http', most: 2.5 },
  { measure: 'start/redis', metric: 'startGrpcMs', to: 'node-http', most: 2.5 },
];

/** Says whether an aim is met, by the whole interval and not by its middle. */
export function judge(most: number, interval: MedianInterval): Verdict {
  if (interval.coverage < LEAST_COVERAGE) return 'undecided';
  if (interval.high <= most) return 'met';
  if (interval.low > most) return 'missed';
  return 'undecided';
}

/** The aim that a ratio is held against, if any. Only ours has aims. */
export function findAim(of: {
  readonly measure: string;
  readonly metric: Metric;
  readonly numerator: string;
  readonly denominator: string;
}): Aim | undefined {
  if (kindOf(of.numerator) !== 'ours') return undefined;
  return AIMS.find(
    (aim) =>
      aim.measure === of.measure && aim.metric === of.metric && aim.to === kindOf(of.denominator),
  );
}

/** A contestant's name without the Node it runs on: `ours` of `ours@22.1.0`. */
export function kindOf(contestant: string): string {
  return contestant.replace(/@.*$/, '');
}
