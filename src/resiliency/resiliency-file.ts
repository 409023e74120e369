import * as z from 'zod';

import { MetadataValueError, parseGoDuration } from '../manifests/go-values';
import { isOfKind, parseDocument, type PlacedDocument } from '../manifests/manifest-file';
import {
  listOf,
  mapOf,
  optionalStruct,
  optionalText,
  struct,
  text,
} from '../manifests/manifest-shape';
import type { YamlDocument } from '../manifests/yaml-documents';
import type { BreakerSettings, PolicyNames, ResiliencyDocument, RetrySettings } from './policies';
import { compileTrip, DEFAULT_TRIP, TripExpressionError } from './trip-expression';

/** Turns a text into a value; what the text can't be is said where it stands. */
function read<T>(parse: (value: string) => T) {
  return optionalText.transform((value, context): T | undefined => {
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

/** As far as Node's timers reach. */
const LONGEST_MS = 2 ** 31 - 1;

/** A bare number is milliseconds, as in daprd. */
const duration = read((value) => {
  const ms = /^\d+$/.test(value) ? Number(value) : parseGoDuration(value);
  if (ms >= 0) return Math.min(ms, LONGEST_MS);
  throw new MetadataValueError(
    value,
    (shown) => `invalid duration "${shown}": it must not be negative`,
  );
});

/** Go's int32. */
const count = read((value) => {
  const number = /^[+-]?\d{1,15}$/.test(value) ? Number(value) : NaN;
  if (number >= -(2 ** 31) && number < 2 ** 31) return number;
  throw new MetadataValueError(
    value,
    (shown) =>
      `invalid number "${shown}": a whole number from -2147483648 to 2147483647 is allowed`,
  );
});

const names = optionalStruct({
  timeout: optionalText,
  retry: optionalText,
  circuitbreaker: optionalText,
});

const resiliencySchema = struct({
  metadata: optionalStruct({ name: optionalText }),
  scopes: listOf(text),
  spec: optionalStruct({
    policies: optionalStruct({
      timeouts: mapOf(duration),
      retries: mapOf(
        optionalStruct({
          policy: z.preprocess(
            (value) =>
              typeof value === 'string' && value !== '' ? value.toLowerCase() : undefined,
            z
              .enum(['constant', 'exponential'], { error: 'must be constant or exponential' })
              .optional(),
          ),
          duration,
          maxinterval: duration,
          maxretries: count,
        }),
      ),
      circuitbreakers: mapOf(
        optionalStruct({
          maxrequests: count,
          interval: duration,
          timeout: duration,
          trip: read((value) => ({ text: value, decide: compileTrip(value) })),
        }),
      ),
    }),
    targets: optionalStruct({ components: mapOf(optionalStruct({ outbound: names })) }),
  }),
});

type Policies = z.infer<typeof resiliencySchema>['spec']['policies'];

/** True for a Resiliency document, of whatever API version, as in daprd. */
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
  const { timeouts, retries, circuitbreakers } = spec.policies;
  return {
    name: metadata.name ?? '',
    file: placed.file,
    scopes,
    timeouts: new Map(
      Object.entries(timeouts).flatMap(([name, ms]) => (ms === undefined ? [] : [[name, ms]])),
    ),
    retries: mapValues(retries, toRetry),
    circuitBreakers: mapValues(circuitbreakers, toBreaker),
    components: mapValues(spec.targets.components, toNames),
  };
}

/** daprd's defaults (dapr/kit retry): 5 s between tries, without an end. */
function toRetry(retry: Policies['retries'][string]): RetrySettings {
  const maxRetries = retry.maxretries ?? -1;
  return {
    kind: retry.policy ?? 'constant',
    pauseMs: retry.duration ?? 5000,
    longestPauseMs: retry.maxinterval ?? 60_000,
    maxRetries: maxRetries < 0 ? undefined : maxRetries,
  };
}

function toBreaker(breaker: Policies['circuitbreakers'][string]): BreakerSettings {
  const trip = breaker.trip ?? { text: DEFAULT_TRIP, decide: compileTrip(DEFAULT_TRIP) };
  return {
    maxRequests: Math.max(1, breaker.maxrequests ?? 1),
    intervalMs: breaker.interval ?? 0,
    timeoutMs: breaker.timeout === undefined || breaker.timeout === 0 ? 60_000 : breaker.timeout,
    trip: trip.decide,
    tripText: trip.text,
  };
}

function toNames({ outbound }: { readonly outbound: z.infer<typeof names> }): PolicyNames {
  const { timeout, retry, circuitbreaker: circuitBreaker } = outbound;
  return { timeout, retry, circuitBreaker };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, to: (value: A) => B): Map<string, B> {
  return new Map(Object.entries(record).map(([name, value]) => [name, to(value)]));
}
