/**
 * The HTTP/2 connection below the calls of a client, as far as calls need it. It is that of
 * node:http2, or our own (lean/lean-session.ts).
 */
export interface CallSession {
  /** True once no more calls are accepted. */
  readonly closed: boolean;
  readonly destroyed: boolean;
  /** Sends GOAWAY (RFC 9113, 6.8). */
  goaway(code?: number, lastStreamId?: number): void;
  /** Accepts no more calls, and ends with the last one. */
  close(): void;
  settings(settings: { readonly maxConcurrentStreams: number }, onAcknowledged: () => void): void;
  /** Returns false if no PING was sent. */
  ping(answered: (error: Error | null, durationMs: number, payload: Buffer) => void): boolean;
}
