/** A loaded component, as the metadata API lists it. */
export interface RegisteredComponent {
  readonly name: string;
  readonly type: string;
  /** Empty if the component file has none. */
  readonly version: string;
}

/** The components that are not in another list, by name and type. */
export function withoutThose(
  others: readonly Partial<RegisteredComponent>[],
  components: readonly RegisteredComponent[],
): readonly RegisteredComponent[] {
  return components.filter(
    ({ name, type }) => !others.some((other) => other.name === name && other.type === type),
  );
}

/** The app as the launcher described it. Holdfast never connects to it. */
export interface AppConnection {
  /** 0 if the app has no port. */
  readonly port: number;
  readonly protocol: string;
  readonly channelAddress: string;
  /** 0 or less for no limit. */
  readonly maxConcurrency: number;
}

/** Everything that the metadata API shows. It is the same over both transports. */
export interface SidecarMetadataView {
  readonly id: string;
  /** The Dapr version that Holdfast implements. SDKs and the Dapr CLI parse it. */
  readonly runtimeVersion: string;
  readonly components: readonly RegisteredComponent[];
  /** The enabled features. */
  readonly enabledFeatures: readonly string[];
  /** The names of the loaded Resiliency documents. */
  readonly resiliencies: readonly string[];
  /** Sorted by key, as daprd prints them. */
  readonly extended: Readonly<Record<string, string>>;
  readonly appConnection: AppConnection;
}

/**
 * The extended entry in which daprd shows the runtime version. Setting it has no visible effect.
 */
const RUNTIME_VERSION_KEY = 'daprRuntimeVersion';

/**
 * Limit for all extended entries together, in bytes: their keys, their values, and {@link
 * ENTRY_BYTES} for each. The `dapr` CLI sets half a dozen, the longest of them a command line.
 * daprd has no limit, although the public port, where entries can be set, needs no token.
 */
export const MAX_EXTENDED_BYTES = 64 * 1024;

/** Bytes that each entry counts in addition to its text. */
const ENTRY_BYTES = 64;

/** The message of both transports for an entry that exceeds the limit. */
export const METADATA_FULL = `the limit of ${MAX_EXTENDED_BYTES} bytes for all metadata entries is reached (keys, values and ${ENTRY_BYTES} bytes for each entry); nothing was set, use shorter values`;

/** An entry was not set because it exceeds the limit. */
export class MetadataFullError extends Error {
  override readonly name = 'MetadataFullError';

  constructor() {
    super(METADATA_FULL);
  }
}

/** The sidecar's metadata. The `dapr` CLI adds entries to it (cliPID, appPID, …). */
export class SidecarMetadata {
  readonly #fixed: Pick<SidecarMetadataView, 'id' | 'runtimeVersion' | 'appConnection'>;
  readonly #ownExtended: Readonly<Record<string, string>>;
  readonly #components = new Map<string, RegisteredComponent>();
  readonly #extended = new Map<string, string>();
  #extendedBytes = 0;
  /** The last result of {@link view}; undefined after a change. */
  #view: SidecarMetadataView | undefined;
  #enabledFeatures: readonly string[] = [];
  #resiliencies: readonly string[] = [];

  /** @param options `holdfastVersion` becomes an extended entry with this name */
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

  /** Adds an initialised component, or replaces one with the same name. */
  setComponent(component: RegisteredComponent): void {
    this.#view = undefined;
    this.#components.set(component.name, component);
  }

  /** Removes a component. */
  removeComponent(name: string): void {
    this.#view = undefined;
    this.#components.delete(name);
  }

  /** Sets the enabled features. */
  setFeatures(names: readonly string[]): void {
    this.#view = undefined;
    this.#enabledFeatures = names;
  }

  /** Sets the names of the loaded Resiliency documents. */
  setResiliencies(names: readonly string[]): void {
    this.#view = undefined;
    this.#resiliencies = names;
  }

  /**
   * Sets an extended entry, in memory only. As in daprd, an empty key is ignored.
   *
   * @throws {MetadataFullError} if all entries together would exceed {@link MAX_EXTENDED_BYTES}
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

  /** The current metadata. The same object is returned until something changes. */
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
