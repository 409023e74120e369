import type { ApiRule } from './api-access';
import type { OtelHeaders } from './otel-headers';

/** Trace settings (`spec.tracing`): the receivers and the sampling rate. */
export interface TracingSettings {
  /** The rate as it is written. Undefined if the configuration has none. */
  readonly samplingRate: string | undefined;
  /** True if spans are written to the log. */
  readonly stdout: boolean;
  readonly zipkinEndpoint: string | undefined;
  readonly otel: OtelSettings | undefined;
}

/** An OTLP receiver (`spec.tracing.otel`). */
export interface OtelSettings {
  /** The complete URL. Its scheme, http or https, says whether to use TLS. */
  readonly url: string;
  readonly protocol: 'grpc' | 'http';
  readonly headers: OtelHeaders;
  readonly timeoutMs: number | undefined;
}

/** Metric settings (`spec.metrics`, or `spec.metric`). */
export interface MetricsSettings {
  readonly enabled: boolean;
  /** True if `dapr_error_code_total` is counted. */
  readonly recordErrorCodes: boolean;
  readonly http: {
    /** True if the path is a label, with the store name. */
    readonly increasedCardinality: boolean;
    /** Path templates to use as labels if the cardinality is not increased. */
    readonly pathMatching: readonly string[];
    /** True if the HTTP method is left out of the labels. */
    readonly excludeVerbs: boolean;
  };
  /** Upper bounds in milliseconds. Undefined for daprd's. */
  readonly latencyBucketsMs: readonly number[] | undefined;
}

/** API logs (`spec.logging.apiLogging`). */
export interface ApiLoggingSettings {
  readonly enabled: boolean;
  /** True if log lines contain operations instead of paths. */
  readonly obfuscateUrls: boolean;
  readonly omitHealthChecks: boolean;
}

/** The complete configuration: the files of `--config` over the defaults. */
export interface Configuration {
  readonly tracing: TracingSettings;
  readonly metrics: MetricsSettings;
  readonly apiLogging: ApiLoggingSettings;
  readonly api: { readonly allowed: readonly ApiRule[]; readonly denied: readonly ApiRule[] };
  /** Denied component types, with or without a version. */
  readonly deniedComponents: readonly string[];
  /** By feature name. Features that are missing have daprd's default. */
  readonly features: ReadonlyMap<string, boolean>;
}

/** daprd's defaults (dapr/dapr pkg/config/configuration.go). */
export const DEFAULT_CONFIGURATION: Configuration = Object.freeze({
  tracing: { samplingRate: undefined, stdout: false, zipkinEndpoint: undefined, otel: undefined },
  metrics: {
    enabled: true,
    recordErrorCodes: false,
    http: { increasedCardinality: true, pathMatching: [], excludeVerbs: false },
    latencyBucketsMs: undefined,
  },
  apiLogging: { enabled: false, obfuscateUrls: false, omitHealthChecks: false },
  api: { allowed: [], denied: [] },
  deniedComponents: [],
  features: new Map([['HotReload', true]]),
});

/** True if a feature is enabled, by default or by the configuration. */
export function isFeatureEnabled({ features }: Configuration, name: string): boolean {
  return features.get(name) ?? false;
}

/**
 * True if `components.deny` denies a component. As in daprd, a list with any entry also denies
 * every component without a version.
 */
export function isComponentDenied(
  { deniedComponents }: Configuration,
  { type, version }: { readonly type: string; readonly version: string },
): boolean {
  if (deniedComponents.length === 0) return false;
  if (version === '') return true;
  const names = [type.toLowerCase(), `${type}/${version}`.toLowerCase()];
  return deniedComponents.some((entry) => names.includes(entry.toLowerCase()));
}
