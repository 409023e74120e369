/** The part of a streaming call that is needed to end it. */
interface StreamingCall {
  end(): void;
  once(event: 'close' | 'cancelled' | 'finish', listener: () => void): unknown;
}

/**
 * Tracks open streaming calls so that a shutdown can end them. A health watch lasts until one side
 * ends it, and a graceful shutdown waits for every open call. Without this class, an open watch
 * would delay each shutdown until its time limit.
 */
export class OpenStreams {
  readonly #open = new Set<StreamingCall>();
  #ended = false;

  /** Wraps the handler of a streaming method so that its calls are tracked. */
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

  /** Ends every open call with status OK, and every later call as soon as it starts. */
  end(): void {
    this.#ended = true;
    for (const call of this.#open) call.end();
  }
}
