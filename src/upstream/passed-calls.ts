import { upstreamErrors } from './upstream-error';

/** Counts and limits the passed calls of both transports together. Lock calls do not count. */
export class PassedCalls {
  readonly #limit: number;
  #inFlight = 0;

  /** @param limit Infinity for no limit */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The number of passed calls in progress. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Counts a call. Call {@link end} when it has ended.
   *
   * @throws {UpstreamError} `overloaded`; then the call is not counted
   */
  begin(): void {
    if (this.#inFlight >= this.#limit) throw upstreamErrors.overloaded(this.#limit);
    this.#inFlight += 1;
  }

  /** Records the end of a counted call. */
  end(): void {
    this.#inFlight -= 1;
  }
}
