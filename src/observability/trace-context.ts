import { randomUUID } from 'node:crypto';

/** The place of a call in a distributed trace (W3C Trace Context). */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the span that the next one is a child of. */
  readonly spanId: string;
  /** The flags; the lowest bit says that the trace is sampled. */
  readonly flags: number;
  /** As the vendors wrote it; passed on unread. */
  readonly traceState: string | undefined;
}

/** What daprd sends where a client's own header is no trace context. */
export const NO_TRACE: TraceContext = {
  traceId: '0'.repeat(32),
  spanId: '0'.repeat(16),
  flags: 0,
  traceState: undefined,
};

const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** Reads a `traceparent`; undefined where it is none. A later version is read as version 00. */
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

/** The fields of `grpc-trace-bin` (OpenCensus binary encoding): version, then each with its number. */
const BINARY_LENGTH = 29;

/** Reads a `grpc-trace-bin`; undefined where it is none. */
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
 * Makes a trace that nobody samples: it ties a client's log to ours where nothing is exported. Its
 * ids are random UUIDs, the span's the second half of one; neither is ever all zeros, which W3C
 * Trace Context forbids.
 */
export function createUnsampledTrace(): TraceContext {
  return { traceId: createId(), spanId: createId().slice(16), flags: 0, traceState: undefined };
}

/** 16 bytes in hexadecimal digits. */
function createId(): string {
  return randomUUID().replaceAll('-', '');
}
