import type { Sidecar } from '../api/sidecar';
import { toErrorMessage } from '../base/error-message';
import { Lifecycle } from '../base/lifecycle';
import type { Logger } from '../base/logger';
import { DAPR_VERSION, HOLDFAST_VERSION } from '../base/version';
import type { ComponentManager } from '../components/component-manager';
import { createApiAccess } from '../configuration/api-access';
import {
  type Configuration,
  DEFAULT_CONFIGURATION,
  isComponentDenied,
  isFeatureEnabled,
} from '../configuration/configuration';
import { loadConfiguration } from '../configuration/load-configuration';
import { StoreCatalog } from '../lock/store-catalog';
import type { ManifestSource } from '../manifests/manifest-source';
import type { ApiObservation } from '../observability/api-observation';
import { createLockLog } from '../observability/lock-log';
import { Metrics } from '../observability/metrics';
import { Resiliency } from '../resiliency/resiliency';
import { limitConnections } from '../servers/connection-budget';
import { createTokenCheck } from '../sidecar/api-token';
import { Health } from '../sidecar/health';
import { SidecarMetadata } from '../sidecar/metadata';
import { SystemAuthorities } from '../trust/system-authorities';
import { createApiObservation } from './api-observation';
import { type AppContext, type AppOptions, withOverrides } from './app-options';
import { builtInComponentsOf } from './built-in-components';
import { createComponents } from './component-parts';
import { LazyCluster } from './lazy-cluster';
import { openSource } from './open-source';
import { createLockServices } from './lock-services';
import { openMetricsPort } from './metrics-port';
import { createPage } from './page';
import { createResiliencyObserver } from './resiliency-observer';
import { Resources } from './resources';
import { Servers } from './servers';
import { StoreFactory } from './store-factory';
import { createUpstream, toBehind } from './upstream';

/** A complete sidecar. */
export interface App {
  /**
   * Loads configuration and components, then opens the ports. False if `stop` was called first.
   * Rejects with daprd's message if something can't be loaded or opened; call `stop` even then.
   */
  start(): Promise<boolean>;
  /**
   * Reloads everything that is read at start. What can't be used stays unchanged, and the log says
   * what happened. Waits for the start and earlier reloads. Never rejects.
   */
  reload(): Promise<void>;
  /**
   * Releases everything, even during the start. Calls in flight may finish until `grace` aborts.
   */
  stop(grace: AbortSignal): Promise<void>;
  /** Names of the usable stores, in loading order. */
  readonly storeNames: readonly string[];
}

/** daprd's name for the last target that becomes ready. */
const RUNTIME_TARGET = 'runtime';

/** Creates the app from all rooms; only this file knows them all. Opens nothing before `start`. */
export function createApp(options: AppOptions, context: AppContext): App {
  return new ComposedApp(options, context);
}

/** The parts of a sidecar, after its configuration is loaded. */
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
  readonly #authorities: SystemAuthorities;
  readonly #cluster: LazyCluster;
  readonly #stores = new StoreCatalog();
  readonly #metadata: SidecarMetadata;
  #configuration: Configuration = DEFAULT_CONFIGURATION;
  #isAllowed = createApiAccess(DEFAULT_CONFIGURATION.api);
  #parts: Parts | undefined;
  /** Resolves when the start and all reloads so far have ended. They run one at a time. */
  #turn: Promise<void> = Promise.resolve();
  #isRunning = false;
  #stopping = false;

  constructor(options: AppOptions, context: AppContext) {
    const { appId, appConnection } = options;
    const versions = { daprVersion: DAPR_VERSION, holdfastVersion: HOLDFAST_VERSION };
    this.#options = options;
    this.#context = context;
    this.#logger = context.logger;
    this.#authorities = new SystemAuthorities(context.environment);
    this.#cluster = new LazyCluster(context.environment, context.logger);
    this.#metadata = new SidecarMetadata({ appId, appConnection, ...versions });
  }

  get storeNames(): readonly string[] {
    return this.#stores.names;
  }

  async start(): Promise<boolean> {
    const started = this.#start();
    this.#turn = started.catch(() => undefined);
    try {
      await started;
    } catch (error) {
      // A failure caused by the stop itself is expected.
      if (!this.#stopping) throw error;
    }
    return !this.#stopping;
  }

  reload(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#reload());
    return this.#turn;
  }

  stop(grace: AbortSignal): Promise<void> {
    this.#stopping = true;
    this.#isRunning = false;
    return this.#lifecycle.close(grace);
  }

  async #loadConfiguration(): Promise<Configuration> {
    const { configFiles: files, mode } = this.#options;
    const { environment, logger } = this.#context;
    const readNamed = (name: string) => this.#cluster.readConfiguration(name);
    const named = mode === 'kubernetes' ? { readNamed } : {};
    const loaded = await loadConfiguration({ files, environment, logger, ...named });
    return withOverrides(loaded, this.#options);
  }

  async #start(): Promise<void> {
    this.#lifecycle.add('the Kubernetes API', () => this.#cluster.close());
    const configuration = await this.#loadConfiguration();
    const source = await openSource(this.#options, this.#cluster, this.#logger);
    this.#parts = this.#compose(configuration, source);
    await this.#takeOn(configuration, this.#parts);
    if (!this.#stopping) await this.#open(this.#parts);
    this.#isRunning = !this.#stopping;
  }

  async #reload(): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined || !this.#isRunning) return;
    const isConfigured = await this.#reloadConfiguration(parts);
    const isWhole = await parts.resources.reload();
    if (this.#stopping) return;
    if (isConfigured && isWhole) this.#logger.info('Reloaded');
    else this.#logger.error('Reloaded in part: what could not be used stays unchanged');
  }

  /** Applies the complete configuration, or nothing if a part of it can't be used. */
  async #reloadConfiguration(parts: Parts): Promise<boolean> {
    try {
      const configuration = await this.#loadConfiguration();
      const tls = await parts.servers.readTls();
      if (this.#stopping) return false;
      await this.#takeOn(configuration, parts);
      parts.servers.renewTls(tls);
      this.#followFolders(parts);
      return true;
    } catch (error) {
      this.#logger.error(
        `Reload failed: ${toErrorMessage(error)}; what was loaded before stays in use`,
      );
      return false;
    }
  }

  /** Applies a configuration, at start and at every reload. Steps that may fail come first. */
  async #takeOn(configuration: Configuration, parts: Parts): Promise<void> {
    const isAllowed = createApiAccess(configuration.api);
    await parts.observation.configure(configuration);
    parts.metrics.configure(configuration.metrics);
    this.#configuration = configuration;
    this.#isAllowed = isAllowed;
    const features = [...configuration.features].filter(([, isOn]) => isOn).map(([name]) => name);
    this.#metadata.setFeatures(features);
  }

  async #open(parts: Parts): Promise<void> {
    const { resources, components, servers, health, observation } = parts;
    this.#lifecycle.add('tracing', () => observation.close());
    this.#lifecycle.add('the connection budget', limitConnections(this.#logger));
    await openMetricsPort(this.#options, {
      metrics: parts.metrics,
      lifecycle: this.#lifecycle,
      logger: this.#logger,
    });
    this.#lifecycle.add('the components', (grace) => components.close(grace));
    await resources.start();
    if (this.#stopping) return;
    this.#lifecycle.add('the API servers', () => servers.close());
    await servers.open();
    this.#lifecycle.add('hot reload', () => resources.close());
    this.#followFolders(parts);
    health.markOutboundReady();
    health.markReady(RUNTIME_TARGET);
  }

  #followFolders({ resources }: Parts): void {
    const isOn = isFeatureEnabled(this.#configuration, 'HotReload');
    if (isOn) resources.watch(this.#options.reconcileIntervalMs);
    else resources.unwatch();
    void this.#cluster.followConfigurations(isOn, () => void this.reload());
  }

  /** Creates the parts, and connects those whose settings can change. */
  #compose(configuration: Configuration, source: ManifestSource): Parts {
    const { appId } = this.#options;
    const logger = this.#logger;
    const stores = this.#stores;
    const metadata = this.#metadata;
    const metrics = new Metrics({
      appId,
      namespace: this.#context.environment.NAMESPACE ?? '',
      settings: configuration.metrics,
      isKnownStore: (name) => stores.find(name) !== undefined,
    });
    const context = { ...this.#context, authorities: this.#authorities };
    const observation = createApiObservation(this.#options, context, metrics);
    const health = new Health([RUNTIME_TARGET]);
    const linked = { ...context, lifecycle: this.#lifecycle, metrics };
    const upstream = createUpstream(this.#options, linked);
    const sidecar: Sidecar = {
      appId,
      health,
      metadata,
      checkToken: createTokenCheck(this.#options.apiToken),
      isAllowed: (group, protocol) => this.#isAllowed(group, protocol),
      observer: observation,
      behind: upstream && toBehind(upstream),
      requestShutdown: this.#context.requestShutdown,
    };
    const resiliency = new Resiliency({
      appId,
      logger: logger.scoped('dapr.runtime'),
      observer: createResiliencyObserver(metrics, metadata),
    });
    const page = createPage(this.#options, { stores, metadata, logger });
    const factory = new StoreFactory({
      authorities: this.#authorities,
      observerOf: (store) => page.watch(store, metrics.storeObserver(store)),
      logger: logger.scoped('dapr.api'),
    });
    const loggerOf = (store: string) => factory.loggerOf(store);
    const log = createLockLog(logger.scoped('dapr.api'), { loggerOf });
    const services = createLockServices({
      appId,
      stores,
      policyOf: (storeName) => resiliency.policyOf(storeName),
      observers: [log, ...metrics.observers, ...page.observers],
      bounds: this.#options,
    });
    const components = createComponents(this.#options, this.#context, {
      isDenied: (component) => isComponentDenied(this.#configuration, component),
      stores,
      metadata,
      cluster: this.#cluster,
      factory,
      metrics,
    });
    const resources = new Resources({
      source,
      selection: { ...this.#options, builtIn: builtInComponentsOf(this.#options) },
      components,
      resiliency,
      stores,
      logger,
    });
    const served = { ...services, pageApi: page.api, sidecar, upstream };
    const servers = new Servers({ options: this.#options, ...served, logger });
    return { metrics, observation, health, components, resources, servers };
  }
}
