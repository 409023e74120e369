import { createDaprApi, type DaprApi } from '../api/dapr-api';
import { EventStreams, toStreamBounds } from '../api/event-streams';
import { createNativeApi, type NativeApi } from '../api/native-api';
import type { PageApi } from '../api/page-api';
import type { Sidecar } from '../api/sidecar';
import type { Logger } from '../base/logger';
import { createDaprMethods } from '../grpc/dapr-methods';
import { createGrpcServer, type GrpcServer } from '../grpc/grpc-server';
import { createNativeMethods } from '../grpc/native-methods';
import { createDaprRoutes } from '../http/dapr-routes';
import { createHttpServer, type HttpServer, type HttpShares } from '../http/http-server';
import { createNativeRoutes } from '../http/native-routes';
import { createPageRoutes } from '../http/page-routes';
import { ByteBudget } from '../servers/byte-budget';
import { listenOnAll, listenOnSocket, resolveListenHosts, toSocketFile } from '../servers/listen';
import type { ServerTls } from '../servers/listen-address';
import { readTlsFiles } from '../servers/tls-files';
import { Turns } from '../servers/turns';
import { UnreadAnswers } from '../servers/unread-answers';
import type { Upstream } from '../upstream/upstream';
import type { AppOptions } from './app-options';
import type { LockServices } from './lock-services';

/** The options of {@link Servers}. */
export interface ServersOptions extends LockServices {
  readonly options: AppOptions;
  /** Undefined if the page is not served. */
  readonly pageApi: PageApi | undefined;
  readonly sidecar: Sidecar;
  readonly logger: Logger;
  /** The sidecar behind this one. Undefined if there is none. */
  readonly upstream: Upstream | undefined;
}

/**
 * Limit in bytes, for all HTTP connections together, for each of: long bodies, pipelined requests
 * that wait, and answers that are not read.
 */
const KEPT_BYTES = 16 * 2 ** 20;

/** At least two bodies of maximum size fit at a time. */
const LONGEST_BODIES = 2;

/** The servers of the API: gRPC, HTTP and, if configured, the public HTTP port. */
export class Servers {
  readonly #options: ServersOptions;
  readonly #api: DaprApi;
  readonly #nativeApi: NativeApi;
  readonly #eventStreams: EventStreams;
  readonly #shares: HttpShares;
  #grpc: GrpcServer | undefined;
  #http: HttpServer | undefined;
  #public: HttpServer | undefined;

  constructor(options: ServersOptions) {
    const { httpMaxBodyBytes = Infinity } = options.options;
    this.#options = options;
    this.#eventStreams = new EventStreams(toStreamBounds(options.options.maxLockHolds));
    this.#api = createDaprApi(options.locks, options.sidecar);
    this.#nativeApi = createNativeApi(options.nativeLocks);
    this.#shares = {
      turns: new Turns(),
      waiting: new ByteBudget(KEPT_BYTES),
      unread: new UnreadAnswers(KEPT_BYTES),
      bodies: new ByteBudget(Math.max(KEPT_BYTES / 2, LONGEST_BODIES * httpMaxBodyBytes)),
    };
  }

  /**
   * Opens all servers. As in daprd, gRPC comes before HTTP, so that a client that finds the HTTP
   * port open can use both.
   *
   * @throws {Error} if a server can't listen on any address
   */
  async open(): Promise<void> {
    const { options, sidecar, logger, upstream } = this.#options;
    const tls = await this.readTls();
    upstream?.health.watch();
    this.#grpc = createGrpcServer({
      transport: options.grpcServer,
      methods: [...createDaprMethods(this.#api), ...createNativeMethods(this.#nativeApi)],
      eventStreams: this.#eventStreams,
      sidecar,
      logger: logger.scoped('dapr.runtime.grpc.api'),
      maxMessageBytes: options.grpcMaxMessageBytes,
      maxConcurrentCalls: options.maxConcurrentLockCalls,
      tls,
      upstream,
    });
    this.#http = this.#createHttp('api', tls);
    const grpcPlace = await this.#listen(this.#grpc, 'gRPC', options.grpcPort);
    logger.info(`API gRPC server is running on ${grpcPlace}`);
    const httpPlace = await this.#listen(this.#http, 'HTTP', options.httpPort);
    logger.info(`HTTP server is running on ${httpPlace}`);
    await this.#openPublic();
  }

  /**
   * Reads the certificate of the API ports. Undefined if there is none.
   *
   * @throws {Error} if its files can't be read or do not match
   */
  async readTls(): Promise<ServerTls | undefined> {
    const { options, logger } = this.#options;
    const { tlsFiles } = options;
    if (tlsFiles === undefined) return undefined;
    const { tls, warnings } = await readTlsFiles(tlsFiles);
    for (const warning of warnings) logger.warn(warning);
    return tls;
  }

  /** Starts to use a certificate. */
  renewTls(tls: ServerTls | undefined): void {
    if (tls === undefined) return;
    this.#http?.renewTls(tls);
    this.#grpc?.renewTls(tls);
  }

  /**
   * Closes all servers at the same time, so that none accepts connections while another one drains.
   * Waits and holds are ended first, because servers would wait for them.
   */
  async close(): Promise<void> {
    this.#options.nativeLocks.stop();
    const servers = [this.#grpc, this.#http, this.#public].filter((server) => server !== undefined);
    const results = await Promise.allSettled(servers.map((server) => server.close()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #createHttp(surface: 'api' | 'public', tls: ServerTls | undefined): HttpServer {
    const { options, pageApi, sidecar, logger, upstream } = this.#options;
    return createHttpServer({
      methods: [
        ...createDaprRoutes(this.#api),
        ...createNativeRoutes(this.#nativeApi),
        ...(pageApi === undefined ? [] : createPageRoutes(pageApi)),
      ],
      eventStreams: this.#eventStreams,
      sidecar,
      logger: logger.scoped('dapr.runtime.http'),
      maxBodyBytes: surface === 'api' ? options.httpMaxBodyBytes : undefined,
      readBufferBytes: options.readBufferBytes,
      allowedOrigins: options.allowedOrigins,
      tls,
      shares: this.#shares,
      surface,
      upstream,
    });
  }

  /** Binds a server and returns its addresses. Unix sockets replace ports. */
  async #listen(
    server: GrpcServer | HttpServer,
    label: 'HTTP' | 'gRPC',
    port: number,
  ): Promise<string> {
    const { options, logger } = this.#options;
    const { unixSocketFolder: folder, appId, listenAddresses } = options;
    if (folder !== undefined) {
      await listenOnSocket({ server, folder, appId, label, logger });
      return `unix socket ${toSocketFile(folder, appId, label)}`;
    }
    const hosts = await resolveListenHosts(listenAddresses);
    await listenOnAll({ server, hosts, port, label, logger });
    return `port ${port}`;
  }

  /**
   * Opens the public port. It always uses TCP without TLS, for probes, and shows nothing
   * confidential.
   */
  async #openPublic(): Promise<void> {
    const { options, logger } = this.#options;
    if (options.publicAddress === undefined) return;
    const { host, port } = options.publicAddress;
    this.#public = this.#createHttp('public', undefined);
    const hosts = await resolveListenHosts(host === '' ? [] : [host]);
    await listenOnAll({ server: this.#public, hosts, port, label: 'Public HTTP', logger });
  }
}
