import type * as http2 from 'node:http2';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';

import { MOST_HEADERS } from '../base/header-limits';
import { CONNECT_TIMEOUT_MS, connectSocket, describeConnectError } from './connect-socket';
import type { UpstreamEndpoint } from './endpoint';
import { PooledSession } from './pooled-session';
import type { Reconnection } from './reconnection';
import type { SilenceLimits } from './silence-watch';
import { upstreamErrors } from './upstream-error';

/**
 * The most connections to the upstream. A second one is opened only if the first one has as many
 * streams as the upstream allows.
 */
const MOST_SESSIONS = 16;

/**
 * The longest list of headers or trailers of an answer, in bytes, with 32 for each field. nghttp2 ends
 * the whole connection at a block in more than nine frames of 16 KiB. A server that knows this limit
 * resets the one call instead, as grpc-go does (RFC 9113, 6.5.2).
 */
const MOST_HEADER_BYTES = 9 * 16 * 1024;

/** The options of {@link SessionPool}. */
export interface SessionPoolOptions {
  readonly endpoint: UpstreamEndpoint;
  readonly reconnection: Reconnection;
  readonly secureContext: () => SecureContext;
  readonly silence: SilenceLimits;
}

/**
 * The HTTP/2 connections to the upstream. They are opened by the calls that need them, and stay
 * open. A connection that the upstream is closing (GOAWAY) takes no new calls.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #sessions = new Map<http2.ClientHttp2Session, PooledSession>();
  #connecting: Promise<void> | undefined;
  /** Calls that wait for the end of another one. */
  readonly #waiting: (() => void)[] = [];
  #opening: http2.ClientHttp2Session | undefined;
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
  take(): http2.ClientHttp2Session | undefined {
    for (const pooled of this.#sessions.values()) if (pooled.hasRoom) return use(pooled);
    return undefined;
  }

  /**
   * Like {@link take}, but opens a connection if there is none, or waits for one that is being
   * opened. If as many are open as there may be, it waits for the end of another stream.
   *
   * @throws {UpstreamError} `unavailable`
   */
  async open(): Promise<http2.ClientHttp2Session> {
    for (;;) {
      const taken = this.take();
      if (taken !== undefined) return taken;
      if (this.#usable().length < MOST_SESSIONS) await this.#openOne();
      else await this.#roomLeft();
    }
  }

  /** Gives back the room that was taken for a stream. */
  give(session: http2.ClientHttp2Session): void {
    const pooled = this.#sessions.get(session);
    if (pooled === undefined) return;
    pooled.streams -= 1;
    this.#waiting.shift()?.();
  }

  /**
   * Asks the upstream for a sign of life. Resolves when it has given one, however late.
   *
   * @throws {UpstreamError | Error} if there is no connection, or it ends before
   */
  async answers(): Promise<void> {
    if (this.#usable().length === 0) this.give(await this.open());
    await this.#usable()[0]?.acknowledged();
  }

  /** Looks for connections on which the upstream says nothing. Call this at intervals. */
  look(): void {
    for (const { silence } of this.#sessions.values()) {
      if (silence.look()) this.#options.reconnection.succeeded();
      if (silence.isSilent) this.#wakeAll();
    }
  }

  /** Ends all connections and the calls on them. */
  close(): void {
    this.#isClosed = true;
    this.#opening?.destroy();
    for (const session of this.#sessions.keys()) session.destroy();
    this.#wakeAll();
  }

  /** In the order in which they came, whichever connection has room first. */
  #roomLeft(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #usable(): readonly PooledSession[] {
    return [...this.#sessions.values()].filter(({ isUsable }) => isUsable);
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
      const socket = connectSocket(endpoint, { alpn: 'h2', secureContext });
      const session = loadHttp2().connect(`${this.scheme}://upstream`, {
        createConnection: () => socket,
        settings: { enablePush: false, maxHeaderListSize: MOST_HEADER_BYTES },
        // Each stream is bounded by its window, and their number by --max-upstream-calls.
        maxSessionMemory: Number.MAX_SAFE_INTEGER,
        maxHeaderListPairs: MOST_HEADERS,
      });
      this.#opening = session;
      const timer = setTimeout(() => {
        session.destroy(new Error('it did not begin to speak HTTP/2 in time'));
      }, CONNECT_TIMEOUT_MS);
      session.once('remoteSettings', () => {
        clearTimeout(timer);
        this.#add(session, socket);
        resolve();
      });
      session.on('error', reject);
      session.once('close', () => {
        clearTimeout(timer);
        this.#sessions.delete(session);
        this.#wakeAll();
        reject(new Error('it closed the connection'));
      });
    });
  }

  #add(session: http2.ClientHttp2Session, socket: Socket): void {
    this.#sessions.set(session, new PooledSession(session, socket, this.#options.silence));
    // The upstream may allow more streams from now on.
    session.on('remoteSettings', () => {
      this.#wakeAll();
    });
    // A connection that is closing counts no longer among those that there may be.
    session.once('goaway', () => {
      this.#wakeAll();
    });
    if (this.#isClosed) session.destroy();
  }
}

function use(pooled: PooledSession): http2.ClientHttp2Session {
  pooled.use();
  return pooled.session;
}

/** On demand, because a sidecar without an upstream does not need it. */
const loadHttp2 = () =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import() would resolve too late
  require('node:http2') as typeof http2;
