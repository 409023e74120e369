import { setMaxListeners } from 'node:events';

import type { CancelSignal } from './cancellation';
import { type Clock, processClock } from './clock';

/**
 * Limits a wait by a time, by signals or by both. The first of them ends the wait. Without any, the
 * wait has no limit.
 */
export interface Limit {
  /** Maximum duration of the wait in milliseconds. Without it, only signals end the wait. */
  readonly afterMs?: number | undefined;
  /** Signals that end the wait when they abort. One that has already aborted ends it at once. */
  readonly signals?: readonly CancelSignal[];
  /** The clock for `afterMs`. Default: the clock of the process. */
  readonly clock?: Clock;
}

/**
 * Called when a limit is reached: with the aborted signal, or with undefined if the time is over.
 */
export type OnOver<T> = (aborted: CancelSignal | undefined) => T;

/**
 * Calls back once when a limit is reached. If a signal has already aborted, it does so before it
 * returns.
 *
 * @returns a function that removes the timer and the listeners; no callback follows. Call it when
 * the wait ends for another reason, because a signal may live as long as the sidecar.
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
 * Waits for work until a limit is reached. Work that is finished at that moment counts, even if a
 * signal had already aborted before the call. Later results of the work are dropped, including
 * failures.
 *
 * @param otherwise provides the result if the limit is reached first; it may throw
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
 * Runs a function with a signal that aborts when a limit is reached. The abort reason is that of
 * the aborted signal, or that of `AbortSignal.timeout`. The result of the function is awaited in
 * any case.
 *
 * It does not use AbortSignal.any with AbortSignal.timeout: in Node 20, such a signal can be
 * garbage collected before it aborts, and then never aborts.
 */
export async function runWithin<T>(
  limit: Limit,
  run: (over: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  // A refresh of 2,500 queues listens 13 times. Node would warn about the eleventh listener.
  setMaxListeners(Infinity, over.signal);
  const release = whenOver(limit, (aborted) => {
    over.abort(aborted === undefined ? timeoutReason() : aborted.reason);
  });
  try {
    return await run(over.signal);
  } finally {
    release();
  }
}

/** Waits until a limit is reached. Never rejects; the caller checks the signal afterwards. */
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
