/** How many waiters ask at a time when all of them have to, and the pause in between in milliseconds. */
const [ASKS_AT_ONCE, PAUSE_MS] = [100, 50];

/**
 * Spreads the asks of many waiters over time: 2,000 a second. Thousands of asks at once would delay
 * all other calls to the store, which after a lapse or an outage has much to do anyway.
 */
export class AskPace {
  #lastRetryAtMs = -Infinity;

  /** How long a waiter pauses if so many others ask before it, in milliseconds. */
  pauseBehind(others: number): number {
    return Math.floor(others / ASKS_AT_ONCE) * PAUSE_MS;
  }

  /** When the next failed ask may be repeated, but not before a time. */
  nextRetryAtMs(soonestMs: number): number {
    this.#lastRetryAtMs = Math.max(soonestMs, this.#lastRetryAtMs + PAUSE_MS / ASKS_AT_ONCE);
    return this.#lastRetryAtMs;
  }
}
