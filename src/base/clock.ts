/** Time as a thing that is handed in: the clock of the process, or one that a test moves on. */
export interface Clock {
  /** Monotonic, in milliseconds; only differences mean anything. */
  now(): number;
  /** Runs something once so many milliseconds have passed; zero and less mean: as soon as possible. */
  after(delayMs: number, run: () => void): Timer;
}

/** Something that is still to be run. Node's own timers are of this form, so that none is wrapped. */
export interface Timer {
  /** Stops it; has no effect once it has run. */
  close(): unknown;
  /** Lets the process end before it has run. */
  unref(): unknown;
}

/** The longest that a timer of Node reaches, in milliseconds: a longer one fires after 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of the process. Its timers reach as far as they are asked to: a lease may last 68 years. */
export const processClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, run) => (delayMs > LONGEST_TIMER_MS ? runAfterLong : runAfter)(delayMs, run),
};

function runAfter(delayMs: number, run: () => void): Timer {
  return setTimeout(run, Math.max(0, Math.ceil(delayMs)));
}

/** One timer of Node after the other, until what is left is short enough for the last. */
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
