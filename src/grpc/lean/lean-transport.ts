import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from 'node:tls';

import { processClock } from '../../base/clock';
import { DeadlineQueue } from '../../base/deadline-queue';
import { toErrorTrace } from '../../base/error-message';
import type { Handshakes } from '../../servers/handshakes';
import type { ListenAddress, ServerTls } from '../../servers/listen-address';
import type { Registry } from '../late-services';
import type { ServerParts } from '../server-parts';
import { toStreamHandler } from '../stream-handler';
import type { Transport } from '../transport';
import { toUnaryHandler } from '../unary-handler';
import { AnswerBlocks } from './answer-blocks';
import type { Receiver } from './begun-stream';
import type { ExpiringCall } from './call-deadline';
import { type AdmittedCall, type CallParts, LeanCall } from './lean-call';
import { LeanConnections } from './lean-connections';
import { MessageCall, type ServiceCallMethod } from './message-call';

/** The protocol in TLS's negotiation (RFC 9113, 3.2). */
const ALPN = 'h2';

/** Creates the call of an admitted stream: by the path of its method. */
type CreateCall = (call: AdmittedCall) => Receiver;

/** The gRPC transport on our own HTTP/2: the connections, and the methods by path. */
export class LeanTransport implements Transport {
  readonly #tls: ServerTls | undefined;
  readonly #handshakes: Handshakes;
  readonly #connections: LeanConnections;
  readonly #methods = new Map<string, CreateCall>();
  readonly #servers: Server[] = [];
  readonly #parts: CallParts;

  constructor(parts: ServerParts, tls: ServerTls | undefined) {
    this.#tls = tls;
    this.#handshakes = parts.handshakes;
    this.#parts = {
      blocks: new AnswerBlocks(),
      deadlines: new DeadlineQueue<ExpiringCall>(processClock, (call) => {
        call.expire();
      }),
      now: () => processClock.now(),
      maxMessageBytes: parts.maxMessageBytes,
    };
    this.#connections = new LeanConnections({
      ...parts,
      createCall: (path, call) => this.#createCall(path, call),
      onFault: (fault) => {
        parts.handlers.logger.error(`a gRPC connection was closed: ${toErrorTrace(fault)}`);
      },
    });
    for (const method of parts.methods) this.#addTableMethod(method, parts);
  }

  /** Where health checks and reflection are registered. */
  readonly registry: Registry = {
    register: (path, ...[handle, serialize, deserialize, kind]) => {
      const method = { handle, serialize, deserialize, kind } as unknown as ServiceCallMethod;
      return this.#add(path, (call) => new MessageCall(call, method, this.#parts).receiver);
    },
  };

  /** Binds one more address. Rejects with the system's error. */
  async listen(address: ListenAddress): Promise<{ port: number }> {
    const server = this.#createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(toListenOptions(address), resolve);
    });
    this.#servers.push(server);
    const bound = server.address();
    return { port: typeof bound === 'object' ? (bound?.port ?? 0) : 0 };
  }

  /** Uses a renewed certificate for new connections. */
  renewTls(tls: ServerTls): void {
    for (const server of this.#servers) {
      if ('setSecureContext' in server) {
        (server as ReturnType<typeof createTlsServer>).setSecureContext(toTlsOptions(tls));
      }
    }
  }

  /** See {@link LeanConnections.endIdle}. */
  endIdle(options: { readonly mayLose: boolean }): void {
    this.#connections.endIdle(options);
  }

  /** Accepts no more connections, and resolves when those that there are have ended. */
  async close(): Promise<void> {
    const closed = this.#servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
        }),
    );
    this.#connections.shutDown();
    await Promise.all(closed);
  }

  #createServer(): Server {
    const accept = (socket: Socket) => {
      this.#connections.accept(socket);
    };
    if (this.#tls === undefined) return createServer(accept);
    const server = createTlsServer(toTlsOptions(this.#tls), (socket: TLSSocket) => {
      if (socket.alpnProtocol === ALPN) accept(socket);
      else socket.destroy();
    });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    this.#handshakes.watch(server);
    return server;
  }

  #addTableMethod(method: ServerParts['methods'][number], parts: ServerParts): void {
    const { grpcPath: path } = method.row;
    const handle =
      method.kind === 'unary'
        ? toUnaryHandler(method, parts.handlers)
        : toStreamHandler(method, parts.handlers);
    const tableMethod = { path, handle };
    const isNew = this.#add(path, (call) => new LeanCall(call, tableMethod, this.#parts));
    if (!isNew) throw new Error(`two methods have the path ${path}`);
  }

  #add(path: string, create: CreateCall): boolean {
    if (this.#methods.has(path)) return false;
    this.#methods.set(path, create);
    return true;
  }

  /** The gate has refused all other paths. */
  #createCall(path: string, call: AdmittedCall): Receiver {
    const create = this.#methods.get(path);
    if (create === undefined) throw new Error(`${path} is admitted but not registered`);
    return create(call);
  }
}

function toListenOptions(address: ListenAddress): { host?: string; port?: number; path?: string } {
  return 'path' in address ? { path: address.path } : { host: address.host, port: address.port };
}

function toTlsOptions({ cert, key, ca }: ServerTls): TlsOptions {
  const authorities = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true };
  return { cert, key, ALPNProtocols: [ALPN], ...authorities };
}
