import {
  CODE,
  ConnectionError,
  FIRST_WINDOW_BYTES,
  LEAST_MAX_FRAME_BYTES,
  MOST_31_BITS,
  SETTING,
} from './protocol';

/** Length of one setting: its identifier and its value (RFC 9113, 6.5.1). */
const SETTING_BYTES = 6;

/** The largest value of SETTINGS_MAX_FRAME_SIZE (RFC 9113, 6.5.2). */
const MOST_FRAME_BYTES = 2 ** 24 - 1;

/** The settings of the peer that change what it is sent. The others need nothing of a server. */
export interface PeerSettings {
  /** The window of its streams, in bytes. */
  readonly initialWindowSize: number;
}

/** The settings before the peer has sent any (RFC 9113, 6.5.2). */
export const FIRST_PEER_SETTINGS: PeerSettings = { initialWindowSize: FIRST_WINDOW_BYTES };

/**
 * Reads the payload of a SETTINGS frame. Of a setting that occurs several times the last value
 * counts, so that a frame costs one pass over the streams at most.
 *
 * @throws {ConnectionError} for a value that is not allowed, or a payload of another length
 */
export function readSettings(payload: Buffer, before: PeerSettings): PeerSettings {
  if (payload.length % SETTING_BYTES !== 0) {
    throw new ConnectionError(CODE.frameSizeError, 'SETTINGS that end within a setting');
  }
  let settings = before;
  for (let at = 0; at < payload.length; at += SETTING_BYTES) {
    const value = payload.readUInt32BE(at + 2);
    assertAllowed(payload.readUInt16BE(at), value);
    if (payload.readUInt16BE(at) === SETTING.initialWindowSize) {
      settings = { initialWindowSize: value };
    }
  }
  return settings;
}

/** RFC 9113, 6.5.2. Identifiers that are not known are ignored. */
function assertAllowed(id: number, value: number): void {
  if (id === SETTING.enablePush && value > 1) {
    throw new ConnectionError(CODE.protocolError, `SETTINGS_ENABLE_PUSH is ${value}`);
  }
  if (id === SETTING.initialWindowSize && value > MOST_31_BITS) {
    throw new ConnectionError(CODE.flowControlError, `SETTINGS_INITIAL_WINDOW_SIZE is ${value}`);
  }
  if (id === SETTING.maxFrameSize && (value < LEAST_MAX_FRAME_BYTES || value > MOST_FRAME_BYTES)) {
    throw new ConnectionError(CODE.protocolError, `SETTINGS_MAX_FRAME_SIZE is ${value}`);
  }
}

/** Writes the payload of a SETTINGS frame. */
export function writeSettings(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * SETTING_BYTES);
  for (const [index, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, index * SETTING_BYTES);
    payload.writeUInt32BE(value, index * SETTING_BYTES + 2);
  }
  return payload;
}
