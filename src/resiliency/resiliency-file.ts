import * as z from 'zod';

import { MetadataValueError, parseGoDuration } from '../go/go-values';
import { toText } from '../go/scalar-text';
import {
  isOfKind,
  parseDocument,
  type PlacedDocument,
  positionIn,
} from '../manifests/manifest-file';
import {
  DOCUMENT_HEAD,
  listOf,
  mapOf,
  OBJECT_METADATA,
  optionalStruct,
  optionalText,
  optionalWord,
  struct,
  text,
  unused,
} from '../manifests/manifest-shape';
import { describeUnknownNames } from '../manifests/unknown-names';
import type { YamlDocument } from '../manifests/yaml-documents';
import type { BreakerSettings, PolicyNames, ResiliencyDocument, RetrySettings } from './policies';
import { compileTrip, DEFAULT_TRIP, TripExpressionError } from './trip-expression';

/** Converts a text. An invalid text is reported with its place. */
function read<T>(
  parse: (value: string) => T,
  written: z.ZodType<string | undefined> = optionalText,
) {
  return written.transform((value, context): T | undefined => {
    if (value === undefined) return undefined;
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof MetadataValueError || error instanceof TripExpressionError))
        throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

/** The longest usable timer of Node, in milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

/** A duration. As in daprd, a number without a unit is milliseconds. */
const duration = read((value) => {
  const ms = /^\d+$/.test(value) ? Number(value) : parseGoDuration(value);
  if (ms >= 0) return Math.min(ms, LONGEST_MS);
  throw new MetadataValueError(
    value,
    (shown) => `invalid duration "${shown}": it must not be negative`,
  );
});

/** A number as JSON text, so that 1e6 is a whole number. */
const numberText = z
  .unknown()
  .optional()
  .transform((value) => toText(value) || undefined);

/** Go's int32. */
const count = read((value) => {
  const number = /^[+-]?\d{1,15}$/.test(value) ? Number(value) : NaN;
  if (number >= -(2 ** 31) && number < 2 ** 31) return number;
  throw new MetadataValueError(
    value,
    (shown) =>
      `invalid number "${shown}": a whole number from -2147483648 to 2147483647 is allowed`,
  );
}, numberText);

const names = optionalStruct({
  timeout: optionalText,
  retry: optionalText,
  circuitBreaker: optionalText,
});

/** Targets for calls that a lock sidecar does not make. Only their names are checked. */
const unusedNames = { timeout: unused, retry: unused, circuitBreaker: unused };
const apps = mapOf(optionalStruct({ ...unusedNames, circuitBreakerCacheSize: unused }));
const actors = mapOf(
  optionalStruct({
    ...unusedNames,
    circuitBreakerScope: unused,
    circuitBreakerCacheSize: unused,
  }),
);

const resiliencySchema = struct({
  ...DOCUMENT_HEAD,
  metadata: optionalStruct({ ...OBJECT_METADATA, name: optionalText, namespace: unused }),
  scopes: listOf(text),
  spec: optionalStruct({
    policies: optionalStruct({
      timeouts: mapOf(duration),
      retries: mapOf(
        optionalStruct({
          policy: optionalWord(['constant', 'exponential']),
          duration,
          maxInterval: duration,
          maxRetries: count,
          matching: optionalStruct({ httpStatusCodes: unused, gRPCStatusCodes: unused }),
        }),
      ),
      circuitBreakers: mapOf(
        optionalStruct({
          maxRequests: count,
          interval: duration,
          timeout: duration,
          trip: read((value) => ({ text: value, decide: compileTrip(value) })),
        }),
      ),
    }),
    targets: optionalStruct({
      apps,
      actors,
      components: mapOf(optionalStruct({ inbound: optionalStruct(unusedNames), outbound: names })),
    }),
  }),
});

type Policies = z.infer<typeof resiliencySchema>['spec']['policies'];

/** True for a Resiliency document with any API version, as in daprd. */
export function isResiliency(document: YamlDocument): boolean {
  return isOfKind(document, 'Resiliency', { anyVersion: true });
}

/**
 * Reads a Resiliency document (dapr/dapr pkg/apis/resiliency/v1alpha1).
 *
 * @throws {ManifestFileError} with every problem of the document
 */
export function parseResiliency(placed: PlacedDocument): ResiliencyDocument {
  const { metadata, scopes, spec } = parseDocument(resiliencySchema, placed);
  const { timeouts, retries, circuitBreakers } = spec.policies;
  return {
    name: metadata.name ?? '',
    file: placed.file,
    scopes,
    timeouts: new Map(
      Object.entries(timeouts).flatMap(([name, ms]) => (ms === undefined ? [] : [[name, ms]])),
    ),
    retries: mapValues(retries, toRetry),
    circuitBreakers: mapValues(circuitBreakers, toBreaker),
    components: mapValues(spec.targets.components, toNames),
    warnings: describeUnknownNames(resiliencySchema, placed),
    positionOfTarget: (component) =>
      positionIn(placed, ['spec', 'targets', 'components', component]),
  };
}

/** Applies daprd's defaults (dapr/kit retry): 5 s between tries, without a limit. */
function toRetry(retry: Policies['retries'][string]): RetrySettings {
  const maxRetries = retry.maxRetries ?? -1;
  return {
    kind: retry.policy ?? 'constant',
    pauseMs: retry.duration ?? 5000,
    longestPauseMs: retry.maxInterval ?? 60_000,
    maxRetries: maxRetries < 0 ? undefined : maxRetries,
  };
}

function toBreaker(breaker: Policies['circuitBreakers'][string]): BreakerSettings {
  const trip = breaker.trip ?? { text: DEFAULT_TRIP, decide: compileTrip(DEFAULT_TRIP) };
  return {
    maxRequests: Math.max(1, breaker.maxRequests ?? 1),
    intervalMs: breaker.interval ?? 0,
    timeoutMs: breaker.timeout === undefined || breaker.timeout === 0 ? 60_000 : breaker.timeout,
    trip: trip.decide,
    tripText: trip.text,
  };
}

function toNames({ outbound }: { readonly outbound: z.infer<typeof names> }): PolicyNames {
  const { timeout, retry, circuitBreaker } = outbound;
  return { timeout, retry, circuitBreaker };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, to: (value: A) => B): Map<string, B> {
  return new Map(Object.entries(record).map(([name, value]) => [name, to(value)]));
}
