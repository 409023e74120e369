import type { Frame } from './frame-reader';
import type { Outbox } from './outbox';
import { toNumber } from './payloads';
import { CODE, ConnectionError, FLAG, FRAME, MOST_31_BITS } from './protocol';
import type { Sender } from './sender';
import { FIRST_PEER_SETTINGS, readSettings, writeSettings } from './settings';
import type { Streams } from './streams';

const PING_BYTES = 8;

/** The shortest GOAWAY: the last stream and the code (RFC 9113, 6.8). */
const GOAWAY_BYTES = 8;

const EMPTY = Buffer.alloc(0);

/** The frames that concern a connection as a whole, in both directions. */
export class ControlFrames {
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #streams: Streams;
  #peer = FIRST_PEER_SETTINGS;
  /** Called when the client acknowledges settings: one for each frame, in order. */
  readonly #sentSettings: ((() => void) | undefined)[] = [];
  /** Called with the answers to PINGs, in order. */
  readonly #pings: (() => void)[] = [];

  constructor(parts: {
    readonly outbox: Outbox;
    readonly sender: Sender;
    readonly streams: Streams;
  }) {
    this.#outbox = parts.outbox;
    this.#sender = parts.sender;
    this.#streams = parts.streams;
  }

  /** Receives a frame that is neither DATA, RST_STREAM nor part of a header block. */
  receive(frame: Frame): void {
    switch (frame.type) {
      case FRAME.priority:
        this.#streams.receivePriority(frame);
        return;
      case FRAME.settings:
        this.#receiveSettings(frame);
        return;
      case FRAME.pushPromise:
        // RFC 9113, 8.4.
        throw new ConnectionError(CODE.protocolError, 'PUSH_PROMISE from a client');
      case FRAME.ping:
        this.#receivePing(frame);
        return;
      case FRAME.goaway:
        // The client's last requests are answered; it ends the connection.
        assertOnConnection(frame, frame.payload.length >= GOAWAY_BYTES);
        return;
      case FRAME.windowUpdate:
        this.#receiveWindowUpdate(frame);
        return;
      // Frames of other types are ignored (RFC 9113, 5.5).
    }
  }

  /** Sends settings (RFC 9113, 6.5). */
  sendSettings(
    settings: readonly (readonly [id: number, value: number])[],
    onAcknowledged?: () => void,
  ): void {
    this.#sentSettings.push(onAcknowledged);
    const head = { type: FRAME.settings, flags: 0, streamId: 0 };
    this.#outbox.addFrame(head, writeSettings(settings));
  }

  /** Sends a PING (RFC 9113, 6.7). */
  sendPing(onAnswer: () => void): void {
    this.#pings.push(onAnswer);
    const head = { type: FRAME.ping, flags: 0, streamId: 0 };
    this.#outbox.addFrame(head, Buffer.alloc(PING_BYTES));
  }

  /** Sends GOAWAY (RFC 9113, 6.8). */
  sendGoaway(lastId: number, code: number): void {
    const payload = Buffer.alloc(GOAWAY_BYTES);
    payload.writeUInt32BE(lastId, 0);
    payload.writeUInt32BE(code, 4);
    this.#outbox.addFrame({ type: FRAME.goaway, flags: 0, streamId: 0 }, payload);
  }

  /** RFC 9113, 6.5. */
  #receiveSettings(frame: Frame): void {
    const isAck = (frame.flags & FLAG.ack) !== 0;
    assertOnConnection(frame, !isAck || frame.payload.length === 0);
    if (isAck) {
      this.#sentSettings.shift()?.();
      return;
    }
    this.#peer = readSettings(frame.payload, this.#peer);
    // Before the content for which they may make room: it is sent immediately (RFC 9113, 6.5.3).
    this.#outbox.addFrame({ type: FRAME.settings, flags: FLAG.ack, streamId: 0 }, EMPTY);
    this.#streams.setPeerWindow(this.#peer.initialWindowSize);
  }

  /** RFC 9113, 6.7. */
  #receivePing(frame: Frame): void {
    assertOnConnection(frame, frame.payload.length === PING_BYTES);
    if ((frame.flags & FLAG.ack) !== 0) this.#pings.shift()?.();
    else this.#outbox.addFrame({ type: FRAME.ping, flags: FLAG.ack, streamId: 0 }, frame.payload);
  }

  /** RFC 9113, 6.9. */
  #receiveWindowUpdate(frame: Frame): void {
    const bytes = toNumber(frame) & MOST_31_BITS;
    if (frame.streamId !== 0) this.#streams.openWindow(frame.streamId, bytes);
    else if (bytes > 0) this.#sender.open(bytes);
    else throw new ConnectionError(CODE.protocolError, 'WINDOW_UPDATE by nothing');
  }
}

/** Frames of the connection have stream 0, and the length of their type. */
function assertOnConnection({ streamId, type, payload }: Frame, hasRightLength: boolean): void {
  if (streamId !== 0) {
    throw new ConnectionError(CODE.protocolError, `a frame of type ${type} on stream ${streamId}`);
  }
  if (hasRightLength) return;
  const reason = `a frame of type ${type} with ${payload.length} bytes`;
  throw new ConnectionError(CODE.frameSizeError, reason);
}
