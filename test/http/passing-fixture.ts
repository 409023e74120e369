import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as TcpServer,
  type Socket,
} from 'node:net';

import { parseEndpoint } from '../../src/upstream/endpoint';
import { SILENCE_LIMITS, type SilenceLimits } from '../../src/upstream/silence-watch';
import { Upstream } from '../../src/upstream/upstream';
import { RecordingLogger } from '../support/recording-logger';
import { HttpFixture } from './http-fixture';

/** The path of a lock call. */
export const LOCK = '/v1.0-alpha1/lock/lockstore';

/** The options of the HTTP server that a test varies. */
export type Fixture = NonNullable<ConstructorParameters<typeof HttpFixture>[0]>;

/** The limits of an upstream that a test varies. */
export interface Limits {
  readonly maxCalls: number;
  readonly silence: SilenceLimits;
}

/** Starts Holdfast in front of a port, or of an endpoint in its own words. */
export async function startBefore(
  behind: number | string,
  options: Fixture = {},
  { maxCalls = 1000, silence = SILENCE_LIMITS }: Partial<Limits> = {},
) {
  const logger = new RecordingLogger();
  const upstream = new Upstream({
    grpc: undefined,
    http: parseEndpoint(typeof behind === 'string' ? behind : `127.0.0.1:${behind}`),
    maxCalls,
    apiToken: options.token,
    goneWithinMs: 1000,
    secureContext: () => {
      throw new Error('no TLS here');
    },
    logger,
    silence,
  });
  const http = await new HttpFixture({ ...options, upstream }).start();
  return { upstream, http, logger };
}

/** Holdfast in front of an HTTP server. */
export class ServerBehind {
  server!: Server;
  port = 0;
  /** The targets that have arrived. */
  urls: (string | undefined)[] = [];
  /** Handles a request. */
  handle: RequestListener = echo;
  opened!: Awaited<ReturnType<typeof startBefore>>;

  /** Starts the server behind. It answers with the body that it is sent, unless a test says otherwise. */
  async startBehind(): Promise<void> {
    this.urls = [];
    this.handle = echo;
    this.server = createServer((received, response) => {
      this.urls.push(received.url);
      this.handle(received, response);
    });
    this.port = await listen(this.server);
  }

  /** Starts Holdfast in front of it. */
  async start(options?: Fixture, limits?: Partial<Limits>): Promise<void> {
    this.opened = await startBefore(this.port, options, limits);
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await this.opened.http.server.close();
    this.opened.upstream.close();
  }
}

function echo(received: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'x-behind': 'yes' });
  received.pipe(response);
}

/** Holdfast in front of a server that notes every byte, and answers with those that a test says. */
export class BytesBehind {
  received = '';
  sockets: Socket[] = [];
  answer = '';
  opened!: Awaited<ReturnType<typeof startBefore>>;
  #server!: TcpServer;

  /** Starts both. */
  async start(): Promise<void> {
    this.received = '';
    this.sockets = [];
    this.answer = 'HTTP/1.1 204 No Content\r\n\r\n';
    this.#server = createTcpServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        this.received += data.toString('latin1');
        if (this.received.endsWith('\r\n\r\n')) socket.write(Buffer.from(this.answer, 'latin1'));
      });
    });
    this.opened = await startBefore(await listen(this.#server));
  }

  /** The port of Holdfast. */
  get port(): number {
    return this.opened.http.port;
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await this.opened.http.server.close();
    this.opened.upstream.close();
  }
}

/** Starts to listen, and returns the port. */
export async function listen(server: Server | TcpServer, port = 0) {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Sends bytes, and returns all that comes back until the connection closes or `until` is there. */
export async function exchange(
  port: number,
  bytes: string | Buffer,
  until?: string,
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (data: Buffer) => {
    received += data.toString('latin1');
    if (until !== undefined && received.includes(until)) socket.destroy();
  });
  socket.write(bytes);
  await once(socket, 'close');
  return received;
}
