import type { FloodGuard } from './flood-guard';
import type { Outbox } from './outbox';
import { CODE, ConnectionError, FRAME } from './protocol';

/** How many streams are remembered: as many as may have frames on their way at a time. */
const REMEMBERED = 128;

/**
 * The streams that are closed. Of those that were reset here, the last ones are remembered: the client
 * may have sent frames before it received RST_STREAM, and those are ignored (RFC 9113, 5.1). Frames
 * for streams that ended otherwise are errors.
 */
export class ClosedStreams {
  readonly #outbox: Outbox;
  readonly #guard: FloodGuard;
  readonly #ids = new Int32Array(REMEMBERED);
  #at = 0;

  constructor(outbox: Outbox, guard: FloodGuard) {
    this.#outbox = outbox;
    this.#guard = guard;
  }

  /** Sends RST_STREAM (RFC 9113, 6.4), and remembers the stream in place of the oldest one. */
  reset(id: number, code: number): void {
    this.#ids[this.#at] = id;
    this.#at = (this.#at + 1) % REMEMBERED;
    this.#outbox.addNumber(FRAME.reset, id, code);
  }

  /** DATA has arrived. */
  receiveData(id: number): void {
    if (this.#ids.includes(id)) return;
    // No hasty reset: a thousand calls may have been answered early, and their content is on its way.
    this.#guard.countControlFrame();
    this.reset(id, CODE.streamClosed);
  }

  /** HEADERS have arrived. */
  receiveHeaders(id: number): void {
    if (this.#ids.includes(id)) return;
    throw new ConnectionError(CODE.streamClosed, `HEADERS on stream ${id}, which is closed`);
  }
}
