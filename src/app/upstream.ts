import type { Lifecycle } from '../base/lifecycle';
import type { Logger } from '../base/logger';
import type { SystemAuthorities } from '../trust/system-authorities';
import { Upstream } from '../upstream/upstream';
import type { AppOptions } from './app-options';

/** The parts of the process that the link needs. */
interface UpstreamContext {
  readonly authorities: SystemAuthorities;
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
}

/**
 * Creates the link to the sidecar behind this one, and registers its end. Undefined if none is
 * configured.
 */
export function createUpstream(
  options: Pick<AppOptions, 'upstreamEndpoints' | 'maxUpstreamCalls' | 'apiToken'>,
  { authorities, lifecycle, logger }: UpstreamContext,
): Upstream | undefined {
  const { upstreamEndpoints, maxUpstreamCalls: maxCalls, apiToken } = options;
  if (upstreamEndpoints === undefined) return undefined;
  const upstream = new Upstream({
    ...upstreamEndpoints,
    maxCalls,
    apiToken,
    secureContext: () => authorities.contextOf(),
    logger: logger.scoped('dapr.runtime'),
  });
  lifecycle.add('the upstream', async () => {
    upstream.close();
  });
  return upstream;
}
