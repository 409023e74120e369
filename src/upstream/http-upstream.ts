import { Agent, type ClientRequest, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';

import { CONNECT_TIMEOUT_MS, connectSocket, describeConnectError } from './connect-socket';
import type { UpstreamEndpoint } from './endpoint';
import type { Reconnection } from './reconnection';
import { type SilenceLimits, SilenceWatch, type Watched } from './silence-watch';
import { type UpstreamError, upstreamErrors } from './upstream-error';

/** How many connections stay open without a request. */
const MOST_IDLE = 64;

/** The most bytes of an answer's header fields. Go's servers and clients allow more than Node. */
const SETTINGS = { maxHeaderSize: 256 * 1024 } as const;

/** The options of {@link HttpUpstream}. */
export interface HttpUpstreamOptions {
  readonly endpoint: UpstreamEndpoint;
  readonly reconnection: Reconnection;
  readonly secureContext: () => SecureContext;
  readonly silence: SilenceLimits;
}

/** A request as it is sent. */
export interface SentRequest {
  readonly method: string;
  /** The request target. It is sent as it is. */
  readonly target: string;
  /** Names and values in turn. They are sent as they are, in this order. */
  readonly rawHeaders: readonly string[];
}

/** daprd's path of a health check that needs no token. Any answer is a sign of life. */
const SIGN_OF_LIFE = '/v1.0/healthz/outbound';

/** Sends requests to the upstream over HTTP/1.1. Connections are kept and used again. */
export class HttpUpstream implements Watched {
  readonly #options: HttpUpstreamOptions;
  readonly #agent: UpstreamAgent;
  readonly #silence: SilenceWatch;
  readonly #open = new Set<ClientRequest>();
  #asked: ClientRequest | undefined;

  constructor(options: HttpUpstreamOptions) {
    this.#options = options;
    this.#agent = new UpstreamAgent(options);
    this.#silence = new SilenceWatch(this, options.silence);
  }

  /** The endpoint as errors show it. */
  get endpoint(): string {
    return this.#options.endpoint.shown;
  }

  /** The name of the upstream for `Host`. Undefined if the client's own is to be kept. */
  get host(): string | undefined {
    const { isTls, shown } = this.#options.endpoint;
    return isTls ? shown.replace('https://', '') : undefined;
  }

  /**
   * Begins a request. The caller sends the body and handles `error` with {@link toError}.
   *
   * @throws {UpstreamError} `unavailable` at once while the upstream is known to be away
   * @throws {Error} Node's, for a header that can't be sent
   */
  send({ method, target: path, rawHeaders: headers }: SentRequest): ClientRequest {
    const { endpoint, reconnection } = this.#options;
    if (!reconnection.mayTry()) {
      throw upstreamErrors.unavailable(endpoint.shown, reconnection.reason ?? 'it is away');
    }
    const { maxHeaderSize } = SETTINGS;
    const agent = this.#agent;
    const request = httpRequest({ agent, method, path, headers, setHost: false, maxHeaderSize });
    // All fields of the answer. Their size is bounded by maxHeaderSize.
    request.maxHeadersCount = 0;
    this.#open.add(request);
    request.once('response', () => {
      reconnection.succeeded();
    });
    request.once('close', () => this.#open.delete(request));
    return request;
  }

  /** Looks whether the upstream says nothing while requests wait. Call this at intervals. */
  look(): void {
    if (this.#open.size === 0) this.#silence.reset();
    else this.#silence.look();
  }

  /** The bytes of all connections: each shows that the upstream lives. */
  get bytesRead(): number {
    return this.#agent.bytesRead;
  }

  ask(): void {
    if (this.#asked !== undefined && this.#open.has(this.#asked)) return;
    try {
      const rawHeaders = ['host', this.host ?? 'localhost'];
      const asked = this.send({ method: 'GET', target: SIGN_OF_LIFE, rawHeaders });
      this.#asked = asked;
      asked.on('error', (error) => this.toError(asked, error));
      asked.once('response', (answer) => answer.on('error', () => undefined).resume());
      asked.end();
    } catch {
      // It is known to be away, so the waiting requests have lost their connections.
    }
  }

  /** Ends all requests that wait, or whose answer is coming. */
  end(reason: Error): void {
    for (const request of this.#open) request.destroy(reason);
  }

  /** The error of a request that failed before its answer, and a note that the upstream is away. */
  toError(request: ClientRequest, error: unknown): UpstreamError {
    const { endpoint, reconnection } = this.#options;
    const reason = describeConnectError(error);
    if (isUnreadable(error)) return upstreamErrors.garbled(endpoint.shown, reason);
    if (this.#agent.isConnected(request.socket)) return upstreamErrors.lost(endpoint.shown, reason);
    reconnection.failed(reason);
    return upstreamErrors.unavailable(endpoint.shown, reason);
  }

  /** Ends all connections. */
  close(): void {
    this.#agent.destroy();
  }
}

/** True for an answer that Node's parser refuses. */
function isUnreadable(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && code.startsWith('HPE_');
}

/** Node's agent, with the upstream's own connections. */
class UpstreamAgent extends Agent {
  readonly #options: HttpUpstreamOptions;
  readonly #connected = new WeakSet<Socket>();
  readonly #sockets = new Set<Socket>();
  #bytesOfClosed = 0;

  constructor(options: HttpUpstreamOptions) {
    super({ keepAlive: true, maxFreeSockets: MOST_IDLE, scheduling: 'lifo' });
    this.#options = options;
  }

  /** The bytes read on all connections, of which some have closed. */
  get bytesRead(): number {
    let bytes = this.#bytesOfClosed;
    for (const socket of this.#sockets) bytes += socket.bytesRead;
    return bytes;
  }

  /** True if a connection was open before it failed. */
  isConnected(socket: Socket | null): boolean {
    return socket !== null && this.#connected.has(socket);
  }

  override createConnection(): Socket {
    const { endpoint, secureContext, reconnection } = this.#options;
    const socket = connectSocket(endpoint, { alpn: 'http/1.1', secureContext });
    const timer = setTimeout(() => {
      socket.destroy(new Error('it did not accept a connection in time'));
    }, CONNECT_TIMEOUT_MS);
    const settle = (): void => {
      clearTimeout(timer);
    };
    socket.once(endpoint.isTls ? 'secureConnect' : 'connect', () => {
      this.#connected.add(socket);
      reconnection.succeeded();
      settle();
    });
    this.#sockets.add(socket);
    socket.once('close', () => {
      settle();
      this.#sockets.delete(socket);
      this.#bytesOfClosed += socket.bytesRead;
    });
    return socket;
  }
}
