/** Maximum number of open calls that need no token (health checks and watches). */
const MOST_OPEN = 500;

/** A call that needs no token. */
export interface Visitor {
  /** Ends the call with ENHANCE_YOUR_CALM. */
  evict(): void;
  /** Calls back when the call has ended. */
  whenGone(listener: () => void): void;
}

/**
 * The open calls that need no token. Their number is limited. If a new one exceeds the limit, the
 * oldest ends, so that nobody can block a health probe by keeping all places occupied. Clients
 * restart a watch that ends.
 */
export class Visitors {
  readonly #open = new Set<Visitor>();

  /** Adds a call. If there are too many, ends the oldest. */
  add(visitor: Visitor): void {
    if (this.#open.size >= MOST_OPEN) this.#endOldest();
    this.#open.add(visitor);
    visitor.whenGone(() => this.#open.delete(visitor));
  }

  #endOldest(): void {
    const [oldest] = this.#open;
    if (oldest === undefined) return;
    this.#open.delete(oldest);
    oldest.evict();
  }
}
