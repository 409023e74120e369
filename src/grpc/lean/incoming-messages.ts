import { PREFIX_BYTES } from '../../base/grpc-frames';
import type { CallLimits } from '../call-gate';
import type { GrpcStatus } from '../grpc-status';
import { inflate } from '../inflate';
import { MessageReader } from '../message-reader';

/** Receives the messages of a call. */
export interface MessagesListener {
  message(bytes: Buffer): void;
  /** All messages have arrived. */
  complete(): void;
  /** The call has to end with a status. Nothing comes after it. */
  refuse(status: GrpcStatus): void;
}

/** The parts of {@link IncomingMessages}. */
export interface IncomingMessagesOptions {
  readonly limits: CallLimits;
  /** The call's `grpc-encoding` header. */
  readonly encoding: string;
  readonly listener: MessagesListener;
}

/**
 * The messages of a call, decompressed and in order. Most calls are not compressed, and their
 * messages are passed on as soon as they are complete.
 */
export class IncomingMessages {
  readonly #options: IncomingMessagesOptions;
  readonly #reader: MessageReader;
  readonly #take: (bytes: number) => boolean;
  /** Messages that are decompressed, and what waits behind them. */
  #last: Promise<void> | undefined;
  #isOver = false;

  constructor(options: IncomingMessagesOptions) {
    const { limits, encoding } = options;
    this.#options = options;
    this.#take = (bytes) => limits.account.take(bytes);
    this.#reader = new MessageReader({
      maxBytes: limits.maxBytes,
      keptBytes: limits.keptBytes,
      maxMessages: limits.maxMessages,
      encoding,
      take: this.#take,
      refuse: (status) => {
        this.#refuse(status);
      },
    });
  }

  /** Reads content of the request. */
  data(bytes: Buffer): void {
    if (this.#isOver) return;
    for (const message of this.#reader.write(bytes)) this.#receive(message);
  }

  /** The request is complete. */
  ended(): void {
    this.#next(() => {
      this.#options.listener.complete();
    });
  }

  /** The call is over: what is still decompressed is dropped. */
  drop(): void {
    this.#isOver = true;
  }

  #receive(message: Buffer): void {
    const content = message.subarray(PREFIX_BYTES);
    if (message[0] !== 1) {
      this.#next(() => {
        this.#options.listener.message(content);
      });
      return;
    }
    const { limits, encoding, listener } = this.#options;
    const { maxBytes } = limits;
    const unpacked = inflate(content, encoding, { maxBytes, take: this.#take });
    // A rejection is looked at in its turn.
    unpacked.catch(() => undefined);
    this.#last = (this.#last ?? Promise.resolve())
      .then(() => unpacked)
      .then(
        (bytes) => {
          if (!this.#isOver) listener.message(bytes);
        },
        (status: unknown) => {
          this.#refuse(status as GrpcStatus);
        },
      );
  }

  /** Goes on now, or after what is decompressed. */
  #next(run: () => void): void {
    const runUnlessOver = () => {
      if (!this.#isOver) run();
    };
    if (this.#last === undefined) runUnlessOver();
    else this.#last = this.#last.then(runUnlessOver);
  }

  #refuse(status: GrpcStatus): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.listener.refuse(status);
  }
}
