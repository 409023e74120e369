/** The octets that a client sends before its first frame (RFC 9113, 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Length of the header of a frame, in bytes (RFC 9113, 4.1). */
export const FRAME_HEADER_BYTES = 9;

/**
 * The longest payload of a frame that both sides accept in any case, in bytes (RFC 9113, 4.2). This
 * server announces no other size: a frame is kept until it is complete.
 */
export const LEAST_MAX_FRAME_BYTES = 16_384;

/** The highest id of a stream, and the largest window (RFC 9113, 5.1.1 and 6.9.1). */
export const MOST_31_BITS = 2 ** 31 - 1;

/** The window of a stream and of a connection at first, in bytes (RFC 9113, 6.9.2). */
export const FIRST_WINDOW_BYTES = 65_535;

/** Types of frames (RFC 9113, 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags of frames (RFC 9113, 6). ACK and END_STREAM have the same bit, in frames of different types. */
export const FLAG = {
  ack: 0x1,
  endStream: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** Identifiers of settings (RFC 9113, 6.5.2). */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** Error codes of RST_STREAM and GOAWAY (RFC 9113, 7). */
export const CODE = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

/**
 * The peer broke a rule that ends its connection (RFC 9113, 5.4.1), or has used up a bound. It is
 * sent GOAWAY with the code; the message is for logs.
 */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';

  /** @param code one of {@link CODE}; INTERNAL_ERROR has the fault as its cause */
  constructor(
    readonly code: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
