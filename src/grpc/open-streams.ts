/** A streaming call, as far as it has to be known to end it. */
interface StreamingCall {
  end(): void;
  once(event: 'close' | 'cancelled' | 'finish', listener: () => void): unknown;
}

/**
 * Knows the streaming calls that are open. A health watch lasts until somebody ends it, and a
 * graceful stop waits for every open call: without this it would always run into its limit.
 */
export class OpenStreams {
  readonly #open = new Set<StreamingCall>();
  #ended = false;

  /** Wraps the handler of a streaming method so that its calls are known here. */
  track<Call extends StreamingCall>(handle: (call: Call) => void): (call: Call) => void {
    return (call) => {
      this.#open.add(call);
      for (const event of ['close', 'cancelled', 'finish'] as const) {
        call.once(event, () => this.#open.delete(call));
      }
      handle(call);
      if (this.#ended) call.end();
    };
  }

  /** Ends every open call with status OK, and every later one as soon as it is made. */
  end(): void {
    this.#ended = true;
    for (const call of this.#open) call.end();
  }
}
