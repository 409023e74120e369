import { initComponents } from './components/init-components';
import { loadManifests } from './components/load-manifests';
import type { ComponentManifest } from './components/manifest';
import { createGrpcServer } from './grpc/grpc-server';
import { createHttpServer } from './http/http-server';
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
  /** Lets calls in flight finish and gives everything back; works in mid-start too. */
  stop(): Promise<void>;
  /** Names of the stores that can be called, in the order of loading. */
  readonly storeNames: readonly string[];
}

/** daprd's name for what is ready last. */
const RUNTIME_TARGET = 'runtime';

/** Composes the rooms; the only file that knows them all. Nothing is opened before `start`. */
export function createApp(options: AppOptions, context: AppContext): App {
  const { logger } = context;
  const lifecycle = new Lifecycle();
  const stores = new StoreCatalog();
  const sidecar = createSidecar(options, context);
  const locks = createLockService({ stores, observe: createLockLog(logger.scoped('dapr.api')) });
  const http = createHttpServer({
    locks,
    sidecar,
    logger: logger.scoped('dapr.runtime.http'),
    maxBodyBytes: options.httpMaxBodyBytes,
    readBufferBytes: options.readBufferBytes,
  });
  const grpc = createGrpcServer({
    locks,
    sidecar,
    logger: logger.scoped('dapr.runtime.grpc.api'),
    maxMessageBytes: options.grpcMaxMessageBytes,
  });
  let stopping = false;

  const loadComponents = async (): Promise<void> => {
    const componentLog = logger.scoped('dapr.runtime.processor');
    const manifests = await loadManifests({ ...options, logger: componentLog });
    await initComponents(manifests, {
      appId: options.appId,
      createStore: (manifest) => createStore(manifest, componentLog),
      own: (name, close) => {
        lifecycle.add(name, close);
      },
      stores,
      metadata: sidecar.metadata,
      logger: componentLog,
    });
  };

  const openPorts = async (): Promise<void> => {
    lifecycle.add('the API servers', () => closeBoth(grpc, http));
    const hosts = await resolveListenHosts(options.listenAddresses);
    const at = { hosts, logger };
    await listenOnAll({ ...at, server: grpc, port: options.grpcPort, label: 'gRPC' });
    logger.info(`API gRPC server is running on port ${options.grpcPort}`);
    await listenOnAll({ ...at, server: http, port: options.httpPort, label: 'HTTP' });
    logger.info(`HTTP server is running on port ${options.httpPort}`);
    sidecar.health.markOutboundReady();
    sidecar.health.markReady(RUNTIME_TARGET);
  };

  return {
    async start() {
      try {
        await loadComponents();
        if (!stopping) await openPorts();
      } catch (error) {
        // What a stop cuts short fails for that reason only.
        if (!stopping) throw error;
      }
      return !stopping;
    },
    stop() {
      stopping = true;
      return lifecycle.close();
    },
    get storeNames() {
      return stores.names;
    },
  };
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
