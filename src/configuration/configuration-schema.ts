import * as z from 'zod';

import { toErrorMessage } from '../lock/error-message';
import { MetadataValueError, parseGoDuration } from '../manifests/go-values';
import {
  flag,
  listOf,
  mapOf,
  optionalStruct,
  optionalText,
  struct,
  text,
} from '../manifests/manifest-shape';
import { toHttpUrl, toOtelUrl } from './otel-endpoint';
import { parseHeaders, toHeaders } from './otel-headers';
import type { OtelMembers } from './otel-receiver';

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

/** A map, or daprd's form, which is that of OTEL_EXPORTER_OTLP_HEADERS. */
const headers = z
  .union([mapOf(text), text], { error: 'must be a text of the form a=1,b=2, or a map of texts' })
  .transform((written, context) => {
    try {
      return typeof written === 'string'
        ? parseHeaders(written)
        : toHeaders(Object.entries(written));
    } catch (error) {
      return refuse(context, toErrorMessage(error));
    }
  });

/** What the file says of an OTLP receiver: the address is checked here, where its place is known. */
const otel = optionalStruct({
  endpointaddress: optionalText,
  protocol: z.preprocess(
    (value) => value ?? undefined,
    z.enum(['grpc', 'http'], { error: 'must be grpc or http' }).optional(),
  ),
  issecure: flag,
  headers,
  timeout: duration,
}).transform((written, context): OtelMembers => {
  const { endpointaddress: address, protocol, issecure: isSecure } = written;
  try {
    if (address !== undefined) {
      toOtelUrl(address, { protocol: protocol ?? 'grpc', isSecure: true, isBase: false });
    }
  } catch (error) {
    return refuse(context, toErrorMessage(error), ['endpointaddress']);
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

const tracing = optionalStruct({
  samplingrate: samplingRate,
  stdout: flag,
  zipkin: optionalStruct({ endpointaddress: zipkinEndpoint }),
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

const metrics = optionalStruct({
  enabled: flag,
  recorderrorcodes: flag,
  http: optionalStruct({
    increasedcardinality: flag,
    pathmatching: listOf(text),
    excludeverbs: flag,
  }),
  latencydistributionbuckets: buckets,
});

const apiRule = struct({
  name: text,
  version: text.optional(),
  protocol: z.preprocess(
    (value) => (value === '' || value === null ? undefined : value),
    z.enum(['http', 'grpc'], { error: 'must be http or grpc' }).optional(),
  ),
});

/** Sections that daprd knows and a lock sidecar has no use for. */
export const UNUSED_SECTIONS: readonly string[] = [
  'accesscontrol',
  'apphttppipeline',
  'httppipeline',
  'mtls',
  'nameresolution',
  'secrets',
  'wasm',
  'workflow',
  'workflowstatepolicy',
];

/** The sections that {@link configurationSchema} reads. */
export const USED_SECTIONS: readonly string[] = [
  'tracing',
  'metric',
  'metrics',
  'logging',
  'api',
  'components',
  'features',
];

/** A Configuration document; its kind is not looked at, as in daprd. */
export const configurationSchema = struct({
  spec: optionalStruct({
    tracing,
    metric: metrics,
    metrics,
    logging: optionalStruct({
      apilogging: optionalStruct({ enabled: flag, obfuscateurls: flag, omithealthchecks: flag }),
    }),
    api: optionalStruct({ allowed: listOf(apiRule), denied: listOf(apiRule) }),
    components: optionalStruct({ deny: listOf(text) }),
    features: listOf(struct({ name: text, enabled: flag })),
  }),
});

/** The names under `spec`, as they are written. */
export const sectionNamesSchema = struct({ spec: mapOf(z.unknown()) });

/** A document that fits {@link configurationSchema}. */
export type ConfigurationDocument = z.infer<typeof configurationSchema>;
