import type { Configuration, TracingSettings } from '../configuration/configuration';
import { ApiObservation } from '../observability/api-observation';
import type { Metrics } from '../observability/metrics';
import type { ResiliencyObserver } from '../resiliency/resiliency';
import type { SidecarMetadata } from '../sidecar/metadata';
import type { SystemAuthorities } from '../trust/system-authorities';
import type { AppContext, AppOptions } from './app-options';

/**
 * Creates the observation of calls. OpenTelemetry is loaded only if spans are recorded, because
 * loading it takes longer than everything else.
 */
export function createApiObservation(
  options: Pick<AppOptions, 'appId' | 'tracesLockDetails'>,
  context: Pick<AppContext, 'logger' | 'environment'> & { readonly authorities: SystemAuthorities },
  metrics: Metrics | undefined,
): ApiObservation {
  const { appId, tracesLockDetails: showsLockDetails } = options;
  const { logger, environment, authorities } = context;
  return new ApiObservation({
    createTracer: async (settings: TracingSettings) => {
      const { createOtelTracer } = await import('../observability/otel-tracer.js');
      return createOtelTracer({
        settings,
        appId,
        environment,
        logger,
        showsLockDetails,
        authorities,
      });
    },
    metrics,
    logger,
  });
}

/** Forwards events about policies to metrics and metadata. */
export function createResiliencyObserver(
  metrics: Metrics,
  metadata: SidecarMetadata,
): ResiliencyObserver {
  return {
    loaded: (names) => {
      metadata.setResiliencies(names);
      metrics.recordPolicies(names);
    },
    executed: (use) => {
      metrics.recordPolicy('count', use);
    },
    activated: (use) => {
      metrics.recordPolicy('activation', use);
    },
    breakerState: (use, state) => {
      metrics.recordBreakerState(use, state);
    },
    breakerRemoved: (use) => {
      metrics.removeBreakerState(use);
    },
  };
}

/** Applies flags that override the configuration. */
export function withOverrides(
  configuration: Configuration,
  { apiLogging }: Pick<AppOptions, 'apiLogging'>,
): Configuration {
  return {
    ...configuration,
    apiLogging:
      apiLogging === undefined
        ? configuration.apiLogging
        : { ...configuration.apiLogging, enabled: apiLogging },
  };
}
