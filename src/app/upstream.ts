import type { SidecarBehind } from '../api/sidecar';
import type { Lifecycle } from '../base/lifecycle';
import type { Logger } from '../base/logger';
import type { Metrics } from '../observability/metrics';
import type { SystemAuthorities } from '../trust/system-authorities';
import { Upstream } from '../upstream/upstream';
import type { AppOptions } from './app-options';

/**
 * How long to wait for the end of an upstream if --dapr-graceful-shutdown-seconds is 0 (no limit),
 * in milliseconds.
 */
const LONGEST_WAIT_MS = 60_000;

/** The parts of the process that the link needs. */
interface UpstreamContext {
  readonly authorities: SystemAuthorities;
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Creates the link to the sidecar behind this one, and registers its end. Undefined if none is
 * configured.
 */
export function createUpstream(
  options: Pick<
    AppOptions,
    'upstreamEndpoints' | 'maxUpstreamCalls' | 'apiToken' | 'gracefulShutdownMs'
  >,
  { authorities, lifecycle, logger, metrics }: UpstreamContext,
): Upstream | undefined {
  const { upstreamEndpoints, maxUpstreamCalls: maxCalls, apiToken, gracefulShutdownMs } = options;
  if (upstreamEndpoints === undefined) return undefined;
  const upstream = new Upstream({
    ...upstreamEndpoints,
    maxCalls,
    apiToken,
    goneWithinMs: gracefulShutdownMs ?? LONGEST_WAIT_MS,
    secureContext: () => authorities.contextOf(),
    logger: logger.scoped('dapr.runtime'),
  });
  upstream.health.onChange((isUp) => {
    metrics.recordUpstream(isUp);
  });
  lifecycle.add('the upstream', async () => {
    upstream.close();
  });
  return upstream;
}

/** The upstream as the methods of the sidecar see it. */
export function toBehind(upstream: Upstream): SidecarBehind {
  const { health } = upstream;
  return {
    isReady: () => health.isReady(),
    isOutboundReady: () => health.isOutboundReady(),
    shutDown: (request) => upstream.shutDown(request),
  };
}
