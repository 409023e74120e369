/** How often a closing server looks for streams to end, in milliseconds. */
const LOOK_EVERY_MS = 250;

/**
 * A call whose answer has been coming for longer than this is a stream, in milliseconds. A closing
 * server ends it, as it would never end by itself. Others may finish.
 */
const STREAM_AFTER_MS = 1000;

/** A call that is passed on, over either transport. */
export interface PassedStream {
  /**
   * When its answer began, on the monotonic clock. Undefined before that, and for an answer that is
   * known to end by itself.
   */
  readonly answeredAtMs: number | undefined;
  /** Ends the call because this sidecar stops. Does nothing if it has ended. */
  stop(): void;
}

/** The passed calls of a server, so that its end does not wait for streams that have none. */
export class PassedStreams {
  readonly #calls = new Set<PassedStream>();
  #timer: NodeJS.Timeout | undefined;

  /** Adds a call. Call {@link remove} at its end. */
  add(call: PassedStream): void {
    this.#calls.add(call);
  }

  /** Removes a call that has ended. */
  remove(call: PassedStream): void {
    this.#calls.delete(call);
  }

  /** Ends streams, now and later, until the server is closed. */
  close(): void {
    this.#timer ??= setInterval(() => {
      this.#endStreams();
    }, LOOK_EVERY_MS);
  }

  /** Call this when the server is closed. */
  closed(): void {
    clearInterval(this.#timer);
  }

  #endStreams(): void {
    const before = performance.now() - STREAM_AFTER_MS;
    for (const call of this.#calls) if ((call.answeredAtMs ?? Infinity) <= before) call.stop();
  }
}
