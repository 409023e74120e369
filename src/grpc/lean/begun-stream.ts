import type { OutgoingHttpHeaders } from 'node:http2';

import { encodeFields } from '../../http2/hpack-encoder';
import { CODE } from '../../http2/protocol';
import type { ServerStream, StreamListener } from '../../http2/server-stream';
import type { ByteAccount } from '../../servers/byte-budget';
import type { BegunCall, Client } from '../call-gate';
import type { Connection } from '../connection';
import { toFields } from './answer-blocks';

/** Receives the events of an admitted call's stream: see {@link StreamListener}. */
export interface Receiver {
  data(bytes: Buffer): void;
  ended(): void;
  drained(): void;
  closed(code: number): void;
}

/**
 * A stream whose headers have arrived, before and after it is admitted. It tells the call, if there
 * is one, and then the connection, which counts it.
 */
export class BegunStream implements StreamListener, Client, BegunCall {
  readonly stream: ServerStream;
  readonly headers: BegunCall['headers'];
  readonly headerBytes: number;
  readonly #connection: Connection;
  readonly #begunIn: number;
  readonly #isEventStream: boolean;
  /** See {@link BegunCall}. */
  account?: ByteAccount;
  /** Undefined for a refused call, whose content is dropped. */
  receiver: Receiver | undefined;
  #onGone: (() => void) | undefined;

  constructor(
    stream: ServerStream,
    options: Pick<BegunCall, 'headers' | 'headerBytes'> & {
      readonly connection: Connection;
      /** The turn of the event loop. */
      readonly begunIn: number;
      readonly isEventStream: boolean;
    },
  ) {
    this.stream = stream;
    this.headers = options.headers;
    this.headerBytes = options.headerBytes;
    this.#connection = options.connection;
    this.#begunIn = options.begunIn;
    this.#isEventStream = options.isEventStream;
  }

  /** See {@link BegunCall}. */
  get budget(): BegunCall['budget'] {
    return this.#connection.budget;
  }

  /** See {@link BegunCall}. */
  get client(): Client {
    return this;
  }

  refuse(headers: OutgoingHttpHeaders): void {
    this.stream.respond(encodeFields(toFields(headers)), { isEnd: true });
  }

  evict(): void {
    this.stream.reset(CODE.enhanceYourCalm);
  }

  whenGone(listener: () => void): void {
    this.#onGone = listener;
  }

  data(bytes: Buffer): void {
    if (this.receiver === undefined) this.stream.consume(bytes.length);
    else this.receiver.data(bytes);
  }

  ended(): void {
    this.receiver?.ended();
  }

  drained(): void {
    this.receiver?.drained();
  }

  closed(code: number): void {
    this.receiver?.closed(code);
    this.#onGone?.();
    this.account?.settle();
    if (this.#isEventStream) this.#connection.eventStreams -= 1;
    this.#connection.ended(code, this.#begunIn);
  }
}
