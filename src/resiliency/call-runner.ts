import { Cancellation, type CancelSignal } from '../base/cancellation';
import { toErrorMessage } from '../base/error-message';
import { pauseWithin, whenOver } from '../base/race';
import { type CallPolicy, TimeLimitError } from '../lock/call-policy';
import { StoreError } from '../lock/lock-store';
import { BreakerError, type CircuitBreaker } from './circuit-breaker';
import type { RetrySettings } from './policies';
import type { ComponentPolicies } from './policy-set';

/** Receives the events of policies during a call. */
export interface RetryListener {
  /** A call failed for the first time and will be retried. */
  failed(reason: string, pauseMs: number): void;
  /** A call succeeded after retries. */
  recovered(attempts: number): void;
  /** A call ran under a policy. `status` is the state of a circuit breaker. */
  executed(policy: 'timeout' | 'retry' | 'circuitbreaker', status: string): void;
  /** A policy acted: a timeout passed, or a call is retried. */
  activated(policy: 'timeout' | 'retry'): void;
}

/** First pause of an exponential retry, its growth and its spread (dapr/kit retry). */
const FIRST_PAUSE_MS = 500;
const GROWTH = 1.5;
const SPREAD = 0.5;

/** Total time of exponential retries, in milliseconds. */
const LONGEST_RETRYING_MS = 15 * 60_000;

/** The shortest timeout in milliseconds, because Node has no shorter timer. */
const SHORTEST_MS = 1;

/**
 * Runs calls under policies, nested as in daprd: retry( breaker( timeout( call ))). Libraries such
 * as cockatiel do not fit: their pauses do not end when the caller disconnects, and their half-open
 * breakers let one call through, where a policy can allow more (decision 6).
 */
export class CallRunner implements CallPolicy {
  readonly #policies: ComponentPolicies;
  readonly #breaker: CircuitBreaker | undefined;
  readonly #listener: RetryListener;

  constructor(options: {
    readonly policies: ComponentPolicies;
    /** Separate, because it stays when the other policies change. */
    readonly breaker: CircuitBreaker | undefined;
    readonly listener: RetryListener;
  }) {
    this.#policies = options.policies;
    this.#breaker = options.breaker;
    this.#listener = options.listener;
  }

  async run<T>(call: (signal: CancelSignal) => Promise<T>, signal: CancelSignal): Promise<T> {
    this.#countExecuted();
    const { retry } = this.#policies;
    const pauses = retry === undefined ? [].values() : pausesOf(retry.settings);
    const failures: unknown[] = [];
    for (;;) {
      try {
        const result = await this.#through(call, signal);
        if (failures.length > 0) this.#listener.recovered(failures.length + 1);
        return result;
      } catch (error) {
        const next = isRetriable(error) && !signal.aborted ? pauses.next() : undefined;
        if (next === undefined || next.done === true) throw toFinal(error, failures);
        failures.push(error);
        await this.#pause(next.value, failures, signal);
      }
    }
  }

  /** Waits before the next try. If the caller disconnects, the call fails with its last failure. */
  async #pause(pauseMs: number, failures: readonly unknown[], signal: CancelSignal): Promise<void> {
    const last = failures.at(-1);
    if (failures.length === 1) this.#listener.failed(toErrorMessage(last), pauseMs);
    this.#listener.activated('retry');
    await pauseWithin({ afterMs: pauseMs, signals: [signal] });
    if (signal.aborted) throw toFinal(last, failures);
  }

  #countExecuted(): void {
    const { retry, timeout } = this.#policies;
    if (timeout !== undefined) this.#listener.executed('timeout', '');
    if (retry !== undefined) this.#listener.executed('retry', '');
    if (this.#breaker !== undefined) {
      this.#listener.executed('circuitbreaker', this.#breaker.state);
    }
  }

  #through<T>(call: (signal: CancelSignal) => Promise<T>, signal: CancelSignal): Promise<T> {
    const timed = () => this.#timed(call, signal);
    return this.#breaker === undefined ? timed() : this.#breaker.run(timed, isFailure);
  }

  async #timed<T>(call: (signal: CancelSignal) => Promise<T>, signal: CancelSignal): Promise<T> {
    const { timeout } = this.#policies;
    if (timeout === undefined || timeout.settings === 0) return call(signal);
    const over = new Cancellation();
    const afterMs = Math.max(SHORTEST_MS, timeout.settings);
    const release = whenOver({ afterMs, signals: [signal] }, (aborted) => {
      if (aborted === undefined) this.#listener.activated('timeout');
      over.abort(aborted ? aborted.reason : new TimeLimitError('context deadline exceeded'));
    });
    try {
      return await call(over);
    } finally {
      release();
    }
  }
}

/** The pauses between tries. When they end, there are no more tries. */
function* pausesOf(retry: RetrySettings): Generator<number, undefined> {
  const { kind, pauseMs, longestPauseMs, maxRetries = Infinity } = retry;
  const startedAt = performance.now();
  let base = FIRST_PAUSE_MS;
  for (let retries = 0; retries < maxRetries; retries += 1) {
    if (kind === 'constant') {
      yield pauseMs;
      continue;
    }
    const next = base * (1 - SPREAD + 2 * SPREAD * Math.random());
    if (performance.now() - startedAt + next > LONGEST_RETRYING_MS) return undefined;
    yield next;
    base = Math.min(base * GROWTH, longestPauseMs);
  }
  return undefined;
}

/** A bug is not a failure of the target, and a breaker's refusal must end the call. */
function isRetriable(error: unknown): boolean {
  return error instanceof StoreError && error.kind !== 'closed';
}

/** As in daprd, every error of a store counts as a failure. */
function isFailure(error: unknown): boolean {
  return error instanceof StoreError;
}

/**
 * The error of a call. If an earlier try may have taken effect, the outcome is unknown, whatever the
 * last try failed with: that says only what this try did. A store can't know it for calls that are a
 * new attempt in each try, such as renewals.
 */
function toFinal(error: unknown, earlier: readonly unknown[]): unknown {
  const last = error instanceof BreakerError ? toRefusal(error) : error;
  if (!(last instanceof StoreError) || last.outcome === 'unknown') return last;
  const isUnknown = earlier.some(
    (failure) => failure instanceof StoreError && failure.outcome === 'unknown',
  );
  if (!isUnknown) return last;
  const { kind, message, reason } = last;
  const text = `${message}, the outcome is unknown`;
  return new StoreError(text, { kind, outcome: 'unknown', cause: error, reason });
}

/** The refusal of a breaker as a failure of the store. Nothing was sent. */
function toRefusal(error: BreakerError): StoreError {
  const { message } = error;
  const options = { kind: 'unavailable', outcome: 'not-applied', reason: message } as const;
  return new StoreError(message, { ...options, cause: error });
}
