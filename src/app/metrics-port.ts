import type { Logger } from '../base/logger';
import type { Metrics } from '../observability/metrics';
import { createMetricsServer } from '../observability/metrics-server';
import { describeListenError } from '../servers/listen-error';
import type { AppOptions } from './app-options';
import type { Lifecycle } from '../base/lifecycle';

/** The parts of the metrics port, and the lifecycle that closes it. */
export interface MetricsPortOptions {
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
}

/**
 * Opens the metrics port. If only the default port is in use, the sidecar goes on without.
 *
 * @throws if a port that was asked for can't be opened
 */
export async function openMetricsPort(
  { metricsAddress }: AppOptions,
  { metrics, lifecycle, logger }: MetricsPortOptions,
): Promise<void> {
  if (metricsAddress === undefined || !metrics.isEnabled) return;
  const { host, port, isRequired } = metricsAddress;
  const server = createMetricsServer({ registry: metrics.registry });
  try {
    const bound = await server.listen({ host: host === '' ? '0.0.0.0' : host, port });
    lifecycle.add('the metrics server', () => server.close());
    logger.info(`metrics server started on ${host}:${bound.port}/`);
  } catch (cause) {
    const place = `port ${port} of ${host === '' ? '0.0.0.0' : host}`;
    const sentence = `failed to start metrics server: ${place}: ${describeListenError(cause)}`;
    if (isRequired) throw new Error(sentence, { cause });
    logger.error(`${sentence}; continuing without metrics, because --metrics-port is not set`);
  }
}
