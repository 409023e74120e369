import type { ApiRule } from './api-access';
import type { OtelHeaders } from './otel-headers';

/** Where traces go, and how many are taken (`spec.tracing`). */
export interface TracingSettings {
  /** The text as it is written; undefined where the configuration has none. */
  readonly samplingRate: string | undefined;
  /** Spans on standard output. */
  readonly stdout: boolean;
  readonly zipkinEndpoint: string | undefined;
  readonly otel: OtelSettings | undefined;
}

/** An OTLP receiver (`spec.tracing.otel`). */
export interface OtelSettings {
  /** Over HTTP with the path that is posted to; http or https says whether TLS is spoken. */
  readonly url: string;
  readonly protocol: 'grpc' | 'http';
  readonly headers: OtelHeaders;
  readonly timeoutMs: number | undefined;
}

/** What is measured (`spec.metrics`, or `spec.metric`). */
export interface MetricsSettings {
  readonly enabled: boolean;
  /** True: `dapr_error_code_total` is kept. */
  readonly recordErrorCodes: boolean;
  readonly http: {
    /** True: the path is a label as it was called, store name included. */
    readonly increasedCardinality: boolean;
    /** Path templates that are used as labels where the cardinality is not increased. */
    readonly pathMatching: readonly string[];
    /** True: the method is left out of the labels. */
    readonly excludeVerbs: boolean;
  };
  /** Upper bounds in milliseconds; undefined for daprd's. */
  readonly latencyBucketsMs: readonly number[] | undefined;
}

/** A log line for each call (`spec.logging.apiLogging`). */
export interface ApiLoggingSettings {
  readonly enabled: boolean;
  /** True: operations are named instead of paths. */
  readonly obfuscateUrls: boolean;
  readonly omitHealthChecks: boolean;
}

/** What the files of `--config` say, laid over the defaults. */
export interface Configuration {
  readonly tracing: TracingSettings;
  readonly metrics: MetricsSettings;
  readonly apiLogging: ApiLoggingSettings;
  readonly api: { readonly allowed: readonly ApiRule[]; readonly denied: readonly ApiRule[] };
  /** Component types, with or without a version. */
  readonly deniedComponents: readonly string[];
  /** By feature name; what is not named has daprd's default. */
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

/** True where a feature is turned on, by default or by the configuration. */
export function isFeatureEnabled({ features }: Configuration, name: string): boolean {
  return features.get(name) ?? false;
}

/**
 * True where `components.deny` forbids a component. As in daprd any such list also forbids
 * components that name no version.
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
