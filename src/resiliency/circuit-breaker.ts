import { type BreakerCounts, type BreakerSettings, NO_COUNTS } from './policies';

/** The state of a breaker, with the names of daprd's metric `cb_state`. */
export type BreakerState = 'closed' | 'half-open' | 'open';

/** A breaker refused a call. The message is daprd's. */
export class BreakerError extends Error {
  override readonly name = 'BreakerError';
}

/**
 * A circuit breaker with the rules of daprd's (sony/gobreaker). Results of calls that began before
 * the last change of state are ignored.
 */
export class CircuitBreaker {
  readonly #settings: BreakerSettings;
  readonly #onChange: (from: BreakerState, to: BreakerState) => void;
  #state: BreakerState = 'closed';
  #counts = NO_COUNTS;
  #generation = 0;
  /** When the counts are reset, or the open breaker becomes half-open. */
  #endsAtMs: number;

  /** @param onChange called after every change of state */
  constructor(
    settings: BreakerSettings,
    onChange: (from: BreakerState, to: BreakerState) => void = () => undefined,
  ) {
    this.#settings = settings;
    this.#onChange = onChange;
    this.#endsAtMs = this.#endOf('closed');
  }

  /** The current state. */
  get state(): BreakerState {
    this.#advance();
    return this.#state;
  }

  /**
   * Runs a call, unless the breaker is open.
   *
   * @param isFailure decides which rejections count as failures of the target
   * @throws {BreakerError} if the breaker refuses the call
   */
  async run<T>(call: () => Promise<T>, isFailure: (error: unknown) => boolean): Promise<T> {
    const generation = this.#enter();
    try {
      const result = await call();
      this.#leave(generation, true);
      return result;
    } catch (error) {
      this.#leave(generation, !isFailure(error));
      throw error;
    }
  }

  #enter(): number {
    this.#advance();
    if (this.#state === 'open') throw new BreakerError('circuit breaker is open');
    if (this.#state === 'half-open' && this.#counts.requests >= this.#settings.maxRequests) {
      throw new BreakerError('too many requests');
    }
    this.#counts = { ...this.#counts, requests: this.#counts.requests + 1 };
    return this.#generation;
  }

  #leave(generation: number, succeeded: boolean): void {
    this.#advance();
    if (generation !== this.#generation) return;
    this.#counts = succeeded ? afterSuccess(this.#counts) : afterFailure(this.#counts);
    if (succeeded) {
      const enough = this.#counts.consecutiveSuccesses >= this.#settings.maxRequests;
      if (this.#state === 'half-open' && enough) this.#change('closed');
    } else if (this.#state === 'half-open' || this.#settings.trip(this.#counts)) {
      this.#change('open');
    }
  }

  /** Applies the changes that are due. */
  #advance(): void {
    if (performance.now() < this.#endsAtMs) return;
    if (this.#state === 'open') this.#change('half-open');
    else this.#begin(this.#state);
  }

  #change(to: BreakerState): void {
    const from = this.#state;
    this.#begin(to);
    this.#onChange(from, to);
  }

  #begin(state: BreakerState): void {
    this.#state = state;
    this.#counts = NO_COUNTS;
    this.#generation += 1;
    this.#endsAtMs = this.#endOf(state);
  }

  #endOf(state: BreakerState): number {
    const { intervalMs, timeoutMs } = this.#settings;
    if (state === 'open') return performance.now() + timeoutMs;
    if (state === 'closed' && intervalMs > 0) return performance.now() + intervalMs;
    return Infinity;
  }
}

function afterSuccess(counts: BreakerCounts): BreakerCounts {
  return {
    ...counts,
    totalSuccesses: counts.totalSuccesses + 1,
    consecutiveSuccesses: counts.consecutiveSuccesses + 1,
    consecutiveFailures: 0,
  };
}

function afterFailure(counts: BreakerCounts): BreakerCounts {
  return {
    ...counts,
    totalFailures: counts.totalFailures + 1,
    consecutiveFailures: counts.consecutiveFailures + 1,
    consecutiveSuccesses: 0,
  };
}
