import type { Logger } from '../base/logger';
import { toErrorMessage } from '../base/error-message';
import { createProblemLogger } from '../base/problem-logger';
import { HOLDFAST_VERSION, DAPR_VERSION } from '../base/version';
import { LockRejectedError, LockUnreachableError } from '../client/client-errors';
import { ComponentManager } from '../components/component-manager';
import { ComponentError } from '../components/init-lock-store';
import { isSecretStoreType } from '../components/secrets/secret-stores';
import { type ComponentSelection, selectComponents } from '../components/select-components';
import type { NativeLockService } from '../lock/native-lock-service';
import { StoreCatalog } from '../lock/store-catalog';
import { silentStoreObserver } from '../lock/store-observer';
import { ManifestFolders } from '../manifests/manifest-folders';
import type { ManifestFile } from '../manifests/manifest-source';
import { Resiliency, silentResiliencyObserver } from '../resiliency/resiliency';
import { SidecarMetadata } from '../sidecar/metadata';
import { SystemAuthorities } from '../trust/system-authorities';
import { toComponentEnvironment } from './component-environment';
import { LazyCluster } from './lazy-cluster';
import { createLockServices } from './lock-services';
import { StoreFactory } from './store-factory';

/** Which component files to use, and as which app. */
export interface OwnStoresOptions {
  readonly folders: readonly string[];
  /** The only lock store that is opened. */
  readonly store: string;
  readonly appId: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Writes a line for people: what a sidecar would log as an error. */
  readonly say: (line: string) => void;
}

/** A store of this process, open until it is closed. */
export interface OwnStores {
  readonly locks: NativeLockService;
  close(): Promise<void>;
}

/** How long the store may take to close, in milliseconds. */
const CLOSE_WITHIN_MS = 2000;

/** There is no app to connect to. */
const NO_APP = { port: 0, protocol: 'http', channelAddress: '127.0.0.1', maxConcurrency: -1 };

/**
 * Opens one store of component files as a sidecar would, with the same keys, policies and secrets, but without a server.
 *
 * @throws {LockRejectedError} if the files can't be used, or have no such store
 * @throws {LockUnreachableError} if the server of the store can't be reached
 */
export async function openOwnStores(options: OwnStoresOptions): Promise<OwnStores> {
  const { appId, folders } = options;
  // Errors only: each run of cron would mail the warnings of a healthy store.
  const logger = createProblemLogger({ error: options.say });
  const stores = new StoreCatalog();
  const resiliency = new Resiliency({ appId, logger, observer: silentResiliencyObserver });
  const cluster = new LazyCluster(options.environment, logger);
  const components = createComponents(options, { stores, cluster, logger });
  try {
    const files = await new ManifestFolders(folders, logger).read();
    const selection = selectStore(files, options);
    resiliency.load(files);
    await components.start(selection);
  } catch (error) {
    await components.close(AbortSignal.abort());
    await cluster.close();
    throw toClientError(error);
  }
  const { nativeLocks } = createLockServices({
    appId,
    stores,
    policyOf: (name) => resiliency.policyOf(name),
    observers: [],
    bounds: { maxConcurrentLockCalls: undefined, maxLockWaits: Infinity, maxLockHolds: Infinity },
  });
  return {
    locks: nativeLocks,
    close: async () => {
      nativeLocks.stop();
      await components.close(AbortSignal.timeout(CLOSE_WITHIN_MS));
      await cluster.close();
    },
  };
}

/** The options of the stores. */
interface OwnParts {
  readonly stores: StoreCatalog;
  readonly cluster: LazyCluster;
  readonly logger: Logger;
}

function createComponents(
  { appId, environment }: OwnStoresOptions,
  { stores, cluster, logger }: OwnParts,
): ComponentManager {
  const factory = new StoreFactory({
    authorities: new SystemAuthorities(environment),
    observerOf: () => silentStoreObserver,
    logger,
  });
  const versions = { daprVersion: DAPR_VERSION, holdfastVersion: HOLDFAST_VERSION };
  return new ComponentManager({
    appId,
    environment: toComponentEnvironment(environment, { appId, appConnection: NO_APP }),
    createClusterSecrets: (properties) => cluster.createSecrets(properties),
    createStore: (manifest, made) => factory.create(manifest, made),
    isDenied: () => false,
    observe: () => undefined,
    stores,
    metadata: new SidecarMetadata({ appId, appConnection: NO_APP, ...versions }),
    logger,
  });
}

/** The wanted store, which must be ready at once, and the secret stores. */
function selectStore(
  files: readonly ManifestFile[],
  { store, appId, environment, folders }: OwnStoresOptions,
): ComponentSelection {
  const contents = selectComponents(files, { appId, namespace: environment.NAMESPACE });
  const manifests = contents.manifests
    .filter(({ name, type }) => name === store || isSecretStoreType(type))
    .map((manifest) => ({ ...manifest, ignoreErrors: false }));
  if (manifests.some(({ name }) => name === store)) return { manifests, broken: new Map() };
  const reasons = [...contents.broken.values(), ...contents.passedOver];
  const known = contents.manifests.map(({ name }) => name).join(', ');
  const what = `there is no component ${store} in ${folders.join(', ')}`;
  const others = known === '' ? '' : ` (there are: ${known})`;
  throw new Error([`${what}${others}`, ...reasons].join('\n'));
}

function toClientError(error: unknown): Error {
  const { cause } = error as { readonly cause?: unknown };
  const isPassing = cause instanceof ComponentError && cause.isPassing;
  const message = toErrorMessage(error);
  if (isPassing) return new LockUnreachableError(message, { cause: error });
  return new LockRejectedError(message, 'INVALID_ARGUMENT', { cause: error });
}
