import * as z from 'zod';

import { toErrorMessage } from '../base/error-message';
import { findNearest } from '../base/nearest-name';
import { MetadataValueError, parseGoDuration } from '../go/go-values';
import {
  DOCUMENT_HEAD,
  exactStruct,
  flag,
  listOf,
  mapOf,
  OBJECT_METADATA,
  optionalExactStruct,
  optionalText,
  optionalWord,
  text,
  unused,
} from '../manifests/manifest-shape';
import { toHttpUrl, toOtelUrl } from './otel-endpoint';
import { parseHeaders, toHeaders, toNamedHeader, toPair } from './otel-headers';
import type { OtelMembers } from './otel-receiver';
import { metricRules, UNUSED_SECTIONS } from './unused-sections';

/** The schema of a Configuration document, for the parts that a lock sidecar uses. */

/** Reports a problem with a value, or with a member of it. */
function refuse(
  context: z.core.$RefinementCtx,
  message: string,
  path: readonly (string | number)[] = [],
): never {
  context.addIssue({ code: 'custom', message, path: [...path] });
  return z.NEVER;
}

const duration = text.optional().transform((value, context) => {
  if (value === undefined || value === '') return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  try {
    return parseGoDuration(value);
  } catch (error) {
    if (!(error instanceof MetadataValueError)) throw error;
    return refuse(context, error.message);
  }
});

const samplingRate = text.optional().transform((value, context) => {
  if (value === undefined || value === '') return undefined;
  const rate = value.trim() === '' ? NaN : Number(value);
  if (rate >= 0 && rate <= 1) return value;
  return refuse(context, `must be a number from 0 to 1, not "${value}"`);
});

/** As in daprd, this is the complete URL. Nothing is added to it. */
const zipkinEndpoint = optionalText.transform((value, context) => {
  if (value === undefined || toHttpUrl(value) !== undefined) return value;
  return refuse(context, `must be a URL of http or https, not "${value}"`);
});

/** An entry of a list of headers: a string, or a map as in a Kubernetes manifest of Dapr. */
const header = z.union([
  exactStruct({ name: text, value: optionalText, secretKeyRef: unused, envRef: unused }),
  text,
]);

/**
 * daprd accepts a list of strings. Holdfast also accepts a map, and one string as in
 * OTEL_EXPORTER_OTLP_HEADERS.
 */
const headers = z
  .union([listOf(header), mapOf(text), text], {
    error:
      'must be a list of strings of the form a=1, a string of the form a=1,b=2, or a map of strings',
  })
  .transform((written, context) => {
    try {
      if (typeof written === 'string') return parseHeaders(written);
      if (!Array.isArray(written)) return toHeaders(Object.entries(written));
      return toHeaders(
        written.map((entry, index) =>
          typeof entry === 'string' ? toPair(entry, index) : toNamedHeader(entry),
        ),
      );
    } catch (error) {
      return refuse(context, toErrorMessage(error));
    }
  });

/**
 * The OTLP receiver in a file. The address is checked here, where its position in the file is
 * known.
 */
const otel = optionalExactStruct({
  endpointAddress: optionalText,
  protocol: optionalWord(['grpc', 'http']),
  isSecure: flag,
  headers,
  timeout: duration,
}).transform((written, context): OtelMembers => {
  const { endpointAddress: address, protocol, isSecure } = written;
  try {
    if (address !== undefined) {
      toOtelUrl(address, { protocol: protocol ?? 'grpc', isSecure: true, isBase: false });
    }
  } catch (error) {
    return refuse(context, toErrorMessage(error), ['endpointAddress']);
  }
  return {
    address,
    protocol,
    isSecure,
    headers: Object.keys(written.headers).length > 0 ? written.headers : undefined,
    // As in daprd, an invalid time counts as not set.
    timeoutMs: (written.timeout ?? 0) > 0 ? written.timeout : undefined,
  };
});

const tracing = optionalExactStruct({
  samplingRate,
  stdout: flag,
  zipkin: optionalExactStruct({ endpointAddress: zipkinEndpoint }),
  otel,
});

const bucket = z
  .union([z.number(), z.bigint()], { error: 'must be a number of milliseconds' })
  .transform(Number);

/** Upper bounds for Prometheus, in ascending order. */
const buckets = listOf(bucket).superRefine((bounds, context) => {
  for (const [index, bound] of bounds.entries()) {
    const before = bounds[index - 1] ?? 0;
    if (bound > before) continue;
    refuse(context, `must be greater than ${before}: buckets are positive and ascending`, [index]);
  }
});

const metrics = optionalExactStruct({
  enabled: flag,
  recordErrorCodes: flag,
  http: optionalExactStruct({
    increasedCardinality: flag,
    pathMatching: listOf(text),
    excludeVerbs: flag,
  }),
  latencyDistributionBuckets: buckets,
  rules: metricRules,
});

/**
 * The API groups of daprd (dapr/dapr pkg/api/http/endpoints), of which Holdfast serves a few, and
 * `locks`, the group of the native API.
 */
const API_GROUPS: readonly string[] = [
  'actors',
  'bindings',
  'configuration',
  'conversation',
  'crypto',
  'healthz',
  'invoke',
  'jobs',
  'lock',
  'locks',
  'metadata',
  'publish',
  'secrets',
  'shutdown',
  'state',
  'subtlecrypto',
  'unlock',
  'workflows',
];

/** The versions of these groups, also in their older form. */
const API_VERSIONS: readonly string[] = ['v1', 'v1alpha1', 'v1alpha2', 'v1beta1'];
const ALL_API_VERSIONS = API_VERSIONS.flatMap((version) => [
  version,
  version.replace(/^v1(?=.)/, 'v1.0-').replace(/^v1$/, 'v1.0'),
]);

/**
 * Accepts only known words. A rule with an unknown word would be ignored, and what it denies would
 * be served.
 */
function wordOf(known: readonly string[]) {
  return text.superRefine((value, context) => {
    if (known.includes(value)) return;
    const nearest = findNearest(value, known);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    refuse(context, `must be one of ${known.join(', ')}, not "${value}"${hint}`);
  });
}

const apiRule = exactStruct({
  name: wordOf(API_GROUPS),
  version: wordOf(ALL_API_VERSIONS).optional(),
  protocol: optionalWord(['http', 'grpc']),
});

/** The names of sections that are accepted but have no effect. */
export const UNUSED_SECTION_NAMES: readonly string[] = Object.keys(UNUSED_SECTIONS);

/** A Configuration document. As in daprd, its kind is not checked, and names are case-sensitive. */
export const configurationSchema = exactStruct({
  ...DOCUMENT_HEAD,
  metadata: optionalExactStruct({ ...OBJECT_METADATA, name: unused, namespace: unused }),
  spec: optionalExactStruct({
    ...UNUSED_SECTIONS,
    tracing,
    metric: metrics,
    metrics,
    logging: optionalExactStruct({
      apiLogging: optionalExactStruct({
        enabled: flag,
        obfuscateURLs: flag,
        omitHealthChecks: flag,
      }),
    }),
    api: optionalExactStruct({ allowed: listOf(apiRule), denied: listOf(apiRule) }),
    components: optionalExactStruct({ deny: listOf(text) }),
    features: listOf(exactStruct({ name: text, enabled: flag })),
  }),
});

/** The sections under `spec`, as they are written. */
export const sectionNamesSchema = exactStruct({ spec: mapOf(unused) });

/** A document that fits {@link configurationSchema}. */
export type ConfigurationDocument = z.infer<typeof configurationSchema>;
