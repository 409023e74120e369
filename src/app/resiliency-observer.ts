import type { Metrics } from '../observability/metrics';
import type { ResiliencyObserver } from '../resiliency/resiliency';
import type { SidecarMetadata } from '../sidecar/metadata';

/** Passes the events of policies to metrics and metadata. */
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
