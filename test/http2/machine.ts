import { type ConnectionBounds, DEFAULT_BOUNDS } from '../../src/http2/bounds';
import { encodeFields } from '../../src/http2/hpack-encoder';
import { HuffmanDecoder } from '../../src/http2/huffman';
import type { ConnectionError } from '../../src/http2/protocol';
import { ServerConnection } from '../../src/http2/server-connection';
import type { ServerStream } from '../../src/http2/server-stream';

/** A frame that the server has sent. */
export interface SentFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

const huffman = new HuffmanDecoder();

/** The fields of the answers that tests send. */
export const OK = encodeFields([':status', '200']);

/** A connection without a socket, and all that it tells and sends. */
export class Machine {
  /** The events, in order, one line each. */
  readonly events: string[] = [];
  readonly streams = new Map<number, ServerStream>();
  readonly connection: ServerConnection;
  /** The time in milliseconds. */
  nowMs = 0;
  error: ConnectionError | undefined;
  /** Called when content has arrived, after it was noted. */
  onData: () => void = () => undefined;
  #sent = Buffer.alloc(0);

  /** @param onRequest called for each request, after it was noted */
  constructor(
    bounds: Partial<ConnectionBounds> = {},
    onRequest: (stream: ServerStream) => void = () => undefined,
  ) {
    this.connection = new ServerConnection({
      huffman,
      bounds: { ...DEFAULT_BOUNDS, ...bounds },
      now: () => this.nowMs,
      listener: {
        request: (stream) => {
          this.streams.set(stream.id, stream);
          this.#note(stream, `request ${stream.head.list.fields.join(' ')}`);
          onRequest(stream);
          return {
            data: (bytes) => {
              this.#note(stream, `data ${bytes.toString('hex')}`);
              stream.consume(bytes.length);
              this.onData();
            },
            ended: (trailers) => {
              this.#note(stream, `ended ${trailers?.fields.join(' ') ?? ''}`);
            },
            drained: () => {
              this.#note(stream, 'drained');
            },
            closed: (code) => {
              this.#note(stream, `closed ${code}`);
            },
          };
        },
        outputReady: () => undefined,
        closed: (error) => {
          this.error = error;
          this.events.push(`over ${error?.code ?? ''}`);
        },
      },
    });
  }

  /** Sends bytes to the server, in pieces of so many bytes. */
  receive(bytes: Buffer, pieceBytes = Infinity): this {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      this.connection.receive(bytes.subarray(at, at + pieceBytes));
    }
    return this;
  }

  /** The frames that were sent since the last call. */
  takeFrames(): readonly SentFrame[] {
    this.#sent = Buffer.concat([this.#sent, ...this.connection.takeOutput()]);
    const frames: SentFrame[] = [];
    while (this.#sent.length >= 9) {
      const end = 9 + this.#sent.readUIntBE(0, 3);
      frames.push({
        type: this.#sent[3]!,
        flags: this.#sent[4]!,
        streamId: this.#sent.readUInt32BE(5),
        payload: this.#sent.subarray(9, end),
      });
      this.#sent = this.#sent.subarray(end);
    }
    return frames;
  }

  #note({ id }: ServerStream, what: string): void {
    this.events.push(`${id} ${what}`);
  }
}
