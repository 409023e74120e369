import type { CancelSignal } from '../../base/cancellation';
import type { Clock } from '../../base/clock';
import { DeadlineQueue, type Timed } from '../../base/deadline-queue';
import { whenOver } from '../../base/race';
import { type CallPolicy, toEndReason } from '../call-policy';
import { StoreError } from '../lock-store';

/** How many first asks for the locks of one store are in flight at a time. */
export const MOST_FIRST_ASKS = 200;

/** How long an ask waits until it may be sent, in milliseconds. */
const LONGEST_TURN_MS = 10_000;

/** A call that waits for its turn. */
interface Queued extends Timed {
  /** Ends its wait: it may run, or fails. */
  readonly end: (error?: StoreError) => void;
}

/**
 * Sends the first asks of waits and holds in order of arrival, {@link MOST_FIRST_ASKS} at a time. Ten
 * thousand that begin at one moment would otherwise be sent at once. On a busy machine the last
 * answers would then be read only after the time limit of a send, and all calls behind them would
 * end with an unknown outcome.
 *
 * Later asks are not counted: they are few, or spread by AskPace. Each store has one instance, for
 * its waits and its holds together.
 */
export class FirstAsks {
  readonly #clock: Clock;
  /** In order of arrival. */
  readonly #queued = new Set<Queued>();
  /** One timer for all that are queued. */
  readonly #limits: DeadlineQueue<Queued>;
  #inFlight = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#limits = new DeadlineQueue(clock, ({ end }) => {
      end(notAsked());
    });
  }

  /**
   * A policy that begins when the turn of the call has come. So the time in this queue does not
   * count against the policy's timeout, its breaker does not count a call that was not sent, and
   * only a call that was never sent can fail for its turn. The turn is passed on after the first
   * try: a pause between tries keeps nobody waiting.
   *
   * Rejects as the policy does, or with a StoreError of outcome `not-applied` if the caller leaves
   * before its turn, or the turn does not come in time.
   */
  inTurn(policy: CallPolicy): CallPolicy {
    return { run: (call, signal) => this.#run(policy, call, signal) };
  }

  async #run<T>(
    policy: CallPolicy,
    call: (signal: CancelSignal) => Promise<T>,
    signal: CancelSignal,
  ): Promise<T> {
    if (this.#inFlight < MOST_FIRST_ASKS) this.#inFlight += 1;
    else await this.#turn(signal);
    let hasTurn = true;
    const pass = (): void => {
      if (hasTurn) this.#pass();
      hasTurn = false;
    };
    try {
      return await policy.run((trySignal) => call(trySignal).finally(pass), signal);
    } finally {
      // A breaker may have refused every try.
      pass();
    }
  }

  #turn(signal: CancelSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let release = (): void => undefined;
      const end = (error?: StoreError): void => {
        this.#queued.delete(queued);
        this.#limits.delete(queued);
        release();
        if (error === undefined) resolve();
        else reject(error);
      };
      const queued: Queued = { dueAtMs: 0, place: -1, end };
      this.#queued.add(queued);
      this.#limits.set(queued, this.#clock.now() + LONGEST_TURN_MS);
      release = whenOver({ signals: [signal] }, () => {
        end(leftBefore(signal));
      });
    });
  }

  /** Gives the place of an ask that has ended to the next one. */
  #pass(): void {
    const [next] = this.#queued;
    if (next === undefined) this.#inFlight -= 1;
    else next.end();
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
