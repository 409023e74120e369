/** A loaded component, as the metadata API lists it. */
export interface RegisteredComponent {
  readonly name: string;
  readonly type: string;
  /** Empty where the component file names none. */
  readonly version: string;
}

/** What the launcher said of the app beside us; nothing here is ever connected to. */
export interface AppConnection {
  /** 0 where the app has no port. */
  readonly port: number;
  readonly protocol: string;
  readonly channelAddress: string;
  /** At most 0 where it is not limited. */
  readonly maxConcurrency: number;
}

/** All that the metadata API shows, the same over both transports. */
export interface SidecarMetadataView {
  readonly id: string;
  /** The Dapr version that is served; SDKs and the Dapr CLI parse it. */
  readonly runtimeVersion: string;
  readonly components: readonly RegisteredComponent[];
  /** Features that are turned on. */
  readonly enabledFeatures: readonly string[];
  /** The Resiliency documents that are loaded, by name. */
  readonly resiliencies: readonly string[];
  /** Sorted by key, as daprd prints them. */
  readonly extended: Readonly<Record<string, string>>;
  readonly appConnection: AppConnection;
}

/** daprd's extended key of the runtime version; setting it has no visible effect. */
const RUNTIME_VERSION_KEY = 'daprRuntimeVersion';

/** The sidecar's description of itself; the `dapr` CLI adds entries to it (cliPID, appPID, …). */
export class SidecarMetadata {
  readonly #fixed: Pick<SidecarMetadataView, 'id' | 'runtimeVersion' | 'appConnection'>;
  readonly #ownExtended: Readonly<Record<string, string>>;
  readonly #components = new Map<string, RegisteredComponent>();
  readonly #extended = new Map<string, string>();
  #enabledFeatures: readonly string[] = [];
  #resiliencies: readonly string[] = [];

  /** @param options `holdfastVersion` is shown as an extended entry of that name */
  constructor(options: {
    readonly appId: string;
    readonly daprVersion: string;
    readonly holdfastVersion: string;
    readonly appConnection: AppConnection;
  }) {
    const { appId, daprVersion, holdfastVersion, appConnection } = options;
    this.#fixed = { id: appId, runtimeVersion: daprVersion, appConnection };
    this.#ownExtended = { [RUNTIME_VERSION_KEY]: daprVersion, holdfastVersion };
  }

  /** Lists a component that has been initialised; one of the same name is replaced. */
  setComponent(component: RegisteredComponent): void {
    this.#components.set(component.name, component);
  }

  /** Takes a component off the list. */
  removeComponent(name: string): void {
    this.#components.delete(name);
  }

  /** Shows which features are turned on. */
  setFeatures(names: readonly string[]): void {
    this.#enabledFeatures = names;
  }

  /** Shows which Resiliency documents are loaded. */
  setResiliencies(names: readonly string[]): void {
    this.#resiliencies = names;
  }

  /** Sets an extended entry, in memory only. An empty key is ignored, as daprd does. */
  set(key: string, value: string): void {
    if (key !== '') this.#extended.set(key, value);
  }

  /** The description as it stands now. */
  view(): SidecarMetadataView {
    const extended = { ...Object.fromEntries(this.#extended), ...this.#ownExtended };
    const sorted = Object.entries(extended).sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      ...this.#fixed,
      enabledFeatures: this.#enabledFeatures,
      resiliencies: this.#resiliencies,
      components: [...this.#components.values()],
      extended: Object.fromEntries(sorted),
    };
  }
}
