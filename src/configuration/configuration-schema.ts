import { z } from 'zod';

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

/** The shape of a Configuration document, as far as a lock sidecar has a use for it. */

const duration = text.optional().transform((value, context) => {
  if (value === undefined || value === '') return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  try {
    return parseGoDuration(value);
  } catch (error) {
    if (!(error instanceof MetadataValueError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});

const samplingRate = text.optional().transform((value, context) => {
  if (value === undefined || value === '') return undefined;
  const rate = Number(value);
  if (rate >= 0 && rate <= 1) return value;
  context.addIssue({ code: 'custom', message: `must be a number from 0 to 1, not "${value}"` });
  return z.NEVER;
});

const tracing = optionalStruct({
  samplingrate: samplingRate,
  stdout: flag,
  zipkin: optionalStruct({ endpointaddress: optionalText }),
  otel: optionalStruct({
    endpointaddress: optionalText,
    protocol: z.preprocess(
      (value) => value ?? undefined,
      z.enum(['grpc', 'http'], { error: 'must be grpc or http' }).optional(),
    ),
    issecure: flag,
    headers: z.unknown().optional(),
    timeout: duration,
  }),
});

const bucket = z
  .union([z.number(), z.bigint()], { error: 'must be a number of milliseconds' })
  .transform(Number);

const metrics = optionalStruct({
  enabled: flag,
  recorderrorcodes: flag,
  http: optionalStruct({
    increasedcardinality: flag,
    pathmatching: listOf(text),
    excludeverbs: flag,
  }),
  latencydistributionbuckets: listOf(bucket),
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
