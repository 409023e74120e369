import type { ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';

import { type SilenceLimits, SilenceWatch, type Watched } from './silence-watch';

/**
 * Calls after which a connection is replaced. A client's stream ids end at 2^31 (RFC 9113, 5.1.1),
 * which is a few days of many calls.
 */
const MOST_CALLS = 2 ** 29;

/** One HTTP/2 connection to the upstream, and what is known of it. */
export class PooledSession implements Watched {
  readonly session: ClientHttp2Session;
  readonly silence: SilenceWatch;
  /** The streams that are open or about to be. */
  streams = 0;
  readonly #socket: Socket;
  #calls = 0;
  #acknowledged: Promise<void> | undefined;

  constructor(session: ClientHttp2Session, socket: Socket, limits: SilenceLimits) {
    this.session = session;
    this.#socket = socket;
    this.silence = new SilenceWatch(this, limits);
  }

  /** True for a connection that takes new calls. Node closes it for these at a GOAWAY. */
  get isUsable(): boolean {
    return !this.session.closed && !this.session.destroyed && !this.silence.isSilent;
  }

  /** True if the upstream allows one more stream now. */
  get hasRoom(): boolean {
    const { maxConcurrentStreams = Infinity } = this.session.remoteSettings;
    if (this.#calls >= MOST_CALLS && this.isUsable) this.session.close();
    return this.isUsable && this.streams < maxConcurrentStreams;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** Counts a call. */
  use(): void {
    this.streams += 1;
    this.#calls += 1;
  }

  ask(): void {
    this.acknowledged().catch(() => undefined);
  }

  /**
   * Resolves when the upstream has acknowledged settings, which every HTTP/2 peer must do (RFC 9113,
   * 6.5.3). A call would need a stream and a token, and a daprd would log it. grpc-go closes a
   * connection on which it gets many PINGs. Many questions at a time are one.
   *
   * @throws {Error} if the connection ends
   */
  acknowledged(): Promise<void> {
    this.#acknowledged ??= new Promise<void>((resolve, reject) => {
      const { session } = this;
      const lose = (): void => {
        reject(new Error('it closed the connection'));
      };
      if (session.destroyed) {
        lose();
        return;
      }
      session.once('close', lose);
      session.settings({}, () => {
        this.#acknowledged = undefined;
        session.off('close', lose);
        resolve();
      });
    });
    return this.#acknowledged;
  }

  end(reason: Error): void {
    this.session.destroy(reason);
  }
}
