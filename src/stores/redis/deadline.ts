/**
 * Runs something under a signal that aborts after so many milliseconds or with any of the signals
 * given. Not AbortSignal.any over AbortSignal.timeout: in Node 20 such a signal can be collected as
 * garbage before it aborts, and then it never does.
 */
export async function withDeadline<T>(
  limits: { readonly timeoutMs: number; readonly signals: readonly AbortSignal[] },
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const abort = (): void => {
    over.abort();
  };
  const timer = setTimeout(abort, limits.timeoutMs);
  for (const signal of limits.signals) {
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
  }
  try {
    return await run(over.signal);
  } finally {
    clearTimeout(timer);
    for (const signal of limits.signals) signal.removeEventListener('abort', abort);
  }
}

/** Resolves once a signal has aborted; listens until then, so only for one that ends with its call. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const onAbort = (): void => {
      resolve();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Waits for something, but no longer than until a signal aborts. Leaves no listener behind: the
 * signal may live as long as the sidecar, and Node warns of the eleventh that is left.
 */
export async function untilAborted(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve;
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
