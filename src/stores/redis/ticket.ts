/**
 * How long a ticket lives after its waiter's deadline, in milliseconds. Nothing is granted after
 * the deadline, and clocks are only known to some milliseconds.
 */
const SLACK_MS = 1000;

/** A waiter's ticket, as its sidecar knows it. */
export class Ticket {
  /** Its score in the queue. Undefined until the first reply. */
  place: string | undefined;
  readonly #start: string;
  #diesAtMs = 0;

  constructor(sidecarId: string, attemptId: string) {
    this.#start = `${sidecarId}:${attemptId}`;
  }

  /** Its name in the queue. Undefined before the first ask. */
  get name(): string | undefined {
    return this.#diesAtMs === 0 ? undefined : `${this.#start}:${this.#diesAtMs}`;
  }

  /**
   * Its name in the queue for an ask. The name contains the ticket's end, so it changes if the
   * server's clock turns out to have been set far ahead; the previous ticket is dead by then.
   *
   * @param deadlineMs when the waiter gives up, on the server's clock
   */
  nameAt(deadlineMs: number): string {
    if (deadlineMs > this.#diesAtMs) this.#diesAtMs = deadlineMs + SLACK_MS;
    return `${this.#start}:${this.#diesAtMs}`;
  }
}
