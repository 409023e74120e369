import type { CancelSignal } from '../../base/cancellation';
import type { Clock } from '../../base/clock';
import { race } from '../../base/race';
import { toEndReason } from '../call-policy';
import { StoreError } from '../lock-store';

/** How many first asks of waits, and as many of holds, are in flight at a time for one store. */
export const MOST_FIRST_ASKS = 200;

/** How long an ask waits until it may be sent, in milliseconds. */
const LONGEST_TURN_MS = 10_000;

/**
 * Sends the first asks of waits and holds in order of arrival, {@link MOST_FIRST_ASKS} at a time. Ten
 * thousand that begin at one moment would otherwise be sent at once. On a busy machine the last
 * answers would then be read only after the time limit of a send, and all calls behind them would
 * end with an unknown outcome.
 *
 * Later asks are not counted: they are few, or spread by AskPace.
 */
export class FirstAsks {
  readonly #clock: Clock;
  readonly #queued = new Set<() => void>();
  #inFlight = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Sends when the turn has come. Rejects as the send does, or with a StoreError of outcome
   * `not-applied` if the caller leaves before, or its turn does not come in time.
   */
  async run<T>(send: () => Promise<T>, signal: CancelSignal): Promise<T> {
    if (this.#inFlight < MOST_FIRST_ASKS) this.#inFlight += 1;
    else await this.#turn(signal);
    try {
      return await send();
    } finally {
      this.#pass();
    }
  }

  async #turn(signal: CancelSignal): Promise<void> {
    let begin = (): void => undefined;
    const turn = new Promise<void>((resolve) => (begin = resolve));
    this.#queued.add(begin);
    const limit = { afterMs: LONGEST_TURN_MS, signals: [signal], clock: this.#clock };
    await race(turn, limit, (aborted) => {
      // Its turn may have come at the same moment.
      if (!this.#queued.delete(begin)) this.#pass();
      throw aborted === undefined ? notAsked() : leftBefore(aborted);
    });
  }

  /** Gives the place of an ask that has ended to the next one. */
  #pass(): void {
    const [next] = this.#queued;
    if (next === undefined) {
      this.#inFlight -= 1;
      return;
    }
    this.#queued.delete(next);
    next();
  }
}

/** The failure of a call whose turn to ask did not come in time. */
export function notAsked(): StoreError {
  const message = 'too many calls before this one are not answered yet; nothing was sent';
  return new StoreError(message, { kind: 'unavailable', outcome: 'not-applied', reason: message });
}

function leftBefore(signal: CancelSignal): StoreError {
  const reason = toEndReason(signal);
  return new StoreError(reason, { kind: 'deadline', outcome: 'not-applied', reason });
}
