/** A timer that was started. */
export interface Timer {
  /** Stops it; has no effect once it has run. */
  close(): unknown;
}

/** Time as this room needs it; a simulation gives its own. */
export interface Clock {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Runs something once, after 0 to 2^31-1 milliseconds and never before this returns. */
  after(delayMs: number, run: () => void): Timer;
}

/** The clock of the process. Its timers keep the process alive until they have run or are closed. */
export const processClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, run) => setTimeout(run, delayMs),
};
