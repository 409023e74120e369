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
  /** Sorted by key, as daprd prints them. */
  readonly extended: Readonly<Record<string, string>>;
  readonly appConnection: AppConnection;
}

/** daprd's extended key of the runtime version; setting it has no visible effect. */
const RUNTIME_VERSION_KEY = 'daprRuntimeVersion';

/** The sidecar's description of itself; the `dapr` CLI adds entries to it (cliPID, appPID, …). */
export class SidecarMetadata {
  readonly #fixed: Omit<SidecarMetadataView, 'components' | 'extended'>;
  readonly #ownExtended: Readonly<Record<string, string>>;
  readonly #components: RegisteredComponent[] = [];
  readonly #extended = new Map<string, string>();

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

  /** Lists a component that has been initialised. */
  addComponent(component: RegisteredComponent): void {
    this.#components.push(component);
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
      components: [...this.#components],
      extended: Object.fromEntries(sorted),
    };
  }
}
