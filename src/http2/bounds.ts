import type { FloodBounds } from './flood-guard';

/** The bounds of one connection. A stream or the connection that exceeds a bound ends. */
export interface ConnectionBounds extends FloodBounds {
  /** Open streams; more are reset with REFUSED_STREAM (RFC 9113, 5.1.2). Infinity for no bound. */
  readonly maxStreams: number;
  /** Header fields of a request, in bytes, with 32 for each; longer ones are reset. */
  readonly maxHeaderListBytes: number;
  /** Content of one stream that is received and not consumed, in bytes. */
  readonly streamWindowBytes: number;
  /** The same for all streams together; at least 65,535. */
  readonly connectionWindowBytes: number;
  /** Answers that the client does not read, in bytes; with more the connection ends. */
  readonly maxQueuedBytes: number;
}

/** The bounds unless a server says otherwise. */
export const DEFAULT_BOUNDS: ConnectionBounds = {
  maxStreams: 1000,
  maxHeaderListBytes: 65_535,
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 1024 * 1024,
  maxQueuedBytes: 16 * 1024 * 1024,
  controlFrames: 10_000,
  hastyResets: 1000,
};
