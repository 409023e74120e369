import type { CancelSignal } from './cancellation';
import { type Clock, processClock } from './clock';

/** What ends a wait: a time, a signal, or whichever comes first. Without either there is no end. */
export interface Limit {
  /** How long the wait may take, in milliseconds; without it only signals end the wait. */
  readonly afterMs?: number | undefined;
  /** Each of them ends the wait when it aborts; one that has aborted already ends it at once. */
  readonly signals?: readonly CancelSignal[];
  /** The clock of `afterMs`; the process's own by default. */
  readonly clock?: Clock;
}

/** Is called when a limit is over: with the signal that aborted, or undefined where time ran out. */
export type OnOver<T> = (aborted: CancelSignal | undefined) => T;

/**
 * Calls back once, when a limit is over; before it returns where a signal has aborted already.
 *
 * @returns gives the timer and the listeners back, after which nothing is called any more. Call it
 *   when the wait ends otherwise: a signal may live as long as the sidecar.
 */
export function whenOver(limit: Limit, onOver: OnOver<void>): () => void {
  const { afterMs, signals = [], clock = processClock } = limit;
  const aborted = signals.find((signal) => signal.aborted);
  if (aborted !== undefined) {
    onOver(aborted);
    return () => undefined;
  }
  const end = (signal?: CancelSignal): void => {
    release();
    onOver(signal);
  };
  const listeners = signals.map((signal) => ({ signal, listener: end.bind(undefined, signal) }));
  for (const { signal, listener } of listeners) signal.addEventListener('abort', listener);
  const timer = afterMs === undefined ? undefined : clock.after(afterMs, end);
  const release = (): void => {
    timer?.close();
    for (const { signal, listener } of listeners) signal.removeEventListener('abort', listener);
  };
  return release;
}

/**
 * Waits for work, but only until a limit is over. Work that has ended by then counts, even where a
 * signal had aborted before the call. What later becomes of the work is dropped, a failure included.
 *
 * @param otherwise gives the result where the limit is over first; it may throw
 */
export async function race<T, U>(
  work: Promise<T>,
  limit: Limit,
  otherwise: OnOver<U | Promise<U>>,
): Promise<T | U> {
  let release: () => void = () => undefined;
  const over = new Promise<CancelSignal | undefined>((resolve) => {
    release = whenOver(limit, resolve);
  });
  try {
    const toResult = await Promise.race([
      work.then((value) => () => value),
      over.then((aborted) => () => otherwise(aborted)),
    ]);
    return await toResult();
  } finally {
    release();
  }
}

/**
 * Runs something under a signal that aborts when a limit is over: with the reason of the signal
 * that aborted, or as `AbortSignal.timeout` does. It is waited for all the same.
 *
 * Not AbortSignal.any over AbortSignal.timeout: in Node 20 such a signal can be collected as garbage
 * before it aborts, and then it never does.
 */
export async function runWithin<T>(
  limit: Limit,
  run: (over: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const release = whenOver(limit, (aborted) => {
    over.abort(aborted === undefined ? timeoutReason() : aborted.reason);
  });
  try {
    return await run(over.signal);
  } finally {
    release();
  }
}

/** Lets time pass, until a signal aborts; never rejects, as what comes next looks at the signal. */
export function pauseWithin(limit: Limit): Promise<void> {
  return new Promise((resolve) => {
    whenOver(limit, () => {
      resolve();
    });
  });
}

function timeoutReason(): DOMException {
  return new DOMException('The operation was aborted due to timeout', 'TimeoutError');
}
