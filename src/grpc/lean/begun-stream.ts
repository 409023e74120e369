import type { OutgoingHttpHeaders } from 'node:http2';

import { encodeFields } from '../../http2/hpack-encoder';
import { CODE } from '../../http2/protocol';
import type { ServerStream, StreamListener } from '../../http2/server-stream';
import type { ByteAccount } from '../../servers/byte-budget';
import type { BegunCall, Client } from '../call-gate';
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
 * is one, and the connection.
 */
export class BegunStream implements StreamListener, Client, BegunCall {
  readonly stream: ServerStream;
  readonly headers: BegunCall['headers'];
  readonly headerBytes: number;
  readonly budget: BegunCall['budget'];
  /** See {@link BegunCall}. */
  account?: ByteAccount;
  /** Undefined for a refused call, whose content is dropped. */
  receiver: Receiver | undefined;
  readonly #onClosed: (code: number) => void;
  #onGone: (() => void) | undefined;

  constructor(
    stream: ServerStream,
    options: Pick<BegunCall, 'headers' | 'headerBytes' | 'budget'> & {
      /** Called when the stream is over, after all others. */
      readonly onClosed: (code: number) => void;
    },
  ) {
    this.stream = stream;
    this.headers = options.headers;
    this.headerBytes = options.headerBytes;
    this.budget = options.budget;
    this.#onClosed = options.onClosed;
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
    this.#onClosed(code);
  }
}
