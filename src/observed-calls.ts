import type { AppContext, AppOptions } from './app-options';
import type { Configuration, TracingSettings } from './configuration/configuration';
import { withOtelEnvironment } from './configuration/otel-environment';
import { ApiObservation } from './observability/api-observation';
import type { Metrics } from './observability/metrics';

/**
 * Makes the observation of calls. OpenTelemetry is loaded only where spans are made: it takes
 * longer to load than all the rest.
 */
export function createApiObservation(
  options: Pick<AppOptions, 'appId' | 'tracesLockDetails'>,
  { logger, environment }: Pick<AppContext, 'logger' | 'environment'>,
  metrics: Metrics | undefined,
): ApiObservation {
  const { appId, tracesLockDetails: showsLockDetails } = options;
  return new ApiObservation({
    createTracer: async (settings: TracingSettings) => {
      const { createOtelTracer } = await import('./observability/otel-tracer.js');
      return createOtelTracer({ settings, appId, environment, logger, showsLockDetails });
    },
    metrics,
    logger,
  });
}

/** The configuration with what flags and environment say of it. */
export function withOverrides(
  configuration: Configuration,
  { apiLogging }: Pick<AppOptions, 'apiLogging'>,
  environment: AppContext['environment'],
): Configuration {
  return {
    ...configuration,
    tracing: withOtelEnvironment(configuration.tracing, environment),
    apiLogging:
      apiLogging === undefined
        ? configuration.apiLogging
        : { ...configuration.apiLogging, enabled: apiLogging },
  };
}
