import type { TracingSettings } from '../configuration/configuration';
import { ApiObservation } from '../observability/api-observation';
import type { Metrics } from '../observability/metrics';
import type { SystemAuthorities } from '../trust/system-authorities';
import type { AppContext, AppOptions } from './app-options';

/**
 * Creates the observation of calls. OpenTelemetry is loaded only if spans are recorded, because it
 * takes longer to load than everything else.
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
