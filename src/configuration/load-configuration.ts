import { toErrorMessage } from '../base/error-message';
import type { Logger } from '../base/logger';
import { findNearest } from '../base/nearest-name';
import { readRegularFile } from '../base/regular-file';
import {
  ManifestFileError,
  parseDocument,
  parseFile,
  type PlacedDocument,
  positionIn,
} from '../manifests/manifest-file';
import { describeUnknownNames } from '../manifests/unknown-names';
import type { YamlDocument } from '../manifests/yaml-documents';
import { describeIdleRule } from './api-access';
import type { Configuration, TracingSettings } from './configuration';
import { DEFAULT_CONFIGURATION } from './configuration';
import {
  type ConfigurationDocument,
  configurationSchema,
  sectionNamesSchema,
  UNUSED_SECTION_NAMES,
} from './configuration-schema';
import {
  isWithoutEndpoint,
  type OtelMembers,
  type OtelSources,
  overlayOtel,
  withOtelReceiver,
} from './otel-receiver';

/** The input of {@link loadConfiguration}. */
export interface ConfigurationSource {
  /** The values of `--config`: files and, if `readNamed` is set, names. Later ones override earlier ones. */
  readonly files: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** Reads a Configuration of the cluster. Undefined if all values are files. */
  readonly readNamed?: (name: string) => Promise<YamlDocument>;
}

/**
 * Loads the configuration of a sidecar (dapr/dapr pkg/config/configuration.go). First `$VAR` and
 * `${VAR}` are replaced. Then the first document of each file overrides the files before it. OTEL_*
 * variables supply what no file contains.
 *
 * @throws {Error} with the file and all its problems as `file:line:column path: what`, or with the
 *   environment variable that is invalid
 */
export async function loadConfiguration(source: ConfigurationSource): Promise<Configuration> {
  let configuration = DEFAULT_CONFIGURATION;
  let otel: OtelMembers = {};
  for (const file of source.files) {
    try {
      const document = await readDocument(file, source);
      if (document?.problem !== undefined) throw new ManifestFileError(document.problem);
      if (document === undefined || document.value === null) continue;
      const placed = { file: toPlaceName(file, source), document };
      const { spec } = parseDocument(configurationSchema, placed);
      sayIdle(placed, spec, source.logger);
      configuration = overlay(configuration, spec);
      otel = overlayOtel(otel, spec.tracing.otel);
    } catch (cause) {
      throw new Error(`error loading configuration: ${toErrorMessage(cause)}`, { cause });
    }
  }
  return withReceiver(configuration, { written: otel, environment: source.environment }, source);
}

/** True for a file: all values outside of Kubernetes, and what no object of Kubernetes is named. */
function isFile(value: string, { readNamed }: ConfigurationSource): boolean {
  return readNamed === undefined || value.includes('/') || /\.(?:ya?ml|json)$/i.test(value);
}

function toPlaceName(value: string, source: ConfigurationSource): string {
  return isFile(value, source) ? value : `configuration/${value}`;
}

/** The first document. In an object of the cluster, as in daprd, no variables are replaced. */
async function readDocument(
  value: string,
  source: ConfigurationSource,
): Promise<YamlDocument | undefined> {
  const { readNamed, environment } = source;
  if (readNamed !== undefined && !isFile(value, source)) return readNamed(value);
  const [document] = parseFile(value, expandVariables(await readRegularFile(value), environment));
  return document;
}

/** Adds the OTLP receiver to the configuration, if there is one. */
function withReceiver(
  configuration: Configuration,
  sources: OtelSources,
  { logger }: ConfigurationSource,
): Configuration {
  if (isWithoutEndpoint(sources)) {
    logger.warn(
      'spec.tracing.otel has no effect: it has no endpointAddress, and OTEL_EXPORTER_OTLP_ENDPOINT is not set',
    );
  }
  const tracing = withOtelReceiver(configuration.tracing, sources);
  return tracing === configuration.tracing ? configuration : { ...configuration, tracing };
}

/** Replaces variables like Go's os.ExpandEnv. A variable that is not set is empty. */
function expandVariables(text: string, environment: ConfigurationSource['environment']): string {
  return text.replaceAll(
    /\$(?:\{([^}]*)\}|([A-Za-z_]\w*|[*#$@!?\d-]))/g,
    (_whole, braced: string | undefined, bare: string | undefined) =>
      environment[braced ?? bare ?? ''] ?? '',
  );
}

/** daprd's features. Older ones are accepted silently, because many files still contain them. */
const FEATURES: readonly string[] = [
  'ActorStateTTL',
  'HotReload',
  'WorkflowHistorySigning',
  'WorkflowsClusteredDeployment',
  'WorkflowsRemoteActivityReminder',
];

/** Logs the parts of a file that have no effect. */
function sayIdle(placed: PlacedDocument, spec: Spec, logger: Logger): void {
  for (const sentence of describeUnknownNames(configurationSchema, placed, true)) {
    logger.warn(sentence);
  }
  const sections = Object.keys(parseDocument(sectionNamesSchema, placed).spec);
  for (const name of sections.filter((section) => UNUSED_SECTION_NAMES.includes(section))) {
    const position = positionIn(placed, ['spec', name]);
    logger.info(`${position} spec.${name} has no effect: a lock sidecar does not use it`);
  }
  for (const [index, { name }] of spec.features.entries()) {
    const nearest = FEATURES.includes(name) ? undefined : findNearest(name, FEATURES);
    if (nearest === undefined) continue;
    const position = positionIn(placed, ['spec', 'features', index, 'name']);
    logger.warn(`${position} spec.features[${index}] ${name} is unknown; did you mean ${nearest}?`);
  }
  for (const list of ['allowed', 'denied'] as const) {
    for (const [index, rule] of spec.api[list].entries()) {
      const reason = describeIdleRule(toRule(rule));
      if (reason === undefined) continue;
      const position = positionIn(placed, ['spec', 'api', list, index]);
      logger.warn(`${position} spec.api.${list}[${index}] ${reason}`);
    }
  }
}

type Spec = ConfigurationDocument['spec'];

/** Overrides a configuration with the settings of a document. */
function overlay(below: Configuration, spec: Spec): Configuration {
  const { apiLogging } = spec.logging;
  const { allowed, denied } = spec.api;
  const features = new Map(below.features);
  for (const { name, enabled } of spec.features) features.set(name, enabled ?? false);
  return {
    tracing: overlayTracing(below.tracing, spec.tracing),
    metrics: overlayMetrics(overlayMetrics(below.metrics, spec.metric), spec.metrics),
    apiLogging: {
      enabled: apiLogging.enabled ?? below.apiLogging.enabled,
      obfuscateUrls: apiLogging.obfuscateURLs ?? below.apiLogging.obfuscateUrls,
      omitHealthChecks: apiLogging.omitHealthChecks ?? below.apiLogging.omitHealthChecks,
    },
    api: {
      allowed: allowed.length > 0 ? allowed.map(toRule) : below.api.allowed,
      denied: denied.length > 0 ? denied.map(toRule) : below.api.denied,
    },
    deniedComponents: orBelow(spec.components.deny, below.deniedComponents),
    features,
  };
}

function overlayTracing(below: TracingSettings, spec: Spec['tracing']): TracingSettings {
  return {
    samplingRate: spec.samplingRate ?? below.samplingRate,
    stdout: spec.stdout ?? below.stdout,
    zipkinEndpoint: spec.zipkin.endpointAddress ?? below.zipkinEndpoint,
    otel: below.otel,
  };
}

function overlayMetrics(
  below: Configuration['metrics'],
  spec: Spec['metrics'],
): Configuration['metrics'] {
  const buckets = spec.latencyDistributionBuckets;
  return {
    enabled: spec.enabled ?? below.enabled,
    recordErrorCodes: spec.recordErrorCodes ?? below.recordErrorCodes,
    http: {
      increasedCardinality: spec.http.increasedCardinality ?? below.http.increasedCardinality,
      pathMatching: orBelow(spec.http.pathMatching, below.http.pathMatching),
      excludeVerbs: spec.http.excludeVerbs ?? below.http.excludeVerbs,
    },
    latencyBucketsMs: buckets.length > 0 ? buckets : below.latencyBucketsMs,
  };
}

function orBelow(list: readonly string[], below: readonly string[]): readonly string[] {
  return list.length > 0 ? list : below;
}

function toRule({ name, version = '', protocol }: Spec['api']['allowed'][number]) {
  return { name, version, protocol };
}
