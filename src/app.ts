import { networkInterfaces } from 'node:os';

import type { AppContext, AppOptions } from './app-options';
import { ComponentManager } from './components/component-manager';
import { createApiAccess } from './configuration/api-access';
import {
  type Configuration,
  DEFAULT_CONFIGURATION,
  isComponentDenied,
  isFeatureEnabled,
} from './configuration/configuration';
import { loadConfiguration } from './configuration/load-configuration';
import { Lifecycle } from './lifecycle';
import { toErrorMessage } from './lock/error-message';
import { createLockService } from './lock/lock-service';
import type { Logger } from './lock/logger';
import { StoreCatalog } from './lock/store-catalog';
import { ManifestFolders } from './manifests/manifest-folders';
import type { ApiObservation } from './observability/api-observation';
import { createLockLog } from './observability/lock-log';
import { Metrics } from './observability/metrics';
import { createMetricsServer } from './observability/metrics-server';
import { createApiObservation, withOverrides } from './observed-calls';
import { Resiliency } from './resiliency/resiliency';
import { Resources } from './resources';
import { Servers } from './servers';
import { createTokenCheck } from './sidecar/api-token';
import { Health } from './sidecar/health';
import { SidecarMetadata } from './sidecar/metadata';
import type { Sidecar } from './sidecar/sidecar';
import { findDriver } from './stores/drivers';
import { DAPR_VERSION, HOLDFAST_VERSION } from './version';

/** A whole sidecar. */
export interface App {
  /**
   * Loads the configuration and the components, then opens the ports: clients that connect find
   * every store ready. Rejects with daprd's sentence where something can't be had; `stop` is due all
   * the same. False where `stop` came first.
   */
  start(): Promise<boolean>;
  /**
   * Reads everything again that is read at the start; what can't be used stays as it was. False where
   * that is so for the configuration or the certificate.
   */
  reload(): Promise<boolean>;
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

/** What a sidecar is made of, once its configuration is known. */
interface Parts {
  readonly metrics: Metrics;
  readonly observation: ApiObservation;
  readonly health: Health;
  readonly components: ComponentManager;
  readonly resources: Resources;
  readonly servers: Servers;
}

class ComposedApp implements App {
  readonly #options: AppOptions;
  readonly #context: AppContext;
  readonly #logger: Logger;
  readonly #lifecycle = new Lifecycle();
  readonly #stores = new StoreCatalog();
  readonly #metadata: SidecarMetadata;
  #configuration: Configuration = DEFAULT_CONFIGURATION;
  #isAllowed = createApiAccess(DEFAULT_CONFIGURATION.api);
  #parts: Parts | undefined;
  #stopping = false;

  constructor(options: AppOptions, context: AppContext) {
    const { appId, appConnection } = options;
    const versions = { daprVersion: DAPR_VERSION, holdfastVersion: HOLDFAST_VERSION };
    this.#options = options;
    this.#context = context;
    this.#logger = context.logger;
    this.#metadata = new SidecarMetadata({ appId, appConnection, ...versions });
  }

  get storeNames(): readonly string[] {
    return this.#stores.names;
  }

  async start(): Promise<boolean> {
    try {
      await this.#takeOn(await this.#loadConfiguration());
      if (!this.#stopping) await this.#open();
    } catch (error) {
      // What a stop cuts short fails for that reason only.
      if (!this.#stopping) throw error;
    }
    return !this.#stopping;
  }

  async reload(): Promise<boolean> {
    const parts = this.#parts;
    if (parts === undefined || this.#stopping) return false;
    let isWhole = true;
    try {
      await this.#takeOn(await this.#loadConfiguration());
      await parts.servers.renewTls();
    } catch (error) {
      isWhole = false;
      this.#logger.error(
        `Reload failed: ${toErrorMessage(error)}; what was loaded before stays in use`,
      );
    }
    await parts.resources.reload();
    return isWhole;
  }

  stop(grace: AbortSignal): Promise<void> {
    this.#stopping = true;
    return this.#lifecycle.close(grace);
  }

  async #loadConfiguration(): Promise<Configuration> {
    const { configFiles: files } = this.#options;
    const { environment } = this.#context;
    const loaded = await loadConfiguration({ files, environment, logger: this.#logger });
    return withOverrides(loaded, this.#options, environment);
  }

  /** Puts a configuration into force, the first and every later one. */
  async #takeOn(configuration: Configuration): Promise<void> {
    this.#configuration = configuration;
    this.#isAllowed = createApiAccess(configuration.api);
    const features = [...configuration.features].filter(([, isOn]) => isOn).map(([name]) => name);
    this.#metadata.setFeatures(features);
    this.#parts ??= this.#compose(configuration);
    this.#parts.metrics.configure(configuration.metrics);
    await this.#parts.observation.configure(configuration);
  }

  async #open(): Promise<void> {
    const { resources, components, servers, health, observation } = this.#partsOrThrow();
    this.#lifecycle.add('tracing', () => observation.close());
    await this.#openMetrics();
    this.#lifecycle.add('the components', (grace) => components.close(grace));
    await resources.start();
    if (this.#stopping) return;
    this.#lifecycle.add('the API servers', () => servers.close());
    await servers.open();
    this.#lifecycle.add('hot reload', () => resources.close());
    if (isFeatureEnabled(this.#configuration, 'HotReload')) {
      resources.watch(this.#options.reconcileIntervalMs);
    }
    health.markOutboundReady();
    health.markReady(RUNTIME_TARGET);
  }

  /** daprd's default port is taken easily; where nobody asked for it, locks go before metrics. */
  async #openMetrics(): Promise<void> {
    const { metricsAddress } = this.#options;
    const { metrics } = this.#partsOrThrow();
    if (metricsAddress === undefined || !metrics.isEnabled) return;
    const { host, port, isRequired } = metricsAddress;
    const server = createMetricsServer(metrics.registry);
    try {
      const bound = await server.listen({ host: host === '' ? '0.0.0.0' : host, port });
      this.#lifecycle.add('the metrics server', () => server.close());
      this.#logger.info(`metrics server started on ${host}:${bound.port}/`);
    } catch (cause) {
      const sentence = `failed to start metrics server: ${toErrorMessage(cause)}`;
      if (isRequired) throw new Error(sentence, { cause });
      this.#logger.error(`${sentence}; going on without metrics, as no --metrics-port is given`);
    }
  }

  #partsOrThrow(): Parts {
    if (this.#parts === undefined) throw new Error('the app was not composed');
    return this.#parts;
  }

  /** Makes the parts that stand on each other; those whose settings may change are told of them. */
  #compose(configuration: Configuration): Parts {
    const { appId } = this.#options;
    const logger = this.#logger;
    const metrics = new Metrics({ appId, settings: configuration.metrics });
    const observation = createApiObservation(this.#options, this.#context, metrics);
    const health = new Health([RUNTIME_TARGET]);
    const sidecar: Sidecar = {
      appId,
      health,
      metadata: this.#metadata,
      checkToken: createTokenCheck(this.#options.apiToken),
      isAllowed: (group, protocol) => this.#isAllowed(group, protocol),
      observer: observation,
      requestShutdown: this.#context.requestShutdown,
    };
    const resiliency = this.#createResiliency(metrics);
    const locks = createLockService({
      stores: this.#stores,
      policyOf: (storeName) => resiliency.policyOf(storeName),
      observers: [createLockLog(logger.scoped('dapr.api')), metrics.lockObserver],
    });
    const components = this.#createComponents(metrics);
    const resources = new Resources({
      folders: new ManifestFolders(
        this.#options.resourcesPaths,
        logger.scoped('dapr.runtime.processor'),
      ),
      selection: this.#options,
      components,
      resiliency,
      logger,
    });
    const servers = new Servers({ options: this.#options, locks, sidecar, logger });
    return { metrics, observation, health, components, resources, servers };
  }

  #createResiliency(metrics: Metrics): Resiliency {
    return new Resiliency({
      appId: this.#options.appId,
      logger: this.#logger.scoped('dapr.runtime'),
      observer: {
        loaded: (names) => {
          this.#metadata.setResiliencies(names);
          metrics.recordPolicies(names);
        },
        executed: (use) => {
          metrics.recordPolicy('count', use);
        },
        activated: (use) => {
          metrics.recordPolicy('activation', use);
        },
        breakerState: (use, state) => {
          metrics.recordBreakerState(use, state);
        },
      },
    });
  }

  #createComponents(metrics: Metrics): ComponentManager {
    const { appId, appConnection } = this.#options;
    const logger = this.#logger.scoped('dapr.runtime.processor');
    return new ComponentManager({
      appId,
      environment: {
        ...this.#context.environment,
        // What daprd sets in its own process, and component files refer to.
        APP_ID: appId,
        APP_PORT: String(appConnection.port),
        HOST_ADDRESS: toHostAddress(this.#context.environment),
      },
      createStore: ({ name: componentName, type, version }, { properties, logger }) =>
        findDriver(type, version)?.create({
          componentName,
          properties,
          logger,
          observer: metrics.storeObserver(componentName),
        }),
      isDenied: (component) => isComponentDenied(this.#configuration, component),
      observe: (component, failedAt) => {
        metrics.recordComponent(component, failedAt);
      },
      stores: this.#stores,
      metadata: this.#metadata,
      logger,
    });
  }
}

/** The machine's address as daprd finds it: DAPR_HOST_IP, else its first outside IPv4 one. */
function toHostAddress({ DAPR_HOST_IP: given = '' }: AppContext['environment']): string {
  if (given !== '') return given;
  const addresses = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outside = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  return outside?.address ?? '127.0.0.1';
}
