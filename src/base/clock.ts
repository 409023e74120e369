/** Time as a thing that is handed in: the clock of the process, or one that a test moves on. */
export interface Clock {
  /** Monotonic, in milliseconds; only differences mean anything. */
  now(): number;
  /** Runs something once so many milliseconds have passed; zero and less mean: as soon as possible. */
  after(delayMs: number, run: () => void): Timer;
}

/** Something that is still to be run. */
export interface Timer {
  /** It is not run any more; has no effect where it was. */
  cancel(): void;
  /** The process may end before it is run. */
  unref(): void;
}

/** The longest that a timer of Node reaches, in milliseconds: a longer one fires after 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of the process. Its timers reach as far as they are asked to: a lease may last 68 years. */
export const processClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, run) => (delayMs > LONGEST_TIMER_MS ? runAfterLong : runAfter)(delayMs, run),
};

function runAfter(delayMs: number, run: () => void): Timer {
  const timer = setTimeout(run, Math.max(0, Math.ceil(delayMs)));
  return {
    cancel: () => {
      clearTimeout(timer);
    },
    unref: () => {
      timer.unref();
    },
  };
}

/** One timer of Node after the other, until what is left is short enough for the last. */
function runAfterLong(delayMs: number, run: () => void): Timer {
  let isUnreferenced = false;
  let current = runAfter(LONGEST_TIMER_MS, () => {
    current = processClock.after(delayMs - LONGEST_TIMER_MS, run);
    if (isUnreferenced) current.unref();
  });
  return {
    cancel: () => {
      current.cancel();
    },
    unref: () => {
      isUnreferenced = true;
      current.unref();
    },
  };
}
