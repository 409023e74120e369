/** A clock that is passed in: the clock of the process, or one that a test controls. */
export interface Clock {
  /** Monotonic time in milliseconds. Only differences between two values have a meaning. */
  now(): number;
  /**
   * Calls a function once after a delay in milliseconds. Zero and negative delays mean as soon as
   * possible.
   */
  after(delayMs: number, run: () => void): Timer;
}

/** A call that is still pending. Node's own timers have this form, so they need no wrapper. */
export interface Timer {
  /** Cancels the call. Has no effect once it has run. */
  close(): unknown;
  /** Allows the process to exit before the call has run. */
  unref(): unknown;
}

/** Node's longest timer, in milliseconds. A longer one would fire after 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The clock of the process. It supports delays longer than Node's timers, because a lease may last
 * 68 years.
 */
export const processClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, run) => (delayMs > LONGEST_TIMER_MS ? runAfterLong : runAfter)(delayMs, run),
};

function runAfter(delayMs: number, run: () => void): Timer {
  return setTimeout(run, Math.max(0, Math.ceil(delayMs)));
}

/** Chains timers of Node until the rest fits in one. */
function runAfterLong(delayMs: number, run: () => void): Timer {
  let isUnreferenced = false;
  let current = runAfter(LONGEST_TIMER_MS, () => {
    current = processClock.after(delayMs - LONGEST_TIMER_MS, run);
    if (isUnreferenced) current.unref();
  });
  return {
    close: () => {
      current.close();
    },
    unref: () => {
      isUnreferenced = true;
      current.unref();
    },
  };
}
