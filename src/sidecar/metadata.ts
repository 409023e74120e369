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

/**
 * The most bytes that all extended entries together may take: their keys, their values, and
 * {@link ENTRY_BYTES} for each. The `dapr` CLI sets half a dozen, the longest of them a command line.
 * daprd has no bound, and the public port, where entries can be set, asks for no token.
 */
export const MAX_EXTENDED_BYTES = 64 * 1024;

/** What an entry counts beside its text. */
const ENTRY_BYTES = 64;

/** What both transports answer where an entry has no room. */
export const METADATA_FULL = `the metadata entries that are set take at most ${MAX_EXTENDED_BYTES} bytes in all (keys, values, and ${ENTRY_BYTES} for each): set this one, or others, to a shorter value`;

/** An entry that was not set, as there is no room for it. */
export class MetadataFullError extends Error {
  override readonly name = 'MetadataFullError';

  constructor() {
    super(METADATA_FULL);
  }
}

/** The sidecar's description of itself; the `dapr` CLI adds entries to it (cliPID, appPID, …). */
export class SidecarMetadata {
  readonly #fixed: Pick<SidecarMetadataView, 'id' | 'runtimeVersion' | 'appConnection'>;
  readonly #ownExtended: Readonly<Record<string, string>>;
  readonly #components = new Map<string, RegisteredComponent>();
  readonly #extended = new Map<string, string>();
  #extendedBytes = 0;
  /** What {@link view} gave last; undefined once that has changed. */
  #view: SidecarMetadataView | undefined;
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
    this.#view = undefined;
    this.#components.set(component.name, component);
  }

  /** Takes a component off the list. */
  removeComponent(name: string): void {
    this.#view = undefined;
    this.#components.delete(name);
  }

  /** Shows which features are turned on. */
  setFeatures(names: readonly string[]): void {
    this.#view = undefined;
    this.#enabledFeatures = names;
  }

  /** Shows which Resiliency documents are loaded. */
  setResiliencies(names: readonly string[]): void {
    this.#view = undefined;
    this.#resiliencies = names;
  }

  /**
   * Sets an extended entry, in memory only. An empty key is ignored, as daprd does.
   *
   * @throws {MetadataFullError} where all of them would take more than {@link MAX_EXTENDED_BYTES}
   */
  set(key: string, value: string): void {
    if (key === '') return;
    const before = this.#extended.get(key);
    const bytes =
      this.#extendedBytes + sizeOf(key, value) - (before === undefined ? 0 : sizeOf(key, before));
    if (bytes > MAX_EXTENDED_BYTES) throw new MetadataFullError();
    this.#extendedBytes = bytes;
    this.#extended.set(key, value);
    this.#view = undefined;
  }

  /** The description as it stands now: the same object until something has changed. */
  view(): SidecarMetadataView {
    this.#view ??= this.#describe();
    return this.#view;
  }

  #describe(): SidecarMetadataView {
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

function sizeOf(key: string, value: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(value) + ENTRY_BYTES;
}
