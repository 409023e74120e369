import { randomUUID } from 'node:crypto';

/** The place of a call in a distributed trace (W3C Trace Context). */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the span that the next one is a child of. */
  readonly spanId: string;
  /** The flags. The lowest bit means that the trace is sampled. */
  readonly flags: number;
  /** The vendors' text, forwarded unchanged. */
  readonly traceState: string | undefined;
}

/** The context that daprd sends if the client's header is invalid. */
export const NO_TRACE: TraceContext = {
  traceId: '0'.repeat(32),
  spanId: '0'.repeat(16),
  flags: 0,
  traceState: undefined,
};

const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** Reads a `traceparent`. Undefined if it is invalid. A later version is read as version 00. */
export function parseTraceparent(header: string, traceState?: string): TraceContext | undefined {
  const match = TRACEPARENT.exec(header.trim());
  if (match === null) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (traceId === NO_TRACE.traceId || spanId === NO_TRACE.spanId) return undefined;
  return { traceId, spanId, flags: parseInt(flags, 16) & 1, traceState };
}

/** Writes a `traceparent` of version 00. */
export function toTraceparent({ traceId, spanId, flags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}

/**
 * The length of a `grpc-trace-bin` (OpenCensus binary encoding): a version, then fields with their
 * numbers.
 */
const BINARY_LENGTH = 29;

/** Reads a `grpc-trace-bin`. Undefined if it is invalid. */
export function parseTraceBin(bytes: Buffer): TraceContext | undefined {
  if (bytes.length < BINARY_LENGTH || bytes[0] !== 0 || bytes[1] !== 0) return undefined;
  if (bytes[18] !== 1 || bytes[27] !== 2) return undefined;
  const [traceId, spanId] = [bytes.toString('hex', 2, 18), bytes.toString('hex', 19, 27)];
  if (traceId === NO_TRACE.traceId || spanId === NO_TRACE.spanId) return undefined;
  return { traceId, spanId, flags: (bytes[28] ?? 0) & 1, traceState: undefined };
}

/** Writes a `grpc-trace-bin`. */
export function toTraceBin({ traceId, spanId, flags }: TraceContext): Buffer {
  const bytes = Buffer.allocUnsafe(BINARY_LENGTH);
  bytes[0] = 0;
  bytes[1] = 0;
  bytes.write(traceId, 2, 'hex');
  bytes[18] = 1;
  bytes.write(spanId, 19, 'hex');
  bytes[27] = 2;
  bytes[28] = flags;
  return bytes;
}

/**
 * Creates a trace that is not sampled. It connects a client's log with ours if nothing is exported.
 * Its id is a random UUID, and the id of its only span is the second half of that. So neither is
 * ever all zeros, which W3C Trace Context forbids.
 */
export function createUnsampledTrace(): TraceContext {
  const traceId = randomUUID().replaceAll('-', '');
  return { traceId, spanId: traceId.slice(16), flags: 0, traceState: undefined };
}
