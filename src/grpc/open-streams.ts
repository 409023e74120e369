import type { UntypedHandleCall, UntypedServiceImplementation } from '@grpc/grpc-js';

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

  /** Wraps the named methods of a service so that their calls are known here. */
  track(
    implementation: UntypedServiceImplementation,
    streamingMethods: readonly string[],
  ): UntypedServiceImplementation {
    const tracked = { ...implementation };
    for (const name of streamingMethods) {
      const handler = implementation[name];
      if (handler === undefined) throw new Error(`the service has no method ${name}`);
      tracked[name] = this.#tracking(handler);
    }
    return tracked;
  }

  /** Ends every open call with status OK, and every later one as soon as it is made. */
  end(): void {
    this.#ended = true;
    for (const call of this.#open) call.end();
  }

  #tracking(handler: UntypedHandleCall): UntypedHandleCall {
    // The four kinds of grpc-js handlers differ in their types only; a streaming one takes the call.
    const handle = handler as (call: StreamingCall) => void;
    return (call: StreamingCall) => {
      this.#open.add(call);
      for (const event of ['close', 'cancelled', 'finish'] as const) {
        call.once(event, () => this.#open.delete(call));
      }
      handle(call);
      if (this.#ended) call.end();
    };
  }
}
