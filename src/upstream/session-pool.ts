import { type ClientHttp2Session, connect } from 'node:http2';
import type { SecureContext } from 'node:tls';

import { CONNECT_TIMEOUT_MS, connectSocket, describeConnectError } from './connect-socket';
import type { UpstreamEndpoint } from './endpoint';
import type { Reconnection } from './reconnection';
import { upstreamErrors } from './upstream-error';

/**
 * The most connections to the upstream. A second one is opened only if the first one has as many
 * streams as the upstream allows.
 */
const MOST_SESSIONS = 16;

/**
 * Calls after which a connection is replaced. A client's stream ids end at 2^31 (RFC 9113, 5.1.1),
 * which is a few days of many calls.
 */
const MOST_CALLS = 2 ** 29;

/** True for a connection that takes new calls. Node closes it for these at a GOAWAY. */
function isUsable(session: ClientHttp2Session): boolean {
  return !session.closed && !session.destroyed;
}

/** The options of {@link SessionPool}. */
export interface SessionPoolOptions {
  readonly endpoint: UpstreamEndpoint;
  readonly reconnection: Reconnection;
  readonly secureContext: () => SecureContext;
}

/**
 * The HTTP/2 connections to the upstream. They are opened by the calls that need them, and stay
 * open. A connection that the upstream is closing (GOAWAY) takes no new calls.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #sessions = new Set<ClientHttp2Session>();
  readonly #uses = new WeakMap<ClientHttp2Session, { streams: number; calls: number }>();
  #connecting: Promise<void> | undefined;
  #opening: ClientHttp2Session | undefined;
  #isClosed = false;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /** The endpoint as errors show it. */
  get endpoint(): string {
    return this.#options.endpoint.shown;
  }

  /** The name of the upstream for `:authority`. Undefined if the client's own is to be kept. */
  get authority(): string | undefined {
    const { isTls, shown } = this.#options.endpoint;
    return isTls ? shown.replace('https://', '') : undefined;
  }

  /** The value of `:scheme`. */
  get scheme(): 'http' | 'https' {
    return this.#options.endpoint.isTls ? 'https' : 'http';
  }

  /**
   * Takes room for a stream on a connection. Undefined if there is none at the moment. Call
   * {@link give} when the stream has closed, or is not opened.
   */
  take(): ClientHttp2Session | undefined {
    for (const session of this.#sessions) if (this.#hasRoom(session)) return this.#use(session);
    return undefined;
  }

  /**
   * Like {@link take}, but opens a connection if there is none, or waits for one that is being
   * opened. If as many are open as there may be, the stream waits on one of them until others end.
   *
   * @throws {UpstreamError} `unavailable`
   */
  async open(): Promise<ClientHttp2Session> {
    for (;;) {
      const taken = this.take();
      if (taken !== undefined) return taken;
      const usable = [...this.#sessions].filter(isUsable);
      const [first] = usable;
      if (first !== undefined && usable.length >= MOST_SESSIONS) return this.#use(first);
      await this.#openOne();
    }
  }

  /** Gives back the room that was taken for a stream. */
  give(session: ClientHttp2Session): void {
    this.#useOf(session).streams -= 1;
  }

  /** Ends all connections and the calls on them. */
  close(): void {
    this.#isClosed = true;
    this.#opening?.destroy();
    for (const session of this.#sessions) session.destroy();
  }

  #openOne(): Promise<void> {
    const { endpoint, reconnection } = this.#options;
    if (this.#isClosed) throw upstreamErrors.unavailable(endpoint.shown, 'Holdfast is stopping');
    if (this.#connecting === undefined) {
      if (!reconnection.mayTry()) {
        throw upstreamErrors.unavailable(endpoint.shown, reconnection.reason ?? 'it is away');
      }
      this.#connecting = this.#connect().finally(() => {
        this.#connecting = undefined;
      });
    }
    return this.#connecting;
  }

  #use(session: ClientHttp2Session): ClientHttp2Session {
    const use = this.#useOf(session);
    use.streams += 1;
    use.calls += 1;
    return session;
  }

  #hasRoom(session: ClientHttp2Session): boolean {
    const { maxConcurrentStreams = Infinity } = session.remoteSettings;
    const { streams, calls } = this.#useOf(session);
    if (calls >= MOST_CALLS && isUsable(session)) session.close();
    return isUsable(session) && streams < maxConcurrentStreams;
  }

  #useOf(session: ClientHttp2Session): { streams: number; calls: number } {
    const use = this.#uses.get(session) ?? { streams: 0, calls: 0 };
    this.#uses.set(session, use);
    return use;
  }

  async #connect(): Promise<void> {
    const { endpoint, reconnection } = this.#options;
    try {
      await this.#begin();
      reconnection.succeeded();
    } catch (error) {
      const reason = describeConnectError(error);
      reconnection.failed(reason);
      throw upstreamErrors.unavailable(endpoint.shown, reason);
    }
  }

  /** Resolves when the upstream has sent its settings, so that it does speak HTTP/2. */
  #begin(): Promise<void> {
    const { endpoint, secureContext } = this.#options;
    return new Promise((resolve, reject) => {
      const session = connect(`${this.scheme}://upstream`, {
        createConnection: () => connectSocket(endpoint, { alpn: 'h2', secureContext }),
        settings: { enablePush: false },
        // Each stream is bounded by its window, and their number by --max-upstream-calls.
        maxSessionMemory: Number.MAX_SAFE_INTEGER,
      });
      this.#opening = session;
      const timer = setTimeout(() => {
        session.destroy(new Error('it did not begin to speak HTTP/2 in time'));
      }, CONNECT_TIMEOUT_MS);
      session.once('remoteSettings', () => {
        clearTimeout(timer);
        this.#add(session);
        resolve();
      });
      session.on('error', reject);
      session.once('close', () => {
        clearTimeout(timer);
        this.#sessions.delete(session);
        reject(new Error('it closed the connection'));
      });
    });
  }

  #add(session: ClientHttp2Session): void {
    this.#sessions.add(session);
    if (this.#isClosed) session.destroy();
  }
}
