/** When a call is retried (`spec.policies.retries`). */
export interface RetrySettings {
  readonly kind: 'constant' | 'exponential';
  /** Pause between tries of a constant retry, in milliseconds; 5 s by default. */
  readonly pauseMs: number;
  /** Longest pause of an exponential retry, in milliseconds; 60 s by default. */
  readonly longestPauseMs: number;
  /** Undefined for no limit, the default. */
  readonly maxRetries: number | undefined;
}

/** When calls are refused without a try (`spec.policies.circuitBreakers`). */
export interface BreakerSettings {
  /**
   * How many calls a half-open breaker lets through at a time. All of them must succeed to close
   * it. 1 by default.
   */
  readonly maxRequests: number;
  /** How often a closed breaker resets its counts, in milliseconds; 0, the default, for never. */
  readonly intervalMs: number;
  /** How long the breaker stays open, in milliseconds; 60 s by default. */
  readonly timeoutMs: number;
  /**
   * Decides from the counts whether the breaker opens; by default after more than 5 consecutive
   * failures.
   */
  readonly trip: (counts: BreakerCounts) => boolean;
  /** The expression of {@link BreakerSettings.trip}. Breakers with the same text are equal. */
  readonly tripText: string;
}

/** The counts of a breaker since its last change of state. */
export interface BreakerCounts {
  readonly requests: number;
  readonly totalSuccesses: number;
  readonly totalFailures: number;
  readonly consecutiveSuccesses: number;
  readonly consecutiveFailures: number;
}

/** The counts of a new breaker. */
export const NO_COUNTS: BreakerCounts = {
  requests: 0,
  totalSuccesses: 0,
  totalFailures: 0,
  consecutiveSuccesses: 0,
  consecutiveFailures: 0,
};

/** The names of a target's policies. */
export interface PolicyNames {
  readonly timeout: string | undefined;
  readonly retry: string | undefined;
  readonly circuitBreaker: string | undefined;
}

/** A Resiliency document: policies by name, and the policies of each component. */
export interface ResiliencyDocument {
  readonly name: string;
  readonly file: string;
  /** App ids; empty for all. */
  readonly scopes: readonly string[];
  /** In milliseconds. */
  readonly timeouts: ReadonlyMap<string, number>;
  readonly retries: ReadonlyMap<string, RetrySettings>;
  readonly circuitBreakers: ReadonlyMap<string, BreakerSettings>;
  /**
   * By component name: the `outbound` policies. Any entry, even an empty one, turns the defaults
   * off.
   */
  readonly components: ReadonlyMap<string, PolicyNames>;
  /** Warnings about unknown fields. */
  readonly warnings: readonly string[];
  /** `file:line:column` of an entry of {@link ResiliencyDocument.components}. */
  readonly positionOfTarget: (component: string) => string;
}
