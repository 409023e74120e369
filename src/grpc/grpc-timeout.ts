import type { IncomingHttpHeaders } from 'node:http2';

/** Milliseconds in each unit of `grpc-timeout` (gRPC over HTTP/2, Requests). */
const TIMEOUT_UNITS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** The longest timer of Node, about 24.8 days. grpc-js also truncates timeouts to 32 bits. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Removes a deadline of more than 24.8 days from a request. grpc-js keeps only the low 32 bits of
 * `grpc-timeout`, so it would end a call with a deadline of 30 days at once.
 */
export function dropEndlessDeadline(headers: IncomingHttpHeaders): void {
  const timeout = headers['grpc-timeout'];
  if (typeof timeout === 'string' && toMilliseconds(timeout) > LONGEST_TIMEOUT_MS) {
    delete headers['grpc-timeout'];
  }
}

/** The value of `grpc-timeout` in milliseconds. Undefined if it has another form. */
export function parseTimeout(timeout: string): number | undefined {
  const match = /^(\d{1,8}) *([HMSmun])$/.exec(timeout);
  return match === null ? undefined : Number(match[1]) * (TIMEOUT_UNITS[match[2] ?? ''] ?? 0);
}

function toMilliseconds(timeout: string): number {
  return parseTimeout(timeout) ?? 0;
}

/**
 * Calls back when the deadline of a call passes. A call without a deadline, or with one beyond the
 * longest timer, has none here.
 *
 * @returns a function that removes the timer
 */
export function whenDeadlinePasses(headers: IncomingHttpHeaders, onPassed: () => void): () => void {
  const timeout = headers['grpc-timeout'];
  if (typeof timeout !== 'string') return () => undefined;
  const afterMs = toMilliseconds(timeout);
  if (afterMs > LONGEST_TIMEOUT_MS) return () => undefined;
  const timer = setTimeout(onPassed, afterMs);
  return () => {
    clearTimeout(timer);
  };
}
