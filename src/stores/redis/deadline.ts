/**
 * Runs a function with a signal that aborts after a time in milliseconds, or when one of the given
 * signals aborts. It does not use AbortSignal.any with AbortSignal.timeout: in Node 20, such a
 * signal can be garbage collected before it aborts, and then never aborts.
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

/**
 * Resolves when a signal aborts. Listens until then, so use it only with a signal that ends with
 * its call.
 */
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
 * Waits for work until a signal aborts. Leaves no listener behind: the signal may live as long as
 * the sidecar, and Node warns about the eleventh listener.
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
