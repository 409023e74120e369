/** When the tries of a call are repeated (`spec.policies.retries`). */
export interface RetrySettings {
  readonly kind: 'constant' | 'exponential';
  /** Pause between tries of kind constant, in milliseconds; 5 s by default. */
  readonly pauseMs: number;
  /** Longest pause of kind exponential, in milliseconds; 60 s by default. */
  readonly longestPauseMs: number;
  /** Undefined for no limit, which is the default. */
  readonly maxRetries: number | undefined;
}

/** When calls are not even tried (`spec.policies.circuitBreakers`). */
export interface BreakerSettings {
  /** How many calls a half-open breaker lets through at once, and has to see succeed; 1 by default. */
  readonly maxRequests: number;
  /** After how many milliseconds a closed breaker forgets what it counted; 0, the default, for never. */
  readonly intervalMs: number;
  /** How long the breaker stays open, in milliseconds; 60 s by default. */
  readonly timeoutMs: number;
  /** Decides on the counts whether the breaker opens; more than 5 failures in a row by default. */
  readonly trip: (counts: BreakerCounts) => boolean;
  /** What {@link BreakerSettings.trip} was made of: two breakers of one text are alike. */
  readonly tripText: string;
}

/** What a breaker has counted since it last changed its state. */
export interface BreakerCounts {
  readonly requests: number;
  readonly totalSuccesses: number;
  readonly totalFailures: number;
  readonly consecutiveSuccesses: number;
  readonly consecutiveFailures: number;
}

/** Before anything was counted. */
export const NO_COUNTS: BreakerCounts = {
  requests: 0,
  totalSuccesses: 0,
  totalFailures: 0,
  consecutiveSuccesses: 0,
  consecutiveFailures: 0,
};

/** The names of the policies that a target is run under. */
export interface PolicyNames {
  readonly timeout: string | undefined;
  readonly retry: string | undefined;
  readonly circuitBreaker: string | undefined;
}

/** A Resiliency document: policies by name, and which of them components are run under. */
export interface ResiliencyDocument {
  readonly name: string;
  readonly file: string;
  /** App ids; empty for all. */
  readonly scopes: readonly string[];
  /** In milliseconds. */
  readonly timeouts: ReadonlyMap<string, number>;
  readonly retries: ReadonlyMap<string, RetrySettings>;
  readonly circuitBreakers: ReadonlyMap<string, BreakerSettings>;
  /** By component name: the `outbound` names; any entry, even an empty one, turns defaults off. */
  readonly components: ReadonlyMap<string, PolicyNames>;
  /** Members that nobody knows, as sentences. */
  readonly warnings: readonly string[];
  /** `file:line:column` of an entry of {@link ResiliencyDocument.components}. */
  readonly positionOfTarget: (component: string) => string;
}
