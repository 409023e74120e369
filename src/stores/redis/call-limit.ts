import { toEndReason } from '../../lock/call-policy';

/** What ended a call's time: its own limit, or the caller, who has gone. */
export type LimitReason = 'timeout' | 'gone';

/** The time that a call has. */
export interface CallLimit {
  readonly timeoutMs: number;
  /** When it is over at the latest, on the clock of `performance.now()`. */
  readonly endsAtMs: number;
  /** Resolves, never rejects, when the time is over. */
  readonly over: Promise<LimitReason>;
  /** Why the caller has gone. */
  readonly goneReason: () => string;
  /** Gives timer and listener back; `over` then stays pending. */
  clear(): void;
}

/** Starts the time of a call: over after so many milliseconds or when the signal aborts. */
export function startCallLimit(options: {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): CallLimit {
  const { signal } = options;
  const timeoutMs = Math.max(1, Math.round(options.timeoutMs));
  const endsAtMs = performance.now() + timeoutMs;
  let clear = (): void => undefined;
  const over = new Promise<LimitReason>((resolve) => {
    const timer = setTimeout(resolve, timeoutMs, 'timeout');
    const onAbort = (): void => {
      resolve('gone');
    };
    signal.addEventListener('abort', onAbort, { once: true });
    clear = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
  });
  return { timeoutMs, endsAtMs, over, goneReason: () => toEndReason(signal), clear };
}
