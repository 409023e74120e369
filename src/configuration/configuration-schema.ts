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
import { parseHeaders, toHeaders, toPair } from './otel-headers';
import type { OtelMembers } from './otel-receiver';
import { metricRules, UNUSED_SECTIONS } from './unused-sections';

/** The shape of a Configuration document, as far as a lock sidecar has a use for it. */

/** Says what is wrong with a value, or with a member of it. */
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

/** As in daprd the whole URL: nothing is added to it. */
const zipkinEndpoint = optionalText.transform((value, context) => {
  if (value === undefined || toHttpUrl(value) !== undefined) return value;
  return refuse(context, `must be a URL of http or https, not "${value}"`);
});

/** An entry of a list of headers: a text, or a map as Dapr's manifest in Kubernetes has it. */
const header = z
  .union([exactStruct({ name: text, value: text, secretKeyRef: unused, envRef: unused }), text])
  .transform((written) =>
    typeof written === 'string' ? written : ([written.name, written.value] as const),
  );

/** daprd's form is a list of texts; also taken are a map, and the text of OTEL_EXPORTER_OTLP_HEADERS. */
const headers = z
  .union([listOf(header), mapOf(text), text], {
    error: 'must be a list of texts of the form a=1, a text of the form a=1,b=2, or a map of texts',
  })
  .transform((written, context) => {
    try {
      if (typeof written === 'string') return parseHeaders(written);
      if (!Array.isArray(written)) return toHeaders(Object.entries(written));
      return toHeaders(
        written.map((entry, index) => (typeof entry === 'string' ? toPair(entry, index) : entry)),
      );
    } catch (error) {
      return refuse(context, toErrorMessage(error));
    }
  });

/** What the file says of an OTLP receiver: the address is checked here, where its place is known. */
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
    // As in daprd what is no time counts as not set.
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

/** Upper bounds, as Prometheus takes them: each above the one before. */
const buckets = listOf(bucket).superRefine((bounds, context) => {
  for (const [index, bound] of bounds.entries()) {
    const before = bounds[index - 1] ?? 0;
    if (bound > before) continue;
    refuse(context, `must be more than ${before}: buckets are positive and ascending`, [index]);
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

/** The groups of daprd's API (dapr/dapr pkg/api/http/endpoints); most of them are not served here. */
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
  'metadata',
  'publish',
  'secrets',
  'shutdown',
  'state',
  'subtlecrypto',
  'unlock',
  'workflows',
];

/** Their versions, each in its older form too. */
const API_VERSIONS: readonly string[] = ['v1', 'v1alpha1', 'v1alpha2', 'v1beta1'];
const ALL_API_VERSIONS = API_VERSIONS.flatMap((version) => [
  version,
  version.replace(/^v1(?=.)/, 'v1.0-').replace(/^v1$/, 'v1.0'),
]);

/** A rule with a word that is none would be passed over, and what it denies be served. */
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

/** The names of sections that are taken without effect. */
export const UNUSED_SECTION_NAMES: readonly string[] = Object.keys(UNUSED_SECTIONS);

/** A Configuration document; its kind is not looked at, as in daprd. Names count with their case. */
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

/** The sections that stand under `spec`, as they are written. */
export const sectionNamesSchema = exactStruct({ spec: mapOf(unused) });

/** A document that fits {@link configurationSchema}. */
export type ConfigurationDocument = z.infer<typeof configurationSchema>;
