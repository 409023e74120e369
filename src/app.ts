import { initComponents } from './components/init-components';
import { loadManifests } from './components/load-manifests';
import type { ComponentManifest } from './components/manifest';
import { createGrpcServer, type GrpcServer } from './grpc/grpc-server';
import { createHttpServer, type HttpServer } from './http/http-server';
import { Lifecycle } from './lifecycle';
import { listenOnAll, resolveListenHosts } from './listen';
import { createLockService } from './lock/lock-service';
import type { LockStore } from './lock/lock-store';
import type { Logger } from './lock/logger';
import { StoreCatalog } from './lock/store-catalog';
import { createLockLog } from './observability/lock-log';
import { createTokenCheck } from './sidecar/api-token';
import { Health } from './sidecar/health';
import { type AppConnection, SidecarMetadata } from './sidecar/metadata';
import type { Sidecar } from './sidecar/sidecar';
import { findDriver } from './stores/drivers';
import { DAPR_VERSION, HOLDFAST_VERSION } from './version';

/** What a sidecar is started with: the flags and the environment, parsed and checked. */
export interface AppOptions {
  readonly appId: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Empty for all addresses. */
  readonly listenAddresses: readonly string[];
  readonly resourcesPaths: readonly string[];
  /** Undefined for no limit. */
  readonly httpMaxBodyBytes: number | undefined;
  readonly grpcMaxMessageBytes: number;
  readonly readBufferBytes: number;
  /** Undefined where no token is asked for. */
  readonly apiToken: string | undefined;
  /** Undefined where manifests are not filtered by namespace. */
  readonly namespace: string | undefined;
  readonly appConnection: AppConnection;
}

/** What the app needs of the process around it. */
export interface AppContext {
  readonly logger: Logger;
  /** See {@link Sidecar.requestShutdown}. */
  readonly requestShutdown: Sidecar['requestShutdown'];
}

/** A whole sidecar. */
export interface App {
  /**
   * Loads the components, then opens the ports: clients that connect find every store ready.
   * Rejects with daprd's sentence where something can't be had; `stop` is due all the same.
   * False where `stop` came first.
   */
  start(): Promise<boolean>;
  /**
   * Lets calls in flight finish and gives everything back; works in mid-start too.
   *
   * @param grace once it is aborted nothing is waited for any more
   */
  stop(grace: AbortSignal): Promise<void>;
  /** Names of the stores that can be called, in the order of loading. */
  readonly storeNames: readonly string[];
}

/** daprd's name for what is ready last. */
const RUNTIME_TARGET = 'runtime';

/** Composes the rooms; the only file that knows them all. Nothing is opened before `start`. */
export function createApp(options: AppOptions, context: AppContext): App {
  return new ComposedApp(options, context);
}

class ComposedApp implements App {
  readonly #options: AppOptions;
  readonly #logger: Logger;
  readonly #lifecycle = new Lifecycle();
  readonly #stores = new StoreCatalog();
  readonly #sidecar: Sidecar;
  readonly #http: HttpServer;
  readonly #grpc: GrpcServer;
  #stopping = false;

  constructor(options: AppOptions, context: AppContext) {
    const { logger } = context;
    const observe = createLockLog(logger.scoped('dapr.api'));
    this.#options = options;
    this.#logger = logger;
    this.#sidecar = createSidecar(options, context);
    const served = {
      locks: createLockService({ stores: this.#stores, observe }),
      sidecar: this.#sidecar,
    };
    this.#http = createHttpServer({
      ...served,
      logger: logger.scoped('dapr.runtime.http'),
      maxBodyBytes: options.httpMaxBodyBytes,
      readBufferBytes: options.readBufferBytes,
    });
    this.#grpc = createGrpcServer({
      ...served,
      logger: logger.scoped('dapr.runtime.grpc.api'),
      maxMessageBytes: options.grpcMaxMessageBytes,
    });
  }

  get storeNames(): readonly string[] {
    return this.#stores.names;
  }

  async start(): Promise<boolean> {
    try {
      await this.#loadComponents();
      if (!this.#stopping) await this.#openPorts();
    } catch (error) {
      // What a stop cuts short fails for that reason only.
      if (!this.#stopping) throw error;
    }
    return !this.#stopping;
  }

  stop(grace: AbortSignal): Promise<void> {
    this.#stopping = true;
    return this.#lifecycle.close(grace);
  }

  async #loadComponents(): Promise<void> {
    const logger = this.#logger.scoped('dapr.runtime.processor');
    const manifests = await loadManifests({ ...this.#options, logger });
    await initComponents(manifests, {
      appId: this.#options.appId,
      createStore: (manifest) => createStore(manifest, logger),
      own: (name, close) => {
        this.#lifecycle.add(name, close);
      },
      stores: this.#stores,
      metadata: this.#sidecar.metadata,
      logger,
    });
  }

  /** gRPC before HTTP, as in daprd: who finds the HTTP port open may use the other. */
  async #openPorts(): Promise<void> {
    const { grpcPort, httpPort, listenAddresses } = this.#options;
    const logger = this.#logger;
    this.#lifecycle.add('the API servers', () => closeBoth(this.#grpc, this.#http));
    const at = { hosts: await resolveListenHosts(listenAddresses), logger };
    await listenOnAll({ ...at, server: this.#grpc, port: grpcPort, label: 'gRPC' });
    logger.info(`API gRPC server is running on port ${grpcPort}`);
    await listenOnAll({ ...at, server: this.#http, port: httpPort, label: 'HTTP' });
    logger.info(`HTTP server is running on port ${httpPort}`);
    this.#sidecar.health.markOutboundReady();
    this.#sidecar.health.markReady(RUNTIME_TARGET);
  }
}

function createSidecar(options: AppOptions, context: AppContext): Sidecar {
  const { appId, appConnection } = options;
  const versions = { daprVersion: DAPR_VERSION, holdfastVersion: HOLDFAST_VERSION };
  return {
    appId,
    health: new Health([RUNTIME_TARGET]),
    metadata: new SidecarMetadata({ appId, appConnection, ...versions }),
    checkToken: createTokenCheck(options.apiToken),
    requestShutdown: context.requestShutdown,
  };
}

function createStore(manifest: ComponentManifest, logger: Logger): LockStore | undefined {
  const { name: componentName, type, version, metadata: properties } = manifest;
  const driver = findDriver(type, version);
  return driver?.create({ componentName, properties, logger });
}

interface Closable {
  close(): Promise<void>;
}

/** Both at the same time: neither takes new connections while the other still drains. */
async function closeBoth(...servers: readonly Closable[]): Promise<void> {
  const results = await Promise.allSettled(servers.map((server) => server.close()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
