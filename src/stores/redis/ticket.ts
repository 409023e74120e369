/**
 * How much later than its waiter's deadline a ticket dies, in milliseconds: nothing is granted after the
 * deadline anyway, and clocks are known to some milliseconds only.
 */
const SLACK_MS = 1000;

/** What a sidecar remembers of a waiter's ticket. */
export class Ticket {
  /** Its score in the queue, undefined as long as none was told. */
  place: string | undefined;
  readonly #start: string;
  #diesAtMs = 0;

  constructor(sidecarId: string, attemptId: string) {
    this.#start = `${sidecarId}:${attemptId}`;
  }

  /** What it is called in the queue; undefined where it was never asked with. */
  get name(): string | undefined {
    return this.#diesAtMs === 0 ? undefined : `${this.#start}:${this.#diesAtMs}`;
  }

  /**
   * The same. It tells when the ticket dies, so it changes where the server's clock turns out to have gone far
   * ahead: the ticket of before is dead by then.
   *
   * @param deadlineMs when the waiter gives up, on the server's clock
   */
  nameAt(deadlineMs: number): string {
    if (deadlineMs > this.#diesAtMs) this.#diesAtMs = deadlineMs + SLACK_MS;
    return `${this.#start}:${this.#diesAtMs}`;
  }
}
